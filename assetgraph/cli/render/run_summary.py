"""The end of a run: its outputs or its failures, and what to type next."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from assetgraph.cli.render.state_style import ENDED_WELL, glyph, step_counts, warned
from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.styled_text import Line, joined, plural
from assetgraph.hints import command
from assetgraph.records import EventType, RunStatus, StoredValue
from assetgraph.storage.formats.format_registry import location_of
from assetgraph.text import width as cell_width

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from assetgraph.cli.render.same_failures import SameFailures
    from assetgraph.records import Event, RunRecord

_MOST_OUTPUTS = 10
_MOST_FAILURES = 3
_MOST_WARNINGS = 10
_ENDS = {
    RunStatus.SUCCESS: "succeeded in",
    RunStatus.FAILURE: "failed after",
    RunStatus.CANCELED: "was canceled after",
    RunStatus.INTERRUPTED: "was interrupted: its process died",
}


class OutputsOf:
    """What a run made of one asset: its targets, what is stored of the first, and the size of all
    in bytes, as far as it is known."""

    def __init__(self, target: str, data: Mapping[str, Any]) -> None:
        self.targets = [target]
        self.data = dict(data)

    def add(self, target: str, data: Mapping[str, Any]) -> None:
        self.targets.append(target)
        self.data["path"] = None
        sizes = (self.data.get("size"), data.get("size"))
        self.data["size"] = sum(sizes) if all(isinstance(one, int) for one in sizes) else None

    def name(self, places: Mapping[str, int]) -> str:
        """The target, or how many and which they are; `places` has their order in the plan, since
        with several steps at once they are not made in that order."""
        if len(self.targets) == 1:
            return self.targets[0]
        ordered = sorted(self.targets, key=lambda target: places.get(target, 0))
        from assetgraph.cli.render.by_asset import together

        return together(ordered)[0]


class RunHighlights:
    """The part of a run's events that its summary shows: what it made of the first assets, the
    first kinds of failures, counts of the rest, and every warning once, as (step or None,
    message)."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.outputs: dict[str, OutputsOf] = {}
        self.more_outputs: set[str] = set()
        self.failures: SameFailures[Mapping[str, Any]] | None = None
        self.checks: Counter[str] = Counter()  # by how they ended
        self.warnings: dict[tuple[str | None, str], None] = {}
        for event in events:
            self.event(event)

    def event(self, event: Event) -> None:
        if event.type is EventType.STEP_OUTPUT and event.step:
            target = event.target or event.step
            asset = target.partition("@")[0]
            if asset in self.outputs:
                self.outputs[asset].add(target, event.data)
            elif len(self.outputs) < _MOST_OUTPUTS:
                self.outputs[asset] = OutputsOf(target, event.data)
            else:
                self.more_outputs.add(asset)
        elif event.type is EventType.STEP_FAILURE and event.step:
            self._fail(event.step, event.data["error"])
        elif event.type is EventType.ASSET_CHECK_EVALUATION:
            self.checks["passed" if event.data["passed"] else event.level] += 1
        elif event.type is EventType.LOG and event.level == "WARNING":
            text = event.message or ""
            if event.data:  # most warnings are messages alone, and need no other module
                from assetgraph.queries.event_text import warning_text

                text = warning_text(event)
            self.warnings[event.step, text] = None

    def _fail(self, step: str, error: Mapping[str, Any]) -> None:
        from assetgraph.cli.render.same_failures import SameFailures

        self.failures = self.failures or SameFailures(_MOST_FAILURES)
        places = [(frame["file"], frame["line"]) for frame in error.get("frames", ())]
        self.failures.add(step, error, error["type"], places)


def summary(run: RunRecord, highlights: RunHighlights, width: int | None) -> list[Line]:
    """Failures, warnings and outputs of a run that ended, then the commands to type next."""
    lines = [
        *_failures(highlights, width),
        Line(),
        *warning_lines(highlights.warnings, width),
        _headline(run),
        *_outputs(run, highlights, width),
        Line("  Steps:       ", step_counts(run)).cut(width),
        *_checks(highlights),
        Line("  Details:     ", (command("runs", "show", run.run_id), "command")),
    ]
    if run.status is not RunStatus.SUCCESS:
        again = command("runs", "rerun", run.run_id, *from_failure(run))
        lines.append(Line("  Re-execute:  ", (again, "command")))
    return lines


def warning_lines(warnings: Collection[tuple[str | None, str]], width: int | None) -> list[Line]:
    """The warnings of a run and of its steps, up to a limit."""
    lines = []
    for step, message in list(warnings)[:_MOST_WARNINGS]:
        lines += warned(f"{step}: {message}" if step else message, width)
    if len(warnings) > _MOST_WARNINGS:
        more = plural(len(warnings) - _MOST_WARNINGS, "more warning")
        lines.append(Line((f"! … and {more}", "warning")))
    return lines


def from_failure(run: RunRecord) -> list[str]:
    """The option that re-executes `run` from its failure, if any step can be left out."""
    return ["--from-failure"] if any(run.step_counts.get(s) for s in ENDED_WELL) else []


def _checks(highlights: RunHighlights) -> list[Line]:
    """How many checks ended how, if any ran."""
    shown = [
        Line((mark, style), f" {highlights.checks[kind]} {word}")
        for kind, mark, style, word in _CHECKS
        if highlights.checks[kind]
    ]
    return [Line("  Checks:      ", joined(shown, "   "))] if shown else []


_CHECKS = (
    ("passed", "✓", "success", "passed"),
    ("ERROR", "✕", "failure", "failed"),
    ("WARNING", "!", "warning", "failed, as a warning"),
)


def _headline(run: RunRecord) -> Line:
    seconds = f" {units.duration(run.duration_s)}" if run.ended_at else ""
    return Line(glyph(run.status), " Run ", (run.run_id, "name"), f" {_ENDS[run.status]}{seconds}")


def _failures(highlights: RunHighlights, width: int | None) -> list[Line]:
    if highlights.failures is None:
        return []
    import msgspec

    from assetgraph.cli.render.failure_lines import failures
    from assetgraph.records import ErrorInfo, decoder

    def decoded(error: Mapping[str, Any]) -> ErrorInfo:
        info: ErrorInfo = decoder(ErrorInfo).decode(msgspec.json.encode(error))
        return info

    return failures(highlights.failures, decoded, width, frames=False)


def _outputs(run: RunRecord, highlights: RunHighlights, width: int | None) -> list[Line]:
    made = highlights.outputs.values()
    places = _places(run) if any(len(one.targets) > 1 for one in made) else {}
    named = [(one.name(places), one) for one in made]
    most = width // 2 if width else None
    sizes = [cell_width(name) for name, _ in named]
    cells = max([size for size in sizes if most is None or size <= most], default=0)
    lines: list[Line] = []
    for name, one in named:  # a long name has no say in where the column begins
        shown = Line(name, " " * max(cells - cell_width(name), 0))
        lines += Line("  ", shown, "  ", _value(one.data)).broken(width, indent=4)
    if highlights.more_outputs:
        more = plural(len(highlights.more_outputs), "more asset")
        lines.append(Line((f"  … and {more}", "muted")))
    return lines


def _places(run: RunRecord) -> dict[str, int]:
    """The place of each target of a run in its plan."""
    targets = [text for step_id in run.step_ids for text in run.targets_of(step_id)]
    return {text: place for place, text in enumerate(targets)}


def _value(data: Mapping[str, Any]) -> Line:
    """Where a value is: the path that the asset returned, or the format in the store."""
    path, size = data.get("path"), data.get("size")
    stored = StoredValue(str(data.get("format")), path=None if path is None else str(path))
    location = location_of(stored)
    if location == "nowhere":
        return Line(("nothing to store", "muted"))
    kept = (stored.format, "")
    if location == "project":  # several partitions have no one path
        kept = ("files", "") if path is None else (str(path), "path")
    return Line(kept, (f"  {units.size(size)}" if isinstance(size, int) else "", "muted"))

"""The end of a run: what was made or what failed, and what to type next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.render.failure_lines import failed_too, failure
from assetgraph.cli.render.log_lines import warnings
from assetgraph.cli.render.run_list import from_failure, step_counts
from assetgraph.cli.render.state_style import glyph
from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.cells import Line, plural
from assetgraph.hints import command
from assetgraph.records import EventType, RunStatus, StoredValue
from assetgraph.storage.formats.format_registry import location_of
from assetgraph.text import width as cell_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from assetgraph.queries.run_views import RunDetails
    from assetgraph.records import Event

_MOST_MADE = 10
_MOST_FAILURES = 3
_ENDS = {
    RunStatus.SUCCESS: "succeeded in",
    RunStatus.FAILURE: "failed after",
    RunStatus.CANCELED: "was canceled after",
    RunStatus.INTERRUPTED: "was interrupted: its process died",
}


def summary(details: RunDetails, width: int | None) -> list[Line]:
    run = details.record
    failed = [step for step in details.steps if step.error]
    lines: list[Line] = []
    for step in failed[:_MOST_FAILURES]:
        assert step.error
        lines += [Line(), *failure(step.step_id, step.error, width, frames=False)]
    lines += failed_too([step.step_id for step in failed[_MOST_FAILURES:]], width)
    lines += [Line(), *warnings(details.events, width)]
    seconds = f" {units.duration(run.duration_s)}" if run.ended_at else ""
    ended = f" {_ENDS[run.status]}{seconds}"
    lines.append(Line(glyph(run.status), " Run ", (run.run_id, "name"), ended))
    lines += _made(details.events, width)
    lines.append(Line("  Steps:         ", step_counts(run)).cut(width))
    lines.append(Line("  All about it:  ", (command("runs", "show", run.run_id), "command")))
    if run.status is not RunStatus.SUCCESS:
        again = command("runs", "rerun", run.run_id, *from_failure(run))
        lines.append(Line("  Go on with:    ", (again, "command")))
    return lines


def _made(events: Iterable[Event], width: int | None) -> list[Line]:
    made = [event for event in events if event.type is EventType.STEP_OUTPUT and event.step]
    shown = made[:_MOST_MADE]
    cells = max((cell_width(event.step or "") for event in shown), default=0)
    lines = [
        Line("  ", Line(event.step or "").fitted(cells), "  ", _value(event.data)).cut(width)
        for event in shown
    ]
    if len(made) > len(shown):
        lines.append(Line((f"  … and {plural(len(made) - len(shown), 'more asset')}", "muted")))
    return lines


def _value(data: Mapping[str, object]) -> Line:
    """Where a value is: the path that the asset returned, or the format in the store."""
    path, size = data.get("path"), data.get("size")
    stored = StoredValue(str(data.get("format")), path=None if path is None else str(path))
    location = location_of(stored)
    if location == "nowhere":
        return Line(("nothing to store", "muted"))
    kept = (str(path), "path") if location == "project" else (stored.format, "")
    return Line(kept, (f"  {units.size(size)}" if isinstance(size, int) else "", "muted"))

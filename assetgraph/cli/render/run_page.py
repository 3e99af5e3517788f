"""The page of one run: failures, statistics, timeline and log."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from assetgraph.cli.render.by_asset import asset_of, partitions_text, together
from assetgraph.cli.render.event_log import log
from assetgraph.cli.render.failure_lines import failures
from assetgraph.cli.render.run_list import run_seconds
from assetgraph.cli.render.run_summary import from_failure, warning_lines
from assetgraph.cli.render.same_failures import SameFailures
from assetgraph.cli.render.state_style import glyph, run_state_line, step_counts, warned
from assetgraph.cli.render.timeline_bars import timeline
from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.styled_text import Line, joined, plural
from assetgraph.cli.terminal.table import Column, table
from assetgraph.hints import command
from assetgraph.queries.run_views import warned_of
from assetgraph.records import EventType, RunStatus, StepState
from assetgraph.text import listed, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assetgraph.queries.run_views import RunDetails
    from assetgraph.records import ErrorInfo, Event, RunRecord, StepRecord

_PARTITIONS = (Column("ASSET"), Column("PARTITIONS", least=24), Column("STEPS", least=16))
MOST_BARS = 40
MOST_EVENTS = 200
_MOST_FAILURES = 5
_MOST_CHECKS = 20


def run_page(
    details: RunDetails,
    now: datetime,
    width: int | None,
    *,
    trace: bool = False,
    whole: bool = False,
) -> list[Line]:
    """Failures, if any, then statistics, timeline and structured log.

    With `trace`, failures have their full traces; with `whole`, every step and event is shown.
    """
    run = details.record
    lines = [Line("Run ", (run.run_id, "name"), "  ", run_state_line(run.status))]
    lines += warning_lines(list(warned_of(details)), width)
    lines += warned(interruption(details), width)
    lines += _failures(details, width, trace)
    lines += [Line(), Line(("Statistics", "heading")), *statistics(details, now, width)]
    lines += _by_asset(details, width)
    if any(event.type is EventType.ASSET_CHECK_EVALUATION for event in details.events):
        from assetgraph.cli.render.check_lines import run_checks

        lines += run_checks(details.events, width, most=None if whole else _MOST_CHECKS)
    lines += [Line(), Line(("Timeline", "heading"))]
    lines += timeline(run, details.steps, now, width, most=None if whole else MOST_BARS)
    lines += [Line(), Line(("Log", "heading")), *_last(details.events, width, whole)]
    return [*lines, *no_end(details, width)]


def interruption(details: RunDetails) -> str:
    """What is known about the end of an interrupted run; "" for any other run."""
    run, heard = details.record, details.last_heard_at
    if heard is None:
        return ""
    after = units.duration((heard - run.started_at).total_seconds())
    last = f"It last recorded something at {units.local_time(heard)}, {after} after the start"
    cut = [step.step_id for step in details.steps if step.state is StepState.CANCELED]
    at_work = f" while {listed(together(cut)[:3])} ran" if cut else ""
    return f"The process of this run ({run.pid} on {run.host}) died{at_work}. {last}."


def no_end(details: RunDetails, width: int | None) -> list[Line]:
    """A note where the log of an interrupted run ends, with the command that continues the run."""
    if details.last_heard_at is None:
        return []
    again = command("runs", "rerun", details.record.run_id, *from_failure(details.record))
    why = ("The log ends here: the process died. To continue: ", "warning")
    return Line(("! ", "warning"), why, (again, "command")).broken(width, indent=2)


def statistics(details: RunDetails, now: datetime, width: int | None) -> list[Line]:
    run = details.record
    facts: list[tuple[str, Line]] = [
        ("Assets" if run.assets else "Checks", Line(_some(run.assets or run.step_ids, width))),
        ("Selection", Line(" ".join(run.selection))),
        ("Started", Line(units.local_time(run.started_at))),
        ("Duration", Line(units.duration(run_seconds(run, now)))),
        ("Steps", step_counts(run)),
        ("Parent run", Line(run.parent_run_id or "")),
        ("Root run", Line(run.root_run_id or "")),
        ("Re-executed by", Line(", ".join(details.reruns))),
        ("Launched by", Line(run.launched_by)),
        ("Tags", Line(", ".join(f"{k}={v}" for k, v in run.tags.items()))),
        ("Config", Line(", ".join(_config_texts(run.config)))),
        ("Versions", Line(_versions(run))),
    ]
    cells = max(len(name) for name, _ in facts)
    return [
        Line("  ", (name.ljust(cells), "muted"), "  ", value).cut(width)
        for name, value in facts
        if value
    ]


def _failures(details: RunDetails, width: int | None, trace: bool) -> list[Line]:
    """Every failure with its place, and the commands to type next."""
    run = details.record
    failed: SameFailures[ErrorInfo] = SameFailures(_MOST_FAILURES)
    for step in details.steps:
        if step.error:
            places = [(frame.file, frame.line) for frame in step.error.frames]
            failed.add(step.step_id, step.error, step.error.type, places)
    lines = failures(failed, lambda error: error, width, trace=trace)
    if run.status in (RunStatus.SUCCESS, RunStatus.STARTED):
        return lines
    options = from_failure(run)
    offers = {"Re-execute": command("runs", "rerun", run.run_id, *options)}
    if options:
        offers["All steps"] = command("runs", "rerun", run.run_id)
    if failed.errors and not trace:
        offers = {"Full trace": command("runs", "show", run.run_id, "--trace"), **offers}
    cells = max(len(name) for name in offers) + 3
    offered = [Line(f"{name}:".ljust(cells), (text, "command")) for name, text in offers.items()]
    return [*lines, Line(), *offered]


def _by_asset(details: RunDetails, width: int | None) -> list[Line]:
    """The steps of each asset of which several partitions are in the run."""
    by_asset: dict[str, list[StepRecord]] = {}
    for step in details.steps:
        by_asset.setdefault(asset_of(step.step_id), []).append(step)
    several = {asset: steps for asset, steps in by_asset.items() if len(steps) > 1}
    if not several:
        return []
    rows = [
        [
            Line((asset, "name")),
            Line(partitions_text([step.step_id for step in steps])),
            _counted(steps),
        ]
        for asset, steps in several.items()
    ]
    shown = table(_PARTITIONS, rows, width and width - 2)
    return [
        Line(),
        Line(("Partitions", "heading")),
        *(Line("  ", line) for line in shown),
    ]


def _counted(steps: Sequence[StepRecord]) -> Line:
    counts = Counter(step.state for step in steps)
    there = (state for state in StepState if state in counts)
    states = (Line(glyph(state), f" {counts[state]:,} {state}") for state in there)
    return joined(states, "   ")


def _last(events: Sequence[Event], width: int | None, whole: bool) -> list[Line]:
    if whole or len(events) <= MOST_EVENTS:
        return log(events, width)
    earlier = plural(len(events) - MOST_EVENTS, "earlier event")
    note = Line((f"  … {earlier} not shown: add --all", "muted"))
    return [note, *log(events[-MOST_EVENTS:], width)]


def _some(keys: Sequence[str], width: int | None) -> str:
    """The keys; if they do not fit, their number and the first ones."""
    text = ", ".join(keys)
    if width is None or len(text) <= width - 16:
        return text
    return shorten(f"{len(keys)}: {text}", width - 16)


def _config_texts(config: dict[str, dict[str, Any]]) -> list[str]:
    return [f"{key}.{name}={value}" for key, set_ in config.items() for name, value in set_.items()]


def _versions(run: RunRecord) -> str:
    known = {"assetgraph": run.assetgraph_version, "Python": run.python_version}
    return ", ".join(f"{name} {version}" for name, version in known.items() if version)

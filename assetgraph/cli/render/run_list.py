"""The table of runs."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from assetgraph.cli.render.by_asset import together
from assetgraph.cli.render.state_style import ENDED_WELL, run_state_line
from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.styled_text import Line
from assetgraph.cli.terminal.table import Column, table
from assetgraph.hints import command
from assetgraph.records import RunStatus
from assetgraph.text import width as cell_width

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assetgraph.queries.run_views import RunPage
    from assetgraph.records import RunRecord

_RUN_COLUMNS = (
    Column("RUN"),
    Column("STATUS"),
    Column("STARTED", drop=2),
    Column("TIME", right=True),
    Column("STEPS", drop=3),
    Column("PARENT"),
)
_LEAST_ASSETS = 8
_MOST_FAILED_CELLS = 24
_MOST_NAMES = 5


def run_table(runs: Sequence[RunRecord], now: datetime, width: int | None) -> list[Line]:
    """A line for each run. The reason of a failure goes below its run, or in a pipe into a column
    of its own. The columns are fitted so that the name of a failed asset stays readable."""
    failed = [cell_width(f"✕ {run.failed_steps[0]}") for run in runs if run.failed_steps]
    least = max([_LEAST_ASSETS, *(min(cells, _MOST_FAILED_CELLS) for cells in failed)])
    columns = [*_RUN_COLUMNS, Column("ASSETS", least=least, drop=1)]
    rows = [_run_row(run, now) for run in runs]
    why = [Line((run.failure, "muted")) for run in runs]
    if width is None:
        rows = [[*row, text] for row, text in zip(rows, why, strict=True)]
        return table([*columns, Column("WHY")], rows, width)
    heading, *lines = table(columns, rows, width) or [Line()]
    below = [Line("  ", text).cut(width) if text else Line() for text in why]
    shown = chain.from_iterable(zip(lines, below, strict=True))
    return [line for line in (heading, *shown) if line]


def page_notes(page: RunPage, older: str | None, *, narrowed: bool = False) -> list[Line]:
    """Notes below a table of runs: unreadable records, the command for the `older` runs, or why the
    table is empty. A list that options `narrowed` may be empty although there are runs."""
    lines = [Line(("! ", "warning"), damaged) for damaged in page.damaged]
    if narrowed and not page.runs and not page.damaged:
        lines.append(Line("No run matches. To list all: ", (command("runs", "list"), "command")))
    elif not page.runs and not page.damaged:
        first = (command("materialize", "--all"), "command")
        lines.append(Line("No runs yet. To start one: ", first))
    if older:
        lines.append(Line(("Older runs: ", "muted"), (older, "command")))
    return lines


def run_seconds(run: RunRecord, now: datetime) -> float | None:
    """How long the run took, or has taken until now; None if its process died."""
    if run.status is RunStatus.STARTED:
        return (now - run.started_at).total_seconds()
    return run.duration_s


def _run_row(run: RunRecord, now: datetime) -> list[Line]:
    total = max(sum(run.step_counts.values()), len(run.assets))
    ended_well = sum(run.step_counts.get(state, 0) for state in ENDED_WELL)
    made = run.assets or run.step_ids  # of checks alone
    asked_for = made if run.selection in ((), ("*",)) else run.selection
    broken = together(run.failed_steps)
    failed = Line(("✕ " + _some(broken), "failure")) if broken else None
    return [
        Line(run.run_id),
        run_state_line(run.status),
        Line(units.short_time(run.started_at, now)),
        Line(units.duration(run_seconds(run, now))),
        Line(f"{ended_well}/{total}"),
        Line(run.parent_run_id.rpartition("-")[2] if run.parent_run_id else ""),
        failed or Line(_some(asked_for)),
    ]


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return " ".join(names[:_MOST_NAMES]) + (f" +{more}" if more > 0 else "")

"""The table of single targets, with their states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.render.state_style import target_state_line
from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.styled_text import Line, stacked
from assetgraph.cli.terminal.table import Column, room_beside, table
from assetgraph.planning.reason_kinds import ReasonKind
from assetgraph.text import first_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assetgraph.queries.target_views import TargetView

_COLUMNS = (
    Column("PARTITION", least=16),
    Column("STATE"),
    Column("UPDATED", drop=1),
    Column("WHY", least=20),
)
_NO_HEAD = (Line(), Line(), Line())


def target_table(views: Sequence[TargetView], now: datetime, width: int | None) -> list[Line]:
    """A line for each target. On a terminal each reason has lines of its own, uncut."""
    heads = [
        [
            Line(view.target.text),
            target_state_line(view.state, made=view.materialization is not None),
            Line(units.short_time(view.updated_at, now) if view.updated_at else ""),
        ]
        for view in views
    ]
    room = room_beside(_COLUMNS, heads, width)
    rows = [
        [*(head if number == 0 else _NO_HEAD), Line((reason, "muted"))]
        for head, view in zip(heads, views, strict=True)
        for number, reason in enumerate(stacked(_why(view), room))
    ]
    return table(_COLUMNS, rows, width)


def _why(view: TargetView) -> list[str]:
    why = [one.text for one in view.reasons if one.kind is not ReasonKind.NEVER_MATERIALIZED]
    return why if view.failure is None else [*why, first_line(view.failure.error)]

"""The steps of a plan, in order, with their reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.render.state_style import warned
from assetgraph.cli.terminal.styled_text import Line, plural, stacked
from assetgraph.cli.terminal.table import Column, room_beside, table
from assetgraph.planning.plan import Cause
from assetgraph.planning.reason_kinds import ReasonKind
from assetgraph.planning.request import nothing_to_do

if TYPE_CHECKING:
    from assetgraph.planning.plan import Plan
    from assetgraph.planning.request import RunRequest

_COLUMNS = (Column("", right=True), Column("ASSET"), Column("CAUSE"), Column("WHY", least=20))
_NO_HEAD = (Line(), Line(), Line())
_CAUSE_STYLES = {Cause.REQUESTED: "", Cause.MISSING: "warning", Cause.STALE: "warning"}
_MOST_NAMES = 5


def plan_lines(request: RunRequest, plan: Plan, width: int | None) -> list[Line]:
    """A line for each step. On a terminal each reason has lines of its own, uncut."""
    if not plan.steps:
        return [Line((nothing_to_do(request, plan), "success"))]
    heads = [
        [
            Line((str(number), "muted")),
            Line(step.id),
            Line((str(step.cause), _CAUSE_STYLES[step.cause])),
        ]
        for number, step in enumerate(plan.steps, 1)
    ]
    room = room_beside(_COLUMNS, heads, width)
    rows = [
        [*(head if line == 0 else _NO_HEAD), Line((text, "muted"))]
        for head, step in zip(heads, plan.steps, strict=True)
        for line, text in enumerate(stacked((reason.text for reason in step.reasons), room))
    ]
    return table(_COLUMNS, rows, width)


def plan_warnings(plan: Plan, width: int | None) -> list[Line]:
    return [line for warning in plan.warnings for line in warned(warning, width)]


def plan_notes(plan: Plan) -> list[Line]:
    """The assets that run without being selected."""
    missing = [step for step in plan.steps if step.cause is Cause.MISSING]
    added = [step.id for step in missing]
    requested = any(step.cause is Cause.REQUESTED for step in plan.steps)
    if not (added and requested):
        return []
    names = ", ".join(added[:_MOST_NAMES]) + (", …" if len(added) > _MOST_NAMES else "")
    verb = "has" if len(added) == 1 else "have"
    never = all(
        reason.kind is ReasonKind.NEVER_MATERIALIZED for step in missing for reason in step.reasons
    )
    value = "no value yet" if never else "no usable value"
    text = f"{plural(len(added), 'upstream asset')} {verb} {value} and will also run: "
    return [Line((text, "muted"), names)]

"""The steps of a plan, in order, with their reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.render.state_style import warned
from assetgraph.cli.terminal.styled_text import Line, first_few, plural, stacked
from assetgraph.planning.plan import Cause
from assetgraph.planning.reason_kinds import ReasonKind, some_ranges
from assetgraph.planning.request import nothing_to_do
from assetgraph.text import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.planning.plan import Plan, Step
    from assetgraph.planning.request import RunRequest
    from assetgraph.planning.target_graph import TargetGraph
    from assetgraph.queries.plan_groups import Outline, StepGroup

_NO_HEAD = (Line(), Line(), Line())
_CAUSE_STYLES = {Cause.REQUESTED: "", Cause.MISSING: "warning", Cause.STALE: "warning"}
_MOST_NAMES = 5


def plan_lines(
    request: RunRequest, plan: Plan, width: int | None, targets: TargetGraph | None = None
) -> list[Line]:
    """A line for each step, and one for partitions that run for the same reasons, if `targets` says
    how they follow each other."""
    if not plan.steps:
        return [Line((nothing_to_do(request, plan), "success"))]
    from assetgraph.queries.plan_groups import step_groups

    return group_lines(step_groups(plan, targets), width)


def group_lines(groups: Sequence[StepGroup], width: int | None) -> list[Line]:
    """A line for each group of steps. On a terminal each reason has lines of its own, uncut."""
    from assetgraph.cli.terminal.table import Column, room_beside, table

    columns = (Column("", right=True), Column("ASSET"), Column("CAUSE"), Column("WHY", least=20))
    heads = [
        [
            Line((_numbers(group.first, group.steps), "muted")),
            Line(_name(group) if _has_room(group, width) else _short_name(group)),
            Line((str(group.cause), _CAUSE_STYLES[group.cause])),
        ]
        for group in groups
    ]
    room = room_beside(columns, heads, width)
    rows = [
        [*(head if line == 0 else _NO_HEAD), Line((text, "muted"))]
        for head, group in zip(heads, groups, strict=True)
        for line, text in enumerate(stacked(_said(group, width), room))
    ]
    return table(columns, rows, width)


def _numbers(first: int, count: int) -> str:
    return str(first) if count == 1 else f"{first}-{first + count - 1}"


def _name(group: StepGroup) -> str:
    """The step's id and its assets, or the ranges of partitions that several steps make."""
    if group.steps == 1:
        makes = f" → {', '.join(first_few(group.makes))}" if group.makes else ""
        return group.names[0] + makes
    more = f" and {len(group.names) - 1} more" if len(group.names) > 1 else ""
    return f"{group.names[0]}{more} ({group.count} of {group.of})"


def _has_room(group: StepGroup, width: int | None) -> bool:
    """Whether the ranges of a group leave room for its reasons beside them."""
    alone = group.steps == 1 and not group.makes
    return width is None or alone or len(_name(group)) <= width // 2


def _short_name(group: StepGroup) -> str:
    if group.steps == 1:
        return group.names[0]
    return f"{group.key.text} ({group.count} of {group.of})"


def _said(group: StepGroup, width: int | None) -> list[str]:
    """The reasons of a group, behind its ranges where there is no room for them beside."""
    if _has_room(group, width):
        return group.why
    if group.steps == 1:
        return [f"makes {', '.join(first_few(group.makes))}", *group.why]
    ranges = [text.partition("@")[2] for text in group.names[:_MOST_NAMES]]
    return [some_ranges(ranges, len(group.names)), *group.why]


def plan_warnings(plan: Plan | Outline, width: int | None) -> list[Line]:
    return [line for warning in plan.warnings for line in warned(warning, width)]


def plan_notes(plan: Plan, targets: TargetGraph) -> list[Line]:
    """The assets that run without being selected."""
    return [*_upstreams_added(plan, targets), *_made_with_others(plan)]


def _made_with_others(plan: Plan) -> list[Line]:
    if not plan.added:
        return []
    lines, added = [], set(plan.added)
    for step in plan.steps:
        own = first_few([one.text for one in step.outputs if one in added])
        if own:
            said = f"{step.computation} makes all its assets in one call, so it also makes: "
            lines.append(Line((said, "muted"), ", ".join(own)))
    return lines


def _upstreams_added(plan: Plan, targets: TargetGraph) -> list[Line]:
    missing = [step for step in plan.steps if step.cause is Cause.MISSING]
    added = [one.text for step in missing for one in step.outputs]
    if targets.graph.partitioned:
        made = [one for step in missing for one in step.outputs]
        added = targets.range_texts(targets.in_order(made))
    requested = any(step.cause is Cause.REQUESTED for step in plan.steps)
    if not (added and requested):
        return []
    names = ", ".join(added[:_MOST_NAMES]) + (", …" if len(added) > _MOST_NAMES else "")
    never = all(
        reason.kind is ReasonKind.NEVER_MATERIALIZED for step in missing for reason in step.reasons
    )
    value = "no value yet" if never else "no usable value"
    what, count = _upstreams(missing)
    verb = "has" if count == 1 else "have"
    return [Line((f"{what} {verb} {value} and will also run: ", "muted"), names)]


def _upstreams(steps: Sequence[Step]) -> tuple[str, int]:
    """What upstream steps make, in words, and how many that are: partitions are counted each."""
    without = sum(len(step.outputs) for step in steps if step.outputs[0].partition is None)
    partitions = sum(len(step.outputs) for step in steps if step.outputs[0].partition is not None)
    counts = {"upstream partition": partitions, "upstream asset": without}
    shown = [plural(count, what) for what, count in counts.items() if count]
    return listed(shown), without + partitions

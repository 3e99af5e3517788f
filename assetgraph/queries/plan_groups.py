"""The steps of a plan in groups: partitions of one asset that run for the same reasons are one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.planning.plan import Plan, Step
from assetgraph.queries.asset_views import reason_json

if TYPE_CHECKING:
    from assetgraph.planning.target_graph import TargetGraph


class StepGroup(msgspec.Struct, frozen=True):
    """Steps that follow each other. `first` is the number of the first one in the plan, from 1 on;
    `names` are the ranges of partitions that they make, or the id of the only step; `count` is how
    many targets they make of the asset, and `of` how many it has."""

    first: int
    steps: Sequence[Step]
    names: Sequence[str]
    count: int
    of: int

    @property
    def key(self) -> str:
        return self.steps[0].outputs[0].key.text

    @property
    def why(self) -> list[str]:
        one = len(self.steps) == 1
        return [reason.text if one else reason.of_many for reason in self.steps[0].reasons]


def step_groups(plan: Plan, targets: TargetGraph | None) -> list[StepGroup]:
    """The steps that follow each other and materialize partitions of one asset for the same
    reasons, together. Without `targets`, which say how partitions follow each other, each alone."""
    return [_group(first, steps, targets) for first, steps in _alike(plan, targets)]


def _alike(plan: Plan, targets: TargetGraph | None) -> Iterator[tuple[int, Sequence[Step]]]:
    """Each group with the number of its first step."""
    if targets is None or not targets.graph.partitioned:
        yield from ((number, (step,)) for number, step in enumerate(plan.steps, 1))
        return
    group: list[Step] = []
    before: object = None
    for number, step in enumerate(plan.steps, 1):
        key = step.outputs[0].key
        kind = (step.computation, step.cause, [reason.of_many for reason in step.reasons])
        if not targets.is_partitioned(key) or kind != before:
            if group:
                yield number - len(group), group
            group = []
        before = kind
        group.append(step)
    if group:
        yield len(plan.steps) + 1 - len(group), group


def _group(first: int, steps: Sequence[Step], targets: TargetGraph | None) -> StepGroup:
    if len(steps) == 1 or targets is None:
        count = len(steps[0].outputs)
        return StepGroup(first, steps, [steps[0].id], count, count)
    key = steps[0].outputs[0].key
    made = [one for step in steps for one in step.outputs if one.key == key]
    names = targets.range_texts(targets.in_order(made))
    return StepGroup(first, steps, names, len(made), len(targets.keys(key) or made))


def group_json(group: StepGroup) -> dict[str, Any]:
    step, one = group.steps[0], len(group.steps) == 1
    return {
        "key": group.key,
        "first": group.first,
        "steps": len(group.steps),
        "count": group.count,
        "names": list(group.names),
        "cause": step.cause.value,
        "why": group.why,
        "reasons": [reason_json(reason) for reason in step.reasons] if one else [],
    }

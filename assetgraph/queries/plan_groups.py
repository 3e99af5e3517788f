"""The steps of a plan in groups: partitions of one asset that run for the same reasons are one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.definitions.partitions.number_ranges import Numbers, common
from assetgraph.keys import AssetKey, Target
from assetgraph.planning import columns
from assetgraph.planning.partition_states import PartitionGroup, RangeTexts, groups_of
from assetgraph.planning.plan import Cause, Plan, Step, cause_of, require_own, with_checks_above
from assetgraph.planning.reason_kinds import Reason, ReasonKind
from assetgraph.planning.request import RunRequest, requested_targets, shared_store
from assetgraph.planning.stale_rows import StaleRows
from assetgraph.planning.target_numbers import TargetNumbers
from assetgraph.queries.reason_json import reason_json

if TYPE_CHECKING:
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.target_graph import TargetGraph

_MOST_RUNS = 10  # of partitions that alternate, for a person to read


class StepGroup(msgspec.Struct, frozen=True):
    """Steps that follow each other. `first` is the number of the first one in the plan, from 1 on,
    and `steps` how many there are; `names` are the ranges of partitions that they make, or the id
    of the only step; `count` is how many targets they make of the asset `key`, and `of` how many it
    has. `reasons` are those of the first step, and `why` says them of all. `makes` has the assets
    of a step that makes several, or that is not called after the only one."""

    first: int
    steps: int
    key: AssetKey
    cause: Cause
    reasons: tuple[Reason, ...]
    names: Sequence[str]
    count: int
    of: int
    makes: tuple[str, ...] = ()

    @property
    def why(self) -> list[str]:
        one = self.steps == 1
        return [reason.text if one else reason.of_many for reason in self.reasons]


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
    step = steps[0]
    key = step.outputs[0].key
    if len(steps) == 1 or targets is None:
        names: Sequence[str] = [step.id]
        count = of = len([one for one in step.outputs if one.key is key])
    else:
        made = [one for step in steps for one in step.outputs if one.key == key]
        names = targets.range_texts(targets.in_order(made))
        count, of = len(made), len(targets.keys(key) or made)
    makes: tuple[str, ...] = ()
    keys = dict.fromkeys(one.key.text for one in step.outputs)
    if len(keys) > 1 or not step.id.startswith(key.text):
        makes = tuple(keys)
    return StepGroup(first, len(steps), key, step.cause, step.reasons, names, count, of, makes)


class Outline(msgspec.Struct, frozen=True):
    """A plan in groups, without its steps."""

    groups: tuple[StepGroup, ...]
    warnings: tuple[str, ...]


def stale_outline(request: RunRequest, facts: StoreFacts) -> Outline | None:
    """The outline of the plan of a request for what is not up to date, at a cost that does not grow
    with the number of partitions. None if it asks for something else, a step may make several
    partitions, or a blocking check may hold some of them.

    Raises as `plan_run`.
    """
    graph, targets = facts.graph, facts.targets
    plain = request.stale and not (request.exclude or request.config or request.targets)
    if not plain or not graph.partitioned or graph.together:
        return None
    selected = requested_targets(request, facts)
    if not isinstance(selected, TargetNumbers) or not targets.looks_at_each(selected.numbers):
        return None
    if graph.externals:
        require_own(targets, selected.numbers)
    rows = facts.row_states(with_checks_above(targets, selected.numbers))
    needed = StaleRows(targets, rows, selected)
    needed.require_upstreams()
    stale = needed.stale
    if any(_needs_steps(graph, key) for key in stale):
        return None
    found: list[StepGroup] = []
    changed: list[Target] = []
    first = 1
    for key, column in stale.items():
        for group, numbers in _in_order(groups_of(rows.of(key)), column):
            target = targets.target(key, numbers[0].start)
            count = sum(map(len, numbers))
            reasons = rows.exactly(target) if count == 1 else group.reasons
            names, of = _named(targets, key, numbers)
            if key in graph.checks:
                reasons = _of_check(reasons)
            cause = cause_of(facts, target)
            found.append(StepGroup(first, count, key, cause, reasons, names, count, of))
            first += count
            if any(reason.kind is ReasonKind.CODE_CHANGED for reason in reasons):
                changed.append(target)
    return Outline(tuple(found), tuple(shared_store(changed, facts)))


def _of_check(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    from assetgraph.planning.gates import in_words_of_check

    return in_words_of_check(reasons)


def _needs_steps(graph: AssetGraph, key: AssetKey) -> bool:
    """Whether only the steps for an asset say what runs, and why."""
    gates = graph.checks.gates if key not in graph.checks else ()
    return (
        graph.computation(key).backfill_policy is not None
        or key in graph.checks.always
        or any(parent in gates for parent in graph.parents(key))
    )


def _in_order(
    groups: Sequence[PartitionGroup], column: bytes
) -> Iterator[tuple[PartitionGroup, Numbers]]:
    """The partitions of an asset that have to run, in their order: those that follow each other and
    are in one group, together. If they alternate very often, each group is together instead."""
    needed = tuple(columns.numbers_of(column, 1))
    parts = [(group, common(group.numbers, needed)) for group in groups]
    parts = sorted([one for one in parts if one[1]], key=lambda one: one[1][0].start)
    pieces = [(part.start, place, part) for place, (_, own) in enumerate(parts) for part in own]
    runs = [
        (place, [part for _, _, part in run])
        for place, run in groupby(sorted(pieces, key=itemgetter(0)), itemgetter(1))
    ]
    if len(runs) > _MOST_RUNS:
        yield from parts
        return
    for place, run in runs:
        yield parts[place][0], tuple(run)


def _named(targets: TargetGraph, key: AssetKey, numbers: Numbers) -> tuple[Sequence[str], int]:
    """The ranges of partitions with these numbers as text, and how many there are in all."""
    keys = targets.keys(key)
    if keys is None:
        return [key.text], 1
    return RangeTexts(keys, numbers, f"{key.text}@"), len(keys)


def group_json(group: StepGroup) -> dict[str, Any]:
    one = group.steps == 1
    return {
        "key": group.key.text,
        "first": group.first,
        "steps": group.steps,
        "count": group.count,
        "names": list(group.names),
        "makes": list(group.makes),
        "cause": group.cause.value,
        "why": group.why,
        "reasons": [reason_json(reason) for reason in group.reasons] if one else [],
    }


def plan_json(plan: Plan) -> list[dict[str, Any]]:
    """Every target that would be materialized, in order."""
    return [_planned_json(step, target) for step in plan.steps for target in step.outputs]


def _planned_json(step: Step, target: Target) -> dict[str, Any]:
    return {
        "key": target.key.text,
        "partition": target.partition,
        "step": step.id,
        "cause": step.cause.value,
        "reasons": [reason_json(reason) for reason in step.reasons],
    }

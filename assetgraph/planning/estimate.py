"""How long a plan is likely to take, from how long its steps took before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assetgraph.keys import AssetKey
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.plan import Plan


def estimated_seconds(plan: Plan, facts: StoreFacts, jobs: int) -> float | None:
    """The sum over all steps of what the newest record of their asset says that it took, shared by
    `jobs` at once; None if one of the assets was never materialized. What a record says of one
    of several partitions of a call counts for each of them."""
    known: dict[AssetKey, float | None] = {}
    total = 0.0
    for step in plan.steps:
        key = step.outputs[0].key
        if key not in known:
            current = facts.newest(key).current
            known[key] = current.duration_s if current is not None else None
        spent = known[key]
        if spent is None:
            return None
        several = plan.computations[step.computation].makes_several_partitions
        total += spent * (len(step.outputs) if several else 1)
    return total / jobs

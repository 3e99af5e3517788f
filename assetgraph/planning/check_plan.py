"""The plan of a run of checks alone: nothing is materialized for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from assetgraph.planning.plan import cause_of
from assetgraph.planning.reasons import direct_reasons
from assetgraph.planning.step_maker import StepMaker
from assetgraph.planning.steps import Cause, Plan

if TYPE_CHECKING:
    from assetgraph.keys import Target
    from assetgraph.planning.reason_kinds import Reason
    from assetgraph.planning.reasons import Facts
    from assetgraph.planning.target_graph import TargetGraph


def plan_of_checks(
    graph: TargetGraph, facts: Facts, checks: Iterable[Target], *, stale_only: bool
) -> Plan:
    """The steps for `checks`, and with `stale_only` for those that have not looked at what is there
    now. One is left out if anything that it reads has no value."""
    causes: dict[Target, Cause] = {}
    reasons: dict[Target, tuple[Reason, ...]] = {}
    alone = [one for one in checks if graph.graph.computation(one.key).is_check]
    for check in graph.in_order(graph.whole_calls(alone)):
        above = {one: facts.of(one) for one in graph.upstream_or_none(check)}
        if not all(known.has_value or known.external for known in above.values()):
            continue
        why = direct_reasons(check, facts, {one: above[one].data_version for one in above})
        reasons[check] = why
        if not stale_only or check.key in graph.graph.checks.always:
            causes[check] = Cause.REQUESTED
        elif why:
            causes[check] = cause_of(facts, check)
    for check in [one for one in causes if graph.graph.siblings.get(one.key)]:
        for other in graph.siblings(check):  # one call makes all of them
            causes.setdefault(other, causes[check])
            reasons.setdefault(other, ())
    order = graph.in_order(causes)
    return StepMaker(graph, facts, {one: causes[one] for one in order}, reasons, {}).plan()

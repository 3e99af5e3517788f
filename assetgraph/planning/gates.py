"""Blocking checks: what reads an asset runs only once they have passed for its current value."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from assetgraph.graph.walk import walk
from assetgraph.keys import Target
from assetgraph.planning.reason_kinds import Reason, ReasonKind
from assetgraph.planning.reasons import direct_reasons

if TYPE_CHECKING:
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.keys import AssetKey
    from assetgraph.planning.reasons import Facts
    from assetgraph.planning.target_graph import TargetGraph


def checks_of(graph: TargetGraph, target: Target) -> Iterator[Target]:
    """The checks that look at a target."""
    yield from _targets(graph, target, graph.graph.checks.of(target.key))


def checks_above(graph: AssetGraph, keys: Iterable[AssetKey]) -> Sequence[AssetKey]:
    """These assets and checks, with the checks of everything that they are made from."""
    above = walk(keys, lambda key: (*graph.parents(key), *graph.mates(key)))
    return graph.checks.along(above)


def gates_of(graph: TargetGraph, reader: Target) -> Iterator[Target]:
    """The blocking checks of what a target reads. A check waits for none."""
    if reader.key in graph.graph.checks:
        return
    gates = graph.graph.checks.gates
    for upstream in graph.upstream_or_none(reader):
        yield from _targets(graph, upstream, gates.get(upstream.key, ()))


def needed_checks(
    graph: TargetGraph, facts: Facts, target: Target, running: Collection[Target]
) -> Iterator[Target]:
    """The blocking checks that must look at what `target` reads before it runs: those that have not
    looked at the current value, or will not have when `running` have run."""
    if target.key in graph.graph.checks:
        return
    gates = graph.graph.checks.gates
    for upstream in graph.upstream_or_none(target):
        for gate in _targets(graph, upstream, gates.get(upstream.key, ())):
            if (
                upstream in running
                or not facts.of(upstream).has_value
                or _unsettled(graph, facts, gate)
            ):
                yield gate


class Hold(NamedTuple):
    """A check that keeps a step from running: it failed in the run `failed_in`, or, without one, it
    has not looked at the current value."""

    check: Target
    failed_in: str | None


def hold(graph: TargetGraph, facts: Facts, readers: Iterable[Target]) -> Hold | None:
    """Why none of `readers` may run: the first blocking check of what they read that has not passed
    for its current value. None if all have."""
    for gate in dict.fromkeys(gate for reader in readers for gate in gates_of(graph, reader)):
        current = facts.of(gate).current
        if _unsettled(graph, facts, gate):
            return Hold(gate, None)
        if current is not None and current.evaluation is not None and current.evaluation.blocks:
            return Hold(gate, current.run_id)
    return None


def failed_gate(
    graph: TargetGraph, facts: Facts, reader: Target
) -> tuple[Target, str, bool] | None:
    """The first blocking check that has failed for the current value of what a target reads, or
    could not look at it: the check, the run, and whether its function raised."""
    for gate in gates_of(graph, reader):
        current, unsettled = facts.of(gate).current, _unsettled(graph, facts, gate)
        raised = _last_failure(graph, facts, gate) if unsettled else None
        if raised is not None:
            return gate, raised, True
        failed = current is not None and current.evaluation and current.evaluation.blocks
        if failed and current is not None and not unsettled:
            return gate, current.run_id, False
    return None


def _last_failure(graph: TargetGraph, facts: Facts, gate: Target) -> str | None:
    """The run in which the function of a check raised, if everything is still as it was then."""
    if facts.of(gate).failed is None:
        return None
    upstream = {one: facts.of(one).data_version for one in graph.upstream_or_none(gate)}
    found = direct_reasons(gate, facts, upstream)
    return next((r.facts["run_id"] for r in found if r.kind is ReasonKind.ATTEMPT_FAILED), None)


def held_reason(
    graph: TargetGraph, facts: Facts, readers: Iterable[Target], running: Collection[Target] = ()
) -> tuple[Reason, ...]:
    """The reason for targets that a blocking check holds, which is not among what is `running`
    before them, and neither is what it looks at."""
    for reader in readers:
        found = failed_gate(graph, facts, reader)
        if found is None:
            continue
        gate, run_id, raised = found
        if gate not in running and not any(one in running for one in graph.upstream_or_none(gate)):
            said = {"check": gate.text, "run_id": run_id, "raised": raised}
            return (Reason(ReasonKind.HELD, said),)
    return ()


def reasons_of_check(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Why a check has not looked at what is there now, in the words for a check: an upstream that
    is not up to date is no reason, nor is what the same call makes."""
    others = (ReasonKind.UPSTREAM_STALE, ReasonKind.MADE_TOGETHER)
    return in_words_of_check(one for one in reasons if one.kind not in others)


def in_words_of_check(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Why a check would run."""
    found = []
    for reason in reasons:
        if reason.kind is ReasonKind.NEVER_MATERIALIZED:
            reason = Reason(ReasonKind.NEVER_CHECKED)
        elif reason.kind is ReasonKind.UPSTREAM_DATA and "partitions" not in reason.facts:
            reason = Reason(ReasonKind.VALUE_UNCHECKED, {"upstream": reason.facts["upstream"]})
        elif reason.kind is ReasonKind.ATTEMPT_FAILED:  # no value stays in use
            facts = {name: reason.facts[name] for name in ("run_id", "error")}
            reason = Reason(ReasonKind.ATTEMPT_FAILED, facts)
        found.append(reason)
    return tuple(found)


def _targets(graph: TargetGraph, target: Target, checks: Iterable[AssetKey]) -> Iterator[Target]:
    for check in checks:
        if graph.is_partitioned(check):
            yield Target(check, target.partition)
        else:
            yield graph.graph.targets[check]


def _unsettled(graph: TargetGraph, facts: Facts, gate: Target) -> bool:
    """Whether a check must look again: it never did, or value, code or what else it read differ. A
    failed attempt since it last did changes nothing. What the asset's own function checks is of the
    value that it made then."""
    asset = graph.graph.checks[gate.key].checks
    if graph.graph.computation(asset) is graph.graph.computation(gate.key):
        looked = facts.of(gate)
        return looked.current is None or looked.unchecked is not None
    upstream = {one: facts.of(one).data_version for one in graph.upstream_or_none(gate)}
    reasons = direct_reasons(gate, facts, upstream)
    return any(reason.kind is not ReasonKind.ATTEMPT_FAILED for reason in reasons)

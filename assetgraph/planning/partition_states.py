"""The state of an asset with partitions: how many are in which state, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from assetgraph.planning.reason_kinds import Reason, ReasonKind
from assetgraph.planning.reasons import AssetStates, Facts, target_state
from assetgraph.planning.target_graph import too_many_text
from assetgraph.planning.what_was_read import ranges_of
from assetgraph.records import AssetState

if TYPE_CHECKING:
    from assetgraph.keys import AssetKey, Target
    from assetgraph.planning.target_graph import TargetGraph

# The first that any partition has is the state of the asset.
_ORDER = (
    AssetState.RUNNING,
    AssetState.FAILED,
    AssetState.MISSING,
    AssetState.STALE,
    AssetState.FRESH,
    AssetState.EXTERNAL,
)


def states_of(
    graph: TargetGraph,
    facts: Facts,
    key: AssetKey,
    reasons: Mapping[Target, tuple[Reason, ...]],
) -> AssetStates:
    """The state of an asset, given the reasons for each of its targets.

    The partitions that are in the same state for the same reasons are one reason together. An asset
    whose definition has no partition yet is fresh: there is nothing to do.
    """
    if graph.is_too_many(key):
        return _of_too_many(graph, facts, key)
    targets = graph.targets(key)
    counts: dict[AssetState, int] = {}
    groups: dict[tuple[AssetState, tuple[str, ...]], list[Target]] = {}
    for target in targets:
        why = reasons[target]
        state = target_state(facts.of(target), why)
        counts[state] = counts.get(state, 0) + 1
        if why:
            groups.setdefault((state, tuple([one.of_many for one in why])), []).append(target)
    shown = [
        _group(graph, state, texts, alike, reasons)
        for (state, texts), alike in sorted(groups.items(), key=lambda one: _ORDER.index(one[0][0]))
    ]
    first = next((state for state in _ORDER if state in counts), AssetState.FRESH)
    return AssetStates(first, tuple(shown), {one: counts[one] for one in _ORDER if one in counts})


def _of_too_many(graph: TargetGraph, facts: Facts, key: AssetKey) -> AssetStates:
    """The state of an asset with too many partitions to look at each. Those with a value may be up
    to date, and count as stale as long as nobody has looked."""
    keys = graph.keys(key)
    assert keys is not None
    count = len(keys)
    made = facts.made_partitions(key)
    counts = {AssetState.MISSING: count - made, AssetState.STALE: made}
    found = {"text": too_many_text(count), "count": count, "made": made}
    return AssetStates(
        AssetState.MISSING if made < count else AssetState.STALE,
        (Reason(ReasonKind.TOO_MANY_PARTITIONS, found),),
        {state: number for state, number in counts.items() if number},
    )


def _group(
    graph: TargetGraph,
    state: AssetState,
    texts: Sequence[str],
    alike: Sequence[Target],
    reasons: Mapping[Target, tuple[Reason, ...]],
) -> Reason:
    """The reason that stands for the partitions `alike`."""
    keys = graph.keys(alike[0].key)
    assert keys is not None
    chosen = [str(target.partition) for target in alike]
    why = reasons[alike[0]]
    found = {
        "state": state.value,
        "count": len(alike),
        "of": len(keys),
        "partitions": ranges_of(chosen, keys),
        "why": [one.text for one in why] if len(alike) == 1 else list(texts),
        "kinds": [one.kind.value for one in why],
    }
    return Reason(ReasonKind.PARTITIONS, found)

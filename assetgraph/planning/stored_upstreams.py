"""`with_stored_upstreams`: upstreams that are not given, but have a value in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.definitions.asset import stored_asset
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.keys import AssetKey, Target

if TYPE_CHECKING:
    from assetgraph.storage.store import Store


def with_stored_upstreams(graph: AssetGraph, store: Store) -> AssetGraph:
    """`graph`, and in it each upstream that nothing defines and that has a value in `store`."""
    if not any(problem.is_unknown_upstream for problem in graph.validate()):
        return graph
    names: set[str] = set()
    keys: set[AssetKey] = set()
    for computation in graph.computations.values():
        found = graph.inputs(computation.specs[0].key)
        for parameter in computation.inputs:
            if parameter.name in computation.ins:
                keys.add(computation.ins[parameter.name])
            elif parameter.name not in found:
                names.add(parameter.name)
        keys.update(dep for spec in computation.specs for dep in spec.deps)
    stored = [
        stored_asset(key)
        for key in map(AssetKey.unchecked, store.history.keys())
        if key not in graph
        and (key in keys or key.name in names)
        and store.history.current(Target(key))[0] is not None
    ]
    return AssetGraph([*graph.computations.values(), *stored]) if stored else graph

"""A value that a run commits while code is being accepted is not lost."""

from __future__ import annotations

import msgspec

import assetgraph as dg
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.keys import Target
from assetgraph.planning.accept import accept
from assetgraph.planning.facts import StoreFacts


def test_accept_takes_the_value_that_is_current_when_it_has_the_lock(instance: dg.Instance) -> None:
    @dg.asset(code_version="old")
    def fares() -> int:
        return 1

    dg.materialize([fares], instance=instance)
    with dg.Registry():

        @dg.asset(name="fares", code_version="new")
        def changed() -> int:
            return 2

    state = StoreFacts(AssetGraph([changed]), instance.store)
    before = state.of(Target(fares.key)).current
    assert before is not None
    newer = msgspec.structs.replace(before, run_id="20990101-000000-000-beef", data_version="newer")
    instance.store.history.append(
        Target(fares.key), newer
    )  # another process, between the two reads

    assert accept(state, [Target(fares.key)]) == (Target(fares.key),)

    current, _ = instance.store.history.current(Target(fares.key))
    assert current is not None
    assert (current.run_id, current.data_version) == (newer.run_id, "newer")
    assert current.code_version == "new"

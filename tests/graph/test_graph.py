"""The graph: its edges, its order, and what is upstream and downstream of an asset."""

from __future__ import annotations

import random

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_assets import asset_named, graph_of

from assetgraph import AssetGraph, AssetKey, Registry, asset, materialize
from assetgraph.errors import AssetGraphError


def texts(keys: object) -> list[str]:
    return [key.text for key in keys]  # type: ignore[attr-defined]


def taxi() -> AssetGraph:
    """raw -> trips -> fares -> report, zones -> fares, and `alone`."""
    return graph_of(
        asset_named("report", "fares"),
        asset_named("fares", "trips", "zones"),
        asset_named("zones"),
        asset_named("trips", "raw"),
        asset_named("raw"),
        asset_named("alone"),
    )


FARES = AssetKey("fares")


def test_every_upstream_comes_before_what_reads_it_by_name_where_there_is_a_choice() -> None:
    graph = taxi()
    assert texts(graph.order) == ["alone", "raw", "trips", "zones", "fares", "report"]
    assert [graph.positions[key] for key in graph.order] == list(range(6))
    assert texts(graph.assets) == ["alone", "fares", "raw", "report", "trips", "zones"]


def test_neighbours_and_lineage_are_nearest_first_within_a_depth() -> None:
    graph = taxi()
    assert texts(graph.parents(FARES)) == ["trips", "zones"]
    assert texts(graph.children(FARES)) == ["report"]
    assert texts(graph.upstream(FARES)) == ["trips", "zones", "raw"]
    assert texts(graph.upstream(FARES, depth=1)) == ["trips", "zones"]
    assert texts(graph.downstream(AssetKey("raw"))) == ["trips", "fares", "report"]
    assert texts(graph.downstream(AssetKey("raw"), depth=2)) == ["trips", "fares"]
    assert graph.upstream(FARES, depth=0) == ()


def test_roots_leaves_levels_and_components() -> None:
    graph = taxi()
    assert texts(graph.roots()) == ["alone", "raw", "zones"]
    assert texts(graph.leaves()) == ["alone", "report"]
    assert [texts(level) for level in graph.levels] == [
        ["alone", "raw", "zones"],
        ["trips"],
        ["fares"],
        ["report"],
    ]
    assert [texts(part) for part in graph.components()] == [
        ["alone"],
        ["raw", "trips", "zones", "fares", "report"],
    ]


def test_edges_are_listed_from_upstream_to_downstream() -> None:
    assert [(a.text, b.text) for a, b in taxi().edges] == [
        ("raw", "trips"),
        ("trips", "fares"),
        ("zones", "fares"),
        ("fares", "report"),
    ]


def test_a_graph_may_be_empty() -> None:
    graph = graph_of()
    assert (len(graph), graph.order, graph.levels, graph.components()) == (0, (), (), ())
    assert graph.require_valid() is graph


def test_an_unknown_asset_is_an_error_with_a_guess() -> None:
    graph = taxi()
    assert graph.asset(FARES).key == FARES
    assert FARES in graph
    assert AssetKey("fare") not in graph
    with pytest.raises(AssetGraphError, match=r"there is no asset 'fare'\. Did you mean 'fares'"):
        graph.asset(AssetKey("fare"))
    with pytest.raises(AssetGraphError, match="assetgraph list"):
        graph.asset(AssetKey("something_else_entirely"))


def test_a_parameter_names_the_asset_with_the_same_prefix_first() -> None:
    same, other = asset_named("trips", key_prefix="nyc"), asset_named("trips")
    reader = asset_named("fares", "trips", key_prefix="nyc")
    assert graph_of(same, other, reader).inputs(reader.key) == {"trips": same.key}


def test_a_parameter_names_the_asset_without_a_prefix_next() -> None:
    plain, other = asset_named("trips"), asset_named("trips", key_prefix="boston")
    reader = asset_named("fares", "trips", key_prefix="nyc")
    assert graph_of(plain, other, reader).inputs(reader.key) == {"trips": plain.key}


def test_a_parameter_names_the_only_asset_that_ends_in_it_last() -> None:
    only = asset_named("trips", key_prefix=["boston", "raw"])
    reader = asset_named("fares", "trips", key_prefix="nyc")
    assert graph_of(only, reader).inputs(reader.key) == {"trips": only.key}


def test_an_asset_may_read_one_of_its_own_name_elsewhere() -> None:
    raw = asset_named("trips", key_prefix="raw")
    clean = asset_named("trips", "trips", key_prefix="clean")
    graph = graph_of(raw, clean)
    assert graph.inputs(clean.key) == {"trips": raw.key}
    assert graph.validate() == ()


def test_ins_name_an_upstream_whatever_the_parameter_is_called() -> None:
    near, far = asset_named("trips"), asset_named("trips", key_prefix="far")
    reader = asset_named("fares", "trips", ins={"trips": far})
    assert graph_of(near, far, reader).inputs(reader.key) == {"trips": far.key}


def test_deps_are_edges_that_are_not_loaded_and_repeats_collapse() -> None:
    a, b = asset_named("a"), asset_named("b")
    reader = asset_named("c", "b", deps=["a", a, AssetKey("a"), "b", "b"])
    graph = graph_of(a, b, reader)
    assert texts(graph.parents(reader.key)) == ["a", "b"]
    assert graph.inputs(reader.key) == {"b": b.key}
    assert graph.validate() == ()
    assert repr(graph) == "<AssetGraph of 3 assets, 2 edges>"


def test_unicode_names_are_read_as_parameters() -> None:
    with Registry() as registry:

        @asset
        def 택시_운행(): ...

        @asset
        def διαδρομές(택시_운행): ...

        @asset
        def año(διαδρομές): ...

    graph = graph_of(*registry)
    assert graph.validate() == ()
    assert texts(graph.order) == ["택시_운행", "διαδρομές", "año"]


EDGES = st.integers(2, 12).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.sets(
            st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).map(sorted).map(tuple),
            max_size=25,
        ),
        st.randoms(use_true_random=False),
    )
)


@given(EDGES)
def test_the_order_does_not_depend_on_the_order_of_definition(
    drawn: tuple[int, set[tuple[int, int]], random.Random],
) -> None:
    count, edges, chance = drawn
    names = [f"n{number}" for number in range(count)]
    chance.shuffle(names)  # so that the order of names is not the order of the graph
    upstream = {n: sorted(names[a] for a, b in edges if names[b] == n and a != b) for n in names}
    assets = [asset_named(name, *upstream[name]) for name in names]
    first = graph_of(*assets)
    chance.shuffle(assets)
    second = graph_of(*assets)
    assert first.order == second.order
    assert list(first.edges) == list(second.edges)
    assert first.components() == second.components()
    assert all(first.positions[a] < first.positions[b] for a, b in first.edges)
    smallest_first(first)


def smallest_first(graph: AssetGraph) -> None:
    """An order in which each key is the first by name whose upstreams are all placed."""
    placed: set[AssetKey] = set()
    for key in graph.order:
        ready = [k for k in graph.assets if k not in placed and placed.issuperset(graph.parents(k))]
        assert key == min(ready)
        placed.add(key)


def test_a_default_that_hides_an_upstream_is_a_warning() -> None:
    @asset
    def trips() -> int:
        return 1

    @asset
    def fares(trips: int = 3) -> int:
        return trips

    graph = AssetGraph([trips, fares])
    assert graph.validate() == ()
    assert [w.message for w in graph.warnings()] == [
        "parameter 'trips' of asset 'fares' has a default, so it does not read the asset of that "
        "name."
    ]
    assert materialize([trips, fares]).value("fares") == 3


def test_a_key_that_names_no_asset_is_an_error_with_a_guess() -> None:
    graph = graph_of(asset_named("trips"), asset_named("fares", "trips"))
    for ask in (graph.asset, graph.parents, graph.children, graph.inputs):
        with pytest.raises(AssetGraphError, match="there is no asset 'trip'") as caught:
            ask(AssetKey("trip"))
        assert caught.value.hint == "Did you mean 'trips'?"
        with pytest.raises(AssetGraphError) as caught:
            ask("trips")  # type: ignore[arg-type]
        assert caught.value.hint == "Name it by its key: AssetKey('trips')."


def test_the_graph_for_networkx_has_every_asset_and_every_edge() -> None:
    graph = taxi()
    assert isinstance(graph.digraph, nx.DiGraph)
    assert set(graph.digraph.nodes) == set(graph.assets)
    assert set(graph.digraph.edges) == set(graph.edges)
    assert (AssetKey("zones"), FARES) in graph.digraph.edges
    assert list(graph.digraph.adj[AssetKey("alone")]) == []

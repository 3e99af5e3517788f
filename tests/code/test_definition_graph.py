"""Hashes of definitions that name each other, in any shape and order."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from assetgraph.code.changes import Comparison
from assetgraph.code.definition_graph import Vertex, hash_all
from assetgraph.code.definition_table import Table, TableWriter

Edges = Sequence[Sequence[int]]


@st.composite
def graphs(draw: st.DrawFn) -> Edges:
    """For each definition, the ones that it names, in order. Cycles are allowed."""
    size = draw(st.integers(1, 9))
    return draw(
        st.lists(
            st.lists(st.integers(0, size - 1), max_size=4, unique=True),
            min_size=size,
            max_size=size,
        )
    )


def make(edges: Edges, own: Sequence[str] | None = None) -> list[Vertex]:
    vertices = [Vertex("function", f"f{i}", "x.py") for i in range(len(edges))]
    for i, vertex in enumerate(vertices):
        vertex.own = (own[i] if own else f"own {i}").encode()
        for j in edges[i]:
            vertex.number(vertices[j])
    return vertices


def hashes(vertices: Sequence[Vertex], order: Sequence[int] | None = None) -> list[bytes]:
    for i in order if order is not None else range(len(vertices)):
        hash_all(vertices[i])
    return [vertex.hash for vertex in vertices]


def reaching(edges: Edges, changed: int) -> set[int]:
    found = {changed}
    while more := {i for i, named in enumerate(edges) if found & set(named)} - found:
        found |= more
    return found


@given(graphs(), st.randoms())
def test_which_definition_is_asked_first_does_not_matter(
    edges: Edges, chance: random.Random
) -> None:
    order = list(range(len(edges)))
    chance.shuffle(order)

    assert hashes(make(edges)) == hashes(make(edges), order)


@given(graphs(), st.data())
def test_a_change_reaches_exactly_what_can_reach_it(edges: Edges, data: st.DataObject) -> None:
    changed = data.draw(st.integers(0, len(edges) - 1))
    before, after = make(edges), make(edges)
    after[changed].own = b"changed"
    pairs = zip(hashes(before), hashes(after), strict=True)
    differ = {i for i, (old, new) in enumerate(pairs) if old != new}

    assert differ == reaching(edges, changed)


def table_of(roots: Iterable[Vertex]) -> Table:
    writer = TableWriter()
    for root in roots:
        writer.add(root)
    return writer.table


@given(graphs(), st.data())
def test_a_change_is_named_wherever_it_is_seen(edges: Edges, data: st.DataObject) -> None:
    changed = data.draw(st.integers(0, len(edges) - 1))
    before, after = make(edges), make(edges)
    after[changed].own = b"changed"
    old_table, new_table = table_of(before), table_of(after)
    for old, new in zip(before, after, strict=True):
        found = Comparison(old_table, new_table).changes(old.hash.hex(), new.hash.hex())
        assert [change.name for change in found] in ([], [f"f{changed}"])
        assert bool(found) == (old.hash != new.hash)


@given(graphs())
def test_definitions_that_do_the_same_have_one_hash(edges: Edges) -> None:
    """A copy of the whole graph, mixed with the original, changes no hash."""
    size = len(edges)
    twice = [*edges, *[[j + size for j in named] for named in edges]]
    own = [f"own {i % size}" for i in range(2 * size)]
    found = hashes(make(twice, own))

    assert found[:size] == found[size:]
    assert found[:size] == hashes(make(edges))


@given(graphs(), st.data())
def test_an_edge_that_moves_is_seen(edges: Edges, data: st.DataObject) -> None:
    source = data.draw(st.sampled_from([i for i, named in enumerate(edges) if named] or [-1]))
    others = [j for j in range(len(edges)) if source < 0 or j not in edges[source]]
    if source < 0 or not others:
        return
    moved = [list(named) for named in edges]
    moved[source][0] = data.draw(st.sampled_from(others))

    assert hashes(make(edges))[source] != hashes(make(moved))[source]


def test_a_chain_and_a_ring_of_thousands_are_hashed() -> None:
    size = 5000
    chain = [[i + 1] for i in range(size - 1)] + [[]]
    ring = [[(i + 1) % size] for i in range(size)]

    assert len(set(hashes(make(chain)))) == size
    assert len(set(hashes(make(ring)))) == size


def test_the_order_of_functions_in_a_wrapper_does_not_count() -> None:
    def wrapper(*names: str) -> bytes:
        top = Vertex("wrapper", "w")
        for name in names:
            inner = Vertex("function", name)
            inner.own = name.encode()
            top.number(inner)
        hash_all(top)
        return top.hash

    assert wrapper("a", "b") == wrapper("b", "a") != wrapper("a", "c")

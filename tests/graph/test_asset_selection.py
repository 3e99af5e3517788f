"""`AssetSelection`: what it selects, the text that says the same, and what it equals."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

import assetgraph as dg
from assetgraph.definitions.selection.asset_selection import AssetSelection
from assetgraph.definitions.selection.syntax import MAX_DEPTH

Keys = frozenset[str]

GROUPS = ["raw", "mine"]


def assets_of(edges: dict[str, list[str]], externals: Iterable[str]) -> list[dg.Asset]:
    made: list[dg.Asset] = []
    for number, (name, deps) in enumerate(edges.items()):
        group = GROUPS[number % 2]
        if name in externals:
            made.append(dg.Definitions([dg.AssetSpec(name, group_name=group)]).assets[0])
        else:
            made.append(dg.asset(key=name, deps=deps, group_name=group)(lambda: 1))
    return made


# raw/a -> b -> c -> and/d, x -> c, and `ext`, which something else makes, -> b
EDGES = {
    "raw/a": [],
    "ext": [],
    "raw/b": ["raw/a", "ext"],
    "x": [],
    "c": ["raw/b", "x"],
    "and": ["c"],
    "9d": ["and", "x"],
}
ASSETS = assets_of(EDGES, ["ext"])
ALL = frozenset(EDGES)
OWN = ALL - {"ext"}
CHILDREN = {name: [child for child in EDGES if name in EDGES[child]] for name in EDGES}


def reached(start: Keys, near: dict[str, list[str]], depth: int | None) -> Keys:
    found = set(start)
    for _ in range(len(EDGES) if depth is None else depth):
        found |= {other for name in found for other in near[name]}
    return frozenset(found)


def ends(of: Keys, near: dict[str, list[str]]) -> Keys:
    return frozenset(name for name in of if of.isdisjoint(near[name]))


def in_group(group: str) -> Keys:
    return frozenset(a.key.text for a in ASSETS if a.group_name == group)


Meant = tuple[AssetSelection, Keys]

leaves: st.SearchStrategy[Meant] = st.one_of(
    st.lists(st.sampled_from(sorted(ALL)), max_size=3).map(
        lambda names: (AssetSelection.assets(*names), frozenset(names))
    ),
    st.sampled_from([(AssetSelection.all(), OWN), (AssetSelection.all(include_sources=True), ALL)]),
    st.sampled_from(GROUPS).map(lambda g: (AssetSelection.groups(g), in_group(g) & OWN)),
    st.just((AssetSelection.key_prefixes("raw"), frozenset({"raw/a", "raw/b"}))),
)
depths = st.none() | st.integers(0, 3)


def combined(inner: st.SearchStrategy[Meant]) -> st.SearchStrategy[Meant]:
    def up(one: Meant, depth: int | None, own: bool) -> Meant:
        found = reached(one[1], EDGES, depth)
        return one[0].upstream(depth, include_self=own), found if own else found - one[1]

    def down(one: Meant, depth: int | None, own: bool) -> Meant:
        found = reached(one[1], CHILDREN, depth)
        return one[0].downstream(depth, include_self=own), found if own else found - one[1]

    return st.one_of(
        st.tuples(inner, inner).map(lambda two: (two[0][0] | two[1][0], two[0][1] | two[1][1])),
        st.tuples(inner, inner).map(lambda two: (two[0][0] & two[1][0], two[0][1] & two[1][1])),
        st.tuples(inner, inner).map(lambda two: (two[0][0] - two[1][0], two[0][1] - two[1][1])),
        st.builds(up, inner, depths, st.booleans()),
        st.builds(down, inner, depths, st.booleans()),
        inner.map(lambda one: (one[0].roots(), ends(one[1], EDGES))),
        inner.map(lambda one: (one[0].sinks(), ends(one[1], CHILDREN))),
    )


@given(st.recursive(leaves, combined, max_leaves=8))
def test_a_selection_means_the_set_that_it_says_and_so_does_its_text(meant: Meant) -> None:
    selection, expected = meant
    assert {key.text for key in selection.resolve(ASSETS)} == expected
    again = AssetSelection(selection.text)
    assert again == selection
    assert hash(again) == hash(selection)
    assert {key.text for key in (again - AssetSelection.all()).resolve(ASSETS)} == expected - OWN


same: list[tuple[AssetSelection, AssetSelection]] = [
    (AssetSelection.assets(ASSETS[0]), AssetSelection.assets("raw/a")),
    (AssetSelection.keys(["raw", "a"]), AssetSelection.assets(dg.AssetKey(["raw", "a"]))),
    (AssetSelection.assets("c", "x"), AssetSelection.assets("x") | AssetSelection.assets("c")),
    (AssetSelection.assets("and"), AssetSelection.from_string('key:"and"')),
    (AssetSelection.assets("c").upstream(), AssetSelection.from_string("+c")),
    (AssetSelection.assets("c").downstream(2), AssetSelection.from_string('key:"c"+2')),
    (AssetSelection.all(), AssetSelection.from_string("*")),
    (AssetSelection.tag("k", "v w"), AssetSelection.from_string("tag:k='v w'")),
    (AssetSelection.from_coercible([ASSETS[0], "c"]), AssetSelection.assets("raw/a", "c")),
    (AssetSelection.from_coercible(ASSETS[0]), AssetSelection.from_coercible("raw/a")),
]


@pytest.mark.parametrize(("one", "other"), same)
def test_selections_are_equal_if_they_mean_the_same(
    one: AssetSelection, other: AssetSelection
) -> None:
    assert one == other
    assert hash(one) == hash(other)
    assert one != one - AssetSelection.assets("x")


def test_many_parts_do_not_nest() -> None:
    selection = AssetSelection.assets("x")
    for number in range(5 * MAX_DEPTH):
        selection = (selection | AssetSelection.assets("c")) if number % 2 else selection
    assert {key.text for key in selection.resolve(ASSETS)} == {"x", "c"}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: AssetSelection.from_string("a or"),
        lambda: AssetSelection.assets("a b"),
        lambda: AssetSelection.assets("a").upstream(-1),
        lambda: AssetSelection.groups(""),
        lambda: AssetSelection.assets("nothing").resolve(ASSETS),
    ],
)
def test_a_wrong_selection_is_a_definition_error(wrong: Callable[[], object]) -> None:
    with pytest.raises(dg.DagsterInvalidDefinitionError):
        wrong()
    with pytest.raises(TypeError):
        AssetSelection.from_coercible(5)


def test_a_run_takes_a_selection() -> None:
    result = dg.materialize(ASSETS, selection=AssetSelection.assets("raw/b").upstream().roots())
    made = [event.asset_key for event in result.get_asset_materialization_events()]
    assert made == [dg.AssetKey("raw/a")]


def test_both_of_two_is_another_selection_than_either() -> None:
    one, two = AssetSelection.groups("raw", include_sources=True), AssetSelection.kind("sql")
    assert one & two == two & one
    assert one & two != one | two
    assert hash(one & two) == hash(two & one)

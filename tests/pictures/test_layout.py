"""The layout of a graph: the positions of cards and the routes of edges."""

from __future__ import annotations

import random
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetgraph.pictures.layout import Layout, Point, arranged, layout, scale
from assetgraph.pictures.layout.ordering import crossings, order
from assetgraph.pictures.layout.packing import pack
from assetgraph.pictures.layout.ranking import layered

Sizes = dict[str, tuple[float, float]]
Edges = list[tuple[str, str]]


def cards(*names: str) -> Sizes:
    return dict.fromkeys(names, (180.0, 64.0))


def numbered(count: int) -> list[str]:
    return [f"n{number:04}" for number in range(count)]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Sizes, Edges]:
    """Acyclic graphs, with edges from lower to higher numbers and cards of different sizes."""
    names = numbered(draw(st.integers(0, 16)))
    side = st.sampled_from([20.0, 64.0, 181.5])
    sizes = {name: (draw(side), draw(side)) for name in names}
    edges = list(combinations(names, 2))
    return sizes, draw(st.lists(st.sampled_from(edges), unique=True)) if edges else []


def boxes(sizes: Sizes, placed: Layout) -> dict[str, tuple[float, ...]]:
    """The left, top, right and bottom of each card."""
    return {
        name: (x, y, x + sizes[name][0], y + sizes[name][1])
        for name, (x, y) in placed.positions.items()
    }


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two boxes overlap by more than 0.1, to which coordinates are rounded."""
    return all(one[n] < other[n + 2] - 0.2 and other[n] < one[n + 2] - 0.2 for n in (0, 1))


def crossed(route: tuple[Point, ...], found: dict[str, tuple[float, ...]]) -> set[str]:
    """The cards that a route leads through."""
    names = set()
    for (x1, y1), (x2, y2) in pairwise(route):
        # A curve that starts and ends level stays inside the bounding box of its ends.
        wide = 0.5 if x1 == x2 else 0
        piece = (min(x1, x2) - wide, min(y1, y2) - 0.5, max(x1, x2) + wide, max(y1, y2) + 0.5)
        names |= {name for name, box in found.items() if overlap(piece, box)}
    return names


@given(graphs())
def test_no_two_cards_overlap_and_all_stand_inside_the_picture(graph: tuple[Sizes, Edges]) -> None:
    sizes, edges = graph
    placed = layout(sizes, edges)
    found = boxes(sizes, placed)
    assert found.keys() == sizes.keys()
    assert not [pair for pair in combinations(found, 2) if overlap(*(found[n] for n in pair))]
    for left, top, right, bottom in found.values():
        assert left >= -0.2
        assert top >= -0.2
        assert right <= placed.width + 0.2
        assert bottom <= placed.height + 0.2


@given(graphs())
def test_an_edge_leads_forward_from_side_to_side_and_through_no_other_card(
    graph: tuple[Sizes, Edges],
) -> None:
    sizes, edges = graph
    placed = layout(sizes, edges)
    found = boxes(sizes, placed)
    assert placed.routes.keys() == set(edges)
    for (a, b), route in placed.routes.items():
        assert route[0] == pytest.approx((found[a][2], (found[a][1] + found[a][3]) / 2), abs=0.2)
        assert route[-1] == pytest.approx((found[b][0], (found[b][1] + found[b][3]) / 2), abs=0.2)
        assert all(x1 < x2 or y1 == y2 or x1 == x2 for (x1, y1), (x2, y2) in pairwise(route))
        assert crossed(route, found) <= {a, b}


@given(graphs(), st.randoms(use_true_random=False))
def test_the_order_in_which_cards_and_edges_are_given_changes_nothing(
    graph: tuple[Sizes, Edges], shuffled: random.Random
) -> None:
    sizes, edges = graph
    names = shuffled.sample(list(sizes), len(sizes))
    other = layout({n: sizes[n] for n in names}, shuffled.sample(edges, len(edges)) * 2)
    assert other == layout(sizes, edges)


@given(graphs())
def test_ordering_never_adds_a_crossing(graph: tuple[Sizes, Edges]) -> None:
    number = {name: n for n, name in enumerate(graph[0])}
    children: list[list[int]] = [[] for _ in number]
    for a, b in graph[1]:
        children[number[a]].append(number[b])
    drawn = layered(children)
    before = crossings(drawn)
    members = [sorted(layer) for layer in drawn.layers]
    order(drawn)
    assert crossings(drawn) <= before
    assert [sorted(layer) for layer in drawn.layers] == members


def test_a_graph_that_needs_no_crossings_has_none() -> None:
    shuffled = random.Random(7).sample(numbered(63), 63)
    tree = [(shuffled[(n - 1) // 2], shuffled[n]) for n in range(1, 63)]
    assert crossing_pairs(layout(cards(*shuffled), tree)) == 0
    assert crossing_pairs(layout(cards(*shuffled), [(b, a) for a, b in tree])) == 0
    ladder = [*pairwise(shuffled[:20]), *zip(shuffled[:20], shuffled[20:40], strict=True)]
    assert crossing_pairs(layout(cards(*shuffled), ladder)) == 0


def crossing_pairs(placed: Layout) -> int:
    steps = {piece for route in placed.routes.values() for piece in pairwise(route)}
    pairs = combinations(sorted(steps), 2)
    return sum(
        a1[0] == b1[0] and a2[0] == b2[0] and (a1[1] - b1[1]) * (a2[1] - b2[1]) < 0
        for (a1, a2), (b1, b2) in pairs
    )


def test_an_empty_graph_takes_no_room() -> None:
    assert layout({}, []) == Layout({}, {}, 0, 0)


def test_one_card_stands_in_the_corner() -> None:
    assert layout(cards("a"), []) == Layout({"a": (0, 0)}, {}, 180, 64)


def test_a_chain_is_level_and_deeper_than_any_recursion() -> None:
    names = numbered(5000)
    placed = layout(cards(*names), pairwise(names), window=(2_000_000, 1))
    assert {y for _, y in placed.positions.values()} == {0}
    assert [*placed.positions.values()] == sorted(placed.positions.values())


@given(graphs(), st.integers(60, 900))
def test_a_row_of_columns_that_is_broken_fits_its_window_better_and_covers_no_card(
    graph: tuple[Sizes, Edges], width: int
) -> None:
    sizes, edges = graph
    edges = sorted({*edges, *pairwise(sizes)})  # long rows
    window = (float(width), 600.0)
    whole = layout(sizes, edges, window=(1e6, 1.0))
    placed = layout(sizes, edges, window=window)
    before = scale(whole.width, whole.height, window)
    assert scale(placed.width, placed.height, window) >= before
    found = boxes(sizes, placed)
    assert not [pair for pair in combinations(found, 2) if overlap(*(found[n] for n in pair))]
    for (a, b), route in placed.routes.items():
        assert crossed(route, found) <= {a, b}
        assert min(x for x, _ in route) >= 0
        assert max(x for x, _ in route) <= placed.width


def test_a_long_chain_is_broken_to_the_shape_of_the_window() -> None:
    names = numbered(60)
    for window in ((1072.0, 690.0), (600.0, 900.0), (2000.0, 500.0)):
        placed = layout(cards(*names), pairwise(names), window=window)
        assert placed.width / placed.height == pytest.approx(window[0] / window[1], rel=0.5)
        assert scale(placed.width, placed.height, window) > 0.4
    short = layout(cards(*names[:4]), pairwise(names[:4]), window=(1000.0, 690.0))
    assert {y for _, y in short.positions.values()} == {0}
    longer = layout(cards(*names[:6]), pairwise(names[:6]), window=(1000.0, 690.0))
    assert scale(longer.width, longer.height, (1000.0, 690.0)) > 0.8


@given(graphs(), st.integers(1, 4), st.data())
def test_a_frame_holds_the_cards_of_its_group_and_no_edge_leads_through_another_card(
    graph: tuple[Sizes, Edges], count: int, data: st.DataObject
) -> None:
    sizes, edges = graph
    groups = st.sampled_from(["", *(f"g{n}" for n in range(count))])
    group_of = {name: group for name in sizes if (group := data.draw(groups))}
    placed = arranged(sizes, edges, group_of=group_of)
    found = boxes(sizes, placed)
    assert placed.frames.keys() == set(group_of.values())
    assert placed.routes.keys() == set(edges)
    assert not [pair for pair in combinations(found, 2) if overlap(*(found[n] for n in pair))]
    for group, (x, y, width, height) in placed.frames.items():
        for name, box in found.items():
            if group_of.get(name) == group:
                assert x < box[0]
                assert y < box[1]
                assert box[2] < x + width
                assert box[3] < y + height
            else:
                assert not overlap((x, y, x + width, y + height), box)
    for (a, b), route in placed.routes.items():
        sides = {found[a][0], found[a][2]}, {found[b][0], found[b][2]}
        assert min(abs(route[0][0] - side) for side in sides[0]) < 0.2
        assert min(abs(route[-1][0] - side) for side in sides[1]) < 0.2
        assert crossed(route, found) <= {a, b}


def test_a_hub_stands_in_the_middle_of_what_it_feeds() -> None:
    leaves = numbered(9)
    placed = layout(cards("hub", *leaves), [("hub", leaf) for leaf in leaves])
    assert placed.positions["hub"][1] == sorted(placed.positions[leaf][1] for leaf in leaves)[4]


def test_a_root_stands_beside_what_first_needs_it() -> None:
    placed = layout(cards(*"abcd", "z"), [*pairwise("abcd"), ("z", "d")])
    assert placed.positions["z"][0] == placed.positions["c"][0]


def test_edges_of_one_card_share_their_way() -> None:
    names = numbered(6)
    edges = [*pairwise(names), *((names[0], name) for name in names[3:])]
    placed = layout(cards(*names), edges)
    longest = placed.routes[names[0], names[5]]
    assert placed.routes[names[0], names[4]][:2] == longest[:2]


def test_a_dense_graph_is_laid_out_without_an_edge_through_a_card() -> None:
    left, right = numbered(60)[:30], numbered(60)[30:]
    sizes = cards(*left, *right)
    placed = layout(sizes, [(a, b) for a in left for b in right])
    assert len(placed.routes) == 900
    assert len({x for x, _ in placed.positions.values()}) == 2


def test_components_are_packed_to_the_shape_of_the_window() -> None:
    names = numbered(400)
    edges = [(names[n], names[n + 1]) for n in range(0, 200, 4)]
    for aspect in (0.5, 1.6, 3):
        placed = layout(cards(*names), edges, window=(1000 * aspect, 1000))
        assert placed.width / placed.height == pytest.approx(aspect, rel=0.35)


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), max_size=30))
def test_packed_rectangles_keep_their_distance(sizes: list[tuple[float, float]]) -> None:
    packed = pack(sizes, aspect=1.6, gap=5)
    found = [
        (x, y, x + width + 5, y + height + 5)
        for (x, y), (width, height) in zip(packed.corners, sizes, strict=True)
    ]
    assert not [pair for pair in combinations(found, 2) if overlap(*pair)]
    assert all(right <= packed.width + 5 for _, _, right, _ in found)
    assert all(bottom <= packed.height + 5 for *_, bottom in found)


def test_a_circle_has_one_edge_that_leads_back() -> None:
    placed = layout(cards(*"abc"), [("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")])
    back = [edge for edge, route in placed.routes.items() if route[0][0] > route[-1][0]]
    assert back == [("c", "a")]
    assert placed.routes.keys() == {("a", "b"), ("b", "c"), ("c", "a")}


def test_an_edge_to_a_card_that_is_not_shown_is_left_out() -> None:
    assert layout(cards("a"), [("a", "b"), ("c", "a")]).routes == {}

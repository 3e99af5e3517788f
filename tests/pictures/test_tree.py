"""The graph as a tree for the terminal."""

from __future__ import annotations

from graphlib import TopologicalSorter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetgraph.pictures.picture_card import Card
from assetgraph.pictures.tree import Line, tree
from assetgraph.records import AssetState
from assetgraph.text import first_line, shorten, width


def shown(edges: dict[str, str], columns: int | None = None, **cards: Card) -> str:
    names = TopologicalSorter({child: parents.split() for child, parents in edges.items()})
    order = [cards.get(name, Card(name)) for name in names.static_order()]
    pairs = [(parent, child) for child in edges for parent in edges[child].split()]
    return "\n".join(plain(line) for line in tree(order, pairs, columns=columns))


def plain(line: Line) -> str:
    return "".join(span.text for span in line)


TAXI = {
    "raw_trips": "",
    "raw_zones": "",
    "trips": "raw_trips",
    "by_day": "trips",
    "fares": "trips raw_zones",
    "report": "by_day fares",
}


def test_an_asset_stands_once_under_the_last_of_its_upstreams() -> None:
    assert shown(TAXI) == (
        "raw_zones  → fares\n"
        "raw_trips\n"
        "└─ trips\n"
        "   ├─ by_day  → report\n"
        "   └─ fares  ← raw_zones\n"
        "      └─ report  ← by_day"
    )


def test_components_are_drawn_one_after_the_other() -> None:
    edges = {"a1": "", "b1": "", "a2": "a1", "b2": "b1", "alone": ""}
    assert shown(edges) == "a1\n└─ a2\nb1\n└─ b2\nalone"


def test_columns_hold_the_group_where_there_are_several_and_the_description() -> None:
    cards = {
        "raw_trips": Card("raw_trips", "raw", "\n   Trips of the TLC.\n   More of it.\n"),
        "fares": Card("fares", "staging", "What each trip cost, in dollars and cents of its day"),
        "raw_zones": Card("raw_zones", "raw"),
    }
    edges = {"raw_trips": "", "raw_zones": "", "fares": "raw_trips raw_zones"}
    assert shown(edges, 60, **cards) == (
        "raw_trips  → fares     raw      Trips of the TLC.\n"
        "raw_zones              raw\n"
        "└─ fares  ← raw_trips  staging  What each trip cost, in dol…"
    )


def test_a_state_stands_before_the_name_as_a_glyph() -> None:
    line, below = tree(
        [Card("a", state=AssetState.STALE), Card("b", state=AssetState.FRESH)], [("a", "b")]
    )
    assert [(span.text, span.role) for span in line] == [("! ", "stale"), ("a", "name")]
    assert [span.role for span in below] == ["branch", "fresh", "name"]


def test_references_give_way_to_the_width_and_say_how_many_they_are() -> None:
    edges = {"left": "", **{f"part_{n:02}": "" for n in range(20)}}
    edges["whole"] = " ".join(edges)
    edges["end"] = "whole left"
    last = shown(edges, 40).splitlines()[-2]
    assert last == "└─ whole  ← left, part_00, part_01 +17"
    assert "part_18" in shown(edges).splitlines()[-2]
    assert shown(edges, 12).splitlines()[-2] == "└─ whole  ← 20 assets"


def test_a_chain_of_5000_starts_again_at_the_margin_and_stays_in_the_width() -> None:
    names = [f"step_{n}" for n in range(5000)]
    lines = tree([Card(name) for name in names], pairwise(names), columns=80)
    assert [span.text for line in lines for span in line if span.role == "name"] == names
    assert max(width(plain(line)) for line in lines) <= 80
    assert plain(lines[10]) == " " * 27 + "└─ step_10  → step_11"
    assert plain(lines[11]) == "step_11  ← step_10"


def test_a_circle_is_drawn_too() -> None:
    cards = [Card(name) for name in "abc"]
    lines = tree(cards, [("a", "b"), ("b", "c"), ("c", "b")])
    assert sorted(span.text for line in lines for span in line if span.role == "name") == [*"abc"]


def test_a_description_cannot_move_the_cursor_or_turn_the_line_around() -> None:
    (line,) = tree([Card("a", description="x\x1b[31my\x00\u202ez\u2028w")], [])
    assert plain(line) == "a  x [31my z"


def test_widths_count_the_columns_of_wide_letters() -> None:
    assert width("택시") == 4
    assert width("e\u0301") == 1
    assert shorten("택시_운행", 6) == "택시_…"
    assert shorten("택시", 4) == "택시"
    assert first_line(" \n\t two  words\n") == "two words"


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[str], list[tuple[str, str]]]:
    names = [f"n{i}" for i in range(draw(st.integers(0, 12)))]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return names, chosen


@given(graphs(), st.sampled_from([None, 12, 80]))
def test_rows_are_an_order_to_run_in_and_every_edge_can_be_read(
    graph: tuple[list[str], list[tuple[str, str]]], columns: int | None
) -> None:
    names, edges = graph
    rows = tree([Card(name) for name in names], edges, columns=columns)
    order = [next(span.text for span in row if span.role == "name") for row in rows]
    assert sorted(order) == sorted(names)
    assert all(order.index(a) < order.index(b) for a, b in edges)
    if columns is None:
        assert sorted(read_edges(rows)) == sorted(edges)


def read_edges(rows: list[Line]) -> list[tuple[str, str]]:
    """The edges that a person reads from a tree: from the indentation and from the arrows."""
    edges, path = [], []
    for row in rows:
        branch = row[0].text if row[0].role == "branch" else ""
        name = next(span.text for span in row if span.role == "name")
        path[len(branch) // 3 :] = [name]
        if branch:
            edges.append((path[-2], name))
        for span in row:
            if span.role == "reference" and "←" in span.text:
                edges += [(other, name) for other in span.text.strip(" ←").split(", ")]
    return edges


@given(graphs())
def test_every_edge_is_named_at_both_its_ends(
    graph: tuple[list[str], list[tuple[str, str]]],
) -> None:
    rows = tree([Card(name) for name in graph[0]], graph[1])
    reads, feeds = set(), set()
    for row in rows:
        name = next(span.text for span in row if span.role == "name")
        for span in row:
            if span.role == "reference":
                others = span.text.strip(" ←→").split(", ")
                found = reads if "←" in span.text else feeds
                found |= {(o, name) if "←" in span.text else (name, o) for o in others}
    assert reads == feeds


def test_references_have_room_before_descriptions_do() -> None:
    name = "a_name_of_middling_len"
    cards = {one: Card(one, description="What it is.") for one in ("a_long_one", "b", name)}
    lines = shown({"a_long_one": "", "b": "", name: "a_long_one b"}, 60, **cards).splitlines()
    assert lines[-1].startswith(f"└─ {name}  ← ")
    assert len({line.index("What") for line in lines}) == 1


@pytest.mark.parametrize("columns", [None, 80])
def test_no_cards_give_no_lines(columns: int | None) -> None:
    assert tree([], [], columns=columns) == []

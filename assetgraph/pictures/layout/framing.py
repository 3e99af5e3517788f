"""Lays out the members of each group in a frame of their own.

Inside its frame a group is a graph with two more cards without a size: the edges from other groups
start at its entry, and those to other groups end at its exit. Outside, each frame is one card.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from assetgraph.pictures.layout.layered import Layout, layout, turned_edges

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from assetgraph.pictures.layout.layered import Edge, Point
    from assetgraph.pictures.layout.packing import Size

SIDE, HEAD, FOOT = 24.0, 40.0, 20.0  # between a frame and what is in it; the name is in the head
SMALL = 40  # cards: among so few, each says its group
APART = 20.0  # between the part of a group that others feed or read, and the rest
ENTRY, EXIT = "\0entry", "\0exit"


def framed(
    sizes: Mapping[str, Size],
    edges: Iterable[Edge],
    group_of: Mapping[str, str],
    **shape: object,
) -> Layout:
    """The layout of a graph with a frame around each group.

    `group_of` has the group of each card that stands in a frame; the others stand outside. `shape`
    is passed to `layout`.
    """
    pairs = sorted({(a, b) for a, b in edges if a in sizes and b in sizes and a != b})
    unit = {card: _frame_id(group_of[card]) if card in group_of else card for card in sizes}
    outer_pairs = sorted({(unit[a], unit[b]) for a, b in pairs if unit[a] != unit[b]})
    back = turned_edges(unit.values(), outer_pairs)
    members: dict[str, list[str]] = {}
    for card, group in group_of.items():
        members.setdefault(group, []).append(card)
    frames = {
        _frame_id(group): _Frame(cards, sizes, pairs, unit, back, shape)
        for group, cards in members.items()
    }
    outer_sizes = {id_: frames[id_].size if id_ in frames else sizes[id_] for id_ in unit.values()}
    outer = layout(outer_sizes, outer_pairs, **shape)  # type: ignore[arg-type]
    for id_, frame in frames.items():
        frame.corner = outer.positions[id_]
    positions = {
        card: frames[unit[card]].place(card) if unit[card] in frames else outer.positions[card]
        for card in sizes
    }
    routes = {(a, b): _route(a, b, unit, frames, outer, back) for a, b in pairs}
    boxes = {
        group: (*outer.positions[_frame_id(group)], *frames[_frame_id(group)].size)
        for group in members
    }
    return replace(outer, positions=positions, routes=routes, frames=boxes)


def arranged(
    sizes: Mapping[str, Size],
    edges: Iterable[Edge],
    *,
    group_of: Mapping[str, str] | None = None,
    **shape: object,
) -> Layout:
    """The layout of a graph, with frames around the groups of `group_of` if there are any."""
    if group_of:
        return framed(sizes, edges, group_of, **shape)
    return layout(sizes, edges, **shape)  # type: ignore[arg-type]


def worth_frames(edges: Iterable[Edge], group_of: Mapping[str, str]) -> bool:
    """Whether a graph, all of whose cards are in groups, is clearer with a frame around each."""
    many = len(group_of) > SMALL and len(set(group_of.values())) > 1
    return many and is_layered(edges, group_of)


def is_layered(edges: Iterable[Edge], group_of: Mapping[str, str]) -> bool:
    """Whether groups feed each other without a circle."""
    pairs = {(group_of[a], group_of[b]) for a, b in edges if a in group_of and b in group_of}
    return not turned_edges(group_of.values(), sorted(p for p in pairs if p[0] != p[1]))


class _Frame:
    """The layout of one group. `corner` is the upper left corner of its frame."""

    def __init__(
        self,
        cards: Sequence[str],
        sizes: Mapping[str, Size],
        pairs: Sequence[Edge],
        unit: Mapping[str, str],
        back: set[Edge],
        shape: Mapping[str, object],
    ) -> None:
        self.corner: Point = (0.0, 0.0)
        inside = set(cards)
        inner = [(a, b) for a, b in pairs if a in inside and b in inside]
        ends = {*inner, *_ports_of(inside, pairs, unit, back)}
        tied = _reached({ENTRY, EXIT}, ends) & inside
        gap = {name: value for name, value in shape.items() if name == "gap"}
        wide = {"window": (1e6, 1.0), **gap}  # in one row, whatever the window
        parts = {card: sizes[card] for card in sorted(tied)}
        ports = {port: (0.0, 0.0) for port in (ENTRY, EXIT) if any(port in pair for pair in ends)}
        # Entry and exit stand at the two ends: all that begins is after the one, all that ends
        # before the other.
        within = [(a, b) for a, b in inner if a in tied]
        fed, read = {b for _, b in within}, {a for a, _ in within}
        if ENTRY in ports:
            ends |= {(ENTRY, card) for card in tied - fed}
        if EXIT in ports:
            ends |= {(card, EXIT) for card in tied - read}
        if ports.keys() == {ENTRY, EXIT} and EXIT not in _reached({ENTRY}, ends):
            ends.add((ENTRY, EXIT))  # or they would stand in two pictures
        self.main = layout({**parts, **ports}, ends, **wide)  # type: ignore[arg-type]
        self.rest = layout({card: sizes[card] for card in cards if card not in tied}, inner, **gap)  # type: ignore[arg-type]
        self.down = self.main.height + APART if tied and self.rest.height else self.main.height
        self.tied = tied
        self.size = (
            round(max(self.main.width, self.rest.width) + 2 * SIDE, 1),
            round(self.down + self.rest.height + HEAD + FOOT, 1),
        )

    def place(self, card: str) -> Point:
        if card in self.tied:
            return self._moved(self.main.positions[card])
        return self._moved(self.rest.positions[card], self.down)

    def route(self, a: str, b: str) -> list[Point]:
        if a in self.tied or b in self.tied:
            return [self._moved(point) for point in self.main.routes[a, b]]
        return [self._moved(point, self.down) for point in self.rest.routes[a, b]]

    def entering(self, card: str) -> list[Point]:
        """The way from the frame's entry to a card."""
        return self.route(ENTRY, card)

    def leaving(self, card: str) -> list[Point]:
        """The way from a card to the frame's exit, which is at the side of the frame."""
        route = self.route(card, EXIT)
        side = round(self.corner[0] + self.size[0] - SIDE, 1)
        return [*route, (side, route[-1][1])] if route[-1][0] < side else route

    def _moved(self, point: Point, down: float = 0) -> Point:
        x, y = self.corner
        return round(point[0] + x + SIDE, 1), round(point[1] + y + HEAD + down, 1)


def _ports_of(
    inside: set[str], pairs: Sequence[Edge], unit: Mapping[str, str], back: set[Edge]
) -> Iterator[Edge]:
    """The edges from the entry and to the exit of a group, for its edges from and to others."""
    for a, b in pairs:
        if (a in inside) != (b in inside):
            card = a if a in inside else b
            leaves = (a in inside) != ((unit[a], unit[b]) in back)
            yield (card, EXIT) if leaves else (ENTRY, card)


def _route(
    a: str,
    b: str,
    unit: Mapping[str, str],
    frames: Mapping[str, _Frame],
    outer: Layout,
    back: set[Edge],
) -> tuple[Point, ...]:
    begin, end = frames.get(unit[a]), frames.get(unit[b])
    if begin is not None and begin is end:
        return tuple(begin.route(a, b))
    turned = (unit[a], unit[b]) in back
    points: list[Point] = []
    if begin is not None:
        points += begin.entering(a)[::-1] if turned else begin.leaving(a)
    points += outer.routes[unit[a], unit[b]]
    if end is not None:
        points += end.leaving(b)[::-1] if turned else end.entering(b)
    return tuple(points)


def _reached(starts: set[str], edges: Iterable[Edge]) -> set[str]:
    """What is connected with `starts`, in whatever direction."""
    near: dict[str, list[str]] = {}
    for a, b in edges:
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    found, waiting = set(starts), list(starts)
    while waiting:
        for other in near.get(waiting.pop(), ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def _frame_id(group: str) -> str:
    return f"\0frame {group}"

"""`layout`: the complete layout of a graph.

It is deterministic: the order of the given cards and edges does not change the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assetgraph.pictures.layout.alignment import heights
from assetgraph.pictures.layout.ordering import order
from assetgraph.pictures.layout.packing import pack
from assetgraph.pictures.layout.ranking import layered
from assetgraph.pictures.layout.wrapping import LANE, TURN, Column, best_bands, scale

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from assetgraph.pictures.layout.packing import Size
    from assetgraph.pictures.layout.ranking import Neighbours

Point = tuple[float, float]
Edge = tuple[str, str]
Box = tuple[float, float, float, float]  # left, top, width, height

COLUMN_GAP, CARD_GAP, BEND_GAP, COMPONENT_GAP = 56, 20, 10, 40  # minimum distances
STEEPNESS = 6  # the gap between columns is at least the highest climb in it divided by this
WIDEST_COLUMN_GAP = 4 * COLUMN_GAP
WINDOW = (1600.0, 1000.0)
READABLE = 0.8  # the scale from which a row of columns is not broken to be shown larger
GAIN = 1.2  # a row is broken if it is then shown so many times larger


@dataclass(frozen=True, slots=True)
class Layout:
    """The positions of cards and the routes of edges; x grows to the right, y downward.

    `positions` are the upper left corners of the cards. A route is a list of points from the middle
    of a card's right side to the middle of another card's left side, and crosses no other card.
    Two consecutive points are level, or one is below the other, where the columns are broken into
    bands; else they lie on the two sides of a gap between columns: draw a curve between them that
    starts and ends level. An edge that closes a circle runs backwards. An edge from a card to
    itself has no route. `frames` are the boxes around groups, which only `framed` draws.
    """

    positions: dict[str, Point]
    routes: dict[Edge, tuple[Point, ...]]
    width: float
    height: float
    frames: dict[str, Box] = field(default_factory=dict)


def layout(
    sizes: Mapping[str, Size],
    edges: Iterable[Edge],
    *,
    window: Size = WINDOW,
    gap: float = COLUMN_GAP,
) -> Layout:
    """Lay out cards in columns from left to right, at least `gap` apart.

    `sizes` are the (width, height) of the cards by id. Edges with an unknown id are ignored. The
    components are packed to the shape of a window of this size. The columns of a component that it
    would show too small are broken into bands.
    """
    names = sorted(sizes)
    number = {name: n for n, name in enumerate(names)}
    pairs = sorted({(number[a], number[b]) for a, b in edges if a in number and b in number})
    children, turned = _without_circles(len(names), pairs)
    parts = [
        _Part(members, children, [sizes[names[n]] for n in members], window, gap)
        for members in _components(children)
    ]
    packed = pack(
        [(part.width, part.height) for part in parts], window[0] / window[1], COMPONENT_GAP
    )
    positions: dict[int, Point] = {}
    routes: dict[tuple[int, int], tuple[Point, ...]] = {}
    for part, corner in zip(parts, packed.corners, strict=True):
        positions |= {n: _moved(point, corner) for n, point in part.corners()}
        routes |= {pair: tuple(_moved(p, corner) for p in route) for pair, route in part.routes()}
    routes |= {(a, b): routes[b, a][::-1] for a, b in turned}
    return Layout(
        {names[n]: positions[n] for n in range(len(names))},
        {(names[a], names[b]): routes[a, b] for a, b in pairs if a != b},
        round(packed.width, 1),
        round(packed.height, 1),
    )


def turned_edges(names: Iterable[str], edges: Iterable[Edge]) -> set[Edge]:
    """The edges that `layout` runs backwards, since they close a circle."""
    ordered = sorted(set(names))
    number = {name: n for n, name in enumerate(ordered)}
    pairs = sorted({(number[a], number[b]) for a, b in edges})
    return {(ordered[a], ordered[b]) for a, b in _without_circles(len(ordered), pairs)[1]}


class _Part:
    """The layout of one component, with its upper left corner at (0, 0).

    `members` are the numbers of its cards in the whole graph.
    """

    def __init__(
        self,
        members: Sequence[int],
        children: Neighbours,
        sizes: Sequence[Size],
        window: Size,
        gap: float,
    ) -> None:
        self.members = members
        self.sizes = sizes
        self.gap = gap
        local = {n: vertex for vertex, n in enumerate(members)}
        self.children = [[local[child] for child in children[n]] for n in members]
        self.graph = layered(self.children)
        order(self.graph)
        self._place_in_height()
        self._place_in_width()
        self.ways: dict[int, list[Point]] = {}
        seen = scale(self.width, self.height, window)
        if seen < min(READABLE, window[1] / self.height / GAIN):
            self._wrap(window, seen)

    def corners(self) -> Iterable[tuple[int, Point]]:
        for vertex, n in enumerate(self.members):
            yield n, (self.left[vertex], self.middle[vertex] - self.sizes[vertex][1] / 2)

    def routes(self) -> Iterable[tuple[tuple[int, int], list[Point]]]:
        for vertex, near in enumerate(self.children):
            for child in near:
                yield (self.members[vertex], self.members[child]), self._route(vertex, child)

    def _place_in_height(self) -> None:
        cards = self.graph.count
        high = self.high = [
            *(height / 2 for _, height in self.sizes),
            *[0.0] * (len(self.graph.left) - cards),
        ]

        def distance(upper: int, lower: int) -> float:
            gap = CARD_GAP if upper < cards and lower < cards else BEND_GAP
            return high[upper] + gap + high[lower]

        middle = heights(self.graph, distance)
        top = min(y - half for y, half in zip(middle, high, strict=True))
        self.middle = [round(y - top, 1) for y in middle]
        self.height = max(y + half for y, half in zip(self.middle, high, strict=True))

    def _place_in_width(self) -> None:
        graph = self.graph
        self.left = [0.0] * len(graph.left)
        self.right = [0.0] * len(graph.left)
        x = 0.0
        for layer in graph.layers:
            cards = [vertex for vertex in layer if not graph.is_bend(vertex)]
            width = max(self.sizes[vertex][0] for vertex in cards)
            for vertex in layer:
                self.left[vertex], self.right[vertex] = x, x + width
            climbs = [
                abs(self.middle[vertex] - self.middle[other])
                for vertex in layer
                for other in graph.right[vertex]
            ]
            self.width = x + width
            space = max(climbs, default=0.0) / STEEPNESS
            x += width + min(max(self.gap, space), WIDEST_COLUMN_GAP)

    def _wrap(self, window: Size, seen: float) -> None:
        """Break the columns into bands if the window then shows them larger than `seen`."""
        graph = self.graph
        columns = [
            Column(
                self.left[layer[0]],
                self.right[layer[0]],
                min(self.middle[vertex] - self.high[vertex] for vertex in layer),
                max(self.middle[vertex] + self.high[vertex] for vertex in layer),
                sum(1 for vertex in layer if graph.right[vertex]),
            )
            for layer in graph.layers
        ]
        bands, width, height = best_bands(columns, window)
        if scale(width, height, window) < GAIN * seen:
            return
        self.width, self.height = width, height
        for band in bands:
            for vertex in (v for layer in graph.layers[band.first : band.last] for v in layer):
                self.left[vertex] += band.dx
                self.right[vertex] += band.dx
                self.middle[vertex] = round(self.middle[vertex] + band.dy, 1)
        for band in bands[:-1]:
            leaving = [v for v in graph.layers[band.last - 1] if graph.right[v]]
            start = self.left[graph.layers[band.last][0]]
            for n, vertex in enumerate(reversed(leaving)):
                lane = round(band.channel + n * LANE, 1)
                turn = self.right[vertex] + TURN + n * LANE
                back = start - TURN - (len(leaving) - 1 - n) * LANE
                self.ways[vertex] = [
                    (turn, self.middle[vertex]), (turn, lane), (back, lane),
                ]  # fmt: skip

    def _route(self, vertex: int, child: int) -> list[Point]:
        points = [(self.left[vertex] + self.sizes[vertex][0], self.middle[vertex])]
        trunk = self.graph.trunks.get(vertex, [])
        between = self.graph.columns[child] - self.graph.columns[vertex] - 1
        at = vertex
        for tip in (*trunk[:between], child):
            _extend(points, (self.right[at], self.middle[at]))
            if at in self.ways:
                for point in (*self.ways[at], (self.ways[at][-1][0], self.middle[tip])):
                    _extend(points, point)
            _extend(points, (self.left[tip], self.middle[tip]))
            at = tip
        return points


def _extend(points: list[Point], point: Point) -> None:
    """Append `point`, and drop the last point if it lies level between its neighbours."""
    if points[-1] == point:
        return
    if len(points) > 1 and points[-2][1] == points[-1][1] == point[1]:
        points.pop()
    points.append(point)


def _moved(point: Point, corner: Point) -> Point:
    return round(point[0] + corner[0], 1), round(point[1] + corner[1], 1)


def _without_circles(
    count: int, pairs: Sequence[tuple[int, int]]
) -> tuple[Neighbours, set[tuple[int, int]]]:
    """The children of each card without circles, and the edges that were reversed to break them."""
    children = _children(count, pairs)
    turned: set[tuple[int, int]] = set()
    on_path, seen = [False] * count, [False] * count
    for start in range(count):
        path = [(start, iter((start,)))]
        while path:
            n, rest = path[-1]
            child = next(rest, None)
            if child is None:
                on_path[n] = False
                path.pop()
            elif on_path[child]:
                turned.add((n, child))
            elif not seen[child]:
                seen[child] = on_path[child] = True
                path.append((child, iter(children[child])))
    if turned:
        kept = (set(pairs) - turned) | {(b, a) for a, b in turned if a != b}
        children = _children(count, sorted(kept))
    return children, {(a, b) for a, b in turned if a != b}


def _children(count: int, pairs: Iterable[tuple[int, int]]) -> Neighbours:
    children: Neighbours = [[] for _ in range(count)]
    for a, b in pairs:
        children[a].append(b)
    return children


def _components(children: Neighbours) -> list[list[int]]:
    near = [list(others) for others in children]
    for n, others in enumerate(children):
        for child in others:
            near[child].append(n)
    seen = [False] * len(near)
    parts = []
    for start in range(len(near)):
        part = []
        pending = [start]
        while pending:
            n = pending.pop()
            if not seen[n]:
                seen[n] = True
                part.append(n)
                pending += near[n]
        if part:
            parts.append(sorted(part))
    return parts

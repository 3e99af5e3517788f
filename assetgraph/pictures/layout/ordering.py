"""The order of the vertices in each layer, chosen so that few edges cross.

The search starts from a walk along the edges, once from the left and once from the right. Sweeps in
alternating directions sort each layer by the mean place of its neighbours (barycentre). After each
sweep, adjacent vertices swap places if that saves a crossing. In every second pair of sweeps they
also swap if it costs nothing, which leads out of many dead ends. The best order found is kept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.pictures.layout.ranking import Layered, Neighbours

MOST_SWEEPS, FEWEST_SWEEPS = 24, 3
WORK = 30_000  # roughly the number of edges that all sweeps sort together
PATIENCE = 5  # sweeps without improvement before the search stops
EXCHANGES = 4  # swapping passes after a sweep

Layers = list[list[int]]


def order(graph: Layered) -> None:
    """Reorder `graph.layers` in place."""
    search = _Search(graph)
    for start in _walks(graph):
        search.improve(start)
    graph.layers = search.best


def crossings(graph: Layered) -> int:
    """How many pairs of edges cross."""
    position = graph.positions()
    return sum(_crossings_after(layer, graph.right, position) for layer in graph.layers)


class _Search:
    """The search for an order: `graph.layers` is the current one, `best` the best one so far."""

    def __init__(self, graph: Layered) -> None:
        self.graph = graph
        self.best = [*map(list, graph.layers)]
        self.fewest = crossings(graph)
        edges = sum(map(len, graph.right))
        self.sweeps = min(MOST_SWEEPS, max(FEWEST_SWEEPS, WORK // max(1, edges)))

    def improve(self, start: Layers) -> None:
        graph = self.graph
        graph.layers = start
        fewest = self._keep_if_best()
        waited = 0
        for sweep in range(self.sweeps):
            if not self.fewest or waited == PATIENCE:
                break
            _sort_by_neighbours(graph, rightward=sweep % 2 == 0)
            if sweep % 4 > 1:
                _exchange_all(graph, needed_gain=0)
            _exchange_all(graph, needed_gain=1)
            found = self._keep_if_best()
            waited = 0 if found < fewest else waited + 1
            fewest = min(fewest, found)

    def _keep_if_best(self) -> int:
        found = crossings(self.graph)
        if found < self.fewest:
            self.best, self.fewest = [*map(list, self.graph.layers)], found
        return found


def _walks(graph: Layered) -> tuple[Layers, Layers]:
    """The layers in the order of two walks along the edges, from the first layer and the last."""
    forward = _walk(graph.layers, graph.left, graph.right)
    backward = _walk(graph.layers[::-1], graph.right, graph.left)
    return forward, backward[::-1]


def _walk(layers: Layers, before: Neighbours, after: Neighbours) -> Layers:
    layer_of = {vertex: n for n, layer in enumerate(layers) for vertex in layer}
    walked: Layers = [[] for _ in layers]
    seen = [False] * len(after)
    for start in (vertex for layer in layers for vertex in layer):
        pending = [start]
        while pending:
            vertex = pending.pop()
            if not seen[vertex]:
                seen[vertex] = True
                walked[layer_of[vertex]].append(vertex)
                pending += reversed(before[vertex])
                pending += reversed(after[vertex])
    return walked


def _sort_by_neighbours(graph: Layered, *, rightward: bool) -> None:
    """Sort each layer by the mean place of its vertices' neighbours in the layer before.

    A vertex without neighbours there is sorted by those on its other side. Places are fractions of
    their layer's length, so that layers of different lengths compare.
    """
    share = [0.0] * len(graph.left)
    for layer in graph.layers:
        _set_shares(layer, share)
    before, after = (graph.left, graph.right) if rightward else (graph.right, graph.left)
    for layer in graph.layers if rightward else reversed(graph.layers):
        means = {}
        for vertex in layer:
            near = before[vertex] or after[vertex] or (vertex,)
            means[vertex] = sum([share[other] for other in near]) / len(near)
        layer.sort(key=means.__getitem__)
        _set_shares(layer, share)


def _set_shares(layer: Sequence[int], share: list[float]) -> None:
    for place, vertex in enumerate(layer):
        share[vertex] = (place + 0.5) / len(layer)


def _exchange_all(graph: Layered, needed_gain: int) -> None:
    position = graph.positions()
    touched = [True] * len(graph.layers)
    for _ in range(EXCHANGES):
        changed = [
            touched[n] and _exchange(graph, layer, position, needed_gain)
            for n, layer in enumerate(graph.layers)
        ]
        if not any(changed):
            break
        # A swap in a layer affects the gains in it and in the two layers beside it.
        touched = [any(changed[max(0, n - 1) : n + 2]) for n in range(len(changed))]


def _exchange(graph: Layered, layer: list[int], position: list[int], needed_gain: int) -> bool:
    """Swap adjacent vertices where that saves at least `needed_gain` crossings.

    Returns whether a swap saved any.
    """
    left = [sorted([position[other] for other in graph.left[vertex]]) for vertex in layer]
    right = [sorted([position[other] for other in graph.right[vertex]]) for vertex in layer]
    saved = False
    for n, after in pairwise(range(len(layer))):
        gain = _gain(left[n], left[after]) + _gain(right[n], right[after])
        if gain >= needed_gain:
            saved |= gain > 0
            layer[n], layer[after] = layer[after], layer[n]
            for places in (left, right):
                places[n], places[after] = places[after], places[n]
    for place, vertex in enumerate(layer):
        position[vertex] = place
    return saved


def _gain(above: Sequence[int], below: Sequence[int]) -> int:
    """The crossings on one side that a swap of two vertices saves.

    `above` and `below` are the sorted places of the two vertices' neighbours on that side.
    """
    if not above or not below:
        return 0
    if above[-1] < below[0]:
        return -len(above) * len(below)
    gain = 0
    for place in above:
        gain += bisect_left(below, place) + bisect_right(below, place) - len(below)
    return gain


def _crossings_after(layer: Sequence[int], right: Neighbours, position: Sequence[int]) -> int:
    """The number of crossings between a layer and the next one."""
    seen: list[int] = []
    count = 0
    for vertex in layer:
        places = [position[other] for other in right[vertex]]
        for place in places:
            count += len(seen) - bisect_right(seen, place)
        for place in places:
            insort(seen, place)
    return count

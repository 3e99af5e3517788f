"""The column of each card: every edge leads to the right and has a bend in each column it passes.

Vertices are numbers: those below `count` are cards, the others are bends. All edges of a card that
pass the same column share one bend there, like branches of a trunk. That makes fewer lines and
fewer crossings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Neighbours = list[list[int]]


@dataclass(slots=True)
class Layered:
    """A graph in columns.

    `layers` are the columns from left to right, and `columns[v]` is the number of the card `v`'s.
    `left[v]` and `right[v]` are the neighbours of the vertex `v` in the adjacent columns.
    `trunks[v]` are the bends of the card `v` in order.
    """

    count: int
    layers: list[list[int]]
    columns: list[int]
    left: Neighbours
    right: Neighbours
    trunks: dict[int, list[int]]

    def is_bend(self, vertex: int) -> bool:
        return vertex >= self.count

    def positions(self) -> list[int]:
        """The place of each vertex in its layer, counted from 0."""
        found = [0] * len(self.left)
        for layer in self.layers:
            for place, vertex in enumerate(layer):
                found[vertex] = place
        return found


def layered(children: Neighbours) -> Layered:
    """Put an acyclic graph into layers; each layer is sorted by number."""
    rank = ranks(children)
    count = len(rank)
    layers: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    for vertex in range(count):
        layers[rank[vertex]].append(vertex)
    graph = Layered(count, layers, rank, [[] for _ in rank], [[] for _ in rank], {})
    for vertex in range(count):
        _connect(graph, rank, vertex, children[vertex])
    return graph


def ranks(children: Neighbours) -> list[int]:
    """The column of each vertex, counted from 0.

    It is the first to the right of all parents. A root stands just to the left of its first child.
    """
    parents: Neighbours = [[] for _ in children]
    for vertex, near in enumerate(children):
        for child in near:
            parents[child].append(vertex)
    order = _topological(parents, children)
    early = [0] * len(order)
    for vertex in order:
        early[vertex] = 1 + max((early[parent] for parent in parents[vertex]), default=-1)
    late = early.copy()
    for vertex in reversed(order):
        if children[vertex]:
            late[vertex] = min(late[child] for child in children[vertex]) - 1
    rank = [0] * len(order)
    for vertex in order:
        near = parents[vertex]
        rank[vertex] = 1 + max(rank[parent] for parent in near) if near else late[vertex]
    first = min(rank, default=0)
    return [column - first for column in rank]


def _topological(parents: Neighbours, children: Neighbours) -> list[int]:
    missing = [len(near) for near in parents]
    order = [vertex for vertex, number in enumerate(missing) if not number]
    for vertex in order:
        for child in children[vertex]:
            missing[child] -= 1
            if not missing[child]:
                order.append(child)
    return order


def _connect(graph: Layered, rank: Sequence[int], vertex: int, children: Sequence[int]) -> None:
    tip, column = vertex, rank[vertex]
    for child in sorted(children, key=rank.__getitem__):
        while column < rank[child] - 1:
            column += 1
            bend = len(graph.left)
            graph.left.append([tip])
            graph.right.append([])
            graph.right[tip].append(bend)
            graph.layers[column].append(bend)
            graph.trunks.setdefault(vertex, []).append(bend)
            tip = bend
        graph.right[tip].append(child)
        graph.left[child].append(tip)

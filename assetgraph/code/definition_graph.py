"""Definitions as vertices that name each other, and a hash of each with all that it reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import TypeVar

HASH_BYTES = 10
# What is in a set, or in a wrapper (in order of registration), has no order that means anything.
UNORDERED = ("collection", "wrapper")

T = TypeVar("T")


class Vertex:
    """One definition. `own` is what it says itself, with numbers for the definitions that it
    names: the keys of `edges`, in the order of their numbers.

    `origin` is the expression that made a value: it explains a change and is no part of the hash.
    `notes` are lines with what there cannot be followed; `volatile` is a name in it that looks like
    a clock, chance or the environment.
    """

    __slots__ = (
        "edges",
        "file",
        "hash",
        "kind",
        "line",
        "name",
        "notes",
        "origin",
        "own",
        "volatile",
    )

    def __init__(self, kind: str, name: str, file: str = "", line: int = 0) -> None:
        self.kind = kind
        self.name = name
        self.file = file
        self.line = line
        self.own = b""
        self.edges: dict[Vertex, int] = {}
        self.origin: Vertex | None = None
        self.notes: tuple[tuple[int, str], ...] = ()
        self.volatile = ""
        self.hash = b""

    def number(self, other: Vertex) -> int:
        return self.edges.setdefault(other, len(self.edges))

    def note(self, line: int, text: str) -> None:
        self.notes += ((line, text),)

    def reached(self) -> Iterator[Vertex]:
        """This vertex and all that it names, directly or not, nearest first."""
        known = {self}
        waiting = [self]
        for vertex in waiting:
            yield vertex
            for other in vertex.edges:
                if other not in known:
                    known.add(other)
                    waiting.append(other)


def digest(*parts: bytes) -> bytes:
    return blake2b(b"\0".join(parts), digest_size=HASH_BYTES).digest()


def components(
    start: T, edges: Callable[[T], Iterable[T]], is_done: Callable[[T], bool]
) -> Iterator[list[T]]:
    """What reaches each other, group by group, each after all that it reaches. What is done by then
    is not looked at.

    Tarjan's algorithm in a loop: helpers may call each other in chains of thousands.
    """
    order: dict[T, int] = {start: 0}
    lowest: dict[T, int] = {start: 0}
    place: dict[T, int] = {start: 0}
    component = [start]
    walk = [(start, iter(edges(start)))]
    while walk:
        item, others = walk[-1]
        for other in others:
            if is_done(other):
                continue
            if other in order:
                lowest[item] = min(lowest[item], order[other])
                continue
            order[other] = lowest[other] = len(order)
            place[other] = len(component)
            component.append(other)
            walk.append((other, iter(edges(other))))
            break
        else:
            walk.pop()
            if walk:
                parent = walk[-1][0]
                lowest[parent] = min(lowest[parent], lowest[item])
            if lowest[item] == order[item]:
                yield component[place[item] :]
                del component[place[item] :]


def hash_all(start: Vertex) -> None:
    """Give `start` and all that it reaches their hashes."""
    if start.hash:
        return
    if all(other.hash for other in start.edges):
        _hash_component([start])
    else:
        for vertices in components(
            start, lambda vertex: vertex.edges, lambda vertex: bool(vertex.hash)
        ):
            _hash_component(vertices)


def _hash_component(vertices: Sequence[Vertex]) -> None:
    """Hash definitions that reach each other, whichever of them was met first.

    Each starts with what it says itself, and takes in what those that it names have said, until
    that tells no more of them apart; so definitions get one hash only if they do the same.
    """
    if len(vertices) == 1 and vertices[0] not in vertices[0].edges:
        only = vertices[0]
        only.hash = digest(only.own, *_ordered(only, [other.hash for other in only.edges]))
        return
    colours = {vertex: digest(vertex.own) for vertex in vertices}
    distinct = len(set(colours.values()))
    while True:
        colours = {
            vertex: digest(
                colour,
                *_ordered(vertex, [other.hash or b"=" + colours[other] for other in vertex.edges]),
            )
            for vertex, colour in colours.items()
        }
        before, distinct = distinct, len(set(colours.values()))
        if distinct == before:
            break
    together = digest(*sorted(colours.values()))
    for vertex, colour in colours.items():
        vertex.hash = digest(together, colour)


def _ordered(vertex: Vertex, hashes: list[bytes]) -> list[bytes]:
    return sorted(hashes) if vertex.kind in UNORDERED else hashes

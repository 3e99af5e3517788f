"""The graph of definitions: a vertex for each, an edge to each that it names, and the hash of a
definition together with all that it reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple, TypeVar

HASH_BYTES = 10
# The kinds whose edges have no meaningful order: the items of a set, and the functions in a
# wrapper, which come in the order of their registration.
UNORDERED = ("collection", "wrapper")

T = TypeVar("T")


class Vertex:
    """One definition.

    `own` is its own content, in which numbers stand for the definitions that it names. Those are
    the keys of `edges`, in the order of their numbers. `origin` is the expression that made a
    value: it explains a change and is not part of the hash. `blind_spots` are sentences about code
    that cannot be followed, with their lines (0 if unknown). `volatile` are the names in the
    definition that look like a clock, chance or the environment.
    """

    __slots__ = (
        "blind_spots",
        "edges",
        "file",
        "hash",
        "kind",
        "line",
        "name",
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
        self.blind_spots: tuple[tuple[int, str], ...] = ()
        self.volatile: tuple[str, ...] = ()
        self.hash = b""

    def number(self, other: Vertex) -> int:
        """The number of `other` among the edges, which it joins if it is new."""
        return self.edges.setdefault(other, len(self.edges))

    def add_blind_spot(self, line: int, text: str) -> None:
        self.blind_spots += ((line, text),)

    def reached(self) -> Iterator[Vertex]:
        """This vertex and all that it names, directly or through others, nearest first."""
        known = {self}
        waiting = [self]
        for vertex in waiting:
            yield vertex
            for other in vertex.edges:
                if other not in known:
                    known.add(other)
                    waiting.append(other)


class Referent(NamedTuple):
    """What a name or a live object refers to: a definition with what is read from it as text, or
    text alone if it is not followed."""

    text: bytes
    vertex: Vertex | None = None


_empty = blake2b(digest_size=HASH_BYTES)


def digest(*parts: bytes) -> bytes:
    found = _empty.copy()  # in half the time that a new one takes
    found.update(b"\0".join(parts))
    return found.digest()


def components(
    start: T, edges: Callable[[T], Iterable[T]], is_done: Callable[[T], bool]
) -> Iterator[list[T]]:
    """The groups of items that reach each other, each group after all that it reaches. Items for
    which `is_done` is true are skipped.

    This is Tarjan's algorithm as a loop: helpers may call each other in chains of thousands, too
    deep for recursion.
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
    """Set the hash of `start` and of all that it reaches."""
    if start.hash:
        return
    if not start.edges:
        start.hash = digest(start.own)
    elif all(other.hash for other in start.edges):
        _hash_component([start])
    else:
        for vertices in components(
            start, lambda vertex: vertex.edges, lambda vertex: bool(vertex.hash)
        ):
            _hash_component(vertices)


def _hash_component(vertices: Sequence[Vertex]) -> None:
    """Hash definitions that reach each other, independent of which was met first.

    The digest of each starts as that of its own content. Then, in rounds, each takes in the digests
    of the definitions that it names, until a round tells no more of them apart. So two of them have
    equal hashes only if they do the same.
    """
    if len(vertices) == 1 and vertices[0] not in vertices[0].edges:
        only = vertices[0]
        hashes = [other.hash for other in only.edges]
        only.hash = digest(only.own, *(_ordered(only, hashes) if hashes else ()))
        return
    digests = {vertex: digest(vertex.own) for vertex in vertices}
    distinct = len(set(digests.values()))
    while True:
        digests = {
            vertex: digest(
                known,
                *_ordered(vertex, [other.hash or b"=" + digests[other] for other in vertex.edges]),
            )
            for vertex, known in digests.items()
        }
        before, distinct = distinct, len(set(digests.values()))
        if distinct == before:
            break
    together = digest(*sorted(digests.values()))
    for vertex, known in digests.items():
        vertex.hash = digest(together, known)


def _ordered(vertex: Vertex, hashes: list[bytes]) -> list[bytes]:
    return sorted(hashes) if vertex.kind in UNORDERED else hashes

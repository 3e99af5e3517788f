"""The table of definitions: one for a whole store.

A node holds what its definition says itself and which others it names, so a materialization need
record no more than the root.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b

import msgspec

from assetgraph.fingerprint.graph import Vertex, digest, hash_all


class Node(msgspec.Struct, frozen=True, omit_defaults=True):
    """A definition as it was: `version` is its hash with all that it reaches, `own` that of what it
    says itself (of a library: its name and version). `refs` are the table's keys of what it names,
    in the order in which it does; `origin` that of the expression that made a value."""

    kind: str
    name: str
    version: str
    own: str
    file: str = ""
    line: int = 0
    refs: tuple[str, ...] = ()
    origin: str = ""


Table = Mapping[str, Node]


def table_of(roots: Iterable[Vertex]) -> dict[str, Node]:
    """All that `roots` reach. The key of a root is its version; of anything else, its version and
    what it is called, since definitions of the same content have different names."""
    table: dict[str, Node] = {}
    keys: dict[Vertex, str] = {}
    roots = tuple(roots)
    for vertex in _reached(roots, keys):
        table[keys[vertex]] = _node(vertex, keys)
    for root in roots:
        table.setdefault(root.hash.hex(), table[keys[root]])
    return table


def _reached(roots: Iterable[Vertex], keys: dict[Vertex, str]) -> Iterator[Vertex]:
    """Everything that the roots reach, expressions included; each comes after its key is known,
    and the keys of what it names."""
    waiting = []

    def meet(vertex: Vertex) -> None:
        if vertex not in keys:
            hash_all(vertex)
            keys[vertex] = _key(vertex)
            waiting.append(vertex)

    for root in roots:
        meet(root)
    for vertex in waiting:
        for other in vertex.edges:
            meet(other)
        if vertex.origin is not None:
            meet(vertex.origin)
        yield vertex


def _key(vertex: Vertex) -> str:
    called = f"{vertex.kind} {vertex.name} {vertex.file}".encode("utf-8", "surrogatepass")
    return f"{vertex.hash.hex()}-{blake2b(called, digest_size=3).hexdigest()}"


def _node(vertex: Vertex, keys: Mapping[Vertex, str]) -> Node:
    library = vertex.kind == "library"
    return Node(
        kind=vertex.kind,
        name=vertex.name,
        version=vertex.hash.hex(),
        own=vertex.own.decode() if library else digest(vertex.own).hex(),
        file=vertex.file,
        line=vertex.line,
        refs=tuple([keys[other] for other in vertex.edges]),
        origin=keys[vertex.origin] if vertex.origin is not None else "",
    )

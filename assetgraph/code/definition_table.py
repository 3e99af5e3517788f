"""The table of definitions: one for a whole store.

A node holds what its definition says itself and which others it names, so a materialization need
record no more than the root.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import msgspec

from assetgraph.code.definition_graph import Vertex, digest, hash_all


class Node(msgspec.Struct, frozen=True, omit_defaults=True):
    """A definition as it was: `own` is the hash of what it says itself (of a library: its name and
    version). `refs` are the table's keys of what it names, in the order in which it does; `origin`
    that of the expression that made a value."""

    kind: str
    name: str
    own: str
    file: str = ""
    line: int = 0
    refs: tuple[str, ...] = ()
    origin: str = ""


Table = Mapping[str, Node]


class TableWriter:
    """Makes the table of what some roots reach. A key is a version (a definition's hash with all
    that it reaches) and what the definition is called, since several may have the same content."""

    def __init__(self) -> None:
        self.table: dict[str, Node] = {}
        self._keys: dict[Vertex, str] = {}

    def add(self, root: Vertex) -> None:
        """Take in what `root` reaches, expressions included, that is not in the table yet."""
        waiting: list[Vertex] = []

        def meet(vertex: Vertex) -> str:
            key = self._keys.get(vertex)
            if key is None:
                hash_all(vertex)
                key = self._keys[vertex] = key_of(vertex)
                waiting.append(vertex)
            return key

        meet(root)
        for vertex in waiting:
            refs = tuple([meet(other) for other in vertex.edges])
            origin = meet(vertex.origin) if vertex.origin is not None else ""
            self.table[self._keys[vertex]] = _node(vertex, refs, origin)


def key_of(vertex: Vertex) -> str:
    """The key of a definition that has its hash."""
    called = f"{vertex.kind} {vertex.name} {vertex.file}".encode("utf-8", "surrogatepass")
    return f"{vertex.hash.hex()}-{blake2b(called, digest_size=3).hexdigest()}"


def _node(vertex: Vertex, refs: tuple[str, ...], origin: str) -> Node:
    library = vertex.kind == "library"
    return Node(
        kind=vertex.kind,
        name=vertex.name,
        own=vertex.own.decode() if library else digest(vertex.own).hex(),
        file=vertex.file,
        line=vertex.line,
        refs=refs,
        origin=origin,
    )

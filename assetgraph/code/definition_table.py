"""The table of definitions as a store keeps it, one for all assets.

A node holds the hash of a definition's own content and the keys of the definitions that it names.
A materialization therefore records only the key of its root.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import msgspec

from assetgraph.code.definition_graph import Vertex, digest, hash_all


class Node(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A definition as it was. `own` is the hash of its own content; for a library, its name and
    version. `refs` are the keys of the definitions that it names, in the order in which it names
    them. `origin` is the key of the expression that made a value."""

    kind: str
    name: str
    own: str
    file: str = ""
    line: int = 0
    refs: tuple[str, ...] = ()
    origin: str = ""


Table = Mapping[str, Node]


class TableWriter:
    """Makes the table of all definitions that some roots reach."""

    def __init__(self) -> None:
        self.table: dict[str, Node] = {}
        self._keys: dict[Vertex, str] = {}

    def add(self, root: Vertex) -> None:
        """Add `root` and all that it reaches, expressions included, unless already there."""
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
    """The key of a definition whose hash is set: the hash, and a digest of the definition's kind,
    name and file, since several may have the same content."""
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

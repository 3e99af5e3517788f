"""`CodeVersions`: the code version of any function, what it covers, and why it changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from threading import RLock
from types import FunctionType
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.code.definition_graph import Vertex, hash_all
from assetgraph.code.definition_table import Table, TableWriter, key_of
from assetgraph.code.project_folder import ProjectFolder
from assetgraph.code.vertex_builder import VertexBuilder
from assetgraph.process.garbage_collector import paused_collector

if TYPE_CHECKING:
    from assetgraph.code.changes import Change, Comparison

_SHOWN = ("function", "class", "value", "module", "library")


class Definition(msgspec.Struct, frozen=True, omit_defaults=True):
    """One definition that a code version covers. `kind` is function, class, value, module or
    library. `file` is relative to the project's folder. `notes` say what cannot be fully followed
    in it, and where. `volatile` are the names in it that look like a clock, chance or the
    environment."""

    kind: str
    name: str
    file: str = ""
    line: int = 0
    notes: tuple[str, ...] = ()
    volatile: tuple[str, ...] = ()


class CodeVersions:
    """The code versions of a project's functions, each taken when it is first asked for.

    Ask for all of them after the project is imported and before any step runs: changes that steps
    make to globals must not count. `project_root` is the folder whose code is followed; with None,
    all code that is not installed is followed. `cache` keeps the summaries of source files, by the
    hash of their text.
    """

    def __init__(
        self, project_root: Path | None, cache: MutableMapping[str, bytes] | None = None
    ) -> None:
        folder = ProjectFolder(project_root)
        self._builder = VertexBuilder(folder, {} if cache is None else cache)
        self._roots: dict[Any, tuple[Any, Vertex]] = {}  # by function, or else by id
        self._writer = TableWriter()
        self._unwritten: list[Vertex] = []
        self._comparison: Comparison | None = None
        self._lock = RLock()  # steps in threads ask for the classes that they pickle

    def version(self, function: Callable[..., Any]) -> str:
        """The hash of the code of `function` and of all that it reaches: 20 hexadecimal digits."""
        return self._root(function).hash.hex()

    def class_version(self, kind: type) -> str:
        """The hash of a class and of all that it reaches. Pickled instances depend on it."""
        return self._root(kind).hash.hex()

    def named_version(self, name: str) -> str | None:
        """The version of the class or function `module:qualname`; None if the project has no such
        definition."""
        found = self._builder.named(name)
        return None if found is None else self._root(found).hash.hex()

    def in_project(self, kind: type) -> bool:
        """Whether a class belongs to the project, so that it has a version of its own."""
        return self._builder.in_project(kind)

    def covers(self, function: Callable[..., Any]) -> tuple[Definition, ...]:
        """The definitions that the version of `function` covers, nearest first, with notes on what
        cannot be followed."""
        shown = (vertex for vertex in self._root(function).reached() if vertex.kind in _SHOWN)
        found = (
            Definition(
                v.kind, v.name, v.file, v.line, tuple(_notes(v)), tuple(map(_dotted, v.volatile))
            )
            for v in shown
        )
        return tuple(dict.fromkeys(found))

    def table(self) -> Table:
        """Every definition that the versions asked for so far cover."""
        with self._lock, paused_collector():
            for vertex in self._unwritten:
                self._writer.add(vertex)
            self._unwritten.clear()
        return self._writer.table

    def changes(
        self, function: Callable[..., Any], old_root: str, old_table: Table
    ) -> tuple[Change, ...]:
        """What changed in the code of `function` since its version was `old_root`. It is fastest to
        pass the same `old_table` for all functions."""
        from assetgraph.code.changes import Comparison

        new_key, new_table = key_of(self._root(function)), self.table()
        # Functions with equal content share a version. Compare with the one of the same name.
        old_key = old_root + new_key[new_key.index("-") :]
        if self._comparison is None or self._comparison.old_table is not old_table:
            self._comparison = Comparison(old_table, new_table)
        return self._comparison.changes(old_key if old_key in old_table else old_root, new_key)

    def _root(self, item: Any) -> Vertex:
        key = item if item.__class__ is FunctionType else id(item)
        known = self._roots.get(key)
        if known is None:
            with self._lock:
                vertex = self._builder.root(item)
                hash_all(vertex)
                known = self._roots[key] = (item, vertex)
                self._unwritten.append(vertex)
        return known[1]


def _notes(vertex: Vertex) -> Iterator[str]:
    for line, text in sorted(set(vertex.blind_spots)):
        yield f"line {line}: {text}" if line else text
    makers = vertex.origin.reached() if vertex.origin is not None else ()
    volatile = next((maker.volatile[0] for maker in makers if maker.volatile), "")
    if volatile:
        yield f"its value comes from `{_dotted(volatile)}`, so it may change by itself"


def _dotted(name: str) -> str:
    """A name as a person writes it: see `File.names`."""
    return name.removesuffix("[]").lstrip(".").replace(":", ".")

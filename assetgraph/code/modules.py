"""A module of the project: its live globals, and the summary of its text."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import cached_property
from types import CodeType, FunctionType, ModuleType
from typing import Any

from assetgraph.code.definition_graph import Referent
from assetgraph.code.ownership import Ownership
from assetgraph.code.source_summary import File
from assetgraph.code.sources import EMPTY, Sources, Text

LAMBDA = "<lambda>"


class Module:
    """`names` are the globals; `text` is the text, or a sentence that says why there is none.

    The rest is filled in as names are resolved: `referents` belong to `file.names`, `known` to
    names of this module that other modules read, and `idle_decorators` says which of `file.names`
    are decorators of assetgraph.
    """

    def __init__(self, names: dict[str, Any], filename: str, text: Text | str) -> None:
        self.names = names
        self.filename = filename
        self.text = text
        self.file: File = EMPTY if isinstance(text, str) else text.file
        self.referents: list[Referent | None] = [None] * len(self.file.names)
        self.known: dict[str, Referent] = {}
        self.idle_decorators: dict[int, bool] = {}

    @cached_property
    def unbound(self) -> frozenset[str]:
        """The names that the text imports, but the module does not have: the import is only for
        type checking, or failed."""
        return frozenset(self.file.imports.keys() - self.names.keys())


class Modules:
    """The modules met so far, each made once. `roots` are the paths of the project's folder."""

    def __init__(self, sources: Sources, ownership: Ownership) -> None:
        self.roots = sources.folder.roots
        self._sources = sources
        self._ownership = ownership
        self._known: dict[tuple[int, str], Module] = {}
        self._last: Module | None = None  # of most functions that follow each other

    def of_names(self, names: dict[str, Any], filename: str) -> Module:
        """The module with the globals `names` and the file `filename`."""
        last = self._last
        if last is not None and last.names is names and last.filename == filename:
            return last
        key = (id(names), filename)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = Module(names, filename, self._sources.text(filename, names))
        self._last = known
        return known

    def of_live(self, module: ModuleType) -> Module:
        return self.of_names(vars(module), vars(module).get("__file__") or "")

    def of_project(self) -> Iterator[Module]:
        """Every module of the project that is imported, in the order of their names."""
        for _, module in sorted(sys.modules.items()):
            if type(module) is ModuleType and self._ownership.in_project(module):
                yield self.of_live(module)

    def imported(self, name: str) -> Any:
        """The live module `name`, imported if it is not yet. If that fails, the error, or None if
        there is no such module."""
        return sys.modules.get(name) or self._ownership.import_project_module(name)


def name_of(function: FunctionType, code: CodeType) -> str:
    """The qualified name of a function with this code; of a lambda, the name of the global that
    holds it."""
    name = code.co_qualname
    if name != LAMBDA:
        return name
    held = list(function.__globals__.items())
    return next((called for called, value in held if value is function), name)


def global_of(names: Mapping[str, Any], name: str) -> Any:
    """What a name with attributes (`tools.clean`) is in a module with the globals `names`, followed
    through modules; None if it cannot be followed."""
    root, *attributes = name.split(".")
    value = names.get(root)
    for attribute in attributes:
        value = vars(value).get(attribute) if isinstance(value, ModuleType) else None
    return value

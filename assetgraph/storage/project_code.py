"""`ProjectCode`: the code versions of a project, and why they differ from the recorded ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.code import CodeVersions, Definition, Node
from assetgraph.storage.keyed_files import FolderCache, LineTable

if TYPE_CHECKING:
    from pathlib import Path

    from assetgraph.definitions.computation import Computation


class CodeTable(LineTable[Node]):
    """The definitions behind the code versions that a store has recorded, in `folder`. A damaged
    line is one definition that a reason cannot name."""

    def __init__(self, folder: str) -> None:
        super().__init__(f"{folder}/definitions.jsonl", Node)


class ProjectCode:
    """The code of the project in `project_root`, with the table of definitions that the store in
    `folder` keeps. Each version is taken when it is first asked for."""

    def __init__(self, project_root: Path, folder: str) -> None:
        cache = FolderCache(f"{folder}/cache/sources", store=folder)
        self._versions = CodeVersions(project_root, cache)
        self._table = CodeTable(f"{folder}/code")

    def version(self, computation: Computation) -> str:
        """The asset's own `code_version`, or else a hash of all code that it reaches.

        The code is read in either case: the data version of a pickled value counts the classes in
        it as they were before any step ran.
        """
        version = self._versions.version(computation.function)
        return version if computation.code_version is None else computation.code_version

    def class_version(self, kind: type) -> str | None:
        """The version of a class of the project; None for any other class."""
        return self._versions.class_version(kind) if self._versions.in_project(kind) else None

    def named_version(self, name: str) -> str | None:
        """The version of the project's class or function `module:qualname`; None if it no longer
        exists."""
        return self._versions.named_version(name)

    def covers(self, computation: Computation) -> tuple[Definition, ...]:
        """The definitions that the asset's version covers, nearest first, with notes on what
        cannot be followed."""
        return self._versions.covers(computation.function)

    def changes(self, computation: Computation, recorded: str | None) -> tuple[str, ...]:
        """Sentences that say what changed since the version `recorded`."""
        if recorded is None:
            return ("no code version was recorded",)
        if computation.code_version is not None:
            return (f"its code_version changed from {recorded!r} to {computation.code_version!r}",)
        found = self._versions.changes(computation.function, recorded, self._table.load())
        return tuple(change.text for change in found)

    def record(self) -> None:
        """Add every definition that the versions asked for so far cover to the store's table."""
        self._table.add(self._versions.table())

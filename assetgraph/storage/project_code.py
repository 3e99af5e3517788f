"""`ProjectCode`: the versions of a project's code, and why they differ from those on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.code import CodeVersions, Definition
from assetgraph.storage.code_table import CodeTable, FolderCache

if TYPE_CHECKING:
    from pathlib import Path

    from assetgraph.definitions.asset import Asset


class ProjectCode:
    """The code of the project in `project_root`, with the table of definitions of the store in
    `folder`. The versions are those of the code when they are first asked for."""

    def __init__(self, project_root: Path, folder: str) -> None:
        cache = FolderCache(f"{folder}/cache/sources", store=folder)
        self._versions = CodeVersions(project_root, cache)
        self._table = CodeTable(f"{folder}/code")

    def version(self, asset: Asset) -> str:
        """The version that the asset gives itself, or a hash of all code that it reaches. What it
        reaches is looked at either way: a pickle's version counts the classes in it as they were
        before any step ran."""
        version = self._versions.version(asset.function)
        return version if asset.code_version is None else asset.code_version

    def class_version(self, kind: type) -> str | None:
        """The version of a class of the project, or None for any other."""
        return self._versions.class_version(kind) if self._versions.is_ours(kind) else None

    def named_version(self, name: str) -> str | None:
        """The version of the project's class or function `module:qualname`, None if it is no
        more."""
        return self._versions.named_version(name)

    def covers(self, asset: Asset) -> tuple[Definition, ...]:
        """What the asset's version covers, nearest first, and what cannot be followed."""
        return self._versions.covers(asset.function)

    def changes(self, asset: Asset, recorded: str | None) -> tuple[str, ...]:
        """Sentences that say what changed since the version `recorded`."""
        if recorded is None:
            return ("its code has a version now",)
        if asset.code_version is not None:
            return (f"its code_version is now {asset.code_version!r}, and was {recorded!r}",)
        found = self._versions.changes(asset.function, recorded, self._table.load())
        return tuple(change.text for change in found)

    def record(self) -> None:
        """Put every definition that the versions asked so far cover on record."""
        self._table.add(self._versions.table())

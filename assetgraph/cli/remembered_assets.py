"""The names of a project's assets, cached in its store for the Tab key.

Loading a project takes as long as its imports. So every command that loads one saves the names,
and they stay valid until a source file is newer.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assetgraph.project.settings import Project


def remember_assets(project: Project, keys: Sequence[str]) -> None:
    """Save the names of a project's assets, if it has a store."""
    from assetgraph.errors import StoreError
    from assetgraph.storage.atomic_files import make_folder, write_whole

    if os.path.isdir(project.store):  # unlike pathlib's, it answers for a name that is too long
        with suppress(StoreError):  # a read-only store must not stop the command
            make_folder(f"{project.store}/cache")
            write_whole(_cache(project), "\n".join([_head(project), *keys]).encode())


def remembered_assets(project: Project) -> list[str] | None:
    """The saved names, or None if there are none or they may be out of date."""
    try:
        written = os.stat(_cache(project)).st_mtime_ns
        with open(_cache(project), encoding="utf-8") as file:
            head, *keys = file.read().split("\n")
        newest = max(os.stat(path).st_mtime_ns for path in _sources(project))
    except (OSError, ValueError):
        return None
    return keys if head == _head(project) and newest < written else None


def _sources(project: Project) -> Iterator[str]:
    """The files and folders that define a project's assets."""
    yield str(project.root / "pyproject.toml")
    for module in project.modules:
        path = str(project.root.joinpath(*module.split(".")))
        if not os.path.isdir(path):
            yield path + ".py"
            continue
        for folder, _, names in os.walk(path):
            yield folder
            yield from (f"{folder}/{name}" for name in names if name.endswith(".py"))


def _cache(project: Project) -> str:
    return f"{project.store}/cache/assets.txt"


def _head(project: Project) -> str:
    return " ".join(project.modules)

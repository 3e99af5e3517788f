"""Returned paths: the file or folder stays where it is, and its size, hash and stamp are recorded.

The stamp is what a look at the file says without reading it: its time of change in nanoseconds,
or of a folder a digest of every name, size and time in it. A file is read again only when its size
or its stamp has changed.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from assetgraph.errors import StoreError
from assetgraph.storage.atomic_files import store_error
from assetgraph.storage.formats.digest import digest_of_file, hasher


class Look(NamedTuple):
    size: int
    stamp: int


def recorded_path(path: Path, project_root: str) -> str:
    """Relative to the project's folder if it lies inside, or was given as relative."""
    if not path.is_absolute():
        return os.path.normpath(path)
    for given, root in (
        (os.path.normpath(path), project_root),
        (os.path.realpath(path), os.path.realpath(project_root)),
    ):
        if given == root or given.startswith(root + "/"):
            return os.path.relpath(given, root)
    return os.path.normpath(path)


def look(path: str) -> Look | None:
    """None if there is no such file or folder, or links that lead round in a circle."""
    try:
        info = os.stat(path)
        if stat.S_ISDIR(info.st_mode):
            return _look_at_folder(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise store_error(error, "look at", path) from error
    return Look(info.st_size, info.st_mtime_ns) if stat.S_ISREG(info.st_mode) else None


def digest_of_path(path: str) -> str:
    """Of a file its content; of a folder the names in it, sorted, with their contents."""
    try:
        if not os.path.isdir(path):
            return digest_of_file(path)
        digest = hasher("folder")
        for name, full_path in _entries(path):
            digest.update(name.encode("utf-8", "surrogateescape") + b"\0")
            digest.update(_content(full_path).encode() + b"\0")
        return digest.hexdigest()
    except OSError as error:
        raise store_error(error, "read", path) from error


def _content(path: str) -> str:
    if os.path.isdir(path):
        return "folder"
    if not os.path.isfile(path):
        raise StoreError(f"cannot read {path}: it is neither a file nor a folder.")
    return digest_of_file(path)


def _look_at_folder(path: str) -> Look:
    digest = hasher("stamp")
    size = 0
    for name, full_path in _entries(path):
        info = os.stat(full_path)
        size += info.st_size if stat.S_ISREG(info.st_mode) else 0
        digest.update(f"{name}\0{info.st_size}\0{info.st_mtime_ns}\0".encode("utf-8", "replace"))
    return Look(size, int.from_bytes(digest.digest()[:7]))


def _entries(root: str) -> Iterator[tuple[str, str]]:
    """Everything in a folder as (relative name, path), sorted by name."""
    found = []
    for folder, folders, names in os.walk(root, onerror=_raise):
        found += [f"{folder}/{name}" for name in (*folders, *names)]
    for path in sorted(found):
        yield path[len(root) + 1 :], path


def _raise(error: OSError) -> None:
    raise error

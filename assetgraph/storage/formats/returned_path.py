"""A returned path: the file or folder stays where it is, and its size, hash and stamp are recorded.

The stamp shows a change without reading the content: the file's modification time in nanoseconds,
or for a folder a digest of every name, size and time in it. A file is read again only when its size
or its stamp has changed.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from assetgraph.definitions.annotations import of_which_type, type_name
from assetgraph.errors import NoValueError, StoreError, ValueTypeError
from assetgraph.records import StoredValue, ValueCondition
from assetgraph.storage.atomic_files import store_error
from assetgraph.storage.formats.digest import digest_of, digest_of_file, hasher
from assetgraph.storage.formats.value_format import (
    ClassVersion,
    Location,
    Saved,
    ValueFormat,
)
from assetgraph.storage.value_places import Look
from assetgraph.text import did_you_mean

if TYPE_CHECKING:
    from assetgraph.storage.formats.preview_types import Preview

_NAMES_COMPARED = 1000
_PLAIN = "pathlib.Path"
_PLAIN_CLASS = type(Path())


class PathFormat(ValueFormat):
    """The path of a file or folder that the asset wrote."""

    def save(self, folder: str, value: object, class_version: ClassVersion | None) -> Saved | None:
        if not isinstance(value, Path):
            return None
        recorded = recorded_path(value, self.files.project_root)
        kind = _checked_class(value, recorded)
        full_path = self._full_path(recorded)
        seen = look(full_path)
        if seen is None:
            error = ValueTypeError(
                f"returned the path {recorded}, but there is no such file or folder.",
                hint=_if_not_there(recorded, self.files.project_root),
            )
            error.absent = full_path
            raise error
        digest = digest_of_path(full_path)
        stored = StoredValue(
            "path", kind, recorded, size=seen.size, stamp=seen.stamp, digest=digest
        )
        return Saved(stored, _version(stored, digest))

    def load(self, stored: StoredValue, annotation: Any) -> object:
        recorded = stored.path or ""
        full_path = self._full_path(recorded)
        if not os.path.exists(full_path):
            from assetgraph.storage.value_places import gone

            raise gone(full_path)
        return loaded_path(recorded, self.files.project_root, _class_named(stored.type))

    def check(self, stored: StoredValue, *, deep: bool = False) -> ValueCondition:
        """Read the content only if its size or stamp differs, or with `deep`."""
        full_path = self._full_path(stored.path or "")
        seen = look(full_path)
        if seen is None:
            return "gone"
        digest = partial(digest_of_path, full_path)
        if deep:
            return "intact" if digest() == stored.digest else "changed"
        same = seen == (stored.size, stored.stamp) or self.files.verified.matches(
            full_path, seen, stored.digest or "", digest
        )
        return "intact" if same else "changed"

    def data_version(self, stored: StoredValue, class_digest: str | None) -> str | None:
        digest = self._digest_now(stored.path or "")
        return _version(stored, digest) if digest else None

    @staticmethod
    def location(stored: StoredValue) -> Location:
        return "project"

    @classmethod
    def describe(cls, stored: StoredValue) -> str:
        return f"Returned the path {stored.path}."

    def preview(self, stored: StoredValue, rows: int) -> Preview:
        from assetgraph.storage.formats.preview_types import FilePreview

        return FilePreview(self._full_path(stored.path or ""))

    def _full_path(self, recorded: str) -> str:
        return os.path.join(self.files.project_root, recorded)

    def _digest_now(self, recorded: str) -> str | None:
        full_path = self._full_path(recorded)
        seen = look(full_path)
        if seen is None:
            return None
        return self.files.verified.digest(full_path, seen, partial(digest_of_path, full_path))


def _version(stored: StoredValue, digest: str) -> str:
    """The data version of a path. The path counts as its content does, because a downstream asset
    may use the file's name. So does a class of its own."""
    own = "" if stored.type == _PLAIN else f"\0{stored.type}"
    return digest_of("path", f"{stored.path}\0{digest}{own}".encode("utf-8", "surrogateescape"))


def _if_not_there(recorded: str, project_root: str) -> str:
    """What to do about a path that leads nowhere, with names like the first part that is not there.

    A relative path begins at the project's folder."""
    if recorded.startswith("~"):
        return "Return path.expanduser(): only a shell reads ~ as the home folder."
    advice = "Write the file before returning its path, or return str(path)."
    folder = project_root
    for part in Path(recorded).parts:
        if os.path.exists(os.path.join(folder, part)):
            folder = os.path.join(folder, part)
            continue
        similar = did_you_mean(part, _names_in(folder))
        return f"{similar} {advice}" if similar else advice
    return advice


def _names_in(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))[:_NAMES_COMPARED]
    except OSError:
        return []


def _checked_class(path: Path, recorded: str) -> str:
    """The name of the path's class, as it is recorded.

    Raises `ValueTypeError` for a path that a record cannot hold: with a name that is not UTF-8, or
    of a class that cannot be made again from the text of the path.
    """
    try:
        recorded.encode()
    except UnicodeEncodeError as error:
        shown = recorded.encode("utf-8", "backslashreplace").decode()
        raise ValueTypeError(
            f"returned the path {shown}, which is not UTF-8, so no record can hold it.",
            hint="Rename the file, and return its new path.",
        ) from error
    cls = type(path)
    if cls is _PLAIN_CLASS:
        return _PLAIN
    name = type_name(cls)
    try:
        kept = _class_named(name) is cls and cls(str(path)) == path
    except Exception:  # whatever a class of another library raises
        kept = False
    if not kept:
        raise ValueTypeError(
            f"returned the path {recorded} as {of_which_type(path)}, which its text cannot "
            "make again.",
            hint="Return pathlib.Path(path).",
        )
    return name


def _class_named(name: str) -> type[Path]:
    """The class of paths that a record names. Raises `NoValueError` if it is gone."""
    if name == _PLAIN:
        return Path
    from pkgutil import resolve_name

    try:
        return cast("type[Path]", resolve_name(name))
    except (AttributeError, ImportError, ValueError) as error:
        raise NoValueError(
            f"the path was returned as {name}, which cannot be found: {error}.",
            hint="Materialize its asset again, or bring back the class.",
        ) from error


def recorded_path(path: Path, project_root: str) -> str:
    """The path as it is recorded: relative to the project's folder if it is inside, or if it was
    returned as relative."""
    if not path.is_absolute():
        return os.path.normpath(path)
    for given, root in (
        (os.path.normpath(path), project_root),
        (os.path.realpath(path), os.path.realpath(project_root)),
    ):
        if given == root or given.startswith(root + "/"):
            return os.path.relpath(given, root)
    return os.path.normpath(path)


def loaded_path(recorded: str, project_root: str, cls: type[Path] = Path) -> Path:
    """A recorded path as a consumer gets it: relative, as an asset would write it, if the working
    folder is the project's, and absolute if it is not."""
    if os.getcwd() == project_root:
        return cls(recorded)
    return cls(os.path.join(project_root, recorded))


def look(path: str) -> Look | None:
    """The size and stamp, or None if there is no such file or folder, or only a circle of links."""
    try:
        info = os.stat(path)
        if stat.S_ISDIR(info.st_mode):
            return _look_at_folder(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # of a zero byte in the name
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise store_error(error, "look at", path) from error
    return Look(info.st_size, info.st_mtime_ns) if stat.S_ISREG(info.st_mode) else None


def digest_of_path(path: str) -> str:
    """The digest of a file's content, or of a folder's names, sorted, with their contents."""
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

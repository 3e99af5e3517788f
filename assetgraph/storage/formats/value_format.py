"""`ValueFormat`, the base class of every format of stored values.

A format stores the values it takes, loads and checks what it stored, and says in words where a
value is and what to show of it. `format_registry` lists the formats.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from assetgraph.errors import NoValueError
from assetgraph.records import IO_MANAGED, StoredValue, ValueCondition
from assetgraph.storage.atomic_files import store_error

if TYPE_CHECKING:
    from assetgraph.storage.formats.arrow.table_sources import TableInFile
    from assetgraph.storage.formats.preview_types import Preview
    from assetgraph.storage.formats.verified_contents import VerifiedContents
    from assetgraph.storage.value_places import Look, Place

# Returns the version of a class or function of the project, and None for any other.
ClassVersion = Callable[[Any], "str | None"]

_PIECE = 1 << 20

# Where a value is: in its record, in a file of the value storage, in a file or folder of the
# project, or where an IO manager put it. None has no place.
Location = Literal["nowhere", "record", "storage", "project", "io_manager"]


class Saved(msgspec.Struct, frozen=True):
    """A stored value. `metadata` is recorded with it: the rows and columns of a table."""

    stored: StoredValue
    data_version: str
    metadata: dict[str, Any] = {}

    @staticmethod
    def by_io_manager(value: object, run_id: str) -> Saved:
        """The record of a value that an IO manager stored."""
        return Saved(StoredValue(IO_MANAGED, type(value).__name__), run_id)


class ValueFiles:
    """Where the formats of one value store read and write.

    `place` is the value storage; `project_root` is the absolute path of the project's folder.
    `verified` is kept in the folder `cache`.
    """

    def __init__(
        self, root: str, project_root: str | os.PathLike[str], cache: str | None = None
    ) -> None:
        self.root = root
        self.project_root = os.path.abspath(project_root)
        self._cache = cache

    @cached_property
    def place(self) -> Place:
        from assetgraph.storage.value_places import place_at

        return place_at(self.root, self.project_root)

    @cached_property
    def verified(self) -> VerifiedContents:
        from assetgraph.storage.formats.verified_contents import VerifiedContents

        return VerifiedContents(self._cache)

    def written(self, path: str, checksum: str) -> dict[str, Any]:
        """What the record of a value has of its file, which was just written with this checksum.
        Pass it on to `StoredValue`."""
        seen = self.place.look(path)
        if seen is None:
            from assetgraph.storage.value_places import gone

            raise gone(self.place.full_path(path))
        return {"path": path, "size": seen.size, "stamp": seen.stamp, "checksum": checksum}

    def checked_path(self, stored: StoredValue) -> str:
        """The full path of a value's file. Raises `NoValueError` if the file is gone, or is not as
        it was written."""
        if stored.path is None:
            raise missing_in_record()
        full_path = self.place.full_path(stored.path)
        seen = self.place.look(stored.path)
        if seen is None:
            from assetgraph.storage.value_places import gone

            raise gone(full_path)
        if seen.size != stored.size:
            raise damaged(full_path, f"it has {seen.size} bytes, but {stored.size} were written")
        if seen.stamp != stored.stamp and not self.is_unchanged(stored, seen):
            raise damaged(full_path, "its content is not what was written")
        return full_path

    def is_unchanged(self, stored: StoredValue, seen: Look, *, deep: bool = False) -> bool:
        """Whether a value's file, which looks as `seen`, has the content that was written.

        The content is read if the stamp differs, or with `deep`. Records of the first version have
        no checksum to compare with: the size has to be enough.
        """
        if stored.checksum is None:
            return True
        if deep:
            return self._checksum(stored) == stored.checksum
        if seen.stamp == stored.stamp:
            return True
        name = (stored.path or "").rpartition("/")[0]
        return self.verified.matches(name, seen, stored.checksum, lambda: self._checksum(stored))

    def _checksum(self, stored: StoredValue) -> str:
        from assetgraph.storage.formats.digest import checksum_of  # `runs list` hashes nothing

        path = stored.path or ""
        try:
            with self.place.open_read(path) as file:
                pieces = iter(lambda: file.read(_PIECE), b"")
                return checksum_of(stored.format, stored.checksum or "", pieces)
        except OSError as error:
            raise store_error(error, "read", self.place.full_path(path)) from error


class ValueFormat(ABC):
    """One way to store values. A store makes one object of each format that it needs."""

    def __init__(self, files: ValueFiles) -> None:
        self.files = files

    @abstractmethod
    def save(self, folder: str, value: object, class_version: ClassVersion | None) -> Saved | None:
        """Store the value in its record, or in `folder`: a path within the value storage, whose
        last part is the run's id. Return None if the format does not take such a value. An
        exception leaves nothing behind.

        Raises `ValueTypeError`, whose message continues "asset 'trips' …", and `StoreError`.
        """

    @abstractmethod
    def load(self, stored: StoredValue, annotation: Any) -> object:
        """The stored value, as the annotation asks if the format can convert it.

        Raises `NoValueError` if the value is gone or cannot be read."""

    def table_file(self, stored: StoredValue) -> TableInFile | None:
        """The file of a value that is stored as a table, or None. Raises what `load` raises."""
        return None

    def check(self, stored: StoredValue, *, deep: bool = False) -> ValueCondition:
        """Whether a value is as it was written: see `ValueStore.check`."""
        if stored.path is None:
            return "intact"
        seen = self.files.place.look(stored.path)
        if seen is None:
            return "gone"
        same_size = seen.size == stored.size
        unchanged = same_size and self.files.is_unchanged(stored, seen, deep=deep)
        return "intact" if unchanged else "damaged"

    def class_digest(
        self, stored: StoredValue, named_version: Callable[[str], str | None]
    ) -> str | None:
        """A digest of the present versions of the project's classes in a value, or None if the
        value names no classes. `named_version` returns the version of a `module:qualname`."""
        return None

    def data_version(self, stored: StoredValue, class_digest: str | None) -> str | None:
        """The data version of what is stored now. None if it is gone, or cannot differ from the
        recorded version."""
        return None

    @staticmethod
    def location(stored: StoredValue) -> Location:
        return "record" if stored.path is None else "storage"

    @classmethod
    def describe(cls, stored: StoredValue) -> str:
        """A sentence that says where the value is."""
        where = "in its record" if stored.path is None else f"at {stored.path}"
        return f"Stored as {stored.format} {where}."

    def preview(self, stored: StoredValue, rows: int) -> Preview:
        """What can be shown of the value without running code from it: at most `rows` rows."""
        from assetgraph.storage.formats.preview_types import NoPreview

        return NoPreview(f"Values stored as {stored.format} have no preview.")


def damaged(path: str, why: str) -> NoValueError:
    return NoValueError(f"the value {path} is damaged: {why}.", hint="Materialize its asset again.")


def missing_in_record() -> NoValueError:
    return NoValueError(
        "the record of the value has neither the value nor its path.",
        hint="Materialize its asset again.",
    )

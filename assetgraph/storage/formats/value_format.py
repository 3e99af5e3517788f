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

if TYPE_CHECKING:
    from assetgraph.storage.formats.previews import Preview
    from assetgraph.storage.value_places import Place

# Returns the version of a class or function of the project, and None for any other.
ClassVersion = Callable[[Any], "str | None"]

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
    """

    def __init__(self, root: str, project_root: str | os.PathLike[str]) -> None:
        self.root = root
        self.project_root = os.path.abspath(project_root)

    @cached_property
    def place(self) -> Place:
        from assetgraph.storage.value_places import place_at

        return place_at(self.root, self.project_root)

    def checked_path(self, stored: StoredValue) -> str:
        """The full path of a value's file. Raises `NoValueError` if the file is gone, or its size
        differs from the recorded one."""
        if stored.path is None:
            raise missing_in_record()
        full_path = self.place.full_path(stored.path)
        size = self.place.size(stored.path)
        if size is None:
            from assetgraph.storage.value_places import gone

            raise gone(full_path)
        if size != stored.size:
            raise NoValueError(
                f"the value {full_path} is damaged: it has {size} bytes, "
                f"but {stored.size} were written.",
                hint="Materialize its asset again.",
            )
        return full_path


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

    def check(self, stored: StoredValue) -> ValueCondition:
        """Whether the file of a value still has the recorded size. A value in its record has no
        file, and is never checked."""
        size = self.files.place.size(stored.path or "")
        if size is None:
            return "gone"
        return "intact" if size == stored.size else "damaged"

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
        from assetgraph.storage.formats.previews import NoPreview

        return NoPreview(f"Values stored as {stored.format} have no preview.")


def missing_in_record() -> NoValueError:
    return NoValueError(
        "the record of the value has neither the value nor its path.",
        hint="Materialize its asset again.",
    )

"""The formats of stored values, and the names under which they are recorded.

To add a format, write its module and add its line to `FORMATS`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple, cast

from assetgraph.errors import NoValueError
from assetgraph.records import StoredValue
from assetgraph.storage.formats.value_format import (
    ClassVersion,
    Location,
    Saved,
    ValueFiles,
    ValueFormat,
)

Save = Callable[[str, object, ClassVersion | None], Saved | None]


class FormatEntry(NamedTuple):
    """A format's class, as `module:class`, and every name that it records as
    `StoredValue.format`. The module is imported when a value first needs it."""

    reference: str
    names: tuple[str, ...]


# The first format that takes a value stores it. The last one takes every value that can be pickled.
FORMATS = (
    FormatEntry("assetgraph.storage.formats.plain:PlainFormat", ("text", "bytes", "json")),
    FormatEntry("assetgraph.storage.formats.not_stored:NoneFormat", ("none",)),
    FormatEntry("assetgraph.storage.formats.not_stored:IOManagedFormat", ("custom",)),
    FormatEntry("assetgraph.storage.formats.returned_path:PathFormat", ("path",)),
    FormatEntry("assetgraph.storage.formats.source_file:SourceFormat", ("source",)),
    FormatEntry("assetgraph.storage.formats.table:TableFormat", ("parquet", "arrow")),
    FormatEntry("assetgraph.storage.formats.array:ArrayFormat", ("npy",)),
    FormatEntry("assetgraph.storage.formats.pickled:PickleFormat", ("pickle",)),
)


class ValueFormats:
    """The formats of one value store. Each is made when a value first needs it."""

    def __init__(self, files: ValueFiles) -> None:
        self._files = files
        self._entries = FORMATS
        self._by_class: dict[type[ValueFormat], ValueFormat] = {}
        self._by_name: dict[str, ValueFormat] = {}
        self._savers: tuple[Save, ...] = ()  # of the first formats, as far as needed so far

    def save(self, folder: str, value: object, class_version: ClassVersion | None) -> Saved:
        """Store the value in the first format that takes it."""
        tried = self._savers
        for save in tried:
            saved = save(folder, value, class_version)
            if saved is not None:
                return saved
        for entry in self._entries[len(tried) :]:
            tried = (*tried, self._made(_class_at(entry.reference)).save)
            self._savers = tried  # replaced whole: another thread may be going through the old one
            saved = tried[-1](folder, value, class_version)
            if saved is not None:
                return saved
        raise AssertionError("the last format takes every value")

    def of(self, stored: StoredValue) -> ValueFormat:
        """The format that stored a value."""
        try:
            return self._by_name[stored.format]
        except KeyError:
            found = self._made(_class_for(stored.format, self._entries))
            self._by_name[stored.format] = found
            return found

    def _made(self, kind: type[ValueFormat]) -> ValueFormat:
        return self._by_class.setdefault(kind, kind(self._files))


def location_of(stored: StoredValue) -> Location:
    """Where a value is."""
    return _class_for(stored.format, FORMATS).location(stored)


def description_of(stored: StoredValue) -> str:
    """A sentence that says where a value is."""
    return _class_for(stored.format, FORMATS).describe(stored)


class UnknownFormat(ValueFormat):
    """A format that this version of assetgraph does not know."""

    def save(self, folder: str, value: object, class_version: ClassVersion | None) -> Saved | None:
        return None

    def load(self, stored: StoredValue, annotation: Any) -> object:
        raise NoValueError(
            f"the value is stored as {stored.format!r}, a format that this version of assetgraph "
            "does not know.",
            hint="Upgrade assetgraph, or materialize the asset again.",
        )


def _class_for(name: str, entries: tuple[FormatEntry, ...]) -> type[ValueFormat]:
    for entry in entries:
        if name in entry.names:
            return _class_at(entry.reference)
    return UnknownFormat


@cache
def _class_at(reference: str) -> type[ValueFormat]:
    module, _, name = reference.partition(":")
    return cast("type[ValueFormat]", getattr(import_module(module), name))

"""Pickles, for every value that no other format takes.

This module imports no pickle: `pickling/` writes, hashes and reads them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any

from assetgraph.definitions.annotations import EMPTY, kind_of_value, table_kind, type_name
from assetgraph.errors import NoValueError, StoreError
from assetgraph.records import StoredValue, ValueCondition
from assetgraph.storage.atomic_files import store_error
from assetgraph.storage.formats.value_format import ClassVersion, Saved, ValueFormat

if TYPE_CHECKING:
    from assetgraph.storage.formats.preview_types import Preview


_FRAMES = ("pandas", "polars", "polars-lazy")
_PLAIN = (dict, list, tuple, set)  # most pickles: they are no frames


class PickleFormat(ValueFormat):
    """Any value that can be pickled. The record names the project's classes in it."""

    def save(self, folder: str, value: object, class_version: ClassVersion | None) -> Saved | None:
        from assetgraph.storage.formats.pickling.pickle_file import pickle_version, write_pickle

        place, path = self.files.place, f"{folder}/value.pickle"
        kind = type_name(type(value))
        table = table_kind(kind)
        if table == "polars-lazy":
            value = value.collect()  # type: ignore[attr-defined]  # a plan names files that change
        try:
            with place.staged(path) as full_path, place.open_write(full_path) as sink:
                pickled = write_pickle(value, sink, full_path, class_version)
        except OSError as error:
            raise store_error(error, "write", place.full_path(path)) from error
        stored = StoredValue(
            "pickle",
            kind,
            **self.files.written(path, pickled.checksum),
            classes=pickled.classes,
            digest=pickled.content if pickled.classes else None,
            class_digest=pickled.class_digest if pickled.classes else None,
        )
        self._write_preview(folder, value)
        version = pickle_version(pickled.content, pickled.class_digest)
        return Saved(stored, version, _metadata(value) if table in _FRAMES else {})

    def _write_preview(self, folder: str, value: object) -> None:
        """Write the first rows beside a frame or series, which does without them if that fails."""
        if not isinstance(value, _PLAIN):
            from assetgraph.storage.formats.pickling.frame_preview import FILE_NAME, frame_preview

            data = frame_preview(value)
            if data is not None:
                with suppress(StoreError):
                    self.files.place.write(f"{folder}/{FILE_NAME}", data)

    def load(self, stored: StoredValue, annotation: Any) -> object:
        full_path = self.files.checked_path(stored)
        with self.files.place.open_read(stored.path or "") as source:
            value = self._read_pickle(source, full_path)
        wanted = None if annotation is EMPTY else table_kind(annotation)
        if wanted is None and stored.type.endswith(".LazyFrame"):
            wanted = table_kind(stored.type)
        return _as_asked(value, wanted)

    @cached_property
    def _read_pickle(self) -> Callable[[IO[bytes], str], object]:
        from assetgraph.storage.formats.pickling.pickle_file import read_pickle

        return read_pickle

    def check(self, stored: StoredValue, *, deep: bool = False) -> ValueCondition:
        if stored.classes and not _all_exist(stored.classes):
            return "unreadable"
        return super().check(stored, deep=deep)

    def class_digest(
        self, stored: StoredValue, named_version: Callable[[str], str | None]
    ) -> str | None:
        if stored.class_digest is None:
            return None
        from assetgraph.storage.formats.pickling.pickle_file import digest_of_versions

        versions = {name: named_version(name) for name in stored.classes}
        return digest_of_versions({name: version for name, version in versions.items() if version})

    def data_version(self, stored: StoredValue, class_digest: str | None) -> str | None:
        if stored.digest is None or class_digest is None:
            return None
        from assetgraph.storage.formats.pickling.pickle_file import pickle_version

        return pickle_version(stored.digest, class_digest)

    def preview(self, stored: StoredValue, rows: int) -> Preview:
        from assetgraph.storage.formats.pickling.frame_preview import FILE_NAME, read_frame_preview
        from assetgraph.storage.formats.preview_types import NoPreview

        self.files.checked_path(stored)
        with suppress(
            NoValueError
        ):  # another value has none, nor has a frame of an earlier version
            path = f"{(stored.path or '').rpartition('/')[0]}/{FILE_NAME}"
            return read_frame_preview(self.files.place.read(path), rows)
        return NoPreview(
            f"The value is a pickled {stored.type}. Showing it would run its code. "
            "To see it, load it in Python with assetgraph.load(…)."
        )


def _as_asked(value: object, kind: str | None) -> object:
    """A frame that was pickled, as another kind of table if that is asked for."""
    if kind is None or kind_of_value(value) in (None, kind):
        return value
    from assetgraph.storage.formats.arrow.to_parameter_type import frame_as

    return frame_as(value, kind)


def _metadata(frame: Any) -> dict[str, Any]:
    from assetgraph.storage.column_changes import table_metadata
    from assetgraph.storage.formats.arrow.pandas_frames import columns_of

    return table_metadata(len(frame), columns_of(frame))


def _all_exist(classes: tuple[str, ...]) -> bool:
    from assetgraph.storage.formats.pickling.class_names import class_exists

    return all(map(class_exists, classes))

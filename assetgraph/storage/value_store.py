"""The value store: what an asset returns, kept by its type, and given back as a parameter asks.

Files lie at `<key>/<partition or _>/<run id>/value.<format>`; small text, bytes and JSON lie in the
record itself. Libraries of tables are imported only when a value or an annotation needs them.
"""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import cached_property
from io import IOBase
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from assetgraph.definitions.annotations import (
    EMPTY,
    accepts,
    annotation_text,
    described,
    table_kind,
    type_name,
)
from assetgraph.errors import NoValueError, ValueTypeError
from assetgraph.keys import Target, key_text, partition_file_name, partition_of
from assetgraph.records import StoredValue, ValueCondition
from assetgraph.storage.atomic_files import store_error
from assetgraph.storage.column_changes import table_metadata
from assetgraph.storage.formats.digest import digest_of
from assetgraph.storage.formats.plain import decode_json, exact_json, exact_text
from assetgraph.storage.value_places import Place, gone, place_at

INLINE_BYTES = 4096
_SUFFIX = {"text": "txt", "bytes": "bin"}
_IMMUTABLE = {str, bytes, int, float, bool, complex, type(None)}
_IMMUTABLE_TABLES = {"pyarrow.lib.Table", "pyarrow.lib.RecordBatch"}

ClassVersion = Callable[[Any], "str | None"]


class Saved(msgspec.Struct, frozen=True):
    """A value that was stored; `metadata` is what is recorded of a table: its rows and columns."""

    stored: StoredValue
    data_version: str
    metadata: dict[str, Any] = {}


class StoredRun(NamedTuple):
    """What one run stored of one asset, in `size` bytes. `folder` is what `delete` takes."""

    key: str
    partition: str | None
    run_id: str
    folder: str
    size: int


class ValueStore:
    """Values under `root`: a folder (relative to the project's), `s3://…` or `gs://…`."""

    def __init__(self, root: str, project_root: str | Path) -> None:
        self.root = root
        self._project_root = os.path.abspath(project_root)
        self._digests: dict[tuple[str, int, int], str] = {}

    def save(
        self,
        target: Target,
        run_id: str,
        value: object,
        *,
        class_version: ClassVersion | None = None,
    ) -> Saved:
        """Store what an asset returned. `class_version` gives the version of a class or function
        of the project, which counts in the data version of a pickle that names it.

        Raises `ValueTypeError` for what cannot be stored, and `StoreError`; then nothing is left.
        What a returned generator raises passes through.
        """
        folder = f"{target.key.file_name}/{partition_file_name(target.partition)}/{run_id}"
        if value is None:
            return Saved(StoredValue("none", "None"), run_id)
        try:
            for save in _SAVES:
                saved = save(self, folder, value)
                if saved is not None:
                    return saved
            return self._save_pickle(folder, value, class_version)
        except ValueTypeError as error:
            message = f"asset {target.text!r} {error.message}"
            raise ValueTypeError(message, hint=error.hint) from error.__cause__

    def load(self, stored: StoredValue, annotation: Any = EMPTY) -> object:
        """The value as a parameter so annotated wants it; without an annotation, of the type that
        was returned.

        Raises `NoValueError` if it is gone, damaged or of a class that no longer exists, and
        `ValueTypeError` if it is not what the annotation says.
        """
        return _fitting(self._load(stored, annotation), annotation)

    def adapt(self, value: object, annotation: Any = EMPTY) -> object:
        """What `load` would give, of an immutable value that is still in memory."""
        if type(value) in _IMMUTABLE:
            return _fitting(value, annotation)
        if isinstance(value, Path):
            value = self._as_recorded(self._recorded_path(value))
        elif type_name(type(value)) in _IMMUTABLE_TABLES and table_kind(annotation):
            from assetgraph.storage.formats.conversions import table_as
            from assetgraph.storage.formats.tables import TableInMemory

            value = table_as(TableInMemory(value), table_kind(annotation) or "table")
        return _fitting(value, annotation)

    def check(self, stored: StoredValue) -> ValueCondition:
        """Whether the value is as it was recorded: a look at its size; of a returned path its hash
        too, where size or stamp differ. Changed is a returned path's content, damaged a value of
        the store, and unreadable a pickle that names a class of the project that is no more."""
        if stored.path is None:
            return "intact"
        if stored.format == "path":
            return self._check_path(stored, stored.path)
        if stored.classes and not _all_exist(stored.classes):
            return "unreadable"
        size = self._place.size(stored.path)
        if size is None:
            return "gone"
        return "intact" if size == stored.size else "damaged"

    def meaning(
        self, stored: StoredValue, named_version: Callable[[str], str | None]
    ) -> str | None:
        """What the present versions of the project's classes make of a pickle; None if it names
        none, or its record says nothing of it."""
        if stored.meaning is None:
            return None
        from assetgraph.storage.formats.pickled import meaning_of

        versions = {name: named_version(name) for name in stored.classes}
        return meaning_of({name: version for name, version in versions.items() if version})

    def data_version(self, stored: StoredValue, meaning: str | None = None) -> str | None:
        """The data version of a returned path's content as it is now, None if it is gone; or of a
        pickle that has another `meaning` now."""
        if stored.digest is not None and meaning is not None:
            from assetgraph.storage.formats.pickled import pickle_version

            return pickle_version(stored.digest, meaning)
        if stored.format != "path" or stored.path is None:
            return None
        digest = self._digest_now(stored.path)
        return _path_version(stored.path, digest) if digest else None

    def runs(self) -> Iterator[StoredRun]:
        """Everything that is stored, one for each run of each asset (and partition)."""
        sizes: dict[str, int] = {}
        for file in self._place.files():
            folder = "/".join(file.path.split("/")[:3])
            sizes[folder] = sizes.get(folder, 0) + file.size
        for folder, size in sorted(sizes.items()):
            parts = folder.split("/")
            if len(parts) == 3:
                key, partition = key_text(parts[0]), partition_of(parts[1])
                yield StoredRun(key, partition, parts[2], folder, size)

    def delete(self, folder: str) -> None:
        """Delete what one run stored of one asset: the folder of a `StoredRun`."""
        self._place.delete_folder(folder)

    @staticmethod
    def is_immutable(value: object) -> bool:
        """Whether consumers may share the value within a run, without reading it back."""
        return (
            type(value) in _IMMUTABLE
            or isinstance(value, Path)
            or type_name(type(value)) in _IMMUTABLE_TABLES
        )

    @cached_property
    def _place(self) -> Place:
        return place_at(self.root, self._project_root)

    def _save_plain(self, folder: str, value: object) -> Saved | None:
        """Text, bytes, or what JSON gives back just as it is."""
        kind = type(value)
        if kind is str:
            name, data = "text", exact_text(str(value))
        elif isinstance(value, bytes) and kind is bytes:
            name, data = "bytes", value
        else:
            name, data = "json", exact_json(value)
        if data is None:
            return None
        version = digest_of(name, data)
        if len(data) <= INLINE_BYTES:
            inline = base64.b64encode(data) if name == "bytes" else data
            return Saved(StoredValue(name, kind.__name__, inline=inline.decode()), version)
        path = f"{folder}/value.{_SUFFIX.get(name, name)}"
        self._place.write(path, data)
        return Saved(StoredValue(name, kind.__name__, path, size=len(data)), version)

    def _save_path(self, _folder: str, value: object) -> Saved | None:
        if not isinstance(value, Path):
            return None
        from assetgraph.storage.formats import paths

        recorded = self._recorded_path(value)
        full_path = os.path.join(self._project_root, recorded)
        seen = paths.look(full_path)
        if seen is None:
            raise ValueTypeError(
                f"returned the path {recorded}, where there is no file and no folder.",
                hint="Write the file before returning its path, or return str(path).",
            )
        digest = paths.digest_of_path(full_path)
        stored = StoredValue(
            "path", "pathlib.Path", recorded, size=seen.size, stamp=seen.stamp, digest=digest
        )
        return Saved(stored, _path_version(recorded, digest))

    def _save_table(self, folder: str, value: object) -> Saved | None:
        if isinstance(value, Coroutine | AsyncIterator):
            raise ValueTypeError(
                f"returned {described(value)}, which has not run yet.",
                hint="Return its result: asyncio.run() gives it.",
            )
        if not _may_be_table(value):
            return None
        from assetgraph.storage.formats import tables
        from assetgraph.storage.formats.streams import stream_of

        stream = stream_of(value)
        if stream is None:
            return None
        file_format = tables.file_format_for(stream.schema)
        path = f"{folder}/value.{file_format}"
        with self._place.staged(path) as full_path:
            written = tables.write_table(stream, self._place, full_path, file_format)
        size = self._place.size(path)
        columns = ((field.name, str(field.type)) for field in stream.schema)
        is_reader = stream.kind == "reader"
        returned = "pyarrow.lib.RecordBatchReader" if is_reader else type_name(type(value))
        return Saved(
            StoredValue(file_format, returned, path, size=size),
            written.data_version,
            table_metadata(written.rows, columns),
        )

    def _save_pickle(self, folder: str, value: object, class_version: ClassVersion | None) -> Saved:
        from assetgraph.storage.formats.pickled import pickle_version, write_pickle

        path = f"{folder}/value.pickle"
        try:
            with (
                self._place.staged(path) as full_path,
                self._place.open_write(full_path) as sink,
            ):
                made = write_pickle(value, sink, full_path, class_version)
        except OSError as error:
            raise store_error(error, "write", self._place.full_path(path)) from error
        size = self._place.size(path)
        kind = type_name(type(value))
        stored = StoredValue("pickle", kind, path, size=size, classes=made.classes)
        if made.classes:
            stored = msgspec.structs.replace(stored, digest=made.content, meaning=made.meaning)
        version = pickle_version(made.content, made.meaning)
        return Saved(
            stored, version, _frame_metadata(value) if table_kind(kind) == "pandas" else {}
        )

    def _load(self, stored: StoredValue, annotation: Any) -> object:
        if stored.format == "none":
            return None
        load = _LOADS.get(stored.format)
        if load is None or (stored.path is None and stored.inline is None):
            raise NoValueError(
                "the value needs the IO manager that stored it.",
                hint="Materialize its asset again, or give the asset its io_manager back.",
            )
        return load(self, stored, annotation)

    def _load_plain(self, stored: StoredValue, _annotation: Any) -> object:
        if stored.path is not None:
            self._checked_path(stored)
            data = self._place.read(stored.path)
        elif stored.format == "bytes":
            return base64.b64decode(stored.inline or "")
        else:
            data = (stored.inline or "").encode()
        if stored.format == "json":
            return decode_json(data)
        return data.decode() if stored.format == "text" else data

    def _load_path(self, stored: StoredValue, _annotation: Any) -> object:
        recorded = stored.path or ""
        full_path = os.path.join(self._project_root, recorded)
        if not os.path.exists(full_path):
            raise gone(full_path)
        return self._as_recorded(recorded)

    def _load_table(self, stored: StoredValue, annotation: Any) -> object:
        from assetgraph.storage.formats.conversions import table_as
        from assetgraph.storage.formats.tables import TableInFile

        full_path = self._checked_path(stored)
        kind = table_kind(annotation) or table_kind(stored.type) or "table"
        return table_as(TableInFile(full_path, self._place.filesystem, stored.format), kind)

    def _load_pickle(self, stored: StoredValue, annotation: Any) -> object:
        from assetgraph.storage.formats.pickled import read_pickle

        full_path = self._checked_path(stored)
        with self._place.open_read(stored.path or "") as source:
            return _table_of(read_pickle(source, full_path), annotation)

    def _checked_path(self, stored: StoredValue) -> str:
        """The full path of a value's file, which has the recorded size."""
        path, size = stored.path or "", stored.size
        full_path = self._place.full_path(path)
        found = self._place.size(path)
        if found is None:
            raise gone(full_path)
        if found != size:
            raise NoValueError(
                f"the value {full_path} is damaged: it has {found} bytes, and {size} were written.",
                hint="Materialize its asset again.",
            )
        return full_path

    def _check_path(self, stored: StoredValue, path: str) -> ValueCondition:
        from assetgraph.storage.formats import paths

        seen = paths.look(os.path.join(self._project_root, path))
        if seen is None:
            return "gone"
        if seen == (stored.size, stored.stamp) or self._digest_now(path) == stored.digest:
            return "intact"
        return "changed"

    def _digest_now(self, path: str) -> str | None:
        from assetgraph.storage.formats import paths

        full_path = os.path.join(self._project_root, path)
        seen = paths.look(full_path)
        if seen is None:
            return None
        known = (path, *seen)
        if known not in self._digests:
            self._digests[known] = paths.digest_of_path(full_path)
        return self._digests[known]

    def _recorded_path(self, path: Path) -> str:
        from assetgraph.storage.formats.paths import recorded_path

        return recorded_path(path, self._project_root)

    def _as_recorded(self, recorded: str) -> Path:
        """Relative, as an asset would write it, where the working folder is the project's."""
        if os.getcwd() == self._project_root:
            return Path(recorded)
        return Path(self._project_root, recorded)


class _Kind(NamedTuple):
    """A way to keep a value. `save` gives None for a value that it does not take; `load` reads
    back what is recorded with one of `formats`."""

    formats: tuple[str, ...]
    save: Callable[[ValueStore, str, object], Saved | None]
    load: Callable[[ValueStore, StoredValue, Any], object]


# The first that takes a value keeps it; what none takes is pickled.
_KINDS = (
    _Kind(("text", "bytes", "json"), ValueStore._save_plain, ValueStore._load_plain),
    _Kind(("path",), ValueStore._save_path, ValueStore._load_path),
    _Kind(("parquet", "arrow"), ValueStore._save_table, ValueStore._load_table),
)
_SAVES = tuple(kind.save for kind in _KINDS)
_LOADS = {name: kind.load for kind in _KINDS for name in kind.formats}
_LOADS["pickle"] = ValueStore._load_pickle


def _frame_metadata(frame: Any) -> dict[str, Any]:
    from assetgraph.storage.formats.frames import columns_of

    return table_metadata(len(frame), columns_of(frame))


def _table_of(value: object, annotation: Any) -> object:
    """A frame that was pickled whole, as another kind of table where one is asked for."""
    kind = table_kind(annotation)
    if kind is None or table_kind(type_name(type(value))) in (None, kind):
        return value
    from assetgraph.storage.formats.conversions import frame_as

    return frame_as(value, kind)


def _fitting(value: object, annotation: Any) -> object:
    if annotation is EMPTY or type(value) is annotation or accepts(annotation, value):
        return value
    raise ValueTypeError(
        f"a parameter annotated `{annotation_text(annotation)}` cannot take the value, "
        f"which is {described(value)}.",
        hint="Change the annotation, or what the upstream returns.",
    )


def _path_version(recorded: str, digest: str) -> str:
    """The path counts beside the content: an asset downstream may use the file's name."""
    return digest_of("path", f"{recorded}\0{digest}".encode("utf-8", "surrogateescape"))


def _may_be_table(value: object) -> bool:
    kind = type(value)
    return (
        hasattr(kind, "__arrow_c_stream__")
        or table_kind(type_name(kind)) is not None
        or (isinstance(value, Iterator) and not isinstance(value, IOBase))
    )


def _all_exist(classes: tuple[str, ...]) -> bool:
    from assetgraph.storage.formats.pickled import class_exists

    return all(map(class_exists, classes))

"""The value store: stores what an asset returns in the format for its type, and loads it as the
type that a parameter asks for.

A value's file is `<key>/<partition or _>/<run id>/value.<format>`. Small text, bytes and JSON are
in the record itself. Table libraries are imported only when a value or an annotation needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from assetgraph.definitions.annotations import (
    EMPTY,
    accepts,
    annotation_text,
    described,
    public_name,
    table_kind,
    type_name,
)
from assetgraph.errors import AssetGraphError, NoValueError, ValueTypeError
from assetgraph.keys import AssetKey, Target, key_text, partition_file_name
from assetgraph.records import Materialization, StoredValue, ValueCondition
from assetgraph.storage.asset_names import AssetNames
from assetgraph.storage.atomic_files import names_in
from assetgraph.storage.formats.format_registry import ValueFormats
from assetgraph.storage.formats.value_format import ClassVersion, ValueFiles
from assetgraph.storage.formats.value_format import Saved as Saved

if TYPE_CHECKING:
    from assetgraph.definitions.computation import AssetSpec
    from assetgraph.storage.formats.arrow.table_sources import TableInFile
    from assetgraph.storage.formats.preview_types import Preview
    from assetgraph.storage.formats.source_file import Source
    from assetgraph.storage.formats.verified_contents import VerifiedContents

PREVIEW_ROWS = 50
IMMUTABLE = {str, bytes, int, float, bool, complex, type(None)}
_IMMUTABLE_TABLES = {"pyarrow.lib.Table", "pyarrow.lib.RecordBatch"}


class StoredRun(NamedTuple):
    """What one run stored of one asset, in `size` bytes. Pass `folder` to `delete`.

    `partition_name` is the file name of a partition.
    """

    key: str
    partition_name: str
    run_id: str
    folder: str
    size: int


class ValueStore:
    """The values under `root`: a folder (relative to the project's), `s3://…` or `gs://…`.

    The folder `cache` remembers which files were read and found intact. Folders of values are
    called by the identities that `names` has for their assets.
    """

    def __init__(
        self,
        root: str,
        project_root: str | Path,
        cache: str | None = None,
        names: AssetNames | None = None,
    ) -> None:
        self.root = root
        self._names = names or AssetNames("", ())
        self._files = ValueFiles(root, project_root, cache)
        self._formats = ValueFormats(self._files)

    @property
    def verified(self) -> VerifiedContents:
        """What was read of files, by their stamps."""
        return self._files.verified

    def save(
        self,
        target: Target,
        run_id: str,
        value: object,
        *,
        class_version: ClassVersion | None = None,
    ) -> Saved:
        """Store what an asset returned.

        `class_version` returns the version of a class or function of the project, which counts in
        the data version of a pickle that names it. Raises `ValueTypeError` for a value that cannot
        be stored, and `StoreError`; both leave nothing behind. An exception from a returned
        generator passes through.
        """
        key = self._names.identity(target.key) if self._names.renamings else target.key
        folder = f"{key.file_name}/{partition_file_name(target.partition)}/{run_id}"
        try:
            return self._formats.save(folder, value, class_version)
        except ValueTypeError as error:
            message = f"asset {target.text!r} {error.message}"
            raise ValueTypeError(message, hint=error.hint) from error.__cause__

    def load(self, stored: StoredValue, annotation: Any = EMPTY) -> object:
        """The value as the annotation asks, or without one, of the type that was returned.

        Raises `NoValueError` if the value is gone, damaged or of a class that no longer exists,
        and `ValueTypeError` if it does not fit the annotation.
        """
        return _fitting(self._formats.of(stored).load(stored, annotation), annotation)

    def load_output(
        self,
        stored: StoredValue,
        annotation: Any = EMPTY,
        *,
        run_id: str,
        maker: AssetSpec | None,
        partition: str | None = None,
    ) -> object:
        """The value that the asset `maker` returned for a partition in the run `run_id`: from the
        asset's IO manager if that stored it, else as `load` returns it."""
        if maker is None or maker.io_manager is None or not stored.by_io_manager:
            return self.load(stored, annotation)
        from assetgraph.definitions.io_manager import InputContext

        definition = maker.partitions_def
        return maker.io_manager.load_input(
            InputContext(maker.key, run_id, annotation, partition, definition)
        )

    def table_file(self, stored: StoredValue) -> TableInFile | None:
        """The file of a value that is stored as a table, to read it together with others, or None.
        Raises what `load` raises."""
        return self._formats.of(stored).table_file(stored)

    def load_made(
        self,
        key: AssetKey,
        made: Materialization,
        annotation: Any = EMPTY,
        *,
        maker: AssetSpec | None = None,
    ) -> object:
        """The value that `made` records of an asset, as `load_output` returns it. An error names
        the asset."""
        try:
            self.require_intact(made.value)
            return self.load_output(
                made.value,
                annotation,
                run_id=made.run_id,
                maker=maker,
                partition=made.partition,
            )
        except AssetGraphError as error:
            error.about(f"asset {key.text!r}")
            raise
        except Exception as error:  # of the IO manager
            error.add_note(f"It was raised when the value of asset {key.text!r} was loaded.")
            raise

    def adapt(self, value: object, annotation: Any = EMPTY) -> object:
        """What `load` would return, for an immutable value that is still in memory."""
        if type(value) in IMMUTABLE:
            return value if annotation is EMPTY else _fitting(value, annotation)
        if isinstance(value, Path):
            from assetgraph.storage.formats.returned_path import loaded_path, recorded_path

            root = self._files.project_root
            value = loaded_path(recorded_path(value, root), root, type(value))
        elif type_name(type(value)) in _IMMUTABLE_TABLES and table_kind(annotation):
            from assetgraph.storage.formats.arrow.table_sources import TableInMemory
            from assetgraph.storage.formats.arrow.to_parameter_type import table_as

            value = table_as(TableInMemory(value), table_kind(annotation) or "table")
        return _fitting(value, annotation)

    def check(self, stored: StoredValue, *, deep: bool = False) -> ValueCondition:
        """Whether the value is as it was recorded.

        A file of the store may be gone or damaged, a returned path may be gone or changed. The
        content of either is read only if its size or stamp differs, or with `deep`. A value in its
        record may be damaged. A pickle is unreadable if it names a class of the project that no
        longer exists.
        """
        return self._formats.of(stored).check(stored, deep=deep)

    def is_plain(self, stored: StoredValue) -> bool:
        """Whether the record of a value says all that can be known of it: it is in there, intact,
        and depends on no class of the project."""
        if stored.path is not None or stored.by_io_manager or stored.classes:
            return False
        return stored.checksum is None or self.check(stored) == "intact"

    def check_output(self, made: Materialization, maker: AssetSpec | None) -> ValueCondition:
        """Whether the value that `made` records is as it was: by the asset's IO manager if that
        stored it, else as `check` finds it.

        Raises `AssetGraphError` if the `check` of the IO manager fails.
        """
        if maker is None or not made.value.by_io_manager:
            return self.check(made.value)
        if maker.io_manager is None:
            return "unreadable"
        from assetgraph.definitions.io_manager import checked_condition

        return checked_condition(maker.io_manager, maker.key, made, maker.partitions_def)

    def require_intact(self, stored: StoredValue) -> None:
        """Raise `NoValueError` if a value in its record is damaged. Of any other, `load` says so:
        a run has checked what it plans to read, and pays for no second check."""
        if stored.path is None and self.check(stored) == "damaged":
            raise NoValueError(
                "the value in the record is damaged: it is not what was written.",
                hint="Materialize its asset again.",
            )

    def look_at_source(self, source: str) -> Source:
        """What is at the source of an external asset now. Raises `StoreError`."""
        from assetgraph.storage.formats.source_file import FORMAT, SourceFormat

        source_format = self._formats.of(StoredValue(FORMAT))
        assert isinstance(source_format, SourceFormat)
        return source_format.look_at(source)

    def is_there(self, stored: StoredValue) -> bool:
        """Whether the file of a value in the value storage exists."""
        return self._files.place.look(stored.path or "") is not None

    def class_digest(
        self, stored: StoredValue, named_version: Callable[[str], str | None]
    ) -> str | None:
        """A digest of the present versions of the project's classes in a value, or None if the
        value names none, or its record has no such digest."""
        if stored.class_digest is None:
            return None
        return self._formats.of(stored).class_digest(stored, named_version)

    def data_version(self, stored: StoredValue, class_digest: str | None = None) -> str | None:
        """The data version of what is stored now: of a returned path's present content, or of a
        pickle whose classes now have another `class_digest`. None if it is gone, or cannot differ
        from the recorded version."""
        return self._formats.of(stored).data_version(stored, class_digest)

    def preview(self, stored: StoredValue, rows: int = PREVIEW_ROWS) -> Preview:
        """What can be shown of the value without running code from it: at most `rows` rows of a
        table. Raises `NoValueError`, `OSError` or `ValueError` if it cannot be read."""
        self.require_intact(stored)
        return self._formats.of(stored).preview(stored, rows)

    def kept_of(self, keys: Iterable[AssetKey]) -> Iterator[AssetKey]:
        """Those of `keys` that have a value, perhaps of a partition, in a local folder. An object
        store is not asked, since its answers take long."""
        if self._files.place.filesystem is not None:
            return
        root = self._files.place.full_path("")
        present = set(names_in(root))
        for key in keys:
            name = self._names.identity(key).file_name
            if name in present:
                folder = f"{root}{name}"
                if any(names_in(f"{folder}/{partition}") for partition in names_in(folder)):
                    yield key

    def runs(self, of: AssetKey | None = None) -> Iterator[StoredRun]:
        """Everything that is stored, or all of one asset, one item for each run of each asset and
        partition."""
        sizes: dict[str, int] = {}
        for file in self._files.place.files(self._names.identity(of).file_name if of else ""):
            folder = "/".join(file.path.split("/")[:3])
            sizes[folder] = sizes.get(folder, 0) + file.size
        for folder, size in sorted(sizes.items()):
            parts = folder.split("/")
            if len(parts) == 3:
                key = self._names.name(AssetKey.unchecked(key_text(parts[0])))
                yield StoredRun(key.text, parts[1], parts[2], folder, size)

    def delete(self, folder: str) -> None:
        """Delete what one run stored of one asset: the folder of a `StoredRun`."""
        self._files.place.delete_folder(folder)
        self._files.verified.forget(folder)

    def delete_all(self, key: AssetKey, partitions: Iterable[str] | None = None) -> None:
        """Delete everything that is stored of one asset, or of some of its partitions."""
        names = None if partitions is None else set(map(partition_file_name, partitions))
        for run in tuple(self.runs(key)):
            if names is None or run.partition_name in names:
                self.delete(run.folder)
        folder = self._names.identity(key).file_name
        for each in [folder] if names is None else [f"{folder}/{name}" for name in names]:
            self._files.place.delete_folder(each)

    @staticmethod
    def is_immutable(value: object) -> bool:
        """Whether consumers may share the value within a run instead of loading it."""
        return (
            type(value) in IMMUTABLE
            or isinstance(value, Path)
            or type_name(type(value)) in _IMMUTABLE_TABLES
        )


def _fitting(value: object, annotation: Any) -> object:
    """The value, if it fits the annotation. Raises `ValueTypeError` if it does not."""
    if annotation is EMPTY or type(value) is annotation or accepts(annotation, value):
        return value
    returned = Path if isinstance(value, Path) else type(value)
    raise ValueTypeError(
        f"the value cannot be loaded as `{annotation_text(annotation)}`: it is {described(value)}.",
        hint="Return pathlib.Path(…) instead of its text; the file is then tracked, too."
        if isinstance(value, str) and annotation is Path
        else f"Ask for {public_name(returned)}, or change what the asset returns.",
    )

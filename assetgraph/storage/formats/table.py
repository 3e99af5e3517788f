"""Tables: anything that holds Arrow data or produces it, stored as Parquet or as an Arrow file.

This module imports no table library. `arrow/` has the parts that do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator
from io import IOBase
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.annotations import described, table_kind, type_name
from assetgraph.errors import ValueTypeError
from assetgraph.records import StoredValue
from assetgraph.storage.formats.value_format import ClassVersion, Saved, ValueFormat

if TYPE_CHECKING:
    from assetgraph.storage.formats.arrow.table_sources import TableInFile
    from assetgraph.storage.formats.preview_types import Preview


class TableFormat(ValueFormat):
    """A table, a frame, a dataset, or an iterator of tables, written in a stream."""

    def save(self, folder: str, value: object, class_version: ClassVersion | None) -> Saved | None:
        if isinstance(value, Coroutine | AsyncIterator):
            raise ValueTypeError(
                f"returned {described(value)}, which has not run yet.",
                hint="Collect what it yields and return that: [item async for item in …]."
                if isinstance(value, AsyncIterator)
                else "Return its result: asyncio.run() gives it.",
            )
        if not _may_be_table(value):
            return None
        from assetgraph.storage.column_changes import table_metadata
        from assetgraph.storage.formats.arrow import table_writer
        from assetgraph.storage.formats.arrow.streams import stream_of

        stream = stream_of(value)
        if stream is None:
            return None
        name = table_writer.file_format_for(stream.schema)
        path = f"{folder}/value.{name}"
        place = self.files.place
        with place.staged(path) as full_path:
            written = table_writer.write_table(stream, place.open_write, full_path, name)
        columns = ((field.name, str(field.type)) for field in stream.schema)
        is_reader = stream.kind == "reader"
        returned = "pyarrow.lib.RecordBatchReader" if is_reader else type_name(type(value))
        return Saved(
            StoredValue(name, returned, **self.files.written(path, written.checksum)),
            written.data_version,
            table_metadata(written.rows, columns),
        )

    def load(self, stored: StoredValue, annotation: Any) -> object:
        from assetgraph.storage.formats.arrow.to_parameter_type import table_as

        kind = table_kind(annotation) or table_kind(stored.type) or "table"
        return table_as(self.table_file(stored), kind)

    def preview(self, stored: StoredValue, rows: int) -> Preview:
        from assetgraph.storage.formats.preview_types import MOST_COLUMNS

        return self.table_file(stored).preview(rows, MOST_COLUMNS)

    def table_file(self, stored: StoredValue) -> TableInFile:
        from assetgraph.storage.formats.arrow.table_sources import TableInFile

        full_path = self.files.checked_path(stored)
        return TableInFile(full_path, self.files.place.filesystem, stored.format, stored.type)


def _may_be_table(value: object) -> bool:
    kind = type(value)
    return (
        hasattr(kind, "__arrow_c_stream__")
        or table_kind(type_name(kind)) is not None
        or (isinstance(value, Iterator) and not isinstance(value, IOBase))
    )

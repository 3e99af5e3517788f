"""A table to read: from its file, or in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from assetgraph.errors import NoValueError
from assetgraph.storage.formats.preview_types import TablePreview
from assetgraph.storage.value_places import gone

if TYPE_CHECKING:
    from pyarrow.dataset import Dataset, FileFormat

_BUFFER = 1 << 16
_LONGEST_CELL = 300


@dataclass(frozen=True, slots=True)
class TableInMemory:
    """A table that a step passes on within its run."""

    value: pa.Table | pa.RecordBatch

    def read(self) -> pa.Table:
        if isinstance(self.value, pa.RecordBatch):
            return pa.Table.from_batches([self.value])
        return self.value

    def schema(self) -> pa.Schema:
        return self.value.schema

    def reader(self) -> pa.RecordBatchReader:
        return self.read().to_reader()

    def dataset(self) -> Dataset:
        import pyarrow.dataset

        return pyarrow.dataset.dataset(self.read())


@dataclass(frozen=True, slots=True)
class TableInFile:
    """A stored table. `path` is its full path; `filesystem` is None for a local file; `file_format`
    is parquet or arrow; `returned` names the type that was returned."""

    path: str
    filesystem: Any
    file_format: str
    returned: str = ""

    @property
    def is_parquet(self) -> bool:
        return self.file_format == "parquet"

    def read(self) -> pa.Table:
        with _reading(self.path):
            if self.is_parquet:
                return pq.ParquetFile(self.path, filesystem=self.filesystem).read()
            return ipc.open_file(self._source()).read_all()

    def schema(self) -> pa.Schema:
        with _reading(self.path):
            if self.is_parquet:
                return pq.ParquetFile(self.path, filesystem=self.filesystem).schema_arrow
            return ipc.open_file(self._source()).schema

    def reader(self) -> pa.RecordBatchReader:
        with _reading(self.path):
            if self.is_parquet:
                file = pq.ParquetFile(
                    self.path, filesystem=self.filesystem, pre_buffer=not self._is_local
                )
                return pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches())
            file = ipc.open_file(self._source())
            batches = (file.get_batch(number) for number in range(file.num_record_batches))
            return pa.RecordBatchReader.from_batches(file.schema, batches)

    def dataset(self) -> Dataset:
        import pyarrow.dataset

        with _reading(self.path):
            return pyarrow.dataset.dataset(
                self.path, format=self.dataset_format(), filesystem=self.filesystem
            )

    def preview(self, rows: int, most_columns: int) -> TablePreview:
        """The first rows and columns, at the cost of what is shown and of the file's own header."""
        with _reading(self.path):
            schema, head = self._head(rows + 1, most_columns)
        columns = [(field.name, str(field.type)) for field in head.schema][:most_columns]
        cells = [_first_values(column)[:rows] for column in head.columns[:most_columns]]
        shown = [list(row) for row in zip(*cells, strict=True)]
        return TablePreview(columns, shown, head.num_rows > rows, len(schema) - len(columns))

    def _head(self, rows: int, most_columns: int) -> tuple[pa.Schema, pa.Table]:
        """The schema, and about that many rows of the first columns."""
        if self.is_parquet:
            file = pq.ParquetFile(self.path, filesystem=self.filesystem, buffer_size=_BUFFER)
            schema = file.schema_arrow
            names = schema.names[:most_columns] if len(schema) > most_columns else None
            batches = file.iter_batches(rows, columns=names)
        else:
            schema = ipc.open_file(self._source()).schema
            fields = list(range(min(most_columns, len(schema))))
            options = ipc.IpcReadOptions(included_fields=fields)
            opened = ipc.open_file(self._source(), options=options)
            batches = (opened.get_batch(at) for at in range(opened.num_record_batches))
            names = schema.names[:most_columns]
        found: list[pa.RecordBatch] = []
        while sum(map(len, found)) < rows and (batch := next(batches, None)) is not None:
            found.append(batch.slice(0, rows))
        shown = schema if names is None else pa.schema([schema.field(i) for i in range(len(names))])
        return schema, pa.Table.from_batches(found, found[0].schema if found else shown)

    def dataset_format(self) -> FileFormat:
        from pyarrow.dataset import IpcFileFormat, ParquetFileFormat, ParquetFragmentScanOptions

        if not self.is_parquet:
            return IpcFileFormat()
        options = ParquetFragmentScanOptions(pre_buffer=not self._is_local)
        return ParquetFileFormat(default_fragment_scan_options=options)

    @property
    def _is_local(self) -> bool:
        """Whether to read without fetching ahead. Fetching ahead is faster from an object store,
        but holds everything it fetched until the end."""
        return self.filesystem is None

    def _source(self) -> pa.NativeFile:
        return (
            self.filesystem.open_input_file(self.path) if self.filesystem else pa.OSFile(self.path)
        )


def _first_values(column: pa.ChunkedArray) -> list[Any]:
    """The values of a column, long ones cut: a cell may hold as much as a whole table."""
    kind = column.type
    try:
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            column = pc.list_slice(column, 0, _LONGEST_CELL)
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
            column = pc.utf8_slice_codeunits(column, 0, _LONGEST_CELL)
        elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            column = pc.binary_slice(column, 0, _LONGEST_CELL)
    except pa.ArrowNotImplementedError:
        pass
    values: list[Any] = column.to_pylist()
    return values


@contextmanager
def _reading(path: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise gone(path) from error
    except (pa.ArrowException, OSError) as error:
        raise NoValueError(
            f"the value {path} cannot be read: {error}.", hint="Materialize its asset again."
        ) from error

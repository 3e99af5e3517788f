"""A table to read: from its file, or in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from assetgraph.errors import NoValueError
from assetgraph.storage.formats.previews import TablePreview
from assetgraph.storage.value_places import gone

if TYPE_CHECKING:
    from pyarrow.dataset import Dataset, FileFormat


@dataclass(frozen=True, slots=True)
class TableInMemory:
    """A table that a step passes on within its run."""

    value: pa.Table | pa.RecordBatch

    def read(self) -> pa.Table:
        if isinstance(self.value, pa.RecordBatch):
            return pa.Table.from_batches([self.value])
        return self.value

    def reader(self) -> pa.RecordBatchReader:
        return self.read().to_reader()

    def dataset(self) -> Dataset:
        import pyarrow.dataset

        return pyarrow.dataset.dataset(self.read())


@dataclass(frozen=True, slots=True)
class TableInFile:
    """A stored table. `path` is its full path; `filesystem` is None for a local file; `file_format`
    is parquet or arrow."""

    path: str
    filesystem: Any
    file_format: str

    @property
    def is_parquet(self) -> bool:
        return self.file_format == "parquet"

    def read(self) -> pa.Table:
        with _reading(self.path):
            if self.is_parquet:
                return pq.ParquetFile(self.path, filesystem=self.filesystem).read()
            return ipc.open_file(self._source()).read_all()

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
                self.path, format=self._dataset_format(), filesystem=self.filesystem
            )

    def _dataset_format(self) -> FileFormat:
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


def preview_of(dataset: Dataset, rows: int) -> TablePreview:
    """The first rows of a dataset."""
    head = dataset.head(rows + 1)
    columns = [(field.name, str(field.type)) for field in head.schema]
    cells = [column.to_pylist()[:rows] for column in head.columns]
    shown = [list(row) for row in zip(*cells, strict=True)]
    return TablePreview(columns, shown, head.num_rows > rows)


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

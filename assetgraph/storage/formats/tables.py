"""Tables: anything that is Arrow or gives Arrow, written in a stream as Parquet.

A table whose types Parquet would change (seconds become milliseconds) or refuse is written as an
Arrow file instead, so that what comes back is always what was returned.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from assetgraph.errors import NoValueError, ValueTypeError
from assetgraph.storage.atomic_files import store_error
from assetgraph.storage.formats.arrow_hash import ArrowHash
from assetgraph.storage.formats.arrow_types import breaks_in_parquet

if TYPE_CHECKING:
    from pyarrow.dataset import Dataset, FileFormat

    from assetgraph.storage.formats.streams import Stream
    from assetgraph.storage.value_places import Place

GROUP_BYTES = 32 << 20
GROUP_ROWS = 1 << 20
PARQUET = {"compression": "zstd", "compression_level": 1, "use_compliant_nested_type": False}


class WrittenTable(NamedTuple):
    data_version: str
    rows: int


def write_table(stream: Stream, place: Place, full_path: str, file_format: str) -> WrittenTable:
    """One row group is hashed while it is written. What the stream itself raises passes through."""
    digest = ArrowHash(stream.schema)
    rows = 0
    with _writing(full_path):
        writer = _OPEN[file_format](full_path, place.filesystem, stream.schema)
    try:
        with ThreadPoolExecutor(1) as thread:
            for group in _groups(stream):
                _check_nulls(group)
                with _writing(full_path):
                    hashed = thread.submit(digest.update, group)
                    writer.write_table(group)
                    hashed.result()
                rows += group.num_rows
    except BaseException:
        with suppress(Exception):
            writer.close()
        raise
    with _writing(full_path):
        writer.close()
    return WrittenTable(digest.hexdigest(stream.kind), rows)


def file_format_for(schema: pa.Schema) -> str:
    """`parquet` if it gives this schema back just as it is, else `arrow`."""
    if not len(schema):
        return "arrow"  # Parquet forgets the number of rows
    if any(breaks_in_parquet(field.type) for field in schema):
        return "arrow"
    return _tried_format(schema.serialize().to_pybytes())


@lru_cache(maxsize=256)
def _tried_format(serialized: bytes) -> str:
    schema = ipc.read_schema(pa.py_buffer(serialized))
    sink = pa.BufferOutputStream()
    try:
        pq.write_table(schema.empty_table(), sink, **PARQUET)
        kept = pq.ParquetFile(pa.BufferReader(sink.getvalue())).schema_arrow
    except (pa.ArrowException, NotImplementedError):
        return "arrow"
    return "parquet" if kept.equals(schema) and _metadata(kept) == _metadata(schema) else "arrow"


def _metadata(schema: pa.Schema) -> list[Any]:
    return [schema.metadata, *(field.metadata for field in schema)]


@dataclass(frozen=True, slots=True)
class TableInMemory:
    """A table that is handed on within a run."""

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
    """A stored table. `path` is its full path, `filesystem` None if it is a local file."""

    path: str
    filesystem: Any
    file_format: str

    def read(self) -> pa.Table:
        with _reading(self.path):
            if self.file_format == "parquet":
                return pq.ParquetFile(self.path, filesystem=self.filesystem).read()
            return ipc.open_file(self._source()).read_all()

    def reader(self) -> pa.RecordBatchReader:
        with _reading(self.path):
            if self.file_format == "parquet":
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

        if self.file_format != "parquet":
            return IpcFileFormat()
        options = ParquetFragmentScanOptions(pre_buffer=not self._is_local)
        return ParquetFileFormat(default_fragment_scan_options=options)

    @property
    def _is_local(self) -> bool:
        """Fetching ahead pays in an object store, but what was fetched is held to the end."""
        return self.filesystem is None

    def _source(self) -> pa.NativeFile:
        return (
            self.filesystem.open_input_file(self.path) if self.filesystem else pa.OSFile(self.path)
        )


def _check_nulls(table: pa.Table) -> None:
    """Some releases of pyarrow write a null as zero where the type allows none."""
    for field, column in zip(table.schema, table.columns, strict=True):
        if not field.nullable and column.null_count:
            raise ValueTypeError(
                f"returned a table whose column {field.name!r} holds nulls and is declared not to.",
                hint="Fill the nulls, or declare the column nullable.",
            )


def _groups(stream: Stream) -> Iterator[pa.Table]:
    """Tables of a size to be one row group: small batches joined, large ones cut."""
    waiting: list[pa.RecordBatch] = []
    size = rows = groups = 0
    for batch in stream.batches:
        for part in _cut(batch):
            waiting.append(part)
            size += _size(part)
            rows += part.num_rows
            if size >= GROUP_BYTES or rows >= GROUP_ROWS:
                yield pa.Table.from_batches(waiting, stream.schema)
                waiting, size, rows, groups = [], 0, 0, groups + 1
    if waiting or not groups:  # some readers stumble over a file without a group
        yield pa.Table.from_batches(waiting, stream.schema)


def _cut(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    pieces = max(1, -(-_size(batch) // GROUP_BYTES))
    step = min(GROUP_ROWS, max(1, -(-batch.num_rows // pieces)))
    for start in range(0, batch.num_rows, step):
        yield batch.slice(start, step)


def _size(batch: pa.RecordBatch) -> int:
    try:
        return int(batch.nbytes)
    except pa.ArrowTypeError:  # early releases cannot tell what a slice of views holds
        return int(batch.get_total_buffer_size())


def _parquet_writer(full_path: str, files: Any, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(full_path, schema, filesystem=files, **PARQUET)


class _ArrowFileWriter:
    def __init__(self, full_path: str, files: Any, schema: pa.Schema) -> None:
        options = ipc.IpcWriteOptions(compression="lz4", unify_dictionaries=True)
        self._sink = files.open_output_stream(full_path) if files else pa.OSFile(full_path, "wb")
        self._writer = ipc.new_file(self._sink, schema, options=options)

    def write_table(self, table: pa.Table) -> None:
        self._writer.write_table(table)

    def close(self) -> None:
        with self._sink:
            self._writer.close()


_OPEN = {"parquet": _parquet_writer, "arrow": _ArrowFileWriter}


@contextmanager
def _writing(path: str) -> Iterator[None]:
    try:
        yield
    except pa.ArrowException as error:
        raise ValueTypeError(
            f"returned a table that cannot be stored: {error}.",
            hint="Cast the column to a type that can be written.",
        ) from error
    except OSError as error:
        raise store_error(error, "write", path) from error


@contextmanager
def _reading(path: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise NoValueError(
            f"the value {path} is gone.", hint="Materialize its asset again."
        ) from error
    except (pa.ArrowException, OSError) as error:
        raise NoValueError(
            f"the value {path} cannot be read: {error}.", hint="Materialize its asset again."
        ) from error

"""Tables: anything that is Arrow or gives Arrow, written in a stream as Parquet.

A table whose types Parquet would change (seconds become milliseconds) or refuse is written as an
Arrow file instead, so that what comes back is always what was returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from assetgraph.annotations import described, table_kind, type_name
from assetgraph.errors import NoValueError, ValueTypeError
from assetgraph.storage.files import store_error
from assetgraph.storage.formats.arrow_hash import ArrowHash
from assetgraph.storage.formats.arrow_types import as_parquet_keeps, has_views_within

if TYPE_CHECKING:
    from pyarrow.dataset import Dataset, FileFormat

    from assetgraph.storage.places import Place

GROUP_BYTES = 32 << 20
GROUP_ROWS = 1 << 20
_PARQUET = {"compression": "zstd", "compression_level": 1, "use_compliant_nested_type": False}


class Stream(NamedTuple):
    """A table as it passes: `kind` is what it comes back as, `batches` can be read once."""

    kind: str
    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]


class WrittenTable(NamedTuple):
    data_version: str
    rows: int


def stream_of(value: Any) -> Stream | None:
    """None if the value is not a table, nor an iterator of tables."""
    kind = table_kind(type_name(type(value)))
    if isinstance(value, Iterator) and not isinstance(value, pa.RecordBatchReader):
        return _stream_of_items(value)
    reader = _reader_of(value, kind)
    return Stream(kind or "table", reader.schema, reader) if reader else None


def write_table(stream: Stream, place: Place, full_path: str, file_format: str) -> WrittenTable:
    """What the stream itself raises passes through."""
    digest = ArrowHash(stream.schema)
    rows = 0
    with _writing(full_path):
        writer = _OPEN[file_format](full_path, place.filesystem, stream.schema)
    try:
        for group in _groups(stream):
            with _writing(full_path):
                digest.update(group)
                writer.write_table(group)
            rows += group.num_rows
    except BaseException:
        with suppress(Exception):
            writer.close()
        raise
    with _writing(full_path):
        writer.close()
    return WrittenTable(digest.hexdigest(stream.kind), rows)


@lru_cache(maxsize=256)
def file_format_for(schema: pa.Schema) -> str:
    """`parquet` if it gives this schema back just as it is, else `arrow`."""
    if not len(schema):
        return "arrow"  # Parquet forgets the number of rows
    if any(has_views_within(field.type) for field in schema):
        return "arrow"
    sink = pa.BufferOutputStream()
    try:
        pq.write_table(schema.empty_table(), sink, **_PARQUET)
        kept = pq.ParquetFile(pa.BufferReader(sink.getvalue())).schema_arrow
    except (pa.ArrowException, NotImplementedError):
        return "arrow"
    return "parquet" if kept.equals(schema) and _metadata(kept) == _metadata(schema) else "arrow"


def _metadata(schema: pa.Schema) -> list[Any]:
    return [schema.metadata, *(field.metadata for field in schema)]


@dataclass(frozen=True, slots=True)
class TableInMemory:
    """A table that is handed on within a run."""

    table: pa.Table

    def read(self) -> pa.Table:
        return self.table

    def reader(self) -> pa.RecordBatchReader:
        return self.table.to_reader()

    def dataset(self) -> Dataset:
        import pyarrow.dataset

        return pyarrow.dataset.dataset(self.table)


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


def table_as(source: TableInMemory | TableInFile, kind: str) -> Any:
    """The table as `kind` says. Raises `ValueTypeError` if its library is not installed."""
    library = kind.partition("-")[0]
    try:
        return _CONVERSIONS[kind](source)
    except ModuleNotFoundError as error:
        if error.name not in ("pandas", "polars", "duckdb"):
            raise
        raise ValueTypeError(
            f"the value is wanted as a table of {library}, which is not installed.",
            hint=f"Install it: pip install {library}",
        ) from error


def _as_batch(source: TableInMemory | TableInFile) -> pa.RecordBatch:
    table = source.read().combine_chunks()
    batches = table.to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


def _as_polars(source: TableInMemory | TableInFile) -> Any:
    import polars

    return polars.from_arrow(source.read())


def _as_lazy_polars(source: TableInMemory | TableInFile) -> Any:
    import polars

    if isinstance(source, TableInFile) and source.filesystem is None:
        if source.file_format == "parquet":
            return polars.scan_parquet(source.path)
        return polars.scan_ipc(source.path)
    return polars.scan_pyarrow_dataset(source.dataset())


def _as_pandas(source: TableInMemory | TableInFile) -> Any:
    import pandas  # noqa: F401  # pyarrow's own message does not say what to install

    table = source.read()
    return table.cast(as_parquet_keeps(table.schema)).to_pandas()  # it cannot take lists of views


def _as_duckdb(source: TableInMemory | TableInFile) -> Any:
    import duckdb

    return duckdb.from_arrow(source.dataset())


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "table": lambda source: source.read(),
    "batch": _as_batch,
    "reader": lambda source: source.reader(),
    "dataset": lambda source: source.dataset(),
    "pandas": _as_pandas,
    "polars": _as_polars,
    "polars-lazy": _as_lazy_polars,
    "duckdb": _as_duckdb,
}


def _reader_of(value: Any, kind: str | None) -> pa.RecordBatchReader | None:
    if kind == "dataset":
        return value.scanner().to_reader()
    if isinstance(value, pa.RecordBatchReader):
        return value
    if kind == "polars-lazy":
        value = value.collect()
    elif type(value).__module__ == "pyarrow._dataset":  # a Scanner
        return value.to_reader()
    if not speaks_arrow(value):
        return None
    try:
        reader = pa.RecordBatchReader.from_stream(value)
        return reader if type(value).__module__ == "pyarrow.lib" else _kept_by_parquet(reader)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise ValueTypeError(
            f"returned {described(value)}, which Arrow cannot take: {error}.",
            hint="Give each column one type, and each its own name.",
        ) from error


def _kept_by_parquet(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    schema = as_parquet_keeps(reader.schema)
    if schema.equals(reader.schema):
        return reader
    return pa.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in reader))


def speaks_arrow(value: object) -> bool:
    """Whether a value gives a table through the Arrow PyCapsule protocol. A series gives one too,
    and a subclass of a table may hold more than its columns: these are pickled."""
    kind = type(value)
    if not hasattr(kind, "__arrow_c_stream__") or kind.__name__ in ("Series", "ChunkedArray"):
        return False
    return table_kind(type_name(kind)) is not None or not any(
        table_kind(type_name(base)) for base in kind.__mro__[1:]
    )


def _stream_of_items(items: Iterator[Any]) -> Stream:
    """Raises `ValueTypeError` if the iterator is empty, or of anything but tables."""
    try:
        first = next(items)
    except StopIteration:
        raise ValueTypeError(
            "returned an iterator with nothing in it, which has no columns to store.",
            hint="Yield at least one pyarrow.RecordBatch: an empty one has columns too.",
        ) from None
    reader = _reader_of(first, table_kind(type_name(type(first))))
    if reader is None:
        raise ValueTypeError(
            f"returned an iterator whose first item is {described(first)}: "
            "only an iterator of tables can be stored.",
            hint="Return list(...) of it, or yield pyarrow.RecordBatch or pyarrow.Table.",
        )
    return Stream("reader", reader.schema, _batches(reader, items))


def _batches(first: pa.RecordBatchReader, rest: Iterator[Any]) -> Iterator[pa.RecordBatch]:
    schema = first.schema
    yield from first
    for number, item in enumerate(rest, 2):
        reader = _reader_of(item, table_kind(type_name(type(item))))
        if reader is None or not reader.schema.equals(schema):
            found = described(item) if reader is None else f"one with columns {_columns(reader)}"
            raise ValueTypeError(
                f"returned an iterator whose item {number} is {found}, "
                f"where the first is a table with columns {_columns(first)}.",
                hint="Give every item the same columns, in the same order and of the same types.",
            )
        for batch in reader:
            yield batch.replace_schema_metadata(schema.metadata)


def _columns(reader: pa.RecordBatchReader) -> str:
    return ", ".join(f"{field.name}: {field.type}" for field in reader.schema)


def _groups(stream: Stream) -> Iterator[pa.Table]:
    """Tables of a size to be one row group: small batches joined, large ones cut."""
    waiting: list[pa.RecordBatch] = []
    size = rows = 0
    for batch in stream.batches:
        for part in _cut(batch):
            waiting.append(part)
            size += part.nbytes
            rows += part.num_rows
            if size >= GROUP_BYTES or rows >= GROUP_ROWS:
                yield pa.Table.from_batches(waiting, stream.schema)
                waiting, size, rows = [], 0, 0
    if rows:
        yield pa.Table.from_batches(waiting, stream.schema)


def _cut(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    pieces = max(1, -(-batch.nbytes // GROUP_BYTES))
    step = min(GROUP_ROWS, max(1, -(-batch.num_rows // pieces)))
    for start in range(0, batch.num_rows, step):
        yield batch.slice(start, step)


def _parquet_writer(full_path: str, files: Any, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(full_path, schema, filesystem=files, **_PARQUET)


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


def read_all(value: Any) -> pa.Table:
    return value if isinstance(value, pa.Table) else pa.Table.from_batches([value])

"""Writes a table in a stream as Parquet, and hashes it on the way.

A table goes into an Arrow file instead if Parquet would change its types (seconds become
milliseconds) or refuse them, so a table always comes back as it was returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from io import BytesIO
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
from pyarrow import types

from assetgraph.errors import ValueTypeError
from assetgraph.storage.atomic_files import store_error
from assetgraph.storage.formats.arrow.column_types import breaks_in_parquet, holds
from assetgraph.storage.formats.arrow.content_hash import ArrowHash
from assetgraph.storage.formats.arrow.table_stream import TableStream
from assetgraph.storage.formats.digest import SummedFile

GROUP_BYTES = 32 << 20
GROUP_ROWS = 1 << 20
_PIECE = 1 << 20
PARQUET = {"compression": "zstd", "compression_level": 1, "use_compliant_nested_type": False}


class WrittenTable(NamedTuple):
    """A written table. `checksum` is that of the file's bytes."""

    data_version: str
    rows: int
    checksum: str


def write_table(
    stream: TableStream,
    open_write: Callable[[str], IO[bytes]],
    full_path: str,
    file_format: str,
) -> WrittenTable:
    """Write the stream's batches to a file, and hash each row group while it is written.

    `open_write` opens the file at `full_path`. Raises `ValueTypeError` for data that cannot be
    written and `StoreError`; an exception from the stream itself passes through.
    """
    digest = ArrowHash(stream.schema)
    rows = 0
    with _writing(full_path):
        file = SummedFile(open_write(full_path))
        writer = _Writer(file, file_format, stream.schema)
    try:
        with ThreadPoolExecutor(1) as thread:
            for group in _groups(stream):
                _check_nulls(group)
                with _writing(full_path, group, file_format):
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
    return WrittenTable(digest.hexdigest(stream.kind), rows, file.checksum())


def file_format_for(schema: pa.Schema) -> str:
    """`parquet` if Parquet keeps this schema unchanged, else `arrow`. Raises `ValueTypeError` for a
    type that no file keeps."""
    if not len(schema):
        return "arrow"  # Parquet loses the number of rows
    for field in schema:
        _check_readable(field)
    if len(set(schema.names)) < len(schema) or any(map(breaks_in_parquet, schema.types)):
        return "arrow"
    return _tried_format(schema.serialize().to_pybytes())


def _check_readable(field: pa.Field) -> None:
    """Refuse a type that Arrow writes but cannot read."""
    if not holds(field.type, _has_extension_categories):
        return
    is_flat = types.is_dictionary(field.type)
    other = field.type.value_type if is_flat else "a type without such categories"
    raise ValueTypeError(
        f"returned a table whose column {field.name!r} is {field.type}, "
        "which Arrow cannot read back.",
        hint=f"Cast column {field.name!r} to {other}.",
    )


def _has_extension_categories(kind: pa.DataType) -> bool:
    return types.is_dictionary(kind) and isinstance(kind.value_type, pa.BaseExtensionType)


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


def _check_nulls(table: pa.Table) -> None:
    """Some releases of pyarrow write a null as zero in a column that allows no nulls."""
    for field, column in zip(table.schema, table.columns, strict=True):
        if not field.nullable and column.null_count:
            raise ValueTypeError(
                f"returned a table whose column {field.name!r} holds nulls but is declared not to.",
                hint="Fill the nulls, or declare the column nullable.",
            )


def _groups(stream: TableStream) -> Iterator[pa.Table]:
    """The stream as tables of one row group each: small batches joined, large ones cut."""
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
    if waiting or not groups:  # some readers fail on a file without a row group
        yield pa.Table.from_batches(waiting, stream.schema)


def _cut(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    pieces = max(1, -(-_size(batch) // GROUP_BYTES))
    step = min(GROUP_ROWS, max(1, -(-batch.num_rows // pieces)))
    for start in range(0, batch.num_rows, step):
        yield batch.slice(start, step)


def _size(batch: pa.RecordBatch) -> int:
    try:
        return int(batch.nbytes)
    except pa.ArrowTypeError:  # early releases cannot measure a slice of views
        return int(batch.get_total_buffer_size())


class _Writer:
    """Writes tables of one schema to a file, which it closes."""

    def __init__(self, file: SummedFile, file_format: str, schema: pa.Schema) -> None:
        self._file = file
        try:
            # Parquet writes many small pieces.
            self._sink = sink = pa.BufferedOutputStream(pa.PythonFile(file, "w"), _PIECE)
            if file_format == "parquet":
                self._writer: Any = pq.ParquetWriter(sink, schema, **PARQUET)
            else:
                options = ipc.IpcWriteOptions(compression="lz4", unify_dictionaries=True)
                self._writer = ipc.new_file(sink, schema, options=options)
        except BaseException:
            file.close()
            raise

    def write_table(self, table: pa.Table) -> None:
        self._writer.write_table(table)

    def close(self) -> None:
        try:
            self._writer.close()
            self._sink.flush()
        finally:
            self._file.close()


@contextmanager
def _writing(path: str, table: pa.Table | None = None, file_format: str = "") -> Iterator[None]:
    try:
        yield
    except pa.ArrowException as error:
        column = "" if table is None else _unwritable(table, file_format)
        raise ValueTypeError(
            f"returned a table that cannot be stored: {column}{error}.",
            hint="Cast the column to a type that can be written.",
        ) from error
    except OSError as error:
        raise store_error(error, "write", path) from error


def _unwritable(table: pa.Table, file_format: str) -> str:
    """Which column cannot be written."""
    for number, field in enumerate(table.schema):
        alone = table.select([number])
        try:
            writer = _Writer(SummedFile(BytesIO()), file_format, alone.schema)
            with closing(writer):
                writer.write_table(alone)
            ArrowHash(alone.schema).update(alone)
        except (pa.ArrowException, OSError):
            return f"column {field.name!r} is {field.type}. "
    return ""

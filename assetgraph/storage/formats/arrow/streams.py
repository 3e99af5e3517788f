"""Turns a value that holds or produces a table into a stream of Arrow batches, so that the table
need not fit in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from assetgraph.definitions.annotations import described, table_kind, type_name
from assetgraph.errors import ValueTypeError
from assetgraph.storage.formats.arrow.column_types import as_parquet_keeps
from assetgraph.storage.formats.arrow.pandas_frames import has_mixed_labels, table_keeps
from assetgraph.storage.formats.arrow.table_stream import TableStream


def stream_of(value: Any) -> TableStream | None:
    """The value as a stream of batches. None if it is not a table or an iterator of tables, or is a
    pandas frame that a table would change.

    A lazy polars frame is collected first, since polars' own streaming is not stable yet. Raises
    `ValueTypeError` for a table that Arrow cannot hold.
    """
    kind = table_kind(type_name(type(value)))
    if kind == "pandas":
        return _stream_of_frame(value)
    if isinstance(value, Iterator) and not isinstance(value, pa.RecordBatchReader):
        return _stream_of_items(value)
    reader = _reader_of(value, kind)
    return TableStream(kind or "table", reader.schema, reader) if reader else None


def _stream_of_frame(frame: Any) -> TableStream | None:
    if has_mixed_labels(frame):
        return None
    try:
        reader = _reader_of(frame, "pandas")
    except ValueTypeError:
        return None
    table = reader.read_all() if reader else None
    if table is None or not table_keeps(frame, table):
        return None
    return TableStream("pandas", table.schema, iter(table.to_batches()))


def _reader_of(value: Any, kind: str | None) -> pa.RecordBatchReader | None:
    if kind == "dataset":
        return value.scanner().to_reader()
    if isinstance(value, pa.RecordBatchReader):
        return value
    if kind in ("polars", "polars-lazy"):
        value = value.collect() if kind == "polars-lazy" else value
        _refuse_objects(value)
    elif type(value).__module__ == "pyarrow._dataset":  # a Scanner
        return value.to_reader()
    if not speaks_arrow(value):
        return None
    try:
        reader = pa.RecordBatchReader.from_stream(value)
        return reader if type(value).__module__ == "pyarrow.lib" else _kept_by_parquet(reader)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        raise ValueTypeError(
            f"returned {described(value)}, which Arrow cannot take: {error}.",
            hint="Give each column one type that Arrow has, and a name of its own.",
        ) from error


def _refuse_objects(frame: Any) -> None:
    """Refuse a column of Python objects: polars would pass their memory addresses to Arrow."""
    names = [name for name, kind in frame.schema.items() if str(kind) == "Object"]
    if names:
        raise ValueTypeError(
            f"returned a polars.DataFrame whose column {names[0]!r} holds Python objects.",
            hint="Cast the column to a type of polars, or return plain data.",
        )


def _kept_by_parquet(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    schema = as_parquet_keeps(reader.schema)
    if schema.equals(reader.schema):
        return reader
    return pa.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in reader))


def speaks_arrow(value: object) -> bool:
    """Whether a value exports a table through the Arrow PyCapsule protocol.

    A series exports one too, and a subclass of a table may hold more than its columns. Both are
    pickled instead.
    """
    kind = type(value)
    if not hasattr(kind, "__arrow_c_stream__") or kind.__name__ in ("Series", "ChunkedArray"):
        return False
    return table_kind(type_name(kind)) is not None or not any(
        table_kind(type_name(base)) for base in kind.__mro__[1:]
    )


def _stream_of_items(items: Iterator[Any]) -> TableStream:
    """A stream of the tables in an iterator. Raises `ValueTypeError` if it is empty, or if an item
    is not a table or has other columns than the first."""
    try:
        first = next(items)
    except StopIteration:
        raise ValueTypeError(
            "returned an empty iterator, which has no columns to store.",
            hint="Yield at least one pyarrow.RecordBatch. It may be empty, but has columns.",
        ) from None
    reader = _reader_of(first, table_kind(type_name(type(first))))
    if reader is None:
        raise ValueTypeError(
            f"returned an iterator whose first item is {described(first)}. "
            "Only an iterator of tables can be stored.",
            hint="Return a list instead, or yield pyarrow.RecordBatch or pyarrow.Table.",
        )
    return TableStream("reader", reader.schema, _batches(reader, items))


def _batches(first: pa.RecordBatchReader, rest: Iterator[Any]) -> Iterator[pa.RecordBatch]:
    schema = first.schema
    yield from first
    for number, item in enumerate(rest, 2):
        reader = _reader_of(item, table_kind(type_name(type(item))))
        if reader is None or not reader.schema.equals(schema):
            found = (
                described(item) if reader is None else f"a table with columns {_columns(reader)}"
            )
            raise ValueTypeError(
                f"returned an iterator whose item {number} is {found}, "
                f"but the first is a table with columns {_columns(first)}.",
                hint="Give every item the same columns, in the same order and of the same types.",
            )
        for batch in reader:
            yield batch.replace_schema_metadata(schema.metadata)


def _columns(reader: pa.RecordBatchReader) -> str:
    return ", ".join(f"{field.name}: {field.type}" for field in reader.schema)

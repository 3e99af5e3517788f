"""Turns a value that holds or produces a table into a stream of Arrow batches, so that the table
need not fit in memory."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import Any

import pyarrow as pa

from assetgraph.definitions.annotations import described, table_kind, type_name
from assetgraph.errors import ValueTypeError
from assetgraph.storage.formats.arrow.column_types import as_parquet_keeps
from assetgraph.storage.formats.arrow.pandas_frames import has_odd_labels, table_keeps
from assetgraph.storage.formats.arrow.table_stream import TableStream

# Classes that an asset returns, and that Dagster lets it yield.
_RESULTS = ("MaterializeResult", "Output", "AssetMaterialization", "AssetCheckResult")


def stream_of(value: Any) -> TableStream | None:
    """The value as a stream of batches. None if it is not a table or an iterator of tables, or is a
    frame that a table would change.

    A lazy polars frame is collected first, since polars' own streaming is not stable yet. Raises
    `ValueTypeError` for a table that Arrow cannot hold.
    """
    kind = table_kind(type_name(type(value)))
    if kind == "pandas":
        return _stream_of_frame(value)
    if kind in ("polars", "polars-lazy") and not _fits_arrow(value):
        return None
    if isinstance(value, Iterator) and not isinstance(value, pa.RecordBatchReader):
        return _stream_of_items(value)
    reader = _reader_of(value, kind)
    return TableStream(kind or "table", reader.schema, reader) if reader else None


def _stream_of_frame(frame: Any) -> TableStream | None:
    if has_odd_labels(frame):
        return None
    try:
        reader = _reader_of(frame, "pandas")
        table = reader.read_all() if reader else None
    except Exception:  # whatever Arrow and pandas refuse, a pickle keeps
        return None
    if table is None or not table_keeps(frame, table):
        return None
    return TableStream("pandas", table.schema, iter(table.to_batches()))


def _fits_arrow(frame: Any) -> bool:
    """Whether Arrow has all types of a polars frame. It has no integers of 128 bits."""
    schema = frame.collect_schema()
    _refuse_columns(schema)
    try:
        pa.RecordBatchReader.from_stream(schema.to_frame())
    except pa.ArrowException:
        return False
    return True


def _reader_of(value: Any, kind: str | None) -> pa.RecordBatchReader | None:
    if kind == "dataset":
        return value.scanner().to_reader()
    if isinstance(value, pa.RecordBatchReader):
        return value
    if kind in ("polars", "polars-lazy"):
        value = value.collect() if kind == "polars-lazy" else value
        _refuse_columns(value.schema)
    elif kind == "duckdb":
        from assetgraph.storage.formats.arrow.duckdb_relations import arrow_reader

        return _kept_by_parquet(arrow_reader(value))
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


def _refuse_columns(schema: Mapping[str, Any]) -> None:
    """Refuse what polars itself does not give back: objects, whose memory addresses it passes to
    Arrow, and arrays of no items, which it cannot read."""
    for name, kind in schema.items():
        if str(kind) == "Object":
            what, cast = "Python objects", "a type of polars, or return plain data"
        elif _has_no_items(kind):
            what, cast = f"arrays without items ({kind})", "pl.List"
        else:
            continue
        raise ValueTypeError(
            f"returned a polars.DataFrame whose column {name!r} holds {what}.",
            hint=f"Cast the column to {cast}.",
        )


def _has_no_items(kind: Any) -> bool:
    within = [*(field.dtype for field in getattr(kind, "fields", ())), getattr(kind, "inner", None)]
    return getattr(kind, "size", None) == 0 or any(map(_has_no_items, filter(None, within)))


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
            hint=_advice(items, first),
        )
    return TableStream("reader", reader.schema, _batches(reader, items))


def _advice(items: Iterator[Any], first: object) -> str:
    """What to write instead of an iterator of other things than tables."""
    if type(first).__name__ in _RESULTS:
        return f"Write `return {type(first).__name__}(…)` instead of `yield`."
    if isinstance(items, Generator):
        return (
            "Return a list instead, or write `return` where it yields one value. "
            "A generator may yield pyarrow.RecordBatch or pyarrow.Table."
        )
    return "Return a list instead, or yield pyarrow.RecordBatch or pyarrow.Table."


def _batches(first: pa.RecordBatchReader, rest: Iterator[Any]) -> Iterator[pa.RecordBatch]:
    schema = first.schema
    yield from first
    for number, item in enumerate(rest, 2):
        reader = _reader_of(item, table_kind(type_name(type(item))))
        if reader is None or not reader.schema.equals(schema):
            found = (
                described(item) if reader is None else f"a table with columns {_columns(reader)}"
            )
            hint = "Give every item the same columns, in the same order and of the same types."
            if type(item).__name__ in _RESULTS:
                hint = f"Return `{type(item).__name__}(value=…)` with the iterator of tables in it."
            raise ValueTypeError(
                f"returned an iterator whose item {number} is {found}, "
                f"but the first is a table with columns {_columns(first)}.",
                hint=hint,
            )
        for batch in reader:
            yield batch.replace_schema_metadata(schema.metadata)


def _columns(reader: pa.RecordBatchReader) -> str:
    return ", ".join(f"{field.name}: {field.type}" for field in reader.schema)

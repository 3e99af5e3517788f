"""Converts a table into the kind a parameter asks for. A table library is imported only when its
kind is wanted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
from pyarrow import types

from assetgraph.errors import ValueTypeError
from assetgraph.storage.formats.arrow.column_types import LISTS, as_pandas_takes, is_one
from assetgraph.storage.formats.arrow.table_sources import TableInFile, TableInMemory

Table = TableInFile | TableInMemory


def table_as(source: Table, kind: str) -> Any:
    """The table as one of the kinds of `table_kind`. Raises `ValueTypeError` if the library of that
    kind is not installed."""
    library = kind.partition("-")[0]
    try:
        return _CONVERSIONS[kind](source)
    except ModuleNotFoundError as error:
        if error.name not in ("pandas", "polars", "duckdb"):
            raise
        raise ValueTypeError(
            f"a table of {library} is asked for, but {library} is not installed.",
            hint=f"Install it with: pip install {library}",
        ) from error


def frame_as(frame: Any, kind: str) -> Any:
    """A pandas frame that was pickled rather than stored as a table, as the nearest table.

    Raises `ValueTypeError` if Arrow cannot hold it."""
    try:
        table = pa.Table.from_pandas(frame)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        raise ValueTypeError(
            f"the value is a pandas.DataFrame that does not convert to a table: {error}.",
            hint="Give each column one type that Arrow has, or ask for a pd.DataFrame.",
        ) from error
    return table_as(TableInMemory(table), kind)


def _as_batch(source: Table) -> pa.RecordBatch:
    table = source.read().combine_chunks()
    batches = table.to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


def _as_polars(source: Table) -> Any:
    import polars

    return polars.from_arrow(source.read())


def _as_lazy_polars(source: Table) -> Any:
    import polars

    if isinstance(source, TableInFile) and source.filesystem is None:
        if source.is_parquet:
            return polars.scan_parquet(source.path)
        return polars.scan_ipc(source.path)
    return polars.scan_pyarrow_dataset(source.dataset())


def _as_pandas(source: Table) -> Any:
    """Columns of Python objects come back as objects, not as numbers or arrays."""
    import pandas

    table = source.read()
    table = table.cast(as_pandas_takes(table.schema))
    try:
        frame = table.to_pandas()
    except pa.ArrowNotImplementedError as error:
        raise ValueTypeError(
            f"the table does not convert to a pandas.DataFrame: {error}.",
            hint="Ask for a pa.Table, or cast its string views to another type.",
        ) from error
    for position, field in _object_columns(table.schema):
        nested = is_one(field.type, types.is_struct, types.is_map, *LISTS)
        if nested or str(frame.dtypes.iloc[position]) != "object":
            items = table.column(field.name).to_pylist()
            frame.isetitem(position, pandas.Series(items, frame.index, dtype=object))
    return frame


def _object_columns(schema: pa.Schema) -> Iterator[tuple[int, pa.Field]]:
    """The columns that pandas held as objects, each with its position in the frame."""
    recorded = json.loads((schema.metadata or {}).get(b"pandas", "{}"))
    index = recorded.get("index_columns", ())
    columns = [c for c in recorded.get("columns", ()) if c["field_name"] not in index]
    for position, column in enumerate(columns):
        if column["numpy_type"] == "object":
            yield position, schema.field(column["field_name"])


def _as_duckdb(source: Table) -> Any:
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

"""Converts a table into the kind a parameter asks for. A table library is imported only when its
kind is wanted.

A conversion keeps every value, or is refused. The docs list the types that it may change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from importlib import import_module
from itertools import count
from typing import Any

import pyarrow as pa
from pyarrow import types

from assetgraph.definitions.annotations import kind_of_value, of_which_type
from assetgraph.errors import AssetGraphError, ValueTypeError
from assetgraph.storage.formats.arrow.column_types import (
    as_polars_takes,
    holds,
    is_binary_of_no_width,
    is_everyday,
)
from assetgraph.storage.formats.arrow.gathered_tables import GatheredTables, LoadedTable, Piece
from assetgraph.storage.formats.arrow.table_sources import TableInFile, TableInMemory
from assetgraph.text import listed

Table = TableInFile | TableInMemory | GatheredTables
_NAMES = {
    "batch": "a pyarrow.RecordBatch",
    "dataset": "a pyarrow Dataset",
    "duckdb": "a DuckDB relation",
    "pandas": "a pandas.DataFrame",
    "polars": "a polars.DataFrame",
    "polars-lazy": "a polars.LazyFrame",
    "reader": "a pyarrow.RecordBatchReader",
    "table": "a pyarrow.Table",
}
_UNKNOWN_TO_POLARS = (
    is_binary_of_no_width,
    types.is_decimal256,
    types.is_interval,
    types.is_large_list_view,
    types.is_list_view,
    types.is_run_end_encoded,
    types.is_union,
)
_LIBRARIES = ("pandas", "polars", "duckdb")


def table_as(source: Table, kind: str) -> Any:
    """The table as one of the kinds of `table_kind`.

    Raises `ValueTypeError` if the library of that kind is not installed or cannot hold the table.
    """
    library = kind.partition("-")[0]
    if library in _LIBRARIES:
        _check_installed(library)
    try:
        return _CONVERSIONS[kind](source)
    except (MemoryError, ModuleNotFoundError):
        raise
    except AssetGraphError:
        _check_names(source.read().column_names, kind)  # the likely cause of a foreign error
        raise
    except Exception as error:
        raise _refusal(source.read(), kind, error) from error


def frame_as(frame: Any, kind: str) -> Any:
    """A frame that was pickled rather than stored as a table, as the nearest table.

    Raises `ValueTypeError` if Arrow cannot hold it."""
    if kind == "polars-lazy" and kind_of_value(frame) == "polars":
        return frame.lazy()
    return table_as(arrow_of(frame), kind)


def arrow_of(frame: Any) -> TableInMemory:
    """A frame of pandas or polars as a table. Raises `ValueTypeError` if Arrow cannot hold it."""
    is_pandas = kind_of_value(frame) == "pandas"
    try:
        table = pa.Table.from_pandas(frame) if is_pandas else frame.to_arrow()
    except Exception as error:
        asks = "pd.DataFrame" if is_pandas else "pl.DataFrame"
        name = _column_at_fault(frame) if is_pandas else None
        what = _first_line(error) if name is None else f"column {name!r} {_content(frame[name])}"
        column = "each column" if name is None else f"column {name!r}"
        raise ValueTypeError(
            f"the value is {of_which_type(frame)} that does not convert to a table: {what}.",
            hint=f"Give {column} one type that Arrow has in the asset that returns it, or ask for "
            f"a {asks}.",
        ) from error
    if table.num_rows != len(frame):  # from_pandas forgets the rows of a frame without columns
        table = pa.table({"rows": pa.nulls(len(frame))}).select([])
    return TableInMemory(table)


def _column_at_fault(frame: Any) -> Any:
    """The name of the first column of a pandas frame that Arrow cannot hold, if it is one."""
    for place, name in enumerate(frame.columns):
        try:
            pa.Array.from_pandas(frame.iloc[:, place])
        except Exception:
            return name if frame.columns.tolist().count(name) == 1 else None
    return None


def _content(column: Any) -> str:
    """The types of the values in a column of pandas, the most frequent first, without nulls."""
    found = column.dropna().map(lambda value: type(value).__name__).value_counts().index
    return f"has values of the type{'s' * (len(found) > 1)} {listed(found[:5])}"


def _check_installed(library: str) -> None:
    try:
        import_module(library)
    except ModuleNotFoundError as error:
        raise ValueTypeError(
            f"a table of {library} is asked for, but {library} is not installed.",
            hint=f"Install it with: pip install {library}",
        ) from error


def _refusal(table: pa.Table, kind: str, error: Exception) -> ValueTypeError:
    """Why a table is not converted, with the name of the column if it is one."""
    _check_names(table.column_names, kind)
    column = next((i for i in range(table.num_columns) if _fails(table.select([i]), kind)), None)
    if column is None or table.num_columns == 0:
        what, cast = "", "cast its columns"
    else:
        field = table.schema.field(column)
        what, cast = f"column {field.name!r} is {field.type}. ", f"cast column {field.name!r}"
    return ValueTypeError(
        f"the table does not convert to {_NAMES[kind]}: {what}{_first_line(error)}.",
        hint=f"Ask for a pa.Table, or {cast} to another type in the asset that returns it.",
    )


def _fails(table: pa.Table, kind: str) -> bool:
    try:
        _CONVERSIONS[kind](TableInMemory(table))
    except Exception:
        return True
    return False


def _check_names(names: list[str], kind: str) -> None:
    """Raise `ValueTypeError` for a name that two columns have."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueTypeError(
            f"the table has two columns named {repeated[0]!r}, which {_NAMES[kind]} cannot have.",
            hint="Ask for a pa.Table, or give each column a name of its own.",
        )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__


def _as_batch(source: Table) -> pa.RecordBatch:
    table = source.read().combine_chunks()
    batches = table.to_batches()
    if batches:
        return batches[0]
    columns = [c.chunk(0) if c.num_chunks else pa.nulls(0, c.type) for c in table.columns]
    return pa.RecordBatch.from_arrays(columns, schema=table.schema)


def _as_polars(source: Table) -> Any:
    import polars

    table = source.read()
    names = table.column_names
    if not is_everyday(table.schema):
        table = table.cast(_polars_schema(table.schema))
    if not names and table.num_rows:
        return polars.DataFrame(height=table.num_rows)
    if "" not in names:
        return polars.from_arrow(table)
    _check_names(names, "polars")  # polars would call a column without a name column_0
    frame: Any = polars.from_arrow(table.rename_columns([str(i) for i in range(len(names))]))
    frame.columns = names
    return frame


def _as_lazy_polars(source: Table) -> Any:
    import polars

    if isinstance(source, TableInMemory):
        return _as_polars(source).lazy()
    if isinstance(source, GatheredTables):
        return _gathered_lazily(source)
    if source.is_parquet and source.filesystem is None:  # see `breaks_in_parquet`
        return polars.scan_parquet(source.path)
    schema = source.schema()
    _check_names(schema.names, "polars-lazy")
    if not schema.equals(_polars_schema(schema)) or "" in schema.names:
        return _as_polars(source).lazy()
    # Pandas leaves the code -1 where a category is null, which polars itself does not read.
    categories = any(holds(field.type, types.is_dictionary) for field in schema)
    if source.filesystem is None and not categories:
        return polars.scan_ipc(source.path)
    return polars.scan_pyarrow_dataset(source.dataset())


def _gathered_lazily(source: GatheredTables) -> Any:
    """Each partition as lazily as it is alone, with the columns of all."""
    import polars as pl

    schema = source.schema()
    _check_names(schema.names, "polars-lazy")
    wanted = _as_polars(TableInMemory(schema.empty_table())).schema
    return pl.concat([_scanned(source, pieces, wanted) for pieces in _scanned_together(source)])


def _scanned_together(source: GatheredTables) -> list[list[Piece]]:
    """The partitions in groups, each of which polars can scan at once: one plan for each file
    would need memory for each."""
    groups: list[list[Piece]] = []
    for piece in source.pieces:
        before = groups[-1][-1] if groups else None
        together = before is not None and _is_local_parquet(before) and _is_local_parquet(piece)
        if before is not None and together and piece.schema.equals(before.schema):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return groups


def _is_local_parquet(piece: Piece) -> bool:
    table = piece.table
    return isinstance(table, TableInFile) and table.is_parquet and table.filesystem is None


def _scanned(source: GatheredTables, pieces: list[Piece], wanted: Any) -> Any:
    """A lazy frame of partitions that have the same columns, with those of all partitions."""
    import polars as pl

    schema = pieces[0].schema
    paths = {
        one.table.path: one.partition
        for one in pieces
        if isinstance(one.table, TableInFile) and _is_local_parquet(one)
    }
    if paths:
        path = next(name for name in map(str, count()) if name not in schema.names)
        with_path = None if source.column is None else path
        frame = pl.scan_parquet(list(paths), glob=False, include_file_paths=with_path)
        key = pl.col(path).replace_strict(paths, return_dtype=pl.String)
    else:
        assert not isinstance(pieces[0].table, LoadedTable)  # which only a reader has
        frame = _as_lazy_polars(pieces[0].table)
        key = pl.lit(pieces[0].partition, pl.String)
    changed = [] if source.column is None else [key.alias(source.column)]
    for field in source.columns:
        name, at = field.name, schema.get_field_index(field.name)
        if at < 0:
            changed.append(pl.lit(None, wanted[name]).alias(name))
        elif not schema.field(at).equals(field, check_metadata=True):
            changed.append(pl.col(name).cast(wanted[name]))
    if not changed and schema.names == source.columns.names:
        return frame
    return frame.with_columns(changed).select(list(wanted))


def _polars_schema(schema: pa.Schema) -> pa.Schema:
    """The schema as polars takes it. Raises `ValueTypeError` for a type that would end polars."""
    for field in schema:
        if holds(field.type, *_UNKNOWN_TO_POLARS):
            raise ValueTypeError(
                f"the table does not convert to a polars.DataFrame: column {field.name!r} is "
                f"{field.type}, which polars does not have.",
                hint=f"Ask for a pa.Table, or cast column {field.name!r} to another type in the "
                "asset that returns it.",
            )
    return as_polars_takes(schema)


def _as_pandas(source: Table) -> Any:
    from assetgraph.storage.formats.arrow.to_pandas import frame_of

    if isinstance(source, GatheredTables):
        source.check_labels()
    return frame_of(source.read())


def _as_duckdb(source: Table) -> Any:
    from assetgraph.storage.formats.arrow.duckdb_relations import relation_of

    return relation_of(source)


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

"""Keeps the types of a DuckDB relation that Arrow has no equal for.

Such a column is cast to a type that Arrow does have, and its own type is recorded in the table's
metadata. A relation that is loaded has its own types again; any other table has the cast ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import types

from assetgraph.errors import ValueTypeError
from assetgraph.storage.formats.arrow.column_types import (
    as_duckdb_takes,
    holds,
    in_microseconds,
    is_everyday,
)
from assetgraph.storage.formats.arrow.gathered_tables import GatheredTables
from assetgraph.storage.formats.arrow.table_sources import TableInFile, TableInMemory

Table = TableInFile | TableInMemory | GatheredTables
_RECORDED = b"duckdb"
_CAST = {
    "hugeint": "DECIMAL(38,0)",
    "uhugeint": "DECIMAL(38,0)",
    "uuid": "VARCHAR",
    "bit": "VARCHAR",
    "time with time zone": "VARCHAR",
}
_CAST_BACK = {*_CAST, "enum", "tuple"}
# Arrow has these types too.
_PLAIN = {"BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "VARCHAR"}
_PLAIN |= {"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "BLOB", "DATE", "TIMESTAMP"}
# Arrow counts the smallest part of an interval in nanoseconds, in 64 bits.
_LONGEST_HOURS = (1 << 63) // (3600 * 10**9) - 1
_TOO_LONG = "an interval is too long for Arrow"


def arrow_reader(relation: Any) -> pa.RecordBatchReader:
    """The relation as Arrow data that can become the same relation again.

    Raises `ValueTypeError` for a name that two columns have, and for a type that cannot come back.
    """
    names, kinds = relation.columns, relation.types
    _check_names(names)
    if _PLAIN.issuperset(map(str, kinds)):
        return pa.RecordBatchReader.from_stream(relation)
    columns = list(zip(names, kinds, strict=True))
    selected = [_selected(name, kind) for name, kind in columns]
    if selected != [_quoted(name) for name, _ in columns]:
        relation = relation.project(", ".join(selected))
    with _kept_exactly():
        reader = pa.RecordBatchReader.from_stream(relation)
    _check_types(columns, reader.schema)
    own_types = {name: str(kind) for name, kind in columns if _is_cast_back(kind)}
    if own_types:
        metadata = {_RECORDED: json.dumps(own_types).encode()}
        schema = reader.schema.with_metadata(metadata)
        batches = (batch.replace_schema_metadata(metadata) for batch in _batches(reader))
        return pa.RecordBatchReader.from_batches(schema, batches)
    return pa.RecordBatchReader.from_batches(reader.schema, _batches(reader))


def relation_of(source: Table) -> Any:
    """The table as a relation, with the types that it had if it was one.

    Raises `ValueTypeError` if DuckDB would change a name or a value, and what DuckDB and Arrow
    raise for a table that they cannot convert.
    """
    dataset = source.dataset()
    schema = dataset.schema
    if is_everyday(schema):
        relation = duckdb.from_arrow(dataset)
    else:
        relation = _kept_relation(source, dataset, schema)
    names = schema.names
    if "" not in names and len({name.lower() for name in names}) == len(names):
        names = []  # DuckDB has nothing to rename
    for before, after in zip(names, relation.columns if names else (), strict=True):
        if before != after:
            raise ValueTypeError(
                f"the table has a column named {before!r}, which DuckDB would call {after!r}.",
                hint="Ask for a pa.Table, or rename the column in the asset that returns it.",
            )
    own_types = json.loads((schema.metadata or {}).get(_RECORDED, "{}"))
    if own_types:
        return relation.project(
            ", ".join(_cast(name, own_types.get(name)) for name in schema.names)
        )
    return relation


def _kept_relation(source: Table, dataset: Any, schema: pa.Schema) -> duckdb.DuckDBPyRelation:
    """The table as a relation, read and cast first if DuckDB lacks one of its types."""
    _check_intervals(source, schema)
    wanted = as_duckdb_takes(schema)
    relation = duckdb.from_arrow(dataset if wanted.equals(schema) else source.read().cast(wanted))
    coarser = _without_lost_nanoseconds(wanted, relation.types)
    if coarser.equals(wanted):
        return relation
    return duckdb.from_arrow(source.read().cast(coarser))


def _check_names(names: list[str]) -> None:
    """DuckDB does not tell `a` from `A`, and renames one of them when it reads a table."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.get(name.lower())
        seen[name.lower()] = name
        if other is not None:
            two = f"two columns named {name!r}"
            if other != name:
                two = f"columns {other!r} and {name!r}, which are one name to DuckDB"
            raise ValueTypeError(
                f"returned a DuckDB relation with {two}.",
                hint="Give each column a name of its own: SELECT … AS …",
            )


def _check_types(columns: list[tuple[str, Any]], schema: pa.Schema) -> None:
    """Refuse a type that comes back as another, in a way that no cast is known to mend."""
    unsure = [
        (name, _stored_type(kind), field)
        for (name, kind), field in zip(columns, schema, strict=True)
        if not _is_cast_back(kind) and not is_everyday(pa.schema([field]))
    ]
    if not unsure:
        return
    schema = pa.schema([field for _, _, field in unsure])
    empty = pa.RecordBatchReader.from_batches(schema, [])
    for (name, given, _), back in zip(unsure, duckdb.from_arrow(empty).types, strict=True):
        if str(back) != given:
            raise ValueTypeError(
                f"returned a DuckDB relation whose column {name!r} is {given}, "
                f"which comes back from Arrow as {back}.",
                hint=f"Cast it to a type that Arrow has: CAST({_quoted(name)} AS VARCHAR).",
            )


def _batches(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    with _kept_exactly():
        yield from reader


@contextmanager
def _kept_exactly() -> Iterator[None]:
    """Translate the errors of the casts and checks that are added to a query."""
    try:
        yield
    except duckdb.Error as error:
        text = str(error)
        if "to DECIMAL(38,0)" in text:
            what = "a HUGEINT or UHUGEINT of more than 38 digits"
        elif _TOO_LONG in text:
            what = "an INTERVAL of more than 292 years in hours and seconds"
        else:
            raise  # the query of the asset itself failed
        raise ValueTypeError(
            f"returned a DuckDB relation with {what}, which Arrow cannot hold.",
            hint="Cast the column to VARCHAR.",
        ) from error


def _selected(name: str, kind: Any) -> str:
    """The SQL that selects a column as Arrow holds it."""
    if kind.id == "interval":
        column = _quoted(name)
        return (
            f"CASE WHEN abs(extract(hour FROM {column})) > {_LONGEST_HOURS} "
            f"THEN error('{_TOO_LONG}') ELSE {column} END AS {column}"
        )
    stored = _stored_type(kind)
    return _cast(name, None if stored == str(kind) else stored)


def _cast(name: str, kind: str | None) -> str:
    column = _quoted(name)
    return column if kind is None else f"CAST({column} AS {kind}) AS {column}"


def _stored_type(kind: Any) -> str:
    """The type that a column is cast to before Arrow gets it."""
    if _is_json(kind):
        return "VARCHAR"
    parts = [(name, _stored_type(part)) for name, part in _parts(kind)]
    if kind.id in _CAST:
        return _CAST[kind.id]
    if [part for _, part in parts] == [str(part) for _, part in _parts(kind)]:
        return str(kind)
    if kind.id in ("list", "array"):
        size = dict(kind.children).get("size", "")
        return f"{parts[0][1]}[{size}]"
    if kind.id == "map":
        return f"MAP({parts[0][1]}, {parts[1][1]})"
    if kind.id == "union":
        parts = parts[1:]  # the first is the tag
    named = ", ".join(f"{_quoted(name)} {part}" if name else part for name, part in parts)
    return f"{kind.id.upper()}({named})"


def _is_cast_back(kind: Any) -> bool:
    return (
        kind.id in _CAST_BACK
        or _is_json(kind)
        or any(_is_cast_back(part) for _, part in _parts(kind))
    )


def _is_json(kind: Any) -> bool:
    return kind.id == "varchar" and str(kind) == "JSON"


def _parts(kind: Any) -> list[tuple[str, Any]]:
    """The types within a type, by name."""
    try:
        children = kind.children
    except duckdb.Error:  # it has none
        return []
    return [(name, part) for name, part in children if isinstance(part, type(kind))]


def _without_lost_nanoseconds(schema: pa.Schema, duckdb_types: list[Any]) -> pa.Schema:
    """The schema with microseconds where this release of DuckDB has nothing finer: a cast to it
    fails where DuckDB would cut nanoseconds off in silence."""
    fields = [
        field
        if not holds(field.type, _has_nanoseconds) or "NS" in str(kind)
        else field.with_type(in_microseconds(field.type))
        for field, kind in zip(schema, duckdb_types, strict=True)
    ]
    return pa.schema(fields, schema.metadata)


def _has_nanoseconds(kind: pa.DataType) -> bool:
    return getattr(kind, "unit", None) == "ns"


def _check_intervals(source: Table, schema: pa.Schema) -> None:
    """Arrow has nanoseconds in an interval, and DuckDB cuts them off in silence."""
    names = [field.name for field in schema if types.is_interval(field.type)]
    if not names or _was_relation(source):
        return
    table = source.read()
    for name in names:
        if any(one and one.nanoseconds % 1000 for one in table.column(name).to_pylist()):
            raise ValueTypeError(
                f"the table does not convert to a DuckDB relation: column {name!r} holds intervals "
                "with nanoseconds, of which DuckDB has none.",
                hint="Ask for a pa.Table, or round them in the asset that returns it.",
            )


def _was_relation(source: Table) -> bool:
    return isinstance(source, TableInFile) and source.returned.endswith("DuckDBPyRelation")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

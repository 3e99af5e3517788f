"""The schema that holds the tables of several partitions without changing a value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import types

from assetgraph.errors import ValueTypeError
from assetgraph.storage.formats.arrow.column_types import holds, is_one

_PANDAS, _DUCKDB = b"pandas", b"duckdb"
_TEXT = (types.is_string, types.is_large_string, types.is_string_view)
_HINT = (
    "Let the asset return one type for the column and materialize the partition again, or ask for "
    "Mapping[str, pa.Table]."
)


class Named(NamedTuple):
    """The schema of one partition, with the name of its target."""

    name: str
    schema: pa.Schema


def common_schema(parts: Sequence[Named]) -> pa.Schema:
    """The columns of all parts, each in the type that holds every part's.

    Raises `ValueTypeError`, which names both partitions and the column, if there is none.
    """
    fields = parts[0].schema.remove_metadata()
    others = [one for one in parts[1:] if not _has_fields(one.schema, fields)]
    if others:
        fields = _common_fields((parts[0], *others))
    return pa.schema(list(fields), _common_metadata([part.schema for part in parts]))


def check_labels(parts: Sequence[Named]) -> None:
    """Refuse labels of rows or columns that are of another kind in another partition."""
    known: tuple[str, bytes, object] | None = None
    for part in parts:
        recorded = (part.schema.metadata or {}).get(_PANDAS)
        if recorded is None or (known and recorded == known[1]):
            continue
        labels = _labels(json.loads(recorded))
        if known is None:
            known = part.name, recorded, labels
        elif labels != known[2]:
            raise labels_differ(known[0], part.name)


def _has_fields(schema: pa.Schema, fields: pa.Schema) -> bool:
    return bool(schema.remove_metadata().equals(fields, check_metadata=True))


def may_change(kind: pa.DataType, common: pa.DataType) -> bool:
    """Whether a cast to the common type may fail for a value, as of large integers to floats."""
    if kind.equals(common) or types.is_null(kind):
        return False
    if types.is_integer(kind) and types.is_floating(common):
        return bool(kind.bit_width > common.bit_width // 2)
    return bool(is_one(kind, types.is_unsigned_integer, types.is_temporal, types.is_nested))


def aligned(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with the columns of a common schema, except those that it does not have yet.

    Raises `ArrowInvalid` for a value that the common type lacks.
    """
    if table.schema.equals(schema):
        return pa.table(table.columns, schema=schema)
    columns = []
    for field in schema:
        at = table.schema.get_field_index(field.name)
        if at < 0:
            columns.append(pa.nulls(table.num_rows, field.type))
        else:
            column = table.column(at)
            columns.append(column if column.type.equals(field.type) else column.cast(field.type))
    return pa.table(columns, schema=schema)


def _common_fields(parts: Sequence[Named]) -> Iterable[pa.Field]:
    fields: dict[str, pa.Field] = {}
    origins: dict[str, tuple[str, pa.DataType]] = {}  # the part that a column's type comes from
    for part in parts:
        _check_names(part)
        for field in part.schema:
            known = fields.get(field.name)
            if known is None:
                fields[field.name] = field.with_nullable(True)
                origins[field.name] = part.name, field.type
                continue
            kind = _common_type(known.type, field.type)
            if kind is None:
                raise conflict(field.name, *origins[field.name], part.name, field.type)
            if not kind.equals(known.type):
                origins[field.name] = part.name, field.type
            if known.metadata != field.metadata:
                known = known.remove_metadata()
            fields[field.name] = known.with_type(kind)
    return fields.values()


def conflict(column: str, one: str, its: object, other: str, others: object) -> ValueTypeError:
    return ValueTypeError(
        f"column {column!r} is {its} in {one!r} and {others} in {other!r}.", hint=_HINT
    )


def labels_differ(one: str, other: str) -> ValueTypeError:
    return ValueTypeError(
        f"the frames of {one!r} and {other!r} have different indexes or types of labels.",
        hint="Let the asset return the same index for each partition, or ask for "
        "Mapping[str, pd.DataFrame].",
    )


def _check_names(part: Named) -> None:
    names = part.schema.names
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueTypeError(
            f"{part.name!r} has two columns named {twice!r}, and other partitions have other "
            "columns.",
            hint="Give each column a name of its own, or ask for Mapping[str, pa.Table].",
        )


@lru_cache(maxsize=256)
def _common_type(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """The type that holds the values of both, or None."""
    if one.equals(other):
        return one
    schemas = [pa.schema([("x", one)]), pa.schema([("x", other)])]
    try:
        found = pa.unify_schemas(schemas, promote_options="permissive").field(0).type
        for kind in (one, other):
            pa.nulls(1, kind).cast(found)
    except (pa.ArrowException, NotImplementedError):
        return None
    return None if any(_is_lost(kind, found) for kind in (one, other)) else found


def _is_lost(kind: pa.DataType, common: pa.DataType) -> bool:
    """Whether decimals become floats, or text becomes bytes."""
    decimals, text = holds(kind, types.is_decimal), holds(kind, *_TEXT)
    return (decimals and not holds(common, types.is_decimal)) or (
        text and not holds(common, *_TEXT)
    )


def _common_metadata(schemas: Sequence[pa.Schema]) -> dict[bytes, bytes]:
    """What the parts record beside their columns, such as how pandas and DuckDB held them. Of what
    several record differently, the first counts."""
    found: dict[bytes, bytes] = {}
    for schema in schemas:
        for name, data in (schema.metadata or {}).items():
            found.setdefault(name, data)
    by_pandas = _of_pandas([(one.metadata or {}).get(_PANDAS) for one in schemas])
    by_duckdb = _of_duckdb(schemas, [(one.metadata or {}).get(_DUCKDB) for one in schemas])
    for name, data in ((_PANDAS, by_pandas), (_DUCKDB, by_duckdb)):
        found.pop(name, None)
        if data is not None:
            found[name] = data
    return found


def _of_pandas(recorded: Sequence[bytes | None]) -> bytes | None:
    """How pandas held the columns of all parts, or None if not all have the same labels.

    Labels that count the rows do so anew over all parts.
    """
    known: list[dict[str, Any]] = [json.loads(one) for one in dict.fromkeys(recorded) if one]
    if None in recorded:
        return None
    whole = dict(known[0])
    labels = [_labels(one) for one in known]
    if any(one != labels[0] for one in labels):
        return None
    columns: dict[str, object] = {}
    for one in known:
        for column in one["columns"]:
            columns.setdefault(column["field_name"], column)
    whole["columns"] = list(columns.values())
    whole["index_columns"] = [one for one in whole["index_columns"] if isinstance(one, str)]
    return json.dumps(whole).encode()


def _labels(recorded: dict[str, Any]) -> tuple[object, object]:
    index = [one for one in recorded["index_columns"] if isinstance(one, str)]
    return index, [one.get("numpy_type") for one in recorded.get("column_indexes", ())]


def _of_duckdb(schemas: Sequence[pa.Schema], recorded: Sequence[bytes | None]) -> bytes | None:
    """The types of DuckDB on which all parts that have the column agree."""
    if not any(recorded):
        return None
    agreed: dict[str, str | None] = {}
    for schema, data in zip(schemas, recorded, strict=True):
        own = json.loads(data or "{}")
        for name in schema.names:
            if agreed.setdefault(name, own.get(name)) != own.get(name):
                agreed[name] = None
    kept = {name: kind for name, kind in agreed.items() if kind is not None}
    return json.dumps(kept).encode() if kept else None

"""Classifies Arrow types, and finds the plainer type that holds the same values."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
from pyarrow import types

_FLAT = (
    types.is_null,
    types.is_boolean,
    types.is_string,
    types.is_binary,
    types.is_large_string,
    types.is_large_binary,
)
LISTS = (
    types.is_list,
    types.is_large_list,
    types.is_fixed_size_list,
    types.is_list_view,
    types.is_large_list_view,
)
_EVERYDAY = {
    kind.id
    for kind in (
        *(pa.int8(), pa.int16(), pa.int32(), pa.int64()),
        *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
        *(pa.float32(), pa.float64(), pa.bool_(), pa.date32()),
        *(pa.string(), pa.large_string(), pa.binary(), pa.large_binary()),
    )
}
_NESTED = (types.is_dictionary, types.is_struct, types.is_map)


def plain_type(kind: pa.DataType) -> pa.DataType | None:
    """The same type without views, or None if it contains a type that Arrow's kernels refuse.

    They refuse a union, run-end encoding, and a list of views of views. A view beside a column of
    type null is refused here: a cast of it makes children of a wrong length, and pyarrow 26 aborts
    when they are read.
    """
    if types.is_string_view(kind):
        return pa.large_string()
    if types.is_binary_view(kind):
        return pa.large_binary()
    if isinstance(kind, pa.BaseExtensionType):
        return kind if plain_type(kind.storage_type) == kind.storage_type else None
    within = _types_within(kind)
    if not within:
        return kind if is_one(kind, *_FLAT) or _has_fixed_width(kind) else None
    plain = [plain_type(part) for part in within]
    if None in plain or not is_one(kind, *LISTS, *_NESTED):
        return None
    if plain == within:
        return kind
    return None if _holds_null(kind) else _rebuilt(kind, plain)


def as_parquet_keeps(schema: pa.Schema) -> pa.Schema:
    """The schema without views, and with categories of plain text, since each library has its own
    type for these."""
    return _each(schema, lambda kind: _with_categories(plain_type(kind) or kind, None))


def as_pandas_takes(schema: pa.Schema) -> pa.Schema:
    """The schema without views, and with signed codes for categories."""
    return _each(schema, lambda kind: _with_categories(plain_type(kind) or kind, pa.int32()))


def as_polars_takes(schema: pa.Schema) -> pa.Schema:
    """The schema with the nearest type that polars has for each that it lacks."""
    return _each(schema, lambda kind: _rewritten(kind, _polars_type))


def as_duckdb_takes(schema: pa.Schema) -> pa.Schema:
    """The schema with the nearest type that DuckDB has for each that it lacks."""
    return _each(schema, lambda kind: _rewritten(kind, _duckdb_type))


def in_microseconds(kind: pa.DataType) -> pa.DataType:
    """The type with microseconds in place of nanoseconds."""
    return _rewritten(kind, _microseconds)


def holds(kind: pa.DataType, *tests: Callable[[pa.DataType], bool]) -> bool:
    """Whether the type, or one within it, passes one of the tests."""
    return is_one(kind, *tests) or any(holds(part, *tests) for part in _types_within(kind))


def _polars_type(kind: pa.DataType) -> pa.DataType:
    return pa.date32() if types.is_date64(kind) else kind


def _duckdb_type(kind: pa.DataType) -> pa.DataType:
    return pa.float32() if types.is_float16(kind) else kind


def _microseconds(kind: pa.DataType) -> pa.DataType:
    if getattr(kind, "unit", None) != "ns":
        return kind
    if types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    return pa.duration("us") if types.is_duration(kind) else pa.time64("us")


def is_everyday(schema: pa.Schema) -> bool:
    """Whether the schema has only types that every library has. Quick, for loading."""
    return _EVERYDAY.issuperset([kind.id for kind in schema.types])


def _each(schema: pa.Schema, change: Callable[[pa.DataType], pa.DataType]) -> pa.Schema:
    fields = [field.with_type(change(field.type)) for field in schema]
    return pa.schema(fields, schema.metadata)


def _with_categories(kind: pa.DataType, codes: pa.DataType | None) -> pa.DataType:
    if not types.is_dictionary(kind):
        return kind
    if codes is None or not types.is_unsigned_integer(kind.index_type):
        codes = kind.index_type
    text = types.is_large_string(kind.value_type)
    return pa.dictionary(codes, pa.string() if text else kind.value_type, kind.ordered)


def breaks_in_parquet(kind: pa.DataType) -> bool:
    """Whether some release of pyarrow cannot write this type to Parquet, cannot read it, or reads
    it wrong: bytes of width 0, a fixed-size list that is null, or a view within another type. Or
    whether polars would find out only when it reads the file that it lacks the type."""
    within = _types_within(kind)
    return (
        is_one(
            kind,
            types.is_fixed_size_list,
            types.is_decimal256,
            types.is_list_view,
            types.is_large_list_view,
            is_binary_of_no_width,
        )
        or any(is_one(part, types.is_string_view, types.is_binary_view) for part in within)
        or any(map(breaks_in_parquet, within))
    )


def _holds_null(kind: pa.DataType) -> bool:
    return types.is_null(kind) or any(map(_holds_null, _types_within(kind)))


def _types_within(kind: pa.DataType) -> list[pa.DataType]:
    if types.is_dictionary(kind):
        return [kind.value_type]
    if types.is_map(kind):
        return [kind.key_type, kind.item_type]
    return [kind.field(number).type for number in range(kind.num_fields)]


def _rewritten(kind: pa.DataType, change: Callable[[pa.DataType], pa.DataType]) -> pa.DataType:
    """The type with `change` made to it and to each type within it."""
    within = [] if isinstance(kind, pa.BaseExtensionType) else _types_within(kind)
    parts = [_rewritten(part, change) for part in within]
    return change(kind if parts == within else _rebuilt(kind, parts) or kind)


def _rebuilt(kind: pa.DataType, parts: list[pa.DataType]) -> pa.DataType | None:
    if types.is_dictionary(kind):
        return pa.dictionary(kind.index_type, parts[0], kind.ordered)
    if types.is_map(kind):
        return pa.map_(*parts)
    if types.is_struct(kind):
        return pa.struct([field.with_type(part) for field, part in zip(kind, parts, strict=True)])
    item = kind.value_field.with_type(parts[0])
    if types.is_list(kind):
        return pa.list_(item)
    if types.is_large_list(kind):
        return pa.large_list(item)
    return pa.list_(item, kind.list_size) if types.is_fixed_size_list(kind) else None


def _has_fixed_width(kind: pa.DataType) -> bool:
    try:
        return bool(kind.bit_width % 8 == 0)
    except ValueError:
        return False


def is_binary_of_no_width(kind: pa.DataType) -> bool:
    return bool(types.is_fixed_size_binary(kind) and kind.byte_width == 0)


def is_one(kind: pa.DataType, *tests: Callable[[pa.DataType], bool]) -> bool:
    return any(test(kind) for test in tests)

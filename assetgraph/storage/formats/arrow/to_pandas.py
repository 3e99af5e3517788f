"""Converts an Arrow table to a pandas frame without changing a value.

pandas has no null for integers of numpy: Arrow would make floats of them, and round those above
2^53. They become nullable integers, and within lists and dicts they become Python's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import types

from assetgraph.storage.formats.arrow.column_types import (
    LISTS,
    as_pandas_takes,
    holds,
    is_everyday,
    is_one,
)

_NULLABLE = {
    pa.int8(): pd.Int8Dtype,
    pa.int16(): pd.Int16Dtype,
    pa.int32(): pd.Int32Dtype,
    pa.int64(): pd.Int64Dtype,
    pa.uint8(): pd.UInt8Dtype,
    pa.uint16(): pd.UInt16Dtype,
    pa.uint32(): pd.UInt32Dtype,
    pa.uint64(): pd.UInt64Dtype,
}


# Types without integers, of which pyarrow loses nothing.
_KEPT = {
    kind.id
    for kind in (
        *(pa.float32(), pa.float64(), pa.bool_(), pa.string(), pa.large_string(), pa.binary()),
        *(pa.timestamp("us"), pa.date32(), pa.decimal128(5, 2), pa.null()),
    )
}


def frame_of(table: pa.Table) -> pd.DataFrame:
    """The table as a frame. Columns of Python objects come back as objects, not as numbers or
    arrays. Raises what pyarrow and pandas raise for a table that they cannot convert."""
    if not is_everyday(table.schema):
        table = table.cast(as_pandas_takes(table.schema))
    if not table.num_rows:
        table = _with_chunks(table)
    if b"pandas" not in (table.schema.metadata or {}):
        return _without_labels(table)
    frame = table.to_pandas()
    changed = list(_changed_columns(table))
    if changed:
        dtypes = list(frame.dtypes)
        for position, column, was_object in changed:
            better = _kept(column, frame.index, dtypes[position], was_object=was_object)
            if better is not None:
                frame.isetitem(position, better)
    return frame


def _without_labels(table: pa.Table) -> pd.DataFrame:
    """A table that was no frame. The columns that pyarrow would change do not pass through it."""
    columns = table.columns
    changed = [
        place
        for place, kind in enumerate(table.schema.types)
        if kind.id not in _KEPT and (_loses_nulls(columns[place]) or _loses_zone(kind))
    ]
    if not changed:
        return table.to_pandas()
    others = [place for place in range(len(columns)) if place not in set(changed)]
    rest = table.select(others).to_pandas()
    made = dict(zip(others, (rest.iloc[:, place] for place in range(len(others))), strict=True))
    for place in changed:
        made[place] = _kept(columns[place], rest.index, np.dtype(float), was_object=False)
    frame = pd.DataFrame({place: made[place] for place in range(len(columns))}, copy=False)
    frame.columns = pd.Index(table.column_names)
    return frame


def _changed_columns(table: pa.Table) -> Iterator[tuple[int, pa.ChunkedArray, bool]]:
    """The columns that pyarrow may change, each with its position in the frame, and whether pandas
    held it as objects."""
    recorded = json.loads((table.schema.metadata or {}).get(b"pandas", "{}"))
    index = [name for name in recorded.get("index_columns", ()) if isinstance(name, str)]
    objects = {
        column["field_name"]
        for column in recorded.get("columns", ())
        if column["numpy_type"] == "object"
    }
    position = -1
    for number, field in enumerate(table.schema):
        if field.name in index:
            continue
        position += 1
        column = table.column(number)
        if field.name in objects or _loses_nulls(column) or _loses_zone(field.type):
            yield position, column, field.name in objects


def _kept(
    column: pa.ChunkedArray, index: pd.Index, dtype: Any, *, was_object: bool
) -> pd.Series | Any | None:
    """The column as pandas keeps it exactly, or None if it is kept already."""
    if types.is_dictionary(column.type) and not was_object:
        return _categories(column)
    plain = _storage(column)
    if is_one(plain.type, types.is_struct, types.is_map, *LISTS):
        return pd.Series(plain.to_pylist(), index, dtype=object)
    if was_object:
        same = str(dtype) == "object"
        return None if same else pd.Series(column.to_pylist(), index, dtype=object)
    if getattr(dtype, "kind", None) != "f":
        return None
    return _NULLABLE[plain.type]().__from_arrow__(plain)


def _loses_nulls(column: pa.ChunkedArray) -> bool:
    """Whether the column holds integers beside nulls, itself or within lists and dicts."""
    if isinstance(column.type, pa.BaseExtensionType):
        column = _storage(column)
    if not holds(column.type, types.is_integer) or types.is_dictionary(column.type):
        return False
    if types.is_integer(column.type):
        return bool(column.null_count)
    return any(map(_has_null_integers, column.chunks))


def _has_null_integers(array: pa.Array) -> bool:
    """Whether an integer within a nested array may be null. What lies under a null counts too."""
    kind = array.type
    if types.is_integer(kind):
        return bool(array.null_count)
    if types.is_struct(kind):
        parts = [array.field(number) for number in range(kind.num_fields)]
        integers = any(types.is_integer(part.type) for part in parts)
        return (bool(array.null_count) and integers) or any(map(_has_null_integers, parts))
    if types.is_map(kind):
        return _has_null_integers(array.keys) or _has_null_integers(array.items)
    if types.is_fixed_size_list(kind) and array.null_count:
        return holds(kind, types.is_integer)
    return is_one(kind, *LISTS) and _has_null_integers(array.values)


def _loses_zone(kind: pa.DataType) -> bool:
    """Whether the categories are times in a zone, of which pyarrow forgets the zone."""
    value = kind.value_type if types.is_dictionary(kind) else None
    return value is not None and types.is_timestamp(value) and value.tz is not None


def _categories(column: pa.ChunkedArray) -> pd.Categorical:
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # no chunk, or more than a chunk can hold
        whole = whole.chunk(0) if whole.num_chunks else pa.nulls(0, column.type)
    codes = whole.indices.fill_null(-1).to_numpy()
    categories = pd.Index(whole.dictionary.to_pandas())
    return pd.Categorical.from_codes(codes, categories, ordered=column.type.ordered)


def _storage(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if not isinstance(kind, pa.BaseExtensionType):
        return column
    return pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type)


def _with_chunks(table: pa.Table) -> pa.Table:
    """The table without rows, but with a chunk in each column, which some types of pandas need."""
    columns = [
        c if c.num_chunks else pa.chunked_array([pa.nulls(0, c.type)]) for c in table.columns
    ]
    return pa.table(columns, schema=table.schema)

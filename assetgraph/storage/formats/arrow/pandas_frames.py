"""Decides whether a table keeps a pandas frame unchanged. A frame that it would change is pickled.

A frame may hold what no table can: sets, several types of numbers in a column, or labels that are
not text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import NoneType
from typing import Any

import pyarrow as pa
from pyarrow import types

from assetgraph.storage.formats.arrow.table_sources import TableInMemory
from assetgraph.storage.formats.arrow.to_parameter_type import table_as

_EXACT = {str, bytes, bool, int, date}
_BY_TEXT = {float, datetime, time, timedelta, Decimal}


def table_keeps(frame: Any, table: pa.Table) -> bool:
    """Whether the table converts back to the same frame.

    Labels and types are compared after a cheap round trip without rows. The values of object
    columns are compared one by one.
    """
    if table.num_rows != len(frame) or (len(frame) and not table.num_columns):
        return False  # pandas takes its rows from the columns
    if any(map(_is_unreadable, table.schema.types)):
        return False
    try:
        back = table_as(TableInMemory(table.slice(0, 0)), "pandas")
        kept = _same_labels(frame, back) and frame.attrs == back.attrs and frame.flags == back.flags
    except Exception:  # pandas cannot convert it, or cannot compare the objects in it
        return False
    return (
        kept
        and all(_keeps(values, table.column(place)) for place, values in _object_columns(frame))
        and not any(map(_is_nested, _object_levels(frame)))
    )


def has_odd_labels(frame: Any) -> bool:
    """Whether Arrow would warn of the labels, attributes or index names, and turn each into text
    or drop it."""
    labels = frame.columns
    levels = [labels] if labels.nlevels == 1 else labels.levels
    return (
        any(_are_odd(set(map(type, level))) for level in levels)
        or not all(name is None or type(name) is str for name in frame.index.names)
        or (bool(frame.attrs) and not _survives_json(frame.attrs))
    )


def columns_of(frame: Any) -> list[tuple[str, str]]:
    """The name and type of each column of a pickled frame. The types are Arrow's if it can convert
    the frame, else those of the frame's library."""
    if type(frame).__module__.startswith("polars"):
        return [(name, str(kind)) for name, kind in frame.schema.items()]
    try:
        schema = None if has_odd_labels(frame) else pa.Schema.from_pandas(frame.iloc[:0])
    except Exception:
        schema = None
    if schema is None:
        return [(str(name), str(kind)) for name, kind in frame.dtypes.items()]
    return [(f.name, "object" if types.is_null(f.type) else str(f.type)) for f in schema]


def _is_unreadable(kind: pa.DataType) -> bool:
    """Whether Arrow writes this type but cannot read it: categories of an extension type."""
    return types.is_dictionary(kind) and isinstance(kind.value_type, pa.BaseExtensionType)


def _are_odd(kinds: set[type]) -> bool:
    return len(kinds) > 1 or any(kind.__name__ in ("NoneType", "NAType") for kind in kinds)


def _survives_json(attributes: Any) -> bool:
    try:
        json.dumps(attributes)
    except (TypeError, ValueError):
        return False
    return True


def _same_labels(frame: Any, back: Any) -> bool:
    return (
        frame.columns.equals(back.columns)
        and list(map(type, frame.columns)) == list(map(type, back.columns))
        and _levels(frame.columns) == _levels(back.columns)
        and list(map(_exact_type, frame.dtypes)) == list(map(_exact_type, back.dtypes))
        and _levels(frame.iloc[:0].index) == _levels(back.index)
        and _frequency(frame.index) == _frequency(back.index)
        and _frequencies(frame.columns) == _frequencies(back.columns)
    )


def _levels(index: Any) -> list[Any]:
    """Each level's type, name and frequency. A range is not stored as a column and loses its name
    without rows, so a name that is text is not compared."""
    if type(index).__name__ == "RangeIndex":
        return [1, ("int64", None if type(index.name) is str else index.name)]
    if index.nlevels == 1 and type(index).__name__ != "MultiIndex":
        return [1, (_exact_type(index.dtype), index.name)]
    levels = [index.get_level_values(number) for number in range(index.nlevels)]
    return ["multi", *((_exact_type(level.dtype), level.name) for level in levels)]


def _frequency(index: Any) -> Any:
    return getattr(index, "freq", None)


def _frequencies(columns: Any) -> list[Any]:
    return [_frequency(columns.get_level_values(number)) for number in range(columns.nlevels)]


def _exact_type(kind: Any) -> Any:
    """What tells a type of pandas from every other. Two types with the same categories are equal
    for pandas though the types of the categories differ."""
    categories = getattr(kind, "categories", None)
    if categories is None:
        return kind
    objects = categories.tolist() if str(categories.dtype) == "object" else None
    return (
        kind.ordered,
        categories.dtype,
        categories.name,
        _frequency(categories),
        # repr tells -0.0, time zones and scales apart
        None if objects is None else [(type(one), repr(one)) for one in objects],
        kind,
    )


def _is_nested(objects: list[Any]) -> bool:
    """An index level of lists or dicts comes back as arrays."""
    return not set(map(type, objects)) <= {*_EXACT, *_BY_TEXT, NoneType}


def _object_levels(frame: Any) -> Iterator[list[Any]]:
    for number in range(frame.index.nlevels):
        level = frame.index.get_level_values(number)
        if str(level.dtype) == "object":
            yield level.tolist()


def _object_columns(frame: Any) -> Iterator[tuple[int, list[Any]]]:
    """The columns and index levels that hold Python objects, with their positions in the table."""
    width = len(frame.columns)
    for place, kind in enumerate(frame.dtypes):
        if str(kind) == "object":
            yield place, frame.iloc[:, place].tolist()
    for number in range(frame.index.nlevels):
        level = frame.index.get_level_values(number)
        if str(level.dtype) == "object":
            yield width + number, level.tolist()


def _keeps(objects: list[Any], column: pa.ChunkedArray) -> bool:
    kinds = set(map(type, objects)) - {NoneType}
    if len(kinds) <= 1 and kinds <= _EXACT:
        return True
    return all(map(_same, objects, column.to_pylist()))


def _same(one: Any, other: Any) -> bool:
    kind = type(one)
    if kind is not type(other):
        return False
    if kind is list:
        return len(one) == len(other) and all(map(_same, one, other))
    if kind is dict:
        keys = list(one) == list(other) and all(type(key) is str for key in one)
        return keys and all(map(_same, one.values(), other.values()))
    if kind in _BY_TEXT:  # repr tells -0.0, NaN, time zones and scales apart
        return repr(one) == repr(other)
    return kind in _EXACT | {NoneType} and bool(one == other)

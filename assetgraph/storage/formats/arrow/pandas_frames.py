"""Decides whether a table keeps a pandas frame unchanged. A frame that it would change is pickled.

A frame may hold what no table can: sets, several types of numbers in a column, or labels that are
not text.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import NoneType
from typing import Any

import pyarrow as pa
from pyarrow import types

from assetgraph.storage.formats.arrow.conversions import table_as
from assetgraph.storage.formats.arrow.table_sources import TableInMemory

_EXACT = {str, bytes, bool, int, date}
_BY_TEXT = {float, datetime, time, timedelta, Decimal}


def table_keeps(frame: Any, table: pa.Table) -> bool:
    """Whether the table converts back to the same frame.

    Labels and types are compared after a cheap round trip without rows. The values of object
    columns are compared one by one.
    """
    try:
        back = table_as(TableInMemory(table.slice(0, 0)), "pandas")
        kept = _same_labels(frame, back) and frame.attrs == back.attrs and frame.flags == back.flags
    except Exception:  # pandas cannot convert it, or cannot compare the objects in it
        return False
    return kept and all(
        _keeps(values, table.column(place)) for place, values in _object_columns(frame)
    )


def has_mixed_labels(frame: Any) -> bool:
    """Whether the labels have several types, so that Arrow would warn and turn each into text."""
    return len(set(map(type, frame.columns))) > 1


def columns_of(frame: Any) -> list[tuple[str, str]]:
    """The name and type of each column of a pickled frame. The types are Arrow's if it can convert
    the frame, else pandas's."""
    try:
        schema = None if has_mixed_labels(frame) else pa.Schema.from_pandas(frame.iloc[:0])
    except (pa.ArrowException, TypeError, ValueError):
        schema = None
    if schema is None:
        return [(str(name), str(kind)) for name, kind in frame.dtypes.items()]
    return [(f.name, "object" if types.is_null(f.type) else str(f.type)) for f in schema]


def _same_labels(frame: Any, back: Any) -> bool:
    return (
        frame.columns.equals(back.columns)
        and list(map(type, frame.columns)) == list(map(type, back.columns))
        and _levels(frame.columns) == _levels(back.columns)
        and list(frame.dtypes) == list(back.dtypes)
        and _levels(frame.iloc[:0].index) == _levels(back.index)
        and getattr(frame.index, "freq", None) == getattr(back.index, "freq", None)
    )


def _levels(index: Any) -> list[Any]:
    """Each level's type and name. A range is not stored as a column and loses its name without
    rows, so a name that is text is not compared."""
    if type(index).__name__ == "RangeIndex":
        return [("int64", None if type(index.name) is str else index.name)]
    levels = [index.get_level_values(number) for number in range(index.nlevels)]
    return [(str(level.dtype), level.name) for level in levels]


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

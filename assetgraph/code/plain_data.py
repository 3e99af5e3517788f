"""Plain data, which consists only of built-in data types, and other kinds of values."""

from __future__ import annotations

from types import EllipsisType, FunctionType, ModuleType, NoneType
from typing import Any

_SCALARS = {int, float, complex, str, bytes, bool, NoneType, EllipsisType}
PLAIN = _SCALARS | {list, tuple, set, frozenset, dict}
_ARROW = ("Array", "ChunkedArray", "RecordBatch", "Table")
_DATA = ("__array_interface__", "__arrow_c_stream__", "__arrow_c_array__", "__arrow_c_schema__")


def is_plain(value: Any) -> bool:
    """Whether a value consists only of built-in data types."""
    try:
        return is_plain_data(value)
    except RecursionError:
        return False


def is_plain_data(value: Any) -> bool:
    """The same. Raises `RecursionError` if the value is too deep, or holds itself."""
    kind = type(value)
    if kind in _SCALARS:
        return True
    if kind is dict:
        return _all_plain(value) and _all_plain(value.values())
    return kind in PLAIN and _all_plain(value)


def _all_plain(values: Any) -> bool:
    kinds = set(map(type, values))
    if kinds <= _SCALARS:
        return True
    return kinds <= PLAIN and all(map(is_plain_data, values))


def is_data(kind: type) -> bool:
    """Whether other libraries read such values in place: arrays and tables."""
    return any(hasattr(kind, name) for name in _DATA)


def has_identity(value: Any) -> bool:
    """Whether equal values of this kind are still distinct: a list that code may append to, an
    `object()` that code compares with."""
    if isinstance(value, ModuleType | FunctionType | type):
        return False
    hashing: Any = type(value).__hash__
    return hashing is None or hashing is object.__hash__


def is_arrow(kind: type) -> bool:
    """Whether values of a class are arrays or tables of pyarrow."""
    return kind.__module__ == "pyarrow.lib" and any(k.__name__ in _ARROW for k in kind.__mro__)

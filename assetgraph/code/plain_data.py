"""Plain data: values that consist only of built-in data types."""

from __future__ import annotations

from types import EllipsisType, NoneType
from typing import Any

_SCALARS = {int, float, complex, str, bytes, bool, NoneType, EllipsisType}
PLAIN = _SCALARS | {list, tuple, set, frozenset, dict}


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

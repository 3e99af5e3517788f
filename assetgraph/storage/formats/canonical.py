"""The hash of a Python value by its content: equal sets and equal texts hash alike, in any
process, whichever object they are. Only for builtin containers of builtin values and dates."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from assetgraph.storage.formats.digest import hasher

_FLUSH_BYTES = 1 << 16


def canonical_digest(value: object) -> str | None:
    """None if something of another type is in it."""
    try:
        return _Walk().digest(value)
    except (_OtherTypeError, RecursionError):
        return None


class _OtherTypeError(Exception):
    pass


class _Walk:
    """Writes a value as tagged bytes into a hash. A mutable container that comes again is written
    as the number of its first place, which also ends recursion."""

    def __init__(self) -> None:
        self._out = bytearray()
        self._digest = hasher("canonical")
        self._places: dict[int, int] = {}

    def digest(self, value: object) -> str:
        self._add(value)
        self._digest.update(self._out)
        return self._digest.hexdigest()

    def _add(self, value: Any) -> None:
        kind = type(value)
        if kind in _LEAVES:
            data = _LEAVES[kind](value)
            self._out += kind.__name__.encode() + b":%d:" % len(data) + data
        elif kind in (list, tuple):
            self._add_items(value, kind.__name__, value)
        elif kind is dict:
            self._add_items(value, "dict", (part for item in value.items() for part in item))
        elif kind in (set, frozenset):
            items = sorted(_Walk().digest(item) for item in value)
            self._add_items(value, kind.__name__, items)
        else:
            raise _OtherTypeError
        if len(self._out) > _FLUSH_BYTES:
            self._digest.update(self._out)
            self._out.clear()

    def _add_items(self, container: Any, tag: str, items: Any) -> None:
        if tag in ("list", "dict", "set"):
            place = self._places.get(id(container))
            if place is not None:
                self._out += b"again:%d:" % place
                return
            self._places[id(container)] = len(self._places)
        self._out += tag.encode() + b":%d:" % len(container)
        for item in items:
            self._add(item)


def _as_text(value: object) -> bytes:
    return repr(value).encode()


_LEAVES: dict[type, Callable[[Any], bytes]] = {
    type(None): _as_text,
    bool: _as_text,
    int: lambda value: b"%x" % value,
    float: lambda value: struct.pack("<d", value),
    complex: lambda value: struct.pack("<dd", value.real, value.imag),
    str: lambda value: value.encode("utf-8", "surrogatepass"),
    bytes: bytes,
    bytearray: bytes,
    date: _as_text,
    datetime: _as_text,
    time: _as_text,
    timedelta: _as_text,
    Decimal: _as_text,
}

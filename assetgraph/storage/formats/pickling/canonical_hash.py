"""The hash of a Python value by its content, the same in every process.

It takes only builtin containers of builtin values and dates. Equal sets have the same hash, and it
does not matter whether two equal texts are one object or two.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from assetgraph.storage.formats.digest import hasher

_LARGE_BYTES = 1 << 16


def canonical_digest(value: object) -> str | None:
    """The hash of the value, or None if it contains any other type."""
    try:
        return _Walk().digest(value)
    except (_OtherTypeError, RecursionError):
        return None


class _OtherTypeError(Exception):
    pass


class _Walk:
    """Writes a value as tagged bytes into a hash.

    A mutable container that occurs again is written as the number of its first occurrence, which
    also ends recursion. Items of one type are written together, which is ten times faster.
    """

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
            self._write(kind.__name__, _LEAVES[kind](value))
        elif kind is tuple:
            self._add_items("tuple", value)
        elif kind is frozenset:
            self._add_items("frozenset", _in_order(value))
        elif id(value) in self._places:
            self._write("again", b"%d" % self._places[id(value)])
        elif kind is list:
            self._remember(value)
            self._add_items("list", value)
        elif kind is dict:
            self._remember(value)
            self._add_items("keys", list(value))
            self._add_items("values", list(value.values()))
        elif kind is set:
            self._remember(value)
            self._add_items("set", _in_order(value))
        else:
            raise _OtherTypeError

    def _add_items(self, tag: str, items: Sequence[Any]) -> None:
        kinds = set(map(type, items))
        kind = kinds.pop() if len(kinds) == 1 else object
        if kind in _PACKED:
            self._write(f"{tag} of {kind.__name__}", _PACKED[kind](items))
            return
        self._write(tag, b"%d" % len(items))
        for item in items:
            self._add(item)

    def _remember(self, container: object) -> None:
        self._places[id(container)] = len(self._places)

    def _write(self, tag: str, data: bytes) -> None:
        self._out += b"%s:%d:" % (tag.encode(), len(data))
        if len(data) > _LARGE_BYTES or len(self._out) > _LARGE_BYTES:
            self._digest.update(self._out)
            self._out.clear()
            self._digest.update(data)
        else:
            self._out += data


def _in_order(items: Collection[Any]) -> list[Any]:
    """The items of a set, in an order that depends only on its content."""
    kinds = set(map(type, items))
    if len(kinds) == 1 and kinds <= {str, int, bytes}:
        return sorted(items)
    return sorted(_Walk().digest(item) for item in items)


def _as_text(value: object) -> bytes:
    return repr(value).encode()


def _encoded(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def _texts(items: Sequence[str]) -> bytes:
    lengths = array("Q", map(len, items)).tobytes()
    return b"%d:" % len(items) + lengths + _encoded("".join(items))


_LEAVES: dict[type, Callable[[Any], bytes]] = {
    type(None): _as_text,
    bool: _as_text,
    int: lambda value: b"%x" % value,
    float: lambda value: struct.pack("<d", value),
    complex: lambda value: struct.pack("<dd", value.real, value.imag),
    str: _encoded,
    bytes: bytes,
    bytearray: bytes,
    date: _as_text,
    datetime: _as_text,
    time: _as_text,
    timedelta: _as_text,
    Decimal: _as_text,
}
_PACKED: dict[type, Callable[[Any], bytes]] = {
    int: lambda items: b",".join([b"%x" % item for item in items]),
    float: lambda items: array("d", items).tobytes(),
    str: _texts,
}

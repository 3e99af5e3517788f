"""A value as bytes that are the same in every process: for constants, defaults and captured
variables.

Plain data counts by its content and the exact types in it; the order of a set never counts, that of
a dict does, unless it is only looked up in. Functions, classes and modules in a value count as
definitions. An instance counts by its class and its state; what outside types are made of is asked
with `__reduce_ex__`, as pickle does. Text and paths under the project's folder count relative to
it.
"""

from __future__ import annotations

import marshal
import os
from collections.abc import Callable, Iterable
from copyreg import dispatch_table
from enum import Enum
from hashlib import blake2b
from pathlib import PurePath
from pickle import PickleBuffer
from types import EllipsisType, MappingProxyType, MemberDescriptorType, MethodType, NoneType
from typing import Any

Refer = Callable[[Any], bytes | None]

_SCALARS = {int, float, complex, str, bytes, bool, NoneType, EllipsisType}
_PLAIN = _SCALARS | {list, tuple, set, frozenset, dict}
_CONTAINERS = (dict, list, tuple, set, frozenset, str, bytes, int, float, complex)
_SHORT = 64
MAX_STEPS = 200_000


class TooLargeError(Exception):
    """A value of more instances than are worth looking at."""


class ValueWriter:
    """Writes one value. `refer` gives the bytes for a definition, None for anything else;
    `is_ours` tells the project's classes. `failed` names the types that could not be read."""

    def __init__(
        self, refer: Refer, is_ours: Callable[[type], bool], roots: Iterable[str] = ()
    ) -> None:
        self._refer = refer
        self._is_ours = is_ours
        self._roots = tuple(roots)
        self._root_bytes = tuple(os.fsencode(root) for root in self._roots)
        self._open: dict[int, int] = {}
        self._closed: dict[int, tuple[Any, bytes]] = {}
        self._loops = 0
        self.steps = 0
        self.failed: list[str] = []

    def write(self, value: Any, *, any_order: bool = False) -> bytes:
        """`any_order`: the order of a dict does not count. Raises `TooLargeError`."""
        if any_order and type(value) is dict:
            return _join(b"lookup", sorted(self._pairs(value.items())))
        plain = self._plain(value)
        return plain if plain is not None else self._slow(value)

    def _plain(self, value: Any) -> bytes | None:
        """Plain data at C speed, or None."""
        try:
            if not _is_plain(value):
                return None
            # Version 2 writes no references: equal data gives equal bytes. Sets come out sorted.
            data = marshal.dumps(value, 2)
        except (RecursionError, ValueError):
            return None
        if any(root in data for root in self._root_bytes):
            return None
        return data if len(data) < _SHORT else blake2b(data, digest_size=20).digest()

    def _slow(self, value: Any) -> bytes:
        known = self._closed.get(id(value))
        if known is not None:
            return known[1]
        if id(value) in self._open:
            self._loops += 1
            return b"loop %d" % (len(self._open) - self._open[id(value)])
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise TooLargeError
        before = self._loops
        self._open[id(value)] = len(self._open)
        try:
            written = self._described(value)
        finally:
            del self._open[id(value)]
        if self._loops == before:
            self._closed[id(value)] = (value, written)
        return written

    def _described(self, value: Any) -> bytes:
        kind = type(value)
        if kind is str:
            return _join(b"text", [self._relative(value).encode("utf-8", "surrogatepass")])
        if kind in _PLAIN:
            return self._container(kind, value)
        referred = self._refer(value)
        if referred is not None:
            return _join(b"definition", [referred])
        if kind is MethodType:
            return _join(b"method", self._all([value.__func__, value.__self__]))
        if kind in (staticmethod, classmethod):
            return _join(kind.__name__.encode(), self._all([value.__func__]))
        if kind is property:
            return _join(b"property", self._all([value.fget, value.fset, value.fdel]))
        if kind is MappingProxyType:
            return _join(b"mapping", self._all([dict(value)]))
        if kind is PickleBuffer:
            return _join(b"buffer", [blake2b(value.raw(), digest_size=20).digest()])
        try:
            return self._instance(kind, value)
        except (TooLargeError, MemoryError):
            raise
        except Exception:
            self.failed.append(f"{kind.__module__}.{kind.__qualname__}")
            return _join(b"unreadable", self._all([kind]))

    def _container(self, kind: type, value: Any) -> bytes:
        tag = kind.__name__.encode()
        if kind is dict:
            return _join(tag, self._pairs(value.items()))
        if kind in (set, frozenset):
            return _join(tag, sorted(self._all(value)))
        if kind in (list, tuple):
            return _join(tag, self._all(value))
        return _join(tag, [marshal.dumps(value, 2)])

    def _instance(self, kind: type, value: Any) -> bytes:
        if issubclass(kind, PurePath):
            path = self._relative(str(value)).replace(os.sep, "/")
            return _join(b"path", [path.encode("utf-8", "surrogatepass")])
        if issubclass(kind, Enum):
            return _join(b"enum", self._all([kind, value._name_]))
        if kind.__module__ == "logging" and kind.__name__ != "LoggerAdapter":
            return b"logging"  # a logger or a handler changes with what the process logs
        if self._is_ours(kind) and all(_is_simple(base, self._is_ours) for base in kind.__mro__):
            return _join(b"instance", [*self._all([kind, *_content(value)]), *self._state(value)])
        return _join(b"reduced", [*self._all([kind]), *self._reduced(kind, value)])

    def _state(self, value: Any) -> list[bytes]:
        state = dict(getattr(value, "__dict__", {}))
        for base in type(value).__mro__:
            slots = base.__dict__.get("__slots__", ())
            for slot in (slots,) if isinstance(slots, str) else slots:
                if slot.startswith("__") and not slot.endswith("__"):
                    slot = f"_{base.__name__.lstrip('_')}{slot}"
                if slot not in ("__dict__", "__weakref__") and slot not in state:
                    member = base.__dict__.get(slot)
                    if isinstance(member, MemberDescriptorType) and hasattr(value, slot):
                        state[slot] = member.__get__(value)
        return sorted(self._pairs(state.items()))

    def _reduced(self, kind: type, value: Any) -> list[bytes]:
        reducer = dispatch_table.get(kind)
        made: Any = reducer(value) if reducer else value.__reduce_ex__(5)
        if isinstance(made, str):
            return [made.encode()]
        function, arguments, state, items, pairs = (*made, None, None, None)[:5]
        written = self._all([function, arguments])
        written += [self._unordered(part) for part in _parts(state)]
        written += self._all([list(items or ()), [tuple(pair) for pair in pairs or ()]])
        return written

    def _unordered(self, state: Any) -> bytes:
        """The state of an instance: the order in which its attributes were set says nothing."""
        if type(state) is dict:
            return _join(b"state", sorted(self._pairs(state.items())))
        return self.write(state)

    def _all(self, values: Iterable[Any]) -> list[bytes]:
        return [self.write(value) for value in values]

    def _pairs(self, items: Iterable[tuple[Any, Any]]) -> list[bytes]:
        return [_join(b":", [self.write(key), self.write(value)]) for key, value in items]

    def _relative(self, text: str) -> str:
        for root in self._roots:
            if text == root or text.startswith(root + os.sep):
                return f"\0project{text[len(root) :]}"
        return text


def is_plain(value: Any) -> bool:
    """Whether a value is made of built-in data types alone."""
    try:
        return _is_plain(value)
    except RecursionError:
        return False


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind in _SCALARS:
        return True
    if kind is dict:
        return _all_plain(value) and _all_plain(value.values())
    return kind in _PLAIN and _all_plain(value)


def _all_plain(values: Any) -> bool:
    kinds = set(map(type, values))
    if kinds <= _SCALARS:
        return True
    return kinds <= _PLAIN and all(map(_is_plain, values))


def _is_simple(base: type, is_ours: Callable[[type], bool]) -> bool:
    """Whether instances of `base` keep nothing beside attributes and built-in content."""
    return (
        is_ours(base)
        or base in (object, *_CONTAINERS)
        or base.__module__ in ("abc", "typing", "collections.abc")
    )


def _content(value: Any) -> list[Any]:
    """What an instance of a subclass of a built-in type holds, by that type's own methods."""
    if isinstance(value, dict):
        return [dict.copy(value)]
    if isinstance(value, list):
        return [list.copy(value)]
    if isinstance(value, set | frozenset):
        return [set().union(value)]
    bases: tuple[Any, ...] = (tuple, str, bytes, int, float, complex)
    return [base.__getnewargs__(value) for base in bases if isinstance(value, base)]


def _parts(state: Any) -> tuple[Any, ...]:
    """The state of instances with slots is a pair of dicts."""
    return state if type(state) is tuple and len(state) == 2 else (state,)


def _join(tag: bytes, parts: Iterable[bytes]) -> bytes:
    made = blake2b(tag, digest_size=20)
    for part in parts:
        made.update(b"%d:" % len(part))
        made.update(part)
    return made.digest()

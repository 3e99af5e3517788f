"""The value of a constant, a default or a captured variable, as bytes that are the same in every
process.

Plain data counts by its content and its exact types. The order of a set never counts; the order of
a dict does, unless the code only looks something up in it. Functions, classes and modules in a
value count as definitions. An instance counts by its class and its state, which `__reduce_ex__`
gives for types from outside the project, as it does for pickle. Text and paths under the project's
folder count relative to it.
"""

from __future__ import annotations

import marshal
import os
import re
import sys
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from copyreg import dispatch_table
from enum import Enum
from functools import partial
from hashlib import blake2b
from operator import itemgetter
from pathlib import PurePath
from types import (
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
)
from typing import Any

from assetgraph.code.plain_data import PLAIN, is_arrow, is_data, is_plain, is_plain_data
from assetgraph.code.wrapped_functions import functions_inside

Refer = Callable[[Any], bytes | None]
Collect = Callable[[Any], bytes]

_CONTAINERS = (dict, list, tuple, set, frozenset, str, bytes, int, float, complex)
_CONTAINER_MODULES = ("collections", "builtins", "types")
# `functools.wraps` copies these from the wrapped function. Python versions differ in which ones.
_COPIED = {"__module__", "__name__", "__qualname__", "__doc__", "__annotations__", "__annotate__"}
_COPIED |= {"__type_params__"}
_NOTHING = "no value"
# Objects of libraries that are others in every process: they hold ids, the time or a random token.
_NEVER_THE_SAME = frozenset(
    {
        "pydantic.type_adapter.TypeAdapter",
        "matplotlib.figure.Figure",
        "requests.models.PreparedRequest",
        "dask.delayed.Delayed",
    }
)
_SHORT = 64
MAX_STEPS = 50_000


class TooLargeError(Exception):
    """The value holds more instances than are worth reading."""


class ValueWriter:
    """Writes one value.

    `refer` returns the bytes for a definition, None for anything else. `collect` returns those for
    a set, or for a dict whose order does not count: their items can be sorted only once they have
    hashes. `in_project` tells whether a class belongs to the project. `roots` are the paths of the
    project's folder. `failed` names the types that could not be read.
    """

    def __init__(
        self,
        refer: Refer,
        collect: Collect,
        in_project: Callable[[type], bool],
        roots: Iterable[str] = (),
    ) -> None:
        self._refer = refer
        self._collect = collect
        self._in_project = in_project
        self._roots = tuple(roots)
        self._root_bytes = tuple(os.fsencode(root) for root in self._roots)
        self._open: dict[int, int] = {}
        self._closed: dict[int, tuple[Any, bytes]] = {}
        self._layouts: dict[type, list[MemberDescriptorType] | None] = {}
        self._loops = 0
        self.steps = 0
        self.failed: list[str] = []
        self.hides = False  # it holds a library's object that may hold more than its pickle

    def write(self, value: Any, *, any_order: bool = False) -> bytes:
        """The bytes of a value. With `any_order`, the order of a dict does not count. Raises
        `TooLargeError`."""
        if any_order and type(value) is dict:
            if is_plain(value):
                return self.write(sorted(value.items(), key=_by_key(value)))
            return _join(b"lookup", [self._collect(value)])
        plain = self._plain(value)
        return plain if plain is not None else self._slow(value)

    def _plain(self, value: Any) -> bytes | None:
        """The bytes of plain data, written at C speed; None for any other value."""
        try:
            if not is_plain_data(value):
                return None
            # Version 2 writes no references, so equal data gives equal bytes. It sorts sets.
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
        if kind in PLAIN:
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
        if kind.__module__ == "pickle" and kind.__name__ == "PickleBuffer":
            return _join(b"buffer", [blake2b(value.raw(), digest_size=20).digest()])
        if kind is partial:
            written = self._all([value.func, value.args, value.keywords])
            return _join(b"partial", [*written, *self._state(value, ())])
        return self._instance(kind, value)

    def _container(self, kind: type, value: Any) -> bytes:
        tag = kind.__name__.encode()
        if kind is dict:
            return _join(tag, self._pairs(value.items()))
        if kind in (set, frozenset):
            return _join(tag, [self._collect(value)])
        if kind in (list, tuple):
            return _join(tag, self._all(value))
        return _join(tag, [marshal.dumps(value, 2)])

    def _instance(self, kind: type, value: Any) -> bytes:
        """An instance counts by its class and state.

        If it holds something that cannot be read (a lock, a connection), the rest of its state may
        be just as short-lived, so only its type counts. Classes of the project and containers are
        an exception: there the rest counts as well.
        """
        before, written = len(self.failed), b""
        try:
            written = self._read(kind, value)
        except (TooLargeError, MemoryError, RecursionError):
            raise
        except Exception:
            self.failed.append(f"{kind.__module__}.{kind.__qualname__}")
        partly = self._in_project(kind) or kind.__module__ in _CONTAINER_MODULES
        if len(self.failed) > before and not (partly and written):
            return _join(b"unreadable", self._all([kind]))
        return written

    def _read(self, kind: type, value: Any) -> bytes:
        if value is os.environ or kind.__module__ == "itertools":
            raise TypeError("it changes all the time")
        if any(f"{k.__module__}.{k.__qualname__}" in _NEVER_THE_SAME for k in kind.__mro__):
            raise TypeError("it is another in every process")
        if issubclass(kind, PurePath):
            path = self._relative(str(value)).replace(os.sep, "/")
            return _join(b"path", [path.encode("utf-8", "surrogatepass")])
        if issubclass(kind, Enum):
            return _join(b"enum", self._all([kind, value._name_]))
        if kind.__module__ == "logging" and kind.__name__ != "LoggerAdapter":
            return b"logging"  # the state of loggers and handlers changes as the process logs
        slots = self._slots(kind)
        if slots is not None:
            written = [*self._all([kind, *_content(value)]), *self._state(value, slots)]
            return _join(b"instance", written)
        if kind is ContextVar:
            return _join(b"context", self._all([value.name, value.get(_NOTHING)]))
        if is_arrow(kind):
            from assetgraph.code.arrow_content import arrow_hash

            return _join(b"arrow", [arrow_hash(value)])
        hid = self.hides
        if callable(value) and self._is_around_project(kind, value):
            parts = [*self._all([kind]), *self._state(value, ())]
        else:
            parts = [*self._all([kind]), *self._reduced(kind, value)]
        # Arrays and tables count by their content alone, whatever a library keeps beside it.
        self.hides = hid if is_data(kind) else self.hides or not self._is_open(kind)
        return _join(b"reduced", parts)

    def _slots(self, kind: type) -> list[MemberDescriptorType] | None:
        """The slots of a class of the project whose instances hold only attributes and built-in
        content; None for any other class."""
        if kind not in self._layouts:
            slots = None
            in_project = self._in_project
            if in_project(kind) and all(_is_simple(base, in_project) for base in kind.__mro__):
                members = [m for base in kind.__mro__ for m in vars(base).values()]
                slots = [m for m in members if isinstance(m, MemberDescriptorType)]
            self._layouts[kind] = slots
        return self._layouts[kind]

    def _is_around_project(self, kind: type, value: Any) -> bool:
        """Whether a library made a function of functions of the project. Its pickle may only name
        them, so it counts by its attributes."""
        inside = functions_inside(getattr(value, "__dict__", {}))
        return any(map(self._in_project, inside)) and not self._is_open(kind)

    def _is_open(self, kind: type) -> bool:
        """Whether pickle writes all that an instance holds, as for classes of the standard library
        and of the project."""
        return all(
            self._in_project(base) or base.__module__.partition(".")[0] in sys.stdlib_module_names
            for base in kind.__mro__
        )

    def _state(self, value: Any, slots: Iterable[MemberDescriptorType]) -> list[bytes]:
        state = dict(getattr(value, "__dict__", {}))
        for name in state.keys() & _COPIED:
            del state[name]
        for slot in slots:
            try:
                state[slot.__name__] = slot.__get__(value)
            except AttributeError:  # the slot has no value yet
                continue
        return self._pairs(sorted(state.items(), key=itemgetter(0)))

    def _reduced(self, kind: type, value: Any) -> list[bytes]:
        reducer = dispatch_table.get(kind)
        made: Any = reducer(value) if reducer else value.__reduce_ex__(5)
        if isinstance(made, str):
            if getattr(sys.modules.get(kind.__module__), made, None) is not value:
                raise TypeError("the global of that name is another value")
            return [made.encode()]
        function, arguments, state, items, pairs = (*made, None, None, None)[:5]
        written = self._all([function, arguments])
        written += [self._unordered(part) for part in _parts(state)]
        written += self._all([list(items or ()), [tuple(pair) for pair in pairs or ()]])
        return written

    def _unordered(self, state: Any) -> bytes:
        """The state of an instance. The order in which its attributes were set does not count."""
        if type(state) is dict and all(isinstance(name, str) for name in state):
            return _join(b"state", self._pairs(sorted(state.items(), key=itemgetter(0))))
        return self.write(state)

    def _all(self, values: Iterable[Any]) -> list[bytes]:
        return [self.write(value) for value in values]

    def _pairs(self, items: Iterable[tuple[Any, Any]]) -> list[bytes]:
        return [_join(b":", [self.write(key), self.write(value)]) for key, value in items]

    def _relative(self, text: str) -> str:
        for root in self._roots:
            text = re.sub(f"{re.escape(root)}(?=$|{re.escape(os.sep)})", "\0project", text)
        return text


def _by_key(value: dict[Any, Any]) -> Callable[[tuple[Any, Any]], Any]:
    """A sort key for the items of a plain dict: the dict's key, or its bytes if the dict has keys
    of several types, which cannot be compared."""
    if set(map(type, value)) <= {str}:
        return itemgetter(0)
    return lambda item: marshal.dumps(item[0], 2)


def _is_simple(base: type, in_project: Callable[[type], bool]) -> bool:
    """Whether instances of `base` hold only attributes and built-in content."""
    return (
        in_project(base)
        or base in (object, *_CONTAINERS)
        or base.__module__ in ("abc", "typing", "collections.abc")
    )


def _content(value: Any) -> list[Any]:
    """The content of an instance of a subclass of a built-in type, read with that type's own
    methods."""
    if isinstance(value, dict):
        return [dict.copy(value)]
    if isinstance(value, list):
        return [list.copy(value)]
    if isinstance(value, set | frozenset):
        return [set().union(value)]
    bases: tuple[Any, ...] = (tuple, str, bytes, int, float, complex)
    return [base.__getnewargs__(value) for base in bases if isinstance(value, base)]


def _parts(state: Any) -> tuple[Any, ...]:
    """The parts of a state: instances with slots have a pair of dicts."""
    return state if type(state) is tuple and len(state) == 2 else (state,)


def _join(tag: bytes, parts: Iterable[bytes]) -> bytes:
    made = blake2b(tag, digest_size=20)
    for part in parts:
        made.update(b"%d:" % len(part))
        made.update(part)
    return made.digest()

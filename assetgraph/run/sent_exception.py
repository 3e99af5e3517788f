"""An exception on its way to another process: as plain data, so that making it anew there runs no
code of its class."""

from __future__ import annotations

import datetime
import sys
from typing import Any

import msgspec

_DEPTH = 8
_REPR_CHARS = 1000
_PLAIN = (
    type(None), bool, int, float, complex, str, bytes,
    datetime.datetime, datetime.date, datetime.time, datetime.timedelta,
)  # fmt: skip


class SentException(msgspec.Struct, frozen=True):
    """An exception of the class `name` of `module`. Values that are not plain data are sent as
    their `repr`."""

    module: str
    name: str
    args: tuple[Any, ...]
    attributes: dict[str, Any]


def sent(error: BaseException, depth: int = 0) -> SentException | None:
    """`error` as plain data; None if it cannot be read."""
    kind = type(error)
    try:
        args = error.args
        if isinstance(error, OSError) and error.filename is not None:
            args = (error.errno, error.strerror, error.filename)
        attributes = _attributes(error)
        return SentException(
            str(kind.__module__),
            str(kind.__qualname__),
            tuple(_plain(value, depth + 1) for value in args),
            {str(name): _plain(value, depth + 1) for name, value in attributes.items()},
        )
    except Exception:  # any attribute of the user's exception may fail
        return None


def rebuilt(given: SentException) -> BaseException | None:
    """The exception; None if this process has not imported its class, or cannot make it so."""
    kind = _find(given.module, given.name)
    if kind is None:
        return None
    builtin: Any = next(base for base in kind.__mro__ if base.__module__ == "builtins")
    args = tuple(_rebuilt_value(value) for value in given.args)
    try:
        error: BaseException = builtin.__new__(kind, *args)
        builtin.__init__(error, *args)
        _attributes(error).update(given.attributes)
    except Exception:
        return None
    return error


def _attributes(error: BaseException) -> dict[str, Any]:
    """The attributes of `error`, whatever its class makes of `__dict__`."""
    found: dict[str, Any] = BaseException.__dict__["__dict__"].__get__(error)
    return found


def _find(module: str, name: str) -> type[BaseException] | None:
    found: Any = sys.modules.get(module)
    try:
        for part in name.split("."):
            found = vars(found)[part]
    except (KeyError, TypeError):
        return None
    return found if isinstance(found, type) and issubclass(found, BaseException) else None


def _plain(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if depth < _DEPTH:
        if isinstance(value, BaseException):
            return sent(value, depth)
        if kind in (tuple, list, set, frozenset):
            return kind(_plain(item, depth + 1) for item in value)
        if kind is dict:
            return {_plain(k, depth + 1): _plain(v, depth + 1) for k, v in value.items()}
    try:
        return str.__str__(repr(value))[:_REPR_CHARS]
    except Exception:
        return f"<{kind.__name__}>"


def _rebuilt_value(value: Any) -> Any:
    if isinstance(value, SentException):
        return rebuilt(value)
    if type(value) in (list, tuple):
        return type(value)(_rebuilt_value(item) for item in value)
    return value

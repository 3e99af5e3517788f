"""What the modules of the project hold: objects that all share, and functions behind a cache."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from functools import _lru_cache_wrapper
from types import CodeType, FunctionType, ModuleType
from typing import Any

from assetgraph.process.reads.rules import PROJECT, Rules

_MOST = 1_000  # of the items of a container, or of what a cache keeps
_OWN_PACKAGE = __name__.partition(".")[0]
# The number of imported modules and the last of them, and the names of those of the project.
_modules: tuple[int, object, list[dict[str, Any]]] = 0, None, []


def is_shared(rules: Rules, value: object) -> bool:
    """Whether a module of the project holds an object: itself, in a container, on a class, or in a
    cache of `functools`."""
    return any(one is value for one in _held(rules))


def is_wrapped(rules: Rules, code: CodeType) -> bool:
    """Whether something that a module of the project holds is a wrapper of the function with this
    code, such as a cache."""
    for one in _held(rules, with_caches=False):
        if isinstance(one, staticmethod | classmethod):
            one = one.__func__
        if isinstance(one, type | ModuleType) or is_of_assetgraph(one):
            continue
        found = _variables(one).get("__wrapped__")
        if isinstance(found, FunctionType) and found.__code__ is code:
            return True
    return False


def is_of_assetgraph(value: object) -> bool:
    """Whether a value is one of the engine's own, such as an asset."""
    return type(value).__module__.partition(".")[0] == _OWN_PACKAGE


def _held(rules: Rules, *, with_caches: bool = True) -> Iterator[object]:
    for names in _of_project(rules):
        for value in tuple(names.values()):
            yield value
            if isinstance(value, dict):
                yield from tuple(value.values())[:_MOST]
            elif isinstance(value, list | tuple | set):
                yield from tuple(value)[:_MOST]
            elif isinstance(value, type):
                yield from tuple(vars(value).values())
            elif with_caches and isinstance(value, _lru_cache_wrapper):
                yield from _kept_by(value)


def _of_project(rules: Rules) -> list[dict[str, Any]]:
    """The names of each module of the project."""
    global _modules
    count, last = len(sys.modules), _last_module()
    if _modules[0] != count or _modules[1] is not last:
        found = []
        for module in tuple(sys.modules.values()):
            names = _variables(module)
            file = names.get("__file__")
            if isinstance(file, str) and rules.code(file) is PROJECT:
                found.append(names)
        _modules = count, last, found
    return _modules[2]


def _last_module() -> object:
    """The module that was imported last: one that took the place of another, as after a reload, is
    among as many as before."""
    try:
        return sys.modules[next(reversed(sys.modules))]
    except (KeyError, RuntimeError, StopIteration):  # another thread imports
        return None


def _kept_by(cache: object) -> Iterator[object]:
    for part in gc.get_referents(cache):
        yield part  # of one with a bound, or without arguments
        if isinstance(part, dict):
            yield from tuple(part.values())[:_MOST]


def _variables(value: object) -> dict[str, Any]:
    try:
        found = object.__getattribute__(value, "__dict__")
    except (AttributeError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}

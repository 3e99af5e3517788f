"""The functions inside a wrapper: behind decorators, partials, descriptors and closures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property, partial, partialmethod
from types import FunctionType, MappingProxyType, MethodType
from typing import Any

from assetgraph.code.plain_data import is_plain

# Where descriptors keep the functions that they were made of.
MEMBER_PARTS = ("__func__", "fget", "fset", "fdel", "func", "__wrapped__")

_MAX_INSIDE = 1000


def functions_inside(item: Any) -> list[Any]:
    """The functions and classes that a function, a descriptor or a container holds at any depth:
    in captured variables, wrappers and partials. Nearest first."""
    found: list[Any] = []
    waiting, known = [item], {id(item)}
    for held in waiting:
        if isinstance(held, FunctionType | type):
            found.append(held)
        if len(waiting) < _MAX_INSIDE:
            for inner in _held(held):
                if id(inner) not in known:
                    known.add(id(inner))
                    waiting.append(inner)
    return found


def plain_captured(function: FunctionType) -> list[Any]:
    """The plain values among the captured variables of a function."""
    return [value for value in _captured(function) if is_plain(value)]


def _held(item: Any) -> Iterator[Any]:
    if isinstance(item, FunctionType):
        yield from _captured(item)
        yield from item.__defaults__ or ()
        yield item.__dict__.get("__wrapped__")
    elif isinstance(item, partial | partialmethod):
        yield from (item.func, *item.args, *item.keywords.values())
    elif isinstance(item, MethodType):
        yield item.__func__
    elif isinstance(item, dict | MappingProxyType):
        yield from item.values()
    elif isinstance(item, list | tuple | set | frozenset):
        yield from item
    elif isinstance(item, staticmethod | classmethod | property | cached_property):
        yield from (getattr(item, part, None) for part in MEMBER_PARTS)
    elif not isinstance(item, type):
        yield _attributes(item).get("__wrapped__")


def _captured(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # the variable has no value yet
            continue


def _attributes(item: Any) -> Mapping[str, Any]:
    try:
        found = object.__getattribute__(item, "__dict__")
    except Exception:
        return {}
    return found if isinstance(found, dict) else {}

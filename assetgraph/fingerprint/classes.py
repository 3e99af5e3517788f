"""Live classes and wrappers taken apart: which functions are inside, what was generated."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cached_property, partial, partialmethod
from types import FunctionType, MappingProxyType, MethodType
from typing import Any

from assetgraph.fingerprint.sources import Sources
from assetgraph.fingerprint.summary import Class

_MAX_INSIDE = 1000
_GENERATED = {"_abc_impl", "_is_protocol", "_is_runtime_protocol", "_make", "_replace", "_asdict"}
_MEMBER_PARTS = ("__func__", "fget", "fset", "fdel", "func", "__wrapped__")


class ClassSource:
    """A class with its text: `entries` are its definitions in the file, more than one where they
    cannot be told apart, none where no `class` statement made it.

    `methods` are its functions by line and name, `bound` the names that its body binds, `values`
    those that stand for a value.
    """

    def __init__(self, kind: type, sources: Sources) -> None:
        self.kind = kind
        functions = [
            inside
            for member in vars(kind).values()
            for inside in functions_inside(member)
            if isinstance(inside, FunctionType)
        ]
        own = [f for f in functions if f.__code__.co_qualname.startswith(f"{kind.__qualname__}.")]
        module = sys.modules.get(kind.__module__)
        names: dict[str, Any] = vars(module) if module else {}
        filename = names.get("__file__") or ""
        for function in own:
            if sources.folder.contains(function.__code__.co_filename) or not filename:
                names, filename = function.__globals__, function.__code__.co_filename
                break
        self.names, self.filename = names, filename
        self.methods = {
            (f.__code__.co_firstlineno, f.__code__.co_name): f
            for f in functions
            if f.__code__.co_filename == filename
        }
        text = sources.text(filename, names) if filename else ""
        candidates = [] if isinstance(text, str) else text.classes.get(kind.__qualname__, [])
        self.entries = self._choose(candidates, text) if len(candidates) > 1 else candidates

    @property
    def line(self) -> int:
        return self.entries[0].line if self.entries else 0

    @cached_property
    def bound(self) -> frozenset[str]:
        return frozenset(name for entry in self.entries for name in entry.bound)

    @cached_property
    def values(self) -> frozenset[str]:
        """Names that the body binds to what is neither plain nor a framework's descriptor."""
        return frozenset(
            name
            for name in self.bound
            if name in vars(self.kind) and not hasattr(type(vars(self.kind)[name]), "__get__")
        )

    def _choose(self, candidates: list[Class], text: Any) -> list[Class]:
        """The definition that holds the live methods, or starts where the class says."""
        line = vars(self.kind).get("__firstlineno__")
        fitting = [
            entry
            for entry in candidates
            if entry.line == line
            or any(
                (text.file.functions[p].line, text.file.functions[p].name) in self.methods
                for p in entry.methods
            )
        ]
        return fitting or candidates


def functions_inside(item: Any) -> list[Any]:
    """The functions and classes that a function, a descriptor or a container holds: through
    captured variables, wrappers and partials, however deep; nearest first."""
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


def member_functions(member: Any) -> list[FunctionType]:
    """The functions that a member of a class calls: itself, or those of a property and the like."""
    if isinstance(member, FunctionType):
        return [member]
    if not hasattr(type(member), "__get__"):
        return []
    parts = [getattr(member, part, None) for part in _MEMBER_PARTS]
    return [part for part in parts if isinstance(part, FunctionType)]


def is_generated(kind: type, name: str, bound: frozenset[str]) -> bool:
    """Whether a member was made by Python or a library rather than by the class's text. Such
    members differ between versions and follow from what counts anyway."""
    if name in bound and not issubclass(kind, Enum):
        return False
    if name.startswith("__") and name.endswith("__"):
        return True
    if issubclass(kind, Enum):
        return name in kind.__members__ or name.startswith("_")
    return name in _GENERATED


def field_values(kind: type) -> dict[str, Any]:
    """What dataclasses and enums keep apart: defaults and factories, the members' values."""
    values: dict[str, Any] = {}
    fields = vars(kind).get("__dataclass_fields__", {})
    inherited = [vars(base).get("__dataclass_fields__", {}) for base in kind.__mro__[1:]]
    own = [(n, f) for n, f in fields.items() if not any(base.get(n) is f for base in inherited)]
    if own:
        values["__dataclass_fields__"] = [(n, f.default, f.default_factory) for n, f in own]
    if issubclass(kind, Enum):
        values["__members__"] = [
            (name, member._value_) for name, member in kind.__members__.items()
        ]
    return values


def _held(item: Any) -> Iterator[Any]:
    if isinstance(item, FunctionType):
        for cell in item.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:
                continue
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
        yield from (getattr(item, part, None) for part in _MEMBER_PARTS)
    elif not isinstance(item, type):
        yield _attributes(item).get("__wrapped__")


def _attributes(item: Any) -> Mapping[str, Any]:
    try:
        found = object.__getattribute__(item, "__dict__")
    except Exception:
        return {}
    return found if isinstance(found, dict) else {}

"""Live classes and wrappers taken apart: which functions are inside, what was generated."""

from __future__ import annotations

import abc
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from functools import cached_property, partial, partialmethod
from types import FunctionType, MappingProxyType, MethodType
from typing import Any

from assetgraph.code.constant_values import is_plain
from assetgraph.code.importer import ProjectFolder
from assetgraph.code.source_summary import Class, File
from assetgraph.code.sources import Sources

_MAX_INSIDE = 1000
_GENERATED = {"_abc_impl", "_is_protocol", "_is_runtime_protocol", "_make", "_replace", "_asdict"}
_MEMBER_PARTS = ("__func__", "fget", "fset", "fdel", "func", "__wrapped__")


class ClassSource:
    """A class with its text: `entries` are its definitions in the file, more than one where they
    cannot be told apart, none where no `class` statement made it.

    `functions` are those that it holds, by line and name; `methods` the lines and names of those
    that its text defines; `bound` the names that its body binds.
    """

    def __init__(self, kind: type, sources: Sources) -> None:
        self.kind = kind
        inside = [
            function
            for member in vars(kind).values()
            for function in functions_inside(member)
            if isinstance(function, FunctionType)
        ]
        self.names, self.filename = self._place(inside, sources)
        self.functions = {
            (f.__code__.co_firstlineno, f.__code__.co_name): f
            for f in inside
            if f.__code__.co_filename == self.filename
        }
        text = sources.text(self.filename, self.names) if self.filename else ""
        self.entries: list[Class] = []
        self.methods: set[tuple[int, str]] = set()
        if not isinstance(text, str):
            candidates = text.classes.get(kind.__qualname__, [])
            self.entries = self._fitting(candidates, text.file)
            self.methods = {place for entry in self.entries for place in _methods(entry, text.file)}
        self.bound = frozenset(name for entry in self.entries for name in entry.bound)

    @property
    def line(self) -> int:
        return self.entries[0].line if self.entries else 0

    def _place(self, inside: list[FunctionType], sources: Sources) -> tuple[dict[str, Any], str]:
        """The globals and the file of the class: those of its methods, else those of its module."""
        module = sys.modules.get(self.kind.__module__)
        names: dict[str, Any] = vars(module) if module else {}
        filename = names.get("__file__") or ""
        for function in inside:
            code = function.__code__
            own = code.co_qualname.startswith(f"{self.kind.__qualname__}.")
            if own and (sources.folder.contains(code.co_filename) or not filename):
                return function.__globals__, code.co_filename
        return names, filename

    def _fitting(self, candidates: list[Class], file: File) -> list[Class]:
        """Of several definitions, the one that holds the live methods, or starts where the class
        says that it does."""
        line = vars(self.kind).get("__firstlineno__")
        fitting = [
            entry
            for entry in candidates
            if entry.line == line or not self.functions.keys().isdisjoint(_methods(entry, file))
        ]
        return fitting or candidates


def _methods(entry: Class, file: File) -> list[tuple[int, str]]:
    return [(file.functions[p].line, file.functions[p].name) for p in entry.methods]


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


def plain_captured(function: FunctionType) -> list[Any]:
    """The plain values among the captured variables of a function."""
    return [value for value in _captured(function) if is_plain(value)]


def foreign_functions(
    source: ClassSource, folder: ProjectFolder
) -> Iterator[tuple[str, FunctionType]]:
    """The functions of a class, by name, that its text does not define: put into it later, or
    defined elsewhere and taken in. What is generated is in no file of the project."""
    for name, member in sorted(vars(source.kind).items()):
        generated = _is_generated(source, name)
        for function in _called_by(member):
            if generated and not folder.contains(function.__code__.co_filename):
                continue
            place = (function.__code__.co_firstlineno, function.__code__.co_name)
            if place not in source.methods or source.functions.get(place) is not function:
                yield name, function


def computed_values(source: ClassSource, is_ours: Callable[[type], bool]) -> dict[str, Any]:
    """The attributes that are values, with what dataclasses, enums and abstract bases keep apart:
    defaults and factories, the values of members, the classes that were registered. What was put on
    a class later counts too, but not what a library keeps there of its own."""
    kind = source.kind
    values = {
        name: member
        for name, member in vars(kind).items()
        if not _is_generated(source, name)
        and (
            is_plain(member)
            or (
                not hasattr(type(member), "__get__")
                and (name in source.bound or _is_familiar(type(member), is_ours))
            )
        )
    }
    fields = vars(kind).get("__dataclass_fields__", {})
    inherited = [vars(base).get("__dataclass_fields__", {}) for base in kind.__mro__[1:]]
    own = [(n, f) for n, f in fields.items() if not any(base.get(n) is f for base in inherited)]
    if own:
        values["__dataclass_fields__"] = [(n, f.default, f.default_factory) for n, f in own]
    if issubclass(kind, Enum):
        values["__members__"] = [
            (name, member._value_) for name, member in kind.__members__.items()
        ]
    registered = _registered(kind)
    if registered:
        values["register"] = registered
    return dict(sorted(values.items()))


def _registered(kind: type) -> set[type]:
    """The classes that an abstract base was told of by `register`."""
    look = getattr(abc, "_get_dump", None) if isinstance(kind, abc.ABCMeta) else None
    return {held for held in (told() for told in look(kind)[0]) if held} if look else set()


def _is_familiar(kind: type, is_ours: Callable[[type], bool]) -> bool:
    return is_ours(kind) or kind.__module__.partition(".")[0] in sys.stdlib_module_names


def _called_by(member: Any) -> list[FunctionType]:
    """What a member of a class calls: itself, or the functions of a property and the like."""
    if isinstance(member, FunctionType):
        return [member]
    if not hasattr(type(member), "__get__"):
        return []
    parts = [getattr(member, part, None) for part in _MEMBER_PARTS]
    return [part for part in parts if isinstance(part, FunctionType)]


def _is_generated(source: ClassSource, name: str) -> bool:
    """Whether a member was made by Python or a library rather than by the class's text. Such
    members differ between versions and follow from what counts anyway."""
    if issubclass(source.kind, Enum):
        return name in source.kind.__members__ or name.startswith("_")
    if name in source.bound:
        return False
    return name in _GENERATED or (name.startswith("__") and name.endswith("__"))


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
        yield from (getattr(item, part, None) for part in _MEMBER_PARTS)
    elif not isinstance(item, type):
        yield _attributes(item).get("__wrapped__")


def _captured(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            continue


def _attributes(item: Any) -> Mapping[str, Any]:
    try:
        found = object.__getattribute__(item, "__dict__")
    except Exception:
        return {}
    return found if isinstance(found, dict) else {}

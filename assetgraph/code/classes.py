"""A live class taken apart: which of its members its text defines, which came later, and which
were generated."""

from __future__ import annotations

import abc
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from functools import cached_property, partialmethod
from types import FunctionType
from typing import Any

from assetgraph.code.modules import global_of
from assetgraph.code.plain_data import is_data, is_plain
from assetgraph.code.project_folder import ProjectFolder
from assetgraph.code.source_summary import Class, File
from assetgraph.code.sources import Sources
from assetgraph.code.wrapped_functions import MEMBER_PARTS, functions_inside
from assetgraph.definitions.computation import is_config_type

_DESCRIPTORS = (property, staticmethod, classmethod, partialmethod, cached_property)
_OF_MEMBERS = {"_value_", "_name_", "__objclass__", "_sort_order_"}
_GENERATED = {"_abc_impl", "_is_protocol", "_is_runtime_protocol", "_make", "_replace", "_asdict"}


class ClassSource:
    """A class with its text.

    `entries` are its definitions in the file: several if they cannot be told apart, none if no
    `class` statement made the class. `functions` are the live functions that it holds, by line and
    name. `methods` are the lines and names of the methods in its text. `bound` are the names that
    its body binds, and `text_names` those that its file uses.
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
        self.text_names: tuple[str, ...] = ()
        self.methods: set[tuple[int, str]] = set()
        if not isinstance(text, str):
            candidates = text.classes.get(kind.__qualname__, [])
            self.entries = self._matching(candidates, text.file)
            self.text_names = text.file.names
            self.methods = {place for entry in self.entries for place in _methods(entry, text.file)}
        self.bound = frozenset(name for entry in self.entries for name in entry.bound)

    @property
    def called(self) -> list[str]:
        """The names by which its module knows the class."""
        own = self.kind.__qualname__
        return [name for name, held in self.names.items() if held is self.kind or name == own]

    @property
    def line(self) -> int:
        return self.entries[0].line if self.entries else 0

    def _place(self, inside: list[FunctionType], sources: Sources) -> tuple[dict[str, Any], str]:
        """The globals and the file of the class: those of its methods, or else of its module."""
        module = sys.modules.get(self.kind.__module__)
        names: dict[str, Any] = vars(module) if module else {}
        filename = names.get("__file__") or ""
        for function in inside:
            code = function.__code__
            own = code.co_qualname.startswith(f"{self.kind.__qualname__}.")
            if own and (sources.folder.contains(code.co_filename) or not filename):
                return function.__globals__, code.co_filename
        return names, filename

    def _matching(self, candidates: list[Class], file: File) -> list[Class]:
        """The definitions that contain the live methods, or start at the line that the class
        gives for itself; all candidates if none does."""
        line = vars(self.kind).get("__firstlineno__")
        matching = [
            entry
            for entry in candidates
            if entry.line == line or not self.functions.keys().isdisjoint(_methods(entry, file))
        ]
        return matching or candidates


def _methods(entry: Class, file: File) -> list[tuple[int, str]]:
    return [(file.functions[p].line, file.functions[p].name) for p in entry.methods]


def foreign_functions(
    source: ClassSource, folder: ProjectFolder
) -> Iterator[tuple[str, FunctionType]]:
    """The functions of a class that its text does not define, by name: assigned later, or defined
    elsewhere and taken in. Generated functions, which are in no file of the project, are left
    out."""
    for name, member in sorted(vars(source.kind).items()):
        generated = _is_generated(source, name)
        for function in _called_by(member):
            if generated and not folder.contains(function.__code__.co_filename):
                continue
            place = (function.__code__.co_firstlineno, function.__code__.co_name)
            if place not in source.methods or source.functions.get(place) is not function:
                yield name, function


def computed_values(source: ClassSource, in_project: Callable[[type], bool]) -> dict[str, Any]:
    """The attributes of a class that are values, by name, with what dataclasses, enums and abstract
    bases keep elsewhere: defaults and factories of fields, values of members, registered classes.

    An attribute that is assigned later counts too, unless a library takes part in making the class
    and may keep something of its own there.
    """
    kind = source.kind
    values = {
        name: member
        for name, member in vars(kind).items()
        if not _is_generated(source, name) and _counts(source, name, member, in_project)
    }
    models = vars(kind).get("__pydantic_fields__")
    is_config = is_config_type(kind)
    if is_config and "model_config" not in source.bound:
        values.pop("model_config", None)  # assetgraph's own
    if isinstance(models, dict) and not (is_config and source.entries):  # the text says the rest
        values["__pydantic_fields__"] = [
            (name, field.default, field.default_factory) for name, field in models.items()
        ]
    fields = vars(kind).get("__dataclass_fields__", {})
    inherited = [vars(base).get("__dataclass_fields__", {}) for base in kind.__mro__[1:]]
    own = [(n, f) for n, f in fields.items() if not any(base.get(n) is f for base in inherited)]
    if own:
        values["__dataclass_fields__"] = [(n, f.default, f.default_factory) for n, f in own]
    if issubclass(kind, Enum):
        values["__members__"] = [
            (name, member._value_, _set_later(member)) for name, member in kind.__members__.items()
        ]
    if not source.entries:
        values |= _fields_of_call(kind)
    registered = _registered(kind)
    if registered:
        values["register"] = registered
    return dict(sorted(values.items()))


def _fields_of_call(kind: type) -> dict[str, Any]:
    """The fields of a class that `attrs.make_class` or `msgspec.defstruct` made."""
    fields = [
        (field.name, field.default, field.validator, field.converter)
        for field in vars(kind).get("__attrs_attrs__", ())
    ]
    names = ("__struct_fields__", "__struct_defaults__")  # the metaclass gives them
    structs = {name: getattr(kind, name) for name in names if hasattr(kind, name)}
    return {"__attrs_attrs__": fields, **structs} if fields else structs


def _counts(
    source: ClassSource, name: str, member: Any, in_project: Callable[[type], bool]
) -> bool:
    """Whether an attribute of a class counts by its value."""
    if is_plain(member) or (isinstance(member, type) and in_project(member)):
        return True
    if hasattr(type(member), "__get__"):
        own = isinstance(member, _DESCRIPTORS) or in_project(type(member))
        return own and name not in source.bound
    if name in source.bound or _is_familiar(type(member), in_project) or is_data(type(member)):
        return True
    return not name.startswith("_") and not is_of_library(source, in_project)


def is_of_library(source: ClassSource, in_project: Callable[[type], bool]) -> bool:
    """Whether a library takes part in making a class, so that it may keep something there: as a
    base, a metaclass or a decorator."""
    made_by = [type(source.kind), *source.kind.__mro__, *_makers(source)]
    return not all(_is_familiar(kind, in_project) for kind in made_by)


def _makers(source: ClassSource) -> Iterator[Any]:
    """The functions and classes that decorate a class, as far as its text names them."""
    for entry in source.entries:
        for decorator in entry.decorators:
            if decorator.callee >= 0:
                held = global_of(source.names, source.text_names[decorator.callee])
                if isinstance(held, FunctionType | type):
                    yield held


def _set_later(member: Enum) -> dict[str, Any]:
    """The plain attributes of a member of an enum beyond those that every member has."""
    held = vars(member).items()
    return {name: value for name, value in held if name not in _OF_MEMBERS and is_plain(value)}


def _registered(kind: type) -> set[type]:
    """The classes that were given to `register` of an abstract base."""
    dump = getattr(abc, "_get_dump", None) if isinstance(kind, abc.ABCMeta) else None
    if dump is None:
        return set()
    return {held for held in (reference() for reference in dump(kind)[0]) if held}


def _is_familiar(kind: Any, in_project: Callable[[Any], bool]) -> bool:
    """Whether a class or a function is of the project or the standard library."""
    return in_project(kind) or kind.__module__.partition(".")[0] in sys.stdlib_module_names


def _called_by(member: Any) -> list[FunctionType]:
    """The functions that a member of a class calls: itself, or those of a property or the like."""
    if isinstance(member, FunctionType):
        return [member]
    if not hasattr(type(member), "__get__"):
        return []
    parts = [getattr(member, part, None) for part in MEMBER_PARTS]
    return [part for part in parts if isinstance(part, FunctionType)]


def _is_generated(source: ClassSource, name: str) -> bool:
    """Whether Python or a library made a member, rather than the text of the class. Such members
    differ between versions, and they follow from what counts anyway."""
    if issubclass(source.kind, Enum):
        return name in source.kind.__members__ or name.startswith("_")
    if name in source.bound:
        return False
    return name in _GENERATED or (name.startswith("__") and name.endswith("__"))

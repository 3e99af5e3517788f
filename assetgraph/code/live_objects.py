"""What a live object counts as: a definition of the project, or a name of a library."""

from __future__ import annotations

import sys
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Protocol

from assetgraph.code.definition_graph import Referent, Vertex
from assetgraph.code.libraries import OWN_PACKAGE, Libraries
from assetgraph.code.modules import Module, Modules
from assetgraph.code.ownership import Ownership
from assetgraph.definitions.asset import Asset
from assetgraph.process.reads.originals import original_of


class Vertices(Protocol):
    """Makes the vertices of definitions: see `vertex_builder`."""

    def function(self, function: FunctionType) -> Vertex: ...

    def wrapper(self, function: FunctionType) -> Vertex | None: ...

    def class_(self, kind: type) -> Vertex: ...

    def is_made_by_call(self, kind: type) -> bool:
        """Whether no `class` statement made a class of the project, but a call, such as
        `create_model("Row", …)`."""

    def module(self, module: Module) -> Vertex: ...

    def value(self, module: Module, name: str, value: Any, *, any_order: bool) -> Vertex: ...

    def unreachable(self, name: str, why: str) -> Vertex: ...


class LiveObjects:
    """Decides for each live object whether it is a definition, and which."""

    def __init__(
        self, ownership: Ownership, modules: Modules, libraries: Libraries, vertices: Vertices
    ) -> None:
        self.in_project = ownership.in_project
        self._is_project_function = ownership.is_project_function
        self._modules = modules
        self._libraries = libraries
        self._vertices = vertices

    def definition(self, value: Any) -> Referent | None:
        """What a function, class, module or asset counts as; None for any other value."""
        value = original_of(value)
        kind = type(value)
        if kind is FunctionType:
            return self._function(value)
        if issubclass(kind, type):
            if self.in_project(value):
                return Referent(b"", self._vertices.class_(value))
            return self._libraries.of_object(value.__module__, value.__qualname__)
        if issubclass(kind, ModuleType):
            return self.module(value)
        if issubclass(kind, Asset):
            return self.definition(value.function)
        if self.in_project(kind):
            return None
        if str(kind.__module__).partition(".")[0] == OWN_PACKAGE:
            return self._libraries.of_object(kind.__module__, kind.__qualname__)
        if kind is BuiltinFunctionType:
            owner = value.__self__
            if owner is None or isinstance(owner, ModuleType):
                return self._libraries.of_object(value.__module__, value.__qualname__)
        return self._wrapped(kind, value) or self._library_method(value) or self._global(value)

    def module(self, module: ModuleType) -> Referent:
        """A whole module."""
        if self.in_project(module):
            return Referent(b"module", self._vertices.module(self._modules.of_live(module)))
        return self._libraries.as_written(module.__name__, "")

    def is_wrapper(self, value: Any) -> bool:
        """Whether a value is a library itself, an object that a library made of functions, or a
        class that a call made. Code that makes or changes such a value counts."""
        if isinstance(value, ModuleType):
            return not self.in_project(value)
        if isinstance(value, FunctionType):
            return not self._is_project_function(value)
        kind = type(value)
        if issubclass(kind, type) and self.in_project(value):
            return self._vertices.is_made_by_call(value)
        return not self.in_project(kind) and self._wrapped(kind, value) is not None

    def is_made_by_library(self, value: Any) -> bool:
        """Whether a function of a library returned this definition, so that it does not stand in
        the library's text."""
        if isinstance(value, FunctionType) and "<locals>" not in value.__code__.co_qualname:
            return False
        return not isinstance(value, ModuleType) and self.is_wrapper(value)

    def _function(self, function: FunctionType) -> Referent:
        if self._is_project_function(function):
            return Referent(b"", self._vertices.function(function))
        wrapper = self._vertices.wrapper(function)
        named = self._libraries.of_object(
            function.__globals__.get("__name__"), function.__code__.co_qualname
        )
        return named if wrapper is None else Referent(named.text, wrapper)

    def _wrapped(self, kind: type, value: Any) -> Referent | None:
        """An object of a library around a function of the project: a cache, a compiled function."""
        if kind is partial:
            return None
        try:
            inner = object.__getattribute__(value, "__dict__").get("__wrapped__")
            found = self.definition(inner) if callable(inner) else None
        except Exception:  # it has no attributes, or wrappers wrap each other in a circle
            return None
        if found is None or found.vertex is None:
            return None
        around = self._libraries.of_object(kind.__module__, kind.__qualname__).text
        return Referent(b"%b around %b" % (around, found.text), found.vertex)

    def _library_method(self, value: Any) -> Referent | None:
        """A bound method that a library offers as a function, such as `random.randint`."""
        if not isinstance(value, MethodType | BuiltinFunctionType):
            return None
        name, owner = value.__name__, type(value.__self__)
        module = sys.modules.get(owner.__module__)
        if self.in_project(owner) or module is None or vars(module).get(name) != value:
            return None
        return self._libraries.of_object(module.__name__, name)

    def _global(self, value: Any) -> Referent | None:
        """An object that a library's module holds under the name that the object gives for itself,
        such as a function compiled by Cython."""
        try:
            name, module = value.__qualname__, sys.modules.get(value.__module__)
        except Exception:
            return None
        found: Any = module
        # An object may answer every attribute with anything, so the name may not be text.
        for part in name.split(".") if type(name) is str else ():
            found = vars(found).get(part) if isinstance(found, ModuleType | type) else None
        if original_of(found) is not value or module is None or self.in_project(module):
            return None
        return self._libraries.of_object(module.__name__, name)

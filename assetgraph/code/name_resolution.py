"""Names as the live objects that they stand for.

The modules are imported anyway, so a name is looked up where the code itself would look: among
captured variables, the module's globals, built-ins; through modules attribute by attribute. A name
of an outside library stands for itself and the library's version.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Sequence
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple, Protocol

from assetgraph.code.definition_graph import Vertex
from assetgraph.code.distributions import Distributions
from assetgraph.code.ownership import Ownership
from assetgraph.code.source_summary import File
from assetgraph.code.sources import EMPTY, Sources, Text
from assetgraph.definitions.asset import Asset

_OWN_PACKAGE = __name__.partition(".")[0]
_CALLED = ("__name__", "__qualname__", "__module__", "__doc__")


class Target(NamedTuple):
    """What a name stands for: a definition and what is read from it, or only text."""

    text: bytes
    vertex: Vertex | None = None


class Module:
    """The globals of a module with the summary of its text. `targets` are those of `file.names`,
    `known` those of names of the module that others read."""

    def __init__(self, names: dict[str, Any], filename: str, text: Text | str) -> None:
        self.names = names
        self.filename = filename
        self.text = text
        self.file: File = EMPTY if isinstance(text, str) else text.file
        self.targets: list[Target | None] = [None] * len(self.file.names)
        self.known: dict[str, Target] = {}
        self.own_decorators: dict[int, bool] = {}


class Vertices(Protocol):
    """Where vertices come from: see `build`."""

    def function(self, function: FunctionType) -> Vertex: ...

    def wrapper(self, function: FunctionType) -> Vertex | None: ...

    def class_(self, kind: type) -> Vertex: ...

    def module(self, module: Module) -> Vertex: ...

    def value(self, module: Module, name: str, value: Any, *, any_order: bool) -> Vertex: ...

    def unreachable(self, name: str, why: str) -> Vertex: ...


class Resolver:
    def __init__(self, sources: Sources, distributions: Distributions, vertices: Vertices) -> None:
        self._sources = sources
        self._ownership = Ownership(sources.folder)
        self.is_ours = self._ownership.is_ours
        self.roots = sources.folder.roots
        self._distributions = distributions
        self._vertices = vertices
        self._modules: dict[tuple[int, str], Module] = {}
        self._libraries: dict[str, Vertex | None] = {}
        self._following: set[tuple[int, str]] = set()

    # Modules

    def module_of(self, function: FunctionType) -> Module:
        return self.module(function.__globals__, function.__code__.co_filename)

    def module(self, names: dict[str, Any], filename: str) -> Module:
        key = (id(names), filename)
        known = self._modules.get(key)
        if known is None:
            text = self._sources.text(filename, names)
            known = self._modules[key] = Module(names, filename, text)
        return known

    def module_named(self, module: ModuleType) -> Module:
        return self.module(vars(module), vars(module).get("__file__") or "")

    def module_now(self, name: str) -> Any:
        """A module of the project, imported if it is not yet; whatever else if there is none."""
        return sys.modules.get(name) or self._ownership.import_ours(name)

    # Names of a piece of code

    def resolve(self, module: Module, position: int) -> Target:
        """The target of a name by its position in the file's names."""
        target = self._resolved(module, module.file.names[position])
        module.targets[position] = target
        return target

    def named(self, module: Module, name: str) -> Target:
        """The target of a name of the module."""
        return self._global(module, name, [], False)

    def imported(self, module: Module, name: str) -> Target:
        """The target of a whole module that code of `module` imports."""
        return self._imported(module, f"{name}:", False)

    def is_own_decorator(self, module: Module, position: int) -> bool:
        """Whether a name is `asset`, or a partial of it, under whatever name."""
        known = module.own_decorators.get(position)
        if known is None:
            known = module.own_decorators[position] = self._is_own_decorator(module, position)
        return known

    def _is_own_decorator(self, module: Module, position: int) -> bool:
        root, *attributes = module.file.names[position].split(".")
        value = module.names.get(root)
        for attribute in attributes:
            value = vars(value).get(attribute) if isinstance(value, ModuleType) else None
        while isinstance(value, partial):
            value = value.func
        names = value.__globals__ if isinstance(value, FunctionType) else {}
        return str(names.get("__name__")).partition(".")[0] == _OWN_PACKAGE

    def live(
        self,
        value: Any,
        attributes: Sequence[str],
        home: Callable[[], Vertex],
        *,
        lookup: bool = False,
    ) -> Target:
        """The target of a live object; `home` makes the vertex of a plain value."""
        found = self.definition(value)
        if found is None:
            return Target(_text(attributes), home())
        if found.vertex is not None and attributes and attributes[0] in _CALLED:
            called = ascii(getattr(value, attributes[0], None)).encode()
            return Target(found.text + _text(attributes) + called, found.vertex)
        if isinstance(value, ModuleType):
            return self._through(value, attributes, lookup)
        return Target(found.text + _text(attributes), found.vertex)

    def definition(self, value: Any) -> Target | None:
        """What a function, class, module or asset counts by; None for any other value."""
        kind = type(value)
        if kind is FunctionType:
            if self._ownership.is_our_function(value):
                return Target(b"", self._vertices.function(value))
            wrapper = self._vertices.wrapper(value)
            library = self._spelled(value.__globals__.get("__name__"), value.__code__.co_qualname)
            return library if wrapper is None else Target(library.text, wrapper)
        if issubclass(kind, type):
            if self.is_ours(value):
                return Target(b"", self._vertices.class_(value))
            return self._spelled(value.__module__, value.__qualname__)
        if issubclass(kind, ModuleType):
            return self._through(value, [], False)
        if issubclass(kind, Asset):
            return self.definition(value.function)
        if self.is_ours(kind):
            return None
        if str(kind.__module__).partition(".")[0] == _OWN_PACKAGE:
            return self._spelled(kind.__module__, kind.__qualname__)
        if kind is BuiltinFunctionType:
            owner = value.__self__
            if owner is None or isinstance(owner, ModuleType):
                return self._spelled(value.__module__, value.__qualname__)
        return self._wrapped(kind, value) or self._library_method(value) or self._titled(value)

    def is_wrapper(self, value: Any) -> bool:
        """Whether a value is what a library made of functions, or a library itself, so that what
        makes or changes it counts."""
        if isinstance(value, ModuleType):
            return not self.is_ours(value)
        if isinstance(value, FunctionType):
            return not self._ownership.is_our_function(value)
        kind = type(value)
        return not self.is_ours(kind) and self._wrapped(kind, value) is not None

    def is_made_by_library(self, value: Any) -> bool:
        """Whether a definition is what a library's function returned, rather than what stands in
        the library's text."""
        if isinstance(value, FunctionType) and "<locals>" not in value.__code__.co_qualname:
            return False
        return not isinstance(value, ModuleType) and self.is_wrapper(value)

    def _wrapped(self, kind: type, value: Any) -> Target | None:
        """A cache, a compiled function: a library's object around a function of the project."""
        if kind is partial:
            return None
        try:
            inner = object.__getattribute__(value, "__dict__").get("__wrapped__")
            found = self.definition(inner) if callable(inner) else None
        except Exception:  # no attributes, or wrappers around each other
            return None
        if found is None or found.vertex is None:
            return None
        around = self._spelled(kind.__module__, kind.__qualname__).text
        return Target(b"%b around %b" % (around, found.text), found.vertex)

    def _library_method(self, value: Any) -> Target | None:
        """A method of an outside library's own instance, such as `random.randint`."""
        if not isinstance(value, MethodType | BuiltinFunctionType):
            return None
        name, owner = value.__name__, type(value.__self__)
        module = sys.modules.get(owner.__module__)
        if self.is_ours(owner) or module is None or vars(module).get(name) != value:
            return None
        return self._spelled(module.__name__, name)

    def _titled(self, value: Any) -> Target | None:
        """What a library's module holds under the name that it gives itself, such as a function
        that was compiled by Cython."""
        try:
            name, module = value.__qualname__, sys.modules.get(value.__module__)
        except Exception:
            return None
        found: Any = module
        # Anything may answer to any name: what is no text is not even looked at.
        for part in name.split(".") if type(name) is str else ():
            found = vars(found).get(part) if isinstance(found, ModuleType | type) else None
        if found is not value or module is None or self.is_ours(module):
            return None
        return self._spelled(module.__name__, name)

    def _resolved(self, module: Module, name: str) -> Target:
        lookup = name.endswith("[]")
        path = name.removesuffix("[]")
        if ":" in path:
            return self._imported(module, path, lookup)
        root, *attributes = path.split(".")
        return self._global(module, root, attributes, lookup)

    def _imported(self, module: Module, path: str, lookup: bool) -> Target:
        """What `path` (`.helpers:clean`) imports, whether it has been imported yet or not."""
        origin, _, rest = path.partition(":")
        absolute = _absolute(origin, module.names)
        attributes = rest.strip(".").split(".") if rest else []
        found: Any = sys.modules.get(absolute)
        if found is None and self._ownership.is_our_name(absolute):
            found = self._ownership.import_ours(absolute)
            if not isinstance(found, ModuleType):
                return self._unreachable(absolute, attributes, found)
        if found is None or not self.is_ours(found):
            return self._library(absolute, found, attributes)
        if not isinstance(found, ModuleType):
            home = partial(self._vertices.value, module, absolute, found, any_order=False)
            return self.live(found, attributes, home)
        return self._through(found, attributes, lookup)

    def _unreachable(self, name: str, attributes: Sequence[str], error: Exception | None) -> Target:
        why = f"{type(error).__name__}: {error}" if error else "there is no such module"
        return Target(_text(attributes), self._vertices.unreachable(name, why))

    def _global(self, module: Module, root: str, attributes: Sequence[str], lookup: bool) -> Target:
        if root in module.names:
            value = module.names[root]
            step = (id(module.names), root)
            if step not in self._following:  # modules may import a name from each other
                self._following.add(step)
                imported = self._by_import(module, root, value, attributes, lookup)
                self._following.discard(step)
                if imported is not None and self._is_changed(module, root, value):
                    home = partial(self._vertices.value, module, root, value, any_order=False)
                    return imported._replace(vertex=home())
                if imported is not None:
                    return imported
            looked_up = attributes == ["get"] or (lookup and not attributes)
            home = partial(self._vertices.value, module, root, value, any_order=looked_up)
            if root in module.file.statements and self.is_wrapper(value):
                return Target(_text(attributes), home())
            return self.live(value, attributes, home, lookup=lookup)
        if root in vars(builtins):
            return self._builtin(module, root, attributes)
        return self._absent(module, root, attributes)

    def _is_changed(self, module: Module, root: str, value: Any) -> bool:
        """Whether statements of the module do something to a library's module that it imports:
        `random.seed(1)`. What is logged or warned of is no part of a value."""
        return (
            isinstance(value, ModuleType)
            and root in module.file.statements
            and value.__name__.partition(".")[0] not in ("logging", "warnings", _OWN_PACKAGE)
            and not self.is_ours(value)
        )

    def _builtin(self, module: Module, root: str, attributes: Sequence[str]) -> Target:
        if root == "globals":
            return Target(b"globals", self._vertices.module(module))
        present = vars(builtins)[root]
        if isinstance(present, FunctionType | type) and self.is_ours(present):
            return self.live(present, attributes, _no_home)
        return Target(b"builtins." + root.encode() + _text(attributes))

    def _absent(self, module: Module, root: str, attributes: Sequence[str]) -> Target:
        """A name that the module does not have, such as one imported for type checking only."""
        origins = module.file.imports.get(root)
        if origins:
            return self._imported(module, ".".join([origins[0], *attributes]), False)
        return Target(b"?" + root.encode() + _text(attributes))

    def _by_import(
        self, module: Module, root: str, value: Any, attributes: Sequence[str], lookup: bool
    ) -> Target | None:
        """A name that the module imports is followed to where it is defined, so that it is called
        the same wherever it is used; a name of a library is the text of the import."""
        origins = [*module.file.imports.get(root, ()), *(f"{s}{root}" for s in module.file.stars)]
        for origin in origins:
            name, _, attribute = origin.partition(":")
            absolute = _absolute(name, module.names)
            source = sys.modules.get(absolute)
            if source is None or (source is value and attribute):
                continue
            path = [attribute, *attributes] if attribute else attributes
            if not isinstance(source, ModuleType):  # an object in a module's place
                if self.is_ours(source):
                    continue
                return self._library(absolute, source, path)
            if attribute:
                there = vars(source).get(attribute, sys.modules.get(f"{absolute}.{attribute}"))
            else:
                there = source
            if there is not value or vars(source) is module.names:
                continue
            if self.is_ours(source):
                return self._through(source, path, lookup)
            return self._library(absolute, source, path)
        return None

    def _through(self, module: ModuleType, attributes: Sequence[str], lookup: bool) -> Target:
        """What is read from a module; a module of the project that is read from in no way that can
        be followed counts whole."""
        if not self.is_ours(module):
            return self._library(module.__name__, module, attributes)
        ours = self.module_named(module)
        if not attributes:
            return Target(b"module", self._vertices.module(ours))
        first, *rest = attributes
        if first not in ours.names or _is_found(first, ours):
            return self._inside(module, ours, attributes, lookup)
        if rest or lookup:
            return self._global(ours, first, rest, lookup)
        known = ours.known.get(first)
        if known is None:
            known = ours.known[first] = self._global(ours, first, rest, lookup)
        return known

    def _inside(
        self, module: ModuleType, ours: Module, attributes: Sequence[str], lookup: bool
    ) -> Target:
        """What a module of the project does not hold: it finds it itself, or it is a module of the
        package that nobody has imported yet, or both."""
        first, *rest = attributes
        dynamic = ours.names.get("__getattr__")
        inner = None
        if "__path__" in ours.names:
            inner = self._ownership.import_ours(f"{module.__name__}.{first}")
        if isinstance(dynamic, FunctionType):
            finder = self._vertices.function(dynamic)
            if not isinstance(inner, ModuleType):
                return Target(_text(attributes), finder)
            found = self._through(inner, rest, lookup)
            return found._replace(vertex=_both(first, finder, found.vertex))
        if isinstance(inner, ModuleType):
            return self._through(inner, rest, lookup)
        if inner is not None:
            return self._unreachable(f"{module.__name__}.{first}", rest, inner)
        return Target(b"?" + _text(attributes))

    def _library(self, module: str, live: Any, attributes: Sequence[str]) -> Target:
        """A name of an outside library, as it is written; followed where the project has put
        something of its own in its place."""
        value = live
        for position, attribute in enumerate(attributes):
            if not isinstance(value, ModuleType | type):
                break
            value = vars(value).get(attribute)
            replaced = isinstance(value, FunctionType) and self._ownership.is_our_function(value)
            if replaced or (isinstance(value, ModuleType) and self.is_ours(value)):
                return self.live(value, attributes[position + 1 :], _no_home)
        return self._spelled(module, ".".join(attributes), whole=True)

    def _spelled(self, module: str | None, name: str, *, whole: bool = False) -> Target:
        """The text of a library's name, with the library's version. For a live object only the
        outermost module counts (`whole` is False): libraries, and assetgraph itself, move their
        classes from one inner module to another."""
        module = module or "builtins"
        first = module.partition(".")[0]
        text = f"{module if whole else first}.{name}".rstrip(".")
        return Target(text.encode(), self._library_vertex(first))

    def _library_vertex(self, name: str) -> Vertex | None:
        if name not in self._libraries:
            self._libraries[name] = self._make_library(name)
        return self._libraries[name]

    def _make_library(self, name: str) -> Vertex | None:
        title = self._distributions.of(name)
        if title == "" or name == _OWN_PACKAGE:
            return None
        vertex = Vertex("library", name)
        vertex.own = (title or name).encode()
        if title is None:
            vertex.note(0, "it belongs to no installed distribution: no version of it")
        return vertex


def _is_found(name: str, module: Module) -> bool:
    """Whether a package with a lookup of its own holds an inner module only because somebody has
    imported that by now."""
    names = module.names
    return (
        "__getattr__" in names
        and "__path__" in names
        and isinstance(names[name], ModuleType)
        and name not in module.file.imports
    )


def _both(name: str, finder: Vertex, found: Vertex | None) -> Vertex:
    """What a module finds itself, and how."""
    both = Vertex("wrapper", name)
    for vertex in filter(None, (finder, found)):
        both.number(vertex)
    both.own = b"found"
    return both


def _absolute(name: str, names: dict[str, Any]) -> str:
    """The full name of a module that is imported as `.name` in a module with the globals
    `names`."""
    level = len(name) - len(name.lstrip("."))
    if not level:
        return name
    package = names.get("__package__") or names.get("__name__", "")
    for _ in range(level - 1):
        package = package.rpartition(".")[0]
    return f"{package}.{name[level:]}".strip(".")


def _text(attributes: Sequence[str]) -> bytes:
    return "".join(f".{attribute}" for attribute in attributes).encode("utf-8", "surrogatepass")


def _no_home() -> Vertex:
    raise AssertionError("a function or a module is a definition")

"""What each name in the code refers to.

The project is imported anyway, so a name is looked up where the code itself would find it: among
captured variables, the globals of the module, and the built-ins, and through modules attribute by
attribute. A name of a library is not followed: it counts as written, with the library's version.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Sequence
from functools import partial
from types import CodeType, FunctionType, ModuleType
from typing import Any

from assetgraph.code.definition_graph import Referent, Vertex
from assetgraph.code.libraries import OWN_PACKAGE, Libraries
from assetgraph.code.live_objects import LiveObjects, Vertices
from assetgraph.code.modules import Module, Modules, global_of
from assetgraph.code.ownership import Ownership
from assetgraph.code.source_summary import Decorator
from assetgraph.process.reads.originals import original_of

# Attributes of a definition that say what it is called, so they are part of its version.
_TITLES = ("__name__", "__qualname__", "__module__", "__doc__")


class Resolver:
    """Finds what the names of the project's modules refer to."""

    def __init__(
        self,
        ownership: Ownership,
        modules: Modules,
        objects: LiveObjects,
        libraries: Libraries,
        vertices: Vertices,
    ) -> None:
        self._ownership = ownership
        self.in_project = ownership.in_project
        self.modules = modules
        self.objects = objects
        self._libraries = libraries
        self._vertices = vertices
        self._following: set[tuple[int, str]] = set()

    def resolve(self, module: Module, position: int) -> Referent:
        """What a name refers to, by its position in the file's names."""
        name = module.file.names[position]
        lookup = name.endswith("[]")
        path = name.removesuffix("[]")
        if ":" in path:
            referent = self._imported(module, path, lookup)
        else:
            root, *attributes = path.split(".")
            referent = self._global(module, root, attributes, lookup)
        module.referents[position] = referent
        return referent

    def named(self, module: Module, name: str) -> Referent:
        """What a global of the module refers to."""
        return self._global(module, name, [], False)

    def imported(self, module: Module, name: str) -> Referent:
        """What `import name` in the code of `module` refers to."""
        return self._imported(module, f"{name}:", False)

    def is_idle(self, module: Module, decorator: Decorator) -> bool:
        """Whether a decorator changes nothing: `asset` or a partial of it, `final` or `override`,
        whatever the module calls them."""
        position = decorator.callee
        known = module.idle_decorators.get(position)
        if known is None:
            known = position >= 0 and self._is_idle(module, module.file.names[position])
            module.idle_decorators[position] = known
        return known

    def live(
        self,
        value: Any,
        attributes: Sequence[str],
        home: Callable[[], Vertex],
        *,
        lookup: bool = False,
    ) -> Referent:
        """What a live object counts as, with `attributes` read from it. `home` makes the vertex of
        a plain value."""
        found = self.objects.definition(value)
        if found is None:
            return Referent(_text(attributes), home())
        if found.vertex is not None and attributes and attributes[0] in _TITLES:
            title = ascii(getattr(value, attributes[0], None)).encode()
            return Referent(found.text + _text(attributes) + title, found.vertex)
        if isinstance(value, ModuleType):
            return self._from_module(value, attributes, lookup)
        return Referent(found.text + _text(attributes), found.vertex)

    def makes_assets(self, module: Module, decorator: Decorator) -> bool:
        """Whether a decorator is a function of the project that uses assetgraph, as a team's own
        wrapper around `asset` does."""
        if decorator.callee < 0:
            return False
        value = global_of(module.names, module.file.names[decorator.callee])
        return isinstance(value, FunctionType) and self.in_project(value) and _uses_us(value)

    def _is_idle(self, module: Module, name: str) -> bool:
        value = global_of(module.names, name)
        while isinstance(value, partial):
            value = value.func
        home = _home(value)
        if home in ("typing", "typing_extensions"):
            return getattr(value, "__name__", "") in ("final", "override")
        return home.partition(".")[0] == OWN_PACKAGE

    # Imports

    def _imported(self, module: Module, path: str, lookup: bool) -> Referent:
        """What `path` (`.helpers:clean`) imports, whether that has happened yet or not."""
        origin, _, rest = path.partition(":")
        absolute = _absolute(origin, module.names)
        attributes = rest.strip(".").split(".") if rest else []
        found: Any = sys.modules.get(absolute)
        if found is None and self._ownership.is_project_name(absolute):
            found = self._ownership.import_project_module(absolute)
            if not isinstance(found, ModuleType):
                return self._unreachable(absolute, attributes, found)
        if found is None or not self.in_project(found):
            return self._library(absolute, found, attributes)
        if not isinstance(found, ModuleType):
            home = partial(self._vertices.value, module, absolute, found, any_order=False)
            return self.live(found, attributes, home)
        return self._from_module(found, attributes, lookup)

    def _unreachable(
        self, name: str, attributes: Sequence[str], error: Exception | None
    ) -> Referent:
        why = f"{type(error).__name__}: {error}" if error else "there is no such module"
        return Referent(_text(attributes), self._vertices.unreachable(name, why))

    def _by_import(
        self, module: Module, root: str, value: Any, attributes: Sequence[str], lookup: bool
    ) -> Referent | None:
        """A global that the module imports, followed to the module that defines it. So the
        definition has the same name wherever it is used, and a name of a library counts as the
        import spells it."""
        origins = [*module.file.imports.get(root, ()), *(f"{s}{root}" for s in module.file.stars)]
        for origin in origins:
            name, _, attribute = origin.partition(":")
            absolute = _absolute(name, module.names)
            source = sys.modules.get(absolute)
            if source is None or (source is value and attribute):
                continue
            path = [attribute, *attributes] if attribute else attributes
            if not isinstance(source, ModuleType):  # an object that replaces a module
                if self.in_project(source):
                    continue
                return self._library(absolute, source, path)
            if attribute:
                there = vars(source).get(attribute, sys.modules.get(f"{absolute}.{attribute}"))
            else:
                there = source
            if original_of(there) is not original_of(value) or vars(source) is module.names:
                continue
            if self.in_project(source):
                return self._from_module(source, path, lookup)
            return self._library(absolute, source, path)
        return None

    # Globals and built-ins

    def _global(
        self, module: Module, root: str, attributes: Sequence[str], lookup: bool
    ) -> Referent:
        if root not in module.names:
            if root in vars(builtins):
                return self._builtin(module, root, attributes)
            return self._absent(module, root, attributes)
        value = module.names[root]
        imported = self._followed_import(module, root, value, attributes, lookup)
        if imported is not None:
            return imported
        looked_up = attributes == ["get"] or (lookup and not attributes)
        home = partial(self._vertices.value, module, root, value, any_order=looked_up)
        same = isinstance(value, type) and value.__qualname__ == root  # its statements count there
        if root in module.file.statements and not same and self.objects.is_wrapper(value):
            return Referent(_text(attributes), home())
        return self.live(value, attributes, home, lookup=lookup)

    def _followed_import(
        self, module: Module, root: str, value: Any, attributes: Sequence[str], lookup: bool
    ) -> Referent | None:
        step = (id(module.names), root)
        if step in self._following:  # two modules may import the same name from each other
            return None
        self._following.add(step)
        imported = self._by_import(module, root, value, attributes, lookup)
        self._following.discard(step)
        if imported is not None and self._is_changed(module, root, value):
            home = self._vertices.value(module, root, value, any_order=False)
            return imported._replace(vertex=home)
        return imported

    def _is_changed(self, module: Module, root: str, value: Any) -> bool:
        """Whether statements of the module change a library that it imports: `random.seed(1)`.
        Settings of `logging` and `warnings` change no value, so they do not count."""
        return (
            isinstance(value, ModuleType)
            and root in module.file.statements
            and value.__name__.partition(".")[0] not in ("logging", "warnings", OWN_PACKAGE)
            and not self.in_project(value)
        )

    def _builtin(self, module: Module, root: str, attributes: Sequence[str]) -> Referent:
        if root == "globals":
            return Referent(b"globals", self._vertices.module(module))
        present = vars(builtins)[root]
        if isinstance(present, FunctionType | type) and self.in_project(present):
            return self.live(present, attributes, _no_home)
        return Referent(b"builtins." + root.encode() + _text(attributes))

    def _absent(self, module: Module, root: str, attributes: Sequence[str]) -> Referent:
        """A name that the module does not have, such as one imported only for type checking."""
        origins = module.file.imports.get(root)
        if origins:
            return self._imported(module, ".".join([origins[0], *attributes]), False)
        return Referent(b"?" + root.encode() + _text(attributes))

    # Attributes of modules

    def _from_module(self, module: ModuleType, attributes: Sequence[str], lookup: bool) -> Referent:
        """What is read from a module. Without attributes that can be followed, a module of the
        project counts as a whole."""
        if not self.in_project(module):
            return self._library(module.__name__, module, attributes)
        if not attributes:
            return self.objects.module(module)
        source = self.modules.of_live(module)
        first, *rest = attributes
        if self.in_project(type(module)) and hasattr(type(module), first):
            return Referent(_text(attributes), self._vertices.class_(type(module)))
        if first not in source.names or _is_found_later(first, source):
            return self._not_held(module, source, attributes, lookup)
        if rest or lookup:
            return self._global(source, first, rest, lookup)
        known = source.known.get(first)
        if known is None:
            known = source.known[first] = self._global(source, first, rest, lookup)
        return known

    def _not_held(
        self, module: ModuleType, source: Module, attributes: Sequence[str], lookup: bool
    ) -> Referent:
        """An attribute that a module of the project does not hold: its `__getattr__` finds it, or
        it is a module of the package that is not imported yet, or both."""
        first, *rest = attributes
        finder = source.names.get("__getattr__")
        inner = None
        if "__path__" in source.names:
            inner = self._ownership.import_project_module(f"{module.__name__}.{first}")
        if isinstance(finder, FunctionType):
            how = self._vertices.function(finder)
            if not isinstance(inner, ModuleType):
                return Referent(_text(attributes), how)
            found = self._from_module(inner, rest, lookup)
            return found._replace(vertex=_both(first, how, found.vertex))
        if isinstance(inner, ModuleType):
            return self._from_module(inner, rest, lookup)
        if inner is not None:
            return self._unreachable(f"{module.__name__}.{first}", rest, inner)
        return Referent(b"?" + _text(attributes))

    def _library(self, module: str, live: Any, attributes: Sequence[str]) -> Referent:
        """A name of a library, as written. It is followed only where the project replaced
        something in the library by a function or module of its own."""
        value = live
        for position, attribute in enumerate(attributes):
            if not isinstance(value, ModuleType | type):
                break
            value = vars(value).get(attribute)
            if isinstance(value, FunctionType | ModuleType) and self.in_project(value):
                return self.live(value, attributes[position + 1 :], _no_home)
        return self._libraries.as_written(module, ".".join(attributes))


def _is_found_later(name: str, module: Module) -> bool:
    """Whether a package with a `__getattr__` holds an inner module only because some code has
    imported it by now."""
    names = module.names
    return (
        "__getattr__" in names
        and "__path__" in names
        and isinstance(names[name], ModuleType)
        and name not in module.file.imports
    )


def _uses_us(function: FunctionType) -> bool:
    """Whether a function, or one that it calls by a global name, names assetgraph."""
    waiting = [(function.__code__, function.__globals__)]
    known = {function.__code__}
    for code, names in waiting:
        held = [names.get(name) for name in code.co_names]
        if any(_home(value).partition(".")[0] == OWN_PACKAGE for value in held):
            return True
        called = [(v.__code__, v.__globals__) for v in held if isinstance(v, FunctionType)]
        inner = [(part, names) for part in code.co_consts if isinstance(part, CodeType)]
        waiting += [pair for pair in (*called, *inner) if pair[0] not in known]
        known.update(part for part, _ in (*called, *inner))
    return False


def _home(value: Any) -> str:
    """The module of a function, the name of a module, or nothing."""
    if isinstance(value, ModuleType):
        return value.__name__
    return str(value.__globals__.get("__name__")) if isinstance(value, FunctionType) else ""


def _both(name: str, finder: Vertex, found: Vertex | None) -> Vertex:
    """What the `__getattr__` of a module finds, together with how it does so."""
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

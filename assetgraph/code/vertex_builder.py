"""Builds the vertices of live definitions: functions, classes, modules and values.

A vertex is made empty and filled later, from a list of work. So definitions may name each other in
any order and to any depth.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, MutableMapping, Sequence
from functools import partial
from types import CodeType, FunctionType, ModuleType
from typing import Any

from assetgraph.code.classes import (
    ClassSource,
    computed_values,
    foreign_functions,
    is_of_library,
)
from assetgraph.code.definition_graph import Vertex
from assetgraph.code.libraries import Distributions, Libraries
from assetgraph.code.live_objects import LiveObjects
from assetgraph.code.modules import LAMBDA, Module, Modules, name_of
from assetgraph.code.name_resolution import Resolver
from assetgraph.code.ownership import Ownership
from assetgraph.code.plain_data import has_identity, is_plain
from assetgraph.code.project_folder import ProjectFolder
from assetgraph.code.source_summary import Class, Function, Piece
from assetgraph.code.sources import Found, Sources, find
from assetgraph.code.vertex_writer import VertexWriter, cells_of
from assetgraph.code.wrapped_functions import functions_inside, plain_captured

Fill = Callable[[Vertex], None]
Place = tuple[str, str, int]  # a name, a file relative to the project, a line


class VertexBuilder:
    """Makes the vertices of one process, each once. A vertex keeps the content of its definition at
    the time it was made, even if the live object changes later."""

    def __init__(self, folder: ProjectFolder, cache: MutableMapping[str, bytes]) -> None:
        self._folder = folder
        self._sources = Sources(folder, cache)
        ownership = Ownership(folder)
        self.in_project = ownership.in_project
        self._modules = Modules(self._sources, ownership)
        libraries = Libraries(Distributions(cache))
        self._objects = LiveObjects(ownership, self._modules, libraries, self)
        self._resolver = Resolver(ownership, self._modules, self._objects, libraries, self)
        self._vertices: dict[Any, Vertex] = {}
        self._kept: list[Any] = []  # keys hold the ids of these objects, so they must stay alive
        self._work: list[tuple[Fill, Vertex]] = []
        self._made_by_call: dict[int, bool] = {}

    def root(self, item: Any) -> Vertex:
        """The vertex of an asset's function or of a class, complete with all that it reaches."""
        if isinstance(item, FunctionType) and self.in_project(item):
            vertex = self.function(item, annotated=True)
        elif isinstance(item, type) and self.in_project(item):
            vertex = self.class_(item)
        else:
            name = getattr(item, "__qualname__", None) or type(item).__qualname__
            fill = partial(self._fill_value, value=item)
            vertex = self._vertex(("root", id(item)), item, "value", (name, "", 0), fill)
        while self._work:
            make, empty = self._work.pop()
            make(empty)
        return vertex

    def named(self, name: str) -> Any:
        """The project's class or function `module:qualname`; None if there is none."""
        module, _, qualname = name.partition(":")
        found = self._modules.imported(module)
        for part in qualname.split("."):
            found = getattr(found, part, None)
        return found if isinstance(found, type | FunctionType) and self.in_project(found) else None

    # The vertices by kind

    def function(self, function: FunctionType, *, annotated: bool = False) -> Vertex:
        """The vertex of a function. With `annotated`, its annotations count even if it has no
        decorator."""
        key = (function, annotated)
        known = self._vertices.get(key)
        if known is not None:
            return known
        code = function.__code__  # once: whoever watches the process is told of each time
        fill = partial(self._fill_function, function=function, code=code, annotated=annotated)
        name = name_of(function, code)
        place = (name, self._folder.relative(code.co_filename), code.co_firstlineno)
        return self._new_vertex(key, function, "function", place, fill)

    def class_(self, kind: type) -> Vertex:
        fill = partial(self._fill_class, kind=kind)
        return self._vertex(("class", id(kind)), kind, "class", (kind.__qualname__, "", 0), fill)

    def is_made_by_call(self, kind: type) -> bool:
        known = self._made_by_call.get(id(kind))
        if known is None:
            known = not ClassSource(kind, self._sources).entries
            self._made_by_call[id(kind)] = known
            self._kept.append(kind)
        return known

    def module(self, module: Module) -> Vertex:
        """The vertex of a module with everything in it."""
        place = (module.names.get("__name__", ""), self._folder.relative(module.filename), 0)
        fill = partial(self._fill_module, module=module)
        return self._vertex(("module", id(module)), module, "module", place, fill)

    def value(self, module: Module, name: str, value: Any, *, any_order: bool) -> Vertex:
        """The vertex of a module's global `name`. With `any_order`, the code only looks something
        up in its value, so the order of a dict does not count."""
        any_order = any_order and type(value) is dict
        key = ("value", id(module), name, any_order)
        if key in self._vertices:
            return self._vertices[key]
        statements = module.file.statements.get(name, ())
        line = statements[0].line if statements else 0
        pieces = tuple(statement.piece for statement in statements)
        called = name if name in module.file.rebound or has_identity(value) else ""
        fill = partial(self._fill_value, value=value, any_order=any_order, called=called)
        fill = partial(fill, module=module, pieces=pieces, name=name)
        place = (name, self._folder.relative(module.filename), line)
        return self._vertex(key, value, "value", place, fill)

    def wrapper(self, function: FunctionType) -> Vertex | None:
        """A library's function that holds functions of the project, as its decorators return them,
        or values that it was made with; None if it holds neither."""
        key = ("wrapper", id(function))
        if key in self._vertices:
            return self._vertices[key]
        held = functions_inside(function)
        inside = [item for item in held if self.in_project(item)]
        captured = [value for item in held for value in self._captured_by_library(item)]
        if not inside and not captured:
            return None
        fill = partial(self._fill_wrapper, inside=inside, captured=captured)
        place = (function.__code__.co_qualname, "", 0)
        return self._vertex(key, function, "wrapper", place, fill)

    def unreachable(self, name: str, why: str) -> Vertex:
        """The vertex of a module of the project that cannot be imported."""
        vertex = self._vertex(("unreachable", name), None, "module", (name, "", 0), _fill_nothing)
        if not vertex.blind_spots:
            vertex.add_blind_spot(0, f"it cannot be imported: {why}")
        return vertex

    def _vertex(
        self, key: tuple[Any, ...], item: Any, kind: str, place: Place, fill: Fill
    ) -> Vertex:
        return self._vertices.get(key) or self._new_vertex(key, item, kind, place, fill)

    def _new_vertex(
        self, key: tuple[Any, ...], item: Any, kind: str, place: Place, fill: Fill
    ) -> Vertex:
        made = self._vertices[key] = Vertex(kind, *place)
        self._kept.append(item)
        self._work.append((fill, made))
        return made

    # The content of functions

    def _fill_function(
        self, vertex: Vertex, function: FunctionType, code: CodeType, annotated: bool
    ) -> None:
        module = self._modules.of_names(function.__globals__, code.co_filename)
        found = find(code, module.text)
        writer = VertexWriter(vertex, self._resolver, module, cells_of(function), self._captured)
        for entry in found.functions:
            if not entry.qualname.endswith(LAMBDA):
                vertex.name = entry.qualname
            writer.function(entry, annotated=annotated)
        if found.problem:
            vertex.add_blind_spot(vertex.line, found.problem)
            writer.compiled(code, partial(self._collection, vertex))
            writer.captured()
        if function.__defaults__ or function.__kwdefaults__:
            self._write_defaults(writer, function, module, found)
        if function.__dict__:
            attributes = dict(sorted(function.__dict__.items()))
            writer.add(writer.value(attributes, partial(self._collection, vertex)).data)
        writer.finish()

    def _write_defaults(
        self, writer: VertexWriter, function: FunctionType, module: Module, found: Found
    ) -> None:
        """Defaults count by their values as well as by their expressions: the same expression may
        have another value."""
        defaults = [function.__defaults__, function.__kwdefaults__]
        pieces = tuple(entry.defaults for entry in found.functions if entry.defaults)
        if is_plain(defaults) and not any(piece.names for piece in pieces):
            writer.add(writer.value(defaults, partial(self._collection, writer.vertex)).data)
            return
        fill = partial(self._fill_value, value=defaults, module=module, pieces=pieces)
        key = ("defaults", id(function))
        writer.edge("defaults", self._vertex(key, function, "value", _place(writer.vertex), fill))

    def _captured(self, function: Vertex, name: str, cell: Any, value: Any) -> Vertex:
        fill = partial(self._fill_value, value=value, called=name)
        place = (f"{name} of {function.name}", function.file, function.line)
        return self._vertex(("cell", id(cell)), cell, "value", place, fill)

    def _captured_by_library(self, item: Any) -> list[Any]:
        """The plain values that a library's function captured: the arguments that it was made with.
        The standard library captures only values of its own, such as counters and names, so those
        are left out."""
        if not isinstance(item, FunctionType) or self.in_project(item):
            return []
        library = str(item.__globals__.get("__name__")).partition(".")[0]
        return [] if library in sys.stdlib_module_names else plain_captured(item)

    def _fill_wrapper(self, vertex: Vertex, inside: Sequence[Any], captured: Sequence[Any]) -> None:
        writer = VertexWriter(vertex, self._resolver)
        for item in inside:
            writer.refer(item)
        for value in captured:
            writer.add(writer.value(value, partial(self._collection, vertex)).data)
        writer.finish()

    # The content of classes and modules

    def _fill_class(self, vertex: Vertex, kind: type) -> None:
        source = ClassSource(kind, self._sources)
        module = self._modules.of_names(source.names, source.filename)
        vertex.file, vertex.line = self._folder.relative(source.filename), source.line
        writer = VertexWriter(vertex, self._resolver, module)
        writer.add(kind.__name__.encode())  # equal classes are still distinct
        for entry in source.entries:
            writer.piece(entry.body, entry.enclosed)
            writer.piece(entry.bases, entry.enclosed)
            writer.decorators(entry.decorators, entry.enclosed)
            writer.blind_spots(entry.blind_spots)
            self._write_methods(writer, source, entry, module)
        for base in (*kind.__bases__, type(kind)):
            writer.add(writer.refer(base) or b"")
        for name, function in foreign_functions(source, self._folder):
            token = writer.refer(function) or b""
            if name in source.bound or token[:1].isdigit():
                writer.add(name.encode(), token)
        self._write_values(writer, source, module)
        names = [kind.__qualname__] if source.entries else source.called
        statements = (module.file.statements.get(name, ()) for name in names)
        pieces = [statement.piece for found in statements for statement in found]
        # Without an entry a call made it, not a `class` statement. What a statement does to a class
        # of a library may be hidden in what the library keeps.
        if pieces and (not source.entries or is_of_library(source, self.in_project)):
            writer.edge("made by", self._expression(vertex, module, pieces))
        writer.finish()

    def _write_methods(
        self, writer: VertexWriter, source: ClassSource, entry: Class, module: Module
    ) -> None:
        """The methods, sorted by name: their order does not count."""
        functions = module.file.functions
        for position in sorted(entry.methods, key=lambda p: functions[p].name):
            method = functions[position]
            live = source.functions.get((method.line, method.name))
            if live is not None:
                vertex = self.function(live)
            else:
                fill = partial(self._fill_unbound, entry=method, module=module)
                place = (method.qualname, self._folder.relative(module.filename), method.line)
                key = ("method", id(module), position)
                vertex = self._vertex(key, module, "function", place, fill)
            writer.edge(method.name, vertex)

    def _fill_unbound(self, vertex: Vertex, entry: Function, module: Module) -> None:
        """A method without a live function, because a library replaced it by another object."""
        writer = VertexWriter(vertex, self._resolver, module)
        writer.function(entry, annotated=False)
        writer.finish()

    def _write_values(self, writer: VertexWriter, source: ClassSource, module: Module) -> None:
        """The values of the attributes of the complete class. If they change, the reason is sought
        in the text of the class and in the statements of its module that change it."""
        values = computed_values(source, self.in_project)
        if not values:
            return
        statements = module.file.statements.get(source.kind.__qualname__, ())
        pieces = (
            *(entry.body for entry in source.entries),
            *(
                decorator.piece
                for entry in source.entries
                for decorator in entry.decorators
                if not self._resolver.is_idle(module, decorator)
            ),
            *(statement.piece for statement in statements),
        )
        fill = partial(self._fill_value, value=values, module=module, pieces=pieces)
        key = ("attributes", id(source.kind))
        vertex = self._vertex(key, source.kind, "value", _place(writer.vertex), fill)
        writer.edge("attributes", vertex)

    def _fill_module(self, vertex: Vertex, module: Module) -> None:
        """All globals of the module. A package counts its inner modules only if it imports them
        itself: which others it holds depends on what was imported before."""
        writer = VertexWriter(vertex, self._resolver, module)
        for name in sorted(module.names):
            value = module.names[name]
            if _is_python_name(name) and not (
                isinstance(value, FunctionType) and self.in_project(value)
            ):
                continue
            if isinstance(value, ModuleType) and name not in module.file.imports:
                continue
            writer.add(name.encode(), writer.token(self._resolver.named(module, name)))
        writer.finish()

    # The content of values

    def _fill_value(
        self,
        vertex: Vertex,
        value: Any,
        any_order: bool = False,
        module: Module | None = None,
        pieces: Sequence[Piece] = (),
        called: str = "",
        name: str = "",
    ) -> None:
        """A value counts by its content. The expression that made it counts as well if the value
        cannot be read or a library made it. Its name, `called`, counts if equal values are still
        distinct."""
        writer = VertexWriter(vertex, self._resolver, module)
        if called:
            writer.add(called.encode("utf-8", "surrogatepass"))
        collect = partial(self._collection, vertex, module=module, pieces=pieces)
        written = writer.value(value, collect, any_order=any_order)
        writer.add(written.data)
        if module is not None and pieces:
            vertex.origin = self._expression(vertex, module, pieces)
            if written.unread or written.hides or self._objects.is_wrapper(value):
                writer.edge("made by", vertex.origin)
        if written.unread and module is not None and name:
            from assetgraph.code.fillers import fillers

            for other, more in fillers(value, module, name, self._modules):
                writer.edge("filled by", self._expression(vertex, other, more))
        if written.unread:
            types = ", ".join(dict.fromkeys(written.unread))
            rest = (
                "so the expression that makes it counts" if vertex.origin else "so it is left out"
            )
            vertex.add_blind_spot(vertex.line, f"{types} cannot be read, {rest}")
        writer.finish()

    def _collection(
        self,
        owner: Vertex,
        held: Any,
        module: Module | None = None,
        pieces: Sequence[Piece] = (),
    ) -> Vertex:
        """The vertex of a set, or of a dict whose order does not count."""
        fill = partial(self._fill_collection, held=held, module=module, pieces=pieces)
        return self._vertex(("collection", id(held)), held, "collection", _place(owner), fill)

    def _fill_collection(
        self, vertex: Vertex, held: Any, module: Module | None, pieces: Sequence[Piece]
    ) -> None:
        writer = VertexWriter(vertex, self._resolver)
        for item in held.items() if isinstance(held, dict) else held:
            referent = self._objects.definition(item)
            if referent is not None and referent.vertex is not None and not referent.text:
                vertex.number(referent.vertex)
                continue
            keyed = isinstance(held, dict) and is_plain(item[0])
            name = f"{vertex.name}[{item[0]!r:.40}]" if keyed else vertex.name
            fill = partial(self._fill_value, value=item, module=module, pieces=pieces)
            place = (name, vertex.file, vertex.line)
            key = ("item", id(held), len(vertex.edges))
            vertex.number(self._vertex(key, item, "value", place, fill))
        writer.finish()

    def _expression(self, value: Vertex, module: Module, pieces: Sequence[Piece]) -> Vertex:
        key = ("expression", id(module), *(id(piece) for piece in pieces))
        fill = partial(self._fill_expression, module=module, pieces=pieces)
        return self._vertex(key, pieces, "expression", _place(value), fill)

    def _fill_expression(self, vertex: Vertex, module: Module, pieces: Sequence[Piece]) -> None:
        writer = VertexWriter(vertex, self._resolver, module)
        for piece in pieces:
            writer.piece(piece)
        writer.finish()


def _place(vertex: Vertex) -> Place:
    return vertex.name, vertex.file, vertex.line


def _is_python_name(name: str) -> bool:
    """Whether the name has the form of those that Python gives every module."""
    return name.startswith("__") and name.endswith("__")


def _fill_nothing(vertex: Vertex) -> None:
    vertex.own = b"module " + vertex.name.encode()

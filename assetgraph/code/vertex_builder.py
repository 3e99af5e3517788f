"""Vertices for live definitions: what each says itself, and which others it names.

A vertex is made empty and filled later, from a list of work, so that definitions may name each
other in any order and to any depth.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

from assetgraph.code.classes import (
    ClassSource,
    computed_values,
    foreign_functions,
    functions_inside,
    plain_captured,
)
from assetgraph.code.constant_values import is_itself, is_plain
from assetgraph.code.definition_graph import Vertex
from assetgraph.code.distributions import Distributions
from assetgraph.code.importer import ProjectFolder
from assetgraph.code.name_resolution import Module, Resolver
from assetgraph.code.source_summary import Class, Function, Piece
from assetgraph.code.sources import Found, Sources, find
from assetgraph.code.vertex_writer import NO_CELLS, Saying

_LAMBDA = "<lambda>"

Fill = Callable[[Vertex], None]
Place = tuple[str, str, int]  # a name, a file relative to the project, a line


class Builder:
    """Makes the vertices of one process. What was made stays as it is, whatever the live objects
    do later."""

    def __init__(self, folder: ProjectFolder, cache: MutableMapping[str, bytes]) -> None:
        self._folder = folder
        self._sources = Sources(folder, cache)
        self._resolver = Resolver(self._sources, Distributions(cache), self)
        self._vertices: dict[Any, Vertex] = {}
        self._kept: list[Any] = []  # keys hold identities: what they stand for must live
        self._work: list[tuple[Fill, Vertex]] = []

    def root(self, item: Any) -> Vertex:
        """The vertex of what an asset runs, or of a class: complete, with all that it reaches."""
        if isinstance(item, FunctionType) and self.is_ours(item):
            vertex = self.function(item, annotated=True)
        elif isinstance(item, type) and self.is_ours(item):
            vertex = self.class_(item)
        else:
            name = getattr(item, "__qualname__", None) or type(item).__qualname__
            fill = partial(self._fill_value, value=item)
            vertex = self._vertex(("root", id(item)), item, "value", (name, "", 0), fill)
        while self._work:
            make, empty = self._work.pop()
            make(empty)
        return vertex

    def is_ours(self, item: Any) -> bool:
        return self._resolver.is_ours(item)

    def named(self, name: str) -> Any:
        """The project's class or function `module:qualname`, None if there is none."""
        module, _, qualname = name.partition(":")
        found = self._resolver.module_now(module)
        for part in qualname.split("."):
            found = getattr(found, part, None)
        return found if isinstance(found, type | FunctionType) and self.is_ours(found) else None

    # Vertices, each made once

    def function(self, function: FunctionType, *, annotated: bool = False) -> Vertex:
        """With `annotated` its annotations count even where nothing decorates it."""
        key = ("function", id(function), annotated)
        known = self._vertices.get(key)
        if known is not None:
            return known
        code = function.__code__
        fill = partial(self._fill_function, function=function, annotated=annotated)
        place = (_name(function), self._folder.relative(code.co_filename), code.co_firstlineno)
        return self._new_vertex(key, function, "function", place, fill)

    def class_(self, kind: type) -> Vertex:
        fill = partial(self._fill_class, kind=kind)
        return self._vertex(("class", id(kind)), kind, "class", (kind.__qualname__, "", 0), fill)

    def module(self, module: Module) -> Vertex:
        """Everything in a module."""
        place = (module.names.get("__name__", ""), self._folder.relative(module.filename), 0)
        fill = partial(self._fill_module, module=module)
        return self._vertex(("module", id(module)), module, "module", place, fill)

    def value(self, module: Module, name: str, value: Any, *, any_order: bool) -> Vertex:
        """What a module calls `name`. With `any_order` it is only looked up in."""
        any_order = any_order and type(value) is dict
        key = ("value", id(module), name, any_order)
        if key in self._vertices:
            return self._vertices[key]
        statements = module.file.statements.get(name, ())
        line = statements[0].line if statements else 0
        pieces = tuple(statement.piece for statement in statements)
        called = name if name in module.file.rebound or is_itself(value) else ""
        fill = partial(self._fill_value, value=value, any_order=any_order, called=called)
        fill = partial(fill, module=module, pieces=pieces)
        place = (name, self._folder.relative(module.filename), line)
        return self._vertex(key, value, "value", place, fill)

    def wrapper(self, function: FunctionType) -> Vertex | None:
        """A library's function around functions of the project, as its decorators make them."""
        key = ("wrapper", id(function))
        if key in self._vertices:
            return self._vertices[key]
        held = functions_inside(function)
        inside = [item for item in held if self.is_ours(item)]
        captured = [value for item in held for value in self._captured_by_library(item)]
        if not inside and not captured:
            return None
        fill = partial(self._fill_wrapper, inside=inside, captured=captured)
        place = (function.__code__.co_qualname, "", 0)
        return self._vertex(key, function, "wrapper", place, fill)

    def unreachable(self, name: str, why: str) -> Vertex:
        """A module of the project that does not import."""
        vertex = self._vertex(("unreachable", name), None, "module", (name, "", 0), _fill_nothing)
        if not vertex.notes:
            vertex.note(0, f"it cannot be imported: {why}")
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

    # What functions say

    def _fill_function(self, vertex: Vertex, function: FunctionType, annotated: bool) -> None:
        module = self._resolver.module_of(function)
        found = find(function, module.text)
        saying = Saying(vertex, self._resolver, module, _cells(function), self._captured)
        for entry in found.functions:
            if not entry.qualname.endswith(_LAMBDA):
                vertex.name = entry.qualname
            saying.function(entry, annotated=annotated)
        if found.problem:
            vertex.note(vertex.line, found.problem)
            saying.compiled(function.__code__, partial(self._collection, vertex))
            saying.captured()
        if function.__defaults__ or function.__kwdefaults__:
            self._say_defaults(saying, function, module, found)
        if function.__dict__:
            attributes = dict(sorted(function.__dict__.items()))
            saying.add(saying.value(attributes, partial(self._collection, vertex)).data)
        saying.finish()

    def _say_defaults(
        self, saying: Saying, function: FunctionType, module: Module, found: Found
    ) -> None:
        """Defaults count as they are, too: the expression may have been evaluated to anything."""
        defaults = [function.__defaults__, function.__kwdefaults__]
        pieces = tuple(entry.defaults for entry in found.functions if entry.defaults)
        if is_plain(defaults) and not any(piece.names for piece in pieces):
            saying.add(saying.value(defaults, partial(self._collection, saying.vertex)).data)
            return
        fill = partial(self._fill_value, value=defaults, module=module, pieces=pieces)
        key = ("defaults", id(function))
        saying.edge("defaults", self._vertex(key, function, "value", _place(saying.vertex), fill))

    def _captured(self, function: Vertex, name: str, cell: Any, value: Any) -> Vertex:
        fill = partial(self._fill_value, value=value, called=name)
        place = (f"{name} of {function.name}", function.file, function.line)
        return self._vertex(("cell", id(cell)), cell, "value", place, fill)

    def _captured_by_library(self, item: Any) -> list[Any]:
        """The plain values that a library's function captured: what it was made with. Those of the
        standard library are its own: counters, names."""
        if not isinstance(item, FunctionType) or self.is_ours(item):
            return []
        library = str(item.__globals__.get("__name__")).partition(".")[0]
        return [] if library in sys.stdlib_module_names else plain_captured(item)

    def _fill_wrapper(self, vertex: Vertex, inside: Sequence[Any], captured: Sequence[Any]) -> None:
        saying = Saying(vertex, self._resolver)
        for item in inside:
            saying.refer(item)
        for value in captured:
            saying.add(saying.value(value, partial(self._collection, vertex)).data)
        saying.finish()

    # What classes and modules say

    def _fill_class(self, vertex: Vertex, kind: type) -> None:
        source = ClassSource(kind, self._sources)
        module = self._resolver.module(source.names, source.filename)
        vertex.file, vertex.line = self._folder.relative(source.filename), source.line
        saying = Saying(vertex, self._resolver, module)
        saying.add(kind.__name__.encode())  # two of the same text are still two
        for entry in source.entries:
            saying.piece(entry.body, entry.enclosed)
            saying.piece(entry.bases, entry.enclosed)
            saying.decorators(entry.decorators, entry.enclosed)
            saying.notes(entry.notes)
            self._say_methods(saying, source, entry, module)
        for base in (*kind.__bases__, type(kind)):
            saying.add(saying.refer(base) or b"")
        for name, function in foreign_functions(source, self._folder):
            token = saying.refer(function) or b""
            if name in source.bound or token[:1].isdigit():
                saying.add(name.encode(), token)
        self._say_values(saying, source, module)
        pieces = [made.piece for made in module.file.statements.get(kind.__qualname__, ())]
        if pieces and not source.entries:  # no `class` statement made it, but a call
            saying.edge("made by", self._expression(vertex, module, pieces))
        saying.finish()

    def _say_methods(
        self, saying: Saying, source: ClassSource, entry: Class, module: Module
    ) -> None:
        """Methods by name, so that their order does not matter."""
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
            saying.edge(method.name, vertex)

    def _fill_unbound(self, vertex: Vertex, entry: Function, module: Module) -> None:
        """A method of which there is no function: a library has made something of it."""
        saying = Saying(vertex, self._resolver, module)
        saying.function(entry, annotated=False)
        saying.finish()

    def _say_values(self, saying: Saying, source: ClassSource, module: Module) -> None:
        """What the attributes of a class are when it is complete. All that its text and its module
        do to it explains a change of them."""
        values = computed_values(source, self.is_ours)
        if not values:
            return
        statements = module.file.statements.get(source.kind.__qualname__, ())
        pieces = (
            *(entry.body for entry in source.entries),
            *(decorator.piece for entry in source.entries for decorator in entry.decorators),
            *(statement.piece for statement in statements),
        )
        fill = partial(self._fill_value, value=values, module=module, pieces=pieces)
        key = ("attributes", id(source.kind))
        vertex = self._vertex(key, source.kind, "value", _place(saying.vertex), fill)
        saying.edge("attributes", vertex)

    def _fill_module(self, vertex: Vertex, module: Module) -> None:
        """Modules in a package count where it imports them itself: which others are loaded depends
        on who came first."""
        saying = Saying(vertex, self._resolver, module)
        for name in sorted(module.names):
            value = module.names[name]
            if _is_given(name) and not (isinstance(value, FunctionType) and self.is_ours(value)):
                continue
            if isinstance(value, ModuleType) and name not in module.file.imports:
                continue
            saying.add(name.encode(), saying.token(self._resolver.named(module, name)))
        saying.finish()

    # What values say

    def _fill_value(
        self,
        vertex: Vertex,
        value: Any,
        any_order: bool = False,
        module: Module | None = None,
        pieces: Sequence[Piece] = (),
        called: str = "",
    ) -> None:
        """A value counts as it is. Where it cannot be read, or is what a library made, of a
        function or as an object of its own, the expression that made it counts too; its name is
        `called` where another one that holds the same would be another one."""
        saying = Saying(vertex, self._resolver, module)
        if called:
            saying.add(called.encode("utf-8", "surrogatepass"))
        collect = partial(self._collection, vertex, module=module, pieces=pieces)
        written = saying.value(value, collect, any_order=any_order)
        saying.add(written.data)
        if module is not None and pieces:
            vertex.origin = self._expression(vertex, module, pieces)
            if written.unread or written.hides or self._resolver.is_wrapper(value):
                saying.edge("made by", vertex.origin)
        if written.unread:
            types = ", ".join(dict.fromkeys(written.unread))
            rest = (
                "so the expression that makes it counts" if vertex.origin else "so it is left out"
            )
            vertex.note(vertex.line, f"{types} cannot be read, {rest}")
        saying.finish()

    def _collection(
        self,
        owner: Vertex,
        held: Any,
        module: Module | None = None,
        pieces: Sequence[Piece] = (),
    ) -> Vertex:
        """A set, or a dict whose order does not count."""
        fill = partial(self._fill_collection, held=held, module=module, pieces=pieces)
        return self._vertex(("collection", id(held)), held, "collection", _place(owner), fill)

    def _fill_collection(
        self, vertex: Vertex, held: Any, module: Module | None, pieces: Sequence[Piece]
    ) -> None:
        saying = Saying(vertex, self._resolver)
        for item in held.items() if isinstance(held, dict) else held:
            target = self._resolver.definition(item)
            if target is not None and target.vertex is not None and not target.text:
                vertex.number(target.vertex)
                continue
            keyed = isinstance(held, dict) and is_plain(item[0])
            name = f"{vertex.name}[{item[0]!r:.40}]" if keyed else vertex.name
            fill = partial(self._fill_value, value=item, module=module, pieces=pieces)
            place = (name, vertex.file, vertex.line)
            key = ("item", id(held), len(vertex.edges))
            vertex.number(self._vertex(key, item, "value", place, fill))
        saying.finish()

    def _expression(self, value: Vertex, module: Module, pieces: Sequence[Piece]) -> Vertex:
        key = ("expression", id(module), *(id(piece) for piece in pieces))
        fill = partial(self._fill_expression, module=module, pieces=pieces)
        return self._vertex(key, pieces, "expression", _place(value), fill)

    def _fill_expression(self, vertex: Vertex, module: Module, pieces: Sequence[Piece]) -> None:
        saying = Saying(vertex, self._resolver, module)
        for piece in pieces:
            saying.piece(piece)
        saying.finish()


def _place(vertex: Vertex) -> Place:
    return vertex.name, vertex.file, vertex.line


def _name(function: FunctionType) -> str:
    """Of a lambda, the global that holds it."""
    name = function.__code__.co_qualname
    if name != _LAMBDA:
        return name
    held = list(function.__globals__.items())
    return next((called for called, value in held if value is function), name)


def _cells(function: FunctionType) -> Mapping[str, Any]:
    """The captured variables of a function, by name."""
    held = function.__closure__
    return dict(zip(function.__code__.co_freevars, held, strict=True)) if held else NO_CELLS


def _is_given(name: str) -> bool:
    """Whether Python gives every module a name of this form."""
    return name.startswith("__") and name.endswith("__")


def _fill_nothing(vertex: Vertex) -> None:
    vertex.own = b"module " + vertex.name.encode()

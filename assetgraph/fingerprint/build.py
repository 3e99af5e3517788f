"""Vertices for live definitions: what each says itself, and which others it names.

A vertex is made empty and filled later, from a list of work, so that definitions may name each
other in any order and to any depth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from functools import partial
from types import CodeType, FunctionType, ModuleType
from typing import Any

from assetgraph.fingerprint.classes import (
    ClassSource,
    field_values,
    functions_inside,
    is_generated,
    member_functions,
)
from assetgraph.fingerprint.distributions import Distributions
from assetgraph.fingerprint.graph import Vertex
from assetgraph.fingerprint.resolve import Module, Resolver, Target
from assetgraph.fingerprint.sources import Sources
from assetgraph.fingerprint.summary import Class, Decorator, Function, Note, Piece
from assetgraph.fingerprint.values import TooLargeError, ValueWriter, is_plain
from assetgraph.loading import ProjectFolder

_OWN_NAMES = b"assetgraph."
_FOLLOWED = ("function", "class", "value", "wrapper")


class Builder:
    """Makes the vertices of one process. What was made stays as it is, whatever the live objects
    do later."""

    def __init__(self, folder: ProjectFolder, cache: MutableMapping[str, bytes]) -> None:
        self._folder = folder
        self._sources = Sources(folder, cache)
        self._resolver = Resolver(self._sources, Distributions(cache), self)
        self._vertices: dict[Any, Vertex] = {}
        self._kept: list[Any] = []  # keys hold identities: what they stand for must live
        self._work: list[Callable[[], None]] = []

    def root(self, item: Any) -> Vertex:
        """The vertex of what an asset runs, or of a class: complete, with all that it reaches."""
        if isinstance(item, FunctionType) and self._resolver.is_ours(item):
            vertex = self.function(item, annotated=True)
        elif isinstance(item, type) and self._resolver.is_ours(item):
            vertex = self.class_(item)
        else:
            name = getattr(item, "__qualname__", None) or type(item).__qualname__
            fill = partial(self._fill_value, value=item)
            vertex = self._vertex(("root", id(item)), item, "value", name, "", 0, fill)
        while self._work:
            self._work.pop()()
        return vertex

    def is_ours(self, kind: type) -> bool:
        return self._resolver.is_ours(kind)

    # Vertices, each made once

    def function(self, function: FunctionType, *, annotated: bool = False) -> Vertex:
        """With `annotated` its annotations count even where nothing decorates it."""
        key = ("function", id(function), annotated)
        if key in self._vertices:
            return self._vertices[key]
        code = function.__code__
        fill = partial(self._fill_function, function=function, annotated=annotated)
        place = (self._folder.relative(code.co_filename), code.co_firstlineno)
        return self._vertex(key, function, "function", code.co_qualname, *place, fill)

    def class_(self, kind: type) -> Vertex:
        fill = partial(self._fill_class, kind=kind)
        return self._vertex(("class", id(kind)), kind, "class", kind.__qualname__, "", 0, fill)

    def module(self, module: Module) -> Vertex:
        """Everything in a module."""
        file = self._folder.relative(module.filename)
        name = module.names.get("__name__", "")
        fill = partial(self._fill_module, module=module)
        return self._vertex(("module", id(module)), module, "module", name, file, 0, fill)

    def value(self, module: Module, name: str, value: Any, *, any_order: bool) -> Vertex:
        """What a module calls `name`."""
        statements = module.file.statements.get(name, ())
        line = statements[0].line if statements else 0
        file = self._folder.relative(module.filename)
        fill = partial(
            self._fill_value,
            value=value,
            any_order=any_order and type(value) is dict,
            module=module,
            pieces=tuple(statement.piece for statement in statements),
        )
        key = ("value", id(module), name, any_order and type(value) is dict)
        return self._vertex(key, value, "value", name, file, line, fill)

    def wrapper(self, function: FunctionType) -> Vertex | None:
        """A library's function around functions of the project, as its decorators make them."""
        key = ("wrapper", id(function))
        if key in self._vertices:
            return self._vertices[key]
        inside = [item for item in functions_inside(function) if self._resolver.is_ours(item)]
        if not inside:
            return None
        name = function.__code__.co_qualname
        fill = partial(self._fill_wrapper, inside=inside)
        return self._vertex(key, function, "wrapper", name, "", 0, fill)

    def _vertex(
        self,
        key: tuple[Any, ...],
        item: Any,
        kind: str,
        name: str,
        file: str,
        line: int,
        fill: Callable[[Vertex], None],
    ) -> Vertex:
        known = self._vertices.get(key)
        if known is None:
            known = self._vertices[key] = Vertex(kind, name, file, line)
            self._kept.append(item)
            self._work.append(partial(fill, known))
        return known

    # What functions say

    def _fill_function(self, vertex: Vertex, function: FunctionType, annotated: bool) -> None:
        found = self._sources.find(function)
        module = self._resolver.module_of(function)
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        said = [b"function"]
        for entry in found.functions:
            vertex.name = entry.qualname
            self._say_function(vertex, said, entry, module, cells, annotated)
        if found.problem:
            vertex.note(vertex.line, found.problem)
            self._say_compiled(vertex, said, function.__code__, module)
        self._say_defaults(vertex, said, function, module, found.functions)
        if function.__dict__:
            said += self._values(vertex, [dict(function.__dict__)])
        vertex.own = b"\0".join(said)

    def _say_function(
        self,
        vertex: Vertex,
        said: list[bytes],
        entry: Function,
        module: Module,
        cells: Mapping[str, Any],
        annotated: bool,
    ) -> None:
        self._say(vertex, said, entry.body, module, cells)
        if entry.defaults:
            self._say(vertex, said, entry.defaults, module, cells, entry.enclosed)
        self._say_decorators(vertex, said, entry.decorators, module, entry.enclosed)
        if entry.annotations and (annotated or entry.decorators):
            self._say(vertex, said, entry.annotations, module, cells, entry.enclosed)
        self._note(vertex, entry.notes, module)

    def _say_defaults(
        self,
        vertex: Vertex,
        said: list[bytes],
        function: FunctionType,
        module: Module,
        entries: Sequence[Function],
    ) -> None:
        """Defaults count as they are, too: the expression may have been evaluated to anything."""
        defaults = [function.__defaults__, function.__kwdefaults__]
        if not any(defaults):
            return
        pieces = tuple(entry.defaults for entry in entries if entry.defaults)
        if is_plain(defaults) and not any(piece.names for piece in pieces):
            said += self._values(vertex, defaults)
            return
        fill = partial(self._fill_value, value=defaults, module=module, pieces=pieces)
        key = ("defaults", id(function))
        place = (vertex.name, vertex.file, vertex.line)
        made = self._vertex(key, function, "value", *place, fill)
        said.append(b"defaults %d" % vertex.number(made))

    def _say_decorators(
        self,
        vertex: Vertex,
        said: list[bytes],
        decorators: Iterable[Decorator],
        module: Module,
        enclosed: frozenset[int] = frozenset(),
    ) -> None:
        """Our own decorators describe an asset; they are no part of what its function does."""
        for decorator in decorators:
            callee = decorator.callee
            if callee >= 0 and callee not in enclosed and self._is_own(module, callee):
                continue
            self._say(vertex, said, decorator.piece, module, {}, enclosed)

    def _is_own(self, module: Module, position: int) -> bool:
        target = module.targets[position] or self._resolver.resolve(module, position)
        return target.vertex is None and target.text.startswith(_OWN_NAMES)

    def _say(
        self,
        vertex: Vertex,
        said: list[bytes],
        piece: Piece,
        module: Module,
        cells: Mapping[str, Any],
        enclosed: frozenset[int] = frozenset(),
    ) -> None:
        """Append a piece of code: its digest, then what each of its names stands for."""
        said.append(piece.digest)
        volatile = module.file.volatile
        if volatile and not volatile.isdisjoint(piece.names):
            vertex.volatile = next(module.file.names[p] for p in piece.names if p in volatile)
        targets, edges, resolve = module.targets, vertex.edges, self._resolver.resolve
        for position in piece.names:
            if position in enclosed:
                said.append(module.file.names[position].encode())
                continue
            target = self._captured(vertex, cells, module, position) if cells else None
            text, other = target or targets[position] or resolve(module, position)
            if other is not None:
                text = b"%d%b" % (edges.setdefault(other, len(edges)), text)
            said.append(text)

    def _captured(
        self, vertex: Vertex, cells: Mapping[str, Any], module: Module, position: int
    ) -> Target | None:
        """The target of a variable that the function captured."""
        root, *attributes = module.file.names[position].removesuffix("[]").split(".")
        if root not in cells:
            return None
        if root == "__class__":
            return Target(b"__class__")
        cell = cells[root]
        try:
            value = cell.cell_contents
        except ValueError:
            return Target(b"?" + root.encode())
        fill = partial(self._fill_value, value=value)
        name = f"{root} of {vertex.name}"
        place = (name, vertex.file, vertex.line)
        return self._resolver.live(
            value,
            attributes,
            lambda: self._vertex(("cell", id(cell)), cell, "value", *place, fill),
        )

    def _say_compiled(
        self, vertex: Vertex, said: list[bytes], code: CodeType, module: Module
    ) -> None:
        """Code without a text counts by its instructions: exact, but for one Python version."""
        said += [code.co_code, repr(code.co_names).encode(), repr(code.co_varnames).encode()]
        for name in code.co_names:
            if name in module.names:
                said.append(self._token(vertex, self._resolver.named(module, name)))
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self._say_compiled(vertex, said, constant, module)
            else:
                said += self._values(vertex, [constant])

    def _note(self, vertex: Vertex, notes: Iterable[Note], module: Module) -> None:
        for note in notes:
            target = module.targets[note.name] if note.name >= 0 else None
            other = target.vertex if target else None
            if other is None or other.kind not in _FOLLOWED:
                vertex.note(note.line, note.text)

    def _fill_wrapper(self, vertex: Vertex, inside: Sequence[Any]) -> None:
        said = [b"wrapper"]
        for item in inside:
            target = self._resolver.definition(item)
            if target is not None and target.vertex is not None:
                vertex.number(target.vertex)
        vertex.own = b"\0".join(said)

    # What classes and modules say

    def _fill_class(self, vertex: Vertex, kind: type) -> None:
        source = ClassSource(kind, self._sources)
        module = self._resolver.module(source.names, source.filename)
        vertex.file, vertex.line = self._folder.relative(source.filename), source.line
        said = [b"class"]
        for entry in source.entries:
            self._say_class(vertex, said, entry, module)
            self._say_methods(vertex, said, source, entry, module)
        said += [self._refer(vertex, base) or b"" for base in (*kind.__bases__, type(kind))]
        self._say_members(vertex, said, source, module)
        vertex.own = b"\0".join(said)

    def _say_class(self, vertex: Vertex, said: list[bytes], entry: Class, module: Module) -> None:
        self._say(vertex, said, entry.body, module, {}, entry.enclosed)
        self._say(vertex, said, entry.bases, module, {}, entry.enclosed)
        self._say_decorators(vertex, said, entry.decorators, module, entry.enclosed)
        self._note(vertex, entry.notes, module)

    def _say_methods(
        self,
        vertex: Vertex,
        said: list[bytes],
        source: ClassSource,
        entry: Class,
        module: Module,
    ) -> None:
        """Methods by name, so that their order does not matter."""
        functions = module.file.functions
        for position in sorted(entry.methods, key=lambda p: functions[p].name):
            method = functions[position]
            live = source.methods.get((method.line, method.name))
            if live is not None:
                made = self.function(live)
            else:
                fill = partial(self._fill_unbound, entry=method, module=module)
                key = ("method", id(module), position)
                file = self._folder.relative(module.filename)
                place = (method.qualname, file, method.line)
                made = self._vertex(key, module, "function", *place, fill)
            said.append(b"%b %d" % (method.name.encode(), vertex.number(made)))

    def _fill_unbound(self, vertex: Vertex, entry: Function, module: Module) -> None:
        """A method of which there is no function: a library has made something of it."""
        said = [b"function"]
        self._say_function(vertex, said, entry, module, {}, annotated=False)
        vertex.own = b"\0".join(said)

    def _say_members(
        self, vertex: Vertex, said: list[bytes], source: ClassSource, module: Module
    ) -> None:
        """What the class has beside what its text says: functions put into it, computed values."""
        text = {
            (f.line, f.name)
            for e in source.entries
            for p in e.methods
            for f in [module.file.functions[p]]
        }
        values: dict[str, Any] = {}
        for name, member in sorted(vars(source.kind).items()):
            if is_generated(source.kind, name, source.bound):
                continue
            functions = member_functions(member)
            for function in functions:
                code = function.__code__
                if (
                    source.methods.get(key := (code.co_firstlineno, code.co_name)) is function
                    and key in text
                ):
                    continue
                token = self._refer(vertex, function) or b""
                if name in source.bound or token[:1].isdigit():
                    said.append(b"%b %b" % (name.encode(), token))
            if not functions and (is_plain(member) or name in source.values):
                values[name] = member
        values |= field_values(source.kind)
        if values:
            pieces = (
                *(entry.body for entry in source.entries),
                *(d.piece for entry in source.entries for d in entry.decorators),
                *(s.piece for s in module.file.statements.get(source.kind.__qualname__, ())),
            )
            fill = partial(self._fill_value, value=values, module=module, pieces=pieces)
            place = (vertex.name, vertex.file, vertex.line)
            key = ("attributes", id(source.kind))
            made = self._vertex(key, source.kind, "value", *place, fill)
            said.append(b"attributes %d" % vertex.number(made))

    def _fill_module(self, vertex: Vertex, module: Module) -> None:
        said = [b"module"]
        for name in sorted(module.names):
            imported = name in module.file.imports
            if name.startswith("__") and name.endswith("__"):
                continue
            if not imported and isinstance(module.names[name], ModuleType):
                continue
            said += [name.encode(), self._token(vertex, self._resolver.named(module, name))]
        vertex.own = b"\0".join(said)

    # What values say

    def _fill_value(
        self,
        vertex: Vertex,
        value: Any,
        any_order: bool = False,
        module: Module | None = None,
        pieces: Sequence[Piece] = (),
    ) -> None:
        """A value counts as it is. Where it cannot be read it counts by the expression that made
        it."""
        writer = self._writer(vertex)
        try:
            written = writer.write(value, any_order=any_order)
        except (TooLargeError, RecursionError):
            written = b"too large"
            writer.failed.append(type(value).__qualname__)
            vertex.note(vertex.line, "it is too large to be read whole")
        said = [b"value", written]
        if module is not None and pieces:
            vertex.origin = self._expression(vertex, module, pieces)
            if writer.failed or isinstance(value, FunctionType):
                said.append(b"made by %d" % vertex.number(vertex.origin))
        if writer.failed:
            types = ", ".join(dict.fromkeys(writer.failed))
            note = f"{types} cannot be read, so the expression that makes it counts"
            vertex.note(vertex.line, note)
        vertex.own = b"\0".join(said)

    def _expression(self, value: Vertex, module: Module, pieces: Sequence[Piece]) -> Vertex:
        key = ("expression", id(module), *(id(piece) for piece in pieces))
        fill = partial(self._fill_expression, module=module, pieces=pieces)
        place = (value.name, value.file, value.line)
        return self._vertex(key, pieces, "expression", *place, fill)

    def _fill_expression(self, vertex: Vertex, module: Module, pieces: Sequence[Piece]) -> None:
        said = [b"expression"]
        for piece in pieces:
            self._say(vertex, said, piece, module, {})
        vertex.own = b"\0".join(said)

    def _values(self, vertex: Vertex, values: Iterable[Any]) -> list[bytes]:
        writer = self._writer(vertex)
        try:
            return [writer.write(value) for value in values]
        except (TooLargeError, RecursionError):
            return [b"too large"]

    def _writer(self, vertex: Vertex) -> ValueWriter:
        return ValueWriter(partial(self._refer, vertex), self._resolver.is_ours, self._folder.roots)

    def _refer(self, vertex: Vertex, item: Any) -> bytes | None:
        target = self._resolver.definition(item)
        return None if target is None else self._token(vertex, target)

    def _token(self, vertex: Vertex, target: Target) -> bytes:
        if target.vertex is None:
            return target.text
        return b"%d%b" % (vertex.number(target.vertex), target.text)

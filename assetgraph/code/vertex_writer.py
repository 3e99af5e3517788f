"""What a definition says itself, put together piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import CodeType, MappingProxyType
from typing import Any, NamedTuple

from assetgraph.code.constant_values import TooLargeError, ValueWriter
from assetgraph.code.definition_graph import Vertex
from assetgraph.code.name_resolution import Module, Resolver, Target
from assetgraph.code.source_summary import Decorator, Function, Note, Piece

_FOLLOWED = ("function", "class", "value", "wrapper")
NO_CELLS: Mapping[str, Any] = MappingProxyType({})

Captured = Callable[[Vertex, str, Any, Any], Vertex]
Collect = Callable[[Any], Vertex]


class Written(NamedTuple):
    """A value as bytes. `unread` are the types in it that could not be read; with `hides` it holds
    something of a library that may be more than it says."""

    data: bytes
    unread: list[str]
    hides: bool


class Saying:
    """The own part of one vertex: digests of code, and for each name in it what it stands for,
    as a number of the vertex's edges or as text.

    `cells` are the captured variables of its function; `captured` makes the vertex of the value of
    one.
    """

    def __init__(
        self,
        vertex: Vertex,
        resolver: Resolver,
        module: Module | None = None,
        cells: Mapping[str, Any] = NO_CELLS,
        captured: Captured | None = None,
    ) -> None:
        self.vertex = vertex
        self._resolver = resolver
        self._module = module
        self._cells = cells
        self._make_captured = captured
        self._parts = [vertex.kind.encode()]

    def finish(self) -> None:
        self.vertex.own = b"\0".join(self._parts)

    def add(self, *parts: bytes) -> None:
        self._parts += parts

    def edge(self, label: str, other: Vertex) -> None:
        self._parts.append(b"%b %d" % (label.encode(), self.vertex.number(other)))

    def function(self, entry: Function, *, annotated: bool) -> None:
        """The text of a function. Annotations count where something may look at them: a
        decorator, or with `annotated` whoever calls it."""
        self.piece(entry.body)
        if entry.defaults:
            self.piece(entry.defaults, entry.enclosed)
        if entry.decorators:
            self.decorators(entry.decorators, entry.enclosed)
        if entry.annotations and (annotated or entry.decorators):
            self.piece(entry.annotations, entry.enclosed)
        if entry.notes:
            self.notes(entry.notes)

    def decorators(self, decorators: Iterable[Decorator], enclosed: frozenset[int]) -> None:
        """Our own decorators describe an asset; they are no part of what its function does."""
        module = self._module
        assert module is not None
        for decorator in decorators:
            callee = decorator.callee
            known = callee >= 0 and callee not in enclosed
            if not (known and self._resolver.is_own_decorator(module, callee)):
                self.piece(decorator.piece, enclosed)

    def piece(self, piece: Piece, enclosed: frozenset[int] = frozenset()) -> None:
        """Some code: its digest, then what each of its names stands for. Names that are `enclosed`
        cannot be looked up any more."""
        module = self._module
        assert module is not None
        self._parts.append(piece.digest)
        volatile = module.file.volatile
        if volatile and not volatile.isdisjoint(piece.names):
            name = next(module.file.names[p] for p in piece.names if p in volatile)
            self.vertex.volatile = name
        targets, edges, resolve = module.targets, self.vertex.edges, self._resolver.resolve
        for position in piece.names:
            if position in enclosed:
                self._parts.append(module.file.names[position].encode())
                continue
            target = self._cell(module, position) if self._cells else None
            text, other = target or targets[position] or resolve(module, position)
            if other is not None:
                text = b"%d%b" % (edges.setdefault(other, len(edges)), text)
            self._parts.append(text)

    def compiled(self, code: CodeType, collect: Collect) -> None:
        """Code without a text counts by its instructions: exact, but for one Python version."""
        assert self._module is not None
        self.add(code.co_code, repr(code.co_names).encode(), repr(code.co_varnames).encode())
        for name in code.co_names:
            if name in self._module.names:
                self.add(self.token(self._resolver.named(self._module, name)))
        for name in _imported_by(code):
            self.add(self.token(self._resolver.imported(self._module, name)))
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self.compiled(constant, collect)
            else:
                self.add(self.value(constant, collect).data)

    def value(self, value: Any, collect: Collect, *, any_order: bool = False) -> Written:
        """A value as bytes. `collect` makes the vertex of a set, or of a dict whose order does not
        count."""
        resolver = self._resolver
        hiding: list[Any] = []

        def collected(held: Any) -> bytes:
            return b"%d" % self.vertex.number(collect(held))

        def refer(item: Any) -> bytes | None:
            found = self.refer(item)
            if found is not None and resolver.is_made_by_library(item):
                hiding.append(item)  # not told to the writer: it would hold itself
            return found

        writer = ValueWriter(refer, collected, resolver.is_ours, resolver.roots)
        try:
            data = writer.write(value, any_order=any_order)
        except (TooLargeError, RecursionError):
            data = b"too large"
            writer.failed.append(f"a {type(value).__qualname__} of this size")
        return Written(data, writer.failed, writer.hides or bool(hiding))

    def refer(self, item: Any) -> bytes | None:
        """The bytes for a definition, None for any other value."""
        target = self._resolver.definition(item)
        return None if target is None else self.token(target)

    def token(self, target: Target) -> bytes:
        if target.vertex is None:
            return target.text
        return b"%d%b" % (self.vertex.number(target.vertex), target.text)

    def notes(self, notes: Iterable[Note]) -> None:
        """What the code says cannot be followed, but for names that turned out to be the
        project's."""
        for note in notes:
            target = self._module.targets[note.name] if self._module and note.name >= 0 else None
            other = target.vertex if target else None
            if other is None or other.kind not in _FOLLOWED:
                self.vertex.note(note.line, note.text)

    def captured(self) -> None:
        """All captured variables, for code without a text."""
        for name in self._cells:
            self.add(name.encode(), self.token(self._captured_target(name, [])))

    def _cell(self, module: Module, position: int) -> Target | None:
        """The target of a captured variable; `super` looks for its class in one."""
        root, *attributes = module.file.names[position].removesuffix("[]").split(".")
        if root == "super" and "__class__" in self._cells:
            around = self._captured_target("__class__", [])
            return around._replace(text=b"super" + around.text)
        return self._captured_target(root, attributes) if root in self._cells else None

    def _captured_target(self, root: str, attributes: Sequence[str]) -> Target:
        cell = self._cells[root]
        try:
            value = cell.cell_contents
        except ValueError:
            return Target(b"?" + root.encode())
        captured = self._make_captured
        assert captured is not None
        return self._resolver.live(
            value, attributes, lambda: captured(self.vertex, root, cell, value)
        )


def _imported_by(code: CodeType) -> Iterator[str]:
    """The modules that compiled code imports."""
    import dis  # code without a text is rare

    for instruction in dis.get_instructions(code):
        if instruction.opname == "IMPORT_NAME":
            yield instruction.argval

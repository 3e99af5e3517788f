"""Writes the content of a vertex, piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import CodeType, FunctionType, MappingProxyType
from typing import Any, NamedTuple

from assetgraph.code.definition_graph import Referent, Vertex
from assetgraph.code.modules import Module
from assetgraph.code.name_resolution import Resolver
from assetgraph.code.source_summary import BlindSpot, Decorator, Function, Piece

_FOLLOWED = ("function", "class", "value", "wrapper")
NO_CELLS: Mapping[str, Any] = MappingProxyType({})

Captured = Callable[[Vertex, str, Any, Any], Vertex]
Collect = Callable[[Any], Vertex]


class Written(NamedTuple):
    """A value as bytes. `unread` are the types in it that could not be read. `hides` tells whether
    it holds an object of a library that may hold more than its bytes show."""

    data: bytes
    unread: list[str]
    hides: bool


class VertexWriter:
    """Writes the own content of one vertex: digests of code, and for each name in the code what it
    refers to, as the number of an edge or as text.

    `cells` are the captured variables of the vertex's function, and `captured` makes the vertex for
    the value of one.
    """

    __slots__ = ("_cells", "_make_captured", "_module", "_parts", "_resolver", "vertex")

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
        """The text of a function. Annotations count if something may read them: a decorator, or,
        with `annotated`, the caller of the function: it is then an asset's function."""
        self.piece(entry.body)
        if self._module and self._module.unbound:
            self._unbound(entry.body, self._module)
        if entry.defaults:
            self.piece(entry.defaults, entry.enclosed)
        if entry.decorators:
            self.decorators(entry.decorators, entry.enclosed, of_asset=annotated)
        if entry.annotations and (annotated or entry.decorators):
            self.piece(entry.annotations, entry.enclosed)
        if entry.blind_spots:
            self.blind_spots(entry.blind_spots)

    def _unbound(self, body: Piece, module: Module) -> None:
        """Names that a body reads, but that are imported only for type checking. Without them the
        function fails, although an annotation may name them."""
        for position in body.names:
            root = module.file.names[position].removesuffix("[]").partition(".")[0]
            if root in module.unbound and root not in self._cells:
                self._parts.append(b"unbound")

    def decorators(
        self,
        decorators: Iterable[Decorator],
        enclosed: frozenset[int],
        *,
        of_asset: bool = False,
    ) -> None:
        """Decorators of assetgraph describe an asset, and `final` and `override` speak to type
        checkers. They do not change what a definition does, so they are left out. So are the
        project's own wrappers around `asset` on the very function that the asset runs."""
        module = self._module
        assert module is not None
        for decorator in decorators:
            known = decorator.callee not in enclosed
            if known and self._resolver.is_idle(module, decorator):
                continue
            if not (of_asset and known and self._resolver.makes_assets(module, decorator)):
                self.piece(decorator.piece, enclosed)

    def piece(self, piece: Piece, enclosed: frozenset[int] = frozenset()) -> None:
        """Some code: its digest, then what each of its names refers to. Names in `enclosed` cannot
        be looked up any more."""
        module = self._module
        assert module is not None
        self._parts.append(piece.digest)
        if not piece.names:
            return
        volatile = module.file.volatile
        if volatile and not volatile.isdisjoint(piece.names):
            names = [module.file.names[p] for p in piece.names if p in volatile]
            self.vertex.volatile = tuple(dict.fromkeys([*self.vertex.volatile, *names]))
        referents, edges, resolve = module.referents, self.vertex.edges, self._resolver.resolve
        for position in piece.names:
            if position in enclosed:
                self._parts.append(module.file.names[position].encode())
                continue
            captured = self._cell(module, position) if self._cells else None
            text, other = captured or referents[position] or resolve(module, position)
            if other is not None:
                text = b"%d%b" % (edges.setdefault(other, len(edges)), text)
            self._parts.append(text)

    def compiled(self, code: CodeType, collect: Collect) -> None:
        """Code without a text counts by its instructions. They are exact, but differ between
        Python versions."""
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
        from assetgraph.code.constant_values import TooLargeError, ValueWriter

        objects = self._resolver.objects
        hiding: list[Any] = []

        def collected(held: Any) -> bytes:
            return b"%d" % self.vertex.number(collect(held))

        def refer(item: Any) -> bytes | None:
            found = self.refer(item)
            if found is not None and objects.is_made_by_library(item):
                hiding.append(item)  # not in the writer, which would then refer to itself
            return found

        writer = ValueWriter(refer, collected, objects.in_project, self._resolver.modules.roots)
        try:
            data = writer.write(value, any_order=any_order)
        except (TooLargeError, RecursionError):
            data = b"too large"
            writer.failed.append(f"a {type(value).__qualname__} of this size")
        return Written(data, writer.failed, writer.hides or bool(hiding))

    def refer(self, item: Any) -> bytes | None:
        """The bytes for a definition, None for any other value."""
        referent = self._resolver.objects.definition(item)
        return None if referent is None else self.token(referent)

    def token(self, referent: Referent) -> bytes:
        if referent.vertex is None:
            return referent.text
        return b"%d%b" % (self.vertex.number(referent.vertex), referent.text)

    def blind_spots(self, blind_spots: Iterable[BlindSpot]) -> None:
        """Code that cannot be followed, except names that turned out to be defined in the
        project."""
        for spot in blind_spots:
            named = self._module.referents[spot.name] if self._module and spot.name >= 0 else None
            other = named.vertex if named else None
            if other is None or other.kind not in _FOLLOWED:
                self.vertex.add_blind_spot(spot.line, spot.text)

    def captured(self) -> None:
        """All captured variables, for code without a text."""
        for name in self._cells:
            self.add(name.encode(), self.token(self._captured_variable(name, [])))

    def _cell(self, module: Module, position: int) -> Referent | None:
        """What a name refers to if it is a captured variable; `super` looks for its class in
        one."""
        root, *attributes = module.file.names[position].removesuffix("[]").split(".")
        if root == "super" and "__class__" in self._cells:
            around = self._captured_variable("__class__", [])
            return around._replace(text=b"super" + around.text)
        return self._captured_variable(root, attributes) if root in self._cells else None

    def _captured_variable(self, root: str, attributes: Sequence[str]) -> Referent:
        cell = self._cells[root]
        try:
            value = cell.cell_contents
        except ValueError:  # the variable has no value yet
            return Referent(b"?" + root.encode())
        captured = self._make_captured
        assert captured is not None
        return self._resolver.live(
            value, attributes, lambda: captured(self.vertex, root, cell, value)
        )


def cells_of(function: FunctionType) -> Mapping[str, Any]:
    """The captured variables of a function, by name."""
    held = function.__closure__
    return dict(zip(function.__code__.co_freevars, held, strict=True)) if held else NO_CELLS


def _imported_by(code: CodeType) -> Iterator[str]:
    """The modules that compiled code imports."""
    import dis  # rarely needed: most code has a text

    for instruction in dis.get_instructions(code):
        if instruction.opname == "IMPORT_NAME":
            yield instruction.argval

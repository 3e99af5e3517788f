"""Summarizes a source file as a `File`: its definitions, and the other statements of the module.

The tree is walked once. The code of an inner function enters that of the outer one as a digest,
together with the names that it takes from outside.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from assetgraph.code.blind_spots import (
    blind_spot_of_attribute,
    blind_spot_of_name,
    volatile_names,
)
from assetgraph.code.canonical_syntax import TreeWriter, chain_of
from assetgraph.code.module_statements import (
    DEFINITIONS,
    changed_names,
    handed_names,
    is_main_block,
    value_of_plain_assignment,
)
from assetgraph.code.scopes import Closed, Scope, Use, digest_of, parameters_of
from assetgraph.code.source_summary import (
    BlindSpot,
    Class,
    Decorator,
    File,
    Function,
    Piece,
    Statement,
)

if TYPE_CHECKING:
    from assetgraph.code.scopes import Parameters

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
T = TypeVar("T", Function, Class)

_NOTHING = Closed(b"", [], [])
_ONE_GAP = digest_of(["?"])
_DEEP = 50_000


class DecoratorCode(msgspec.Struct, frozen=True):
    """A decorator. `is_named` tells whether it is a name, or calls one. `whole` is the name that is
    all of it, if nothing is to be said about that name."""

    closed: Closed
    is_named: bool
    whole: str = ""


def summarize(trees: Iterable[ast.Module]) -> File:
    """The summary of a source file whose statements are those of `trees`, in order. They may be
    gone through twice."""
    try:
        return Summarizer().summary(trees)
    except RecursionError:  # an elif chain of hundreds, say
        return Summarizer(deep=True).summary(trees)


class Summarizer(TreeWriter):
    """Collects the definitions and statements of a file while it writes the file's tree."""

    def __init__(self, deep: bool = False) -> None:
        super().__init__()
        self._deep = deep
        self._names: dict[str, int] = {}
        self._name_blind_spots: list[str | None] = []  # by the position of the name
        self._whole_names: dict[tuple[str, str], DecoratorCode] = {}
        self._decorators: dict[str, Decorator] = {}  # by the name that is all of it
        self._functions: list[Function] = []
        self._classes: list[Class] = []
        self._to_finish: list[Callable[[], None]] = []
        self._imports: dict[str, list[str]] = {}
        self._stars: list[str] = []
        self._statements: dict[str, list[Statement]] = {}
        self._handed: dict[str, list[Statement]] = {}

    def writers(self) -> dict[type[ast.AST], Callable[[Any], None]]:
        return super().writers() | {
            ast.FunctionDef: self._function,
            ast.AsyncFunctionDef: self._function,
            ast.Lambda: self._lambda,
            ast.ClassDef: self._class,
        }

    def summary(self, trees: Iterable[ast.Module]) -> File:
        for tree in trees:
            limit = sys.getrecursionlimit()
            if self._deep:
                sys.setrecursionlimit(_DEEP)
            try:
                for statement in tree.body:
                    self._top_level(statement)
            finally:
                sys.setrecursionlimit(limit)
        for finish in self._to_finish:
            finish()
        return File(
            names=tuple(self._names),
            functions=tuple(self._functions),
            classes=tuple(self._classes),
            imports={name: tuple(dict.fromkeys(found)) for name, found in self._imports.items()},
            stars=tuple(self._stars),
            statements={name: tuple(found) for name, found in self._statements.items()},
            volatile=volatile_names(self._names, self.called),
            rebound=frozenset(self.rebound),
            handed={name: tuple(found) for name, found in self._handed.items()},
        )

    def module_import(self, name: str, origin: str) -> None:
        if name == "*":
            self._stars.append(origin.removesuffix("*"))
        else:
            self._imports.setdefault(name, []).append(origin)

    def _top_level(self, node: ast.stmt) -> None:
        if node.__class__ in DEFINITIONS:
            self.write(node)
            return
        scope = self.open_scope("module")
        names, given = changed_names(node)
        value = value_of_plain_assignment(node)
        if value is None:
            scope.bound |= names
            self.write(node)
        else:
            self.write(value)
        names |= scope.bound | given
        scope.blind_spots.clear()  # only those of functions and classes are shown
        closed = self.close_scope()
        handed = handed_names(node) - names
        if (names or handed) and not is_main_block(node):
            statement = Statement(node.lineno, self._piece(closed, []))
            for name in sorted(names):
                self._statements.setdefault(name, []).append(statement)
            for name in sorted(handed):
                self._handed.setdefault(name, []).append(statement)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        outer = self.scope
        outer.bind(node.name)
        parameters = parameters_of(node.args)
        decorators = [self._decorated(decorator) for decorator in node.decorator_list]
        given = node.args.defaults or node.args.kw_defaults
        defaults = self._defaults(node.args) if given else _NOTHING
        annotated = [a for _, a in parameters if a.annotation is not None]
        annotations = _NOTHING
        if annotated or node.returns is not None:
            annotations = self._annotations(annotated, node.returns)
        body = self._body(node, node.name, parameters, node.body)
        self._add_function(
            f"{outer.prefix}{node.name}",
            node.decorator_list[0].lineno if decorators else node.lineno,
            body=body,
            defaults=defaults,
            annotations=annotations,
            decorators=decorators,
        )
        if outer.kind == "class":
            outer.methods.append(len(self._functions) - 1)
        if outer.kind != "module":
            kept = annotations if decorators else _NOTHING
            headers = [*[header.closed for header in decorators], defaults, kept]
            self._embed(f"def {node.name}", headers, body)

    def _lambda(self, node: ast.Lambda) -> None:
        defaults = self._defaults(node.args)
        body = self._body(node, "<lambda>", parameters_of(node.args), [node.body])
        place = node.body
        span = (place.lineno, place.col_offset, place.end_lineno or 0, place.end_col_offset or 0)
        name = f"{self.scope.prefix}<lambda>"
        self._add_function(name, node.lineno, body=body, defaults=defaults, span=span)
        self.scope.parts.append("lambda")
        self.scope.take(defaults)
        self.scope.take(body, past_class=True)

    def _class(self, node: ast.ClassDef) -> None:
        outer = self.scope
        outer.bind(node.name)
        decorators = [self._decorated(decorator) for decorator in node.decorator_list]
        bases = self._header(*node.bases, *node.keywords, *getattr(node, "type_params", ()))
        bare = node.name.lstrip("_")
        scope = self.open_scope("class", f"{outer.prefix}{node.name}.", bare and f"_{bare}")
        for statement in node.body:
            self.write(statement)
        body = self.close_scope()
        self._add_class(
            f"{outer.prefix}{node.name}",
            node.decorator_list[0].lineno if node.decorator_list else node.lineno,
            scope=scope,
            body=body,
            bases=bases,
            decorators=decorators,
        )
        if outer.kind == "class":
            outer.classes.append(len(self._classes) - 1)
        if outer.kind != "module":
            members = sorted((member.close() for member in scope.members), key=lambda m: m.digest)
            headers = [*[header.closed for header in decorators], bases, body]
            self._embed(f"class {node.name}", headers, *members)

    def _embed(self, title: str, headers: Sequence[Closed], *bodies: Closed) -> None:
        """Make a definition part of the code around it. The body of a class leaves out the
        definitions in it: they may come in any order, so they count on their own."""
        outer = self.scope
        if outer.kind == "class":
            outer.members.append(Scope("header"))
            outer = outer.members[-1]
        outer.parts.append(title)
        for header in headers:
            outer.take(header)
        for body in bodies:
            outer.take(body, past_class=True)

    # Parts of definitions

    def _body(
        self, node: FunctionNode, name: str, parameters: Parameters, body: Iterable[ast.AST]
    ) -> Closed:
        scope = self.open_scope("function", f"{self.scope.prefix}{name}.<locals>.")
        scope.parts.append(node.__class__.__name__)
        for parameter in getattr(node, "type_params", ()):
            self.write(parameter)
        for mark, argument in parameters:
            scope.bound.add(scope.spelled(argument.arg) if scope.private else argument.arg)
            scope.parts.append(mark + argument.arg)
        for part in body:
            self.write(part)
        return self.close_scope()

    def _defaults(self, args: ast.arguments) -> Closed:
        if not (args.defaults or args.kw_defaults):
            return _NOTHING
        scope = self.open_scope("header")
        for default in (*args.defaults, *args.kw_defaults):
            if default is None:
                scope.parts.append("required")
            else:
                self.write(default)
        return self.close_scope()

    def _annotations(self, parameters: Iterable[ast.arg], returns: ast.expr | None) -> Closed:
        scope = self.open_scope("header")
        for name, annotation in (*[(p.arg, p.annotation) for p in parameters], ("return", returns)):
            if annotation is not None:
                scope.parts.append(name)
                self.annotation(annotation)
        return self.close_scope()

    def _decorated(self, node: ast.expr) -> DecoratorCode:
        """The code of a decorator. Most are mere names, which need no scope of their own."""
        chain = chain_of(node)
        if chain is not None and chain in self._whole_names:
            return self._whole_names[chain]
        if chain is not None and blind_spot_of_attribute(chain[1].rpartition(".")[2]) is None:
            name = chain[0] + chain[1]
            whole = "" if blind_spot_of_name(name) else name
            closed = Closed(_ONE_GAP, [Use(*chain, 0, node.lineno)], [])
            found = DecoratorCode(closed, True, whole)
            return self._whole_names.setdefault(chain, found) if whole else found
        callee = node.func if isinstance(node, ast.Call) else node
        header = self._header(node)
        is_named = isinstance(callee, ast.Name | ast.Attribute) and bool(header.outside)
        return DecoratorCode(header, is_named)

    def _header(self, *nodes: ast.AST) -> Closed:
        self.open_scope("header")
        for node in nodes:
            self.write(node)
        return self.close_scope()

    # Entries

    def _add_function(
        self,
        qualname: str,
        line: int,
        *,
        body: Closed,
        defaults: Closed,
        annotations: Closed = _NOTHING,
        decorators: Sequence[DecoratorCode] = (),
        span: tuple[int, int, int, int] | None = None,
    ) -> None:
        blind_spots: list[BlindSpot] = []
        self._functions.append(
            Function(
                qualname,
                line,
                self._piece(body, blind_spots),
                self._piece(defaults, blind_spots) if defaults.digest else None,
                self._piece(annotations, blind_spots) if annotations.digest else None,
                tuple([self._decorator(decorator, blind_spots) for decorator in decorators]),
                blind_spots=tuple(dict.fromkeys(blind_spots)) if blind_spots else (),
                span=span,
            )
        )
        if self.outer_scopes:
            self._enclose(self._functions, [defaults, annotations], decorators)

    def _add_class(
        self,
        qualname: str,
        line: int,
        *,
        scope: Scope,
        body: Closed,
        bases: Closed,
        decorators: Sequence[DecoratorCode],
    ) -> None:
        blind_spots: list[BlindSpot] = []
        self._classes.append(
            Class(
                qualname,
                line,
                self._piece(body, blind_spots),
                self._piece(bases, blind_spots),
                tuple([self._decorator(decorator, blind_spots) for decorator in decorators]),
                methods=tuple(scope.methods),
                classes=tuple(scope.classes),
                bound=frozenset(scope.bound),
                blind_spots=tuple(dict.fromkeys(blind_spots)),
            )
        )
        if self.outer_scopes:
            self._enclose(self._classes, [body, bases], decorators)

    def _enclose(
        self, entries: list[T], headers: Sequence[Closed], decorators: Sequence[DecoratorCode]
    ) -> None:
        """Record in the last of `entries` which names in its headers the scopes around it bind.
        That is known once those scopes are complete."""
        enclosing = self._enclosing()
        headers = [*headers, *[decorator.closed for decorator in decorators]]
        last = len(entries) - 1

        def finish() -> None:
            enclosed = self._enclosed(headers, enclosing)
            if enclosed:
                entries[last] = msgspec.structs.replace(entries[last], enclosed=enclosed)

        self._to_finish.append(finish)

    def _decorator(self, decorator_code: DecoratorCode, blind_spots: list[BlindSpot]) -> Decorator:
        known = self._decorators.get(decorator_code.whole)
        if known is not None:
            return known
        piece = self._piece(decorator_code.closed, blind_spots)
        found = Decorator(piece, piece.names[0] if decorator_code.is_named else -1)
        if decorator_code.whole:
            self._decorators[decorator_code.whole] = found
        return found

    def _piece(self, closed: Closed, blind_spots: list[BlindSpot]) -> Piece:
        """The entry of some code. What cannot be followed in it is added to `blind_spots`."""
        if not (closed.outside or closed.blind_spots):
            return Piece(closed.digest)
        positions = []
        for use in closed.outside:
            position = self._position(use)
            positions.append(position)
            text = self._name_blind_spots[position]
            if text is not None:
                blind_spots.append(BlindSpot(use.line, text, position))
        for line, sentence, named in closed.blind_spots:
            name = self._position(named) if named else -1
            blind_spots.append(BlindSpot(line, sentence, name))
        return Piece(closed.digest, tuple(positions))

    def _position(self, use: Use) -> int:
        text = use.text
        position = self._names.get(text)
        if position is None:
            position = self._names[text] = len(self._names)
            self._name_blind_spots.append(blind_spot_of_name(text))
        return position

    def _enclosing(self) -> list[Scope]:
        """The scopes whose names a header here may read: the functions around it, and the class
        directly around it."""
        around = [scope for scope in self.outer_scopes if scope.kind == "function"]
        return [*around, self.scope] if self.scope.kind in ("function", "class") else around

    def _enclosed(self, headers: Sequence[Closed], enclosing: Sequence[Scope]) -> frozenset[int]:
        return frozenset(
            self._position(use)
            for header in headers
            for use in header.outside
            if any(use.root in scope.bound for scope in enclosing)
        )

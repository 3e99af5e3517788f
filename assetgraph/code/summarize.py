"""A source file as a `File`: its definitions, and what the module does beside making them.

The tree is walked once: the code of an inner function enters that of the outer one as a digest,
with the names that it takes from outside.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from assetgraph.code.blind_spots import attribute_note, use_note, volatile
from assetgraph.code.canonical_syntax import TreeWriter, chain_of
from assetgraph.code.scopes import Closed, Scope, Use, digest_of
from assetgraph.code.source_summary import (
    Class,
    Decorator,
    File,
    Function,
    Note,
    Piece,
    Statement,
)

Parameters = list[tuple[str, ast.arg]]
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
T = TypeVar("T", Function, Class)

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_NOTHING = Closed(b"", [], [])
_ONE_GAP = digest_of(["?"])
_DEEP = 50_000


class Decorating(msgspec.Struct, frozen=True):
    """A decorator, and whether what it calls, or is, is a name."""

    closed: Closed
    is_named: bool


def summarize(tree: ast.Module) -> File:
    """What a source file with the syntax tree `tree` says."""
    try:
        return Summary().of(tree)
    except RecursionError:  # an elif chain of hundreds, say
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(_DEEP)
        try:
            return Summary().of(tree)
        finally:
            sys.setrecursionlimit(limit)


class Summary(TreeWriter):
    """Gathers what a file says while its tree is written."""

    def __init__(self) -> None:
        super().__init__()
        self._names: dict[str, int] = {}
        self._name_notes: list[str | None] = []  # by position, as the names
        self._functions: list[Function] = []
        self._classes: list[Class] = []
        self._open: list[Callable[[], None]] = []
        self._imports: dict[str, list[str]] = {}
        self._stars: list[str] = []
        self._statements: dict[str, list[Statement]] = {}

    def writers(self) -> dict[type[ast.AST], Callable[[Any], None]]:
        return super().writers() | {
            ast.FunctionDef: self._function,
            ast.AsyncFunctionDef: self._function,
            ast.Lambda: self._lambda,
            ast.ClassDef: self._class,
        }

    def of(self, tree: ast.Module) -> File:
        for statement in tree.body:
            self._top_level(statement)
        for finish in self._open:
            finish()
        return File(
            names=tuple(self._names),
            functions=tuple(self._functions),
            classes=tuple(self._classes),
            imports={name: tuple(dict.fromkeys(found)) for name, found in self._imports.items()},
            stars=tuple(self._stars),
            statements={name: tuple(found) for name, found in self._statements.items()},
            volatile=volatile(self._names, tree),
            rebound=frozenset(self.rebound),
        )

    def module_import(self, name: str, origin: str) -> None:
        if name == "*":
            self._stars.append(origin.removesuffix("*"))
        else:
            self._imports.setdefault(name, []).append(origin)

    def _top_level(self, node: ast.stmt) -> None:
        if node.__class__ in _DEFINITIONS:
            self.write(node)
            return
        scope = self.open_scope("module")
        names = _given_values(node)
        value = _only_value(node)
        if value is None:
            scope.bound |= names
            self.write(node)
        else:
            self.write(value)
        names |= scope.bound
        scope.notes.clear()  # they are told of functions and classes
        closed = self.close_scope()
        if names and not _is_main_block(node):
            statement = Statement(node.lineno, self._piece(closed, []))
            for name in sorted(names):
                self._statements.setdefault(name, []).append(statement)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        outer = self.scope
        outer.bind(node.name)
        parameters = _parameters(node.args)
        decorators = [self._decorated(decorator) for decorator in node.decorator_list]
        defaults = self._defaults(node.args)
        annotations = self._annotations(parameters, node.returns)
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
        body = self._body(node, "<lambda>", _parameters(node.args), [node.body])
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
        """Make a definition part of what it is defined in. The body of a class says nothing of the
        definitions in it, which may come in any order: they count on their own."""
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

    def _annotations(self, parameters: Parameters, returns: ast.expr | None) -> Closed:
        annotations = [(a.arg, a.annotation) for _, a in parameters if a.annotation is not None]
        if returns is not None:
            annotations.append(("return", returns))
        if not annotations:
            return _NOTHING
        scope = self.open_scope("header")
        for name, annotation in annotations:
            scope.parts.append(name)
            self.annotation(annotation)
        return self.close_scope()

    def _decorated(self, node: ast.expr) -> Decorating:
        """A decorator; at once where it is a mere name, as most are."""
        chain = chain_of(node)
        if chain is not None and attribute_note(chain[1].rpartition(".")[2]) is None:
            return Decorating(Closed(_ONE_GAP, [Use(*chain, 0, node.lineno)], []), True)
        callee = node.func if isinstance(node, ast.Call) else node
        header = self._header(node)
        is_named = isinstance(callee, ast.Name | ast.Attribute) and bool(header.outside)
        return Decorating(header, is_named)

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
        decorators: Sequence[Decorating] = (),
        span: tuple[int, int, int, int] | None = None,
    ) -> None:
        notes: list[Note] = []
        self._functions.append(
            Function(
                qualname,
                line,
                self._piece(body, notes),
                self._piece(defaults, notes) if defaults.digest else None,
                self._piece(annotations, notes) if annotations.digest else None,
                tuple([self._decorator(decorator, notes) for decorator in decorators]),
                notes=tuple(dict.fromkeys(notes)) if notes else (),
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
        decorators: Sequence[Decorating],
    ) -> None:
        notes: list[Note] = []
        self._classes.append(
            Class(
                qualname,
                line,
                self._piece(body, notes),
                self._piece(bases, notes),
                tuple([self._decorator(decorator, notes) for decorator in decorators]),
                methods=tuple(scope.methods),
                classes=tuple(scope.classes),
                bound=frozenset(scope.bound),
                notes=tuple(dict.fromkeys(notes)),
            )
        )
        if self.outer_scopes:
            self._enclose(self._classes, [body, bases], decorators)

    def _enclose(
        self, entries: list[T], headers: Sequence[Closed], decorators: Sequence[Decorating]
    ) -> None:
        """Say of the last of `entries`, once all scopes around it are complete, which names in its
        headers they bind."""
        enclosing = self._enclosing()
        headers = [*headers, *[decorator.closed for decorator in decorators]]
        last = len(entries) - 1

        def finish() -> None:
            enclosed = self._enclosed(headers, enclosing)
            if enclosed:
                entries[last] = msgspec.structs.replace(entries[last], enclosed=enclosed)

        self._open.append(finish)

    def _decorator(self, decorating: Decorating, notes: list[Note]) -> Decorator:
        piece = self._piece(decorating.closed, notes)
        return Decorator(piece, piece.names[0] if decorating.is_named else -1)

    def _piece(self, closed: Closed, notes: list[Note]) -> Piece:
        """The entry of some code; what in it cannot be followed joins `notes`."""
        positions = []
        for use in closed.outside:
            position = self._position(use)
            positions.append(position)
            note = self._name_notes[position]
            if note is not None:
                notes.append(Note(use.line, note, position))
        for line, text, named in closed.notes:
            notes.append(Note(line, text, self._position(named) if named else -1))
        return Piece(closed.digest, tuple(positions))

    def _position(self, use: Use) -> int:
        text = use.text
        position = self._names.get(text)
        if position is None:
            position = self._names[text] = len(self._names)
            self._name_notes.append(use_note(text))
        return position

    def _enclosing(self) -> list[Scope]:
        """The scopes whose names a header here may read: functions, and the class right around."""
        around = [scope for scope in self.outer_scopes if scope.kind == "function"]
        return [*around, self.scope] if self.scope.kind in ("function", "class") else around

    def _enclosed(self, headers: Sequence[Closed], enclosing: Sequence[Scope]) -> frozenset[int]:
        return frozenset(
            self._position(use)
            for header in headers
            for use in header.outside
            if any(use.root in scope.bound for scope in enclosing)
        )


def _parameters(args: ast.arguments) -> Parameters:
    """Each with the mark of its kind."""
    found = [(" ", argument) for argument in args.args]
    if args.posonlyargs:
        found[:0] = [("/", argument) for argument in args.posonlyargs]
    if args.vararg is not None:
        found.append(("*", args.vararg))
    if args.kwonlyargs:
        found += [(":", argument) for argument in args.kwonlyargs]
    if args.kwarg is not None:
        found.append(("=", args.kwarg))
    return found


def _only_value(node: ast.stmt) -> ast.expr | None:
    """The value in `NAME = value`: what it is called does not matter."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        return node.value if isinstance(node.targets[0], ast.Name) else None
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.value
    return None


def _is_main_block(node: ast.stmt) -> bool:
    """`if __name__ == "__main__":`: what is imported has not run it."""
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Compare)
        and isinstance(node.test.left, ast.Name)
        and node.test.left.id == "__name__"
        and isinstance(node.test.ops[0], ast.Eq)
        and not node.orelse
    )


def _given_values(node: ast.stmt) -> set[str]:
    """The names that a statement of the module gives a value or changes: `TABLE = {}`,
    `TABLE["x"] = 1`, `TABLE.update(more)`, `setattr(Trip, "rate", 1)`, `getcontext().prec = 5`;
    also inside `if`, `for`, `try` and the like."""
    names = set()
    for inner in ast.walk(node) if _is_compound(node) else (node,):
        targets: Iterable[ast.AST] = ()
        if isinstance(inner, ast.Assign | ast.Delete):
            targets = inner.targets
        elif isinstance(inner, ast.AugAssign | ast.AnnAssign | ast.For | ast.AsyncFor):
            targets = (inner.target,)
        elif isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Call):
            called = inner.value.func
            is_setattr = isinstance(called, ast.Name) and called.id == "setattr"
            targets = inner.value.args[:1] if is_setattr else (called,)
        for target in targets:
            names |= set(_roots(target))
    return names


def _roots(target: ast.AST) -> Iterable[str]:
    while isinstance(target, ast.Attribute | ast.Subscript | ast.Starred | ast.Call):
        target = target.func if isinstance(target, ast.Call) else target.value
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            yield from _roots(element)


def _is_compound(node: ast.stmt) -> bool:
    return hasattr(node, "body") and not isinstance(node, _DEFINITIONS)

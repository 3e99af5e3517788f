"""Statements and expressions as canonical text, the same for every layout and Python version."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from assetgraph.code.blind_spots import COMPUTED_ATTRIBUTE, blind_spot_of_attribute, last_words
from assetgraph.code.scopes import IMPORTED, LOOKUP, Closed, Scope, Use

_IGNORED_FIELDS = {"ctx", "type_comment", "kind"}
_FIELDS = {
    kind: tuple(field for field in kind._fields if field not in _IGNORED_FIELDS)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}


class TreeWriter:
    """Writes syntax nodes into the scope that is open. A node is written as its kind, its fields
    that are not empty, and an end mark, so an optional field that a later Python adds changes
    nothing."""

    def __init__(self) -> None:
        self.scope = Scope("module")
        self.outer_scopes: list[Scope] = []
        self.rebound: set[str] = set()  # the names that some scope declares global
        self.called: set[str] = set()  # the last words of what is called, or passed to a call
        self._in_annotation = False
        self._writers: dict[type, Callable[[Any], None]] = dict.fromkeys(_FIELDS, self._any)
        self._writers |= self.writers()

    def writers(self) -> dict[type[ast.AST], Callable[[Any], None]]:
        """The methods that write the kinds of nodes for which `_any` is not right."""
        return {
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Subscript: self._subscript,
            ast.Compare: self._compare,
            ast.Call: self._call,
            ast.Constant: self._constant,
            ast.JoinedStr: self._formatted_text,
            ast.BinOp: self._binary,
            ast.NamedExpr: self._walrus,
            ast.ListComp: self._comprehension,
            ast.SetComp: self._comprehension,
            ast.DictComp: self._comprehension,
            ast.GeneratorExp: self._comprehension,
            ast.Pass: self._nothing,
            ast.Expr: self._expression_statement,
            ast.Assign: self._assignment,
            ast.AnnAssign: self._annotated_assignment,
            ast.Delete: self._delete,
            ast.ExceptHandler: self._binding,
            ast.MatchAs: self._binding,
            ast.MatchStar: self._binding,
            ast.MatchMapping: self._match_mapping,
            ast.Global: self._global,
            ast.Nonlocal: self._nonlocal,
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            **{
                getattr(ast, kind): self._binding
                for kind in ("TypeVar", "ParamSpec", "TypeVarTuple")
                if hasattr(ast, kind)
            },
        }

    def write(self, node: ast.AST) -> None:
        self._writers[node.__class__](node)

    def annotation(self, node: ast.expr) -> None:
        """Write an annotation. Text in it counts as the expression that it spells."""
        before, self._in_annotation = self._in_annotation, True
        self.write(node)
        self._in_annotation = before

    def open_scope(self, kind: str, prefix: str | None = None, private: str | None = None) -> Scope:
        outer = self.scope
        self.outer_scopes.append(outer)
        self.scope = Scope(
            kind,
            outer.prefix if prefix is None else prefix,
            outer.private if private is None else private,
        )
        return self.scope

    def close_scope(self) -> Closed:
        closed = self.scope.close()
        self.scope = self.outer_scopes.pop()
        return closed

    def module_import(self, name: str, origin: str) -> None:
        """Called for each name that the module itself imports."""
        raise NotImplementedError

    def _any(self, node: ast.AST) -> None:
        parts, writers = self.scope.parts, self._writers
        kind = node.__class__
        parts.append(kind.__name__)
        for field in _FIELDS[kind]:
            value = getattr(node, field, None)
            write = writers.get(value.__class__)
            if write is not None:
                parts.append(field)
                write(value)
            elif value.__class__ is list:
                if value:
                    parts.append(field)
                    self._items(value)
            elif value is not None:
                parts += (field, ascii(value))
        parts.append(")")

    def _items(self, items: list[Any]) -> None:
        parts, writers = self.scope.parts, self._writers
        for item in items:
            write = writers.get(item.__class__)
            if write is not None:
                write(item)
            else:
                parts.append(ascii(item))
        parts.append("]")

    # Names

    def _name(self, node: ast.Name) -> None:
        scope, name = self.scope, node.id
        if node.ctx.__class__ is not ast.Load:
            scope.bind(name)
        if name in scope.own:  # what `use` does, without a call: most nodes of a tree are names
            scope.parts.append(f"L{name}")
        else:
            scope.use(name, "", 0, node.lineno)

    def _attribute(self, node: ast.Attribute) -> None:
        chain = chain_of(node)
        if chain is None:
            self.scope.parts.append(f".{node.attr}")
            self.write(node.value)
        else:
            self.scope.use(*chain, 0, node.lineno)
        text = blind_spot_of_attribute(node.attr)
        if text is not None:
            # The name of a definition of the project is part of the version: see name_resolution.
            is_called = chain is not None and node.attr in ("__name__", "__qualname__", "__doc__")
            named = Use(*chain, 0, node.lineno) if chain is not None and is_called else None
            self.scope.blind_spots.append((node.lineno, text, named))

    def _subscript(self, node: ast.Subscript) -> None:
        self.scope.parts.append("Subscript")
        self._container(node.value)
        self.write(node.slice)
        module = _text(node.slice)
        if module and chain_of(node.value) == ("sys", ".modules"):
            self.scope.use(f"{module}:", "", IMPORTED, node.lineno)

    def _compare(self, node: ast.Compare) -> None:
        parts = self.scope.parts
        parts.append("Compare")
        self.write(node.left)
        for operator, operand in zip(node.ops, node.comparators, strict=True):
            parts.append(operator.__class__.__name__)
            if operator.__class__ in (ast.In, ast.NotIn):
                self._container(operand)
            else:
                self.write(operand)
        parts.append(")")

    def _container(self, node: ast.expr) -> None:
        """An expression that the code only looks something up in, so that the order of its items
        does not matter."""
        chain = chain_of(node)
        if chain is None:
            self.write(node)
        else:
            self.scope.use(*chain, LOOKUP, node.lineno)

    def _call(self, node: ast.Call) -> None:
        self.scope.parts.append("Call")
        self.called.update(last_words(node))
        name = _called(node.func)
        self.write(node.func)
        arguments: Iterable[ast.expr] = node.args
        if name == "getattr" and len(node.args) > 1:
            arguments = self._getattr_arguments(node)
        elif name in ("import_module", "__import__") and node.args:
            module = _text(node.args[0])
            if module and (not module.startswith(".") or _names_own_package(node)):
                self.scope.use(f"{module}:", "", IMPORTED, node.lineno)
        for argument in arguments:
            self.write(argument)
        for keyword in node.keywords:
            self.scope.parts.append(f"{keyword.arg}=")
            self.write(keyword.value)
        self.scope.parts.append(")")

    def _getattr_arguments(self, node: ast.Call) -> list[ast.expr]:
        """`getattr(helpers, "clean")` reads `helpers.clean`."""
        name, chain = _text(node.args[1]), chain_of(node.args[0])
        if name is None:
            self.scope.blind_spots.append((node.lineno, COMPUTED_ATTRIBUTE, None))
        if name is None or chain is None:
            return node.args
        self.scope.use(chain[0], f"{chain[1]}.{name}", 0, node.lineno)
        return node.args[2:]

    # Expressions that have several spellings, or differ between Python versions

    def _constant(self, node: ast.Constant) -> None:
        value = node.value
        if self._in_annotation and isinstance(value, str):
            try:
                self.write(ast.parse(value, mode="eval").body)
                return
            except SyntaxError:
                pass
        # Hexadecimal, since Python refuses to write a decimal of thousands of digits.
        self.scope.parts.append(f"{value:#x}" if type(value) is int else ascii(value))

    def _formatted_text(self, node: ast.JoinedStr) -> None:
        parts = self.scope.parts
        parts.append("JoinedStr")
        text = ""
        for value in node.values:
            if isinstance(value, ast.Constant):
                text += str(value.value)
                continue
            assert isinstance(value, ast.FormattedValue)
            parts += [ascii(text), str(value.conversion)]
            text = ""
            self.write(value.value)
            if isinstance(value.format_spec, ast.JoinedStr) and value.format_spec.values:
                self.write(value.format_spec)
        parts += [ascii(text), ")"]

    def _binary(self, node: ast.BinOp) -> None:
        """A sum of a thousand terms is nested a thousand levels deep on the left, so a loop walks
        that side."""
        parts, writers = self.scope.parts, self._writers
        levels = []
        left: ast.expr = node
        while left.__class__ is ast.BinOp:
            levels.append(left)
            left = left.left
        parts += ["BinOp"] * len(levels)
        writers[left.__class__](left)
        for level in reversed(levels):
            parts.append(level.op.__class__.__name__)
            right = level.right
            writers[right.__class__](right)

    def _walrus(self, node: ast.NamedExpr) -> None:
        for scope in (self.scope, *reversed(self.outer_scopes)):
            if scope.kind not in ("comprehension", "header"):
                scope.bind(node.target.id)
                break
        self.scope.parts.append("NamedExpr")
        self.scope.use(node.target.id, "", 0, node.lineno)
        self.write(node.value)

    def _comprehension(self, node: Any) -> None:
        """The first iterable is evaluated in the scope around the comprehension."""
        outer = self.scope
        outer.parts.append(node.__class__.__name__)
        first = node.generators[0].iter
        self.write(first)
        scope = self.open_scope("comprehension")
        for generator in node.generators:
            self.write(generator.target)
            if generator.iter is not first:
                self.write(generator.iter)
            for condition in generator.ifs:
                scope.parts.append("if")
                self.write(condition)
            scope.parts.append("async for" if generator.is_async else "for")
        for field in ("key", "value", "elt"):
            if hasattr(node, field):
                self.write(getattr(node, field))
        outer.take(self.close_scope(), past_class=True)

    # Statements

    def _nothing(self, node: ast.AST) -> None:
        pass

    def _expression_statement(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # not a docstring or an ellipsis
            self._any(node)

    def _assignment(self, node: ast.Assign) -> None:
        """The value comes first: in a class body, `n = n` reads the outer name."""
        parts = self.scope.parts
        parts.append("Assign")
        self.write(node.value)
        for target in node.targets:
            self.write(target)
        parts.append(")")

    def _annotated_assignment(self, node: ast.AnnAssign) -> None:
        """In a class an annotation may define a field; elsewhere it has no effect."""
        parts = self.scope.parts
        in_class = self.scope.kind == "class"
        if not in_class and node.value is None:
            if isinstance(node.target, ast.Name):
                self.scope.bind(node.target.id)
            return
        parts.append("AnnAssign" if in_class else "Assign")
        if node.value is not None:
            self.write(node.value)
        self.write(node.target)
        if in_class:
            self.annotation(node.annotation)
        parts.append(")")

    def _delete(self, node: ast.Delete) -> None:
        self.scope.parts.append("Delete")
        for target in _flat(node.targets):
            self.write(target)
        self.scope.parts.append(")")

    def _binding(self, node: Any) -> None:
        if node.name is not None:
            self.scope.bind(node.name)
        self._any(node)

    def _match_mapping(self, node: ast.MatchMapping) -> None:
        if node.rest is not None:
            self.scope.bind(node.rest)
        self._any(node)

    def _global(self, node: ast.Global) -> None:
        names = frozenset(map(self.scope.spelled, node.names))
        self.scope.declared_global |= names
        self.rebound |= names

    def _nonlocal(self, node: ast.Nonlocal) -> None:
        self.scope.declared_nonlocal |= frozenset(map(self.scope.spelled, node.names))

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.asname:
                self._import_as(alias.asname, f"{alias.name}:", node.lineno)
            else:
                first = alias.name.partition(".")[0]
                self._import_as(first, f"{first}:", node.lineno)

    def _import_from(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            self._import_as(alias.asname or alias.name, f"{module}:{alias.name}", node.lineno)

    def _import_as(self, name: str, origin: str, line: int) -> None:
        scope = self.scope
        if scope.kind == "module":
            self.module_import(name, origin)
        elif scope.kind == "function":
            scope.imports.setdefault(scope.spelled(name), []).append(origin)
        else:
            scope.bind(name)
            scope.parts.append(f"import {name}")
            scope.use(origin, "", IMPORTED, line)


def chain_of(node: ast.expr) -> tuple[str, str] | None:
    """A name with the attributes read from it, as ("helpers", ".clean"); None for any other
    expression."""
    rest = ""
    while isinstance(node, ast.Attribute):
        rest = f".{node.attr}{rest}"
        node = node.value
    return (node.id, rest) if isinstance(node, ast.Name) else None


def _called(node: ast.expr) -> str:
    """The last name of `a.b.c`, or "" for any other expression."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) and chain_of(node) is not None else ""


def _names_own_package(node: ast.Call) -> bool:
    """Whether `import_module(".helpers", …)` is relative to the module that calls it."""
    others = [*node.args[1:], *[keyword.value for keyword in node.keywords]]
    return [chain_of(other) for other in others] in ([("__package__", "")], [("__name__", "")])


def _flat(targets: Iterable[ast.expr]) -> Iterable[ast.expr]:
    """The single targets: `del (a, b)` and `del a, b` are the same, and formatters turn one into
    the other."""
    for target in targets:
        if isinstance(target, ast.Tuple | ast.List):
            yield from _flat(target.elts)
        else:
            yield target


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None

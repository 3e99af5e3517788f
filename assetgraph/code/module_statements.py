"""The statements of a module that are not definitions: which names they assign or change."""

from __future__ import annotations

import ast
from collections.abc import Iterable

_CHANGES_NOTHING = ("print", "repr", "len", "isinstance")
_TAKES_IN = ("append", "add", "extend", "insert", "update", "setdefault", "remove", "discard")
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def value_of_plain_assignment(node: ast.stmt) -> ast.expr | None:
    """The value in `NAME = value`, where the name does not matter; None for any other
    statement."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        return node.value if isinstance(node.targets[0], ast.Name) else None
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.value
    return None


def is_main_block(node: ast.stmt) -> bool:
    """Whether this is `if __name__ == "__main__":`, which does not run in an imported module."""
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Compare)
        and isinstance(node.test.left, ast.Name)
        and node.test.left.id == "__name__"
        and isinstance(node.test.ops[0], ast.Eq)
        and not node.orelse
    )


def changed_names(node: ast.stmt) -> set[str]:
    """The names that a statement assigns or whose values it changes: `TABLE = {}`,
    `TABLE["x"] = 1`, `TABLE.update(more)`, `setattr(Trip, "rate", 1)`, `getcontext().prec = 5`,
    `fill(TABLE)`; also inside `if`, `for`, `try` and the like."""
    names = set()
    for inner in ast.walk(node) if _is_compound(node) else (node,):
        targets: Iterable[ast.AST] = ()
        if isinstance(inner, ast.Assign | ast.Delete):
            targets = inner.targets
        elif isinstance(inner, ast.AugAssign | ast.AnnAssign | ast.For | ast.AsyncFor):
            targets = (inner.target,)
        elif isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Call):
            targets = _handed_over(inner.value)
        for target in targets:
            names |= set(_roots(target))
    return names


def handed_names(node: ast.stmt) -> set[str]:
    """The names whose objects a statement hands to a call, or whose methods it calls, whatever
    becomes of the result: `rows = seed(CONN)`, `with CONN.cursor() as cursor: …`."""
    names: set[str] = set()
    waiting: list[ast.AST] = [node]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, ast.Call):
            for target in _handed_over(inner):
                names.update(_roots(target))
        if not isinstance(inner, (*DEFINITIONS, ast.Lambda)):
            waiting += ast.iter_child_nodes(inner)
    return names


def _handed_over(call: ast.Call) -> list[ast.expr]:
    """What a call whose result nobody takes may change: the object whose method is called, and the
    objects that it gets."""
    called = call.func
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    if isinstance(called, ast.Attribute):
        return [called] if called.attr in _TAKES_IN else [called, *given]
    if not isinstance(called, ast.Name) or called.id in _CHANGES_NOTHING:
        return []
    return call.args[:1] if called.id in ("setattr", "delattr") else given


def _roots(target: ast.AST) -> Iterable[str]:
    while isinstance(target, ast.Attribute | ast.Subscript | ast.Starred | ast.Call):
        target = target.func if isinstance(target, ast.Call) else target.value
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            yield from _roots(element)


def _is_compound(node: ast.stmt) -> bool:
    return hasattr(node, "body") and not isinstance(node, DEFINITIONS)

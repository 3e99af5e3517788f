"""The statements of a module that are not definitions: which names they assign or change."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable

_CHANGES_NOTHING = ("print", "repr", "len", "isinstance")
_TAKES_IN = ("append", "add", "extend", "insert", "update", "setdefault", "remove", "discard")
_BUILT_IN = frozenset(vars(builtins))
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


def changed_names(node: ast.stmt) -> tuple[set[str], set[str]]:
    """The names that a statement assigns or whose values it changes: `TABLE = {}`,
    `TABLE["x"] = 1`, `TABLE.update(more)`, `setattr(Trip, "rate", 1)`, `getcontext().prec = 5`,
    `fill(TABLE)`; also inside `if`, `for`, `try` and the like. And those that it only hands to a
    call, which it reads as well: `CONN.executemany(SQL, ROWS)`, `fill(TABLE)`."""
    names: set[str] = set()
    given: set[str] = set()
    for inner in ast.walk(node) if _is_compound(node) else (node,):
        targets: Iterable[ast.AST] = ()
        if isinstance(inner, ast.Assign | ast.Delete):
            targets = inner.targets
        elif isinstance(inner, ast.AugAssign | ast.AnnAssign | ast.For | ast.AsyncFor):
            targets = (inner.target,)
        elif isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Call):
            targets = _taker(inner.value)
            given.update(name for one in _given(inner.value) for name in _roots(one))
        for target in targets:
            names |= set(_roots(target))
    built_in = given & _BUILT_IN
    return names | built_in, given - names - built_in


def handed_names(node: ast.stmt) -> set[str]:
    """The names whose objects a statement hands to a call, or whose methods it calls, whatever
    becomes of the result: `rows = seed(CONN)`, `with CONN.cursor() as cursor: …`."""
    names: set[str] = set()
    waiting: list[ast.AST] = [node]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, ast.Call):
            for target in (*_taker(inner), *_given(inner)):
                names.update(_roots(target))
        if not isinstance(inner, (*DEFINITIONS, ast.Lambda)):
            waiting += ast.iter_child_nodes(inner)
    return names


def _taker(call: ast.Call) -> list[ast.expr]:
    """The object whose method a call is, or whose attribute it sets."""
    called = call.func
    if isinstance(called, ast.Attribute):
        return [called]
    return call.args[:1] if _sets_attribute(called) else []


def _given(call: ast.Call) -> list[ast.expr]:
    """The objects that a call gets and may change."""
    called = call.func
    if isinstance(called, ast.Attribute):
        changes = called.attr not in _TAKES_IN
    else:
        changes = isinstance(called, ast.Name) and called.id not in _CHANGES_NOTHING
    if not changes or _sets_attribute(called):
        return []
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _sets_attribute(called: ast.expr) -> bool:
    return isinstance(called, ast.Name) and called.id in ("setattr", "delattr")


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

"""The edits of a project: those that change what its code says, and those that do not.

A *mutation* changes one node of a syntax tree: a constant, an operator, an order, a branch. Whether
it changes a value is for the trial to find out. A *neutral* edit changes nothing that
docs/versions.md says counts: it must make nothing stale.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

from oracle.idioms import Idiom
from oracle.places import Files

Mutate = Callable[[ast.AST], None]


class Edit(NamedTuple):
    """An edited project. `neutral` says that the edit must not make anything stale."""

    name: str
    files: Files
    neutral: bool


def written_edits(idiom: Idiom, files: Files) -> Iterator[Edit]:
    """The edits that the idiom itself names, where its text stands in one of the files."""
    for pairs, neutral in ((idiom.edits, False), (idiom.neutral, True)):
        for old, new in pairs:
            old, new = _as_written(old), _as_written(new)
            edited = {name: text.replace(old, new) for name, text in files.items()}
            if edited != files:
                # The text of a function or class counts, whatever its values are.
                inside = any(old in line and line[0] == " " for line in lines(files))
                yield Edit(f"{old} => {new}", edited, neutral and not inside)


def edits_of_data(idiom: Idiom, files: Files) -> Iterator[Edit]:
    """The edits of the files and variables that the idiom reads."""
    for name, content, neutral in idiom.data_edits:
        edited = {**files, name: content}
        if not content:
            del edited[name]
        yield Edit(f"{name} {'is ' + content if content else 'is gone'}"[:60], edited, neutral)


def lines(files: Files) -> list[str]:
    return [line for text in files.values() for line in text.split("\n") if line]


def mutations(files: Files, chance: random.Random, most: int) -> Iterator[Edit]:
    """At most `most` mutations of the files of a project, chosen by chance."""
    found = [
        (name, position, called)
        for name, text in files.items()
        if name.endswith(".py")
        for position, called in _sites(ast.parse(text))
    ]
    for name, position, called in chance.sample(found, min(most, len(found))):
        tree = ast.parse(files[name])
        node = list(ast.walk(tree))[position]
        line = getattr(node, "lineno", 0)
        MUTATIONS[called](node)
        text = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
        if text != files[name] and _compiles(text):
            yield Edit(f"{called} in {name}, line {line}", files | {name: text}, False)


def _as_written(text: str) -> str:
    """Some code as `ast.unparse` writes it, as the files of projects are."""
    try:
        return ast.unparse(ast.parse(text))
    except SyntaxError:
        return text


def _compiles(text: str) -> bool:
    try:
        compile(text, "edited", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def _sites(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The position of each node that can be mutated, with the name of the mutation."""
    left_out = _left_out(tree)
    for position, node in enumerate(ast.walk(tree)):
        if id(node) in left_out:
            continue
        for name, applies in WHERE.items():
            if applies(node):
                yield position, name


def _left_out(tree: ast.Module) -> set[int]:
    """Nodes that no value depends on, or that cannot be written again: docstrings, annotations,
    decorators of assets, the parts of formatted text, patterns."""
    roots: list[ast.AST] = []
    for node in ast.walk(tree):
        if (isinstance(node, ast.arg) and node.annotation) or isinstance(node, ast.AnnAssign):
            roots.append(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            roots += [node.returns] if node.returns else []
            roots += [d for d in node.decorator_list if "asset" in ast.unparse(d)]
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            roots.append(node)
        elif isinstance(node, ast.JoinedStr):
            roots += [v.format_spec for v in node.values if getattr(v, "format_spec", None)]
        elif isinstance(node, ast.pattern):
            roots.append(node)
    return {id(inner) for root in roots for inner in ast.walk(root)}


# Mutations: where each applies, and what it does


def _constant(node: ast.Constant) -> None:
    value = node.value
    if isinstance(value, bool):
        node.value = not value
    elif isinstance(value, int):
        node.value = value + 1
    elif isinstance(value, float):
        node.value = value * 2 + 0.5
    elif isinstance(value, str):
        node.value = f"{value}z"
    elif isinstance(value, bytes):
        node.value = value + b"z"
    elif value is None:
        node.value = 7


_SWAPPED: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Add,
    ast.Mod: ast.Add,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.MatMult: ast.Add,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.USub: ast.UAdd,
    ast.UAdd: ast.USub,
}


def _operator(node: ast.BinOp | ast.BoolOp | ast.AugAssign | ast.UnaryOp) -> None:
    node.op = _SWAPPED[type(node.op)]()


def _comparison(node: ast.Compare) -> None:
    node.ops[0] = _SWAPPED[type(node.ops[0])]()


def _choice(node: ast.IfExp) -> None:
    node.body, node.orelse = node.orelse, node.body


def _order(node: ast.List | ast.Tuple) -> None:
    node.elts.reverse()


def _order_of_keys(node: ast.Dict) -> None:
    node.keys.reverse()
    node.values.reverse()


def _swapped_values(node: ast.Dict) -> None:
    node.values[0], node.values[-1] = node.values[-1], node.values[0]


def _swapped_arguments(node: ast.Call) -> None:
    node.args[0], node.args[1] = node.args[1], node.args[0]


def _dropped_keyword(node: ast.Call) -> None:
    node.keywords.pop()


def _added_branch(node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    node.body[:0] = ast.parse("if len('ab') == 2:\n    return 91").body


def _dropped_decorator(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
    node.decorator_list.pop()


def _dropped_condition(node: ast.comprehension) -> None:
    node.ifs.pop()


def _dropped_statement(node: ast.FunctionDef | ast.ClassDef | ast.Module) -> None:
    del node.body[-2]


def _other_result(node: ast.Return) -> None:
    assert node.value is not None
    node.value = ast.List([node.value, ast.Constant(5)], ast.Load())


def _dropped_base(node: ast.ClassDef) -> None:
    node.bases.pop()


def _other_attribute(node: ast.ClassDef) -> None:
    node.body += ast.parse("def __bool__(self):\n    return False").body


def _reversed_body(node: ast.ClassDef) -> None:
    node.body.reverse()


def _other_text(node: ast.JoinedStr) -> None:
    node.values.append(ast.Constant("z"))


def _wrapped_call(node: ast.Call) -> None:
    inner = ast.Call(node.func, node.args, node.keywords)
    node.func, node.args, node.keywords = ast.Name("repr", ast.Load()), [inner], []


MUTATIONS: dict[str, Callable[..., None]] = {
    "constant": _constant,
    "operator": _operator,
    "comparison": _comparison,
    "choice": _choice,
    "order": _order,
    "order of keys": _order_of_keys,
    "swapped values": _swapped_values,
    "swapped arguments": _swapped_arguments,
    "dropped keyword": _dropped_keyword,
    "added branch": _added_branch,
    "dropped decorator": _dropped_decorator,
    "dropped condition": _dropped_condition,
    "dropped statement": _dropped_statement,
    "other result": _other_result,
    "dropped base": _dropped_base,
    "other method": _other_attribute,
    "order of a class body": _reversed_body,
    "formatted text": _other_text,
    "call wrapped": _wrapped_call,
}


def _has(kinds: type | tuple[type, ...], test: Callable[[ast.AST], object] = bool) -> Mutate:
    return lambda node: isinstance(node, kinds) and bool(test(node))  # type: ignore[arg-type,return-value]


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

WHERE: dict[str, Callable[[ast.AST], object]] = {
    "constant": _has(ast.Constant, lambda n: n.value is not Ellipsis and n.value != ""),
    "operator": _has(
        (ast.BinOp, ast.BoolOp, ast.AugAssign, ast.UnaryOp), lambda n: type(n.op) in _SWAPPED
    ),
    "comparison": _has(ast.Compare),
    "choice": _has(ast.IfExp),
    "order": _has((ast.List, ast.Tuple), lambda n: isinstance(n.ctx, ast.Load) and len(n.elts) > 1),
    "order of keys": _has(ast.Dict, lambda n: len(n.keys) > 1),
    "swapped values": _has(ast.Dict, lambda n: len(n.keys) > 1),
    "swapped arguments": _has(ast.Call, lambda n: len(n.args) > 1),
    "dropped keyword": _has(ast.Call, lambda n: n.keywords),
    "added branch": _has(_DEFINITIONS, lambda n: n.name != "__init__"),
    "dropped decorator": _has(
        (*_DEFINITIONS, ast.ClassDef),
        lambda n: n.decorator_list and "asset" not in ast.unparse(n.decorator_list[-1]),
    ),
    "dropped condition": _has(ast.comprehension, lambda n: n.ifs),
    "dropped statement": _has((*_DEFINITIONS, ast.ClassDef), lambda n: len(n.body) > 1),
    "other result": _has(ast.Return, lambda n: n.value),
    "dropped base": _has(ast.ClassDef, lambda n: n.bases),
    "other method": _has(ast.ClassDef),
    "order of a class body": _has(ast.ClassDef, lambda n: len(n.body) > 1),
    "formatted text": _has(ast.JoinedStr),
    "call wrapped": _has(
        ast.Call, lambda n: not isinstance(n.func, ast.Name) or n.func.id != "super"
    ),
}

"""Warnings about the code of an asset: a call of another asset, an annotation of unknown names."""

from __future__ import annotations

import ast
import builtins
import dis
import linecache
from collections.abc import Iterator, Sequence
from types import CodeType
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.annotations import table_kind
from assetgraph.definitions.asset import Asset
from assetgraph.definitions.registry import module_variables

if TYPE_CHECKING:
    from assetgraph.definitions.computation import Computation

Warned = tuple[str, str]  # a message and a remedy


def code_warnings(computation: Computation) -> Iterator[Warned]:
    """What the function of an asset does or says that is probably a mistake."""
    yield from _calls_of_assets(computation)
    yield from _unknown_annotations(computation)


def _calls_of_assets(computation: Computation) -> Iterator[Warned]:
    function: Any = computation.plain_function
    if function is None:
        return
    for called in dict.fromkeys(_called(function.__code__, function.__globals__)):
        if called.function is not function:
            yield (
                f"asset {computation.name!r} calls the asset {called.name!r}, which computes it "
                "once more: it is not an upstream, and its stored value is not used.",
                f"Take it as a parameter: def {function.__name__}({called.__name__}): … For a "
                "function that both use, leave out @asset.",
            )


def _called(code: CodeType, names: dict[str, Any]) -> Iterator[Asset]:
    """The assets that the code calls by a global name, such as `trips()` or `module.trips()`."""
    bound = [names.get(name) for name in code.co_names]
    if any(issubclass(type(one), Asset) or module_variables(one) for one in bound):
        found: Any = None
        is_call = False
        for step in dis.get_instructions(code):
            if step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                found = module_variables(found).get(step.argval)
                is_call = is_call or step.opname == "LOAD_METHOD" or "NULL" in step.argrepr
                continue
            if is_call and issubclass(type(found), Asset):
                yield found
            # Python marks a name that it is about to call with a NULL beside it.
            is_call = "NULL" in step.argrepr
            found = names.get(step.argval) if step.opname == "LOAD_GLOBAL" else None
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _called(constant, names)


def _unknown_annotations(computation: Computation) -> Iterator[Warned]:
    written = [(f"parameter {p.name!r}", p.annotation) for p in computation.parameters]
    for what, annotation in (*written, ("the return value", computation.returns)):
        if not isinstance(annotation, str) or table_kind(annotation) is not None:
            continue
        unknown = _unknown_names(annotation, computation)
        if unknown:
            yield (
                f"{what} of asset {computation.name!r} is annotated `{annotation}`, but its module "
                f"does not define {unknown[0]!r}: the annotation is ignored.",
                "Import that name, or import it under `if TYPE_CHECKING:`.",
            )


def _unknown_names(annotation: str, computation: Computation) -> Sequence[str]:
    function = computation.plain_function
    try:
        tree = ast.parse(annotation.strip(), mode="eval")
    except SyntaxError:
        return [annotation]
    known = {*getattr(function, "__globals__", ()), *computation.local_names, *dir(builtins)}
    names = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id not in known]
    if not names:
        return []
    declared = _for_type_checkers(computation.file)
    return [name for name in names if name not in declared]


def _for_type_checkers(file: str) -> set[str]:
    """The names that a file defines only for type checkers."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:
        return set()
    found: set[str] = set()
    for block in ast.walk(tree):
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test):
            for node in (node for one in block.body for node in ast.walk(one)):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    found |= {(n.asname or n.name).partition(".")[0] for n in node.names}
                elif isinstance(node, ast.ClassDef):
                    found.add(node.name)
                elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    found.add(node.id)
    return found

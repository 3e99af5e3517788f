"""The statements that may fill an object which cannot be read, such as a connection."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

from assetgraph.code.modules import Module, Modules
from assetgraph.code.source_summary import Piece, Statement

Filled = tuple[Module, tuple[Piece, ...]]


def fillers(value: Any, home: Module, name: str, modules: Modules) -> Iterator[Filled]:
    """The pieces of each module that hand the global `name` of `home`, whose value is `value`, to a
    call, or call a method of it. What assigns it in `home` itself is not among them."""
    for module in modules.of_project():
        found: list[Statement] = []
        if module.names is home.names:
            found += module.file.handed.get(name, ())
        else:
            for root in module.file.handed.keys() | module.file.statements.keys():
                found += _about(value, home, module, root)
        if found:
            in_order = sorted(found, key=lambda one: (one.line, one.piece.digest))
            yield module, tuple({id(one.piece): one.piece for one in in_order}.values())


def _about(value: Any, home: Module, module: Module, root: str) -> tuple[Statement, ...]:
    """The statements of another module, filed under `root`, that may be about the value: `root`
    stands for it there, or for the module that holds it."""
    held = module.names.get(root)
    if held is value or (isinstance(held, ModuleType) and vars(held) is home.names):
        return (*module.file.statements.get(root, ()), *module.file.handed.get(root, ()))
    return ()

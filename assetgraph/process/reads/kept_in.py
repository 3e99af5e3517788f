"""Where the code of a function puts things that outlive its call, by its instructions."""

from __future__ import annotations

import dis
from collections.abc import Iterator, MutableMapping, MutableSequence, MutableSet
from dis import Instruction
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

CONTAINERS = (MutableMapping, MutableSequence, MutableSet)
_NO_OBJECTS = (type(None), FunctionType, BuiltinFunctionType, type, ModuleType)
_GLOBAL = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
_LOCAL = frozenset({"LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_AND_CLEAR", "LOAD_FAST_BORROW"})
_MADE = frozenset({"BUILD_LIST", "BUILD_MAP", "BUILD_SET", "LOAD_CONST"})
_PUTTING = frozenset(
    {"setdefault", "append", "appendleft", "extend", "insert", "add", "update", "put", "set"}
)
_LOADS_METHOD = frozenset({"LOAD_METHOD", "LOAD_ATTR"})


def kept_in(code: CodeType, names: dict[str, Any]) -> set[str] | None:
    """The parameters that things are put into. None if they are put into what outlives the call,
    such as a container of the module, whose names are `names`, or if that is not known."""
    if "setattr" in code.co_names:
        return None
    steps: list[Instruction] = list(dis.get_instructions(code))
    aliases = _aliases(steps, names)
    found: set[str] = set()
    for place, direct in _places(steps):
        if place is None:
            if _has_container(code, names):
                return None
        elif place.opname in _GLOBAL:
            if not (direct and isinstance(names.get(place.argval), ModuleType)):
                return None
        elif place.opname in _LOCAL:
            if place.argval in aliases:
                return None
            found.add(place.argval)
        elif place.opname not in _MADE and _has_container(code, names):
            return None
    parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return found.intersection(parameters)


def _places(steps: list[Instruction]) -> Iterator[tuple[Instruction | None, bool]]:
    """What loads each thing that something is put into, None if that is not found, and whether a
    method of just that thing puts it there."""
    for index, step in enumerate(steps):
        if step.opname == "STORE_SUBSCR":
            yield _root(steps, index, 1), False
        elif step.opname == "STORE_ATTR":
            yield _root(steps, index, 0), False
        elif step.opname in _LOADS_METHOD and step.argval in _PUTTING:
            root = _root(steps, index, 0)
            yield root, root is steps[index - 1]


def _aliases(steps: list[Instruction], names: dict[str, Any]) -> set[str]:
    """The variables that stand for something that a module holds."""
    found = set()
    for index, step in enumerate(steps):
        if step.opname != "STORE_FAST":
            continue
        root = _root(steps, index, 0)
        if root is None or root.opname not in _GLOBAL:
            continue
        if not isinstance(names.get(root.argval), _NO_OBJECTS):
            found.add(step.argval)
    return found


def _root(steps: list[Instruction], index: int, below: int) -> Instruction | None:
    """The instruction with which the value begins that lies `below` the top of the stack before
    the one at `index`: of `a.b[c]` that which loads `a`."""
    height = 0
    for at in range(index - 1, -1, -1):
        step = steps[at]
        if step.opname.startswith(("FOR_", "RETURN", "RAISE", "SEND")):
            return None
        height -= dis.stack_effect(step.opcode, step.arg, jump=False)
        if height < -below:
            return step
    return None


def _has_container(code: CodeType, names: dict[str, Any]) -> bool:
    return any(isinstance(names.get(name), CONTAINERS) for name in code.co_names)

"""Functions of the project that keep what they read, so that the next step does not read it again.

What such a function reads counts for every step of this process whose code covers it, whichever
step it was that really read: see `run/observed_reads.py`.
"""

from __future__ import annotations

import dis
import opcode
from collections.abc import Iterator, MutableMapping, MutableSequence, MutableSet
from types import CodeType, FrameType, FunctionType
from typing import Any

from assetgraph.process.reads.project_objects import is_of_assetgraph, is_shared, is_wrapped
from assetgraph.process.reads.rules import CALL, CALLS_THE_STEP, PROJECT, Keeper, Rules

_CODES = opcode.opmap
_STORE_GLOBAL = _CODES["STORE_GLOBAL"]
_STORES = frozenset(_CODES[name] for name in ("STORE_SUBSCR", "STORE_ATTR") if name in _CODES)
_GLOBAL = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
_CONTAINERS = (MutableMapping, MutableSequence, MutableSet)
_PUTTING = frozenset(
    {"setdefault", "append", "appendleft", "extend", "insert", "add", "update", "put", "set"}
)


def keepers(rules: Rules, frame: FrameType | None) -> Iterator[Keeper]:
    """The functions that keep what they read, from a frame of the project upward."""
    while frame is not None:
        code = frame.f_code
        kind = rules.code(code.co_filename)
        if kind is PROJECT:
            known = _known.get(id(code))
            if known is None:
                known = _known[id(code)] = code, _how(rules, code, frame.f_globals)
            how = known[1]
            if how is _ALWAYS or (how is _IF_SHARED and _is_of_a_shared_object(rules, frame)):
                yield code.co_filename, code.co_firstlineno, code.co_qualname
        elif kind is CALL and code.co_name == CALLS_THE_STEP:
            return
        frame = frame.f_back


_ALWAYS, _NEVER, _IF_SHARED = "always", "never", "if it is a method of a shared object"
_known: dict[int, tuple[CodeType, str]] = {}  # by the id of a code, which must stay alive


def _how(rules: Rules, code: CodeType, names: dict[str, Any]) -> str:
    if code.co_name == "<module>":
        return _NEVER
    operations = set(code.co_code[::2])
    if _STORE_GLOBAL in operations or _is_decorated(code, names) or is_wrapped(rules, code):
        return _ALWAYS
    if not operations & _STORES and _PUTTING.isdisjoint(code.co_names):
        return _NEVER
    if _sets_attribute_of_global(code) or _has_container(code, names):
        return _ALWAYS
    takes_object = code.co_argcount and code.co_varnames[0] in ("self", "cls")
    return _IF_SHARED if takes_object else _NEVER


def _is_of_a_shared_object(rules: Rules, frame: FrameType) -> bool:
    owner = frame.f_locals.get(frame.f_code.co_varnames[0])
    return isinstance(owner, type) or is_shared(rules, owner)


def _sets_attribute_of_global(code: CodeType) -> bool:
    """Whether a function puts something on itself, on a class or on another object of a module."""
    before = ""
    for instruction in dis.get_instructions(code):
        if instruction.opname == "STORE_ATTR" and before in _GLOBAL:
            return True
        before = instruction.opname
    return False


def _has_container(code: CodeType, names: dict[str, Any]) -> bool:
    """Whether a function uses a container of its module, or has one as a default."""
    if any(isinstance(names.get(name), _CONTAINERS) for name in code.co_names):
        return True
    function = names.get(code.co_name)
    if not isinstance(function, FunctionType) or function.__code__ is not code:
        return False
    defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    return any(isinstance(one, _CONTAINERS) for one in defaults)


def _is_decorated(code: CodeType, names: dict[str, Any]) -> bool:
    """Whether the name of a function stands for something else, such as a cache around it."""
    found: Any = names
    for part in code.co_qualname.split("."):
        if part == "<locals>":
            return False
        found = found.get(part) if isinstance(found, dict) else vars(found).get(part)
        if not isinstance(found, type):
            break
    if isinstance(found, staticmethod | classmethod):
        found = found.__func__
    if found is None or isinstance(found, property):
        return False
    if is_of_assetgraph(found):
        return False
    return not (isinstance(found, FunctionType) and found.__code__ is code)

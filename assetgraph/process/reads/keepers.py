"""Functions of the project that keep what they read, so that the next step does not read it again.

What such a function reads counts for every step of this process whose code covers it, whichever
step it was that really read: see `run/observed_reads.py`.
"""

from __future__ import annotations

import opcode
from collections.abc import Iterator
from types import CodeType, FrameType, FunctionType
from typing import Any

from assetgraph.process.reads.kept_in import CONTAINERS, kept_in
from assetgraph.process.reads.project_objects import is_of_assetgraph, is_shared, is_wrapped
from assetgraph.process.reads.rules import CALL, CALLS_THE_STEP, PROJECT, Keeper, Rules

_STORE_GLOBAL = opcode.opmap["STORE_GLOBAL"]


def keepers(rules: Rules, frame: FrameType | None) -> Iterator[Keeper]:
    """The functions that keep what they read, from a frame of the project upward."""
    while frame is not None:
        code = frame.f_code
        kind = rules.code(code.co_filename)
        if kind is PROJECT:
            known = _known.get(id(code))
            if known is None:
                known = _known[id(code)] = code, _keeps(rules, code, frame.f_globals)
            how = known[1]
            if how is True or (how and _are_shared(rules, frame, how)):
                yield code.co_filename, code.co_firstlineno, code.co_qualname
        elif kind is CALL and code.co_name == CALLS_THE_STEP:
            return
        frame = frame.f_back


# By the id of a code, which must stay alive: whether it keeps anything, or the parameters in which.
_known: dict[int, tuple[CodeType, bool | set[str]]] = {}


def _keeps(rules: Rules, code: CodeType, names: dict[str, Any]) -> bool | set[str]:
    """Whether a function keeps what it reads, or the parameters that do if others have them too."""
    if code.co_name == "<module>":
        return False
    if _STORE_GLOBAL in code.co_code[::2] or _is_decorated(code, names) or is_wrapped(rules, code):
        return True
    parameters = kept_in(code, names)
    if parameters is None or not parameters.isdisjoint(_container_defaults(code, names)):
        return True
    return parameters


def _are_shared(rules: Rules, frame: FrameType, parameters: set[str]) -> bool:
    """Whether one of these parameters has something that outlives the call."""
    for name in parameters:
        value = frame.f_locals.get(name)
        if isinstance(value, type) or is_shared(rules, value):
            return True
    return False


def _container_defaults(code: CodeType, names: dict[str, Any]) -> set[str]:
    """The parameters of a function whose default is a container: all calls share it."""
    function = names.get(code.co_name)
    if not isinstance(function, FunctionType) or function.__code__ is not code:
        return set()
    defaults = dict(function.__kwdefaults__ or {})
    values = function.__defaults__ or ()
    defaults |= zip(code.co_varnames[code.co_argcount - len(values) :], values, strict=False)
    return {name for name, value in defaults.items() if isinstance(value, CONTAINERS)}


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

"""Functions of the project that keep what they read, so that the next step does not read it again.

What such a function reads counts for every step of this process whose code covers it, whichever
step it was that really read: see `run/observed_reads.py`.
"""

from __future__ import annotations

import opcode
import sys
from collections.abc import Iterator
from types import CodeType, FrameType, FunctionType
from typing import Any

from assetgraph.process.reads.rules import CALLS_THE_STEP, Code, Rules

Keeper = tuple[str, int, str]  # the file, the first line and the full name of a function

_CODES = opcode.opmap
_STORE_GLOBAL = _CODES["STORE_GLOBAL"]
_STORES = frozenset(_CODES[name] for name in ("STORE_SUBSCR", "STORE_ATTR") if name in _CODES)
_CONTAINERS = (dict, list, set)
_OWN_PACKAGE = __name__.partition(".")[0]


def keepers(rules: Rules) -> Iterator[Keeper]:
    """The functions on the stack that keep what they read."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        kind = rules.code(code.co_filename)
        if kind is Code.PROJECT and code.co_name != "<module>":
            if _keeps(frame):
                yield code.co_filename, code.co_firstlineno, code.co_qualname
        elif kind is Code.CALL and code.co_name == CALLS_THE_STEP:
            return
        frame = frame.f_back


def _keeps(frame: FrameType) -> bool:
    code, names = frame.f_code, frame.f_globals
    operations = set(code.co_code[::2])
    if _STORE_GLOBAL in operations or _is_decorated(code, names):
        return True
    if not operations & _STORES and not _calls_a_method(code):
        return False
    if any(isinstance(names.get(name), _CONTAINERS) for name in code.co_names):
        return True
    first = code.co_varnames[0] if code.co_argcount else ""
    if first not in ("self", "cls"):
        return False
    owner = frame.f_locals.get(first)
    return isinstance(owner, type) or any(value is owner for value in tuple(names.values()))


def _calls_a_method(code: CodeType) -> bool:
    return bool({"setdefault", "append", "add", "update", "put", "set"} & set(code.co_names))


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
    if type(found).__module__.partition(".")[0] == _OWN_PACKAGE:  # an asset
        return False
    return not (isinstance(found, FunctionType) and found.__code__ is code)

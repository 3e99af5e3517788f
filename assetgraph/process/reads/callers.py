"""Who reads: the frames between a read and the call of its step."""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any, NamedTuple

from assetgraph.process.reads.rules import (
    CALL,
    CALLS_THE_STEP,
    ENGINE,
    IMPORTING,
    LIBRARY,
    LINES,
    PROJECT,
    Rules,
)

_ITEMS = 200  # of a list that a library is given


class Caller(NamedTuple):
    """The frame of the project nearest to a read, and the frame that it called: None if it reads
    itself. Without a frame of the project, a library reads that the step itself, or a thread of the
    step, has called: `called` is then the frame that was called."""

    project: FrameType | None
    called: FrameType | None


def caller(rules: Rules) -> Caller | None:
    """Who reads now. None for what the import system, tracebacks or the engine itself read."""
    frame: FrameType | None = sys._getframe(2)
    called = None
    whose = rules.code
    while frame is not None:
        code = frame.f_code
        kind = whose(code.co_filename)
        if kind is LIBRARY:
            called = frame
        elif kind is PROJECT:
            return Caller(frame, called)
        elif kind is ENGINE:
            return None
        elif kind is CALL:
            return Caller(None, called) if code.co_name == CALLS_THE_STEP else None
        elif kind is LINES or (kind is IMPORTING and not _gives_data(frame, rules)):
            return None
        frame = frame.f_back
    return Caller(None, called)  # a thread


def _gives_data(frame: FrameType, rules: Rules) -> bool:
    """Whether a loader reads a file of data for `pkgutil.get_data`."""
    above = frame.f_back
    if above is None or frame.f_code.co_name != "get_data":
        return False
    kind = rules.code(above.f_code.co_filename)
    return kind is LIBRARY or (kind is IMPORTING and _gives_data(above, rules))


def names(who: Caller, path: str) -> bool:
    """Whether the project says which path is read: it reads itself, or gives the path, or a folder
    above it, to the library that does."""
    if who.called is None:
        return True
    frame: FrameType | None = who.called
    if who.project is not None:
        return _any_names(who.called, path)
    frame = sys._getframe(1)  # of a thread: its function may be some frames below its start
    while frame is not None:
        if _any_names(frame, path):
            return True
        frame = None if frame is who.called else frame.f_back
    return False


def _any_names(frame: FrameType, path: str) -> bool:
    return any(_names(value, path, 2) for value in tuple(frame.f_locals.values()))


def _names(value: Any, path: str, depth: int) -> bool:
    if isinstance(value, str | bytes | os.PathLike):
        return _is_or_holds(value, path)
    if isinstance(value, list | tuple | set | frozenset):
        return any(_names(one, path, depth) for one in tuple(value)[:_ITEMS])
    if isinstance(value, dict):
        return any(_names(one, path, depth) for one in tuple(value.values())[:_ITEMS])
    if depth > 0 and hasattr(value, "__dict__") and not isinstance(value, type):
        return any(_names(one, path, depth - 1) for one in tuple(vars(value).values())[:_ITEMS])
    return False


def _is_or_holds(value: Any, path: str) -> bool:
    try:
        text = os.fsdecode(value)
        if not text or "\0" in text or len(text) > 4096:
            return False
        full = os.path.abspath(text)
    except (OSError, ValueError, TypeError):
        return False
    return path == full or (full != "/" and path.startswith(full + "/"))

"""Tells the recorder which environment variables the project reads by name."""

from __future__ import annotations

import opcode
import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, FrameType
from typing import TYPE_CHECKING

from assetgraph.process.reads.current import current_recorder
from assetgraph.process.reads.recorder import Recorder
from assetgraph.process.reads.rules import PROJECT

if TYPE_CHECKING:
    from dis import Instruction

COPY = "os.environ"
_COPIED = "a copy of all variables cannot be compared"
_BY_NAME = frozenset({"get", "__contains__", "pop", "setdefault", "getenv", "expandvars"})
_ATTRIBUTES = ("LOAD_METHOD", "LOAD_ATTR")
_THROUGH = frozenset({"os.py", "_collections_abc.py", "posixpath.py", "<frozen os>"}) | {
    "<frozen _collections_abc>",
    "<frozen posixpath>",
}


class NotedEnviron(os._Environ):  # type: ignore[type-arg]
    """An `os.environ` whose readers are noted. It calls itself what it stands for."""

    __module__ = "os"

    def __getitem__(self, key: str) -> str:
        recorder = current_recorder()
        if recorder is not None:
            _note(recorder, self, key)
        return super().__getitem__(key)  # type: ignore[no-any-return]

    def __setitem__(self, key: str, value: str) -> None:
        super().__setitem__(key, value)
        recorder = current_recorder()
        if recorder is not None:
            recorder.own_variables.add(key)

    def __iter__(self) -> Iterator[str]:
        recorder = current_recorder()
        if recorder is not None:
            _note_copy(recorder)
        return super().__iter__()


def _note(recorder: Recorder, environ: NotedEnviron, key: object) -> None:
    if not isinstance(key, str) or key in recorder.variables or key in recorder.own_variables:
        return
    reader, through = _reader(sys._getframe(2))
    if not _is_project(recorder, reader) or not through <= _BY_NAME:
        return
    if not _reads_itself(reader, through):  # type: ignore[arg-type]
        return
    if recorder.copying == (id(reader), reader.f_lasti):  # type: ignore[union-attr]
        return
    try:
        value: str | None = os._Environ.__getitem__(environ, key)
    except KeyError:
        value = None
    recorder.variable(key, value, reader)


def _note_copy(recorder: Recorder) -> None:
    reader, _ = _reader(sys._getframe(2))
    if reader is not None and _is_project(recorder, reader):
        recorder.copying = (id(reader), reader.f_lasti)
        recorder.uses("environment", COPY, _COPIED)


def _reader(frame: FrameType | None) -> tuple[FrameType | None, set[str]]:
    """Who reads, and through which functions of the standard library."""
    through = set()
    while frame is not None:
        code = frame.f_code
        if code.co_filename.rpartition("/")[2] not in _THROUGH:
            break
        through.add(code.co_name)
        frame = frame.f_back
    return frame, through


def _reads_itself(frame: FrameType, through: set[str]) -> bool:
    """Whether the code of a frame reads, and not a built-in function of a library that it calls:
    that has no frame of its own."""
    code = frame.f_code
    if through - {"__contains__"}:
        return not through.isdisjoint(code.co_names) and _may_call(
            code, frame.f_lasti, frozenset(through)
        )
    return not opcode.opname[code.co_code[frame.f_lasti]].startswith(("CALL", "PRECALL"))


@lru_cache(maxsize=1000)
def _may_call(code: CodeType, at: int, through: frozenset[str]) -> bool:
    """Whether the instruction of `code` at `at` may call one of the functions `through`: not if it
    calls another method, and the code does nothing with these functions but call them."""
    from dis import get_instructions  # few steps read a variable

    before = [one for one in get_instructions(code) if one.offset <= at]
    start = before[-1].positions and before[-1].positions[0::2]
    for one in reversed(before):
        if one.opname in _ATTRIBUTES and one.positions and one.positions[0::2] == start:
            return one.argval in through or any(
                other.argval in through and not _is_called(other)
                for other in get_instructions(code)
                if other.opname in _ATTRIBUTES
            )
    return True


def _is_called(attribute: Instruction) -> bool:
    """Whether what an instruction loads is a method that is called at once."""
    return attribute.opname == "LOAD_METHOD" or attribute.argrepr.startswith("NULL|self")


def _is_project(recorder: Recorder, frame: FrameType | None) -> bool:
    if frame is None:
        return False
    return recorder.rules.code(frame.f_code.co_filename) is PROJECT

"""Tells the recorder which paths the project asks about without opening them, as
`os.path.exists` and `Path.stat` do: nothing of Python reports that."""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any

from assetgraph.process.reads.current import current_recorder
from assetgraph.process.reads.originals import stands_for
from assetgraph.process.reads.recorder import Recorder
from assetgraph.process.reads.rules import PROJECT

_THROUGH = frozenset(
    {"os.py", "genericpath.py", "posixpath.py", "pathlib.py", "_local.py", "_abc.py", "_os.py"}
    | {"<frozen os>", "<frozen genericpath>", "<frozen posixpath>", "types.py", "__init__.py"}
)
_CLOSELY = frozenset({"getmtime", "getsize", "getctime", "getatime", "stat"})
_WHETHER = frozenset(
    {"exists", "isfile", "isdir", "is_file", "is_dir", "lexists", "isfifo", "is_fifo"}
)
_ASKING = _CLOSELY | _WHETHER
_stat = os.stat
_sets = (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks)


def watch_looks() -> None:
    """Watch them until `stop_looks`."""
    os.stat = stat
    for functions in _sets:
        if _stat in functions:
            functions.add(stat)


def stop_looks() -> None:
    if os.stat is stat:
        os.stat = _stat
    for functions in _sets:
        functions.discard(stat)


def stat(path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:
    recorder = current_recorder()
    if recorder is None or type(path) is int or dir_fd is not None:
        return _stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
    try:
        found = _stat(path, follow_symlinks=follow_symlinks)
    except (FileNotFoundError, NotADirectoryError):
        _note(recorder, path, None)
        raise
    _note(recorder, path, found)
    return found


# A pickle names it, as in `pool.map(os.stat, paths)`.
stat.__module__, stat.__qualname__ = "os", "stat"
stat.__doc__ = _stat.__doc__
stands_for(stat, _stat)
stat.__text_signature__ = (_stat.__text_signature__ or "").replace("$module, /, ", "")  # type: ignore[attr-defined]


def _note(recorder: Recorder, path: Any, found: os.stat_result | None) -> None:
    frame: FrameType | None = sys._getframe(2)
    through: set[str] = set()
    while frame is not None and frame.f_code.co_filename.rpartition("/")[2] in _THROUGH:
        if recorder.rules.code(frame.f_code.co_filename) is PROJECT:
            break
        through.add(frame.f_code.co_name)
        frame = frame.f_back
    if frame is None or recorder.rules.code(frame.f_code.co_filename) is not PROJECT:
        return
    if not through & set(frame.f_code.co_names) and through and found is not None:
        recorder.opened(path)  # by a built-in function of a library, which has no frame
    elif through <= _ASKING:  # not on the way to something else, as `Path.glob` does
        recorder.looks(path, found, closely=not through & _WHETHER)

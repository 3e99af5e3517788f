"""An exception as it is recorded: the frames of the user's code with the lines around them, and the
traceback without the frames of assetgraph."""

from __future__ import annotations

import importlib
import linecache
import os
import re
import traceback
from collections.abc import Iterator, Sequence
from types import CodeType, FrameType, TracebackType
from typing import Any

from assetgraph.code.importer import source_of
from assetgraph.errors import AssetGraphError, ResourceError, ValueTypeError
from assetgraph.records import ErrorInfo, Frame
from assetgraph.text import shorten

# This package, and what its calls pass through on their way to the user's code.
_ENGINE = (
    os.path.dirname(os.path.dirname(__file__)) + os.sep,
    os.path.dirname(importlib.__file__) + os.sep,
    os.path.join(os.path.dirname(os.__file__), "concurrent", "futures") + os.sep,
)
_WATCHING = os.path.join(_ENGINE[0], "process") + os.sep
_DUCKDB_ERROR = "IOException"
_PATH_IN_TEXT = re.compile(r"""'([^']+)'|"([^"]+)"|([^\s'",:;()\[\]]*[./][^\s'",:;()\[\]]+)""")
_SENT_TRACE = re.compile(r"^Traceback \(most recent call last\):\n", re.MULTILINE)
_SENT_FRAME = re.compile(r'^  File "(.+)", line (\d+).*\n?', re.MULTILINE)
_MOST_CHARS = 1000
_MOST_PATHS = 5
_AROUND = 2
_MAX_TRACE = 100_000
_MAX_MESSAGE = 10_000
_MAX_DEPTH = 5
_MAX_MEMBERS = 10
_CAUSE_CELLS = 200


def error_info(error: BaseException, project_root: str) -> ErrorInfo:
    """The record of `error`. Its frames are those of the project's files; if there are none, all
    frames outside assetgraph."""
    raised = error.__cause__ if isinstance(error, ResourceError) and error.__cause__ else error
    frames = [(f, line) for f, line in traceback.walk_tb(_user_part(raised)) if not _is_engine(f)]
    own = [(f, line) for f, line in frames if _is_own(f.f_code.co_filename, project_root)]
    return ErrorInfo(
        type=_type_name(type(error)),
        message=_message(error),
        frames=tuple(
            _frame(f.f_code, line, project_root, f.f_globals) for f, line in (own or frames)[-20:]
        ),
        trace=_trace(error),
        hint=error.hint if isinstance(error, AssetGraphError) else None,
        absent=_absent(error, project_root),
        causes=tuple(_causes(error, project_root)),
    )


def definition_frame(code: CodeType, project_root: str) -> Frame:
    """The place where a function is defined, for an error about the value that it returned."""
    return _frame(code, code.co_firstlineno, project_root, {})


def short_traceback(error: BaseException, project_root: str) -> str:
    """The user's part of a traceback as text, for a module that cannot be imported."""
    info = error_info(error, project_root)
    lines = [
        f'  File "{frame.file}", line {frame.line}, in {frame.function}\n    {line.strip()}'
        for frame in info.frames
        for line in frame.source[frame.line - frame.source_start :][:1]
    ]
    only = traceback.format_exception_only(error)
    return "\n".join([*lines, "".join(only).rstrip()])


def _user_part(error: BaseException) -> TracebackType | None:
    """The traceback, starting at the first frame outside assetgraph."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None and _is_engine(trace.tb_frame):
        trace = trace.tb_next
    return trace


def _is_engine(frame: FrameType) -> bool:
    name = frame.f_code.co_filename
    return name.startswith((*_ENGINE, "<frozen importlib"))


def _is_own(name: str, project_root: str) -> bool:
    if name.startswith("<"):  # a notebook's cell, or text run by exec
        return not name.startswith("<frozen")
    inside = os.path.abspath(name).startswith(project_root.rstrip(os.sep) + os.sep)
    return inside and "site-packages" not in name


def _frame(code: CodeType, line: int, project_root: str, names: dict[str, Any]) -> Frame:
    file = code.co_filename
    start = max(1, line - _AROUND)
    linecache.checkcache(file)
    ran = source_of(file)  # the file may have been edited since
    source = ran.splitlines() if ran is not None else linecache.getlines(file, names)
    lines = source[start - 1 : line + _AROUND]
    prefix = project_root.rstrip(os.sep) + os.sep
    return Frame(
        file=file.removeprefix(prefix),
        line=line,
        function=code.co_qualname,
        source=tuple(text.rstrip("\n")[:500] for text in lines),
        source_start=start,
    )


def _trace(error: BaseException) -> str:
    try:
        trace = traceback.TracebackException(
            type(error), error, _user_part(error), capture_locals=False, compact=True
        )
        _leave_out_watching(trace)
        text = "".join(trace.format())
    except BaseException as problem:  # any attribute of the user's exception may fail
        text = f"{type(error).__name__} (its traceback cannot be shown: {type(problem).__name__})\n"
    if len(text) > _MAX_TRACE:
        half = _MAX_TRACE // 2
        text = f"{text[:half]}\n… {len(text) - _MAX_TRACE} characters …\n{text[-half:]}"
    return text


def _leave_out_watching(trace: traceback.TracebackException) -> None:
    """Remove the frames of what watches a step, between the step and a function that it calls."""
    waiting: list[traceback.TracebackException | None] = [trace]
    while waiting:
        one = waiting.pop()
        if one is None:
            continue
        kept: list[traceback.FrameSummary] = []
        for frame in one.stack:
            if not frame.filename.startswith(_WATCHING):
                kept.append(frame)
            elif frame.filename.endswith("swapped_code.py") and kept:
                kept.pop()  # the library's function, which comes once more
        one.stack[:] = kept
        waiting += [one.__cause__, one.__context__, *(getattr(one, "exceptions", None) or ())]


def _message(error: BaseException) -> str:
    try:
        text = error.message if isinstance(error, AssetGraphError) else str(error)
        text = str.__str__(text)
    except BaseException as problem:
        return f"<its message cannot be read: {type(problem).__name__}>"
    if isinstance(error, SystemExit):
        return f"the asset called sys.exit({text})"
    return text if len(text) <= _MAX_MESSAGE else text[:_MAX_MESSAGE] + " …"


def _absent(error: BaseException, project_root: str) -> tuple[str, ...]:
    """The paths that `error`, or an exception that it came from, says are not there: relative to
    the project's folder if they are inside."""
    root, met, found = project_root.rstrip(os.sep) + os.sep, set[int](), dict[str, None]()
    chain: BaseException | None = error
    try:
        while chain is not None and id(chain) not in met:
            met.add(id(chain))
            for path in _missing_files(chain):
                found[os.path.abspath(path).removeprefix(root)] = None
            chain = chain.__cause__ or chain.__context__
    except Exception:
        pass  # any attribute of the user's exception may fail, and so may a deleted working folder
    return tuple(found)


def _missing_files(error: BaseException) -> Sequence[str]:
    if isinstance(error, ValueTypeError):
        return [error.absent] if error.absent else []
    if not isinstance(error, FileNotFoundError) and type(error).__name__ != _DUCKDB_ERROR:
        return []
    path = getattr(error, "filename", None)
    if isinstance(path, str | bytes | os.PathLike):
        return [os.fsdecode(path)]
    # pyarrow, polars and others name the file in their message only.
    named = _PATH_IN_TEXT.findall(str(error)[:_MOST_CHARS])
    return ["".join(quoted_or_bare) for quoted_or_bare in named[:_MOST_PATHS]]


def _causes(error: BaseException, project_root: str, depth: int = 1) -> Iterator[str]:
    """Lines about the members of a group, and about the exceptions that led to `error`."""
    if depth > _MAX_DEPTH:
        return
    indent = "  " * (depth - 1)
    if isinstance(error, BaseExceptionGroup):
        for number, member in enumerate(error.exceptions[:_MAX_MEMBERS], 1):
            yield f"{indent}{number}. {_short(member, project_root)}"
            yield from _causes(member, project_root, depth + 1)
        if len(error.exceptions) > _MAX_MEMBERS:
            yield f"{indent}and {len(error.exceptions) - _MAX_MEMBERS} more"
    if error.__cause__ is not None:
        word, before = "caused by", error.__cause__
    elif error.__context__ is not None and not error.__suppress_context__:
        word, before = "raised while handling", error.__context__
    else:
        return
    yield f"{indent}{word} {_short(before, project_root)}"
    yield from _causes(before, project_root, depth + 1)


def _short(error: BaseException, project_root: str) -> str:
    """An exception in a line, with its place in the user's code."""
    message = _message(error)
    sent = _SENT_TRACE.search(message)
    if sent is not None:
        return _short_sent(message[sent.end() :], project_root)
    lines = message.strip().splitlines()
    text = f"{_type_name(type(error))}: {shorten(lines[0], _CAUSE_CELLS)}" if lines else ""
    own = [
        (f.f_code.co_filename, line)
        for f, line in traceback.walk_tb(error.__traceback__)
        if _is_own(f.f_code.co_filename, project_root) and not _is_engine(f)
    ]
    if not own:
        return text or _type_name(type(error))
    return f"{text or _type_name(type(error))} ({_place(*own[-1], project_root)})"


def _short_sent(trace: str, project_root: str) -> str:
    """The same of an exception whose traceback came as text from another process. Pools make it the
    cause of the exception that they raise here."""
    places = [(file, int(line)) for file, line in _SENT_FRAME.findall(trace)]
    own = [place for place in places if _is_own(place[0], project_root)]
    after = trace[[0, *(frame.end() for frame in _SENT_FRAME.finditer(trace))][-1] :]
    said = [line for line in after.splitlines() if line.strip(" \"'") and not line.startswith(" ")]
    text = f"{shorten(said[0], _CAUSE_CELLS) if said else 'an error'} in another process"
    return f"{text} ({_place(*own[-1], project_root)})" if own else text


def _place(file: str, line: int, project_root: str) -> str:
    return f"{file.removeprefix(project_root.rstrip(os.sep) + os.sep)}:{line}"


def _type_name(kind: type[Any]) -> str:
    module = kind.__module__
    if module in ("builtins", "__main__") or module.startswith("assetgraph."):
        return kind.__qualname__
    return f"{module}.{kind.__qualname__}"

"""Sends what each step prints, logs and warns to its own sink, also when steps run in parallel.

A run redirects `sys.stdout`, `sys.stderr`, the root logger and `warnings` once. A context variable
names the step of each write. Threads do not inherit context variables: a thread belongs to the step
that starts it. What it writes after the end of that step is not recorded.
"""

from __future__ import annotations

import codecs
import io
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from assetgraph.process.step_sink import StepSink

_current: ContextVar[StepSink | None] = ContextVar("sink", default=None)
_active: list[StepSink] = []
_of_thread: WeakKeyDictionary[threading.Thread, StepSink] = WeakKeyDictionary()
_LONG_LINE = 4096


class step_output:  # noqa: N801 - used as a function; a generator would cost each step more
    """A block whose output, log records and warnings go to `sink`."""

    __slots__ = ("_sink", "_token")

    def __init__(self, sink: StepSink) -> None:
        self._sink = sink

    def __enter__(self) -> None:
        self._token = _current.set(self._sink)
        _active.append(self._sink)

    def __exit__(self, *exception: object) -> None:
        _active.remove(self._sink)
        _current.reset(self._token)


class _Shared:
    """A redirection shared by all runs of a process: the first installs it, the last removes it."""

    def __init__(self, redirect: Callable[..., AbstractContextManager[None]]) -> None:
        self._redirect = redirect
        self._undo = ExitStack()
        self._runs = 0
        self._lock = threading.Lock()

    @contextmanager
    def __call__(self, *given: Any) -> Iterator[None]:
        with self._lock:
            if self._runs == 0:
                self._undo.enter_context(self._redirect(*given))
            self._runs += 1
        try:
            yield
        finally:
            with self._lock:
                self._runs -= 1
                if self._runs == 0:
                    self._undo.close()


@contextmanager
def _streams_redirected(echo: bool) -> Iterator[None]:
    before = sys.stdout, sys.stderr
    sys.stdout = _Redirect(before[0], "out", echo)
    sys.stderr = _Redirect(before[1], "err", echo)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


@contextmanager
def _logs_redirected() -> Iterator[None]:
    before = warnings.showwarning
    start = threading.Thread.start
    handler = _RoutingHandler()
    root = logging.getLogger()
    level = root.level
    if not root.handlers and level == logging.WARNING:  # the program did not configure logging
        root.setLevel(logging.INFO)
    root.addHandler(handler)
    warnings.showwarning = _show_warning

    def start_for_step(thread: threading.Thread) -> None:
        sink = _sink()
        if sink is not None:
            _of_thread[thread] = sink
        start(thread)

    threading.Thread.start = start_for_step  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        threading.Thread.start = start  # type: ignore[method-assign]
        warnings.showwarning = before
        root.removeHandler(handler)
        root.setLevel(level)


_share_streams = _Shared(_streams_redirected)
_share_logs = _Shared(_logs_redirected)


@contextmanager
def redirected(echo: bool = True) -> Iterator[None]:
    """Redirect the output streams, logging and warnings of this process until the block ends.

    With `echo`, output still goes to the original streams as well.
    """
    with _share_streams(echo), _share_logs():
        yield


def redirected_logs() -> AbstractContextManager[None]:
    """Redirect only the logging and warnings of this process until the block ends."""
    return _share_logs()


class SinkHandler(logging.Handler):
    """Sends log records to the sink of one step."""

    def __init__(self, sink: StepSink) -> None:
        super().__init__()
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        _log(self._sink, record)


class _RoutingHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        sink = _sink()
        if sink is not None:
            _log(sink, record)


class _Redirect(io.TextIOBase):
    """Replaces a stream: what a step writes goes to its sink and, with `echo`, to the stream."""

    def __init__(self, stream: IO[str], name: str, echo: bool) -> None:
        self._stream = stream
        self._name = name
        self._echo = echo
        self._decoders: WeakKeyDictionary[StepSink, codecs.IncrementalDecoder] = WeakKeyDictionary()

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        sink = _sink()
        if sink is None:
            self._stream.write(text)
            return len(text)
        sink.output(self._name, text)
        if self._echo:
            with suppress(OSError):  # a full disk must not fail the step; the sink has the text
                self._stream.write(text)
        return len(text)

    def write_bytes(self, data: bytes) -> None:
        """Write bytes, which a step does through `sys.stdout.buffer`."""
        sink = _sink()
        if sink is not None:
            sink.output(self._name, self._decoder(sink).decode(data))
        if sink is None or self._echo:
            with nullcontext() if sink is None else suppress(OSError):
                self._stream.flush()  # text that was written earlier comes first
                buffer = getattr(self._stream, "buffer", None)  # a notebook's stream has none
                if buffer is not None:
                    buffer.write(data)
                else:
                    self._stream.write(data.decode("utf-8", "replace"))

    @property
    def buffer(self) -> BinaryIO:
        return cast("BinaryIO", _Bytes(self))

    def flush(self) -> None:
        with nullcontext() if _sink() is None else suppress(OSError):
            self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self._stream, "encoding", None) or "utf-8"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)  # such as `reconfigure`

    def _decoder(self, sink: StepSink) -> codecs.IncrementalDecoder:
        """The decoder of one step, which remembers an incomplete character between two writes."""
        if sink not in self._decoders:
            self._decoders[sink] = codecs.getincrementaldecoder("utf-8")("replace")
        return self._decoders[sink]


class _Bytes(io.BufferedIOBase):
    """The `buffer` of a redirected stream."""

    def __init__(self, text: _Redirect) -> None:
        self._text = text

    def write(self, data: Any, /) -> int:
        written = bytes(data)
        self._text.write_bytes(written)
        return len(written)

    def flush(self) -> None:
        self._text.flush()

    def isatty(self) -> bool:
        return self._text.isatty()

    def fileno(self) -> int:
        return self._text.fileno()

    def writable(self) -> bool:
        return True


class OutputFile:
    """A file with the output of a step, created at the first write and written line by line.

    It keeps the first `limit` bytes. If more are written, its last line says how many.
    """

    def __init__(self, path: str, limit: int) -> None:
        self._path = path
        self._room = limit
        self._line = ""
        self._dropped = 0
        self._fd: int | None = None

    def write(self, text: str) -> None:
        self._line += text
        if "\n" in text or len(self._line) > _LONG_LINE:
            self._flush()

    def leave_out(self, count: int) -> None:
        """Count `count` bytes that were dropped before they reached this file."""
        self._dropped += count

    def close(self) -> None:
        self._flush()
        if self._fd is not None:
            try:
                if self._dropped:
                    os.write(self._fd, f"\n[{self._dropped} more bytes were not kept]\n".encode())
            except OSError:
                pass
            os.close(self._fd)

    def _flush(self) -> None:
        data = self._line.encode("utf-8", "backslashreplace")
        self._line = ""
        kept = 0
        if data and self._room > 0:
            try:
                if self._fd is None:
                    self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
                kept = os.write(self._fd, data[: self._room])
            except OSError:
                self._room = 0  # a full disk must not fail a step that only prints
        self._room -= kept
        self._dropped += len(data) - kept


def _sink() -> StepSink | None:
    sink = _current.get()
    if sink is None and _of_thread:
        sink = _of_thread.get(threading.current_thread())
        if sink not in _active:
            return None
    return sink


def _log(sink: StepSink, record: logging.LogRecord) -> None:
    try:
        message = record.getMessage()
    except Exception as error:  # a bad format string must not fail the step
        message = f"{record.msg} (its arguments do not fit: {error})"
    if record.exc_info and record.exc_info[0]:
        message += "\n" + logging.Formatter().formatException(record.exc_info)
    data = {} if record.name == "root" else {"logger": record.name}
    sink.log(record.levelname, message, data)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    sink = _sink()
    if sink is not None and file is None:
        sink.log("WARNING", f"{category.__name__}: {message}", {"file": filename, "line": lineno})
    else:
        stream = file or sys.stderr
        stream.write(warnings.formatwarning(message, category, filename, lineno, line))

"""Sends what Python code prints to the step that prints it, also when steps run in parallel.

During a run, `sys.stdout` and `sys.stderr` are `Redirect`s. The streams that they replace write
through them too, because a logging handler or a console may have kept one since it was imported.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from typing import IO, TYPE_CHECKING, Any, BinaryIO, TextIO, cast
from weakref import WeakKeyDictionary

from assetgraph.process.current_step import current_sink
from assetgraph.process.descriptors import NUMBERS, Descriptors

if TYPE_CHECKING:
    from assetgraph.process.step_sink import StepSink

_muted: ContextVar[bool] = ContextVar("muted", default=False)


class Redirect(io.TextIOBase):
    """Replaces a stream: what a step writes goes to its sink and, with `echo`, to the stream."""

    def __init__(
        self, stream: IO[str], name: str, echo: bool, descriptors: Descriptors | None
    ) -> None:
        self._stream = stream
        self._name = name
        self._echo = echo
        self._descriptors = descriptors
        self._isatty = stream.isatty()
        self._outside = _outside(stream, name, descriptors)
        self._write = self._outside.write
        self._decoders: WeakKeyDictionary[StepSink, codecs.IncrementalDecoder] = WeakKeyDictionary()

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        sink = current_sink()
        if sink is None:
            self._write(text)
            return len(text)
        if _muted.get():  # its log has the text
            if self._echo:
                self._write(text)
            return len(text)
        if self._descriptors is not None:
            self._descriptors.catch_up(self._name, sink)
        sink.output(self._name, text)
        if self._echo:
            with suppress(OSError):  # a full disk must not fail the step; the sink has the text
                self._write(text)
        return len(text)

    def write_outside(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._write(text)
            self._outside.flush()

    def write_bytes(self, data: bytes) -> None:
        """Write bytes, which a step does through `sys.stdout.buffer`."""
        sink = current_sink()
        if sink is not None:
            sink.output(self._name, self._decoder(sink).decode(data))
        if sink is None or self._echo:
            with nullcontext() if sink is None else suppress(OSError):
                self._outside.flush()  # text that was written earlier comes first
                buffer = getattr(self._outside, "buffer", None)  # a notebook's stream has none
                if buffer is not None:
                    buffer.write(data)
                else:
                    self._write(data.decode("utf-8", "replace"))

    @property
    def buffer(self) -> BinaryIO:
        return cast("BinaryIO", _Bytes(self))

    def flush(self) -> None:
        with nullcontext() if current_sink() is None else suppress(OSError):
            self._outside.flush()

    def isatty(self) -> bool:
        return self._isatty

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self._stream, "encoding", None) or "utf-8"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)  # such as `reconfigure`

    def end(self) -> None:
        with suppress(OSError, ValueError):  # a full disk must not fail the run
            self._outside.flush()
            self._outside.close()

    def _decoder(self, sink: StepSink) -> codecs.IncrementalDecoder:
        """The decoder of one step, which remembers an incomplete character between two writes."""
        if sink not in self._decoders:
            self._decoders[sink] = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        return self._decoders[sink]


class _Bytes(io.BufferedIOBase):
    """The `buffer` of a redirected stream."""

    def __init__(self, text: Redirect) -> None:
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


class Streams:
    """The standard streams of this process, replaced from `start` to `close`."""

    def __init__(self, echo: bool, descriptors: Descriptors | None) -> None:
        self._before = sys.stdout, sys.stderr
        self.out = Redirect(sys.stdout, "out", echo, descriptors)
        self.err = Redirect(sys.stderr, "err", echo, descriptors)
        self._kept: list[IO[str]] = []

    def start(self) -> None:
        for stream, redirect in (
            (self._before[0], self.out), (self._before[1], self.err),
            (sys.__stdout__, self.out), (sys.__stderr__, self.err),
        ):  # fmt: skip
            if stream is not None and stream not in self._kept:
                with suppress(AttributeError):  # a stream of a class with slots
                    stream.write = redirect.write  # type: ignore[method-assign]
                    self._kept.append(stream)
        self.take()

    def take(self) -> None:
        """Replace the streams, also those that a step has put in their place."""
        sys.stdout, sys.stderr = self.out, self.err

    def taken(self) -> bool:
        return sys.stdout is self.out and sys.stderr is self.err

    def settle(self) -> None:
        """Write what the replaced streams hold back: bytes that went to their buffers."""
        for stream in self._before:
            try:
                stream.flush()
            except (OSError, ValueError):
                pass

    def tell(self, text: str) -> None:
        """Write `text` to stderr as it was."""
        self.err.write_outside(text)

    def give_back(self) -> None:
        """Put the streams back as they were, in a forked child or for a debugger."""
        for stream in self._kept:
            with suppress(AttributeError):
                del stream.write
        sys.stdout, sys.stderr = self._before

    def close(self) -> None:
        self.give_back()
        self.out.end()
        self.err.end()
        for name, stream in (("stdout", self._before[0]), ("stderr", self._before[1])):
            if stream.closed:  # by a step
                number = NUMBERS["out" if name == "stdout" else "err"]
                with suppress(OSError):
                    setattr(sys, name, open(number, "w", closefd=False))  # noqa: SIM115


def _outside(stream: IO[str], name: str, descriptors: Descriptors | None) -> Any:
    """A stream that writes where `stream` does while its descriptor is captured."""
    fd = descriptors.outside.get(name) if descriptors is not None else None
    if fd is None or not is_plain(stream):
        return _Original(stream)
    assert isinstance(stream, io.TextIOWrapper)
    return _copy(stream, fd)


@contextmanager
def muted() -> Iterator[None]:
    """Do not record what this thread prints until the block ends."""
    token = _muted.set(True)
    try:
        yield
    finally:
        _muted.reset(token)


@contextmanager
def not_captured(stream: TextIO) -> Iterator[TextIO]:
    """A stream that writes where `stream` does now, whatever is captured before the block ends."""
    if not is_plain(stream):
        yield cast("TextIO", _Original(stream))
        return
    assert isinstance(stream, io.TextIOWrapper)
    copy = _copy(stream, stream.fileno())
    try:
        yield copy
    finally:
        with suppress(OSError):  # a full disk, or a terminal that is gone
            copy.close()


def standard_name(stream: Any) -> str | None:
    """The name in `sys` of a standard stream or of what replaces it, otherwise None."""
    for name in ("stdout", "stderr"):
        if stream is getattr(sys, name) or stream is getattr(sys, f"__{name}__"):
            return name
    return None


def is_plain(stream: IO[str]) -> bool:
    """Whether a stream only writes to descriptor 1 or 2."""
    try:
        return isinstance(stream, io.TextIOWrapper) and stream.fileno() in NUMBERS.values()
    except (OSError, ValueError):
        return False


def _copy(stream: io.TextIOWrapper, fd: int) -> io.TextIOWrapper:
    with suppress(OSError, ValueError):
        stream.flush()
    return open(os.dup(fd), "w", 1 if stream.line_buffering else -1, stream.encoding, stream.errors)


class _Original:
    """A stream with the `write` that it had before it was redirected."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.write = stream.write
        self.flush = stream.flush

    def close(self) -> None:
        """The stream stays open."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

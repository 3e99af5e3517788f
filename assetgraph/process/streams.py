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
from assetgraph.process.secrets import Mask, any_hidden

if TYPE_CHECKING:
    from assetgraph.process.step_sink import StepSink

_NAMES = ("stdout", "stderr", "__stdout__", "__stderr__")
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
        self._stands_for_descriptor = is_plain(stream) and stream.fileno() == NUMBERS[name]
        self._outside = _outside(stream, name, descriptors)
        self._write = self._outside.write
        self._decoders: WeakKeyDictionary[StepSink, codecs.IncrementalDecoder] = WeakKeyDictionary()
        self._masks: dict[StepSink, Mask] = {}
        self._own_mask = Mask()

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        count = len(text)
        sink = current_sink()
        if any_hidden():
            text = self._mask(sink).feed(text)
        if sink is None:
            self._write(text)
            return count
        if _muted.get():  # its log has the text
            if self._echo:
                self._write(text)
            return count
        if self._descriptors is not None:
            self._descriptors.catch_up(self._name, sink)
            if self._descriptors.moved and self._is_elsewhere():
                _write_all(NUMBERS[self._name], text.encode(self.encoding, "backslashreplace"))
                return count
        sink.output(self._name, text)
        if self._echo:
            with suppress(OSError):  # a full disk must not fail the step; the sink has the text
                self._write(text)
        return count

    def end_step(self, sink: StepSink) -> None:
        """Write what is held back of what a step printed."""
        mask = self._masks.pop(sink, None)
        held = mask.end() if mask is not None else ""
        if held:
            sink.output(self._name, held)
            if self._echo:
                self.write_outside(held)

    def _mask(self, sink: StepSink | None) -> Mask:
        return self._masks.setdefault(sink, Mask()) if sink is not None else self._own_mask

    def _is_elsewhere(self) -> bool:
        """Whether the step has put something else in the place of the stream's descriptor."""
        descriptors = self._descriptors
        return (
            descriptors is not None
            and self._stands_for_descriptor
            and descriptors.replaced(self._name)
        )

    def write_outside(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._write(text)
            self._outside.flush()

    def write_bytes(self, data: bytes) -> None:
        """Write bytes, which a step does through `sys.stdout.buffer`."""
        sink = current_sink()
        if sink is not None:
            if self._is_elsewhere():
                _write_all(NUMBERS[self._name], data)
                return
            text = written = self._decoder(sink).decode(data)
            if any_hidden():
                text = self._mask(sink).feed(written)
                if text != written:
                    data = text.encode("utf-8", "backslashreplace")
            sink.output(self._name, text)
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

    def close(self) -> None:
        self.flush()  # the next step needs it

    def stands_for(self, stream: IO[str]) -> None:
        self._stream = stream

    def end(self) -> None:
        with suppress(OSError, ValueError):  # a full disk must not fail the run
            self._write(self._own_mask.end())
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


class _Replaced:
    """A standard stream that writes through a `Redirect` during a run."""

    def __init__(self, stream: IO[str], redirect: Redirect) -> None:
        self.stream = stream
        self._redirect = redirect
        self._number = stream.fileno() if is_plain(stream) else None

    def start(self) -> None:
        with suppress(AttributeError):  # a stream of a class with slots
            self.stream.write = self._redirect.write  # type: ignore[method-assign]

    def give_back(self) -> None:
        with suppress(AttributeError):
            del self.stream.write

    def open_again(self) -> None:
        """Put a new stream in the place of one that a step has closed."""
        old = self.stream
        if self._number is not None and is_closed(old):
            assert isinstance(old, io.TextIOWrapper)
            buffering = 1 if old.line_buffering else -1
            self.stream = open(  # noqa: SIM115
                self._number, "w", buffering, old.encoding, old.errors, closefd=False
            )
            self._redirect.stands_for(self.stream)
            self.start()


class Streams:
    """The standard streams of this process, replaced from `start` to `close`."""

    def __init__(self, echo: bool, descriptors: Descriptors | None) -> None:
        self.out = Redirect(sys.stdout or _nowhere(), "out", echo, descriptors)
        self.err = Redirect(sys.stderr or _nowhere(), "err", echo, descriptors)
        self._replaced: list[_Replaced] = []
        self._named: dict[str, _Replaced] = {}  # by their names in `sys`
        for name in _NAMES:
            stream = getattr(sys, name)
            if stream is None:  # the program runs without it
                continue
            known = [one for one in self._replaced if one.stream is stream]
            if not known:
                known = [_Replaced(stream, self.out if "out" in name else self.err)]
                self._replaced += known
            self._named[name] = known[0]

    def start(self) -> None:
        for one in self._replaced:
            one.start()
        self.take()

    def take(self) -> None:
        """Replace the streams, also those that a step has put in their place."""
        sys.stdout, sys.stderr = self.out, self.err

    def settle(self) -> bool:
        """Write what the replaced streams hold back: bytes that went to their buffers. True if a
        step has closed one."""
        closed = False
        for one in self._replaced:
            try:
                one.stream.flush()
            except OSError:
                pass  # a full disk, say
            except ValueError:
                closed = True
        return closed

    def open_again(self) -> None:
        """Open the streams again that a step has closed."""
        for one in self._replaced:
            one.open_again()
        for name in ("__stdout__", "__stderr__"):
            if name in self._named:
                setattr(sys, name, self._named[name].stream)

    def tell(self, text: str) -> None:
        """Write `text` to stderr as it was."""
        self.err.write_outside(text)

    def give_back(self) -> None:
        """Put the streams back as they were, in a forked child or for a debugger."""
        for one in self._replaced:
            one.give_back()
        for name in ("stdout", "stderr"):
            setattr(sys, name, self._named[name].stream if name in self._named else None)

    def close(self) -> None:
        self.give_back()
        self.out.end()
        self.err.end()


def _outside(stream: IO[str], name: str, descriptors: Descriptors | None) -> Any:
    """A stream that writes where `stream` does while its descriptor is captured."""
    fd = descriptors.outside.get(name) if descriptors is not None else None
    if fd is None or not is_plain(stream):
        return _Original(stream)
    assert isinstance(stream, io.TextIOWrapper)
    return _copy(stream, fd)


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


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


def is_closed(stream: IO[str]) -> bool:
    """Whether a stream, or the buffer below it, was closed or taken from it."""
    try:
        return stream.closed
    except ValueError:
        return True


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


def _nowhere() -> IO[str]:
    return open(os.devnull, "w")


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

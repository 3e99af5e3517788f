"""Captures what is written to the descriptors 1 and 2: by child programs, by C libraries, and
through streams that a module kept when it was imported.

A run puts a pipe in place of each descriptor. The descriptors belong to the whole process: what
comes through them goes to the step that runs. If several run at once, in threads, each of them gets
it as a log record that says so. A child program that a step starts through `subprocess`, and a
forked child, write to a pipe of that step alone, whatever else runs.

A thread reads the pipes. The thread of a step reads them too, before it prints and at its end, so
that all output of a step is in order and complete.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import select
import subprocess
import sys
import termios
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from assetgraph.process.current_step import current_sink, running
from assetgraph.process.secrets import Mask, any_hidden

if TYPE_CHECKING:
    from collections.abc import Callable

    from assetgraph.process.step_sink import StepSink

NUMBERS = {"out": 1, "err": 2}
_CHUNK = 65536
_FIRST_FREE = 3  # of the descriptors that no program takes for a standard stream
_NOTHING = bytes(4)
_BY_LINES = 1  # C's `_IOLBF`
_dup2 = os.dup2


class _Pipe:
    """A pipe for one stream, of one step or, without a sink, of all."""

    __slots__ = ("_decoder", "_mask", "fd", "inode", "name", "sink", "write_fd")

    def __init__(self, name: str, sink: StepSink | None = None) -> None:
        read_fd, write_fd = os.pipe()
        self.fd, self.write_fd = not_standard(read_fd), not_standard(write_fd)
        os.set_blocking(self.fd, False)
        self.inode = os.fstat(self.fd).st_ino
        self.name = name
        self.sink = sink
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._mask = Mask()

    def masked(self, data: bytes) -> tuple[str, bytes]:
        """What was written as text, and as bytes: those that came, unless a secret is among
        them."""
        written = self._decoder.decode(data)
        text = self._mask.feed(written)
        return text, data if text == written else text.encode("utf-8", "backslashreplace")

    def rest(self) -> str:
        """What is held back of a secret value that did not come."""
        return self._mask.end() if any_hidden() else ""

    def waiting(self) -> int:
        """How many bytes can be read now."""
        count = fcntl.ioctl(self.fd, termios.FIONREAD, _NOTHING)
        return int.from_bytes(count, sys.byteorder) if count != _NOTHING else 0

    def seal(self) -> None:
        """Close the writing end here. Children may still hold it."""
        if self.write_fd >= 0:
            os.close(self.write_fd)
            self.write_fd = -1

    def close(self) -> None:
        self.seal()
        os.close(self.fd)


class Descriptors:
    """The descriptors 1 and 2 of this process, captured from `start` to `close`.

    With `echo`, what is captured still goes where it would without a run. `shared` says that
    several steps may run at once.
    """

    def __init__(self, echo: bool, shared: bool) -> None:
        self.lock = threading.RLock()
        self.outside: dict[str, int] = {}  # copies of the descriptors as they were
        self._echo = echo
        self._several = shared
        self.moved = False  # whether the step has called `os.dup2` for one of them
        self._shared: dict[str, _Pipe] = {}
        self._places: list[tuple[int, int]] = []  # writing ends of those, and where they stand
        self._of_step: dict[StepSink, dict[str, _Pipe]] = {}
        self._pipes: dict[int, _Pipe] = {}  # all that are read, by their reading end
        self._poll = select.poll()
        self._any_shared = select.poll()
        self._wake, self._waker = (not_standard(fd) for fd in os.pipe())
        self._poll.register(self._wake, select.POLLIN)
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name="output", daemon=True)

    def open(self) -> None:
        """Make the pipes, which capture nothing before `start`."""
        for name, number in NUMBERS.items():
            try:
                self.outside[name] = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3)
            except OSError:
                continue  # the program runs without this descriptor
            pipe = self._shared[name] = self._open(name)
            self._places.append((pipe.write_fd, number))
            self._any_shared.register(pipe.fd, select.POLLIN)

    def start(self) -> None:
        self.take()
        self._thread.start()
        os.dup2 = self._noting_dup2()

    def take(self) -> None:
        """Put the pipes in place of the descriptors."""
        for write_fd, number in self._places:
            _dup2(write_fd, number)

    def give_back(self) -> None:
        """Put the descriptors back as they were, until `take`."""
        for name, fd in self.outside.items():
            _dup2(fd, NUMBERS[name])

    def close(self) -> None:
        os.dup2 = _dup2
        self.give_back()
        with self.lock:
            for pipe in self._pipes.values():
                self._drain(pipe)
                pipe.seal()
            self._closed = True  # an abandoned step may still print
        os.write(self._waker, b".")
        self._thread.join()
        for pipe in self._pipes.values():
            if not _is_finished(pipe):
                _let_live(pipe, self.outside.get(pipe.name) if self._echo else None)
        self._close_all()

    def replaced(self, name: str) -> bool:
        """Whether the step has put something else in the place of a descriptor, so that what it
        prints goes there, as in a program of its own. With several steps at once, it is nobody's
        alone, and goes to the log."""
        if self._several or not self.moved or name not in self._shared:
            return False
        try:
            return os.fstat(NUMBERS[name]).st_ino != self._shared[name].inode
        except OSError:
            return False  # the step has closed it

    def of_step(self, name: str) -> int:
        """A descriptor for a child of the step of this thread. Raises `LookupError` without one."""
        sink = current_sink()
        if sink is None or name not in self._shared or self.replaced(name):
            raise LookupError
        with self.lock:
            pipes = self._of_step.setdefault(sink, {})
            if name not in pipes:
                pipes[name] = self._open(name, sink)
            return pipes[name].write_fd

    def catch_up(self, name: str, sink: StepSink) -> None:
        """Pass on what was written to a stream until now."""
        if name in self._shared:
            self._drain(self._shared[name])
            if self._of_step:
                own = self._of_step.get(sink, {}).get(name)
                if own is not None:
                    self._drain(own)

    def end_step(self, sink: StepSink) -> None:
        """Pass on all that a step and its children have written. What children that outlive it
        write later is read and dropped."""
        with self.lock:
            if self._closed:
                return
            if self._any_shared.poll(0):
                for pipe in self._shared.values():
                    self._drain(pipe)
            for pipe in self._shared.values() if any_hidden() else ():
                self._pass_rest(pipe)
            if self._of_step:
                for pipe in self._of_step.pop(sink, {}).values():
                    self._drain(pipe)
                    self._pass_rest(pipe)
                    pipe.seal()
            self.moved = False
            for write_fd, number in self._places:  # the step may have closed them
                _dup2(write_fd, number)

    def before_fork(self) -> None:
        """Prepare the pipes of the step that forks, and let nobody read or write one meanwhile."""
        self.lock.acquire()
        if not self._closed:
            for name in NUMBERS:
                with suppress(LookupError):
                    self.of_step(name)

    def drop_in_child(self) -> None:
        """In a forked child: write to its step, or to where the program writes outside a run."""
        os.dup2 = _dup2
        pipes = self._of_step.get(current_sink(), {})  # type: ignore[arg-type]
        for name, fd in self.outside.items():
            if not self.replaced(name):
                _dup2(pipes[name].write_fd if name in pipes else fd, NUMBERS[name])
        self._close_all()

    def _noting_dup2(self) -> Callable[..., int]:
        def dup2(fd: int, fd2: int, inheritable: bool = True) -> int:
            if fd2 in NUMBERS.values() and current_sink() is not None:
                self.moved = True
            return _dup2(fd, fd2, inheritable)

        # A pickle names it, as in `Pool(initializer=os.dup2, …)`.
        dup2.__module__, dup2.__qualname__ = "os", "dup2"
        return dup2

    def _open(self, name: str, sink: StepSink | None = None) -> _Pipe:
        pipe = _Pipe(name, sink)
        self._pipes[pipe.fd] = pipe
        self._poll.register(pipe.fd, select.POLLIN)
        if self._thread.is_alive():
            os.write(self._waker, b".")
        return pipe

    def _serve(self) -> None:
        while not self._closed:
            for fd, _ in self._poll.poll():
                if fd == self._wake:
                    os.read(fd, _CHUNK)
                    continue
                with self.lock:
                    pipe = self._pipes.get(fd)
                    if pipe is not None and not self._read(pipe, _CHUNK):
                        self._poll.unregister(fd)
                        del self._pipes[fd]
                        pipe.close()

    def _drain(self, pipe: _Pipe) -> None:
        """Read what is in the pipe now and no more: a child may never stop writing."""
        with self.lock:
            left = 0 if self._closed else pipe.waiting()
            while left > 0 and self._read(pipe, left):
                left -= _CHUNK

    def _read(self, pipe: _Pipe, count: int) -> bool:
        """Read from a pipe. False at its end."""
        try:
            data = os.read(pipe.fd, min(count, _CHUNK))
        except BlockingIOError:
            return True  # another thread was faster
        if data:
            with suppress(Exception):  # the reader must go on, or the step would wait for ever
                self._pass_on(pipe, data)
        return bool(data)

    def _pass_on(self, pipe: _Pipe, data: bytes) -> None:
        self._pass_text(pipe, *pipe.masked(data))

    def _pass_rest(self, pipe: _Pipe) -> None:
        rest = pipe.rest()
        if rest:
            self._pass_text(pipe, rest, rest.encode("utf-8", "backslashreplace"))

    def _pass_text(self, pipe: _Pipe, text: str, data: bytes) -> None:
        steps = [pipe.sink] if pipe.sink is not None else running()
        if len(steps) == 1:
            steps[0].output(pipe.name, text)
        else:
            for sink in steps:
                sink.log("INFO", _shared_text(pipe.name, text), {})
        if self._echo or not steps:
            self._echo_bytes(pipe.name, data)

    def _echo_bytes(self, name: str, data: bytes) -> None:
        with suppress(OSError):  # a full disk must not fail the step; the sink has the text
            while data:
                data = data[os.write(self.outside[name], data) :]

    def _close_all(self) -> None:
        for pipe in self._pipes.values():
            pipe.close()
        for fd in (*self.outside.values(), self._wake, self._waker):
            os.close(fd)
        self._pipes.clear()


def _shared_text(name: str, text: str) -> str:
    return f"std{name} of the process, from this step or one that ran beside it: {text.rstrip()}"


def _is_finished(pipe: _Pipe) -> bool:
    """Whether no process can write to the pipe any longer."""
    ready = select.poll()
    ready.register(pipe.fd, 0)
    return bool(ready.poll(0))


def _let_live(pipe: _Pipe, to: int | None) -> None:
    """Have a process of its own read the pipe, and write to `to` if that is given. A child that
    outlives the run would otherwise be killed when it writes.

    It gets no other descriptor: libraries make theirs inheritable, and the helper processes of
    `multiprocessing` and joblib end only when nobody holds the other end of theirs.
    """
    os.set_blocking(pipe.fd, True)  # as `cat` expects
    command = ["/bin/sh", "-c", "exec 3<&0; cat <&3 3<&- 2>/dev/null &"]
    with suppress(OSError):
        subprocess.Popen(
            command, stdin=pipe.fd, stdout=subprocess.DEVNULL if to is None else to
        ).wait()


def not_standard(fd: int) -> int:
    """`fd`, or a copy in its place if a step has closed a standard stream and `fd` took its number:
    what is printed must not end up in the file."""
    if fd >= _FIRST_FREE:
        return fd
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)
    finally:
        os.close(fd)


_lines_at_once = False


def write_lines_at_once() -> None:
    """Make the C library write each line that C code prints at once. It would hold back what goes
    to a pipe, until another step runs or the program ends. Needs `ctypes` to be imported: without
    it, little C code prints."""
    global _lines_at_once
    if _lines_at_once:
        return
    _lines_at_once, ctypes = True, sys.modules["ctypes"]
    with suppress(Exception):  # another C library
        library = ctypes.CDLL(None)
        name = "__stdoutp" if sys.platform == "darwin" else "stdout"
        stream = ctypes.c_void_p.in_dll(library, name)
        library.fflush(stream)
        library.setvbuf(stream, None, _BY_LINES, ctypes.c_size_t(0))

"""Records what each step prints, logs and warns, and ends with it what it does to its process.

A run captures the streams, descriptors, logging and warnings of its process once; `begin_output`
says which step a thread works for. A forked child gets back what a plain program has.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from assetgraph.process import current_step
from assetgraph.process.child_programs import watch_children
from assetgraph.process.descriptors import Descriptors, write_lines_at_once
from assetgraph.process.logs import Logs, print_logs_from_now_on
from assetgraph.process.secrets import any_hidden
from assetgraph.process.streams import Streams
from assetgraph.process.surroundings import Surroundings, forget_changes

if TYPE_CHECKING:
    from assetgraph.process.current_step import Outside
    from assetgraph.process.step_sink import StepSink

_lock = threading.Lock()
_capture: _Capture | None = None
_SHARED = (
    "changed while this step ran: {}. Steps that run at the same time in one process share that. "
    "It is put back now. Use the executor processes to keep steps apart."
)

_EXIT = (
    "The run is interrupted: a step ended its process with os._exit({}). "
    "To see which: assetgraph status"
)


# Two functions, since a context manager would cost each step more than all that they do.
def begin_output(sink: StepSink) -> Outside:
    """Send the output, log records and warnings of this thread to `sink`, until `end_output` gets
    what this returns."""
    if _capture is not None:
        _capture.look_for_c_code()  # a worker has loaded the project since the capture began
    return current_step.enter(sink)


def end_output(sink: StepSink, outside: Outside) -> None:
    """Complete the output of a step, and undo what it has changed in its process."""
    if _capture is not None:
        _capture.end_step(sink)
    current_step.leave(sink, outside)


@contextmanager
def captured(
    *, echo: bool = True, streams: bool = True, descriptors: bool = True, shared: bool = False
) -> Iterator[None]:
    """Capture this process until the block ends. The first of several runs decides how.

    With `echo`, output still goes to where it would without a run. Without `streams`, output is
    left alone, and without `descriptors`, that of child programs and C libraries. `shared` says
    that several steps may run at once.
    """
    global _capture
    with _lock:
        if _capture is None:
            _capture = _Capture(echo, streams, descriptors, shared)
        mine = _capture
        mine.runs += 1
    try:
        yield
    finally:
        with _lock:
            mine.runs -= 1
            if mine.runs == 0:
                _capture = None
                if "assetgraph.process.reads.watch" in sys.modules:  # a step was observed
                    # An import waits for a thread whose step is importing it at this moment.
                    from assetgraph.process.reads.watch import stop_watching

                    stop_watching()
                mine.close()


def step_aside() -> None:
    """Give the terminal to a debugger until the step ends: nothing is captured."""
    if _capture is not None and _capture.streams is not None:
        _capture.streams.give_back()
        if _capture.descriptors is not None:
            _capture.descriptors.give_back()
        _capture.stepped_aside = True


class _Capture:
    """All that is captured in this process."""

    def __init__(self, echo: bool, streams: bool, descriptors: bool, shared: bool) -> None:
        self.runs = 0
        self.stepped_aside = False
        self._shared = shared
        self.descriptors = Descriptors(echo, shared) if streams and descriptors else None
        if self.descriptors is not None:
            self.descriptors.open()
        self.streams = Streams(echo, self.descriptors) if streams else None
        self.logs = Logs(self.streams)
        self.surroundings = Surroundings()
        self._undo: list[Callable[[], None]] = []
        for part in (self.descriptors, self.streams, self.logs, self.surroundings):
            if part is not None:
                part.start()
        self._by_lines = False
        self.look_for_c_code()
        self._undo.append(_threads_join_steps())
        if self.streams is not None:
            self._undo.append(_exits_are_told(self.streams))
        if self.descriptors is not None:
            self._undo.append(watch_children(self.descriptors))

    def look_for_c_code(self) -> None:
        """Have C code write its lines at once, as soon as `ctypes` is there to call it."""
        if not self._by_lines and "ctypes" in sys.modules:
            self._by_lines = True
            write_lines_at_once()

    def end_step(self, sink: StepSink) -> None:
        """Complete the output of a step, and undo what it has changed."""
        self.look_for_c_code()
        streams = self.streams
        if streams is not None:
            closed = streams.settle()
            if any_hidden():
                streams.out.end_step(sink)
                streams.err.end_step(sink)
            if self.descriptors is not None:
                self.descriptors.end_step(sink)
            if closed:
                streams.open_again()
            if self.stepped_aside:
                self.stepped_aside = False
                streams.start()
            elif (sys.stdout is not streams.out or sys.stderr is not streams.err) and len(
                current_step.running()
            ) == 1:
                streams.take()
        changed = self.surroundings.end_step(sink)
        if self.logs.end_step():
            changed.append("the configuration of logging")
        if changed and self._shared:
            sink.log("WARNING", _SHARED.format(", ".join(changed)), {})

    def close(self) -> None:
        for undo in reversed(self._undo):
            undo()
        for part in (self.surroundings, self.logs, self.streams, self.descriptors):
            if part is not None:
                part.close()

    def before_fork(self) -> None:
        if self.streams is not None:
            self.streams.settle()
        if self.descriptors is not None:
            self.descriptors.before_fork()

    def after_fork(self) -> None:
        if self.descriptors is not None:
            self.descriptors.lock.release()

    def drop_in_child(self) -> None:
        for undo in reversed(self._undo):
            undo()
        self.surroundings.drop_in_child()
        self.logs.give_back()
        if self.streams is not None:
            self.streams.give_back()
        if self.descriptors is not None:
            self.descriptors.drop_in_child()


def _threads_join_steps() -> Callable[[], None]:
    """Have threads work for the step that starts them, until the call of what this returns."""
    start = threading.Thread.start

    def start_for_step(thread: threading.Thread) -> None:
        current_step.join_step(thread)
        start(thread)

    threading.Thread.start = start_for_step  # type: ignore[method-assign, assignment]

    def undo() -> None:
        threading.Thread.start = start  # type: ignore[method-assign]

    return undo


def _exits_are_told(streams: Streams) -> Callable[[], None]:
    """Have `os._exit` in a step say what it does: nothing else could."""
    leave = os._exit

    def tell_and_leave(status: int) -> NoReturn:
        sink = current_step.current_sink()
        if sink is not None:
            sink.log("ERROR", f"it ended the process of the run with os._exit({status})", {})
            streams.tell(f"\n{_EXIT.format(status)}\n")
        leave(status)

    os._exit = tell_and_leave

    def undo() -> None:
        os._exit = leave

    return undo


_forking: dict[int, _Capture] = {}  # by thread


def _before_fork() -> None:
    if _capture is not None:
        _capture.before_fork()
        _forking[threading.get_ident()] = _capture


def _after_fork() -> None:
    capture = _forking.pop(threading.get_ident(), None)
    if capture is not None:
        capture.after_fork()


def _in_child() -> None:
    """Give a forked child what a plain program has: its output still goes to its step."""
    global _capture, _lock
    _lock = threading.Lock()
    capture = _forking.pop(threading.get_ident(), None)
    if capture is not None:
        print_logs_from_now_on()
        capture.drop_in_child()
    _forking.clear()
    _capture = None
    current_step.no_step()
    forget_changes()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)

"""Which step a thread works for, and whether it is importing.

A context variable names the step. Threads do not inherit context variables: a thread belongs to the
step that starts it, until the end of that step.
"""

from __future__ import annotations

import os
import sys
import threading
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from assetgraph.process.step_sink import StepSink

_RUN = os.path.join(os.path.dirname(os.path.dirname(__file__)), "run") + os.sep
_IMPORT = "<frozen importlib._bootstrap>"

_current: ContextVar[StepSink | None] = ContextVar("sink", default=None)
active: list[StepSink] = []
_covered: list[StepSink] = []  # those in which another run's step runs
_of_thread: WeakKeyDictionary[threading.Thread, StepSink] = WeakKeyDictionary()


Outside = Token["StepSink | None"]  # what a thread works for outside its step


def enter(sink: StepSink) -> Outside:
    """Make `sink` the step of this thread, until `leave` gets what this returns."""
    if active:
        outer = current_sink()
        if outer is not None:
            _covered.append(outer)
    active.append(sink)
    return _current.set(sink)


def leave(sink: StepSink, outside: Outside) -> None:
    active.remove(sink)
    _current.reset(outside)
    if _covered:
        outer = current_sink()
        if outer in _covered:
            _covered.remove(outer)


def current_sink() -> StepSink | None:
    """The sink of the step that this thread works for."""
    sink = _current.get()
    if sink is None and _of_thread:
        sink = _of_thread.get(threading.current_thread())
        if sink not in active:
            return None
    return sink


def running() -> list[StepSink]:
    """The sinks of the steps that run now, without those that wait for a run of their own."""
    return [sink for sink in tuple(active) if sink not in _covered]


def join_step(thread: threading.Thread) -> None:
    """Let `thread` work for the step that starts it."""
    sink = current_sink()
    if sink is not None:
        _of_thread[thread] = sink


def no_step() -> None:
    """Forget every step, in a forked child."""
    _current.set(None)
    active.clear()
    _covered.clear()
    _of_thread.clear()


def is_importing() -> bool:
    """Whether the caller runs below an import that its step makes."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if file == _IMPORT:
            return True
        if file.startswith(_RUN):  # here the step begins
            return False
        frame = frame.f_back  # type: ignore[assignment]
    return False

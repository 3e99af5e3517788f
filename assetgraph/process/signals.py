"""Delays Ctrl-C, SIGTERM and SIGHUP to the points where a run can be interrupted.

These points are the code of a step and the waits of the runner. Between an action and its record,
signals are held back.
"""

from __future__ import annotations

import os
import signal
import threading

# `signal.getsignal` converts its result to an enum, which is too slow to do for each step.
from _signal import getsignal as _getsignal  # type: ignore[import-not-found]
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_holder: int | None = None  # the thread in `held_back`
_open = False
_pending: list[Callable[[], Any]] = []
_installed: dict[signal.Signals, Any] = {}
_program: dict[signal.Signals, Any] = {}  # the handlers that ours replaced
_told: type[KeyboardInterrupt] | None = None


class Terminated(KeyboardInterrupt):
    """The process received SIGTERM."""

    exit_code = 143


class HungUp(Terminated):
    """The process received SIGHUP: its terminal was closed."""

    exit_code = 129


def raise_on_termination() -> None:
    """Make SIGTERM raise `Terminated` and SIGHUP `HungUp`, so that the current run is recorded as
    canceled.

    Call it in the main thread. It replaces the program's own handlers. A SIGHUP that is ignored, as
    with `nohup`, stays ignored.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue
        before = signal.signal(number, _raise_terminated)
        if before is not _raise_terminated:
            _program[number] = before


@contextmanager
def held_back() -> Iterator[None]:
    """Hold back signals that have a Python handler, until `let_through` or the end of the block.

    A second signal is handled at once: the person insists. Only the main thread receives signals;
    in any other thread this does nothing.
    """
    global _holder, _open, _told
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    outside = _holder, _open
    handlers = {}
    if _holder is None:
        _told = None
        handlers = _hold()
    _holder, _open = threading.get_ident(), False
    try:
        yield
    finally:
        _holder, _open = outside
        for number, handler in handlers.items():
            signal.signal(number, handler)
            del _installed[number]
            if handler is not _raise_terminated:
                del _program[number]
        if _holder is None or _open:
            _deliver()


class let_through:  # noqa: N801 - used as a function; a generator would cost each step more
    """A block in which signals are handled when they arrive, and held ones when it starts."""

    __slots__ = ("_outside",)

    def __enter__(self) -> None:
        global _open
        if _holder == threading.get_ident():
            self._outside: bool | None = _open
            _open = True
            if _pending:
                try:
                    _deliver()
                except BaseException:
                    _open = self._outside
                    raise
        else:
            self._outside = None

    def __exit__(self, *exception: object) -> None:
        global _open
        if self._outside is not None:
            _open = self._outside


def raise_if_told() -> None:
    """Handle the signal that is held back, if any, and raise again the interrupt that a signal
    raised since the outermost `held_back` began: a step may have caught it and ended normally."""
    if _pending and _holder == threading.get_ident():
        _deliver()
    if _told is not None and threading.current_thread() is threading.main_thread():
        raise _told


def hold_again() -> None:
    """Reinstall the handlers of `held_back`.

    A step may have left its own handlers: then nothing could interrupt the rest of the run.
    """
    if _holder == threading.get_ident():
        for number, handler in _installed.items():
            if _getsignal(number) is not handler:
                signal.signal(number, handler)


def _hold() -> dict[signal.Signals, Any]:
    handlers = {}
    for number in _SIGNALS:
        handler = signal.getsignal(number)
        if callable(handler):
            handlers[number] = handler
            _installed[number] = _holding_handler(handler)
            _program.setdefault(number, handler)
            signal.signal(number, _installed[number])
    return handlers


def _holding_handler(
    handler: Callable[[int, FrameType | None], Any],
) -> Callable[[int, FrameType | None], None]:
    def hold(number: int, frame: FrameType | None) -> None:
        if _open or _pending:
            _pending.clear()
            tell(number, frame)
        else:
            _pending.append(lambda: tell(number, frame))

    def tell(number: int, frame: FrameType | None) -> None:
        global _told
        try:
            handler(number, frame)
        except KeyboardInterrupt as interrupt:
            _told = type(interrupt)
            raise

    return hold


def _deliver() -> None:
    if _pending:
        handle = _pending.pop()
        _pending.clear()
        handle()


def _raise_terminated(number: int, _frame: FrameType | None) -> None:
    raise HungUp if number == signal.SIGHUP else Terminated


# A signal that arrives between a fork and the child's own handlers must wait: our handler would
# take it, and lose it. So a pool that ends its workers would wait for ever.
_masks: dict[int, Any] = {}  # by thread


def _before_fork() -> None:
    if _program:
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        _masks[threading.get_ident()] = mask


def _after_fork() -> None:
    mask = _masks.pop(threading.get_ident(), None)
    if mask is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _in_child() -> None:
    """Give a forked child the handlers that the program has without a run."""
    global _holder, _open, _told
    for number, handler in _program.items():
        if _getsignal(number) in (_installed.get(number), _raise_terminated):
            signal.signal(number, handler)
    _holder, _open, _told = None, False, None
    _pending.clear()
    _installed.clear()
    _program.clear()
    _after_fork()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)

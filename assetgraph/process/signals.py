"""Ctrl-C and SIGTERM reach a run where it can take them: while a step works or the runner waits,
never between a fact and its record."""

from __future__ import annotations

import signal
import threading

# `signal.getsignal` looks for its answer in an enum: too slow for a question asked at each step.
from _signal import getsignal as _getsignal  # type: ignore[import-not-found]
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_holding = False
_open = False
_pending: list[Callable[[], Any]] = []
_installed: dict[signal.Signals, Any] = {}
_told: type[KeyboardInterrupt] | None = None


class Terminated(KeyboardInterrupt):
    """The process was told to end by SIGTERM."""

    exit_code = 143


def raise_on_sigterm() -> None:
    """From now on SIGTERM raises `Terminated`, so that a run is recorded as canceled. For the
    main thread of a program that does nothing else."""
    signal.signal(signal.SIGTERM, _raise_terminated)


@contextmanager
def held_back() -> Iterator[None]:
    """Hold back the signals whose handlers are Python's until `let_through`, or the end.

    Only the main thread gets signals; elsewhere this does nothing. A signal that comes while
    another is held back is let through at once: the person means it.
    """
    global _holding, _open, _told
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    outside = _holding, _open
    if not _holding:
        _told = None
    handlers = {} if _holding else _hold()
    _holding, _open = True, False
    try:
        yield
    finally:
        _holding, _open = outside
        for number, handler in handlers.items():
            signal.signal(number, handler)
            del _installed[number]
        if not _holding or _open:
            _deliver()


class let_through:  # noqa: N801 - used as a function; a generator would cost each step more
    """A context in which signals that were held back come at once, and others as they come."""

    __slots__ = ("_outside",)

    def __enter__(self) -> None:
        global _open
        if _holding and threading.current_thread() is threading.main_thread():
            self._outside: bool | None = _open
            _open = True
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
    """Raise what a signal raised since the outermost `held_back` began: a step may have caught it,
    and ended as if nothing had been."""
    if _told is not None and threading.current_thread() is threading.main_thread():
        raise _told


def hold_again() -> None:
    """Put back the handlers of `held_back`: a step may have left its own, and the rest of the run
    could not be interrupted."""
    if threading.current_thread() is threading.main_thread():
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


def _raise_terminated(_number: int, _frame: FrameType | None) -> None:
    raise Terminated

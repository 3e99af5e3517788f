"""What a step changes in its process and should not leave to the next: environment variables, the
working folder, the umask, the filters of warnings and signal handlers. What an import inside the
step has set up stays."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import os
import signal
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any

from assetgraph.process.current_step import current_sink, is_importing, running
from assetgraph.process.reads.variables import NotedEnviron

if TYPE_CHECKING:
    from assetgraph.process.step_sink import StepSink

_FILTER_SETTERS = ("filterwarnings", "simplefilter", "resetwarnings")
_TIMERS: dict[int, int] = {
    signal.SIGALRM: signal.ITIMER_REAL,
    signal.SIGVTALRM: signal.ITIMER_VIRTUAL,
    signal.SIGPROF: signal.ITIMER_PROF,
}


class Surroundings:
    """The environment, the working folder, the umask, the filters of warnings and the signals of
    this process, watched from `start` to `close`."""

    def __init__(self) -> None:
        self._environ = os.environ
        self._environ_class = type(os.environ)
        self._folder, self._folder_fd = b"", -1
        self._set_umask = os.umask
        self._umask: int | None = None  # that of the run, if a step has set another
        self._filter_setters = {name: getattr(warnings, name) for name in _FILTER_SETTERS}
        self._filters: list[Any] = []
        self._filtered: set[StepSink] = set()  # the steps that have set filters
        self._set_handler = _signal.signal
        self._replaced: dict[StepSink, dict[int, Any]] = {}  # handlers, by signal

    def start(self) -> None:
        with suppress(OSError):  # it was deleted
            self._folder = os.getcwdb()
            self._folder_fd = os.open(".", getattr(os, "O_PATH", os.O_RDONLY))
        os.umask = self._noting_umask()
        self._filters = list(warnings.filters)
        for name, setter in self._filter_setters.items():
            setattr(warnings, name, self._noting_filters(setter))
        _signal.signal = self._note_handler
        with suppress(TypeError):  # a program may have put its own in its place
            self._environ.__class__ = _WatchedEnviron

    def close(self) -> None:
        self.give_back()
        if self._folder_fd >= 0:
            self._go_back()
            os.close(self._folder_fd)

    def give_back(self) -> None:
        os.environ = self._environ  # noqa: B003 - a step may have replaced it
        self._environ.__class__ = self._environ_class
        os.umask = self._set_umask
        for name, setter in self._filter_setters.items():
            setattr(warnings, name, setter)
        _signal.signal = self._set_handler

    def drop_in_child(self) -> None:
        """Give a forked child what a plain program has. The variables that it reads still count."""
        self.give_back()
        if self._environ_class is os._Environ:
            self._environ.__class__ = NotedEnviron

    def end_step(self, sink: StepSink) -> list[str]:
        """Undo what the step has changed, and name it."""
        changed = []
        if _changes:
            changed += [f"os.environ[{key!r}]" for key in _undo_environ(self._environ, sink)]
        if os.environ is not self._environ:
            os.environ = self._environ  # noqa: B003
            changed.append("os.environ")
        try:
            moved = os.getcwdb() != self._folder
        except OSError:  # its folder was deleted
            moved = True
        if moved and self._folder_fd >= 0:
            self._go_back()
            changed.append("the working folder")
        if self._umask is not None:
            self._set_umask(self._umask)
            self._umask = None
            changed.append("the umask")
        if warnings.filters != self._filters:
            if sink in self._filtered:
                changed.append("the filters of warnings")
            self._put_filters_back()
        self._filtered.discard(sink)
        if sink in self._replaced:
            self._put_handlers_back(self._replaced.pop(sink))
        return changed

    def _go_back(self) -> None:
        with suppress(OSError):
            os.fchdir(self._folder_fd)

    def _noting_umask(self) -> Callable[[int], int]:
        """`os.umask`, which notes what a step replaces."""

        def set_umask(mask: int) -> int:
            before = self._set_umask(mask)
            if current_sink() is not None and not is_importing():
                self._umask = before if self._umask is None else self._umask
            return before

        # A pickle names it, as in `Pool(initializer=os.umask, …)`.
        set_umask.__module__, set_umask.__qualname__ = "os", "umask"
        return set_umask

    def _noting_filters(self, setter: Callable[..., None]) -> Callable[..., None]:
        """A function of `warnings` that sets filters. What an import sets belongs to the run."""

        @wraps(setter)
        def set_filters(*given: Any, **named: Any) -> None:
            before = list(warnings.filters)
            setter(*given, **named)
            sink = current_sink()
            if sink is not None and not is_importing():
                self._filtered.add(sink)
            elif sink is not None:
                added = [one for one in warnings.filters if one not in before]
                self._filters = added + [one for one in self._filters if one not in added]

        return set_filters

    def _put_filters_back(self) -> None:
        if len(running()) > 1:  # another step may rely on those that it has set
            return
        warnings.filters[:] = self._filters  # type: ignore[index]
        with warnings.catch_warnings():  # where this begins, Python takes note of other filters
            pass

    def _note_handler(self, number: int, handler: Any) -> Any:
        """Do what `signal.signal` asks for, and note what the step replaces."""
        before = self._set_handler(number, handler)  # raises outside the main thread
        sink = current_sink()
        if sink is not None:
            replaced = self._replaced.setdefault(sink, {})
            if is_importing():
                replaced.pop(number, None)
            else:
                replaced.setdefault(number, before)
        return before

    def _put_handlers_back(self, replaced: dict[int, Any]) -> None:
        for number, before in replaced.items():
            if before is None:  # a C library has set it, and only that can set it again
                continue
            if number in _TIMERS:  # it would otherwise kill the run
                signal.setitimer(_TIMERS[number], 0)
            self._set_handler(number, before)


_changes: dict[str, tuple[str | None, set[StepSink]]] = {}
_lock = threading.Lock()


class _WatchedEnviron(NotedEnviron):
    """`os.environ` during a run: it knows which step has changed what."""

    def __setitem__(self, key: str, value: str) -> None:
        before = _before(self, key)
        super().__setitem__(key, value)
        _note(key, before)

    def __delitem__(self, key: str) -> None:
        before = _before(self, key)
        super().__delitem__(key)
        _note(key, before)


def _before(environ: Any, key: object) -> str | None:
    try:
        return os._Environ.__getitem__(environ, key)  # type: ignore[no-any-return]
    except (KeyError, TypeError):
        return None


def _note(key: str, before: str | None) -> None:
    sink = current_sink()
    if sink is None:
        return
    with _lock:
        if is_importing():
            _changes.pop(key, None)
        else:
            _changes.setdefault(key, (before, set()))[1].add(sink)


def _undo_environ(environ: Any, sink: StepSink) -> list[str]:
    """Restore the variables that no other running step has changed too."""
    changed = []
    with _lock:
        mine = [key for key, (_, sinks) in _changes.items() if sink in sinks]
        for key in mine:
            before, sinks = _changes[key]
            sinks.discard(sink)
            if _before(environ, key) == before:
                if not sinks:
                    del _changes[key]
                continue
            changed.append(key)
            if sinks:
                continue
            del _changes[key]
            if before is None:
                os._Environ.__delitem__(environ, key)
            else:
                os._Environ.__setitem__(environ, key, before)
    return changed


def forget_changes() -> None:
    """Forget what steps have changed, in a forked child."""
    global _lock
    _lock = threading.Lock()
    _changes.clear()

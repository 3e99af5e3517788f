"""Sends log records and warnings to the step that they come from, and undoes what a step does to
the logging of the program."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from assetgraph.process.current_step import current_sink, is_importing
from assetgraph.process.streams import Streams, muted

if TYPE_CHECKING:
    from assetgraph.process.step_sink import StepSink

_State = tuple[int, bool, bool, tuple[logging.Handler, ...], tuple[Any, ...]]
_CHANGES = ("addHandler", "removeHandler", "addFilter", "removeFilter")
_SETTINGS = ("level", "propagate", "disabled", "handlers", "filters")
_in_child = False


class SinkHandler(logging.Handler):
    """Sends log records to the sink of one step."""

    def __init__(self, sink: StepSink) -> None:
        super().__init__()
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        _log(self._sink, record)


class _RoutingHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        sink = current_sink()
        if sink is not None:
            _log(sink, record)


class Logs:
    """The logging and the warnings of this process, from `start` to `close`.

    Every step finds the handlers and levels with which the run began, and what imports have added
    since. A logger that only a step has made is like a new one afterwards. `streams` are the
    redirected streams, if there are any.
    """

    def __init__(self, streams: Streams | None) -> None:
        self._streams = streams
        self._root = logging.getLogger()
        self._handler = _RoutingHandler()
        self._showwarning = warnings.showwarning
        self._level = self._root.level
        self._changed = False
        self._states: dict[logging.Logger, _State] = {}
        self._disable = self._root.manager.disable
        self._methods: list[tuple[type, str, Any]] = []

    def start(self) -> None:
        root = self._root
        if not root.handlers and self._level == logging.WARNING:  # the program did not configure it
            root.setLevel(logging.INFO)
        root.addHandler(self._handler)
        warnings.showwarning = _show_warning
        self._states = {logger: _state(logger) for logger in _loggers(root)}
        for name in _CHANGES:
            self._replace(logging.Logger, name, self._noting)
        self._replace(logging.Logger, "__setattr__", self._noting_settings)
        self._replace(logging.Handler, "handle", self._once)

    def close(self) -> None:
        self.give_back()
        self._root.removeHandler(self._handler)
        self._root.setLevel(self._level)

    def give_back(self) -> None:
        """Put back what a plain program has, except the level of the root logger."""
        for owner, name, method in self._methods:
            if method is None:
                delattr(owner, name)
            else:
                setattr(owner, name, method)
        self._methods.clear()
        warnings.showwarning = self._showwarning
        if self._handler in self._root.handlers:
            self._root.handlers.remove(self._handler)

    def end_step(self) -> bool:
        """Undo what the step has changed, and return whether that was anything."""
        if warnings.showwarning is not _show_warning:
            if warnings.showwarning is getattr(logging, "_showwarning", None):
                logging.captureWarnings(False)
            warnings.showwarning = _show_warning
        root, known = self._root, self._states
        if not (
            self._changed
            or root.level != known[root][0]
            or self._handler not in root.handlers
            or self._handler.level
            or self._handler.filters
            or root.manager._disable != self._disable  # type: ignore[attr-defined]
        ):
            return False
        for logger, state in tuple(known.items()):
            _put(logger, state)
        logging.disable(self._disable)
        self._handler.level, self._handler.filters = logging.NOTSET, []
        self._changed = False
        return True

    def _replace(self, owner: type, name: str, wrap: Callable[[Any], Any]) -> None:
        self._methods.append((owner, name, vars(owner).get(name)))
        setattr(owner, name, wrap(getattr(owner, name)))

    def _noting(self, method: Callable[..., None]) -> Callable[..., None]:
        """A method of loggers that notes who changes one: an import's change stays."""

        def change(logger: logging.Logger, *given: Any, **named: Any) -> None:
            known = self._states
            if logger not in known and logger.manager.loggerDict.get(logger.name) is not logger:
                method(logger, *given, **named)  # it is nobody else's, as the one of a context
                return
            lasts = current_sink() is None or is_importing()
            if not lasts:
                known.setdefault(logger, _state(logger))
            method(logger, *given, **named)
            if lasts:
                known[logger] = _state(logger)
            else:
                self._changed = True

        return change

    def _noting_settings(self, method: Callable[..., None]) -> Callable[..., None]:
        change = self._noting(method)

        def set_attribute(logger: logging.Logger, name: str, value: Any) -> None:
            if name in _SETTINGS and "_cache" in vars(logger):  # else it is being made
                change(logger, name, value)
            else:
                method(logger, name, value)

        return set_attribute

    def _once(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """`Handler.handle`, which does not print what the step's log already has."""

        def handle(handler: logging.Handler, record: logging.LogRecord) -> Any:
            ours = isinstance(handler, _RoutingHandler | SinkHandler)
            if ours or current_sink() is None or not self._is_routed(record):
                return method(handler, record)
            if self._streams is None:
                return None if _prints(handler) else method(handler, record)
            with muted():
                return method(handler, record)

        return handle

    def _is_routed(self, record: logging.LogRecord) -> bool:
        """Whether the record reaches our handler, at the root."""
        logger: Any = self._root.manager.loggerDict.get(record.name, self._root)
        while isinstance(logger, logging.Logger) and logger.propagate and logger.parent is not None:
            logger = logger.parent
        return logger is self._root and self._handler in self._root.handlers


def print_logs_from_now_on() -> None:
    """In a forked child, which has no step, print what goes to the log of one."""
    global _in_child
    _in_child = True


def _loggers(root: logging.Logger) -> Iterator[logging.Logger]:
    yield root
    for logger in tuple(root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            yield logger


def _state(logger: logging.Logger) -> _State:
    handlers, filters = tuple(logger.handlers), tuple(logger.filters)
    return logger.level, logger.propagate, logger.disabled, handlers, filters


def _put(logger: logging.Logger, state: _State) -> None:
    if _state(logger) != state:
        level, propagate, disabled, handlers, filters = state
        # Not as attributes, which are noted.
        vars(logger).update(level=level, propagate=propagate, disabled=disabled)
        logger.handlers[:], logger.filters[:] = handlers, filters
        logger.manager._clear_cache()  # type: ignore[attr-defined]


def _prints(handler: logging.Handler) -> bool:
    """Whether a handler writes to a standard stream."""
    console = getattr(handler, "console", None)
    stream = getattr(handler, "stream", None) or getattr(console, "file", None)
    return stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)


def _log(sink: StepSink, record: logging.LogRecord) -> None:
    try:
        message = record.getMessage()
    except Exception as error:  # a bad format string must not fail the step
        message = f"{record.msg} (its arguments do not fit: {error})"
    if record.exc_info and record.exc_info[0]:
        message += "\n" + logging.Formatter().formatException(record.exc_info)
    if _in_child:
        print(f"{record.levelname} {message}", file=sys.stderr, flush=True)
        return
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
    sink = current_sink()
    if sink is not None and file is None:
        sink.log("WARNING", f"{category.__name__}: {message}", {"file": filename, "line": lineno})
    else:
        stream = file or sys.stderr
        stream.write(warnings.formatwarning(message, category, filename, lineno, line))

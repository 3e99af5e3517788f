"""Brings back what a forked child of a step reads.

The child writes a line for each thing to a file without a name, which it shares with its parent,
who takes the lines when the step ends. A child of the child shares the same file.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from assetgraph.process.reads.current import current_recorder, record_all
from assetgraph.process.reads.recorder import FileRead, Looked, Recorder, quiet

_MOST_BYTES = 1 << 26  # of lines from one child
# The parts of a recorder that are sent, each with how a value becomes plain data and back.
_MAPPINGS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "files": (
        lambda read: (read.stamp, read.digest, read.by_program),
        lambda plain: FileRead(tuple(plain[0]), *plain[1:]),
    ),
    "listings": (sorted, frozenset),
    "patterns": (sorted, frozenset),
    "looked": (list, lambda plain: Looked(plain[0], plain[1] and tuple(plain[1]))),
    "variables": (lambda value: value, lambda plain: plain),
    "assets": (lambda value: value, lambda plain: plain),
    "used": (lambda value: value, lambda plain: plain),
    "folders_of_many": (lambda value: value, lambda plain: plain),
}
_SETS = ("written", "read_before", "removed")
Item = TypeVar("Item")

_forking: dict[int, Recorder] = {}  # by thread


def take_from_children(recorder: Recorder) -> None:
    """Add what forked children have read so far."""
    fd, recorder.children_fd = recorder.children_fd, -1
    if fd < 0:
        return
    import json

    with quiet(), os.fdopen(fd, "rb") as file:
        file.seek(0)
        for line in file:
            # It may be cut, by the death of its writer.
            with suppress(ValueError, TypeError, LookupError):
                _take(recorder, *json.loads(line))


def _take(recorder: Recorder, part: str, key: Any, plain: Any) -> None:
    if part in _SETS:
        getattr(recorder, part).add(key)
    else:
        key = tuple(key) if isinstance(key, list) else key
        getattr(recorder, part).setdefault(key, _MAPPINGS[part][1](plain))


class _Sender:
    """Sends what is added in a forked child to its parent."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.left = _MOST_BYTES

    def send(self, part: str, key: Any, plain: Any = None) -> None:
        import json  # which writes any name of a file, as msgspec does not

        line = json.dumps((part, key, plain)).encode() + b"\n"
        self.left -= len(line)
        if self.left > 0:
            with suppress(OSError):
                os.write(self.fd, line)


class _SentMapping(dict[Any, Any]):
    def __init__(self, part: str, sender: _Sender) -> None:
        super().__init__()
        self._part = part
        self._sender = sender

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self._sender.send(self._part, key, _MAPPINGS[self._part][0](value))

    def setdefault(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]


class _SentSet(set[Item]):
    def __init__(self, part: str, sender: _Sender) -> None:
        super().__init__()
        self._part = part
        self._sender = sender

    def add(self, element: Item) -> None:
        if element not in self:
            super().add(element)
            self._sender.send(self._part, element)


def _before_fork() -> None:
    recorder = current_recorder()
    if recorder is None:
        return
    import json  # noqa: F401 - not in the child, where less may be imported

    if recorder.children_fd < 0:
        with quiet(), suppress(OSError):
            recorder.children_fd = _nameless_file()
    if recorder.children_fd >= 0:
        _forking[threading.get_ident()] = recorder


def _nameless_file() -> int:
    import tempfile  # which takes a moment

    fd, path = tempfile.mkstemp(prefix="assetgraph-")
    try:
        return os.open(path, os.O_RDWR | os.O_APPEND)  # several processes write to it
    finally:
        os.unlink(path)
        os.close(fd)


def _after_fork() -> None:
    _forking.pop(threading.get_ident(), None)


def _in_child() -> None:
    parent = _forking.pop(threading.get_ident(), None)
    _forking.clear()
    if parent is None:
        record_all(None)
        return
    child = Recorder(parent.rules, parent.started_ns)
    child.children_fd = parent.children_fd
    child.own_variables = set(parent.own_variables)
    sender = _Sender(parent.children_fd)
    for part in _MAPPINGS:
        setattr(child, part, _SentMapping(part, sender))
    for part in _SETS:
        setattr(child, part, _SentSet(part, sender))
    record_all(child)


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)

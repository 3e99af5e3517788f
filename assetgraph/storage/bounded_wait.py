"""`BoundedWait`: asks a file system that may never answer, such as a network mount whose server is
gone. The kernel lets no signal end such a call, so a thread makes it and is left behind."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
ANSWER_S = 5.0  # for what a file system knows without reading
READ_S = 120.0  # for the content of a file of up to a gigabyte

_MOUNTS = "/proc/self/mounts"
_KINDS = ("nfs", "cifs", "smb", "fuse", "afs", "ceph", "lustre", "glusterfs", "davfs", "autofs")

Work = Callable[[], Any]


class BoundedWait:
    """Calls functions directly where no network is mounted, and else in a thread for a bounded
    time. What did not answer once is not asked again."""

    def __init__(self) -> None:
        self._mounts = network_mounts(_MOUNTS)
        self._silent: set[str] = set()
        self._work: SimpleQueue[Work | None] | None = None
        self._answers: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

    @property
    def is_needed(self) -> bool:
        return bool(self._mounts)

    def call(self, path: str, function: Callable[[], T], seconds: float) -> T:
        """The result of `function`, which looks at `path`. Raises what it raises, and
        `TimeoutError` if it takes longer than `seconds`."""
        if not self.is_needed:
            return function()
        place = self._place(path)
        if place in self._silent:
            raise TimeoutError(f"{place} does not answer")
        if self._work is None:
            self._start()
        assert self._work is not None
        self._work.put(function)
        try:
            result, error = self._answers.get(timeout=seconds)
        except Empty:
            self._work.put(None)  # should it ever answer, its thread ends
            self._work = None
            self._silent.add(place)
            raise TimeoutError(f"{place} did not answer within {seconds:g} s") from None
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]

    def _place(self, path: str) -> str:
        """The mount that a path is on, or its folder: a link in it may lead to a mount."""
        for mount in self._mounts:
            if path == mount or path.startswith(f"{mount}/"):
                return mount
        return os.path.dirname(path)

    def _start(self) -> None:
        self._work, self._answers = SimpleQueue(), SimpleQueue()
        queues = self._work, self._answers
        threading.Thread(target=_serve, args=queues, name="look", daemon=True).start()


@cache
def network_mounts(mounts: str) -> list[str]:
    """Where file systems of other machines are mounted, the longest paths first, as the file
    `mounts` says."""
    try:
        with open(mounts, encoding="utf-8", errors="surrogateescape") as file:
            lines = [line.split(" ") for line in file]
    except OSError:
        return []  # not on Linux
    found = [words[1] for words in lines if len(words) > 2 and words[2].startswith(_KINDS)]
    return sorted(map(_unescaped, found), key=len, reverse=True)


def _unescaped(path: str) -> str:
    for code, character in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        path = path.replace(code, character)
    return path


def _serve(work: SimpleQueue[Work | None], answers: SimpleQueue[Any]) -> None:
    while (function := work.get()) is not None:
        try:
            answers.put((function(), None))
        except BaseException as error:
            answers.put((None, error))

"""Locks that the kernel drops when their holder dies.

A lock is a `flock` on a file, on a descriptor that no child process inherits: neither across
`exec` (Python's default) nor across `fork` (closed in the child).
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable

from assetgraph.errors import StoreError
from assetgraph.storage.atomic_files import store_error

POLL_S = 0.05
_ASKING_S = 0.0005
_TRIES = 20
_held: set[int] = set()


class Lock:
    """A lock on the file at `path`, which is made where it is missing; exclusive unless
    `shared`."""

    def __init__(self, path: str, *, shared: bool = False) -> None:
        self.path = path
        self._how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        return self._fd is not None

    def acquire(self) -> bool:
        """Take the lock if it is free. Raises `StoreError` where files cannot be locked."""
        fd = _open(self.path)
        try:
            taken = _taken(fd, self._how, self.path)
        except BaseException:
            os.close(fd)
            raise
        if not taken:
            os.close(fd)
            return False
        _held.add(fd)
        self._fd = fd
        return True

    def wait(self, until: Callable[[], bool]) -> bool:
        """Take the lock once it is free. `until` is asked between tries: False gives up."""
        while not self.acquire():
            if not until():
                return False
            time.sleep(POLL_S)
        return True

    def release(self) -> None:
        if self._fd is not None:
            _held.discard(self._fd)
            os.close(self._fd)
            self._fd = None


def is_held(path: str, *, shared: bool = False) -> bool:
    """Whether a living process holds the lock at `path`; with `shared`, even a share of it."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise store_error(error, "open the lock", path) from error
    try:
        return not _flock(fd, fcntl.LOCK_EX if shared else fcntl.LOCK_SH, path)
    finally:
        os.close(fd)


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    except OSError as error:
        raise store_error(error, "open the lock", path) from error


def _taken(fd: int, how: int, path: str) -> bool:
    """Take the lock if it is free. Whoever asks whether it is held has a share of it for a moment,
    which must not look like a holder."""
    for _ in range(_TRIES):
        if _flock(fd, how, path):
            return True
        if how == fcntl.LOCK_SH or not _flock(fd, fcntl.LOCK_SH, path):
            return False
        fcntl.flock(fd, fcntl.LOCK_UN)
        time.sleep(_ASKING_S)
    return False


def _flock(fd: int, how: int, path: str) -> bool:
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
            raise StoreError(
                f"cannot lock {path}: its file system has no locks.",
                hint="Keep the store on a local disk: [tool.assetgraph] store, or --store.",
            ) from error
        raise store_error(error, "lock", path) from error
    return True


def _forget_in_child() -> None:
    for fd in _held:
        os.close(fd)
    _held.clear()


os.register_at_fork(after_in_child=_forget_in_child)

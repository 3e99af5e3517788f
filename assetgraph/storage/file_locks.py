"""Locks that the kernel drops when their holder dies.

A lock is a `flock` on a file, through a descriptor that no child process inherits: neither across
`exec` (Python's default) nor across `fork` (the child closes it).
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
_ASKER_S = 0.0005  # how long to wait for a process that only asks whether a lock is held
_TRIES = 20
_held: set[Lock] = set()


class Lock:
    """A lock on the file at `path`, which is created if it is missing; exclusive unless
    `shared`. The file may be deleted by `prune_lock` only with `may_be_pruned`."""

    def __init__(self, path: str, *, shared: bool = False, may_be_pruned: bool = False) -> None:
        self.path = path
        self._may_be_pruned = may_be_pruned
        self._mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        return self._fd is not None

    def acquire(self) -> bool:
        """Take the lock if it is free. Raises `StoreError` where files cannot be locked."""
        while True:
            fd = open_lock(self.path)
            try:
                taken = _flock(fd, self._mode, self.path) or _take(fd, self._mode, self.path)
                pruned = self._may_be_pruned and not os.fstat(fd).st_nlink
            except BaseException:
                os.close(fd)
                raise
            if taken and not pruned:
                self._fd = fd
                _held.add(self)
                return True
            os.close(fd)
            if not pruned:  # else nobody else can open this file: the next one at `path` counts
                return False

    def wait(self, until: Callable[[], bool]) -> bool:
        """Take the lock once it is free. Between tries, stop waiting if `until` returns False."""
        while not self.acquire():
            if not until():
                return False
            time.sleep(POLL_S)
        return True

    def release(self) -> None:
        if self._fd is not None:
            _held.discard(self)
            os.close(self._fd)
            self._fd = None

    def fileno(self) -> int:
        """The descriptor that holds the lock. Raises `ValueError` if it is not held."""
        if self._fd is None:
            raise ValueError(f"the lock {self.path} is not held")
        return self._fd

    def forget(self) -> None:
        """Close a forked child's copy of the descriptor: the lock stays with the parent."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def prune_lock(path: str) -> bool:
    """Delete the file of a lock, unless a process holds it. Who has opened it, but not locked it
    yet, locks a new one."""
    lock = Lock(path, may_be_pruned=True)
    if not lock.acquire():
        return False
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise store_error(error, "delete", path) from error
    finally:
        lock.release()
    return True


def held_locks(path: str) -> list[Lock]:
    """The locks on the file at `path` that this process holds."""
    return [lock for lock in tuple(_held) if lock.path == path]


def is_held(path: str, *, shared: bool = False) -> bool:
    """Whether a living process holds the lock at `path` exclusively; with `shared`, in any way."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise store_error(error, "open the lock", path) from error
    try:
        return not (try_exclusive(fd, path) if shared else try_shared(fd, path))
    finally:
        os.close(fd)


def try_exclusive(fd: int, path: str) -> bool:
    """Lock the file that `fd` has open, unless another descriptor has any lock on it."""
    return _flock(fd, fcntl.LOCK_EX, path)


def try_shared(fd: int, path: str) -> bool:
    """Lock the file that `fd` has open, unless another descriptor has it locked exclusively."""
    return _flock(fd, fcntl.LOCK_SH, path)


def open_lock(path: str) -> int:
    """The file of a lock, open, and created if it is missing. Raises `StoreError`."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    except OSError as error:
        raise store_error(error, "open the lock", path) from error


def _take(fd: int, mode: int, path: str) -> bool:
    """Take the lock if it is free. A process that asks whether the lock is held briefly takes a
    shared lock, which must not look like a holder."""
    for _ in range(_TRIES):
        if _flock(fd, mode, path):
            return True
        if mode == fcntl.LOCK_SH or not try_shared(fd, path):
            return False
        fcntl.flock(fd, fcntl.LOCK_UN)
        time.sleep(_ASKER_S)
    return False


def _flock(fd: int, mode: int, path: str) -> bool:
    try:
        fcntl.flock(fd, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise no_locks(error, path) from error
    return True


def no_locks(error: OSError, path: str) -> StoreError:
    """The error for a file that cannot be locked."""
    if error.errno in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
        return StoreError(
            f"cannot lock {path}: its file system has no locks.",
            hint="Keep the store on a local disk: [tool.assetgraph] store, or --store.",
        )
    return store_error(error, "lock", path)


def _forget_in_child() -> None:
    for lock in _held:
        lock.forget()
    _held.clear()


os.register_at_fork(after_in_child=_forget_in_child)

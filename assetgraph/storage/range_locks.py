"""Locks on bytes of a file that many locks share, such as those on the partitions of an asset.

They are byte ranges of an open file (Linux has such locks), so that thousands of them cost no file
each, and those of one step no descriptor each. As with a `flock`, the kernel drops them when their
holder dies, and no child process inherits them.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import sys
from bisect import bisect
from collections.abc import Iterable, Sequence
from functools import cache
from threading import Lock as Mutex

from assetgraph.storage.atomic_files import store_error
from assetgraph.storage.file_locks import Lock, no_locks, open_lock

Range = tuple[int, int]  # the first byte, and how many

_FLOCK = struct.Struct("hhqqi4x")  # as `struct flock` of C: type, whence, start, length, process
_open_files: set[RangeFile] = set()


class RangeFile:
    """The file at `path`, open as long as any of the locks on its bytes is held.

    Locks through the same `RangeFile` do not exclude each other: it belongs to one step, whose
    locks are on different bytes.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._mutex = Mutex()
        self._fd = -1
        self._held: set[RangeLock] = set()

    def holds(self, lock: RangeLock) -> bool:
        return lock in self._held

    def take(self, lock: RangeLock) -> bool:
        """Take all ranges of a lock, or none. Raises `StoreError` where they cannot be locked."""
        with self._mutex:
            if self._fd < 0:
                self._fd = open_lock(self.path)
                _open_files.add(self)
            try:
                for number, (start, length) in enumerate(lock.ranges):
                    if not _set(self._fd, lock.mode, start, length, self.path):
                        self._unlock(lock.ranges[:number])
                        return False
                self._held.add(lock)
                return True
            finally:
                self._close_if_unused()

    def give_back(self, lock: RangeLock) -> None:
        with self._mutex:
            if lock in self._held:
                self._held.discard(lock)
                if self._held:
                    self._unlock(lock.ranges)
                self._close_if_unused()

    def forget(self) -> None:
        """Close a forked child's copy of the descriptor: the locks stay with the parent."""
        self._mutex = Mutex()  # a thread of the parent may have had it
        self._held.clear()
        self._close_if_unused()

    def _unlock(self, ranges: Iterable[Range]) -> None:
        for start, length in ranges:
            _set(self._fd, fcntl.F_UNLCK, start, length, self.path)

    def _close_if_unused(self) -> None:
        if not self._held and self._fd >= 0:
            _open_files.discard(self)
            os.close(self._fd)
            self._fd = -1


class RangeLock(Lock):
    """The lock on `ranges` of a file; exclusive unless `shared`."""

    def __init__(self, file: RangeFile, ranges: Sequence[Range], *, shared: bool = False) -> None:
        Lock.__init__(self, file.path)
        self._be_on(file, ranges, fcntl.F_RDLCK if shared else fcntl.F_WRLCK)

    def _be_on(self, file: RangeFile, ranges: Sequence[Range], mode: int = fcntl.F_WRLCK) -> None:
        self._file = file
        self.ranges = ranges
        self.mode = mode

    @property
    def held(self) -> bool:
        return self._file.holds(self)

    def acquire(self) -> bool:
        """Take the lock if it is free. Raises `StoreError` where files cannot be locked."""
        return self._file.take(self)

    def release(self) -> None:
        self._file.give_back(self)


class LockedBytes:
    """The bytes in `within` that other holders have locked in the file at `path`; exclusively, or
    with `shared`, in any way. Looking locks nothing."""

    def __init__(self, path: str, within: Range, *, shared: bool = False) -> None:
        self._found: list[Range] = []
        try:
            fd = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return
        except OSError as error:
            raise store_error(error, "open the lock", path) from error
        try:
            mode = fcntl.F_WRLCK if shared else fcntl.F_RDLCK
            self._found = sorted(_locked(fd, mode, within, path))
        finally:
            os.close(fd)

    def __bool__(self) -> bool:
        return bool(self._found)

    def __contains__(self, byte: int) -> bool:
        at = bisect(self._found, (byte, sys.maxsize)) - 1
        return at >= 0 and byte < sum(self._found[at])


@cache
def has_range_locks() -> bool:
    """Whether this system has locks on byte ranges that belong to an open file."""
    if sys.platform != "linux" or not hasattr(fcntl, "F_OFD_GETLK"):
        return False
    try:
        fd = os.open(os.devnull, os.O_RDWR)
        try:
            fcntl.fcntl(fd, fcntl.F_OFD_GETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0))
        finally:
            os.close(fd)
    except OSError:
        return False
    return True


def _locked(fd: int, mode: int, within: Range, path: str) -> Iterable[Range]:
    """What others have locked. The kernel names one lock at a time: look on both sides of it."""
    rest = [within]
    while rest:
        start, length = rest.pop()
        asked = _FLOCK.pack(mode, os.SEEK_SET, start, length, 0)
        kind, _, first, count, _ = _FLOCK.unpack(_control(fd, fcntl.F_OFD_GETLK, asked, path))
        if kind == fcntl.F_UNLCK:
            continue
        end = start + length
        first, after = max(first, start), min(first + count, end) if count else end
        yield first, after - first
        if start < first:
            rest.append((start, first - start))
        if after < end:
            rest.append((after, end - after))


def _set(fd: int, mode: int, start: int, length: int, path: str) -> bool:
    asked = _FLOCK.pack(mode, os.SEEK_SET, start, length, 0)
    try:
        _control(fd, fcntl.F_OFD_SETLK, asked, path)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _control(fd: int, what: int, asked: bytes, path: str) -> bytes:
    try:
        return fcntl.fcntl(fd, what, asked)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            raise
        raise no_locks(error, path) from error


def _forget_in_child() -> None:
    for file in tuple(_open_files):
        file.forget()


os.register_at_fork(after_in_child=_forget_in_child)

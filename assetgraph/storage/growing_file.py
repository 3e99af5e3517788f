"""`GrowingFile`: reads what was appended to a file since the last reading."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

_CHUNK = 1 << 20
_END = 256  # bytes at the end of what was read, which tell whether the file only grew


class GrowingFile:
    """How far a file of lines was read.

    A file that is not the one that was read, or that changed otherwise than by growing, is read
    from its beginning.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Read everything the next time."""
        self._stamp: tuple[int, ...] | None = None
        self._end = b""
        self.covered = 0  # bytes, up to the end of the last whole line

    def resume(self, fd: int, covered: int) -> None:
        """Go on behind the first `covered` bytes, which end with a line and were read otherwise."""
        info = os.fstat(fd)
        self._stamp = info.st_dev, info.st_ino, covered, info.st_mtime_ns
        self._end = os.pread(fd, min(_END, covered), max(0, covered - _END))
        self.covered = covered

    def appended(self, fd: int, begin_anew: Callable[[], object]) -> Iterator[list[bytes]]:
        """The whole lines that were appended, many at once. `begin_anew` is called first if they
        are all the lines of another file."""
        info = os.fstat(fd)
        stamp = _stamp_of(info)
        if stamp == self._stamp:
            return
        if not self._grew(fd, stamp):
            self.forget()
            begin_anew()
        for lines in lines_of(fd, self.covered, info.st_size):
            yield lines
            self.covered += sum(map(len, lines)) + len(lines)
            self._end = lines[-1][-_END:] + b"\n"
        self._stamp = stamp

    def is_unchanged(self, info: os.stat_result) -> bool:
        """Whether a file is the one that was read, with nothing to read since."""
        return _stamp_of(info) == self._stamp

    def wrote(self, line: bytes, info: os.stat_result) -> bool:
        """Take note of a line that this process appended, after which the file is as `info` says.
        Returns False, and the line is to be read, if something else was not read before it."""
        known, stamp = self._stamp, _stamp_of(info)
        if known is None or known[:2] != stamp[:2] or known[2] != self.covered:
            return False
        if stamp[2] != self.covered + len(line):
            return False
        self._stamp, self._end = stamp, line[-_END:]
        self.covered += len(line)
        return True

    def _grew(self, fd: int, stamp: tuple[int, ...]) -> bool:
        known, size = self._stamp, stamp[2]
        if known is None or known[:2] != stamp[:2] or known[2] == size or size < self.covered:
            return False
        return os.pread(fd, len(self._end), self.covered - len(self._end)) == self._end


def _stamp_of(info: os.stat_result) -> tuple[int, ...]:
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns


def lines_of(fd: int, start: int, end: int) -> Iterator[list[bytes]]:
    """The whole lines of a part of a file, many at once."""
    rest = b""
    while start < end:
        chunk = os.pread(fd, min(_CHUNK, end - start), start)
        if not chunk:
            return  # the file was truncated meanwhile
        start += len(chunk)
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if lines:
            yield lines

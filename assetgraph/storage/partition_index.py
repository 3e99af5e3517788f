"""`PartitionIndex`: where in the history of an asset the attempts at each of its partitions are.

It covers the history from its beginning by `KeptRows`, if there are any, and from there on by one
light pass over the lines, in memory. While the file only grows, the next use reads what was
appended, and nothing else.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from threading import Lock as Mutex
from typing import TypeVar

from assetgraph.errors import DamagedStoreError
from assetgraph.records import FailedAttempt, Materialization, StoredValue, decoder
from assetgraph.storage.atomic_files import damaged, store_error
from assetgraph.storage.growing_file import GrowingFile, lines_of
from assetgraph.storage.kept_rows import KeptRows, Line
from assetgraph.storage.partition_rows import UNREADABLE, Numbering, Rows, wiped_partitions
from assetgraph.storage.row_file import DamagedIndexError, RowFile

Attempt = Materialization | FailedAttempt

WORTH_KEEPING = 1 << 20  # bytes of a history that are not read again
_TRIES = 4
_FAILED, _MADE, _WIPED, _DAMAGED = range(4)
_NONE = -1  # no line
_MISSING = -1  # no file
_UNKNOWN = 0  # size of a line
_LIKELY = 2048
T = TypeVar("T")


class _Version(Line):
    data_version: str = ""


class PartitionIndex:
    """The index of the history at `path`, of which a part may be kept at `kept`. Threads may share
    it.

    A line that cannot be read may be about any partition: what comes after it is known of each, and
    what came before it of none.
    """

    def __init__(self, path: str, kept: str, is_plain: Callable[[StoredValue], bool]) -> None:
        self._path = path
        self._kept = KeptRows(kept, is_plain)
        self._mutex = Mutex()
        self._file = GrowingFile()
        self._line_numbers: dict[int, int] = {}  # by where a damaged line begins
        self._forget()

    def number_by(self, numbering: Numbering) -> None:
        """Let the partitions have these numbers."""
        with self._mutex:
            if not self._kept.number_by(numbering):
                self._forget()

    def rows(self) -> Rows | RowFile | None:
        """What the history says of each partition, by its number; None if there is a line that
        cannot be read."""
        return self._tried(self._rows)

    def distrust(self) -> None:
        """Make the index anew: what was kept of it is not what was written."""
        with self._mutex:
            self._forget()
            self._kept.distrust()

    def keep(self) -> Exception | None:
        """Keep what the history says, if reading it again would take long. Returns why it cannot be
        written, if it cannot."""
        self._kept.problem = None
        if self._kept.is_numbered:
            self._tried(self._extend)
        return self._kept.problem

    def attempts(
        self, partition: str | None, to_materialization: bool = False
    ) -> Iterator[Attempt]:
        """The attempts at a partition, newest first. With `to_materialization`, they are the last
        materialization and the failures after it, or at least the last of them. Raises
        `DamagedStoreError` at a line that cannot be read."""
        for attempt in self._tried(partial(self._attempts, partition, to_materialization)):
            if isinstance(attempt, DamagedStoreError):
                raise attempt
            yield attempt

    def partitions(self) -> Mapping[str | None, bool]:
        """Each partition with a record that can be read, and whether it has a materialization."""
        return self._tried(self._partitions)

    def unnumbered(self) -> Sequence[str]:
        """The partitions with a record that can be read which have no number."""
        return self._tried(self._unnumbered)

    def position(self) -> int:
        """The size of the history up to the end of its last whole line."""
        with self._refreshed():
            return self._file.covered

    def versions_at(self, position: int) -> Mapping[str | None, str]:
        """The data version that each partition had when the history ended at `position`. None has
        one if no line ends there: then the history was deleted since, and begun anew."""
        versions: dict[str | None, str] = {}
        with self._refreshed() as file:
            if not 0 < position <= self._file.covered:
                return {}
            if os.pread(file.fd, 1, position - 1) != b"\n":
                return {}
            for lines in lines_of(file.fd, 0, position):
                _replay(lines, versions)
        return versions

    def wrote(self, line: bytes, info: os.stat_result) -> None:
        """Take in a line that this process appended, after which the file is as `info` says: it
        need not be read."""
        with self._mutex:
            if self._file.wrote(line, info):
                self._take_all([[line[:-1]]], info.st_size - len(line))

    def _tried(self, read: Callable[[_Open], T]) -> T:
        """What `read` finds in the open file, up to date. If something else is where the index
        says, that is loaded again, since another process may have replaced it; the next time, the
        history is read."""
        for attempt in range(_TRIES):
            with self._refreshed() as file, suppress(DamagedIndexError):
                return read(file)
            if attempt:
                self.distrust()
            else:
                with self._mutex:
                    self._forget()
        raise damaged(self._path, "it changed again and again while it was read")

    def _rows(self, file: _Open) -> Rows | RowFile | None:
        if self._damaged != _NONE:
            return None
        if not self._file.covered:
            return Rows(0)
        try:
            return self._kept.rows(file.fd, self._file.covered)
        except UNREADABLE:
            return None  # in a part of a line that says nothing of where it belongs

    def _extend(self, file: _Open) -> None:
        is_worth_it = self._file.covered - self._kept.size > WORTH_KEEPING
        if is_worth_it and self._damaged == _NONE:
            with suppress(*UNREADABLE):
                self._kept.extend(file.fd, self._file.covered)
                self._forget_lines()

    def _attempts(
        self, partition: str | None, to_materialization: bool, file: _Open
    ) -> list[Attempt | DamagedStoreError]:
        found: list[Attempt | DamagedStoreError] = []
        for start, size, is_damaged in self._places(file, partition, to_materialization):
            text = _line_at(file.fd, start, size)
            try:
                attempt: Attempt = decoder(Attempt).decode(text)
            except UNREADABLE as error:
                if not is_damaged and not _is_about(text, partition):
                    raise DamagedIndexError from error
                found.append(damaged(self._path, str(error), self._line_number(file.fd, start)))
                return found
            if attempt.partition != partition:
                raise DamagedIndexError
            found.append(attempt)
        return found

    def _places(
        self, file: _Open, partition: str | None, to_materialization: bool
    ) -> Iterator[tuple[int, int, bool]]:
        """Where the lines about a partition begin, newest first, with their sizes as far as they
        are known. A damaged line is the last, and marked."""
        line = self._last.get(partition, _NONE)
        while line > self._damaged:
            if self._kinds[line] == _WIPED:
                return
            yield *self._place(line), False
            if to_materialization and self._kinds[line] == _MADE:
                return
            line = self._before[line]
        if self._damaged != _NONE:
            yield *self._place(self._damaged), True
            return
        if not self._kept.size:
            return
        every = not to_materialization
        for start in self._kept.starts(file.fd, partition, all_attempts=every):
            yield start, _UNKNOWN, False

    def _place(self, line: int) -> tuple[int, int]:
        start, after = self._starts[line], line + 1
        end = self._starts[after] if after < len(self._starts) else self._file.covered
        return start, end - start - 1

    def _partitions(self, _: _Open) -> dict[str | None, bool]:
        found = self._kept.partitions() if self._damaged == _NONE else {}
        return self._with_tail(found, self._last)

    def _unnumbered(self, _: _Open) -> list[str]:
        found = self._kept.others() if self._damaged == _NONE else {}
        last: dict[str | None, int] = {
            one: line
            for one, line in self._last.items()
            if one is not None and self._kept.number(one) is None
        }
        return [one for one in self._with_tail(found, last) if one is not None]

    def _with_tail(
        self, found: dict[str | None, bool], behind: Mapping[str | None, int]
    ) -> dict[str | None, bool]:
        for partition, last in behind.items():
            if self._kinds[last] == _WIPED:
                found.pop(partition, None)
            else:
                found[partition] = self._is_made(last, kept=found.get(partition, False))
        return found

    def _is_made(self, line: int, *, kept: bool) -> bool:
        while line != _NONE:
            if self._kinds[line] in (_MADE, _WIPED):
                return self._kinds[line] == _MADE
            line = self._before[line]
        return kept

    def _line_number(self, fd: int, start: int) -> int:
        if start not in self._line_numbers:  # each partition may ask for the same one
            lines_before = sum(len(lines) for lines in lines_of(fd, 0, start))
            self._line_numbers[start] = lines_before + 1
        return self._line_numbers[start]

    def _forget(self) -> None:
        self._file.forget()
        self._kept.forget()
        self._forget_lines()

    def _forget_lines(self) -> None:
        # Columns by the number of a line, behind the part that is kept:
        self._starts = array("q")
        self._kinds = bytearray()
        self._before = array("l")  # the line before it that is about the same partition
        self._last: dict[str | None, int] = {}  # the last line about each partition
        self._damaged = _NONE  # the last damaged line
        self._line_numbers.clear()

    def _refreshed(self) -> _Open:
        """The open file, after reading what was appended. Other threads wait meanwhile."""
        return _Open(self._path, self._mutex, self._file.is_unchanged, self._refresh)

    def _refresh(self, fd: int) -> None:
        if fd == _MISSING:
            self._forget()
            return
        if not self._file.covered and self._kept.is_numbered:
            self._begin(fd)
        self._take_all(self._file.appended(fd, self._forget))

    def _begin(self, fd: int) -> None:
        """Cover what is kept, or of a long history, everything."""
        self._kept.load(fd)
        size = os.fstat(fd).st_size
        if size - self._kept.size > WORTH_KEEPING:
            with suppress(*UNREADABLE, DamagedIndexError):
                self._kept.extend(fd, _end_of_lines(fd, size))
        if self._kept.size:
            self._file.resume(fd, self._kept.size)

    def _take_all(self, appended: Iterable[Sequence[bytes]], start: int | None = None) -> None:
        try:
            for lines in appended:
                self._take(lines, self._file.covered if start is None else start)
        except BaseException:  # an interrupt, say: half of some lines was taken in
            self._forget()
            raise

    def _take(self, lines: Sequence[bytes], start: int) -> None:
        """Take in whole lines, of which the first begins at `start`."""
        starts, kinds, before, last = self._starts, self._kinds, self._before, self._last
        decode = decoder(Line).decode
        for number, text in enumerate(lines, len(starts)):
            starts.append(start)
            start += len(text) + 1
            earlier = _NONE
            try:
                line = decode(text)
                if line.type == "wiped":
                    kinds.append(_WIPED)
                    last.update(dict.fromkeys(wiped_partitions(text), number))
                else:
                    kinds.append(_MADE if line.type == "materialization" else _FAILED)
                    earlier = last.get(line.partition, _NONE)
                    last[line.partition] = number
            except UNREADABLE:
                kinds.append(_DAMAGED)
                self._damaged = number
            before.append(earlier)


class _Open:
    """A file in a context, with a mutex held, opened where it is needed. First, `refresh` is called
    with its descriptor, unless it `is_unchanged`."""

    def __init__(
        self,
        path: str,
        mutex: Mutex,
        is_unchanged: Callable[[os.stat_result], bool],
        refresh: Callable[[int], None],
    ) -> None:
        self._path = path
        self._mutex = mutex
        self._is_unchanged = is_unchanged
        self._refresh = refresh
        self._fd = _MISSING

    def __enter__(self) -> _Open:
        self._mutex.acquire()
        try:
            with suppress(FileNotFoundError):
                if self._is_unchanged(os.stat(self._path)):
                    return self
                self._open()
            self._refresh(self._fd)
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    @property
    def fd(self) -> int:
        if self._fd == _MISSING:
            self._open()
        return self._fd

    def _open(self) -> None:
        self._fd = os.open(self._path, os.O_RDONLY)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._fd != _MISSING:
            os.close(self._fd)
        self._mutex.release()
        if isinstance(error, OSError):
            raise store_error(error, "read", self._path) from error


def _line_at(fd: int, start: int, size: int) -> bytes:
    """The line that begins at `start`, without its end."""
    if size != _UNKNOWN:
        return os.pread(fd, size, start)
    size = _LIKELY
    while True:
        data = os.pread(fd, size, start)
        end = data.find(b"\n")
        if end >= 0 or len(data) < size:
            return data[:end] if end >= 0 else data
        size *= 8


def _end_of_lines(fd: int, size: int) -> int:
    """The end of the last whole line in the first `size` bytes of a file."""
    start = size
    while start > 0:
        start = max(0, size - _LIKELY if start == size else size - 8 * (size - start))
        found = os.pread(fd, size - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
    return 0


def _replay(lines: Iterable[bytes], versions: dict[str | None, str]) -> None:
    """Bring the data version of each partition up to date. A line that cannot be read says none."""
    decode = decoder(_Version).decode
    for text in lines:
        try:
            line = decode(text)
            if line.type == "materialization":
                versions[line.partition] = line.data_version
            elif line.type == "wiped":
                for partition in wiped_partitions(text):
                    versions.pop(partition, None)
        except UNREADABLE:
            pass


def _is_about(text: bytes, partition: str | None) -> bool:
    try:
        line: Line = decoder(Line).decode(text)
    except UNREADABLE:
        return False
    return line.type != "wiped" and line.partition == partition

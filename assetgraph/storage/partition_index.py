"""`PartitionIndex`: where in the history of an asset the attempts at each of its partitions are.

It is in memory, made by one light pass over the file. While the file only grows, the next use reads
what was appended, and nothing else.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from threading import Lock as Mutex
from typing import Literal

import msgspec

from assetgraph.errors import DamagedStoreError
from assetgraph.records import FailedAttempt, Materialization, PartitionsWiped, decoder
from assetgraph.storage.atomic_files import damaged, store_error
from assetgraph.storage.growing_file import GrowingFile, lines_of

Attempt = Materialization | FailedAttempt

_TRIES = 3
_FAILED, _MADE, _WIPED, _DAMAGED = range(4)
_NONE = -1  # no line
_MISSING = -1  # no file
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError)


class _Line(msgspec.Struct, gc=False):
    """As much of a line as says what it is about."""

    type: Literal["materialization", "failure", "wiped"]
    partition: str | None = None


class _Version(_Line):
    data_version: str = ""


class PartitionIndex:
    """The index of the history at `path`. Threads may share it.

    A line that cannot be read may be about any partition: what comes after it is known of each, and
    what came before it of none.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._mutex = Mutex()
        self._file = GrowingFile()
        self._forget()

    def attempts(
        self, partition: str | None, to_materialization: bool = False
    ) -> Iterator[Attempt]:
        """The attempts at a partition, newest first, or those to its last materialization. Raises
        `DamagedStoreError` at a line that cannot be read."""
        for _ in range(_TRIES):
            with self._refreshed() as file:
                lines = list(self._lines(partition, to_materialization))
                texts = [self._text(file.fd, line) for line in lines]
                known_damage = self._damaged
            found = [
                self._decoded(text, line, partition, line == known_damage)
                for line, text in zip(lines, texts, strict=True)
            ]
            if None not in found:
                break
            with self._mutex:
                self._forget()  # something else is where the index says: read all again
        else:
            raise damaged(self._path, "it changed again and again while it was read")
        for attempt in found:
            if isinstance(attempt, DamagedStoreError):
                raise attempt
            assert attempt is not None
            yield attempt

    def partitions(self) -> Mapping[str | None, bool]:
        """Each partition with a record that can be read, and whether it has a materialization."""
        with self._refreshed():
            return {
                partition: self._is_made(last)
                for partition, last in self._last.items()
                if self._kinds[last] != _WIPED
            }

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

    def _decoded(
        self, text: bytes, line: int, partition: str | None, is_damaged: bool
    ) -> Attempt | DamagedStoreError | None:
        """The attempt in a line, or what is wrong there; None if it is not about the partition."""
        try:
            attempt: Attempt = decoder(Attempt).decode(text)
        except _UNREADABLE as error:
            if is_damaged or _is_about(text, partition):
                return damaged(self._path, str(error), line + 1)
            return None
        return attempt if attempt.partition == partition else None

    def _lines(self, partition: str | None, to_materialization: bool) -> Iterator[int]:
        """The numbers of the lines about a partition, newest first. A damaged line is the last."""
        line = self._last.get(partition, _NONE)
        while line > self._damaged:
            if self._kinds[line] == _WIPED:
                return
            yield line
            if to_materialization and self._kinds[line] == _MADE:
                return
            line = self._before[line]
        if self._damaged != _NONE:
            yield self._damaged

    def _is_made(self, line: int) -> bool:
        while line != _NONE and self._kinds[line] != _WIPED:
            if self._kinds[line] == _MADE:
                return True
            line = self._before[line]
        return False

    def _text(self, fd: int, line: int) -> bytes:
        start, after = self._starts[line], line + 1
        end = self._starts[after] if after < len(self._starts) else self._file.covered
        return os.pread(fd, end - start - 1, start)

    def _forget(self) -> None:
        self._file.forget()
        # Columns by the number of a line:
        self._starts = array("q")
        self._kinds = bytearray()
        self._before = array("l")  # the line before it that is about the same partition
        self._last: dict[str | None, int] = {}  # the last line about each partition
        self._damaged = _NONE  # the last damaged line

    def _refreshed(self) -> _Open:
        """The open file, after reading what was appended. Other threads wait meanwhile."""
        return _Open(self._path, self._mutex, self._file.is_unchanged, self._refresh)

    def _refresh(self, fd: int) -> None:
        if fd == _MISSING:
            self._forget()
            return
        self._take_all(self._file.appended(fd, self._forget))

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
        decode = decoder(_Line).decode
        for number, text in enumerate(lines, len(starts)):
            starts.append(start)
            start += len(text) + 1
            earlier = _NONE
            try:
                line = decode(text)
                if line.type == "wiped":
                    kinds.append(_WIPED)
                    last.update(dict.fromkeys(_wiped(text), number))
                else:
                    kinds.append(_MADE if line.type == "materialization" else _FAILED)
                    earlier = last.get(line.partition, _NONE)
                    last[line.partition] = number
            except _UNREADABLE:
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


def _replay(lines: Iterable[bytes], versions: dict[str | None, str]) -> None:
    """Bring the data version of each partition up to date. A line that cannot be read says none."""
    decode = decoder(_Version).decode
    for text in lines:
        try:
            line = decode(text)
            if line.type == "materialization":
                versions[line.partition] = line.data_version
            elif line.type == "wiped":
                for partition in _wiped(text):
                    versions.pop(partition, None)
        except _UNREADABLE:
            pass


def _wiped(text: bytes) -> tuple[str, ...]:
    wiped: PartitionsWiped = decoder(PartitionsWiped).decode(text)
    return wiped.partitions


def _is_about(text: bytes, partition: str | None) -> bool:
    try:
        line: _Line = decoder(_Line).decode(text)
    except _UNREADABLE:
        return False
    return line.type != "wiped" and line.partition == partition

"""`KeptRows`: the index of the beginning of a history, which may be long: `Rows`, kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from assetgraph.errors import StoreError
from assetgraph.records import StoredValue, decoder
from assetgraph.storage.growing_file import lines_of
from assetgraph.storage.partition_rows import (
    MADE,
    NO_LINE,
    Numbering,
    Place,
    RowReader,
    Rows,
    wiped_partitions,
)
from assetgraph.storage.row_file import (
    DamagedIndexError,
    RowFile,
    covered_part,
    read_rows,
    write_rows,
)

_NOWHERE = Place()
_LONG_LINE = 1000  # bytes: there are at least as many lines as of this length


class Line(msgspec.Struct, gc=False):
    """As much of a line as says what it is about."""

    type: Literal["materialization", "failure", "wiped"]
    partition: str | None = None


class KeptRows:
    """What the first `size` bytes of a history say, kept in the file at `path`. None of the lines
    there is damaged.

    `is_plain` says whether all that can be known of a stored value is in its record. Whatever reads
    columns raises `DamagedIndexError` where the file is not what was written.
    """

    def __init__(self, path: str, is_plain: Callable[[StoredValue], bool]) -> None:
        self._path = path
        self._is_plain = is_plain
        self._numbering: Numbering | None = None
        self._is_distrusted = False
        self.problem: Exception | None = None  # why it could not be written
        self.forget()

    def number(self, partition: str) -> int | None:
        """The number of a partition, if it has one."""
        return None if self._numbering is None else self._numbering.number(partition)

    def forget(self) -> None:
        """Cover nothing."""
        self._rows: Rows | RowFile | None = None
        self._numbered = ""
        self.size = 0

    def distrust(self) -> None:
        """Do not read the file again, which is not what was written."""
        self._is_distrusted = True

    @property
    def is_numbered(self) -> bool:
        """Whether the partitions have numbers. Without any, nothing can be covered."""
        return self._numbering is not None

    def number_by(self, numbering: Numbering) -> bool:
        """Let the partitions have these numbers. Returns False if what is covered has others."""
        self._numbering = numbering
        return self._rows is None or self._fits(self._rows, self._numbered)

    def load(self, fd: int) -> None:
        """Cover what the file does, if that is of the history that is open as `fd`."""
        self.forget()
        if self._is_distrusted or self._numbering is None:
            return
        found = read_rows(self._path, fd)
        if found is not None and self._fits(found, found.numbering):
            self._rows, self._numbered, self.size = found, found.numbering, found.covered.size

    def extend(self, fd: int, size: int) -> None:
        """Cover the first `size` bytes, and keep that. Raises what is in `UNREADABLE` at a line
        that cannot be read."""
        assert self._numbering is not None
        rows = self._with_tail(fd, size)
        numbered = self._numbering.keys.numbering(rows.count)
        kept: Rows | RowFile = rows
        try:
            covered = covered_part(fd, size)
            write_rows(self._path, rows, numbered, covered)
            self._is_distrusted = False
            found = read_rows(self._path, fd)
            if found is not None and (found.covered, found.numbering) == (covered, numbered):
                kept = found  # else another process has replaced it since
        except (StoreError, OSError) as error:  # it cannot be written: stay in memory
            self.problem = error
        self._rows, self._numbered, self.size = kept, numbered, size

    def rows(self, fd: int, size: int) -> Rows | RowFile:
        """What the first `size` bytes say. Raises as `extend` does."""
        if self._rows is not None and self.size == size:
            return self._rows
        return self._with_tail(fd, size)

    def partitions(self) -> dict[str | None, bool]:
        """Each partition with a record, and whether it has a materialization."""
        if self._rows is None or self._numbering is None:
            return {}
        status, keys = self._rows.column("status"), self._numbering.keys
        found: dict[str | None, bool] = {}
        for number, key in enumerate(keys.keys_of(range(min(len(keys), len(status))))):
            if status[number]:
                found[str(key)] = bool(status[number] & MADE)
        return found | self.others()

    def others(self) -> dict[str | None, bool]:
        """As `partitions`, of those that have no number."""
        others = self._rows.others.items() if self._rows is not None else ()
        return {partition: place.made != NO_LINE for partition, place in others}

    def place(self, partition: str | None) -> Place:
        """Where the attempts at a partition are."""
        if self._rows is None or self._numbering is None:
            return _NOWHERE
        number = None if partition is None else self.number(partition)
        if number is None or number >= self._rows.count:
            return self._rows.others.get(partition, _NOWHERE)
        return self._rows.place(number)

    def starts(self, fd: int, partition: str | None, *, all_attempts: bool) -> list[int]:
        """Where the lines of the attempts at a partition begin, newest first. Unless all are asked
        for, it may be only the last failure and the materialization before it."""
        place = self.place(partition)
        known = [start for start in (place.failed, place.made) if start != NO_LINE]
        if not all_attempts or place.attempts == len(known):
            return known
        return self._looked_for(fd, partition)[::-1]

    def _looked_for(self, fd: int, partition: str | None) -> list[int]:
        """Where the lines about a partition begin, oldest first, as far as they count."""
        found: list[int] = []
        exact = b'"partition":' + msgspec.json.encode(partition)
        decode, start = decoder(Line).decode, 0
        for lines in lines_of(fd, 0, self.size):
            for text in lines:
                if exact in text or partition is None:
                    line = decode(text)
                    if line.type != "wiped" and line.partition == partition:
                        found.append(start)
                elif text.startswith(b'{"type":"wiped"') and partition in wiped_partitions(text):
                    found.clear()
                start += len(text) + 1
        return found

    def _fits(self, rows: Rows | RowFile, numbered: str) -> bool:
        """Whether partitions have the numbers that they had when `rows` were made."""
        numbering = self._numbering
        if numbering is None or numbering.keys.numbering(rows.count) != numbered:
            return False
        count = len(numbering.keys)
        try:
            if rows.count > count and any(rows.column("status")[count:]):
                return False  # some that are on record have no number any more
        except DamagedIndexError:
            return False
        return not any(numbering.number(one) is not None for one in rows.others if one is not None)

    def _with_tail(self, fd: int, size: int) -> Rows:
        """A copy in memory that covers the first `size` bytes."""
        assert self._numbering is not None
        rows = self._rows.copy() if self._rows is not None else Rows(0)
        rows.forget_unused()
        rows.grow(len(self._numbering.keys))
        reader = RowReader(rows, self._numbering.number, self._is_plain)
        self._numbering.expect((size - self.size) // _LONG_LINE)
        start = self.size
        for lines in lines_of(fd, self.size, size):
            reader.take(lines, start)
            start += sum(map(len, lines)) + len(lines)
        return rows

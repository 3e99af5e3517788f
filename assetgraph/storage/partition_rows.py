"""`Rows`: what a history says of each partition of an asset, as columns by the partition's number.

Whole columns are compared at once, so that nothing is made for each partition. Where a row says
that its partition must be looked at, its line has to be read.
"""

from __future__ import annotations

import copy
from array import array
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from assetgraph.records import PartitionsWiped, StoredValue, decoder

if TYPE_CHECKING:
    from assetgraph.definitions.partitions.keys import PartitionKeys

VERSION_BYTES = 16
NO_LINE = -1
MADE, FAILED, LOOK = 1, 2, 4  # bits of a status: LOOK says that the columns do not tell enough
_MOST_CIRCUMSTANCES = 255
_MOST_INPUT_BYTES = 64 << 20  # of all columns for upstreams
_FEW_UPSTREAMS = 16
_BETWEEN_LOOKS = 10_000  # lines, after which there may be room again
_MOST_ATTEMPTS = 255  # that are counted
_NO_CIRCUMSTANCES = 0

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError)


class Numbering(Protocol):
    """The numbers of the partitions of an asset, as of now."""

    @property
    def keys(self) -> PartitionKeys: ...
    def number(self, key: str) -> int | None: ...
    def expect(self, count: int) -> None:
        """Prepare for so many look-ups."""


class Circumstances(msgspec.Struct, frozen=True):
    """What decides, beside the data that was read, whether a value is up to date. Many partitions
    share it. `upstreams` has each upstream asset by its identity, with how much larger the number
    of the key that was read is than that of the partition's own key, both among the keys of this
    asset: those of the upstream need not be known. None if that asset has no partitions."""

    code_version: str | None
    earlier_code: tuple[str, ...]
    config: str
    observed: str | None
    upstreams: tuple[tuple[str, int | None], ...]
    resources: str = ""


class Place(msgspec.Struct):
    """Where the attempts at a partition are that has no number: the first byte of the line of its
    last materialization, of its last failure after that, and how many attempts there are."""

    made: int = NO_LINE
    failed: int = NO_LINE
    attempts: int = 0


class _Line(msgspec.Struct, gc=False):
    type: Literal["materialization", "failure", "wiped"]
    partition: str | None = None
    data_version: str = ""
    code_version: str | None = None
    earlier_code: tuple[str, ...] = ()
    config: msgspec.Raw = msgspec.Raw(b"{}")
    inputs: dict[str, str] = {}
    observed: str | None = None
    value: StoredValue | None = None
    partitions_read: msgspec.Raw = msgspec.Raw(b"")
    resources: msgspec.Raw = msgspec.Raw(b"")


class Rows:
    """The columns of the first `count` partitions.

    `status` has the bits above, and `circumstances` the number of an entry of `known`, from 1 on.
    `versions` has 16 bytes for the data version of each, and `inputs` as many for the version of
    each upstream that was read, by its identity. `made` and `failed` say where the lines are, and
    `attempts` how many there are.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.status = bytearray(count)
        self.circumstances = bytearray(count)
        self.versions = bytearray(count * VERSION_BYTES)
        self.made = array("q", [NO_LINE]) * count
        self.failed = array("q", [NO_LINE]) * count
        self.attempts = bytearray(count)
        self.inputs: dict[str, bytearray] = {}
        self.known: list[Circumstances] = []
        self.others: dict[str | None, Place] = {}

    def column(self, name: str) -> bytes:
        return bytes(getattr(self, name))

    def input(self, upstream: str) -> bytes:
        """The versions that were read of an upstream."""
        return bytes(self.inputs[upstream])

    def input_pieces(self, upstream: str) -> Sequence[bytes]:
        """`input` in pieces, as a `RowFile` has them: here, it is one."""
        return (self.input(upstream),)

    def input_of(self, upstream: str, number: int) -> bytes:
        """The version that a partition has read of an upstream; nothing without a row."""
        at = number * VERSION_BYTES
        return bytes(self.inputs[upstream][at : at + VERSION_BYTES])

    @property
    def upstreams(self) -> list[str]:
        return list(self.inputs)

    def copy(self) -> Rows:
        return copy.deepcopy(self)

    def grow(self, count: int) -> None:
        """Add rows for partitions without a record."""
        more = count - self.count
        if more > 0:
            self.count = count
            for column in (self.status, self.circumstances, self.attempts):
                column.extend(bytes(more))
            for column in (self.versions, *self.inputs.values()):
                column.extend(bytes(more * VERSION_BYTES))
            for lines in (self.made, self.failed):
                lines.extend(array("q", [NO_LINE]) * more)

    def forget_unused(self) -> None:
        """Leave out the circumstances that no partition has any more, and the columns of upstreams
        that none reads: there is no room for many."""
        used = [one for one in range(1, len(self.known) + 1) if one in self.circumstances]
        if len(used) < len(self.known):
            table = bytearray(256)
            for number, one in enumerate(used, 1):
                table[one] = number
            self.circumstances = self.circumstances.translate(table)
            self.known = [self.known[one - 1] for one in used]
            read = {name for one in self.known for name, _ in one.upstreams}
            self.inputs = {name: column for name, column in self.inputs.items() if name in read}

    def place(self, number: int) -> Place:
        return Place(self.made[number], self.failed[number], self.attempts[number])


class RowReader:
    """Brings `rows` up to date with lines of a history. `is_plain` says whether all that can be
    known of a stored value is in its record."""

    def __init__(
        self,
        rows: Rows,
        number_of: Callable[[str], int | None],
        is_plain: Callable[[StoredValue], bool],
    ) -> None:
        self._rows = rows
        self._number_of = number_of
        self._is_plain = is_plain
        self._decode = decoder(_Line).decode
        self._ids: dict[Circumstances | tuple[object, ...], int] = {
            one: number for number, one in enumerate(rows.known, 1)
        }
        room = _MOST_INPUT_BYTES // max(1, rows.count * VERSION_BYTES)
        self._most_upstreams = max(_FEW_UPSTREAMS, room)
        self._lines = self._next_look = 0

    def take(self, lines: Sequence[bytes], start: int) -> None:
        """Take in whole lines, of which the first begins at `start`. Raises what is in `UNREADABLE`
        at one that cannot be read."""
        rows, decode = self._rows, self._decode
        number_of = self._number_of
        for text in lines:
            line = decode(text)
            if line.type == "wiped":
                self._wipe(text)
            else:
                number = number_of(line.partition) if line.partition is not None else None
                if number is None:
                    self._take_other(line, start)
                elif line.type == "materialization":
                    self._take_made(line, number, start)
                else:
                    rows.failed[number] = start
                    rows.status[number] |= FAILED
                    _count(rows.attempts, number)
            start += len(text) + 1
        self._lines += len(lines)

    def _take_made(self, line: _Line, number: int, start: int) -> None:
        rows, value = self._rows, line.value
        rows.made[number], rows.failed[number] = start, NO_LINE
        at = number * VERSION_BYTES
        rows.versions[at : at + VERSION_BYTES] = version_bytes(line.data_version)
        circumstances = 0
        if value is not None and not line.partitions_read and self._is_plain(value):
            circumstances = self._take_inputs(line, number)
        rows.circumstances[number] = circumstances
        rows.status[number] = MADE if circumstances else MADE | LOOK
        _count(rows.attempts, number)

    def _take_inputs(self, line: _Line, number: int) -> int:
        """Take in what a line read. Returns the number of its circumstances, or
        `_NO_CIRCUMSTANCES` if it has to be looked at."""
        versions: dict[str, str] = {}
        read: list[tuple[str, int | None]] = []
        for text, version in line.inputs.items():
            name, is_partition, partition = text.partition("@")
            distance = None
            if is_partition:
                other = number if partition == line.partition else self._number_of(partition)
                if other is None:
                    return _NO_CIRCUMSTANCES
                distance = other - number
            versions[name] = version
            read.append((name, distance))
        if len(versions) < len(read):
            return _NO_CIRCUMSTANCES  # several partitions of one asset
        found = self._id(line, tuple(read))  # first: it may leave out columns
        if found == _NO_CIRCUMSTANCES:
            return found
        at, inputs = number * VERSION_BYTES, self._rows.inputs
        for name, version in versions.items():
            column = inputs.get(name)
            if column is None:
                if len(inputs) >= self._most_upstreams:
                    return _NO_CIRCUMSTANCES
                column = inputs[name] = bytearray(self._rows.count * VERSION_BYTES)
            column[at : at + VERSION_BYTES] = version_bytes(version)
        return found

    def _id(self, line: _Line, read: tuple[tuple[str, int | None], ...]) -> int:
        config, resources = bytes(line.config), bytes(line.resources)
        quick = line.code_version, line.earlier_code, config, line.observed, read, resources
        found = self._ids.get(quick)
        if found is None:
            circumstances = Circumstances(
                *quick[:2], config.decode(), line.observed, read, resources.decode()
            )
            found = self._ids.get(circumstances)
            if found is None:
                if len(self._rows.known) == _MOST_CIRCUMSTANCES and not self._make_room():
                    return _NO_CIRCUMSTANCES
                self._rows.known.append(circumstances)
                found = self._ids[circumstances] = len(self._rows.known)
            self._ids[quick] = found
        return found

    def _make_room(self) -> bool:
        """Forget the circumstances that no partition has any more. Returns False if it has."""
        if self._lines < self._next_look:
            return False
        self._next_look = self._lines + _BETWEEN_LOOKS
        self._rows.forget_unused()
        self._ids = {one: number for number, one in enumerate(self._rows.known, 1)}
        return len(self._rows.known) < _MOST_CIRCUMSTANCES

    def _take_other(self, line: _Line, start: int) -> None:
        place = self._rows.others.setdefault(line.partition, Place())
        place.attempts += 1
        if line.type == "materialization":
            place.made, place.failed = start, NO_LINE
        else:
            place.failed = start

    def _wipe(self, text: bytes) -> None:
        rows = self._rows
        for partition in wiped_partitions(text):
            number = self._number_of(partition)
            if number is None:
                rows.others.pop(partition, None)
            else:
                rows.status[number] = rows.attempts[number] = 0
                rows.circumstances[number] = _NO_CIRCUMSTANCES
                rows.made[number] = rows.failed[number] = NO_LINE


def version_bytes(version: str) -> bytes:
    """A data version as 16 bytes: those that it is the hex digits of, or else a hash of it."""
    if len(version) == 2 * VERSION_BYTES:
        try:
            found = bytes.fromhex(version)
        except ValueError:
            pass
        else:
            if found.hex() == version:
                return found
    return blake2b(version.encode("utf-8", "surrogatepass"), digest_size=VERSION_BYTES).digest()


def wiped_partitions(text: bytes) -> tuple[str, ...]:
    """The partitions that a line of a history wipes."""
    wiped: PartitionsWiped = decoder(PartitionsWiped).decode(text)
    return wiped.partitions


def _count(attempts: bytearray, number: int) -> None:
    if attempts[number] < _MOST_ATTEMPTS:
        attempts[number] += 1

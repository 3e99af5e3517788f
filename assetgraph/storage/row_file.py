"""The file of an index: the columns of `Rows`, to be read without reading the history.

It is a cache. Where it is missing, damaged, of another version of assetgraph or of another history,
the history is read. After a first line, a header in JSON says what the index covers and where each
column is, with a checksum, so that no file has to be synced.
"""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from zlib import crc32

import msgspec

from assetgraph.storage.atomic_files import make_folder, write_whole
from assetgraph.storage.partition_rows import VERSION_BYTES, Circumstances, Place, Rows
from assetgraph.version import __version__

_MAGIC = b"assetgraph-partitions"
_LONGEST_LINE = 64
_END = 1 << 16  # of a line, that is digested
_PIECE = 1 << 16
_PLAIN = ("status", "circumstances", "attempts", "versions")
_LINES = ("made", "failed")


class Covered(msgspec.Struct, frozen=True):
    """The history that an index is of, and how much of it: `size` bytes, up to the end of a line.
    `first` and `last` are digests of the lines at its ends, and `changed_ns` says when the file was
    changed."""

    device: int
    inode: int
    size: int
    changed_ns: int
    first: str
    last: str


class _Column(msgspec.Struct, frozen=True, array_like=True):
    """Where a column is, and a checksum of each `_PIECE` of it."""

    name: str
    start: int
    size: int
    crcs: list[int]


class _Header(msgspec.Struct, frozen=True):
    version: str
    numbering: str
    count: int
    covered: Covered
    known: list[Circumstances]
    upstreams: list[str]
    others: list[tuple[str | None, Place]]
    columns: list[_Column]
    byte_order: str = sys.byteorder


class RowFile:
    """An index on disk. Its columns are read, and checked, when they are asked for."""

    def __init__(self, path: str, header: _Header, inode: int, start: int) -> None:
        self._path = path
        self._inode = inode
        self._start = start
        self._columns = {column.name: column for column in header.columns}
        self._pieces: dict[tuple[str, int], bytes] = {}  # that were read of some columns
        self.covered = header.covered
        self.numbering = header.numbering
        self.count = header.count
        self.known = header.known
        self.upstreams = header.upstreams
        self.others = dict(header.others)

    def column(self, name: str) -> bytes:
        """The bytes of a column. Raises `DamagedIndexError`."""
        column = self._column(name)
        return self._read(column, range(len(column.crcs)))

    def input(self, upstream: str) -> bytes:
        """The versions that were read of an upstream. Raises `DamagedIndexError`."""
        return self.column(_input(upstream))

    def input_pieces(self, upstream: str) -> Iterator[bytes]:
        """`input` in pieces: what is read, checked and compared at once stays in the processor's
        cache. Raises `DamagedIndexError`."""
        column = self._column(_input(upstream))
        with self._opened() as fd:
            for piece in range(len(column.crcs)):
                yield self._read_from(fd, column, range(piece, piece + 1))

    def input_of(self, upstream: str, number: int) -> bytes:
        """The version that a partition has read of an upstream. Raises `DamagedIndexError`."""
        return self._bytes(_input(upstream), number, VERSION_BYTES)

    def place(self, number: int) -> Place:
        """Where the attempts at a partition are. Raises `DamagedIndexError`."""
        made, failed = (self._cell(name, number, 8) for name in _LINES)
        return Place(made, failed, self._cell("attempts", number, 1))

    def copy(self) -> Rows:
        """A copy in memory, to be changed. Raises `DamagedIndexError`."""
        rows = Rows(0)
        rows.count = self.count
        for name in _PLAIN:
            setattr(rows, name, bytearray(self.column(name)))
        for name in _LINES:
            setattr(rows, name, array("q", self.column(name)))
        rows.inputs = {one: bytearray(self.input(one)) for one in self.upstreams}
        rows.known = list(self.known)
        rows.others = {one: msgspec.structs.replace(place) for one, place in self.others.items()}
        return rows

    def _column(self, name: str) -> _Column:
        try:
            return self._columns[name]
        except KeyError:
            raise DamagedIndexError from None

    def _cell(self, name: str, number: int, size: int) -> int:
        """A signed number in a column."""
        return int.from_bytes(self._bytes(name, number, size), sys.byteorder, signed=size > 1)

    def _bytes(self, name: str, number: int, size: int) -> bytes:
        """An entry of a column; nothing behind its end."""
        piece, at = divmod(number * size, _PIECE)
        data = self._pieces.get((name, piece))
        if data is None:
            data = self._read(self._column(name), range(piece, piece + 1))
            self._pieces[name, piece] = data
        return data[at : at + size]

    def _read(self, column: _Column, pieces: range) -> bytes:
        with self._opened() as fd:
            return self._read_from(fd, column, pieces)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        try:
            fd = os.open(self._path, os.O_RDONLY)
        except OSError as error:
            raise DamagedIndexError from error
        try:
            if os.fstat(fd).st_ino != self._inode:
                raise DamagedIndexError  # it was replaced since
            yield fd
        finally:
            os.close(fd)

    def _read_from(self, fd: int, column: _Column, pieces: range) -> bytes:
        start, end = pieces.start * _PIECE, min(pieces.stop * _PIECE, column.size)
        size = max(0, end - start)
        try:
            data = os.pread(fd, size, self._start + column.start + start)
        except OSError as error:
            raise DamagedIndexError from error
        if len(data) != size or _crcs(data) != column.crcs[pieces.start : pieces.stop]:
            raise DamagedIndexError
        return data


class DamagedIndexError(Exception):
    """Something in an index, or where it points to, is not what was written."""


def read_rows(path: str, fd: int) -> RowFile | None:
    """The index at `path`, if it is of the history that is open as `fd`."""
    try:
        with open(path, "rb") as file:
            magic, size, crc = file.readline(_LONGEST_LINE).split()
            head = file.read(int(size))
            if magic != _MAGIC or crc32(head) != int(crc):
                return None
            header = msgspec.json.decode(head, type=_Header)
            info, start = os.fstat(file.fileno()), file.tell()
    except (OSError, ValueError, msgspec.DecodeError):
        return None
    if header.version != __version__ or header.byte_order != sys.byteorder:
        return None
    if not _is_of(header.covered, fd):
        return None
    return RowFile(path, header, info.st_ino, start)


def write_rows(path: str, rows: Rows, numbering: str, covered: Covered) -> None:
    """Write an index, in place of the one before it. Raises `StoreError`."""
    parts = dict(_parts(rows))
    columns: list[_Column] = []
    start = 0
    for name, part in parts.items():
        columns.append(_Column(name, start, len(part), _crcs(part)))
        start += len(part)
    others = list(rows.others.items())
    header = _Header(
        __version__, numbering, rows.count, covered, rows.known, list(rows.inputs), others,
        columns,
    )  # fmt: skip
    head = msgspec.json.encode(header)
    line = b"%s %d %d\n" % (_MAGIC, len(head), crc32(head))
    make_folder(os.path.dirname(path))
    write_whole(path, b"".join([line, head, *parts.values()]))


def covered_part(fd: int, size: int) -> Covered:
    """What an index covers that is of the first `size` bytes of a history, up to the end of a line.
    Raises `OSError`."""
    info = os.fstat(fd)
    first, last = _ends(fd, size)
    return Covered(info.st_dev, info.st_ino, size, _changed_ns(info), first, last)


def _is_of(covered: Covered, fd: int) -> bool:
    info = os.fstat(fd)
    if (info.st_dev, info.st_ino) != (covered.device, covered.inode):
        return False
    if info.st_size < covered.size:  # a backup of before, perhaps
        return False
    if info.st_size == covered.size and _changed_ns(info) != covered.changed_ns:
        return False
    return _ends(fd, covered.size) == (covered.first, covered.last)


def _changed_ns(info: os.stat_result) -> int:
    """When the content of a file was changed, and its entry, which no program can set back."""
    return info.st_mtime_ns + info.st_ctime_ns


def _ends(fd: int, size: int) -> tuple[str, str]:
    """Digests of the first line of the first `size` bytes of a file, and of the last."""
    first = os.pread(fd, min(size, _END), 0)
    last = os.pread(fd, min(size, _END), max(0, size - _END))
    if size and not last.endswith(b"\n"):
        return "", ""  # no line ends there
    last = last[last.rfind(b"\n", 0, -1) + 1 :]
    return _digest(first[: first.find(b"\n") + 1 or None]), _digest(last)


def _crcs(data: bytes | bytearray) -> list[int]:
    view = memoryview(data)
    return [crc32(view[at : at + _PIECE]) for at in range(0, len(data), _PIECE)]


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()


def _parts(rows: Rows) -> Iterator[tuple[str, bytes | bytearray]]:
    for name in _PLAIN:
        yield name, getattr(rows, name)
    for name in _LINES:
        yield name, getattr(rows, name).tobytes()
    for name, column in rows.inputs.items():
        yield _input(name), column


def _input(upstream: str) -> str:
    return f"input {upstream}"

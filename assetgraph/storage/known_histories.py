"""The last line of each history as it was seen before, so that thousands of files need not be
opened to find that nothing was appended to them.

They are in one file of the store's cache, each with the stamp of its history. A history that has
another stamp by now is read, and so is one that the cache lacks: whatever is wrong with the cache
costs time. The stamp counts the time of the file's entry, which no program can set. What changed
within the last seconds is not kept, since another change may leave the stamp as it is.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

import msgspec

from assetgraph.errors import StoreError
from assetgraph.records import FailedAttempt, Materialization, decoder
from assetgraph.storage.atomic_files import make_folder, names_in, write_whole
from assetgraph.storage.histories import Recorded

if TYPE_CHECKING:
    from assetgraph.keys import Target
    from assetgraph.storage.histories import AssetHistory

_HEADER = b"assetgraph histories 1\n"
_FEW = 200  # to read so many histories takes less than to read the cache of all
_WORTH_WRITING = 500
_SETTLED_NS = 2_000_000_000
_LONGEST = 4096  # bytes of a line


class _Kept(NamedTuple):
    """The last line of a history, or "" if it is cut or very long, and the stamp of the file."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    line: bytes


class KnownHistories:
    """The last attempts at the assets of `history`, with the cache in the folder `cache`."""

    def __init__(self, history: AssetHistory, cache: str) -> None:
        self._history = history
        self._folder = cache
        self._path = f"{cache}/histories"
        self._decode = decoder(Recorded).decode
        self._asked = 0
        self._new: dict[str, _Kept] = {}

    def current(self, target: Target) -> tuple[Materialization | None, FailedAttempt | None]:
        """The last materialization of `target`, and its last failure where that came later. Raises
        `StoreError`."""
        if target.partition is None:
            self._asked += 1
            made = self._last(self._history.path(target.key))
            if made is not None:
                return self._history.named(made), None
        return self._history.current(target)

    def save(self) -> None:
        """Have the next process know what this one read, if that is worth it."""
        if len(self._new) < _WORTH_WRITING:
            return
        kept = {**self._kept, **self._new}
        with suppress(StoreError, OSError):  # a read-only store, or a full disk
            there = names_in(self._history.folder)
            data = msgspec.msgpack.encode({name: kept[name] for name in there if name in kept})
            make_folder(self._folder)
            write_whole(self._path, _HEADER + b"%08x" % crc32(data) + data)
            self._kept, self._new = kept, {}

    @cached_property
    def _kept(self) -> dict[str, _Kept]:
        try:
            with open(self._path, "rb") as file:
                found = file.read()
        except OSError:
            return {}
        head, data = found[: len(_HEADER) + 8], memoryview(found)[len(_HEADER) + 8 :]
        if head != _HEADER + b"%08x" % crc32(data):
            return {}
        try:
            return msgspec.msgpack.decode(data, type=dict[str, _Kept])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return {}

    def _last(self, path: str) -> Materialization | None:
        """The materialization in the last line of the history at `path`; None if that line says
        something else, or cannot be read."""
        name = path.rpartition("/")[2]
        kept = self._kept.get(name) if self._asked > _FEW else None
        try:
            if kept is None or kept[:4] != _stamp(os.stat(path)):
                kept = _read(path)
                if time.time_ns() - max(kept.mtime_ns, kept.ctime_ns) > _SETTLED_NS:
                    self._new[name] = kept
            found = self._decode(kept.line)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        return found if isinstance(found, Materialization) and found.partition is None else None


def _read(path: str) -> _Kept:
    """The last line of a history. Raises `OSError`."""
    fd = os.open(path, os.O_RDONLY)
    try:
        info = os.fstat(fd)
        start = max(0, info.st_size - _LONGEST)
        data = os.pread(fd, info.st_size - start, start)
    finally:
        os.close(fd)
    begin = data.rfind(b"\n", 0, -1) + 1
    whole = data.endswith(b"\n") and (begin or not start)
    return _Kept(*_stamp(info), data[begin:-1] if whole else b"")


def _stamp(info: os.stat_result) -> tuple[int, int, int, int]:
    return info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns

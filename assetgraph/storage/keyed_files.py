"""Records and bytes by their keys: a table that is one file of lines, and a cache of many files.

The lines of a table are only appended, each with the digest of its content as its key. It does not
matter which process writes a line first, nor that two write the same. A line that is damaged, or
cut by the death of its writer, is one entry that is not known any more.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import suppress
from typing import Any, Generic, TypeVar

import msgspec

from assetgraph.errors import StoreError
from assetgraph.records import decoder
from assetgraph.storage.atomic_files import (
    encoded,
    make_folder,
    make_store_folder,
    require_known_format,
    store_error,
    write_whole,
)

FORMAT = 1
_DAY_S = 86_400
Entry = TypeVar("Entry")


class LineTable(Generic[Entry]):
    """The table in the file at `path`, whose entries are of the type `kind`."""

    def __init__(self, path: str, kind: Any) -> None:
        self.path = path
        self.damaged = 0  # how many of the loaded lines cannot be read
        self._entries: dict[str, Entry] = {}
        self.first_line: dict[str, int] = {"format": FORMAT}
        self._read_to = 0
        self._decode = decoder(tuple[str, kind]).decode

    def load(self) -> Mapping[str, Entry]:
        """Every recorded entry. Raises `StoreFormatError` if a later assetgraph wrote them."""
        try:
            with open(self.path, "rb") as file:
                file.seek(self._read_to)
                data = file.read()
        except FileNotFoundError:
            return self._entries
        except OSError as error:
            raise store_error(error, "read", self.path) from error
        *lines, rest = data.split(b"\n")
        if self._read_to == 0 and lines and self._is_header(lines[0]):
            lines.pop(0)
        for line in lines:
            self._take(line)
        self._read_to += len(data) - len(rest)  # a line without an end may still be growing
        return self._entries

    def first_line_now(self) -> Mapping[str, int]:
        """What the first line of the file says. Raises `StoreError`."""
        self.load()
        return self.first_line

    def get(self, key: str) -> Entry | None:
        """The entry with a key, also one that another process added since."""
        return self._entries.get(key) or self.load().get(key)

    def add(self, entries: Mapping[str, Entry]) -> int:
        """Record the entries that are not recorded yet, and return their number. Raises
        `StoreError`."""
        known = self.load()
        new = [(key, entry) for key, entry in entries.items() if key not in known]
        if new:
            self._append(_lines(new))
        return len(new)

    def repair(self) -> None:
        """Remove the lines that cannot be read."""
        self.keep(self.load())

    def keep(self, entries: Mapping[str, Entry]) -> None:
        """Replace the table by one with these entries. Raises `StoreError`."""
        write_whole(self.path, self._header() + _lines(entries.items()))
        self._read_to = self.damaged = 0
        self._entries = {}

    def _header(self) -> bytes:
        return encoded(self.first_line) + b"\n"

    def _append(self, lines: bytes) -> None:
        """Append in one write, so that two processes do not mix their lines. A last line without an
        end, whose writer died, gets one first."""
        make_folder(os.path.dirname(self.path))
        try:
            with open(self.path, "ab+", buffering=0) as file:
                end = file.seek(0, os.SEEK_END)
                if end == 0:
                    lines = self._header() + lines
                else:
                    file.seek(end - 1)
                    lines = lines if file.read(1) == b"\n" else b"\n" + lines
                file.write(lines)
        except OSError as error:
            raise store_error(error, "write", self.path) from error

    def _take(self, line: bytes) -> None:
        if not line.strip():
            return  # after a line that another process had not written whole yet, and then had
        try:
            key, entry = self._decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # Two processes that began the table at once have both written its first line.
            self.damaged += not line.startswith(b'{"format":')
            return
        self._entries.setdefault(key, entry)

    def _is_header(self, line: bytes) -> bool:
        """Whether the line is the header. Raises `StoreFormatError` if a later assetgraph wrote
        it."""
        try:
            found = msgspec.json.decode(line, type=dict[str, int])
            require_known_format(self.path, found["format"], FORMAT)
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError):
            return False
        self.first_line.update(found)
        return True


class FolderCache(MutableMapping[str, bytes]):
    """A cache of bytes by name, one file each, in a folder that may be deleted at any time.

    Several processes may use it. What cannot be written is not cached. When there are `limit`
    files, or `most_bytes` in them, the half that was not used for longest is deleted. A cache
    inside the store in the folder `store` creates that folder too.
    """

    def __init__(
        self,
        folder: str,
        limit: int = 4096,
        *,
        most_bytes: int = 1_000_000_000,
        store: str | None = None,
    ) -> None:
        self._folder = folder
        self._store = store
        self._limit = limit
        self._most_bytes = most_bytes
        self._size: tuple[int, int] | None = None  # files and bytes, once a file was written

    def __getitem__(self, name: str) -> bytes:
        path = f"{self._folder}/{name}"
        try:
            with open(path, "rb", buffering=0) as file:
                if os.fstat(file.fileno()).st_mtime < time.time() - _DAY_S:
                    _say_that_it_is_used(path)
                return file.readall()
        except OSError:
            raise KeyError(name) from None

    def __setitem__(self, name: str, data: bytes) -> None:
        try:
            if self._size is None:
                if self._store is not None:
                    make_store_folder(self._store)
                make_folder(self._folder)
                sizes = [entry.stat().st_size for entry in os.scandir(self._folder)]
                self._size = len(sizes), sum(sizes)
            if self._size[0] >= self._limit or self._size[1] + len(data) > self._most_bytes:
                self._size = self._drop_half()
            write_whole(f"{self._folder}/{name}", data)
            self._size = self._size[0] + 1, self._size[1] + len(data)
        except (StoreError, OSError):
            pass

    def __delitem__(self, name: str) -> None:
        try:
            os.unlink(f"{self._folder}/{name}")
        except FileNotFoundError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        try:
            return iter(sorted(os.listdir(self._folder)))
        except FileNotFoundError:
            return iter(())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _drop_half(self) -> tuple[int, int]:
        """Delete the older half of the files. Returns how many are left, and their bytes."""
        found = [(entry.stat(), entry.path) for entry in os.scandir(self._folder)]
        found.sort(key=lambda file: file[0].st_mtime_ns)
        half = len(found) // 2
        for _, path in found[:half]:
            os.unlink(path)
        return len(found) - half, sum(info.st_size for info, _ in found[half:])


def _say_that_it_is_used(path: str) -> None:
    with suppress(OSError):  # a read-only store
        os.utime(path)


def _lines(entries: Iterable[tuple[str, Any]]) -> bytes:
    return b"".join([encoded(entry) + b"\n" for entry in entries])

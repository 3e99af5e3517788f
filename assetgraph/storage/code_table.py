"""The table of definitions, `code/definitions.jsonl`, and the cache of what source files contain.

Lines are only appended, each with the hash of its content as the key, so it does not matter which
process writes one first. A damaged line is one definition that a reason cannot name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, MutableMapping

import msgspec

from assetgraph.code import Node
from assetgraph.errors import StoreError
from assetgraph.records import decoder
from assetgraph.storage.atomic_files import (
    make_folder,
    make_store_folder,
    require_known_format,
    store_error,
    write_whole,
)

FORMAT = 1


class CodeTable:
    """The definitions behind the code versions that a store has recorded, in `folder`."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._path = f"{folder}/definitions.jsonl"
        self._nodes: dict[str, Node] = {}
        self._read_to = 0
        self.damaged = 0  # how many of the loaded lines cannot be read
        self._encode = msgspec.json.Encoder().encode
        self._decode = decoder(tuple[str, Node]).decode

    def load(self) -> Mapping[str, Node]:
        """Every recorded definition. Raises `StoreFormatError` if a later assetgraph wrote them."""
        try:
            with open(self._path, "rb") as file:
                file.seek(self._read_to)
                data = file.read()
        except FileNotFoundError:
            return self._nodes
        except OSError as error:
            raise store_error(error, "read", self._path) from error
        *lines, rest = data.split(b"\n")
        if self._read_to == 0 and lines and self._is_header(lines[0]):
            lines.pop(0)
        for line in lines:
            self._take(line)
        self._read_to += len(data) - len(rest)  # a line without an end may still be growing
        return self._nodes

    def add(self, table: Mapping[str, Node]) -> int:
        """Record the definitions that are not recorded yet, and return their number. Raises
        `StoreError`."""
        known = self.load()
        new = [(key, node) for key, node in table.items() if key not in known]
        if new:
            self._append(self._encoded(new))
        return len(new)

    def repair(self) -> None:
        """Remove the lines that cannot be read."""
        write_whole(self._path, self._header() + self._encoded(self.load().items()))
        self._read_to = self.damaged = 0

    def _encoded(self, nodes: Iterable[tuple[str, Node]]) -> bytes:
        return b"".join([self._encode(line) + b"\n" for line in nodes])

    def _header(self) -> bytes:
        return self._encode({"format": FORMAT}) + b"\n"

    def _append(self, lines: bytes) -> None:
        """Append in one write, so that two processes do not mix their lines. A last line without an
        end, whose writer died, gets one first."""
        make_folder(self._folder)
        try:
            with open(self._path, "ab+", buffering=0) as file:
                end = file.seek(0, os.SEEK_END)
                if end == 0:
                    lines = self._header() + lines
                else:
                    file.seek(end - 1)
                    lines = lines if file.read(1) == b"\n" else b"\n" + lines
                file.write(lines)
        except OSError as error:
            raise store_error(error, "write", self._path) from error

    def _take(self, line: bytes) -> None:
        try:
            key, node = self._decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.damaged += 1
            return
        self._nodes.setdefault(key, node)

    def _is_header(self, line: bytes) -> bool:
        """Whether the line is the header. Raises `StoreFormatError` if a later assetgraph wrote
        it."""
        try:
            found = msgspec.json.decode(line, type=dict[str, int])["format"]
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError):
            return False
        require_known_format(self._path, found, FORMAT)
        return True


class FolderCache(MutableMapping[str, bytes]):
    """A cache of bytes by name, one file each, in a folder that may be deleted at any time.

    Several processes may use it. What cannot be written is not cached. When `limit` files are
    reached, the older half is deleted. A cache inside the store in the folder `store` creates that
    folder too.
    """

    def __init__(self, folder: str, limit: int = 4096, *, store: str | None = None) -> None:
        self._folder = folder
        self._store = store
        self._limit = limit
        self._size: int | None = None  # the number of files, once one was written

    def __getitem__(self, name: str) -> bytes:
        try:
            with open(f"{self._folder}/{name}", "rb") as file:
                return file.read()
        except OSError:
            raise KeyError(name) from None

    def __setitem__(self, name: str, data: bytes) -> None:
        try:
            if self._size is None:
                if self._store is not None:
                    make_store_folder(self._store)
                make_folder(self._folder)
                self._size = len(self)
            if self._size >= self._limit:
                self._drop_older_half()
            write_whole(f"{self._folder}/{name}", data)
            self._size += 1
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

    def _drop_older_half(self) -> None:
        files = sorted(os.scandir(self._folder), key=lambda file: file.stat().st_mtime_ns)
        for file in files[: len(files) // 2]:
            os.unlink(file.path)
        self._size = len(files) - len(files) // 2

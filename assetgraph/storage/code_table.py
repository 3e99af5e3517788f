"""The table of definitions, `code/definitions.jsonl`, and the cache of what source files contain.

A damaged line of the table is one definition that a reason cannot name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping

from assetgraph.code import Node
from assetgraph.errors import StoreError
from assetgraph.storage.atomic_files import make_folder, make_store_folder, write_whole
from assetgraph.storage.line_table import LineTable


class CodeTable(LineTable[Node]):
    """The definitions behind the code versions that a store has recorded, in `folder`."""

    def __init__(self, folder: str) -> None:
        super().__init__(f"{folder}/definitions.jsonl", Node)


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

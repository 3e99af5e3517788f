"""The history of each asset: `assets/<key>.jsonl`, one line an attempt, the last one current.

A line is appended under the asset's lock, which is a lock on this very file, and appending it is
what commits a materialization.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from assetgraph.errors import StoreError
from assetgraph.keys import key_text
from assetgraph.records import FailedAttempt, Materialization
from assetgraph.storage.atomic_files import (
    append_line,
    append_to,
    encoded,
    make_folder,
    names_in,
    read_last,
)
from assetgraph.storage.locks import Lock

if TYPE_CHECKING:
    from assetgraph.keys import AssetKey

Attempt = Materialization | FailedAttempt


class AssetHistory:
    """The attempts at every asset of a store, in the folder `folder`."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def append(self, key: AssetKey, attempt: Attempt) -> None:
        """Raises `StoreError`; then nothing was committed."""
        line = encoded(attempt) + b"\n"
        try:
            append_line(self.path(key), line)
        except Exception:
            if os.path.isdir(self._folder):
                raise
            make_folder(self._folder)
            append_line(self.path(key), line)

    def newest_first(self, key: AssetKey) -> Iterator[Attempt]:
        """Raises `DamagedStoreError` at a line that does not read."""
        return read_last(self.path(key), Attempt)

    def current(self, key: AssetKey) -> tuple[Materialization | None, FailedAttempt | None]:
        """The last materialization, and the last failure where it came after that."""
        failed = None
        for attempt in self.newest_first(key):
            if isinstance(attempt, Materialization):
                return attempt, failed
            failed = failed or attempt
        return None, failed

    def keys(self) -> list[str]:
        """The texts of all keys that have a history."""
        return sorted(
            key_text(name.removesuffix(".jsonl"))
            for name in names_in(self._folder)
            if name.endswith(".jsonl")
        )

    def path(self, key: AssetKey) -> str:
        return f"{self._folder}/{key.file_name}.jsonl"


class AssetLock(Lock):
    """The lock on materializing the asset `key`, whose holder commits to the history. It is on
    the history itself, or on the file at `path`."""

    def __init__(self, history: AssetHistory, key: AssetKey, path: str | None = None) -> None:
        super().__init__(path or history.path(key))
        self._history = history
        self._key = key
        self._is_history = path is None

    def append(self, attempt: Attempt) -> None:
        """Raises `StoreError`; then nothing was committed."""
        fd = self._fd if self._is_history else None
        if fd is None:
            self._history.append(self._key, attempt)
        elif not append_to(fd, self.path, encoded(attempt) + b"\n"):
            if not os.path.isdir(os.path.dirname(self.path)):
                raise StoreError(f"cannot write {self.path}: its store was deleted meanwhile.")
            self._history.append(self._key, attempt)  # only it was deleted: it is begun anew

    def found_empty(self) -> bool:
        """Whether the asset has no history yet."""
        return self._fd is not None and os.lseek(self._fd, 0, os.SEEK_END) == 0

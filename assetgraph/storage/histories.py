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
    from assetgraph.keys import AssetKey, Target

Attempt = Materialization | FailedAttempt


class AssetHistory:
    """The attempts at every asset of a store, in the folder `folder`."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def append(self, target: Target, attempt: Attempt) -> None:
        """Raises `StoreError`; then nothing was committed."""
        assert attempt.partition == target.partition
        path, line = self.path(target.key), encoded(attempt) + b"\n"
        try:
            append_line(path, line)
        except Exception:
            if os.path.isdir(self._folder):
                raise
            make_folder(self._folder)
            append_line(path, line)

    def newest_first(self, key: AssetKey) -> Iterator[Attempt]:
        """Raises `DamagedStoreError` at a line that does not read."""
        return read_last(self.path(key), Attempt)

    def current(self, target: Target) -> tuple[Materialization | None, FailedAttempt | None]:
        """The last materialization of `target`, and its last failure where that came later."""
        failed = None
        for attempt in self.newest_first(target.key):
            if attempt.partition != target.partition:
                continue
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


class TargetLock(Lock):
    """The lock on materializing `target`, whose holder commits to the asset's history. The file at
    `path` that it locks is that history, or for a partition one of its own."""

    def __init__(self, history: AssetHistory, target: Target, path: str) -> None:
        super().__init__(path)
        self._history = history
        self._target = target
        self._is_history = target.partition is None

    def append(self, attempt: Attempt) -> None:
        """Raises `StoreError`; then nothing was committed."""
        fd = self._fd if self._is_history else None
        if fd is None:
            self._history.append(self._target, attempt)
        elif not append_to(fd, self.path, encoded(attempt) + b"\n"):
            if not os.path.isdir(os.path.dirname(self.path)):
                raise StoreError(f"cannot write {self.path}: its store was deleted meanwhile.")
            self._history.append(self._target, attempt)  # only it was deleted: it is begun anew

    def found_empty(self) -> bool:
        """Whether the asset has no history yet; False where the lock is on another file."""
        return self._fd is not None and self._is_history and os.lseek(self._fd, 0, os.SEEK_END) == 0

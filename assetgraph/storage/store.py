"""`Store`: the folder that holds a project's runs, histories, locks and values."""

from __future__ import annotations

import os
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.errors import LockedError, StoreError
from assetgraph.keys import partition_file_name
from assetgraph.storage.atomic_files import (
    damaged,
    encoded,
    make_folder,
    make_store_folder,
    require_known_format,
    store_error,
    write_whole,
)
from assetgraph.storage.histories import AssetHistory, AssetLock
from assetgraph.storage.locks import Lock, is_held
from assetgraph.storage.run_folders import RunStorage

if TYPE_CHECKING:
    from assetgraph.keys import AssetKey
    from assetgraph.storage.project_code import ProjectCode
    from assetgraph.storage.value_store import ValueStore

FORMAT = 1


class Store:
    """The store in `folder`; it is made when something is first written to it.

    `project_root` is what returned relative paths are relative to; `storage` is where values go: a
    folder or an object store's URL, by default the store's own folder `values`. Of each asset the
    last `keep_values` values are kept, and of all runs the last `keep_runs`, where given. What an
    `ephemeral` store holds need not survive a power cut, and is never older than the code.

    Raises `StoreError` where the folder cannot be one, and `StoreFormatError` where a later
    assetgraph wrote it.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        project_root: str | Path | None = None,
        storage: str | None = None,
        keep_values: int = 2,
        keep_runs: int | None = None,
        ephemeral: bool = False,
    ) -> None:
        self.folder = os.path.abspath(folder)
        self.project_root = Path(project_root or Path.cwd()).absolute()
        self.storage = storage or f"{self.folder}/values"
        self.keep_values = keep_values
        self.keep_runs = keep_runs
        self.ephemeral = ephemeral
        self._exists = self._check()

    def __reduce__(self) -> tuple[Any, ...]:
        options: dict[str, Any] = {
            "project_root": self.project_root,
            "storage": self.storage,
            "keep_values": self.keep_values,
            "keep_runs": self.keep_runs,
            "ephemeral": self.ephemeral,
        }
        return partial(Store, **options), (self.folder,)

    @cached_property
    def runs(self) -> RunStorage:
        return RunStorage(f"{self.folder}/runs")

    @cached_property
    def history(self) -> AssetHistory:
        return AssetHistory(f"{self.folder}/assets")

    @cached_property
    def values(self) -> ValueStore:
        from assetgraph.storage.value_store import ValueStore

        return ValueStore(self.storage, self.project_root)

    @cached_property
    def code(self) -> ProjectCode:
        from assetgraph.storage.project_code import ProjectCode

        return ProjectCode(self.project_root, self.folder)

    def forget_code(self) -> None:
        """Take the versions of the code anew when they are next asked for."""
        self.__dict__.pop("code", None)

    def lock(self, key: AssetKey, partition: str | None = None) -> AssetLock:
        """The lock on materializing one asset (and partition)."""
        return AssetLock(self.history, key, self._partition_lock(key, partition))

    def reading(self, key: AssetKey, partition: str | None = None, *, shared: bool = False) -> Lock:
        """Held (shared) by a step that reads the asset's stored value, so that it is not pruned."""
        name = f"{key.file_name}={partition_file_name(partition)}.read"
        return Lock(f"{self.folder}/locks/{name}", shared=shared)

    def is_running(self, key: AssetKey, partition: str | None = None) -> bool:
        return is_held(self._partition_lock(key, partition) or self.history.path(key))

    def holder(self, key: AssetKey, *, but: str = "") -> str:
        """The id of the run, other than `but`, that materializes an asset; "" where none does."""
        return self.runs.makers({key.text}, but=but).get(key.text, "")

    def holder_text(self, run_id: str) -> str:
        """A run that holds an asset, as a person reads it."""
        if not run_id:
            return "another process"
        run = self.runs.read(run_id)
        return f"run {run_id} (process {run.pid} on {run.host})"

    def locked(self, key: AssetKey, *, hint: str) -> LockedError:
        """The error for one who finds the lock on `key` held and does not wait."""
        holder = self.holder(key)
        message = f"{key.text!r} is being materialized by {self.holder_text(holder)}."
        return LockedError(message, key=key.text, holder=holder, hint=hint)

    def prepare(self) -> None:
        """Make the folder, if it is not there yet, with its format and its parts."""
        if not self._exists:
            make_store_folder(self.folder)
            # Before its parts: a folder with parts and no format is damaged.
            write_whole(f"{self.folder}/store.json", encoded({"format": FORMAT}) + b"\n")
            self._exists = True
        for part in ("/runs", "/assets", "/locks"):
            make_folder(self.folder + part)

    def _partition_lock(self, key: AssetKey, partition: str | None) -> str | None:
        """The file of the lock on a partition. That on an asset is its history, so that a step
        opens one file."""
        if partition is None:
            return None
        return f"{self.folder}/locks/{key.file_name}={partition_file_name(partition)}"

    def _check(self) -> bool:
        path = f"{self.folder}/store.json"
        try:
            with open(path, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            return self._check_absent()
        except NotADirectoryError as error:
            raise StoreError(
                f"cannot use {self.folder} as a store: it is a file.",
                hint="Move it away, or choose another folder with --store.",
            ) from error
        except OSError as error:
            raise store_error(error, "read", path) from error
        try:
            found = msgspec.json.decode(data, type=dict[str, int])["format"]
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError) as error:
            raise damaged(path, f'it should say {{"format": {FORMAT}}}') from error
        require_known_format(f"the store {self.folder}", found, FORMAT)
        return True

    def _check_absent(self) -> bool:
        if os.path.exists(f"{self.folder}/runs") or os.path.exists(f"{self.folder}/assets"):
            raise damaged(
                f"{self.folder}/store.json", "it is missing from a store that has records"
            )
        return False


def sync_file_system(path: str) -> None:
    """Have the kernel write what it holds of the file system of `path`: one call for all files.

    Where the C library has no `syncfs` (macOS), every file system is asked.
    """
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "syncfs"):  # pragma: no cover - not on Linux
        os.sync()
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        libc.syncfs(fd)
    finally:
        os.close(fd)

"""`Store`: the folder that holds a project's runs, histories, locks and values."""

from __future__ import annotations

import os
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.errors import DamagedStoreError, LockedError, NoValueError, StoreError
from assetgraph.keys import Target, partitions_by_asset
from assetgraph.storage.asset_names import AssetNames, Renaming
from assetgraph.storage.atomic_files import (
    damaged,
    encoded,
    make_folder,
    make_store_folder,
    names_in,
    require_known_format,
    store_error,
    write_whole,
)
from assetgraph.storage.file_locks import Lock, is_held
from assetgraph.storage.histories import AssetHistory, TargetLock
from assetgraph.storage.run_folders import RunStorage

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence, Set

    from assetgraph.keys import AssetKey
    from assetgraph.process.reads.rules import Rules
    from assetgraph.records import Materialization
    from assetgraph.storage.dynamic_partitions import DynamicPartitions
    from assetgraph.storage.ignored_paths import IgnoredPaths
    from assetgraph.storage.known_histories import KnownHistories
    from assetgraph.storage.output_paths import OutputPaths, ReturnedPaths
    from assetgraph.storage.partition_locks import PartitionLocks
    from assetgraph.storage.present_reads import PresentReads
    from assetgraph.storage.project_code import ProjectCode
    from assetgraph.storage.read_table import ReadTable
    from assetgraph.storage.value_store import ValueStore

FORMAT = 1
WITH_PARTITIONS = 2  # an earlier assetgraph takes a line about a partition for one about its asset


class Store:
    """The store in `folder`, which is created when something is first written to it.

    Relative paths that assets return are relative to `project_root`. Values go to `storage`: a
    folder or an object store's URL, by default the store's own folder `values`. The store keeps the
    last `keep_values` values of each asset, and the last `keep_runs` runs, or all if that is None.
    The content of an `ephemeral` store need not survive a power cut, and is never older than the
    code. `renamings` and `salt` are those of the process that this one works for.
    `observe_reads` says whether to observe what steps read, and `ignore_reads` of which files not.

    Raises `StoreError` if the folder cannot hold a store, and `StoreFormatError` if a later
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
        renamings: Sequence[Renaming] | None = None,
        salt: int | None = None,
        observe_reads: bool = True,
        ignore_reads: Sequence[str] = (),
    ) -> None:
        self.folder = os.path.abspath(folder)
        self.project_root = Path(project_root or Path.cwd()).absolute()
        self.storage = storage or f"{self.folder}/values"
        self.keep_values = keep_values
        self.keep_runs = keep_runs
        self.ephemeral = ephemeral
        self.observes = observe_reads and not ephemeral
        self._ignore_reads = tuple(ignore_reads)
        self._exists = self._format() is not None
        self._format_stamp: tuple[int, int] | None = None  # of a format that allows partitions
        self._renamings = renamings
        self._salt = salt
        self._locks_of_partitions: dict[tuple[AssetKey, AssetKey], PartitionLocks] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        options: dict[str, Any] = {
            "project_root": self.project_root,
            "storage": self.storage,
            "keep_values": self.keep_values,
            "keep_runs": self.keep_runs,
            "ephemeral": self.ephemeral,
            "renamings": self.names.renamings,
            "salt": self.reads.salt,
            "observe_reads": self.observes,
            "ignore_reads": self._ignore_reads,
        }
        return partial(Store, **options), (self.folder,)

    @cached_property
    def runs(self) -> RunStorage:
        return RunStorage(f"{self.folder}/runs", self.names)

    @cached_property
    def names(self) -> AssetNames:
        return AssetNames(f"{self.folder}/names.jsonl", self._renamings)

    @cached_property
    def history(self) -> AssetHistory:
        return AssetHistory(
            f"{self.folder}/assets",
            self.names,
            self._allow_partitions,
            indexes=f"{self.folder}/cache/partitions",
            is_plain=lambda value: self.values.is_plain(value),
        )

    @cached_property
    def values(self) -> ValueStore:
        from assetgraph.storage.value_store import ValueStore

        return ValueStore(self.storage, self.project_root, f"{self.folder}/cache", self.names)

    @cached_property
    def code(self) -> ProjectCode:
        from assetgraph.storage.project_code import ProjectCode

        return ProjectCode(self.project_root, self.folder)

    @cached_property
    def reads(self) -> ReadTable:
        from assetgraph.storage.read_table import ReadTable

        return ReadTable(self.reads_path, self.names, self._salt)

    @cached_property
    def dynamic_partitions(self) -> DynamicPartitions:
        from assetgraph.storage.dynamic_partitions import DynamicPartitions

        return DynamicPartitions(f"{self.folder}/partitions", self.prepare)

    @property
    def reads_path(self) -> str:
        """The file of the table of what steps read."""
        return f"{self.folder}/reads.jsonl"

    def known_histories(self) -> KnownHistories:
        """The last attempts at assets, from a cache as far as nothing was appended since."""
        from assetgraph.storage.known_histories import KnownHistories

        return KnownHistories(self.history, f"{self.folder}/cache")

    def outputs(self, made: Mapping[Target, Materialization] | None = None) -> OutputPaths:
        """Which asset made a file. What is `made` and not committed yet counts too."""
        from assetgraph.storage.output_paths import OutputPaths

        return OutputPaths(self.history, self.storage, self._returned_paths, made or {})

    @cached_property
    def _returned_paths(self) -> ReturnedPaths:
        from assetgraph.storage.output_paths import ReturnedPaths

        return ReturnedPaths(str(self.project_root))

    def present_reads(self, made: Mapping[Target, Materialization] | None = None) -> PresentReads:
        """Looks at what steps may have read, as it is now. Its listings leave
        out what assets made, also what they `made` just now, and what the project ignores."""
        from assetgraph.storage.present_reads import PresentReads

        root, outputs = f"{self.project_root}/", self.outputs(made)

        def is_left_out(path: str) -> bool:
            inside = path.startswith(root) and path.removeprefix(root) in self.ignored_reads
            return inside or outputs.is_output(path)

        return PresentReads(self.project_root, self.values.verified, is_left_out)

    @cached_property
    def read_rules(self) -> Rules | None:
        """Which paths count as read by a step; None if that is not observed."""
        if not self.observes:
            return None
        from assetgraph.code.project_folder import ProjectFolder
        from assetgraph.process.reads.rules import Rules
        from assetgraph.storage.formats.digest import digest_of_file

        root = str(self.project_root)
        never = [self.folder]
        if "://" not in self.storage:
            never.append(os.path.join(root, self.storage))
        return Rules(root, never, ProjectFolder(root).contains, digest_of_file)

    @cached_property
    def ignored_reads(self) -> IgnoredPaths:
        """The paths, relative to the project's folder, that do not count."""
        from assetgraph.storage.ignored_paths import IgnoredPaths

        return IgnoredPaths(self._ignore_reads)

    def forget_code(self) -> None:
        """Compute the versions of the code again when they are next needed."""
        self.__dict__.pop("code", None)

    def lock(self, target: Target) -> TargetLock:
        """The lock on materializing `target`.

        For an asset without partitions it is on the history, so that a step opens one file.
        """
        if target.partition is None:
            return TargetLock(self.history, target, self.history.path(target.key))
        return self._partition_locks(target.key).locks([target.partition])[0]

    def locks(self, targets: Collection[Target]) -> dict[Target, TargetLock]:
        """The locks on all of `targets`, for one step. They have one order for all steps, so that
        two which share targets never wait for each other."""
        found = [self.lock(target) for target in targets if target.partition is None]
        for key, partitions in partitions_by_asset(targets).items():
            found.extend(self._partition_locks(key).locks(sorted(partitions)))
        return {lock.target: lock for lock in sorted(found, key=lambda lock: lock.target.text)}

    def reading(self, target: Target, *, shared: bool = False) -> Lock:
        """The lock that a step holds (shared) while it reads the stored value of `target`, so that
        the value is not pruned."""
        if target.partition is None:
            return Lock(
                f"{self._locks}/{self.names.identity_of(target).file_name}.read", shared=shared
            )
        return self._partition_locks(target.key).reading([target.partition], shared=shared)[0]

    def reading_all(self, targets: Collection[Target], *, shared: bool = False) -> list[Lock]:
        """The locks on reading the stored values of `targets`."""
        whole = [target for target in targets if target.partition is None]
        found = [self.reading(target, shared=shared) for target in whole]
        for key, partitions in partitions_by_asset(targets).items():
            found.extend(self._partition_locks(key).reading(partitions, shared=shared))
        return found

    def is_running(self, target: Target) -> bool:
        """Whether a living process is materializing `target`."""
        if target.partition is None:
            return is_held(self.history.path(target.key)) and self.lock(target).is_taken()
        return bool(self.running_partitions(target.key, [target.partition]))

    def running_partitions(self, key: AssetKey, partitions: Collection[str]) -> Set[str]:
        """Those of some partitions of an asset that a living process is materializing."""
        return self._partition_locks(key).running(partitions)

    def running(self, targets: Collection[Target]) -> set[Target]:
        """Those of `targets` that a living process is materializing."""
        found = {one for one in targets if one.partition is None and self.is_running(one)}
        for key, partitions in partitions_by_asset(targets).items():
            running = self.running_partitions(key, partitions)
            found.update(Target(key, partition) for partition in running)
        return found

    def being_read(self, targets: Collection[Target]) -> set[Target]:
        """Those of `targets` whose value a step may be reading."""
        whole = [target for target in targets if target.partition is None]
        found = {one for one in whole if is_held(self.reading(one).path, shared=True)}
        for key, partitions in partitions_by_asset(targets).items():
            read = self._partition_locks(key).read(partitions)
            found.update(Target(key, partition) for partition in read)
        return found

    def holder(self, target: Target, *, but: str = "") -> str:
        """The id of the run, other than `but`, that materializes `target`, or ""."""
        return self.runs.makers({target.text}, but=but).get(target.text, "")

    def holder_text(self, run_id: str) -> str:
        """The holder of a lock as text for a person; `run_id` is "" if no run is known."""
        if not run_id:
            return "another process"
        run = self.runs.read(run_id)
        return f"run {run_id} (process {run.pid} on {run.host})"

    def locked(self, target: Target, *, hint: str) -> LockedError:
        """The error for a caller that finds the lock on `target` held and does not wait."""
        holder = self.holder(target)
        message = f"{target.text!r} is being materialized by {self.holder_text(holder)}."
        return LockedError(message, key=target.key.text, holder=holder, hint=hint)

    def no_value(self, of: AssetKey | Target) -> NoValueError:
        """The error for a caller that needs the value of an asset, or of one partition, without a
        materialization."""
        from assetgraph.storage.missing_values import no_value

        target = of if isinstance(of, Target) else Target(of)
        return no_value(self.history, self.values, target)

    @property
    def exists(self) -> bool:
        """Whether anything has been recorded in the folder."""
        return self._exists

    def prepare(self, *, partitions: bool = False) -> None:
        """Create the store's folder with its format and its subfolders, as far as they are
        missing. With `partitions`, records of these are to follow."""
        if not self._exists:
            make_store_folder(self.folder)
            # Before the subfolders: a store with subfolders and no format is damaged.
            write_whole(self._format_path, _format_line(FORMAT))
            self._exists = True
        for part in ("/runs", "/assets", "/locks"):
            make_folder(self.folder + part)
        if partitions:
            self._allow_partitions()

    @property
    def may_have_partitions(self) -> bool:
        """Whether a partition was ever recorded, as the format of the store says."""
        return self._format() == WITH_PARTITIONS

    def _allow_partitions(self) -> None:
        """Have the store say that earlier versions would misread it, before it has a record of a
        partition."""
        if self._format_stamp is not None and self._format_stamp == self._stamp_of_format():
            return
        found = self._format()
        if found is None:
            raise StoreError(f"cannot write {self.folder}: its store was deleted during the step.")
        if found < WITH_PARTITIONS:
            write_whole(self._format_path, _format_line(WITH_PARTITIONS))
        self._format_stamp = self._stamp_of_format()

    def _stamp_of_format(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._format_path)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    @property
    def _locks(self) -> str:
        return f"{self.folder}/locks"

    def _partition_locks(self, key: AssetKey) -> PartitionLocks:
        identity = self.names.identity(key)
        known = self._locks_of_partitions.get((key, identity))
        if known is None:
            from assetgraph.storage.partition_locks import partition_locks

            known = partition_locks(self.history, key, self._locks, identity)
            self._locks_of_partitions[key, identity] = known
        return known

    @property
    def _format_path(self) -> str:
        return f"{self.folder}/store.json"

    def _format(self) -> int | None:
        """The format of the store; None if there is none."""
        path = self._format_path
        try:
            with open(path, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            if any(os.path.exists(f"{self.folder}/{name}") for name in ("runs", "assets")):
                raise self._damaged_format("it is missing from a store that has records") from None
            return None
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
            raise self._damaged_format() from error
        require_known_format(f"the store {self.folder}", found, WITH_PARTITIONS)
        return found

    def _damaged_format(self, why: str = "") -> DamagedStoreError:
        """The error for a damaged or missing format, which says how to write it."""
        from shlex import quote

        path = self._format_path
        known = WITH_PARTITIONS if self._may_have_partitions() else FORMAT
        text = _format_line(known).decode().strip()
        why = why or f"it should contain {text}"
        return damaged(path, why, hint=f"Write it with: echo '{text}' > {quote(path)}")

    def _may_have_partitions(self) -> bool:
        folder = f"{self.folder}/assets"
        for name in names_in(folder):
            with open(f"{folder}/{name}", "rb") as file:
                if any(b'"partition' in line for line in file):
                    return True
        return False


def _format_line(number: int) -> bytes:
    return encoded({"format": number}) + b"\n"

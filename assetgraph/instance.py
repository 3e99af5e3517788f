"""`Instance`: the store of a project, for tests, scripts and notebooks."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.annotations import EMPTY
from assetgraph.definitions.asset import Asset
from assetgraph.errors import UnknownRunError
from assetgraph.keys import AssetKey, Target
from assetgraph.project.settings import find_project, working_folder
from assetgraph.records import EventType, Materialization
from assetgraph.storage.asset_records import rename, wipe
from assetgraph.storage.store import Store

if TYPE_CHECKING:
    from assetgraph.graph.definitions import Definitions
    from assetgraph.queries.dagster_events import DagsterEvent, EventLogEntry
    from assetgraph.records import RunRecord

KeyLike = str | AssetKey | Asset


class Instance:
    """The store that runs are recorded in.

    `Instance.get()` is the store of the current folder's project, `Instance(folder)` is any other,
    and `Instance.ephemeral()` is a temporary one.
    """

    def __init__(self, folder: str | Path) -> None:
        self.store = Store(working_folder() / folder)

    @classmethod
    def get(cls) -> Instance:
        """The store of the current folder's project. Raises `ProjectError` outside of a project."""
        return cls._of(find_project().open_store())

    @classmethod
    def ephemeral(cls) -> Instance:
        """A store in a temporary folder, deleted with this object."""
        here = working_folder()
        folder = tempfile.mkdtemp(prefix="assetgraph-")
        instance = cls._of(Store(f"{folder}/store", project_root=here, ephemeral=True))
        weakref.finalize(instance, shutil.rmtree, folder, ignore_errors=True)
        return instance

    def rename_asset(self, old: KeyLike, new: KeyLike) -> None:
        """Let the asset `new` have the history and the values of `old`. Nothing is copied.

        Raises `AssetGraphError` if `old` has no history or `new` has one, or a run is at work on
        either.
        """
        rename(self.store, key_of(old), key_of(new))

    def wipe_assets(self, keys: Sequence[KeyLike]) -> None:
        """Delete the histories and the values of assets, which then count as never materialized.

        Raises `AssetGraphError` if a run is at work on one of them; then nothing was deleted.
        """
        self.store.names.refresh()
        wipe(self.store, [key_of(key) for key in keys])

    def report(
        self,
        key: KeyLike,
        *,
        data_version: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Record that something outside made an asset, such as a job that loads a table.

        What reads it is stale if its `data_version` is another; without one, its data counts as
        new. Raises `AssetGraphError` if another process does the same, or for metadata that cannot
        be recorded.
        """
        from assetgraph.run.observe import report

        report(self.store, key_of(key), data_version=data_version, metadata=metadata)

    def add_dynamic_partitions(
        self, partitions_def_name: str, partition_keys: Sequence[str]
    ) -> None:
        """Add keys to the dynamic partitions of a name. Those that are there stay where they are.

        Raises `PartitionsError` for a key that cannot be one; then none was added.
        """
        self.store.dynamic_partitions.add(partitions_def_name, partition_keys)

    def get_dynamic_partitions(self, partitions_def_name: str) -> list[str]:
        """The keys of the dynamic partitions of a name, in the order of their addition."""
        return self.store.dynamic_partitions.get(partitions_def_name)

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Whether a key is one of the dynamic partitions of a name."""
        return partition_key in self.get_dynamic_partitions(partitions_def_name)

    def delete_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> None:
        """Delete a key from the dynamic partitions of a name. What was materialized of it stays."""
        self.store.dynamic_partitions.delete(partitions_def_name, [partition_key])

    def get_materialized_partitions(self, asset_key: KeyLike) -> set[str]:
        """The partitions of an asset that were ever materialized, also those that its definition
        does not have any more."""
        self.store.names.refresh()
        recorded = self.store.history.partitions(key_of(asset_key))
        return {one for one, is_made in recorded.items() if one is not None and is_made}

    def get_latest_materialization_event(self, asset_key: KeyLike) -> EventLogEntry | None:
        """The last materialization of an asset, of any of its partitions; None if there is none.

        It has `asset_materialization.metadata`, `run_id` and `timestamp`.
        """
        from assetgraph.queries.dagster_events import entry_of

        self.store.names.refresh()
        key = key_of(asset_key)
        attempts = self.store.history.newest_first(key)
        made = next((one for one in attempts if isinstance(one, Materialization)), None)
        return None if made is None else entry_of(key, made)

    def load_asset_value(
        self,
        asset_key: KeyLike,
        as_type: Any = EMPTY,
        *,
        partition_key: str | None = None,
        definitions: Definitions,
    ) -> Any:
        """The current value of an asset of `definitions`, as `as_type` if given.

        Raises `NoValueError` for an asset without a value, and `AssetGraphError` for one that is
        not among the definitions.
        """
        self.store.names.refresh()
        asset = definitions.graph.asset(key_of(asset_key))
        target = Target(asset.key, partition_key)
        made = self.store.history.current(target)[0]
        if made is None:
            raise self.store.no_value(target)
        from assetgraph.run.load_outside import load_made

        return load_made(self.store, asset, made, as_type)

    def get_run_by_id(self, run_id: str) -> RunRecord | None:
        """The record of a run, with its `status`, `tags` and `config`; None if there is no such
        run."""
        try:
            return self.store.runs.read(run_id)
        except UnknownRunError:
            return None

    def get_step_failure_events(self, run_id: str) -> list[DagsterEvent]:
        """An event for each step of a run that failed, with its `step_key` and its `error`."""
        from assetgraph.queries.dagster_events import dagster_events

        runs = self.store.runs
        events, record = runs.events(run_id), runs.read(run_id)
        return list(dagster_events(events, EventType.STEP_FAILURE, record))

    @classmethod
    def _of(cls, store: Store) -> Instance:
        instance = cls.__new__(cls)
        instance.store = store
        return instance


def key_of(given: KeyLike) -> AssetKey:
    if isinstance(given, Asset):
        return given.key
    return given if isinstance(given, AssetKey) else AssetKey(given)


DagsterInstance = Instance  # Dagster's name

"""`PartitionsOnRecord`: which partitions there are, and what a store says of whole assets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from assetgraph.errors import StoreError
from assetgraph.keys import AssetKey, Target
from assetgraph.planning.target_graph import TargetGraph

if TYPE_CHECKING:
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.storage.partition_index import PartitionIndex
    from assetgraph.storage.partition_rows import Rows
    from assetgraph.storage.row_file import RowFile
    from assetgraph.storage.store import Store


class PartitionsOnRecord:
    """The targets of `graph`, and what `store` says of whole assets."""

    def __init__(self, graph: AssetGraph, store: Store) -> None:
        self.graph = graph
        self.store = store
        self.renew_partitions()

    def renew_partitions(self) -> None:
        """Ask the clock and the store again which partitions there are."""
        self.targets = TargetGraph(self.graph, dynamic=_Dynamic(self.store))
        self._known_numbers: set[AssetKey] = set()  # whose index was told the numbers as of now

    def rows(self, key: AssetKey) -> Rows | RowFile | None:
        """What is on record of each partition of an asset, by its number; None if its history
        cannot be read."""
        from assetgraph.storage.partition_rows import Rows

        if key in self._untouched:
            return Rows(0)
        index = self._numbered(key)
        try:
            return index.rows()
        except StoreError:
            return None

    def orphaned(self, key: AssetKey) -> Sequence[str]:
        """The partitions of an asset with a record that its definition does not have any more."""
        keys = self.targets.keys(key)
        if keys is None or self.targets.is_too_many(key):
            recorded = self.store.history.partitions(key)
            return [one for one in recorded if one is not None and one not in (keys or ())]
        return self._numbered(key).unnumbered()

    def keep_indexes(self, keys: Iterable[AssetKey]) -> Exception | None:
        """Keep the indexes of these assets that would take long to be made again. Returns why one
        cannot be written, if any cannot."""
        problem = None
        for key in keys:
            if self.targets.is_partitioned(key) and not self.targets.is_too_many(key):
                with suppress(StoreError):  # a history that cannot be read: the state says so
                    problem = self._numbered(key).keep() or problem
        return problem

    def distrust_rows(self, key: AssetKey) -> None:
        """Read the history anew: a column of `rows` is damaged."""
        self.store.history.index(key).distrust()

    def identity(self, key: AssetKey) -> str:
        """What an asset is called in its records."""
        return self.store.names.identity(key).text

    def running_partitions(self, key: AssetKey) -> Set[str]:
        """The partitions of an asset that a living process is materializing."""
        return self.store.running_partitions(key, self.targets.keys(key) or ())

    def versions_at(self, key: AssetKey, position: int) -> Mapping[str | None, str]:
        """The data version that each partition had when the asset's history had this length."""
        return self.store.history.versions_at(key, position)

    def partition_keys(self, key: AssetKey) -> Sequence[str]:
        """The keys of the partitions of an asset; none if it has no partitions."""
        return self.targets.keys(key) or ()

    def made_partitions(self, key: AssetKey) -> int:
        """How many of the partitions of an asset have a materialization on record."""
        recorded = self.store.history.partitions(key)
        return sum(
            has_value and self.targets.exists(Target(key, partition))
            for partition, has_value in recorded.items()
        )

    def newest_target(self, key: AssetKey) -> Target:
        """An asset, or the partition of it with the newest attempt; without any attempt, a target
        that has no record."""
        if not self.targets.is_partitioned(key):
            return self.graph.targets[key]
        attempt = next(self.store.history.readable(key), None)
        return Target(key, attempt.partition if attempt else None)

    def _numbered(self, key: AssetKey) -> PartitionIndex:
        """The index of an asset's history, which knows the numbers of the partitions as of now."""
        index = self.store.history.index(key)
        if key not in self._known_numbers:
            self._known_numbers.add(key)
            if self.targets.is_partitioned(key) and not self.targets.is_too_many(key):
                index.number_by(self.targets.numbering(key))
        return index

    @cached_property
    def _untouched(self) -> set[AssetKey]:
        """The assets without a history, from one listing instead of two look-ups for each."""
        return self.store.history.without(self.graph.nodes)


class _Dynamic:
    """The dynamic partitions of a store, as definitions ask for them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        return self._store.dynamic_partitions.get(partitions_def_name)

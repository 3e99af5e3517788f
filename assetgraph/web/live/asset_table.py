"""`AssetTable`: the state of every asset, updated incrementally."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING

from assetgraph.keys import AssetKey, Target
from assetgraph.planning.asset_rows import CODES
from assetgraph.planning.reasons import target_state
from assetgraph.planning.row_states import RowStates
from assetgraph.planning.target_graph import dynamic_names
from assetgraph.queries.asset_views import (
    AssetView,
    PartitionsShown,
    asset_view,
    partition_view,
    partitions_shown,
    with_checks,
)
from assetgraph.queries.observed_views import ObservedReads, observed_reads
from assetgraph.queries.partition_runs import state_runs
from assetgraph.queries.state_cells import StateRuns
from assetgraph.queries.target_views import TargetView
from assetgraph.records import AssetState

if TYPE_CHECKING:
    from assetgraph.definitions.partitions.keys import PartitionKeys
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.reasons import AssetStates


class AssetTable:
    """The view of every asset, as `asset_views` returns it, at the cost of what changed.

    An asset is running as soon as a run starts its step, which is a moment before the step takes
    the asset's lock, until the lock is released, which is a moment after the run has ended.
    """

    def __init__(self, facts: StoreFacts) -> None:
        self._facts = facts
        self._views: dict[AssetKey, AssetView] = {}
        self._rows = RowStates(facts)
        self._seen: dict[AssetKey, object] = {}  # what the views of downstream assets depend on
        self._runs: dict[AssetKey, StateRuns[AssetState]] = {}
        self._running: dict[AssetKey, str] = {}
        self._existing = self._ends()
        self._held: set[AssetKey] = set()  # running by their lock alone: no event tells the end

    @property
    def graph(self) -> AssetGraph:
        return self._facts.graph

    @property
    def views(self) -> Mapping[AssetKey, AssetView]:
        """Every asset's view, upstream before downstream."""
        return self._views

    def observed(self, key: AssetKey, partition: str | None = None) -> ObservedReads:
        """What the step of an asset read without declaring it: of its newest partition, unless one
        is named."""
        newest = partition is None
        return observed_reads(
            self._facts, self._facts.newest_target(key) if newest else Target(key, partition)
        )

    def keys(self, key: AssetKey) -> PartitionKeys | None:
        """The keys of the partitions of an asset; None for an asset without partitions."""
        return self._facts.targets.keys(key)

    def runs(self, key: AssetKey) -> StateRuns[AssetState]:
        """The states of the partitions of an asset."""
        found = self._runs.get(key)
        if found is None:
            found = self._runs[key] = state_runs(self._facts, key, self._rows)
        return found

    def partitions(self, key: AssetKey, numbers: Iterable[int]) -> Iterator[TargetView]:
        """The partitions of an asset with these numbers, and their states."""
        keys = self._facts.targets.keys(key)
        assert keys is not None
        for number in numbers:
            target = Target(key, str(keys.key(number)))
            known, reasons = self._facts.of(target), self._rows.exactly(target)
            state = target_state(known, reasons)
            yield TargetView(target, state, reasons, known.current, known.failed)

    def partition_view(self, target: Target) -> AssetView:
        return partition_view(self._facts, target)

    def partitions_shown(self, key: AssetKey) -> PartitionsShown | None:
        return partitions_shown(self._facts, self.graph.asset(key))

    def renew_partitions(self) -> set[AssetKey]:
        """Ask which partitions there are by now, and update the assets that have any if these are
        others. Returns the assets whose view changed."""
        before, self._existing = self._existing, self._ends()
        if before == self._existing:
            return set()
        return self.refresh([key for key in self.graph.order if key in self.graph.partitioned])

    def _ends(self) -> object:
        """What tells whether the partitions of any asset are others than before."""
        if not self.graph.partitioned:
            return ()
        self._facts.renew_partitions()
        every = [self._facts.targets.keys(key) or () for key in self.graph.partitioned]
        ends = [(len(keys), keys and (keys[0], keys[-1])) for keys in every]
        dynamic = self._facts.store.dynamic_partitions
        return ends, [dynamic.get(name) for name in sorted(dynamic_names(self.graph))]

    @property
    def damage(self) -> Mapping[AssetKey, str]:
        """The assets whose history cannot be read, with the error."""
        return {key: view.damage for key, view in self._views.items() if view.damage is not None}

    def refresh(
        self, keys: Iterable[AssetKey], running: Mapping[AssetKey, str] | None = None
    ) -> set[AssetKey]:
        """Update `keys`, the assets whose lock was held at the last look, and whatever depends on
        them. Returns the assets whose view changed.

        `running` maps each asset that a run is materializing to the run's id.
        """
        if running is not None:
            self._running = dict(running)
        positions, order = self.graph.positions, self.graph.node_order
        waiting = {positions[key] for key in self._assets_of(chain(keys, self._held))}
        for place in waiting:
            for node in (order[place], *self.graph.checks.of(order[place])):
                self._facts.forget_asset(node)
        heap = sorted(waiting)
        changed = set()
        while heap:
            key = order[heapq.heappop(heap)]
            before, seen_before = self._views.get(key), self._seen.get(key)
            if self._update(key) != before:
                changed.add(key)
            if self._seen[key] != seen_before:
                for child in self.graph.children(key):
                    if positions[child] not in waiting:
                        waiting.add(positions[child])
                        heapq.heappush(heap, positions[child])
        return changed

    def _assets_of(self, keys: Iterable[AssetKey]) -> set[AssetKey]:
        """Those of `keys` that are assets here, and the assets whose checks are among them."""
        checks = self.graph.checks
        own = (checks[key].checks if key in checks else key for key in keys)
        return {key for key in own if key in self.graph.assets}

    def ran_with_other_code(self, keys: Iterable[AssetKey]) -> bool:
        """Whether code other than the loaded code made the last attempt at one of `keys`, or at
        a check of one."""
        for facts in map(self._facts.newest, self.graph.checks.along(keys)):
            if facts.failed is not None:
                other = facts.failed.code_version != facts.code_version
            else:
                other = bool(facts.current and not facts.current.is_of_code(facts.code_version))
            if other:
                return True
        return False

    def _update(self, key: AssetKey) -> AssetView:
        self._rows.renew(key)
        rows = self._rows.of(key)
        running = self._running.get(key)
        if CODES[AssetState.RUNNING] in rows.states and not running:
            self._held.add(key)
        else:
            self._held.discard(key)
        states = self._facts.states_given(key, self._rows)
        if running:
            states = states._replace(state=AssetState.RUNNING)
        view = asset_view(self._facts, self.graph.asset(key), states, running)
        if self.graph.checks:
            view = with_checks(self._facts, view, self._states_of_checks(key))
        self._views[key] = view
        self._runs.pop(key, None)
        found = [(one.outcome, one.is_current) for one in view.checks]  # they may hold its readers
        self._seen[key] = rows.versions, rows.above, states.state, found
        return view

    def _states_of_checks(self, asset: AssetKey) -> dict[AssetKey, AssetStates]:
        found = {}
        for check in self.graph.checks.of(asset):
            self._rows.renew(check)
            found[check] = self._facts.states_given(check, self._rows)
            if check in self._running:
                found[check] = found[check]._replace(state=AssetState.RUNNING)
        return found

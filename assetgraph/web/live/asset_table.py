"""`AssetTable`: the state of every asset, updated incrementally."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import TYPE_CHECKING

from assetgraph.keys import AssetKey, Target
from assetgraph.planning.reasons import reasons_given
from assetgraph.queries.asset_views import AssetView, asset_view
from assetgraph.queries.observed_views import ObservedReads, observed_reads
from assetgraph.records import AssetState

if TYPE_CHECKING:
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.reason_kinds import Reason


class AssetTable:
    """The view of every asset, as `asset_views` returns it, at the cost of what changed.

    An asset is running as soon as a run starts its step, which is a moment before the step takes
    the asset's lock, until the lock is released, which is a moment after the run has ended.
    """

    def __init__(self, facts: StoreFacts) -> None:
        self._facts = facts
        self._views: dict[AssetKey, AssetView] = {}
        self._reasons: dict[Target, tuple[Reason, ...]] = {}
        self._seen: dict[AssetKey, object] = {}  # what the views of downstream assets depend on
        self._running: dict[AssetKey, str] = {}
        self._held: set[AssetKey] = set()  # running by their lock alone: no event tells the end

    @property
    def graph(self) -> AssetGraph:
        return self._facts.graph

    @property
    def views(self) -> Mapping[AssetKey, AssetView]:
        """Every asset's view, upstream before downstream."""
        return self._views

    def observed(self, key: AssetKey) -> ObservedReads:
        """What the step of an asset read without declaring it."""
        return observed_reads(self._facts, Target(key))

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
        positions = self.graph.positions
        waiting = {positions[key] for key in chain(keys, self._held) if key in self.graph}
        for place in waiting:
            self._facts.forget_asset(self.graph.order[place])
        heap = sorted(waiting)
        changed = set()
        while heap:
            key = self.graph.order[heapq.heappop(heap)]
            before, seen_before = self._views.get(key), self._seen.get(key)
            if self._update(key) != before:
                changed.add(key)
            if self._seen[key] != seen_before:
                for child in self.graph.children(key):
                    if positions[child] not in waiting:
                        waiting.add(positions[child])
                        heapq.heappush(heap, positions[child])
        return changed

    def ran_with_other_code(self, keys: Iterable[AssetKey]) -> bool:
        """Whether code other than the loaded code made the last attempt at one of `keys`."""
        for facts in map(self._facts.newest, keys):
            if facts.failed is not None:
                other = facts.failed.code_version != facts.code_version
            else:
                other = bool(facts.current and not facts.current.is_of_code(facts.code_version))
            if other:
                return True
        return False

    def _update(self, key: AssetKey) -> AssetView:
        graph = self._facts.targets
        targets = () if graph.is_too_many(key) else graph.targets(key)
        known = [self._facts.of(target) for target in targets]
        for target in targets:
            self._reasons[target] = reasons_given(
                self._reasons, self._facts.targets, self._facts, target
            )
        running = self._running.get(key)
        if not running and any(facts.running for facts in known):
            self._held.add(key)
        else:
            self._held.discard(key)
        states = self._facts.states_given(key, self._reasons)
        if running:
            states = states._replace(state=AssetState.RUNNING)
        view = asset_view(self._facts, self.graph.asset(key), states, running)
        self._views[key] = view
        reasons = [self._reasons[target] for target in targets]
        self._seen[key] = ([facts.data_version for facts in known], states.state, reasons)
        return view

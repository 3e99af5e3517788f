"""`Board`: the state of every asset, kept up to date one change at a time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from assetgraph.errors import StoreError
from assetgraph.keys import AssetKey, Target
from assetgraph.planning.reasons import TargetFacts, reasons_given, target_state
from assetgraph.queries.asset_views import AssetView
from assetgraph.records import AssetState

if TYPE_CHECKING:
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.reasons import Reason


class Board:
    """What `asset_views` says of every asset, at the cost of what changed.

    An asset is running once a living run is at it: its lock alone would say so a moment later.
    """

    def __init__(self, state: StoreFacts) -> None:
        self._state = _ReadableFacts(state)
        self._views: dict[AssetKey, AssetView] = {}
        self._reasons: dict[Target, tuple[Reason, ...]] = {}
        self._running: dict[AssetKey, str] = {}

    @property
    def graph(self) -> AssetGraph:
        return self._state.state.graph

    @property
    def views(self) -> Mapping[AssetKey, AssetView]:
        """Every asset's view, upstream before downstream."""
        return self._views

    @property
    def damage(self) -> Mapping[AssetKey, str]:
        """The assets whose history does not read, with what is wrong with it."""
        return self._state.damage

    def refresh(
        self, keys: Iterable[AssetKey], running: Mapping[AssetKey, str] | None = None
    ) -> set[AssetKey]:
        """Look at `keys` anew, and at what they bear on; the assets whose view changed. `running`
        maps the assets that a living run is at to the run's id."""
        if running is not None:
            self._running = dict(running)
        positions = self.graph.positions
        waiting = {positions[key] for key in keys if key in self.graph}
        for place in waiting:
            self._state.forget(Target(self.graph.order[place]))
        heap = sorted(waiting)
        changed = set()
        while heap:
            key = self.graph.order[heapq.heappop(heap)]
            before, view = self._views.get(key), self._look(key)
            if view == before:
                continue
            changed.add(key)
            if before is None or _bearing(view) != _bearing(before):
                for child in self.graph.children(key):
                    if positions[child] not in waiting:
                        waiting.add(positions[child])
                        heapq.heappush(heap, positions[child])
        return changed

    def ran_with_other_code(self, keys: Iterable[AssetKey]) -> bool:
        """Whether the last attempt at one of `keys` was made by other code than is loaded."""
        for facts in map(self._state.of, map(Target, keys)):
            attempt = facts.failed or facts.current
            if attempt is not None and attempt.code_version != facts.code_version:
                return True
        return False

    def _look(self, key: AssetKey) -> AssetView:
        target = Target(key)
        facts = self._state.of(target)
        reasons = reasons_given(self._reasons, self.graph, self._state, target)
        self._reasons[target] = reasons
        running = self._running.get(key)
        state = AssetState.RUNNING if running else target_state(facts, reasons)
        deps = tuple(parent.text for parent in self.graph.parents(key))
        asset = self.graph.asset(key)
        computation = self.graph.computation(key)
        view = AssetView(
            asset, computation, deps, state, reasons, facts.current, facts.failed, running
        )
        self._views[key] = view
        return view


class _ReadableFacts:
    """The facts of `state`, with nothing known of an asset whose history does not read: one such
    asset must not hide all others."""

    def __init__(self, state: StoreFacts) -> None:
        self.state = state
        self.damage: dict[AssetKey, str] = {}

    def of(self, target: Target) -> TargetFacts:
        if target.key in self.damage:
            return TargetFacts()
        try:
            return self.state.of(target)
        except StoreError as error:
            self.damage[target.key] = str(error)
            return TargetFacts()

    def code_changes(self, target: Target) -> tuple[str, ...]:
        return self.state.code_changes(target)

    def forget(self, target: Target) -> None:
        self.damage.pop(target.key, None)
        self.state.forget(target)


def _bearing(view: AssetView) -> tuple[object, ...]:
    """What of a view shows in the assets that read it."""
    made = view.materialization
    return made and made.data_version, view.state, view.reasons

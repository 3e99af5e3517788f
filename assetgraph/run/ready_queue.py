"""`Schedule`: which step may start next. Knows the order and the limits, not what a step does."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.keys import AssetKey

Rank = tuple[int, int]


class Schedule:
    """The steps `keys` of `graph`, each ready once those that it reads are done.

    One at a time they come in the graph's order; with more `slots`, the start of the longest way
    to the end first. Of a pool that `pools` limits, no more are out at once. Times are in seconds
    of any one clock.
    """

    def __init__(
        self,
        graph: AssetGraph,
        keys: Collection[AssetKey],
        *,
        slots: int = 1,
        pools: Mapping[str, int] | None = None,
    ) -> None:
        self._graph = graph
        self._rank = _ranks(graph, keys) if slots > 1 else None
        self._blockers = {key: sum(p in keys for p in graph.parents(key)) for key in keys}
        self._room = dict(pools or {})
        self._parked: dict[str, list[tuple[Rank, AssetKey]]] = {pool: [] for pool in self._room}
        self._later: list[tuple[float, Rank, AssetKey]] = []
        self._ready = [self._ranked(key) for key, count in self._blockers.items() if not count]
        heapq.heapify(self._ready)

    def take(self, now: float) -> AssetKey | None:
        """The next step that may start, which then holds its place in its pool."""
        while self._later and self._later[0][0] <= now:
            heapq.heappush(self._ready, heapq.heappop(self._later)[1:])
        while self._ready:
            entry = heapq.heappop(self._ready)
            pool = self._pool(entry[1])
            if pool is None:
                return entry[1]
            if self._room[pool] > 0:
                self._room[pool] -= 1
                return entry[1]
            self._parked[pool].append(entry)
        return None

    def leave(self, key: AssetKey) -> None:
        """A step that was taken gives back its place."""
        pool = self._pool(key)
        if pool is not None:
            self._room[pool] += 1
            for entry in self._parked[pool]:
                heapq.heappush(self._ready, entry)
            self._parked[pool].clear()

    def done(self, key: AssetKey) -> None:
        """What reads `key` no longer waits for it."""
        for child in self._graph.children(key):
            if child in self._blockers:
                self._blockers[child] -= 1
                if self._blockers[child] == 0:
                    heapq.heappush(self._ready, self._ranked(child))

    def again(self, key: AssetKey, at: float) -> None:
        """`key` is to run again, not before `at`."""
        heapq.heappush(self._later, (at, *self._ranked(key)))

    @property
    def next_at(self) -> float | None:
        """When the next step that runs again may start."""
        return self._later[0][0] if self._later else None

    def _ranked(self, key: AssetKey) -> tuple[Rank, AssetKey]:
        return self._rank[key] if self._rank else (0, self._graph.positions[key]), key

    def _pool(self, key: AssetKey) -> str | None:
        pool = self._graph.asset(key).pool if self._room else None
        return pool if pool in self._room else None


def _ranks(graph: AssetGraph, keys: Collection[AssetKey]) -> dict[AssetKey, Rank]:
    """The longest way to the end first, then the graph's order."""
    height: dict[AssetKey, int] = {}
    for key in sorted(keys, key=graph.positions.__getitem__, reverse=True):
        height[key] = 1 + max((height[c] for c in graph.children(key) if c in height), default=0)
    return {key: (-height[key], graph.positions[key]) for key in keys}

"""`ReadyQueue`: which step may start next. It knows order and limits, not what a step does."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from assetgraph.graph.walk import walk

if TYPE_CHECKING:
    from assetgraph.planning.plan import Plan, Step

Rank = tuple[int, int]
Entry = tuple[Rank, str]


class ReadyQueue:
    """The steps of `plan`, by id. A step is ready once the steps before it are done.

    With one slot, ready steps come in the plan's order. With more `slots`, the step with the
    longest chain of steps behind it comes first. `pools` limits how many steps of a pool run at
    once. Times are in seconds, on any one clock.
    """

    def __init__(
        self, plan: Plan, *, slots: int = 1, pools: Mapping[str, int] | None = None
    ) -> None:
        self._children: dict[str, list[str]] = {step.id: [] for step in plan.steps}
        for step in plan.steps:
            for before in step.after:
                self._children[before].append(step.id)
        self._rank = _ranks(plan.steps, self._children if slots > 1 else None)
        self._blockers = {step.id: len(step.after) for step in plan.steps}
        self._room = dict(pools or {})
        self._pools = _limited_pools(plan, self._room)
        self._parked: dict[str, list[Entry]] = {pool: [] for pool in self._room}
        self._later: list[tuple[float, Rank, str]] = []
        self._ready = [self._ranked(name) for name, count in self._blockers.items() if not count]
        heapq.heapify(self._ready)

    def take(self, now: float) -> str | None:
        """Return the next step that may start, or None, and reserve its place in its pool."""
        while self._later and self._later[0][0] <= now:
            heapq.heappush(self._ready, heapq.heappop(self._later)[1:])
        while self._ready:
            entry = heapq.heappop(self._ready)
            pool = self._pools.get(entry[1])
            if pool is None:
                return entry[1]
            if self._room[pool] > 0:
                self._room[pool] -= 1
                return entry[1]
            self._parked[pool].append(entry)
        return None

    def leave(self, step_id: str) -> None:
        """Give back the place in its pool of a step that was taken."""
        pool = self._pools.get(step_id)
        if pool is not None:
            self._room[pool] += 1
            for entry in self._parked[pool]:
                heapq.heappush(self._ready, entry)
            self._parked[pool].clear()

    def done(self, step_id: str) -> None:
        """Note that a step is done: the steps behind it no longer wait for it."""
        blockers = self._blockers
        for child in self._children[step_id]:
            left = blockers[child] = blockers[child] - 1
            if not left:
                heapq.heappush(self._ready, self._ranked(child))

    def again(self, step_id: str, at: float) -> None:
        """Queue a step to run again, at time `at` or later."""
        heapq.heappush(self._later, (at, *self._ranked(step_id)))

    def drop(self, step_id: str) -> None:
        """Keep a step that still waits for others from ever being ready."""
        self._blockers[step_id] += 1

    def next_to(self, step_id: str) -> Sequence[str]:
        """The steps that wait for this one themselves."""
        return self._children[step_id]

    def behind(self, step_id: str) -> list[str]:
        """Every step that comes after this one, directly or not, nearest first."""
        return list(walk([step_id], self._children.__getitem__))[1:]

    @property
    def next_at(self) -> float | None:
        """When the next retry may start, or None without one."""
        return self._later[0][0] if self._later else None

    def _ranked(self, step_id: str) -> Entry:
        return self._rank[step_id], step_id


def _ranks(steps: Sequence[Step], children: Mapping[str, Sequence[str]] | None) -> dict[str, Rank]:
    """Each step's rank: first by the longest chain of `children`, if given, then by the plan's
    order."""
    if children is None:
        return {step.id: (0, position) for position, step in enumerate(steps)}
    height: dict[str, int] = {}
    for step in reversed(steps):
        height[step.id] = 1 + max((height[c] for c in children[step.id]), default=0)
    return {step.id: (-height[step.id], position) for position, step in enumerate(steps)}


def _limited_pools(plan: Plan, room: Mapping[str, int]) -> dict[str, str]:
    """The pool of each step in a limited pool."""
    if not room:
        return {}
    pools = {step.id: plan.computations[step.computation].pool for step in plan.steps}
    return {step_id: pool for step_id, pool in pools.items() if pool is not None and pool in room}

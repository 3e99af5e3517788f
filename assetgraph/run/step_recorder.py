"""`StepRecorder`: the sink of one step, through which its events reach the run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from assetgraph.process.reads.recorder import Recorder, keeping, kept_so_far
from assetgraph.process.secrets import masked
from assetgraph.records import Event, EventType, now

if TYPE_CHECKING:
    from assetgraph.run.step_task import Channel, StepTask
    from assetgraph.storage.store import Store


class StepRecorder:
    """The sink of one step. The `pending` events of the step are sent before anything it logs."""

    def __init__(
        self, task: StepTask, store: Store, channel: Channel, pending: list[Event]
    ) -> None:
        self.output = channel.output
        self.progress = channel.progress
        self._pending = pending
        self._step = task.step_id
        self._limit = task.limits.log_events
        self._channel = channel
        self._logged = 0
        self._reads: Recorder | None = None
        self._rules = store.read_rules if task.computation.observe_reads else None
        if self._rules is not None:
            self._started_ns = time.time_ns()
            (_watch or _imported_watch())()

    @property
    def reads(self) -> Recorder | None:
        """What is told what the step reads, unless that is not observed. Most steps read nothing,
        so it is made when it is first asked for."""
        if self._reads is None and self._rules is not None:
            made = Recorder(self._rules, self._started_ns)
            # Another thread of the step may be here too, and a lock might be held across a fork.
            self._reads = vars(self).setdefault("_first", made)
        return self._reads

    def has_read(self) -> bool:
        """Whether the step, or what it took from a cache, may have read anything."""
        if self._rules is None:
            return False
        told = self._reads is not None and self._reads.has_any()
        return told or bool(kept_so_far or keeping)

    def log(self, level: str, message: str, data: dict[str, Any]) -> None:
        self._logged += 1
        if self._logged <= self._limit:
            event = Event(EventType.LOG, now(), self._step, level, masked(message), data)
            self._channel.events([*self._pending, event])
            self._pending.clear()

    def close(self) -> None:
        dropped = self._logged - self._limit
        if dropped > 0:
            message = f"{dropped} more log records were not kept"
            self._channel.events([Event(EventType.LOG, now(), self._step, "WARNING", message)])


_watch: Callable[[], None] | None = None


def _imported_watch() -> Callable[[], None]:
    global _watch
    from assetgraph.process.reads.watch import watch  # not before anything runs

    _watch = watch
    return watch

"""`StepRecorder`: the sink of one step, through which its events reach the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assetgraph.records import Event, EventType, now
from assetgraph.run.step_task import Channel, StepTask

if TYPE_CHECKING:
    from assetgraph.process.reads.recorder import Recorder
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
        rules = store.read_rules if task.computation.observe_reads else None
        self.reads: Recorder | None = None
        if rules is not None:
            from assetgraph.process.reads.watch import observe  # not before anything runs

            self.reads = observe(rules)

    def log(self, level: str, message: str, data: dict[str, Any]) -> None:
        self._logged += 1
        if self._logged <= self._limit:
            event = Event(EventType.LOG, now(), self._step, level, message, data)
            self._channel.events([*self._pending, event])
            self._pending.clear()

    def close(self) -> None:
        dropped = self._logged - self._limit
        if dropped > 0:
            message = f"{dropped} more log records were not kept"
            self._channel.events([Event(EventType.LOG, now(), self._step, "WARNING", message)])

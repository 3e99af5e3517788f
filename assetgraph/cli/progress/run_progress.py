"""`RunProgress`: the state of a run in progress, from its events. It needs no clock or terminal."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assetgraph.records import STATE_AFTER, EventType, StepState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from assetgraph.records import Event

_RATE_SECONDS = 5.0


@dataclass(slots=True)
class StepProgress:
    """One step in progress. `done` and `total` count `unit`s; `total` is None if unknown."""

    key: str
    state: StepState = StepState.WAITING
    started_at: datetime | None = None
    ended_at: datetime | None = None
    done: float | None = None
    total: float | None = None
    unit: str = ""
    samples: deque[tuple[datetime, float]] = field(default_factory=deque)

    def seconds(self, now: datetime) -> float | None:
        if self.started_at is None:
            return None
        return ((self.ended_at or now) - self.started_at).total_seconds()

    @property
    def rate(self) -> float | None:
        """Units per second, over the last few seconds."""
        if len(self.samples) < 2:
            return None
        (since, before), (until, after) = self.samples[0], self.samples[-1]
        seconds = (until - since).total_seconds()
        return (after - before) / seconds if seconds > 0 and after >= before else None

    def report(self, done: float, total: float | None, unit: str, now: datetime) -> None:
        self.done, self.total, self.unit = done, total, unit
        self.samples.append((now, done))
        while (now - self.samples[0][0]).total_seconds() > _RATE_SECONDS and len(self.samples) > 2:
            self.samples.popleft()


class RunProgress:
    """The steps of a run in the order of its plan, each in its latest state."""

    def __init__(self, keys: Iterable[str]) -> None:
        self.steps = {key: StepProgress(key) for key in keys}
        self.counts = dict.fromkeys(StepState, 0)
        self.counts[StepState.WAITING] = len(self.steps)
        self.run_id: str | None = None
        self.finished: deque[StepProgress] = deque(maxlen=50)  # the last ones, oldest first

    def event(self, event: Event) -> None:
        if event.type is EventType.RUN_START:
            self.run_id = event.data.get("run_id")
        state = STATE_AFTER.get(event.type)
        if state is None or event.step is None:
            return
        step = self.steps.get(event.step)
        if step is None:
            step = self.steps[event.step] = StepProgress(event.step)
        self.counts[step.state] -= 1
        self.counts[state] += 1
        step.state = state
        if state is StepState.RUNNING:
            if event.type is not EventType.STEP_RESTARTED:  # the time counts all attempts
                step.started_at = event.timestamp
            step.ended_at, step.done = None, None
            step.samples.clear()
        elif state is not StepState.WAITING:
            step.ended_at = event.timestamp
            self.finished.append(step)

    def seconds_of(self, event: Event) -> float | None:
        """How long the step of `event` had run at the time of the event."""
        step = self.steps.get(event.step or "")
        return step.seconds(event.timestamp) if step else None

    def progress(
        self, key: str, done: float, total: float | None, unit: str, now: datetime
    ) -> None:
        if key in self.steps:
            self.steps[key].report(done, total, unit, now)

    def in_state(self, state: StepState) -> list[StepProgress]:
        return [step for step in self.steps.values() if step.state is state]

    @property
    def ended(self) -> int:
        return len(self.steps) - self.counts[StepState.WAITING] - self.counts[StepState.RUNNING]

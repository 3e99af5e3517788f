"""`RunProgress`: the state of a run in progress, from its events. It needs no clock or terminal."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assetgraph.records import STATE_AFTER, EventType, StepState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from assetgraph.records import Event

_RATE_SECONDS = 5.0
_MOST_TOLD = 20  # steps of one asset, that are told one by one


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
    found: str = ""  # the level at which a check that is the step failed
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


@dataclass(slots=True)
class AssetProgress:
    """The steps of one asset, by their states."""

    key: str
    total: int = 0
    counts: Counter[StepState] = field(default_factory=Counter)
    started_at: datetime | None = None
    tenths: int = 0  # that were told

    @property
    def ended(self) -> int:
        return self.total - self.counts[StepState.WAITING] - self.counts[StepState.RUNNING]

    def is_new_tenth(self) -> bool:
        """Whether another tenth of the steps has ended since this was last asked."""
        tenths = self.ended * 10 // self.total
        is_new, self.tenths = tenths > self.tenths, max(tenths, self.tenths)
        return is_new


def failed_level(event: Event) -> str:
    """The level of an event that says that the check that is its step failed; "" of any other."""
    if event.type is not EventType.ASSET_CHECK_EVALUATION or event.data["passed"]:
        return ""
    return event.level if event.target in (None, event.step) else ""


class RunProgress:
    """The steps of a run in the order of its plan, each in its latest state."""

    def __init__(self, keys: Iterable[str]) -> None:
        self.steps = {key: StepProgress(key) for key in keys}
        self.counts = dict.fromkeys(StepState, 0)
        self.counts[StepState.WAITING] = len(self.steps)
        self.assets: dict[str, AssetProgress] = {}  # those with several steps
        for asset, total in Counter(key.partition("@")[0] for key in self.steps).items():
            if total > 1:
                counts = Counter({StepState.WAITING: total})
                self.assets[asset] = AssetProgress(asset, total, counts)
        self.run_id: str | None = None
        self.finished: deque[StepProgress] = deque(maxlen=50)  # the last ones, oldest first

    def event(self, event: Event) -> None:
        if event.type is EventType.RUN_START:
            self.run_id = event.data.get("run_id")
        state = STATE_AFTER.get(event.type)
        level = failed_level(event)
        if level and event.step in self.steps:
            self.steps[event.step].found = level
        if state is None or event.step is None:
            return
        step = self.steps.get(event.step)
        if step is None:
            step = self.steps[event.step] = StepProgress(event.step)
        self.counts[step.state] -= 1
        self.counts[state] += 1
        asset = self.assets.get(event.step.partition("@")[0]) if self.assets else None
        if asset is not None:
            asset.counts[step.state] -= 1
            asset.counts[state] += 1
            asset.started_at = asset.started_at or event.timestamp
        step.state = state
        if state is StepState.RUNNING:
            if event.type is not EventType.STEP_RESTARTED:  # the time counts all attempts
                step.started_at = event.timestamp
            step.ended_at, step.done, step.found = None, None, ""
            step.samples.clear()
        elif state is not StepState.WAITING:
            step.ended_at = event.timestamp
            self.finished.append(step)

    def many(self, step: str) -> AssetProgress | None:
        """The asset of a step, if it has so many that they are not told one by one."""
        asset = self.assets.get(step.partition("@")[0]) if self.assets else None
        return asset if asset is not None and asset.total > _MOST_TOLD else None

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

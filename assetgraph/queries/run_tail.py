"""Follows a run while another process writes it."""

from __future__ import annotations

import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from assetgraph.queries.run_views import StepLog, find_run
from assetgraph.records import STATE_AFTER, Event, RunRecord, RunStatus, StepState, decoder
from assetgraph.storage.atomic_files import Tail, decoded
from assetgraph.storage.step_states import require_steps

if TYPE_CHECKING:
    from assetgraph.storage.store import Store

LIVENESS_INTERVAL_S = 0.5
_POLL_S = 0.1
_UTF8 = getincrementaldecoder("utf-8")


class RunTail:
    """Reads on in a run. `record` is the run's summary as of the last look."""

    def __init__(self, store: Store, record: RunRecord) -> None:
        self.record = record
        self._runs = store.runs
        self._events = Tail(f"{store.runs.path(record.run_id)}/events.jsonl")
        self._looked_at = 0.0

    @property
    def path(self) -> str:
        return self._events.path

    def look(self) -> list[bytes]:
        """The event lines since the last look; once the run has ended, all that are left.

        Raises `UnknownRunError` and `StoreError`.
        """
        lines = self._events.lines()
        now = time.monotonic()
        if lines or now - self._looked_at > LIVENESS_INTERVAL_S:
            self._looked_at = now
            self.record = self._runs.read(self.record.run_id)
            if self.record.status is not RunStatus.STARTED:
                lines += self._events.lines()
        return lines


def follow_run(
    store: Store,
    text: str,
    step_ids: Sequence[str] = (),
    *,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Event | StepLog]:
    """The events of the run `text` and what its steps print, from its start to its end, as they
    come; only those of the steps `step_ids`, where given.

    What a step printed comes before the event that ends the step. Raises as `step_logs` does, and
    `DamagedStoreError`.
    """
    record = find_run(store, text)
    require_steps(record, step_ids)
    run, printed = RunTail(store, record), _Printed(store, record)
    event_as, numbers = decoder(Event), count(1)
    while True:
        lines = run.look()
        printed.find()
        for line in lines:
            event = decoded(event_as, line, run.path, next(numbers))
            if step_ids and event.step not in step_ids:
                continue
            if STATE_AFTER.get(event.type) is not StepState.RUNNING:
                yield from printed.by(event.step)
            yield event
        for step_id in step_ids or printed.steps:
            yield from printed.by(step_id)
        if run.record.status is not RunStatus.STARTED:
            return
        pause(_POLL_S)


class _Printed:
    """What the steps of a run print."""

    def __init__(self, store: Store, record: RunRecord) -> None:
        self._outputs = partial(store.runs.outputs, record.run_id)
        self._targets_of = record.targets_of
        self._known: set[str] = set()
        self.steps: dict[str | None, list[_Output]] = {}

    def find(self) -> None:
        for step_id, attempt, stream, path in self._outputs():
            if path not in self._known:
                self._known.add(path)
                self.steps.setdefault(step_id, []).append(_Output(step_id, attempt, stream, path))

    def by(self, step_id: str | None) -> Iterator[StepLog]:
        for output in self.steps.get(step_id, ()):
            text = output.decode(output.tail.read())
            if text:
                targets = self._targets_of(output.step_id)
                yield StepLog(output.step_id, output.attempt, output.stream, text, targets)


class _Output:
    """One file of what a step prints."""

    def __init__(self, step_id: str, attempt: int, stream: str, path: str) -> None:
        self.step_id, self.attempt, self.stream = step_id, attempt, stream
        self.tail = Tail(path)
        self.decode = _UTF8("replace").decode

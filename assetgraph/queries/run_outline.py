"""A run of very many steps, in little memory: some of them, and how many are in each state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from assetgraph.queries.run_views import RunDetails, find_run, run_details, with_losses
from assetgraph.records import Event, RunRecord, RunStatus, StepRecord, StepState
from assetgraph.storage.step_states import run_steps, step_states

if TYPE_CHECKING:
    from datetime import datetime

    from assetgraph.storage.store import Store

_FIRST = (StepState.FAILURE, StepState.RUNNING, StepState.CANCELED)


def run_outline(store: Store, text: str, most: int) -> RunDetails:
    """The run `text` with at most so many steps, in their order: those that failed, run or were
    canceled, and then the first. If it has more, it comes without its events.

    Raises `UnknownRunError` and `DamagedStoreError`.
    """
    record = find_run(store, text)
    if len(record.step_ids) <= most:
        return run_details(store, record.run_id)
    seen = _Seen(store.runs.events(record.run_id))
    states = step_states(record, seen)
    shown = [record.step_ids[number] for number in _shown(states, most)]
    wanted = set(shown)
    heard = _heard(store, record, seen)
    events = (one for one in store.runs.events(record.run_id) if one.step in wanted)
    steps = run_steps(msgspec.structs.replace(record, steps=tuple(shown)), events, heard)
    counted = with_losses(_counted(record, states), [seen.last] if seen.last else [])
    reruns = tuple(store.runs.reruns(record.run_id))
    return RunDetails(counted, steps, (), reruns, heard, seen.count)


def step_outline(store: Store, text: str, step_id: str) -> StepRecord | None:
    """What became of one step of the run `text`; None if it has no such step.

    Raises `UnknownRunError` and `DamagedStoreError`.
    """
    record = find_run(store, text)
    if step_id not in record.step_ids:
        return None
    seen = _Seen(store.runs.events(record.run_id))
    own = [event for event in seen if event.step == step_id]
    alone = msgspec.structs.replace(record, steps=(step_id,))
    return run_steps(alone, own, _heard(store, record, seen))[0]


def _heard(store: Store, record: RunRecord, seen: _Seen) -> datetime | None:
    """When an interrupted run last recorded something."""
    if record.status is not RunStatus.INTERRUPTED:
        return None
    return store.runs.last_heard(record, seen.last.timestamp if seen.last else record.started_at)


class _Seen:
    """Events, of which the last one and their number are known when they are through."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._events = events
        self.count = 0
        self.last: Event | None = None

    def __iter__(self) -> Iterator[Event]:
        for event in self._events:
            self.count += 1
            self.last = event
            yield event


def _shown(states: Sequence[StepState], most: int) -> list[int]:
    """The numbers of the steps to show, in order."""
    first = (number for number, state in enumerate(states) if state in _FIRST)
    found = set(islice(first, most))
    rest = (number for number in range(len(states)) if number not in found)
    found.update(islice(rest, most - len(found)))
    return sorted(found)


def _counted(record: RunRecord, states: Sequence[StepState]) -> RunRecord:
    if record.step_counts:
        return record
    failed = [
        step_id
        for step_id, state in zip(record.step_ids, states, strict=True)
        if state is StepState.FAILURE
    ]
    return msgspec.structs.replace(
        record,
        step_counts=dict(Counter(state.value for state in states)),
        failed_steps=tuple(failed),
    )

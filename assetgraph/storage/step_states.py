"""What became of each step of a run, read from the run's events."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from assetgraph.errors import AssetGraphError
from assetgraph.records import (
    STATE_AFTER,
    ErrorInfo,
    Event,
    EventType,
    RunRecord,
    RunStatus,
    StepRecord,
    StepState,
    decoder,
)
from assetgraph.text import did_you_mean

if TYPE_CHECKING:
    from datetime import datetime

# Why a step has no end, by how its run ended.
_CUT_SHORT = {
    RunStatus.INTERRUPTED: "its process died, or could not record more",
    RunStatus.CANCELED: "the run was canceled",
    RunStatus.FAILURE: "the run ended before it was recorded",
}

_RUN_ENDS = (EventType.RUN_SUCCESS, EventType.RUN_FAILURE, EventType.RUN_CANCELED)


def is_log_lost(record: RunRecord, events: Iterable[Event]) -> bool:
    """Whether a run that ended has no event of its end: its log was deleted, emptied or cut, or did
    not fit on the disk. So the states of its steps may be older than its end."""
    return record.ended_at is not None and not any(event.type in _RUN_ENDS for event in events)


def run_steps(
    record: RunRecord, events: Iterable[Event], last_heard_at: datetime | None = None
) -> tuple[StepRecord, ...]:
    """Every planned step with its state after `events`, in the order of the plan.

    A step that was cut short ends at `last_heard_at`, when the run last recorded something, if that
    is after the step's start.
    """
    steps = waiting_steps(record)
    for event in events:
        if event.step in steps:
            steps[event.step] = step_after(steps[event.step], event)
    cut_short = _CUT_SHORT.get(record.status)
    if cut_short:
        for step_id, step in steps.items():
            if step.state is StepState.RUNNING:
                later = last_heard_at and step.started_at and last_heard_at > step.started_at
                steps[step_id] = msgspec.structs.replace(
                    step,
                    state=StepState.CANCELED,
                    reason=cut_short,
                    ended_at=last_heard_at if later else None,
                )
    return tuple(steps.values())


def step_states(record: RunRecord, events: Iterable[Event]) -> list[StepState]:
    """The state of every planned step after `events`, in the order of the plan: `run_steps` without
    a record of each, for a run of very many."""
    places = {step_id: place for place, step_id in enumerate(record.step_ids)}
    found = [StepState.WAITING] * len(places)
    for event in events:
        state = STATE_AFTER.get(event.type)
        place = None if state is None or event.step is None else places.get(event.step)
        if place is not None and state is not None:
            found[place] = state
    if record.status in _CUT_SHORT:
        cut = {StepState.RUNNING: StepState.CANCELED}
        found = [cut.get(state, state) for state in found]
    return found


def waiting_steps(record: RunRecord) -> dict[str, StepRecord]:
    """Every planned step by its id, as it is before the run begins it."""
    return {
        step_id: StepRecord(step_id, StepState.WAITING, outputs=record.outputs.get(step_id, ()))
        for step_id in record.step_ids
    }


def step_after(step: StepRecord, event: Event) -> StepRecord:
    """The record of a step after one of its events; `step` itself if nothing changes."""
    state = STATE_AFTER.get(event.type)
    if state is None:
        return step
    change = partial(msgspec.structs.replace, step, state=state)
    match event.type:
        case EventType.STEP_START:
            return change(started_at=event.timestamp)
        case EventType.STEP_RESTARTED:
            return change(attempt=event.data["attempt"], reason=None)
        case EventType.STEP_UP_FOR_RETRY:
            return change(reason="it will run again")
        case EventType.STEP_SKIPPED:
            why = event.data.get("why", "failed")
            return change(reason=f"upstream {event.data.get('upstream')} {why}")
        case EventType.STEP_UNCHANGED:
            return change(reason=event.data.get("reason"))
        case EventType.STEP_FAILURE:
            error = decoder(ErrorInfo).decode(msgspec.json.encode(event.data["error"]))
            return change(ended_at=event.timestamp, error=error)
        case _:
            return change(ended_at=event.timestamp)


def require_steps(record: RunRecord, step_ids: Iterable[str]) -> None:
    """Raises `AssetGraphError` unless the run has every one of these steps."""
    for step_id in step_ids:
        if step_id not in record.step_ids:
            raise AssetGraphError(
                f"the run {record.run_id} has no step {step_id!r}.",
                hint=did_you_mean(step_id, record.step_ids)
                or f"Its steps: {', '.join(record.step_ids)}.",
            )

"""Runs and their steps, in the shapes that the command line and the page share."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.errors import StoreError, UnknownRunError
from assetgraph.keys import recorded_target
from assetgraph.queries.event_text import event_json, event_text, warning_text
from assetgraph.queries.record_json import record_json
from assetgraph.records import Event, EventType, RunRecord, RunStatus, StepRecord, StepState
from assetgraph.storage.step_states import is_log_lost, require_steps, run_steps
from assetgraph.text import failure_line

if TYPE_CHECKING:
    from assetgraph.queries.run_filter import RunFilter
    from assetgraph.storage.store import Store


class RunPage(msgspec.Struct, frozen=True):
    """Runs, newest first, and an error message for each that could not be read.

    `following` is the run id to pass as `before` for the next page; None on the last page.
    """

    runs: tuple[RunRecord, ...]
    damaged: tuple[str, ...] = ()
    following: str | None = None


class RunDetails(msgspec.Struct, frozen=True):
    """Everything about one run.

    `reruns` are the ids of the runs that re-executed it. `last_heard_at` is when an
    interrupted run last recorded something.
    """

    record: RunRecord
    steps: tuple[StepRecord, ...]
    events: tuple[Event, ...]
    reruns: tuple[str, ...]
    last_heard_at: datetime | None = None
    event_count: int = 0


class StepLog(msgspec.Struct, frozen=True):
    """The output of one attempt at a step, with the texts of the step's targets.

    `stream` is "log" for log messages, "out" or "err" for what the step printed.
    """

    step_id: str
    attempt: int
    stream: str
    text: str
    targets: tuple[str, ...]


_LOST_LOG = (
    "The end of this run's log is lost, and with it what became of some steps. Restore its "
    "events.jsonl from a copy, if there is one."
)


def list_runs(
    store: Store, *, limit: int = 20, before: str | None = None, only: RunFilter | None = None
) -> RunPage:
    """At most `limit` runs with their step counts, newest first, older than the run `before`."""
    takes = only.takes if only else _any
    page = page_of_runs(store, limit=limit, before=before, takes=takes)
    runs = tuple(with_counts(store, run) for run in page.runs)
    return msgspec.structs.replace(page, runs=runs)


def _any(_: RunRecord) -> bool:
    return True


def page_of_runs(
    store: Store,
    *,
    limit: int,
    before: str | None,
    takes: Callable[[RunRecord], bool],
    since: str | None = None,
    most_scanned: int | None = None,
) -> RunPage:
    """At most `limit` runs that `takes` accepts, newest first, as they are recorded.

    Their ids lie before `before` and not before `since`: both may be the beginning of an id. A page
    ends early after `most_scanned` runs. A run that cannot be read does not hide others.
    """
    runs: list[RunRecord] = []
    damaged: list[str] = []
    last = None
    for scanned, run_id in enumerate(store.runs.ids(before=before)):
        if len(runs) == limit or scanned == most_scanned:
            return RunPage(tuple(runs), tuple(damaged), last)
        if since is not None and run_id < since:
            break
        last = run_id
        try:
            record = store.runs.read(run_id)
        except UnknownRunError:
            continue  # deleted since it was listed
        except StoreError as error:
            damaged.append(str(error))
            continue
        if takes(record):
            runs.append(record)
    return RunPage(tuple(runs), tuple(damaged))


def every_run(store: Store) -> Sequence[RunRecord]:
    """The runs that can be read."""
    return page_of_runs(store, limit=sys.maxsize, before=None, takes=_any).runs


def find_run(store: Store, text: str) -> RunRecord:
    """The run with the id `text`, or a unique part of it; `latest` is the newest run.

    Raises `UnknownRunError`.
    """
    return store.runs.read(store.runs.find(text))


def run_details(store: Store, text: str) -> RunDetails:
    """The run `text` with its steps and events.

    Raises `UnknownRunError` and `DamagedStoreError`.
    """
    record = find_run(store, text)
    events = tuple(store.runs.events(record.run_id))
    heard = None
    if record.status is RunStatus.INTERRUPTED:
        last = events[-1].timestamp if events else record.started_at
        heard = store.runs.last_heard(record, last)
    steps = run_steps(record, events, heard)
    reruns = tuple(store.runs.reruns(record.run_id))
    record = with_losses(record, events)
    return RunDetails(_counted(record, steps), steps, events, reruns, heard, len(events))


def with_losses(record: RunRecord, events: Iterable[Event]) -> RunRecord:
    """The record with a warning if the end of the run is not among `events`."""
    if not is_log_lost(record, events):
        return record
    return msgspec.structs.replace(record, warnings=(*record.warnings, _LOST_LOG))


def step_logs(store: Store, text: str, step_ids: Sequence[str] = ()) -> tuple[StepLog, ...]:
    """What the steps of the run `text` logged and printed; only `step_ids`, where given.

    Raises `UnknownRunError`, and `AssetGraphError` for an id that is not a step of the run.
    """
    record = find_run(store, text)
    require_steps(record, step_ids)
    logged: dict[str, list[str]] = {}
    for event in store.runs.events(record.run_id):
        if event.type is EventType.LOG and event.step:
            line = f"{event.timestamp.astimezone():%H:%M:%S} {event.level} {event.message}"
            logged.setdefault(event.step, []).append(line)
    targets = record.targets_of
    logs = [
        StepLog(step_id, 1, "log", "\n".join(lines), targets(step_id))
        for step_id, lines in logged.items()
    ]
    for step_id, attempt, stream, path in store.runs.outputs(record.run_id):
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            logs.append(StepLog(step_id, attempt, stream, file.read(), targets(step_id)))
    position = {step_id: place for place, step_id in enumerate(record.step_ids)}
    wanted = [log for log in logs if log.step_id in (step_ids or position)]
    return tuple(sorted(wanted, key=lambda log: (position[log.step_id], log.attempt)))


def failures(steps: Sequence[StepRecord]) -> Iterator[StepRecord]:
    """The steps that failed."""
    return (step for step in steps if step.state is StepState.FAILURE)


def run_json(record: RunRecord) -> dict[str, Any]:
    """A run as JSON, with every name present and null for unknown values."""
    return {
        "run_id": record.run_id,
        "status": record.status.value,
        "root_run_id": record.root_run_id,
        "parent_run_id": record.parent_run_id,
        "started_at": record.started_at.isoformat(),
        "ended_at": record.ended_at.isoformat() if record.ended_at else None,
        "duration_s": record.duration_s,
        "tags": record.tags,
        "config": record.config,
        "selection": list(record.selection),
        "assets": list(record.assets),
        "step_counts": record.step_counts,
        "failed_steps": list(record.failed_steps),
        "failure": record.failure or None,
        "warnings": list(record.warnings),
        "launched_by": record.launched_by,
        "python_version": record.python_version,
        "assetgraph_version": record.assetgraph_version,
    }


def run_details_json(details: RunDetails) -> dict[str, Any]:
    return {
        **run_json(details.record),
        "last_heard_at": details.last_heard_at.isoformat() if details.last_heard_at else None,
        "warnings": [f"{step}: {text}" if step else text for step, text in warned_of(details)],
        "reruns": list(details.reruns),
        "steps": [step_json(step) for step in details.steps],
        "events": [event_json(event) for event in details.events],
    }


def warned_of(details: RunDetails) -> Iterable[tuple[str | None, str]]:
    """Each warning once, with the target that it is about, or the step that logged it; None stands
    for the run itself."""
    text = event_text if details.record.status is RunStatus.STARTED else warning_text
    logged = [
        (event.target or event.step, text(event))
        for event in details.events
        if event.type is EventType.LOG and event.level == "WARNING"
    ]
    if is_log_lost(details.record, details.events):
        logged += ((None, warning) for warning in details.record.warnings)
    return dict.fromkeys(logged)


def step_json(step: StepRecord) -> dict[str, Any]:
    return {
        **_names(step.step_id, step.targets),
        "state": step.state.value,
        "attempt": step.attempt,
        "started_at": step.started_at.isoformat() if step.started_at else None,
        "ended_at": step.ended_at.isoformat() if step.ended_at else None,
        "duration_s": step.duration_s,
        "reason": step.reason,
        "error": record_json(step.error) if step.error else None,
    }


def step_log_json(log: StepLog) -> dict[str, Any]:
    return {
        **_names(log.step_id, log.targets),
        "attempt": log.attempt,
        "stream": log.stream,
        "text": log.text,
    }


def _names(step_id: str, targets: Sequence[str]) -> dict[str, Any]:
    """The id of a step, what it materializes, and its only target: null where it has several."""
    outputs = [
        {"key": target.key.text, "partition": target.partition}
        for target in map(recorded_target, targets)
    ]
    only = outputs[0] if len(outputs) == 1 else {"key": None, "partition": None}
    return {**only, "step": step_id, "targets": outputs}


def with_counts(store: Store, record: RunRecord) -> RunRecord:
    """The record with its step counts.

    A run in progress, or one whose process died, has no counts of its own: its events have them.
    """
    if record.step_counts or not record.assets:
        return record
    try:
        return _counted(record, run_steps(record, store.runs.events(record.run_id)))
    except StoreError:
        return record  # `runs show` reports the damaged events


def _counted(record: RunRecord, steps: Iterable[StepRecord]) -> RunRecord:
    if record.step_counts:
        return record
    steps = tuple(steps)
    return msgspec.structs.replace(
        record,
        step_counts=dict(Counter(step.state.value for step in steps)),
        failed_steps=tuple(step.step_id for step in steps if step.state is StepState.FAILURE),
        failure=next(
            (failure_line(step.step_id, e.type, e.message) for step in steps if (e := step.error)),
            "",
        ),
    )

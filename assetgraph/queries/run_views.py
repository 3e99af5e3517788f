"""The runs of a store, as every view shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.errors import AssetGraphError, StoreError, UnknownRunError
from assetgraph.queries.event_text import event_json, step_after
from assetgraph.records import Event, EventType, RunRecord, RunStatus, StepRecord, StepState
from assetgraph.text import did_you_mean, failure_line

if TYPE_CHECKING:
    from datetime import datetime

    from assetgraph.storage.store import Store


# Why a step has no end, by how its run ended.
_CUT_SHORT = {
    RunStatus.INTERRUPTED: "its process died, or could record no more",
    RunStatus.CANCELED: "the run was canceled",
    RunStatus.FAILURE: "the run ended before it was recorded",
}


class RunPage(msgspec.Struct, frozen=True):
    """Runs, newest first, and what did not read among them, as sentences. `following` is the id
    to ask for the next page with, if there is one."""

    runs: tuple[RunRecord, ...]
    damaged: tuple[str, ...] = ()
    following: str | None = None


class RunDetails(msgspec.Struct, frozen=True):
    """All of one run. `reruns` are the ids of the runs that re-executed it; `last_heard_at` is when
    one that was interrupted gave its last sign of life."""

    record: RunRecord
    steps: tuple[StepRecord, ...]
    events: tuple[Event, ...]
    reruns: tuple[str, ...]
    last_heard_at: datetime | None = None


class StepLog(msgspec.Struct, frozen=True):
    """What a step said in one attempt: `stream` is "log" for what it logged, "out" or "err" for
    what it printed."""

    key: str
    attempt: int
    stream: str
    text: str


def list_runs(
    store: Store, *, limit: int = 20, before: str | None = None, status: RunStatus | None = None
) -> RunPage:
    """At most `limit` runs, newest first, older than the run `before` where given. A run that
    does not read is named, and hides no other."""
    runs: list[RunRecord] = []
    damaged: list[str] = []
    for run_id in store.runs.ids(before=before):
        if len(runs) == limit:
            return RunPage(tuple(runs), tuple(damaged), runs[-1].run_id if runs else None)
        try:
            record = store.runs.read(run_id)
        except UnknownRunError:
            continue  # deleted between the two looks
        except StoreError as error:
            damaged.append(str(error))
            continue
        if status is None or record.status is status:
            runs.append(_counted(store, record))
    return RunPage(tuple(runs), tuple(damaged))


def find_run(store: Store, text: str) -> RunRecord:
    """The run whose id is, or has as a unique part, `text`; `latest` is the newest.

    Raises `UnknownRunError`.
    """
    return store.runs.read(store.runs.find(text))


def run_details(store: Store, text: str) -> RunDetails:
    """Raises `UnknownRunError` and `DamagedStoreError`."""
    record = find_run(store, text)
    events = tuple(store.runs.events(record.run_id))
    heard = None
    if record.status is RunStatus.INTERRUPTED:
        last = events[-1].timestamp if events else record.started_at
        heard = store.runs.last_heard(record, last)
    steps = run_steps(record, events, heard)
    reruns = tuple(store.runs.reruns(record.run_id))
    return RunDetails(_with_counts(record, steps), steps, events, reruns, heard)


def run_steps(
    record: RunRecord, events: Iterable[Event], last_heard_at: datetime | None = None
) -> tuple[StepRecord, ...]:
    """Every planned step, in the order of the plan, with what the events say became of it. One
    that was cut short ends when its run was last heard of, if that was after its start."""
    steps = {key: StepRecord(key, StepState.WAITING) for key in record.assets}
    for event in events:
        if event.step in steps:
            steps[event.step] = step_after(steps[event.step], event)
    cut_short = _CUT_SHORT.get(record.status)
    if cut_short:
        for key, step in steps.items():
            if step.state is StepState.RUNNING:
                later = last_heard_at and step.started_at and last_heard_at > step.started_at
                steps[key] = msgspec.structs.replace(
                    step,
                    state=StepState.CANCELED,
                    reason=cut_short,
                    ended_at=last_heard_at if later else None,
                )
    return tuple(steps.values())


def step_logs(store: Store, text: str, keys: Sequence[str] = ()) -> tuple[StepLog, ...]:
    """What the steps of the run `text` logged and printed; of the steps `keys`, where given.

    Raises `UnknownRunError`, and `AssetGraphError` for a key that is no step of the run.
    """
    record = find_run(store, text)
    require_steps(record, keys)
    logged: dict[str, list[str]] = {}
    for event in store.runs.events(record.run_id):
        if event.type is EventType.LOG and event.step:
            line = f"{event.timestamp.astimezone():%H:%M:%S} {event.level} {event.message}"
            logged.setdefault(event.step, []).append(line)
    logs = [StepLog(key, 1, "log", "\n".join(lines)) for key, lines in logged.items()]
    for key, attempt, stream, path in store.runs.outputs(record.run_id):
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            logs.append(StepLog(key, attempt, stream, file.read()))
    position = {key: place for place, key in enumerate(record.assets)}
    wanted = [log for log in logs if log.key in (keys or position)]
    return tuple(sorted(wanted, key=lambda log: (position[log.key], log.attempt)))


def require_steps(record: RunRecord, keys: Iterable[str]) -> None:
    """Raises `AssetGraphError` for a key that is no step of the run."""
    for key in keys:
        if key not in record.assets:
            raise AssetGraphError(
                f"the run {record.run_id} has no step {key!r}.",
                hint=did_you_mean(key, record.assets) or f"Its steps: {', '.join(record.assets)}.",
            )


def failures(steps: Sequence[StepRecord]) -> Iterator[StepRecord]:
    return (step for step in steps if step.state is StepState.FAILURE)


def run_json(record: RunRecord) -> dict[str, Any]:
    """A run as scripts see it: every name is there, null where unknown."""
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
        "warnings": [
            f"{step}: {text}" if step else text for step, text in warned_of(details.events)
        ],
        "reruns": list(details.reruns),
        "steps": [step_json(step) for step in details.steps],
        "events": [event_json(event) for event in details.events],
    }


def warned_of(events: Iterable[Event]) -> Iterable[tuple[str | None, str]]:
    """What a run (None) and its steps warned of, each once."""
    return dict.fromkeys(
        (event.step, event.message or "")
        for event in events
        if event.type is EventType.LOG and event.level == "WARNING"
    )


def step_json(step: StepRecord) -> dict[str, Any]:
    return {
        "key": step.key,
        "state": step.state.value,
        "attempt": step.attempt,
        "started_at": step.started_at.isoformat() if step.started_at else None,
        "ended_at": step.ended_at.isoformat() if step.ended_at else None,
        "duration_s": step.duration_s,
        "reason": step.reason,
        "error": msgspec.to_builtins(step.error) if step.error else None,
    }


def step_log_json(log: StepLog) -> dict[str, Any]:
    return {"key": log.key, "attempt": log.attempt, "stream": log.stream, "text": log.text}


def _counted(store: Store, record: RunRecord) -> RunRecord:
    """The summary of a run that did not write its counts, because it is not over or because its
    process died, with the counts that its events give."""
    if record.step_counts or not record.assets:
        return record
    try:
        return _with_counts(record, run_steps(record, store.runs.events(record.run_id)))
    except StoreError:
        return record  # `runs show` says what is wrong with the events


def _with_counts(record: RunRecord, steps: Iterable[StepRecord]) -> RunRecord:
    if record.step_counts:
        return record
    steps = tuple(steps)
    return msgspec.structs.replace(
        record,
        step_counts=dict(Counter(step.state.value for step in steps)),
        failed_steps=tuple(step.key for step in steps if step.state is StepState.FAILURE),
        failure=next(
            (failure_line(step.key, e.type, e.message) for step in steps if (e := step.error)), ""
        ),
    )

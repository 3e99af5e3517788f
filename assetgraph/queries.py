"""Read-only answers that every view shares: the command line, the page, a notebook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.errors import AssetGraphError, StoreError, UnknownRunError
from assetgraph.records import (
    ErrorInfo,
    Event,
    EventType,
    RunRecord,
    RunStatus,
    StepRecord,
    StepState,
)
from assetgraph.text import did_you_mean

if TYPE_CHECKING:
    from assetgraph.assets import Asset
    from assetgraph.fingerprint import Definition
    from assetgraph.plan import Plan, Reason, Step
    from assetgraph.records import AssetState, FailedAttempt, Materialization
    from assetgraph.state import State
    from assetgraph.storage.store import Store


_ENDS = {
    EventType.STEP_SUCCESS: StepState.SUCCESS,
    EventType.STEP_FAILURE: StepState.FAILURE,
    EventType.STEP_CANCELED: StepState.CANCELED,
    EventType.STEP_SKIPPED: StepState.SKIPPED,
    EventType.STEP_UNCHANGED: StepState.UNCHANGED,
}


HISTORY = 10


class RunPage(msgspec.Struct, frozen=True):
    """Runs, newest first, and what did not read among them, as sentences. `following` is the id
    to ask for the next page with, if there is one."""

    runs: tuple[RunRecord, ...]
    damaged: tuple[str, ...] = ()
    following: str | None = None


class RunDetails(msgspec.Struct, frozen=True):
    """All of one run. `reruns` are the ids of the runs that re-executed it."""

    record: RunRecord
    steps: tuple[StepRecord, ...]
    events: tuple[Event, ...]
    reruns: tuple[str, ...]


class AssetView(msgspec.Struct, frozen=True):
    """One asset with its state, why it is not fresh, and its last attempts."""

    asset: Asset
    deps: tuple[str, ...]
    state: AssetState
    reasons: tuple[Reason, ...]
    materialization: Materialization | None
    failure: FailedAttempt | None


class AssetDetails(msgspec.Struct, frozen=True):
    """All of one asset. `config_fields` maps each field of its config to how it is declared;
    `history` holds the last attempts, newest first; `covers` is what its code version covers,
    nothing where the asset gives its own."""

    view: AssetView
    downstream: tuple[str, ...]
    config_fields: Mapping[str, str]
    history: tuple[Materialization | FailedAttempt, ...] = ()
    code_version: str | None = None
    covers: tuple[Definition, ...] = ()


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
    steps = run_steps(record, events)
    reruns = tuple(store.runs.reruns(record.run_id))
    return RunDetails(_with_counts(record, steps), steps, events, reruns)


def run_steps(record: RunRecord, events: Iterable[Event]) -> tuple[StepRecord, ...]:
    """Every planned step, in the order of the plan, with what the events say became of it."""
    steps = {key: StepRecord(key, StepState.WAITING) for key in record.assets}
    for event in events:
        if event.step in steps:
            steps[event.step] = step_after(steps[event.step], event)
    if record.status in (RunStatus.INTERRUPTED, RunStatus.CANCELED):
        for key, step in steps.items():
            if step.state is StepState.RUNNING:
                steps[key] = msgspec.structs.replace(
                    step, state=StepState.CANCELED, reason="its process died"
                )
    return tuple(steps.values())


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
    )


def step_after(step: StepRecord, event: Event) -> StepRecord:
    """What `event`, which is of this step, makes of its record."""
    change = msgspec.structs.replace
    if event.type is EventType.STEP_START:
        return change(step, state=StepState.RUNNING, started_at=event.timestamp)
    if event.type is EventType.STEP_UP_FOR_RETRY:
        return change(step, state=StepState.WAITING, reason="it is to run again")
    if event.type is EventType.STEP_RESTARTED:
        return change(step, state=StepState.RUNNING, attempt=event.data["attempt"], reason=None)
    if event.type is EventType.STEP_SKIPPED:
        reason = f"upstream {event.data.get('upstream')} failed"
        return change(step, state=StepState.SKIPPED, reason=reason)
    if event.type is EventType.STEP_UNCHANGED:
        return change(step, state=StepState.UNCHANGED, reason=event.data.get("reason"))
    if event.type is EventType.STEP_FAILURE:
        error = msgspec.convert(event.data["error"], ErrorInfo)
        return change(step, state=StepState.FAILURE, ended_at=event.timestamp, error=error)
    if event.type in _ENDS:
        return change(step, state=_ENDS[event.type], ended_at=event.timestamp)
    return step


def asset_views(state: State, assets: Iterable[Asset]) -> tuple[AssetView, ...]:
    """Each asset with its state, in the order given."""
    assets = tuple(assets)
    states = state.states(asset.key for asset in assets)
    views = []
    for asset in assets:
        known = state.of(asset.key)
        deps = tuple(key.text for key in state.graph.parents(asset.key))
        views.append(AssetView(asset, deps, *states[asset.key], known.current, known.failed))
    return tuple(views)


def asset_details(state: State, asset: Asset) -> AssetDetails:
    from assetgraph.config import declared_fields

    (view,) = asset_views(state, [asset])
    downstream = tuple(key.text for key in state.graph.children(asset.key))
    kind = asset.config_type
    history = tuple(islice(state.store.history.newest_first(asset.key), HISTORY))
    covers = state.store.code.covers(asset) if asset.code_version is None else ()
    return AssetDetails(
        view=view,
        downstream=downstream,
        config_fields=declared_fields(kind) if kind else {},
        history=history,
        code_version=state.of(asset.key).code_version,
        covers=covers,
    )


def step_logs(store: Store, text: str, keys: Sequence[str] = ()) -> tuple[StepLog, ...]:
    """What the steps of the run `text` logged and printed; of the steps `keys`, where given.

    Raises `UnknownRunError`, and `AssetGraphError` for a key that is no step of the run.
    """
    record = find_run(store, text)
    for key in keys:
        if key not in record.assets:
            raise AssetGraphError(
                f"the run {record.run_id} has no step {key!r}.",
                hint=did_you_mean(key, record.assets) or f"Its steps: {', '.join(record.assets)}.",
            )
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


def event_text(event: Event) -> str:
    """What the event says, in one line where its data allow."""
    if event.message is not None:
        return event.message
    data = event.data
    match event.type:
        case EventType.STEP_START:
            return "Started."
        case EventType.LOADED_INPUT:
            return f"Loaded {data.get('upstream')}."
        case EventType.STEP_OUTPUT:
            return _output_text(data)
        case EventType.ASSET_MATERIALIZATION:
            return "Materialized" + _metadata_text(data.get("metadata", {}))
        case EventType.STEP_SUCCESS:
            return "Succeeded."
        case EventType.STEP_RESTARTED:
            return f"Started again: attempt {data.get('attempt')}."
        case EventType.STEP_SKIPPED:
            return f"Skipped: upstream {data.get('upstream')} failed."
        case EventType.STEP_UNCHANGED:
            return f"Did not run: {data.get('reason')}."
        case EventType.STEP_CANCELED:
            return "Canceled."
        case EventType.RUN_START:
            return "The run started."
        case EventType.RUN_SUCCESS:
            return "The run succeeded."
        case EventType.RUN_FAILURE:
            return "The run failed."
        case EventType.RUN_CANCELED:
            return "The run was canceled."
        case _:
            return event.type.value


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
        "warnings": list(record.warnings),
        "launched_by": record.launched_by,
        "python_version": record.python_version,
        "assetgraph_version": record.assetgraph_version,
    }


def run_details_json(details: RunDetails) -> dict[str, Any]:
    return {
        **run_json(details.record),
        "reruns": list(details.reruns),
        "steps": [step_json(step) for step in details.steps],
        "events": [event_json(event) for event in details.events],
    }


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


def event_json(event: Event) -> dict[str, Any]:
    return {
        "type": event.type.value,
        "timestamp": event.timestamp.isoformat(),
        "step": event.step,
        "level": event.level,
        "message": event_text(event),
        "data": event.data,
    }


def asset_json(view: AssetView) -> dict[str, Any]:
    asset = view.asset
    return {
        "key": asset.key.text,
        "group_name": asset.group_name,
        "description": asset.description,
        "deps": list(view.deps),
        "kinds": sorted(asset.kinds),
        "owners": list(asset.owners),
        "tags": dict(asset.tags),
        "state": view.state.value,
        "reasons": [reason_json(reason) for reason in view.reasons],
    }


def asset_details_json(details: AssetDetails) -> dict[str, Any]:
    view = details.view
    made, failed = view.materialization, view.failure
    return {
        **asset_json(view),
        "downstream": list(details.downstream),
        "defined_at": view.asset.place,
        "config_fields": dict(details.config_fields),
        "metadata": dict(view.asset.metadata),
        "code_version": details.code_version,
        "covers": [msgspec.to_builtins(one) for one in details.covers],
        "materialization": msgspec.to_builtins(made) if made else None,
        "failure": msgspec.to_builtins(failed) if failed else None,
        "history": [msgspec.to_builtins(attempt) for attempt in details.history],
    }


def step_log_json(log: StepLog) -> dict[str, Any]:
    return {"key": log.key, "attempt": log.attempt, "stream": log.stream, "text": log.text}


def reason_json(reason: Reason) -> dict[str, Any]:
    return {"kind": reason.kind.value, "text": reason.text, **reason.facts}


def plan_json(plan: Plan) -> list[dict[str, Any]]:
    return [_planned_json(step) for step in plan.steps]


def failures(steps: Sequence[StepRecord]) -> Iterator[StepRecord]:
    return (step for step in steps if step.state is StepState.FAILURE)


def _planned_json(step: Step) -> dict[str, Any]:
    return {
        "key": step.key.text,
        "cause": step.cause.value,
        "reasons": [reason_json(reason) for reason in step.reasons],
    }


def _output_text(data: dict[str, Any]) -> str:
    if data.get("format") == "none":
        return "Returned nothing to store."
    where = f" at {data['path']}" if "path" in data else " in its record"
    return f"Stored as {data.get('format')}{where}."


def _metadata_text(metadata: dict[str, Any]) -> str:
    """Without `warning`, which is told with the asset."""
    shown = [f"{name} {_short(value)}" for name, value in metadata.items() if name != "warning"]
    return f": {', '.join(shown)}." if shown else "."


def _short(value: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"type", "value"}:
        if value["type"] == "table":
            return f"table of {len(value['value'])} rows"
        value = value["value"]
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else text[:59] + "…"

"""One step, wherever it runs: lock the asset, load its inputs, call its function, save its value,
commit. Picklable in, small result out."""

from __future__ import annotations

import inspect
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from assetgraph.annotations import contradiction
from assetgraph.assets import EMPTY, Asset
from assetgraph.capture import OutputFile, step_output
from assetgraph.config import build_config
from assetgraph.context import AssetExecutionContext
from assetgraph.errors import LockedError, ValueTypeError
from assetgraph.failure import error_info
from assetgraph.io_manager import InputContext, OutputContext
from assetgraph.keys import AssetKey
from assetgraph.metadata import MaterializeResult, metadata_json
from assetgraph.records import (
    ErrorInfo,
    Event,
    EventType,
    FailedAttempt,
    Materialization,
    StepState,
    StoredValue,
    now,
)
from assetgraph.storage.retention import drop_old_values, has_folder
from assetgraph.storage.values import Saved

if TYPE_CHECKING:
    from assetgraph.storage.store import Store


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of what one step says is kept: printed bytes a stream, and log events."""

    output_bytes: int = 16_000_000
    log_events: int = 10_000


@dataclass(frozen=True, slots=True)
class Input:
    """An upstream of a step: `parameter` is None for one that is not loaded. `maker` is the asset
    where its own IO manager stored the value in the run `run_id`."""

    key: str
    parameter: str | None
    data_version: str
    stored: StoredValue
    maker: Asset | None = None
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class StepTask:
    """All that a worker needs. `known_run_id` is the run that made the current value when the
    step was planned; `handed` holds input values that need no loading."""

    asset: Asset
    run_id: str
    attempt: int
    inputs: tuple[Input, ...]
    config: Mapping[str, Any]
    code_version: str | None
    known_run_id: str | None
    log_path: str
    wait: bool = True
    limits: Limits = field(default_factory=Limits)
    handed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class StepResult:
    """What became of a step. `value` and `exception` are only there in the process that ran it."""

    state: StepState
    events: list[Event]
    materialization: Materialization | None = None
    error: ErrorInfo | None = None
    value: Any = None
    exception: BaseException | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return StepResult, (self.state, self.events, self.materialization, self.error)


class Channel(Protocol):
    """Where a step reports to while it runs: the runner, in this process or another."""

    def events(self, events: Sequence[Event]) -> None: ...

    def output(self, step: str, stream: str, text: str) -> None: ...

    def progress(self, step: str, done: float, total: float | None, unit: str) -> None: ...

    def canceled(self) -> bool: ...


def run_step(task: StepTask, store: Store, channel: Channel) -> StepResult:
    """Run a step under its asset's lock, and commit what it made to the asset's history.

    Whatever the user's code raises is a result with state FAILURE; `KeyboardInterrupt` passes.
    """
    lock = store.lock(task.asset.key, f"{task.run_id} {os.getpid()} {socket.gethostname()}")
    if not lock.acquire():
        _say_who_holds(task, store, channel)
        if not lock.wait(until=lambda: not channel.canceled()):
            return StepResult(StepState.CANCELED, [])
        made = _made_meanwhile(task, store)
        if made is not None:
            lock.release()
            return StepResult(StepState.UNCHANGED, [], made)
    try:
        return _compute(task, store, channel)
    finally:
        lock.release()


def _compute(task: StepTask, store: Store, channel: Channel) -> StepResult:
    started = time.perf_counter()
    result = StepResult(StepState.FAILURE, [])
    recorder = _Recorder(task, channel, result.events)
    context = AssetExecutionContext(
        task.asset.key, task.run_id, recorder, retry_number=task.attempt - 1
    )
    try:
        with step_output(recorder), _reading(task, store):
            arguments = _arguments(task, store, context, result.events)
            returned = _call(task.asset.function, arguments)
            _save(task, store, context, returned, started, result)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        _fail(task, store, error, started, result)
    finally:
        recorder.close()
    return result


def _arguments(
    task: StepTask, store: Store, context: AssetExecutionContext, events: list[Event]
) -> dict[str, Any]:
    asset = task.asset
    arguments: dict[str, Any] = {}
    if asset.context_parameter:
        arguments[asset.context_parameter] = context
    if asset.config_parameter and asset.config_type:
        config = build_config(asset.config_type, task.config, asset.key.text)
        arguments[asset.config_parameter.name] = config
    annotations = {p.name: p.annotation for p in asset.inputs} if task.inputs else {}
    for source in task.inputs:
        if source.parameter is None:
            continue
        wanted = annotations[source.parameter]
        if source.parameter in task.handed and _fits(task.handed[source.parameter], wanted):
            arguments[source.parameter] = task.handed[source.parameter]
        elif source.maker is not None and source.maker.io_manager is not None:
            asked = InputContext(source.maker.key, source.run_id, wanted)
            arguments[source.parameter] = source.maker.io_manager.load_input(asked)
        else:
            arguments[source.parameter] = store.values.load(source.stored, wanted)
        events.append(
            Event(EventType.LOADED_INPUT, now(), asset.key.text, data={"upstream": source.key})
        )
    return arguments


@contextmanager
def _reading(task: StepTask, store: Store) -> Iterator[None]:
    """Keeps the stored inputs from being pruned while the step may read them."""
    guards = [
        store.reading(AssetKey.unchecked(source.key.split("/")), shared=True)
        for source in task.inputs
        if source.parameter is not None and has_folder(source.stored)
    ]
    try:
        for guard in guards:
            guard.wait(until=lambda: True)
        yield
    finally:
        for guard in guards:
            guard.release()


def _call(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    returned = function(**arguments)
    return _awaited(returned) if inspect.iscoroutine(returned) else returned


def _save(
    task: StepTask,
    store: Store,
    context: AssetExecutionContext,
    returned: Any,
    started: float,
    result: StepResult,
) -> None:
    asset, metadata, version = task.asset, {}, None
    value = returned
    if isinstance(returned, MaterializeResult):
        value, version = returned.value, returned.data_version
        metadata = metadata_json(returned.metadata)
    elif asset.returns is not EMPTY:
        wrong = contradiction(value, asset.returns)
        if wrong:
            raise ValueTypeError(f"asset {asset.key.text!r} {wrong}.")
    saved = _stored(task, store, context, value)
    result.materialization = Materialization(
        run_id=task.run_id,
        timestamp=now(),
        value=saved.stored,
        data_version=version or saved.data_version,
        code_version=task.code_version,
        config=dict(task.config),
        inputs={source.key: source.data_version for source in task.inputs},
        metadata={**saved.metadata, **context.output_metadata, **metadata},
        duration_s=round(time.perf_counter() - started, 6),
    )
    store.history.append(asset.key, result.materialization)
    if has_folder(saved.stored):
        drop_old_values(store, asset.key)
    _report_success(asset.key.text, result)
    result.state = StepState.SUCCESS
    result.value = value


def _stored(task: StepTask, store: Store, context: AssetExecutionContext, value: Any) -> Saved:
    manager = task.asset.io_manager
    if manager is None or value is None:
        return store.values.save(task.asset.key, task.run_id, value)
    output = OutputContext(task.asset.key, task.run_id, context.add_output_metadata)
    manager.handle_output(output, value)
    return Saved(StoredValue("custom", type(value).__name__), task.run_id)


def _report_success(step: str, result: StepResult) -> None:
    made = result.materialization
    assert made is not None
    output: dict[str, Any] = {"format": made.value.format}
    if made.value.size is not None:
        output["size"] = made.value.size
    if made.value.path is not None:
        output["path"] = made.value.path
    what: dict[str, Any] = {"data_version": made.data_version}
    if made.metadata:
        what["metadata"] = made.metadata
    result.events += (
        Event(EventType.STEP_OUTPUT, made.timestamp, step, data=output),
        Event(EventType.ASSET_MATERIALIZATION, made.timestamp, step, data=what),
        Event(EventType.STEP_SUCCESS, now(), step),
    )


def _fail(
    task: StepTask, store: Store, error: BaseException, started: float, result: StepResult
) -> None:
    info = error_info(error, str(store.project_root))
    result.state = StepState.FAILURE
    result.materialization = None
    result.error = info
    result.exception = error
    result.events.append(
        Event(
            EventType.STEP_FAILURE,
            now(),
            task.asset.key.text,
            "ERROR",
            f"{info.type}: {info.message}",
            {"error": msgspec.to_builtins(info), "attempt": task.attempt},
        )
    )
    store.history.append(
        task.asset.key,
        FailedAttempt(
            run_id=task.run_id,
            timestamp=now(),
            error=f"{info.type}: {info.message}"[:500],
            code_version=task.code_version,
            config=dict(task.config),
            inputs={source.key: source.data_version for source in task.inputs},
            duration_s=round(time.perf_counter() - started, 6),
        ),
    )


def _made_meanwhile(task: StepTask, store: Store) -> Materialization | None:
    """What another run recorded while this one waited, if it is what this step would make."""
    current, failed = store.history.current(task.asset.key)
    if current is None or failed is not None or current.run_id == task.known_run_id:
        return None
    same = (
        current.code_version == task.code_version
        and current.config == dict(task.config)
        and current.inputs == {source.key: source.data_version for source in task.inputs}
    )
    return current if same else None


def _say_who_holds(task: StepTask, store: Store, channel: Channel) -> None:
    key = task.asset.key.text
    run_id, _, process = store.holder(task.asset.key).partition(" ")
    pid, _, host = process.partition(" ")
    who = f"run {run_id} (process {pid} on {host})"
    if not task.wait:
        raise LockedError(
            f"{key!r} is being materialized by {who}.",
            key=key,
            holder=who,
            hint="Leave out --no-wait to wait for it.",
        )
    message = f"waiting for {who}, which is materializing {key}"
    event = Event(EventType.LOG, now(), key, "WARNING", message, {"waits_for": run_id})
    channel.events([event])


def _fits(value: Any, wanted: Any) -> bool:
    """Whether a value that needs no loading is what the parameter asks for."""
    return wanted is EMPTY or (isinstance(wanted, type) and isinstance(value, wanted))


def _awaited(coroutine: Any) -> Any:
    """The result of an async asset: in its own loop, and where one runs already (a notebook), in
    a thread of its own."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    from concurrent.futures import ThreadPoolExecutor
    from contextvars import copy_context

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(copy_context().run, asyncio.run, coroutine).result()


class _Recorder:
    """The sink of one step: events to the channel, printed text to the step's files. `pending`
    are events of the step that go before whatever it logs."""

    def __init__(self, task: StepTask, channel: Channel, pending: list[Event]) -> None:
        self._pending = pending
        self._step = task.asset.key.text
        self._limits = task.limits
        self._channel = channel
        self._log_path = task.log_path
        self._files: dict[str, OutputFile] = {}
        self._logged = 0

    def log(self, level: str, message: str, data: dict[str, Any]) -> None:
        self._logged += 1
        if self._logged <= self._limits.log_events:
            event = Event(EventType.LOG, now(), self._step, level, message, data)
            self._channel.events([*self._pending, event])
            self._pending.clear()

    def output(self, stream: str, text: str) -> None:
        file = self._files.get(stream)
        if file is None:
            path = f"{self._log_path}.{stream}"
            file = self._files[stream] = OutputFile(path, self._limits.output_bytes)
        file.write(text)
        self._channel.output(self._step, stream, text)

    def progress(self, done: float, total: float | None, unit: str) -> None:
        self._channel.progress(self._step, done, total, unit)

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        dropped = self._logged - self._limits.log_events
        if dropped > 0:
            message = f"{dropped} more log records were not kept"
            self._channel.events([Event(EventType.LOG, now(), self._step, "WARNING", message)])

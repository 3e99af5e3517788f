"""The runner: the only loop, and the only writer of a run's records.

run_plan
  └─ _Run.execute
       ├─ _start_ready     check again, then hand a step to the executor
       ├─ _finish          record what became of it, make its children ready or skip them
       └─ _end             write the run's summary
"""

from __future__ import annotations

import heapq
import os
import platform
import socket
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from assetgraph import __version__
from assetgraph.capture import redirected
from assetgraph.config import build_config
from assetgraph.errors import AssetGraphError, ConfigError, LockedError
from assetgraph.executors import SerialExecutor, StepExecutor
from assetgraph.plan import Cause, Plan, Step, direct_reasons
from assetgraph.records import (
    ErrorInfo,
    Event,
    EventType,
    Materialization,
    RunRecord,
    RunStatus,
    StepState,
    now,
)
from assetgraph.step import Input, Limits, StepResult, StepTask, run_step
from assetgraph.storage.retention import drop_old_runs
from assetgraph.storage.runs import RunLog, new_run_id
from assetgraph.storage.store import sync_file_system

if TYPE_CHECKING:
    from assetgraph.graph import AssetGraph
    from assetgraph.keys import AssetKey
    from assetgraph.state import State

GRACE_S = 5.0
SYNC_INTERVAL_S = 5.0


class Observer(Protocol):
    """Told what happens in a run while it happens, from any thread."""

    def event(self, event: Event) -> None: ...

    def output(self, step: str, stream: str, text: str) -> None: ...

    def progress(self, step: str, done: float, total: float | None, unit: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Launch:
    """What a run is told about itself: what was asked for, by whom, and what it repeats."""

    selection: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    launched_by: str = ""
    root_run_id: str | None = None
    parent_run_id: str | None = None
    wait: bool = True
    echo: bool = True
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """A run that ended: its summary, and the errors of its failed steps. `exceptions` holds those
    that were raised in this process."""

    record: RunRecord
    errors: Mapping[AssetKey, ErrorInfo]
    exceptions: Mapping[AssetKey, BaseException]

    def first_exception(self) -> BaseException:
        """What the first failing step raised, or where that stayed in another process, its record
        as an exception."""
        key, error = next(iter(self.errors.items()))
        return self.exceptions.get(key) or AssetGraphError(
            f"asset {key.text!r} failed: {error.type}: {error.message}"
        )


def run_plan(
    plan: Plan,
    state: State,
    *,
    executor: StepExecutor | None = None,
    observer: Observer | None = None,
    launch: Launch | None = None,
) -> RunOutcome:
    """Materialize the steps of `plan` and record the run.

    Raises `ConfigError` and `LockedError` before anything runs, `StoreError` when the store takes
    no more records, and `KeyboardInterrupt` once the run is recorded as canceled.
    """
    launch = launch or Launch()
    _check_config(state.graph, plan.steps)
    if not launch.wait:
        _check_locks(state, plan.steps)
    run = _Run(plan, state, executor or SerialExecutor(), observer, launch)
    return run.execute()


def checked_config(graph: AssetGraph, config: Mapping[AssetKey, Mapping[str, Any]]) -> None:
    """Raises `ConfigError` for config that an asset does not take."""
    for key, given in config.items():
        kind = graph.asset(key).config_type
        if kind is None:
            raise ConfigError(
                f"asset {key.text!r} takes no config.",
                hint="Give it a parameter annotated with a subclass of Config.",
            )
        build_config(kind, given, key.text)


class _Channel:
    """Takes what steps report, from any thread: into the record, and to the observer."""

    def __init__(self, log: RunLog, observer: Observer | None) -> None:
        self._log = log
        self._observer = observer
        self.stopping = False

    def events(self, events: Sequence[Event]) -> None:
        self._log.append(events)
        if self._observer is not None:
            for event in events:
                self._observer.event(event)

    def output(self, step: str, stream: str, text: str) -> None:
        if self._observer is not None:
            self._observer.output(step, stream, text)

    def progress(self, step: str, done: float, total: float | None, unit: str) -> None:
        if self._observer is not None:
            self._observer.progress(step, done, total, unit)

    def canceled(self) -> bool:
        return self.stopping


class _Run:
    """One run while it lives. All mutable state of a run is here."""

    def __init__(
        self,
        plan: Plan,
        state: State,
        executor: StepExecutor,
        observer: Observer | None,
        launch: Launch,
    ) -> None:
        self._state = state
        self._graph = state.graph
        self._store = state.store
        self._executor = executor
        self._launch = launch
        self._steps = {step.key: step for step in plan.steps}
        self._states = dict.fromkeys(self._steps, StepState.WAITING)
        self._blockers = {
            key: sum(parent in self._steps for parent in self._graph.parents(key))
            for key in self._steps
        }
        self._priority = self._priorities()
        self._ready: list[tuple[tuple[int, int], AssetKey]] = []
        self._done: SimpleQueue[tuple[AssetKey, Future[StepResult]]] = SimpleQueue()
        self._running: set[AssetKey] = set()
        self._handed: dict[AssetKey, Any] = {}
        self._readers = {key: self._reader_count(key) for key in self._steps}
        self._errors: dict[AssetKey, ErrorInfo] = {}
        self._exceptions: dict[AssetKey, BaseException] = {}
        self._record = self._first_record(plan)
        self._store.prepare()
        self._log = self._store.runs.start(self._record)
        self._channel = _Channel(self._log, observer)
        self._synced = time.monotonic()

    def execute(self) -> RunOutcome:
        try:
            self._emit(EventType.RUN_START)
            for warning in self._record.warnings:
                self._emit(EventType.LOG, level="WARNING", message=warning)
            try:
                with redirected(self._launch.echo):
                    self._loop()
            except KeyboardInterrupt:
                self._cancel()
                self._end(RunStatus.CANCELED)
                raise
            self._end(RunStatus.FAILURE if self._errors else RunStatus.SUCCESS)
        finally:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._log.close()
        return RunOutcome(self._record, self._errors, self._exceptions)

    def _loop(self) -> None:
        for key, blockers in self._blockers.items():
            if blockers == 0:
                heapq.heappush(self._ready, (self._priority[key], key))
        while self._ready or self._running:
            self._start_ready()
            if self._running:
                self._finish(*self._done.get())

    def _start_ready(self) -> None:
        while self._ready and len(self._running) < self._executor.slots:
            key = heapq.heappop(self._ready)[1]
            step = self._steps[key]
            if step.cause is not Cause.REQUESTED and not self._still_needed(step):
                self._spare(key, "unchanged upstream")
                continue
            self._running.add(key)
            self._states[key] = StepState.RUNNING
            self._emit(EventType.STEP_START, key)
            future = self._executor.submit(run_step, self._task(step), self._store, self._channel)
            future.add_done_callback(partial(self._put_done, key))

    def _put_done(self, key: AssetKey, future: Future[StepResult]) -> None:
        self._done.put((key, future))

    def _still_needed(self, step: Step) -> bool:
        """Early cut-off: what ran upstream may have made the same data again."""
        given = step.config if self._state.of(step.key).current else None
        return bool(direct_reasons(step.key, self._state, self._upstream(step.key), given))

    def _upstream(self, key: AssetKey) -> dict[AssetKey, str | None]:
        return {p: self._state.of(p).data_version for p in self._graph.parents(key)}

    def _task(self, step: Step) -> StepTask:
        key = step.key
        loaded = self._graph.inputs(key)
        inputs = [self._input(upstream, name) for name, upstream in loaded.items()]
        read = set(loaded.values())
        inputs += [self._input(dep, None) for dep in self._graph.parents(key) if dep not in read]
        facts = self._state.of(key)
        return StepTask(
            asset=self._graph.asset(key),
            run_id=self._record.run_id,
            attempt=1,
            inputs=tuple(inputs),
            config=step.config,
            code_version=facts.code_version,
            known_run_id=facts.current.run_id if facts.current else None,
            log_path=self._log.log_path(key, 1),
            wait=self._launch.wait,
            limits=self._launch.limits,
            handed={n: self._handed[up] for n, up in loaded.items() if up in self._handed},
        )

    def _input(self, upstream: AssetKey, parameter: str | None) -> Input:
        facts = self._state.of(upstream)
        assert facts.current is not None  # a plan includes every upstream without a value
        version = facts.data_version or facts.current.data_version
        made = facts.current
        custom = made.value.format == "custom"
        maker = self._graph.asset(upstream) if custom else None
        return Input(upstream.text, parameter, version, made.value, maker, made.run_id)

    def _finish(self, key: AssetKey, future: Future[StepResult]) -> None:
        self._running.discard(key)
        result = future.result()
        if result.events:
            self._channel.events(result.events)
        if result.state is StepState.SUCCESS:
            assert result.materialization is not None
            self._succeed(key, result.materialization, result.value)
        elif result.state is StepState.UNCHANGED:
            assert result.materialization is not None
            self._state.record(key, result.materialization)
            self._spare(key, "another run made it meanwhile")
        elif result.state is StepState.FAILURE:
            self._fail(key, result)
        else:
            self._states[key] = result.state
            self._emit(EventType.STEP_CANCELED, key)
        self._release_inputs(key)
        if time.monotonic() - self._synced > SYNC_INTERVAL_S:
            self._sync()

    def _succeed(self, key: AssetKey, made: Materialization, value: Any) -> None:
        self._states[key] = StepState.SUCCESS
        self._state.record(key, made)
        if (
            self._readers[key]
            and self._executor.shares_memory
            and self._store.values.is_immutable(value)
        ):
            self._handed[key] = value
        self._release_children(key)

    def _spare(self, key: AssetKey, reason: str) -> None:
        self._states[key] = StepState.UNCHANGED
        self._emit(EventType.STEP_UNCHANGED, key, reason=reason)
        self._release_children(key)

    def _fail(self, key: AssetKey, result: StepResult) -> None:
        assert result.error is not None
        self._states[key] = StepState.FAILURE
        self._errors[key] = result.error
        if result.exception is not None:
            self._exceptions[key] = result.exception
        for other in self._graph.downstream(key):
            if self._states.get(other) is StepState.WAITING:
                self._states[other] = StepState.SKIPPED
                self._emit(EventType.STEP_SKIPPED, other, upstream=key.text)

    def _release_children(self, key: AssetKey) -> None:
        for child in self._graph.children(key):
            if child not in self._blockers:
                continue
            self._blockers[child] -= 1
            if self._blockers[child] == 0 and self._states[child] is StepState.WAITING:
                heapq.heappush(self._ready, (self._priority[child], child))

    def _release_inputs(self, key: AssetKey) -> None:
        """A value leaves memory with its last reader."""
        for upstream in set(self._graph.inputs(key).values()):
            if upstream in self._readers:
                self._readers[upstream] -= 1
                if self._readers[upstream] == 0:
                    self._handed.pop(upstream, None)

    def _reader_count(self, key: AssetKey) -> int:
        return sum(
            child in self._steps and key in self._graph.inputs(child).values()
            for child in self._graph.children(key)
        )

    def _priorities(self) -> dict[AssetKey, tuple[int, int]]:
        """One step at a time: the graph's order. Several: the longest way to the end first."""
        positions = self._graph.positions
        if self._executor.slots == 1:
            return {key: (0, positions[key]) for key in self._steps}
        height: dict[AssetKey, int] = {}
        for key in sorted(self._steps, key=positions.__getitem__, reverse=True):
            below = (height[c] for c in self._graph.children(key) if c in height)
            height[key] = 1 + max(below, default=0)
        return {key: (-height[key], positions[key]) for key in self._steps}

    def _cancel(self) -> None:
        """Running steps get a moment to end by themselves; the rest does not start."""
        self._channel.stopping = True
        self._ready.clear()
        deadline = time.monotonic() + GRACE_S
        while self._running and self._executor.slots > 1:
            try:
                self._finish(*self._done.get(timeout=max(0.0, deadline - time.monotonic())))
            except Empty:
                break
            self._ready.clear()
        for key in [k for k, s in self._states.items() if s is StepState.RUNNING]:
            self._states[key] = StepState.CANCELED
            self._emit(EventType.STEP_CANCELED, key)

    def _end(self, status: RunStatus) -> None:
        counts = Counter(state.value for state in self._states.values())
        ended_at = self._emit(
            {
                RunStatus.SUCCESS: EventType.RUN_SUCCESS,
                RunStatus.FAILURE: EventType.RUN_FAILURE,
                RunStatus.CANCELED: EventType.RUN_CANCELED,
            }[status]
        ).timestamp
        self._record = msgspec.structs.replace(
            self._record,
            status=status,
            ended_at=ended_at,
            step_counts=dict(counts),
            failed_steps=tuple(sorted(key.text for key in self._errors)),
        )
        self._log.finish(self._record)
        drop_old_runs(self._store)
        self._sync()

    def _sync(self) -> None:
        if not self._store.ephemeral:
            sync_file_system(self._store.folder)
        self._synced = time.monotonic()

    def _emit(
        self,
        kind: EventType,
        key: AssetKey | None = None,
        *,
        level: str = "INFO",
        message: str | None = None,
        **data: Any,
    ) -> Event:
        event = Event(kind, now(), key.text if key else None, level, message, data)
        self._channel.events((event,))
        return event

    def _first_record(self, plan: Plan) -> RunRecord:
        started_at = now()
        launch = self._launch
        return RunRecord(
            run_id=new_run_id(started_at),
            status=RunStatus.STARTED,
            started_at=started_at,
            root_run_id=launch.root_run_id,
            parent_run_id=launch.parent_run_id,
            selection=tuple(launch.selection),
            assets=tuple(step.key.text for step in plan.steps),
            tags=dict(launch.tags),
            config={step.key.text: dict(step.config) for step in plan.steps if step.config},
            warnings=plan.warnings,
            launched_by=launch.launched_by,
            pid=os.getpid(),
            host=socket.gethostname(),
            python_version=platform.python_version(),
            assetgraph_version=__version__,
        )


def _check_config(graph: AssetGraph, steps: Iterable[Step]) -> None:
    checked_config(graph, {step.key: step.config for step in steps if step.config})
    for step in steps:
        kind = graph.asset(step.key).config_type
        if kind is not None and not step.config:
            build_config(kind, {}, step.key.text)  # a field without a default must be given


def _check_locks(state: State, steps: Iterable[Step]) -> None:
    for step in steps:
        if state.store.is_running(step.key):
            holder = state.store.holder(step.key)
            raise LockedError(
                f"{step.key.text!r} is being materialized by run {holder.partition(' ')[0]}.",
                key=step.key.text,
                holder=holder,
                hint="Leave out --no-wait to wait for it.",
            )

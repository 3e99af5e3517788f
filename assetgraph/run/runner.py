"""The runner: the only loop. What it records goes through the run's journal.

run_plan
  └─ _Run.execute
       ├─ _start_ready     check again, then hand a step to the executor
       ├─ _wait            until a step ends, or runs out of its time
       │    └─ _settle     record what became of it; its children are ready, or skipped
       ├─ _cancel          after an interrupt: end what runs, keep what is committed
       └─ Journal.end      write the run's summary
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from assetgraph.errors import (
    AssetGraphError,
    StepTimeoutError,
    StoreError,
)
from assetgraph.planning.plan import Cause, Plan, Step, direct_reasons
from assetgraph.process.capture import redirected
from assetgraph.process.collector import heap_left_alone
from assetgraph.process.signals import held_back, let_through, raise_if_told
from assetgraph.records import (
    ErrorInfo,
    EventType,
    Materialization,
    RunRecord,
    RunStatus,
    StepState,
)
from assetgraph.run.channel import Observer, StepChannel
from assetgraph.run.executors import StepExecutor
from assetgraph.run.executors.local import SerialExecutor
from assetgraph.run.journal import Journal
from assetgraph.run.launch import Launch
from assetgraph.run.passed_values import Handover
from assetgraph.run.ready_queue import Schedule
from assetgraph.run.step import abandoned_step, committed, lost_step, run_step
from assetgraph.run.task import Input, StepResult, StepTask
from assetgraph.storage.retention import drop_old_runs

if TYPE_CHECKING:
    from assetgraph.keys import AssetKey
    from assetgraph.planning.facts import State

GRACE_S = 5.0
COMMIT_S = 1.0
_RUN_FAILED = 1


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
    launch.check(state.graph, state.store, plan.steps)
    executor = executor or SerialExecutor()
    try:
        executor.check(state.store)
        with held_back():  # from before the run has a record, which an interrupt is to end
            run = _Run(plan, state, executor, observer, launch)
            try:
                return run.execute()
            except StoreError as error:
                error.exit_code = _RUN_FAILED  # of a full disk, say: nobody gave anything wrong
                raise
    finally:
        executor.shutdown()


@dataclass(slots=True, eq=False)
class _Attempt:
    """One attempt at a step, from its start until the runner has recorded what became of it.
    `error` is why the runner ended it."""

    task: StepTask
    channel: StepChannel = field(init=False)
    future: Future[StepResult] | None = None
    deadline: float | None = None
    error: Exception | None = None


class _Run:
    """One run while it lives. What changes during it is here, and in its schedule, its handover and
    its journal."""

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
        self._attempts = dict.fromkeys(self._steps, 0)
        self._schedule = Schedule(
            self._graph, self._steps.keys(), slots=executor.slots, pools=launch.pools
        )
        self._running: dict[AssetKey, _Attempt] = {}
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._handover = Handover(self._graph, self._steps)
        self._errors: dict[AssetKey, ErrorInfo] = {}
        self._exceptions: dict[AssetKey, BaseException] = {}
        record = launch.record(self._graph, plan)
        self._store.prepare()
        state.record_code()
        self._journal = Journal(
            self._store,
            record,
            observer,
            echo=launch.echo,
            states=self._states,
            errors=self._errors,
        )

    def execute(self) -> RunOutcome:
        try:
            self._journal.begin()
            try:
                with redirected(self._launch.echo), heap_left_alone():
                    self._loop()
            except KeyboardInterrupt:
                self._cancel()
                self._journal.end(RunStatus.CANCELED)
                raise
            except StoreError as error:
                self._executor.shutdown()
                self._end_anyhow(error)
                raise
            self._journal.end(RunStatus.FAILURE if self._errors else RunStatus.SUCCESS)
        finally:
            self._executor.shutdown()
            self._journal.close()
            with suppress(StoreError):  # the next prune finds what could not be deleted
                drop_old_runs(self._store)
        return RunOutcome(self._journal.record, self._errors, self._exceptions)

    def _loop(self) -> None:
        while True:
            raise_if_told()
            self._start_ready()
            if not self._running and self._schedule.next_at is None:
                break
            self._wait()
        self._journal.write()

    def _start_ready(self) -> None:
        while len(self._running) < self._executor.slots:
            key = self._schedule.take(time.monotonic())
            if key is None:
                return
            step = self._steps[key]
            if step.cause is not Cause.REQUESTED and not self._still_needed(step):
                self._schedule.leave(key)
                self._spare(key, "unchanged upstream")
                self._handover.release(key)
            else:
                self._start(key, step)

    def _start(self, key: AssetKey, step: Step) -> None:
        self._attempts[key] += 1
        task = self._task(step)
        attempt = _Attempt(task)
        on_start = partial(self._post_start, attempt)
        attempt.channel = StepChannel(self._journal.channel, task, on_start)
        self._running[key] = attempt
        self._states[key] = StepState.RUNNING
        if task.attempt == 1:
            self._journal.emit(EventType.STEP_START, key)
        else:
            self._journal.emit(EventType.STEP_RESTARTED, key, attempt=task.attempt)
        future = self._executor.submit(run_step, task, self._store, attempt.channel)
        attempt.future = future
        future.add_done_callback(lambda _: self._inbox.put(partial(self._finish, key, attempt)))

    def _post_start(self, attempt: _Attempt) -> None:
        self._inbox.put(partial(self._start_clock, attempt, time.monotonic()))

    def _start_clock(self, attempt: _Attempt, started: float) -> None:
        assert attempt.task.timeout_s is not None
        attempt.deadline = started + attempt.task.timeout_s

    def _wait(self) -> None:
        """Until something happens, or the time comes for something."""
        if self._inbox.empty():
            self._journal.write()
            patience_s = self._patience_s()
        else:
            patience_s = None
        try:
            with let_through():
                happened = self._inbox.get(timeout=patience_s)
        except Empty:
            self._expire()
        else:
            happened()
        self._journal.sync_if_due()

    def _patience_s(self) -> float | None:
        """How long nothing needs to be done unless something happens; None is for ever."""
        times = [a.deadline for a in self._running.values() if a.deadline is not None]
        if self._schedule.next_at is not None and len(self._running) < self._executor.slots:
            times.append(self._schedule.next_at)
        if self._journal.sync_at is not None:
            times.append(self._journal.sync_at)
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _expire(self) -> None:
        """Steps that ran too long: ended where they can be, or else given up."""
        for key, attempt in list(self._running.items()):
            if attempt.deadline is None or attempt.deadline > time.monotonic():
                continue
            attempt.deadline = None
            attempt.error = StepTimeoutError(
                f"it ran longer than its timeout of {attempt.task.timeout_s:g} s."
            )
            ended = attempt.future is not None and attempt.future.cancel()
            if not ended and attempt.channel.give_up():
                self._settle(key, attempt, abandoned_step(attempt.task, self._store, attempt.error))

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
            run_id=self._journal.record.run_id,
            attempt=self._attempts[key],
            inputs=tuple(inputs),
            config=step.config,
            code_version=facts.code_version,
            known_run_id=facts.current.run_id if facts.current else None,
            wait=self._launch.wait,
            limits=self._launch.limits,
            handed=self._handover.inputs(key),
        )

    def _input(self, upstream: AssetKey, parameter: str | None) -> Input:
        facts = self._state.of(upstream)
        assert facts.current is not None  # a plan includes every upstream without a value
        version = facts.data_version or facts.current.data_version
        made = facts.current
        custom = made.value.format == "custom"
        maker = self._graph.asset(upstream) if custom else None
        return Input(upstream.text, parameter, version, made.value, maker, made.run_id)

    def _finish(self, key: AssetKey, attempt: _Attempt) -> None:
        if self._running.get(key) is not attempt:
            return  # it was given up
        assert attempt.future is not None
        try:
            result = attempt.future.result()
        except KeyboardInterrupt:
            self._give_up(key, attempt)
            if not self._journal.channel.stopping:
                raise
            return
        except StoreError:
            raise
        except Exception as error:  # mostly a worker that is gone
            result = lost_step(attempt.task, self._store, attempt.error or error)
        self._settle(key, attempt, result)

    def _settle(self, key: AssetKey, attempt: _Attempt, result: StepResult) -> None:
        """Record what became of one attempt."""
        del self._running[key]
        attempt.channel.end()
        self._schedule.leave(key)
        self._journal.hold(result.events)
        if result.state is StepState.FAILURE and result.retry_in_s is not None:
            self._states[key] = StepState.WAITING
            self._schedule.again(key, time.monotonic() + result.retry_in_s)
            return
        if result.state is StepState.SUCCESS:
            assert result.materialization is not None
            self._succeed(key, result.materialization, result.value)
        elif result.state is StepState.UNCHANGED:
            assert result.materialization is not None
            self._state.take_over(key, result.materialization)
            self._spare(key, "another run made it meanwhile")
        elif result.state is StepState.FAILURE:
            self._fail(key, result)
        else:
            self._states[key] = result.state
            self._journal.emit(EventType.STEP_CANCELED, key)
        self._handover.release(key)

    def _succeed(self, key: AssetKey, made: Materialization, value: Any) -> None:
        self._states[key] = StepState.SUCCESS
        self._state.take_over(key, made)
        if (
            self._executor.shares_memory
            and self._graph.asset(key).io_manager is None
            and self._store.values.is_immutable(value)
        ):
            self._handover.keep(key, value)
        self._schedule.done(key)

    def _spare(self, key: AssetKey, reason: str) -> None:
        self._states[key] = StepState.UNCHANGED
        self._journal.emit(EventType.STEP_UNCHANGED, key, reason=reason)
        self._schedule.done(key)

    def _fail(self, key: AssetKey, result: StepResult) -> None:
        assert result.error is not None
        self._states[key] = StepState.FAILURE
        self._errors[key] = result.error
        if result.exception is not None:
            self._exceptions[key] = result.exception
        for other in self._graph.downstream(key):
            if self._states.get(other) is StepState.WAITING:
                self._states[other] = StepState.SKIPPED
                self._journal.emit(EventType.STEP_SKIPPED, other, upstream=key.text)
                self._handover.release(other)

    def _cancel(self) -> None:
        """Running steps get a moment to end by themselves; the rest does not start. A second
        interrupt takes the moment from them."""
        self._journal.channel.stopping = True
        try:
            self._executor.interrupt()
            deadline = time.monotonic() + GRACE_S
            while any(attempt.future is not None for attempt in self._running.values()):
                with let_through():
                    happened = self._inbox.get(timeout=max(0.0, deadline - time.monotonic()))
                happened()
        except (Empty, KeyboardInterrupt):
            pass
        self._executor.shutdown()
        for key, attempt in list(self._running.items()):
            self._give_up(key, attempt)
        for key, state in self._states.items():
            if state is StepState.WAITING and self._attempts[key]:
                self._states[key] = StepState.CANCELED
                self._journal.emit(EventType.STEP_CANCELED, key)

    def _give_up(self, key: AssetKey, attempt: _Attempt) -> None:
        """Of a step that was interrupted, what it has committed is kept."""
        if not attempt.channel.give_up() and attempt.future and not attempt.future.done():
            wait([attempt.future], timeout=COMMIT_S)
        result = StepResult(StepState.CANCELED, [])
        if committed(attempt.task, self._store) is not None:
            result = lost_step(attempt.task, self._store, KeyboardInterrupt())
        self._settle(key, attempt, result)

    def _end_anyhow(self, error: StoreError) -> None:
        """The store takes no more. A step that ended, and of which that is not on record, counts
        as one that did not; one that still runs, in a thread, makes nothing any more."""
        for attempt in self._running.values():
            attempt.channel.give_up()
            attempt.channel.end()
        unwritten = self._journal.unwritten
        unfinished = [
            key
            for key, state in self._states.items()
            if state is StepState.RUNNING or key.text in unwritten
        ]
        self._states.update(dict.fromkeys(unfinished, StepState.CANCELED))
        self._journal.end_anyhow(unfinished, f"The run ended: {error.message}")

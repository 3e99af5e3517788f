"""The runner: a loop that runs the steps of a plan, and records them through the journal.

run_plan
  └─ _Run.execute
       ├─ _start_ready     check again whether a step is needed, then hand it to the executor
       ├─ _wait            wait until a step ends or times out
       │    └─ _settle     record its outcome; queue or skip the steps behind it
       ├─ _cancel          after an interrupt: end the running steps, keep what is committed
       └─ Journal.end      write the run's summary
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from assetgraph.errors import StepTimeoutError, StoreError
from assetgraph.planning.plan import Cause, still_needed
from assetgraph.process.capture import captured
from assetgraph.process.garbage_collector import heap_left_alone
from assetgraph.process.signals import held_back, let_through, raise_if_told
from assetgraph.records import ErrorInfo, EventType, RunStatus, StepState
from assetgraph.run.channel import Attempt, StepChannel
from assetgraph.run.executors.local import Ended, SerialExecutor
from assetgraph.run.journal import Journal
from assetgraph.run.outcome import RunOutcome
from assetgraph.run.passed_values import PassedValues
from assetgraph.run.ready_queue import ReadyQueue
from assetgraph.run.run_setup import RunSetup, StepResources
from assetgraph.run.step import abandoned_step, lost_step
from assetgraph.run.step_task import StepResult, StepTask, inputs_of, positions_of
from assetgraph.storage.retention import drop_old_reads, drop_old_runs

if TYPE_CHECKING:
    from assetgraph.keys import Target
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.plan import Plan, Step
    from assetgraph.run.channel import Observer
    from assetgraph.run.executors.base import StepExecutor

_RUNNING, _SUCCESS = StepState.RUNNING, StepState.SUCCESS  # a look-up takes 0.2 µs


def run_plan(
    plan: Plan,
    facts: StoreFacts,
    *,
    executor: StepExecutor | None = None,
    observer: Observer | None = None,
    setup: RunSetup | None = None,
) -> RunOutcome:
    """Materialize the steps of `plan` and record the run.

    Raises what `RunSetup.check` raises before anything runs, `StoreError` when the store cannot be
    written, and `KeyboardInterrupt` once the run is recorded as canceled.
    """
    setup = setup or RunSetup()
    resources = setup.check(plan, facts)
    executor = executor or SerialExecutor()
    try:
        executor.check(facts.store)
        with held_back():  # until the run has a record, which an interrupt must end
            run = _Run(plan, facts, executor, observer, setup, resources)
            try:
                return run.execute()
            except StoreError as error:
                error.exit_code = 1  # the run failed, of a full disk, say: not a usage error
                raise
    finally:
        executor.shutdown()


class _Run:
    """A live run. All its changing state is here, and in its queue, passed values and journal."""

    def __init__(
        self,
        plan: Plan,
        facts: StoreFacts,
        executor: StepExecutor,
        observer: Observer | None,
        setup: RunSetup,
        resources: StepResources,
    ) -> None:
        self._facts = facts
        self._store = facts.store
        self._executor = executor
        self._setup, self._resources = setup, resources
        self._computations = plan.computations
        self._has_gates = not setup.request.ignore_checks and bool(facts.graph.checks.gates)
        self._steps = {step.id: step for step in plan.steps}
        self._states = dict.fromkeys(self._steps, StepState.WAITING)
        self._attempts = dict.fromkeys(self._steps, 0)
        self._queue = ReadyQueue(plan, slots=executor.slots, pools=setup.pools)
        self._passed = PassedValues(plan)
        self._running: dict[str, Attempt] = {}
        self._returned: dict[str, Target] = {}  # by the paths of values in the project
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._errors: dict[str, ErrorInfo] = {}
        self._exceptions: dict[str, BaseException] = {}
        record = setup.record(plan, facts)
        self._store.prepare(partitions=bool(facts.graph.partitioned))
        facts.record_code()
        self._journal = Journal(
            self._store, record, observer, echo=setup.echo, states=self._states, errors=self._errors
        )

    def execute(self) -> RunOutcome:
        try:
            self._journal.begin()
            try:
                with self._captured(), heap_left_alone():
                    self._loop()
                    self._resources.close(self._executor, self._journal)
            except KeyboardInterrupt:
                self._cancel()
                self._journal.end(RunStatus.CANCELED)
                raise
            except StoreError as error:
                self._resources.end(self._executor, self._journal)
                self._end_anyhow(error)
                raise
            self._journal.end(RunStatus.FAILURE if self._errors else RunStatus.SUCCESS)
        finally:
            self._executor.shutdown()
            self._journal.close()
            with suppress(StoreError):  # the next prune finds what could not be deleted
                drop_old_runs(self._store)
                drop_old_reads(self._store)
        return RunOutcome(self._journal.record, self._errors, self._exceptions)

    def _captured(self) -> AbstractContextManager[None]:
        """Capture this process, and its descriptors too if the steps run in it."""
        here, slots = self._executor.shares_memory, self._executor.slots
        return captured(echo=self._setup.echo, descriptors=here, shared=here and slots > 1)

    def _loop(self) -> None:
        while True:
            raise_if_told()
            if self._start_ready():
                self._journal.sync_if_due()
                continue
            if not self._running and self._queue.next_at is None:
                break
            self._wait()
        self._journal.write()

    def _start_ready(self) -> bool:
        """Start what may start. Returns True as soon as a step has ended at once, so that there is
        nothing to wait for."""
        while len(self._running) < self._executor.slots:
            step_id = self._queue.take(time.monotonic())
            if step_id is None:
                break
            step = self._steps[step_id]
            if step.cause is not Cause.REQUESTED and not self._is_needed(step):
                self._queue.leave(step_id)
                self._spare(step_id, "unchanged upstream")
                self._passed.release(step_id)
            elif (self._has_gates and self._is_held(step)) or self._start(step):
                return True
        return False

    def _is_held(self, step: Step) -> bool:
        """Whether a blocking check keeps a step from running, which then has failed."""
        from assetgraph.run.held_steps import held_step  # few projects have such checks

        result = held_step(step, self._facts)
        if result is None:
            return False
        self._queue.leave(step.id)
        self._journal.hold(result.events)
        self._fail(step.id, result)
        self._passed.release(step.id)
        return True

    def _is_needed(self, step: Step) -> bool:
        self._facts.look_again(step.outputs)  # a step may have written what this one reads
        return still_needed(step, self._facts)

    def _start(self, step: Step) -> bool:
        """Start a step. Returns whether it has ended at once, and is settled."""
        step_id = step.id
        self._attempts[step_id] += 1
        task = self._task(step)
        channel = StepChannel(self._journal.channel, task)
        attempt = Attempt(task, channel)
        if task.computation.timeout is not None:
            channel.started = partial(self._post_start, attempt)
        self._running[step_id] = attempt
        self._states[step_id] = _RUNNING
        if task.attempt == 1:
            self._journal.emit(EventType.STEP_START, step_id)
        else:
            self._journal.emit(EventType.STEP_RESTARTED, step_id, attempt=task.attempt)
        future = attempt.future = self._executor.submit(task, self._store, channel)
        finish = partial(self._finish, step_id, attempt)
        if isinstance(future, Ended):
            finish()
            return True
        future.add_done_callback(lambda _: self._inbox.put(finish))
        return False

    def _post_start(self, attempt: Attempt) -> None:
        assert attempt.task.timeout_s is not None
        deadline = time.monotonic() + attempt.task.timeout_s
        self._inbox.put(partial(setattr, attempt, "deadline", deadline))

    def _wait(self) -> None:
        """Wait for the next message from a step, or until a timeout, a retry or a sync is due."""
        patience_s: float | None = None
        if self._inbox.empty():
            self._journal.write()
            patience_s = self._patience_s()
        try:
            with let_through():
                happened = self._inbox.get(timeout=patience_s)
        except Empty:
            self._expire()
        else:
            happened()
        self._journal.sync_if_due()

    def _patience_s(self) -> float | None:
        """How long the runner may wait for a message; None means without a limit."""
        times = [a.deadline for a in self._running.values() if a.deadline is not None]
        if self._queue.next_at is not None and len(self._running) < self._executor.slots:
            times.append(self._queue.next_at)
        if self._journal.sync_at is not None:
            times.append(self._journal.sync_at)
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _expire(self) -> None:
        """Kill the steps that exceeded their timeout, and abandon those that cannot be killed."""
        for step_id, attempt in list(self._running.items()):
            if attempt.deadline is None or attempt.deadline > time.monotonic():
                continue
            attempt.deadline = None
            attempt.error = StepTimeoutError(
                f"it ran longer than its timeout of {attempt.task.timeout_s:g} s."
            )
            ended = attempt.future is not None and attempt.future.cancel()
            if not ended and attempt.channel.give_up():
                result = abandoned_step(attempt.task, self._store, attempt.error)
                self._settle(step_id, attempt, result)

    def _task(self, step: Step) -> StepTask:
        facts = [self._facts.of(target) for target in step.outputs]
        inputs = inputs_of(step, self._facts)
        return StepTask(
            step_id=step.id,
            computation=self._computations[step.computation],
            outputs=step.outputs,
            run_id=self._journal.record.run_id,
            attempt=self._attempts[step.id],
            inputs=inputs,
            config=step.config,
            code_version=facts[0].code_version,
            known_run_ids=tuple([f.current.run_id if f.current else None for f in facts]),
            wait=self._setup.request.wait,
            limits=self._setup.limits,
            passed=self._passed.of(step.id),
            gathered=step.gathered,
            upstream=step.upstreams,
            positions=positions_of(inputs, self._facts),
            taken=self._resources.of(step.computation),
        )

    def _finish(self, step_id: str, attempt: Attempt) -> None:
        if self._running.get(step_id) is not attempt:
            return  # it was abandoned
        assert attempt.future is not None
        try:
            result = attempt.future.result()
        except KeyboardInterrupt:
            self._give_up(step_id, attempt)
            if not self._journal.channel.stopping:
                raise
            return
        except StoreError:
            raise
        except Exception as error:  # usually a worker that died
            result = lost_step(attempt.task, self._store, attempt.error or error)
        self._settle(step_id, attempt, result)

    def _settle(self, step_id: str, attempt: Attempt, result: StepResult) -> None:
        """Record the outcome of one attempt."""
        del self._running[step_id]
        attempt.channel.end()
        self._queue.leave(step_id)
        if result.reads:
            from assetgraph.run.undeclared_reads import warn_of_undeclared  # few steps read

            warn_of_undeclared(self._facts, attempt.task, result)
        if [made for made in result.outputs.values() if made.value.digest is not None]:
            from assetgraph.run.shared_paths import warn_of_shared  # few return paths

            warn_of_shared(self._returned, attempt.task, result)
        self._journal.hold(result.events)
        if result.retry_in_s is not None and result.state is StepState.FAILURE:
            self._states[step_id] = StepState.WAITING
            self._queue.again(step_id, time.monotonic() + result.retry_in_s)
            return
        if result.state is _SUCCESS:
            self._succeed(attempt.task, result)
        elif result.state is StepState.UNCHANGED:
            self._take_over(result)
            self._spare(step_id, "another run materialized it")
        elif result.state is StepState.FAILURE:
            self._take_over(result)  # partitions that it materialized before
            self._fail(step_id, result)
        else:
            self._states[step_id] = result.state
            self._journal.emit(EventType.STEP_CANCELED, step_id)
        self._passed.release(step_id)

    def _succeed(self, task: StepTask, result: StepResult) -> None:
        self._states[task.step_id] = _SUCCESS
        self._take_over(result)
        if self._executor.shares_memory:
            for target, value in result.values.items():
                own_storage = task.computation.spec(target.key).io_manager is not None
                if not own_storage and self._store.values.is_immutable(value):
                    self._passed.keep(target, value)
        if len(result.outputs) < len(task.outputs):
            self._skip_readers(task, set(task.outputs) - result.outputs.keys())
        self._queue.done(task.step_id)

    def _take_over(self, result: StepResult) -> None:
        for target, made in result.outputs.items():
            self._facts.take_over(target, made)

    def _spare(self, step_id: str, reason: str) -> None:
        self._states[step_id] = StepState.UNCHANGED
        self._journal.emit(EventType.STEP_UNCHANGED, step_id, reason=reason)
        self._queue.done(step_id)

    def _fail(self, step_id: str, result: StepResult) -> None:
        assert result.error is not None
        self._states[step_id] = StepState.FAILURE
        self._errors[step_id] = result.error
        if result.exception is not None:
            self._exceptions[step_id] = result.exception
        self._skip(self._queue.behind(step_id), upstream=step_id)

    def _skip_readers(self, task: StepTask, left_out: set[Target]) -> None:
        """Skip what reads an output that the step left out, and everything behind that."""
        for other in self._queue.next_to(task.step_id):
            missing = self._steps[other].first_upstream_in(left_out)
            if missing is not None:
                behind = [other, *self._queue.behind(other)]
                self._skip(behind, upstream=missing.text, why="was not made")

    def _skip(self, step_ids: Iterable[str], **data: str) -> None:
        for step_id in step_ids:
            if self._states[step_id] is StepState.WAITING:
                self._states[step_id] = StepState.SKIPPED
                self._queue.drop(step_id)
                self._journal.emit(EventType.STEP_SKIPPED, step_id, **data)
                self._passed.release(step_id)

    def _cancel(self) -> None:
        """Start no more steps, and give the running ones a moment to end by themselves. A second
        interrupt cuts that short."""
        self._journal.channel.stopping = True
        try:
            from assetgraph.run import cancel  # few runs are canceled

            self._executor.interrupt()
            deadline = time.monotonic() + cancel.GRACE_S
            while any(attempt.future is not None for attempt in self._running.values()):
                with let_through():
                    happened = self._inbox.get(timeout=max(0.0, deadline - time.monotonic()))
                happened()
        except (Empty, KeyboardInterrupt):
            pass
        self._resources.end(self._executor, self._journal)
        for step_id, attempt in list(self._running.items()):
            self._give_up(step_id, attempt)
        for step_id, state in self._states.items():
            if state is StepState.WAITING and self._attempts[step_id]:
                self._states[step_id] = StepState.CANCELED
                self._journal.emit(EventType.STEP_CANCELED, step_id)

    def _give_up(self, step_id: str, attempt: Attempt) -> None:
        """Settle an interrupted step. If it has committed, it is a success."""
        from assetgraph.run.cancel import canceled_step

        self._settle(step_id, attempt, canceled_step(attempt, self._store))

    def _end_anyhow(self, error: StoreError) -> None:
        """End a run whose store cannot be written. A step in a thread commits nothing more."""
        for attempt in self._running.values():
            attempt.channel.give_up()
            attempt.channel.end()
        self._journal.end_anyhow(f"The run ended: {error.message}")

"""The Dask executor: runs steps on a cluster, for projects that outgrow one machine.

For each step, a thread here takes the asset's lock, sends the computing part to the cluster as one
task, waits for the answer, and commits. So records and locks stay on this machine, workers write
values to the value store, and a lost worker costs only another try of an uncommitted step.

The client's event loop sends ready steps, as many as possible in one message. A worker reports a
short answer in an event, which travels in messages that Dask sends anyway. A long answer is fetched
when the task is done, which costs a round trip. One watcher thread checks, for all steps, whether
there are workers and whether the runner still wants the result.
"""

from __future__ import annotations

import pickle
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from assetgraph.errors import AssetGraphError, StoreError, WorkerError
from assetgraph.keys import AssetKey, Target
from assetgraph.records import Event, EventType, now
from assetgraph.run.executors.dask_cluster import close_everywhere, connect, distributed
from assetgraph.run.executors.dask_worker import (
    PROBE,
    TOPIC,
    compute_here,
    probe,
)
from assetgraph.run.executors.local import ThreadExecutor
from assetgraph.run.executors.messages import CALLS, read_message
from assetgraph.run.executors.transport import Sender
from assetgraph.run.sent_exception import SentException
from assetgraph.run.step import run_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.run.channel import StepChannel
    from assetgraph.run.executors.base import Computations, Loadable
    from assetgraph.run.step_task import StepResult, StepTask
    from assetgraph.storage.store import Store

RESOURCES = "dagster-dask/resource_requirements"
# How many steps are sent ahead of those that run, so no worker waits for a round trip. That takes
# about 20 ms, mostly pauses that Dask makes between its messages.
_AHEAD = 32
# How long a Dask client pauses after each message. No step leaves earlier, and the steps that are
# ready by then cost least as one graph.
_SEND_PAUSE_S = 0.01
# How long, at most, answered tasks wait to be released along with the next steps: a separate
# message would delay those.
_LET_GO_S = 0.02
_POLL_S = 1.0
# How long a step waits while the cluster has no workers.
NO_WORKER_S = 30.0


class DaskExecutor:
    """Runs steps on the workers of a scheduler, or of a local cluster with `jobs` workers."""

    shares_memory = False

    def __init__(
        self,
        jobs: int | None,
        *,
        scheduler: str | None = None,
        project: Loadable | None = None,
        computations: Computations | None = None,
        resources: Mapping[str, Any] | None = None,
    ) -> None:
        self._cluster, self._client = connect(scheduler, jobs)
        threads = sum(self._client.nthreads().values())
        self.slots = jobs if jobs and scheduler else max(1, threads) + _AHEAD
        self._sender = Sender(project, computations or {}, resources)
        self._greeting = b""
        self._threads = ThreadExecutor(self.slots)
        self._outbox = _Bundle(self._client.loop, self._send, _SEND_PAUSE_S)
        self._running: dict[str, _Step] = {}
        self._answered: list[_Step] = []
        self._interrupted = False
        self._closed = threading.Event()
        self._client.subscribe_topic(TOPIC, self._hear)
        threading.Thread(target=self._watch, name="dask-watcher", daemon=True).start()

    def submit(self, task: StepTask, store: Store, channel: StepChannel) -> Future[StepResult]:
        return self._threads.call(
            partial(run_step, task, store, channel, partial(self._compute, channel))
        )

    def check(self, store: Store) -> None:
        """Have every worker load the project, and read back a value that this process writes."""
        self._greeting = pickle.dumps((self._sender.greeting(), store))
        probe_key = AssetKey.unchecked([".probe"])  # no asset can have this key
        try:
            saved = store.values.save(Target(probe_key), "probe", PROBE).stored
            answers = self._client.run(probe, self._greeting, saved, on_error="return")
        finally:
            store.values.delete(probe_key.file_name)
        lost = [worker for worker, answer in answers.items() if isinstance(answer, OSError)]
        if len(lost) == len(answers):
            raise AssetGraphError(
                "the Dask cluster has no workers.", hint="Start one with: dask worker …"
            )
        for worker, problem in answers.items():
            if problem is not None and worker not in lost:
                raise StoreError(
                    f"the Dask worker {worker} cannot use this project: {problem}.",
                    hint="Put the project in the same folder on every machine, and values where "
                    'all workers reach them, such as storage = "s3://…" in [tool.assetgraph].',
                )

    def interrupt(self) -> None:
        self._interrupted = True
        self._client.loop.add_callback(self._cancel, list(self._running.values()))

    def close_resources(self, run_id: str) -> list[str]:
        return close_everywhere(self._client, run_id)

    def shutdown(self) -> None:
        self._closed.set()
        self._threads.shutdown()
        self._client.close()
        for step in list(self._running.values()):
            step.fail(WorkerError("the run ended."))
        if self._cluster is not None:
            self._cluster.close()

    def _compute(self, channel: StepChannel, task: StepTask, _: Store) -> StepResult:
        """Run `compute_step` on the cluster, and return its result.

        The workers use the store that was checked. Their channel calls arrive in `_hear`.
        """
        name = f"{task.step_id}-{task.run_id}-{task.attempt}"
        work = self._sender.pack(task, name)
        step = _Step(name, work, self._resources(task, channel), channel)
        self._running[name] = step
        try:
            self._outbox.put(step)
            answer = read_message(step.answer.result())
        except (CancelledError, distributed().KilledWorker) as error:
            if self._interrupted:
                raise KeyboardInterrupt from None
            raise _worker_error(error) from None
        finally:
            del self._running[name]
        if isinstance(answer, SentException):
            raise WorkerError(*answer.args, hint=answer.attributes.get("hint"))
        result, printed, dropped = answer
        for stream, data in printed.items():
            channel.written(stream, data)
        for stream, count in dropped.items():
            channel.dropped(stream, count)
        return cast("StepResult", result)

    def _send(self, steps: Sequence[_Step]) -> None:
        """Submit steps as one graph for each set of resources. Runs in the client's loop."""
        kinds: dict[tuple[tuple[str, float], ...], list[_Step]] = {}
        for step in steps:
            if not step.given_up:
                kinds.setdefault(tuple(step.resources.items()), []).append(step)
        for resources, alike in kinds.items():
            try:
                if self._interrupted:
                    raise CancelledError
                futures = self._client.map(
                    compute_here,
                    [self._greeting] * len(alike),
                    [step.work for step in alike],
                    key=[step.name for step in alike],
                    pure=False,
                    resources=dict(resources) or None,
                )
            except Exception as error:
                for step in alike:
                    step.fail(error)
                continue
            for step, future in zip(alike, futures, strict=True):
                step.future = future
                future.add_done_callback(lambda _, step=step: self._done(step))
        self._let_go()

    def _let_go(self) -> None:
        """Release answered tasks: if a worker is lost, the cluster repeats those it still holds.

        Runs in the client's loop.
        """
        while self._answered:
            self._answered.pop().future.release()

    def _done(self, step: _Step) -> None:
        """Fetch the answer, unless an event brought it: events arrive before this call."""
        if not step.answer.done():
            self._client.loop.add_callback(self._fetch, step)

    async def _fetch(self, step: _Step) -> None:
        """Fetch a long answer, or the error. Runs in the client's loop."""
        try:
            (answer,) = await self._client.gather([step.future], asynchronous=True)
        except BaseException as error:
            if not step.given_up:
                step.fail(error)
        else:
            step.settle(answer)

    async def _cancel(self, steps: Sequence[_Step]) -> None:
        """Cancel the tasks of steps on the cluster.

        Runs in the client's loop, as `_send` does, so a step is either canceled or not sent yet.
        """
        futures = [step.future for step in steps if step.future is not None]
        with suppress(Exception):  # the scheduler may be gone
            await self._client.cancel(futures, asynchronous=True, force=True)

    def _watch(self) -> None:
        """Cancel abandoned steps, and fail all steps of a cluster that has lost its workers.

        An abandoned step is waited for, because its asset's lock is held here and its worker may
        still be running it.
        """
        left_at = time.monotonic()
        while not self._closed.wait(_POLL_S):
            steps = list(self._running.values())
            try:
                workers = self._client.nthreads() if steps else {}
            except Exception:  # the scheduler is gone
                workers = {}
            if workers or not steps:
                left_at = time.monotonic()
            for step in steps:
                self._look_at(step, workers)
                if time.monotonic() - left_at > NO_WORKER_S:
                    self._give_up(step)
                    step.fail(
                        WorkerError(
                            "the Dask cluster no longer has any workers.",
                            hint="Read the workers' logs, since the step may have killed them, "
                            "and start new ones.",
                        )
                    )

    def _look_at(self, step: _Step, workers: Mapping[str, int]) -> None:
        if not step.channel.wanted():
            self._give_up(step)
            if step.ran_at not in workers or self._interrupted:
                step.fail(WorkerError("it was abandoned."))

    def _give_up(self, step: _Step) -> None:
        if not step.given_up:
            step.given_up = True
            self._client.loop.add_callback(self._cancel, [step])

    def _resources(self, task: StepTask, channel: StepChannel) -> Mapping[str, float]:
        """The resources that the step requests: none, with a warning, on a cluster started here.

        Raises `WorkerError` if no worker offers them.
        """
        wanted: Any = task.computation.op_tags.get(RESOURCES, {})
        if not isinstance(wanted, Mapping) or not all(
            isinstance(amount, int | float) for amount in wanted.values()
        ):
            raise WorkerError(
                f"its op tag {RESOURCES!r} must map resources to amounts, but is {wanted!r}.",
                hint='Write it like this: {"GPU": 1}',
            )
        if not wanted:
            return {}
        if self._cluster is not None:
            message = f"Dask workers started here offer no resources: {dict(wanted)} is ignored"
            channel.events([Event(EventType.LOG, now(), task.step_id, "WARNING", message)])
            return {}
        offers = [w["resources"] for w in self._client.scheduler_info(-1)["workers"].values()]
        if not any(all(o.get(name, 0) >= n for name, n in wanted.items()) for o in offers):
            text = " ".join(f"{name}={amount:g}" for name, amount in wanted.items())
            raise WorkerError(
                f"no Dask worker offers what it asks for: {text}.",
                hint=f'Start one with: dask worker … --resources "{text}"',
            )
        return wanted

    def _hear(self, event: tuple[Any, tuple[str, bytes]]) -> None:
        """Pass on a channel call from a worker, unless it belongs to another run.

        Runs in the client's loop.
        """
        name, call = event[1]
        step = self._running.get(name)
        if step is None:
            return
        try:
            method, content = read_message(call)
        except WorkerError as error:
            step.fail(error)
            return
        if method == "begun":
            step.ran_at = content[0]
        elif method == "ended":
            step.ran_at = None
        elif method == "answered":
            step.settle(*content)
            if not self._answered:
                self._client.loop.call_later(_LET_GO_S, self._let_go)
            self._answered.append(step)
        elif method in CALLS:
            getattr(step.channel, method)(*content)


@dataclass(slots=True, eq=False)
class _Step:
    """The computing part of a step on its way from its thread to the cluster and back.

    `ran_at` is the address of the worker that runs it, known only for a step with a timeout.
    """

    name: str
    work: bytes
    resources: Mapping[str, float]
    channel: Any
    answer: Future[bytes] = field(default_factory=Future)
    future: Any = None
    ran_at: str | None = None
    given_up: bool = False

    def settle(self, answer: bytes) -> None:
        with suppress(InvalidStateError):  # the first outcome counts
            self.answer.set_result(answer)

    def fail(self, error: BaseException) -> None:
        with suppress(InvalidStateError):
            self.answer.set_exception(error)


def _worker_error(error: Any) -> WorkerError:
    if isinstance(error, CancelledError):
        return WorkerError(f"the cluster could not run it: {error}.")
    count = error.allowed_failures + 1
    return WorkerError(
        f"the Dask workers that ran it died ({count} in all, the last at "
        f"{error.last_worker.address}).",
        hint="Read the workers' logs: it may exit its process, or need more memory than a worker "
        "has. Dask's setting distributed.scheduler.allowed-failures limits how many workers a step "
        "may lose.",
    )


class _Bundle:
    """Collects steps from any thread, and passes them on to `take` in the client's loop.

    Two calls of `take` are at least `pause_s` apart.
    """

    def __init__(self, loop: Any, take: Callable[[Sequence[_Step]], None], pause_s: float) -> None:
        self._loop = loop
        self._take = take
        self._pause_s = pause_s
        self._steps: deque[_Step] = deque()
        self._due = False
        self._taken_at = 0.0

    def put(self, step: _Step) -> None:
        self._steps.append(step)
        if not self._due:
            self._loop.add_callback(self._wake)

    def _wake(self) -> None:
        if self._steps and not self._due:
            self._due = True
            self._loop.call_later(self._taken_at + self._pause_s - time.monotonic(), self._flush)

    def _flush(self) -> None:
        self._due = False  # before the steps are taken, so that a later `put` wakes it again
        steps = [self._steps.popleft() for _ in range(len(self._steps))]
        self._taken_at = time.monotonic()
        self._take(steps)

"""Steps on a Dask cluster: for those who outgrow one machine.

A thread here takes the asset's lock, sends the computing part of its step to the cluster as one
future, waits, and commits. So records and locks stay on this machine, values go from workers to
the value store, and a worker that is lost costs a second try of what nobody has committed.
"""

from __future__ import annotations

import os
import pickle
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from assetgraph.capture import redirected
from assetgraph.errors import AssetGraphError, StoreError, WorkerError
from assetgraph.executors.local import ThreadExecutor
from assetgraph.executors.transport import Receiver, Sender
from assetgraph.keys import AssetKey
from assetgraph.records import Event, EventType, now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.assets import Asset
    from assetgraph.executors import Loadable
    from assetgraph.storage.store import Store

T = TypeVar("T")
RESOURCES = "dagster-dask/resource_requirements"
# A worker whose next step is on its way does not wait for the way back and forth.
_AHEAD = 4
_POLL_S = 1.0
# For how long a step waits while the cluster has no worker at all.
NO_WORKER_S = 30.0
_PROBE = b"probe" * 2000


class DaskExecutor:
    """Runs steps on the workers of a scheduler, or of a cluster made here with `jobs` workers."""

    shares_memory = False

    def __init__(
        self,
        jobs: int | None,
        *,
        scheduler: str | None = None,
        project: Loadable | None = None,
        assets: Mapping[AssetKey, Asset] | None = None,
    ) -> None:
        self._cluster, self._client = _connect(scheduler, jobs)
        threads = sum(self._client.nthreads().values())
        self.slots = jobs if jobs and scheduler else max(1, threads) * _AHEAD
        self._sender = Sender(project, assets or {})
        self._greeting = b""
        self._threads = ThreadExecutor(self.slots)
        self._topic = f"assetgraph-{os.urandom(6).hex()}"
        self._channels: dict[str, Any] = {}
        self._running: dict[str, Any] = {}
        self._ran_at: dict[str, str] = {}  # the worker of each step with a timeout, while it runs
        self._interrupted = False
        self._client.subscribe_topic(self._topic, self._hear)

    def submit(self, fn: Callable[..., T], /, *args: Any) -> Future[T]:
        return self._threads.submit(fn, *args, self._compute)

    def check(self, store: Store) -> None:
        """Have every worker read what was written here, and load the project."""
        self._greeting = self._sender.greeting()
        key = AssetKey.unchecked([".probe"])  # no asset's
        try:
            saved = store.values.save(key, "probe", _PROBE).stored
            answers = self._client.run(_probe, self._greeting, store, saved)
        finally:
            store.values.delete(key.file_name)
        if not answers:
            raise AssetGraphError("the Dask cluster has no workers.", hint="Start some first.")
        for worker, problem in answers.items():
            if problem is not None:
                raise StoreError(
                    f"the Dask worker {worker} cannot use this project: {problem}.",
                    hint="Values must lie where all workers reach them, such as storage = "
                    '"s3://…" in [tool.assetgraph], and the project in the same folder.',
                )

    def interrupt(self) -> None:
        self._interrupted = True
        self._client.cancel(list(self._running.values()), force=True)

    def shutdown(self) -> None:
        self._threads.shutdown()
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def _compute(self, compute: Callable[..., Any], task: Any, store: Store, channel: Any) -> Any:
        """`compute(task, store, channel)` on the cluster; what it tells its channel comes here."""
        name = f"{task.asset.key.text}-{task.run_id}-{task.attempt}"
        work = self._sender.pack((compute, task, store))
        self._channels[name] = channel
        try:
            self._running[name] = future = self._client.submit(
                compute_here,
                self._greeting,
                work,
                self._topic,
                name,
                key=name,
                pure=False,
                resources=self._resources(task, channel),
            )
            result, printed, dropped = self._result(name, future, channel)
        except (CancelledError, _distributed().KilledWorker) as error:
            if self._interrupted:
                raise KeyboardInterrupt from None
            raise WorkerError(f"the cluster could not run it: {error}.") from None
        finally:
            self._running.pop(name, None)
            self._channels.pop(name, None)
            self._ran_at.pop(name, None)
        for stream, data in printed.items():
            channel.written(stream, data)
        for stream, count in dropped.items():
            channel.dropped(stream, count)
        return result

    def _result(self, name: str, future: Any, channel: Any) -> Any:
        """What the step's future gives. One that was given up is canceled, and waited for: the
        asset's lock is held here, and its worker may still be at it."""
        left_at = time.monotonic()
        while True:
            try:
                return future.result(timeout=_POLL_S)
            except TimeoutError:
                workers = self._client.nthreads()
            if not channel.wanted():
                future.cancel(force=True)
                while self._ran_at.get(name) in workers and not self._interrupted:
                    time.sleep(_POLL_S)
                    workers = self._client.nthreads()
                raise WorkerError("it was given up.")
            if workers:
                left_at = time.monotonic()
            elif time.monotonic() - left_at > NO_WORKER_S:
                future.cancel(force=True)
                raise WorkerError(
                    "the Dask cluster has no workers any more.",
                    hint="The step may have ended them. See what they wrote, and start new ones.",
                )

    def _resources(self, task: Any, channel: Any) -> Mapping[str, float] | None:
        """What the step asks for, of a cluster that was not made here."""
        wanted: Any = task.asset.op_tags.get(RESOURCES, {})
        if not isinstance(wanted, Mapping) or not all(
            isinstance(amount, int | float) for amount in wanted.values()
        ):
            raise WorkerError(
                f"its op tag {RESOURCES!r} is {wanted!r}, which is no amount by resource.",
                hint='Write it so: {"GPU": 1}',
            )
        if not wanted:
            return None
        if self._cluster is not None:
            message = f"Dask workers started here offer no resources: {dict(wanted)} is not heeded"
            channel.events([Event(EventType.LOG, now(), task.asset.key.text, "WARNING", message)])
            return None
        offers = [w["resources"] for w in self._client.scheduler_info(-1)["workers"].values()]
        if not any(all(o.get(name, 0) >= n for name, n in wanted.items()) for o in offers):
            text = " ".join(f"{name}={amount:g}" for name, amount in wanted.items())
            raise WorkerError(
                f"no Dask worker offers what it asks for: {text}.",
                hint=f'Start one with: dask worker … --resources "{text}"',
            )
        return wanted

    def _hear(self, event: tuple[Any, bytes]) -> None:
        """A call of a channel in a worker."""
        name, method, content = pickle.loads(event[1])
        channel = self._channels.get(name)
        if method == "begun":
            self._ran_at[name] = content[0]
        elif method == "ended":
            self._ran_at.pop(name, None)
        elif channel is not None:
            getattr(channel, method)(*content)


def compute_here(greeting: bytes, work: bytes, topic: str, name: str) -> tuple[Any, Any, Any]:
    """In a worker: the result of a step's computing part, what it printed by stream, and how many
    bytes of that were not kept."""
    compute, task, store = _receiver(greeting).unpack(work)
    channel = _WorkerChannel(topic, name, task.limits.output_bytes)
    timed = task.timeout_s is not None  # only such a step is given up while it goes on
    if timed:
        channel.begun()
        channel.started()
    try:
        with redirected(False):
            result = compute(task, store, channel)
    finally:
        if timed:
            channel.ended()
    return result, channel.printed, channel.dropped


class _WorkerChannel:
    """Stands in for the runner's channel in a worker. Printed text goes back with the result: a
    scheduler keeps the events that pass through it, and must not keep that."""

    def __init__(self, topic: str, name: str, limit: int) -> None:
        self._topic = topic
        self._name = name
        self._room = {"out": limit, "err": limit}
        self._printed: dict[str, list[bytes]] = {"out": [], "err": []}
        self.dropped = {"out": 0, "err": 0}

    def begun(self) -> None:
        self._send("begun", _distributed().get_worker().address)

    def ended(self) -> None:
        self._send("ended")

    def started(self) -> None:
        self._send("started")

    def events(self, events: Sequence[Any]) -> None:
        self._send("events", events)

    def progress(self, done: float, total: float | None, unit: str) -> None:
        self._send("progress", done, total, unit)

    def output(self, stream: str, text: str) -> None:
        data = text.encode("utf-8", "backslashreplace")
        kept = data[: self._room[stream]]
        self._room[stream] -= len(kept)
        self.dropped[stream] += len(data) - len(kept)
        self._printed[stream].append(kept)

    @property
    def printed(self) -> dict[str, bytes]:
        return {stream: b"".join(texts) for stream, texts in self._printed.items() if texts}

    def canceled(self) -> bool:
        return False

    def wanted(self) -> bool:
        """The scheduler takes a task back once it is canceled, or its client is gone."""
        task = _distributed().get_worker().state.tasks.get(self._name)
        return task is not None and task.state == "executing"

    def may_commit(self) -> bool:
        return False  # that is done where the locks are

    def _send(self, method: str, *content: Any) -> None:
        _distributed().get_worker().log_event(
            self._topic, pickle.dumps((self._name, method, content))
        )


_receivers: dict[bytes, Receiver] = {}
_receiving = threading.Lock()


def _receiver(greeting: bytes) -> Receiver:
    with _receiving:
        if greeting not in _receivers:
            _receivers[greeting] = receiver = Receiver(greeting)
            receiver.load_anew()  # what this worker may have imported for a run before
        return _receivers[greeting]


def _probe(greeting: bytes, store: Store, saved: Any) -> str | None:
    """In a worker: why it cannot use the store or the project, or None."""
    try:
        _receiver(greeting)
        if store.values.load(saved) != _PROBE:
            return f"it reads something else than was written to {store.storage}"
    except Exception as error:
        return f"{type(error).__name__}: {error}".rstrip(".")
    return None


def _connect(scheduler: str | None, jobs: int | None) -> tuple[Any, Any]:
    distributed = _distributed()
    if scheduler is None:
        cluster = distributed.LocalCluster(
            n_workers=jobs, threads_per_worker=1, dashboard_address="127.0.0.1:0"
        )
        return cluster, distributed.Client(cluster)
    try:
        return None, distributed.Client(scheduler, timeout=10)
    except (OSError, ValueError) as error:
        raise AssetGraphError(
            f"no Dask scheduler answers at {scheduler}: {error}.",
            hint="Start one with: dask scheduler",
        ) from error


def _distributed() -> Any:
    """The package, imported only here."""
    try:
        return import_module("distributed")
    except ImportError:
        raise AssetGraphError(
            "the executor 'dask' needs the package distributed.",
            hint="Install it with: pip install 'assetgraph[dask]'",
        ) from None

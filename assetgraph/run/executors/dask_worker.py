"""What runs in a Dask worker: the computing part of a step, and a look at the store before."""

from __future__ import annotations

import pickle
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

from assetgraph.process.capture import redirected
from assetgraph.run.compute import compute_step
from assetgraph.run.executors.transport import Receiver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.storage.store import Store

PROBE = b"probe" * 2000
# Of all runs, since a scheduler keeps the last thousand events of each topic as long as it lives.
TOPIC = "assetgraph"
# A longer answer is for the client to fetch.
_TOLD_BYTES = 8_000


def compute_here(greeting: bytes, work: bytes) -> bytes:
    """In a worker: the result of a step's computing part, what it printed by stream, and how many
    bytes of that were not kept; nothing where nobody asks for it."""
    receiver, store = _received(greeting)
    task, name = receiver.unpack(work)
    channel = _WorkerChannel(name, task.limits.output_bytes)
    if not channel.wanted():  # any more: a worker takes seconds to load its first project
        return b""
    timed = task.timeout_s is not None  # only such a step is given up while it goes on
    if timed:
        channel.begun()
        channel.started()
    try:
        with redirected(False):
            result = compute_step(task, store, channel)
    finally:
        if timed:
            channel.ended()
    answer = pickle.dumps((result, channel.printed, channel.dropped), protocol=5)
    if len(answer) <= _TOLD_BYTES:
        channel.answered(answer)
    return answer


class _WorkerChannel:
    """Stands in for the runner's channel in a worker. Printed text goes back with the answer: the
    scheduler keeps the events that pass through it, and must not keep much of that."""

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._room = {"out": limit, "err": limit}
        self._printed: dict[str, list[bytes]] = {"out": [], "err": []}
        self.dropped = {"out": 0, "err": 0}

    def begun(self) -> None:
        self._send("begun", _worker().address)

    def ended(self) -> None:
        self._send("ended")

    def started(self) -> None:
        self._send("started")

    def answered(self, answer: bytes) -> None:
        self._send("answered", answer)

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
        task = _worker().state.tasks.get(self._name)
        return task is not None and task.state == "executing"

    def may_commit(self) -> bool:
        return False  # that is done where the locks are

    def _send(self, method: str, *content: Any) -> None:
        _worker().log_event(TOPIC, (self._name, pickle.dumps((method, content))))


def _worker() -> Any:
    return import_module("distributed").get_worker()


_greetings: dict[bytes, tuple[Receiver, Store]] = {}
_receiving = threading.Lock()


def _received(greeting: bytes) -> tuple[Receiver, Store]:
    with _receiving:
        if greeting not in _greetings:
            project, store = pickle.loads(greeting)
            receiver = Receiver(project)
            receiver.load_anew()  # what this worker may have imported for a run before
            _greetings[greeting] = receiver, store
        return _greetings[greeting]


def probe(greeting: bytes, saved: Any) -> str | None:
    """In a worker: why it cannot use the store or the project, or None."""
    try:
        _, store = _received(greeting)
        if store.values.load(saved) != PROBE:
            return f"it reads something else than was written to {store.storage}"
    except Exception as error:
        return f"{type(error).__name__}: {error}".rstrip(".")
    return None

"""Code that runs in a Dask worker: the computing part of a step, and the check before a run."""

from __future__ import annotations

import pickle
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

from assetgraph.errors import WorkerError
from assetgraph.process.capture import captured
from assetgraph.run.executors.base import close_here
from assetgraph.run.executors.messages import dumps
from assetgraph.run.executors.transport import Receiver
from assetgraph.run.sent_exception import sent
from assetgraph.run.step_compute import compute_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.storage.store import Store

PROBE = b"probe" * 2000
# One topic for all runs: a scheduler keeps the last thousand events of each topic as long as it
# lives.
TOPIC = "assetgraph"
# The client fetches a longer answer.
_SENT_BYTES = 8_000


def compute_here(greeting: bytes, work: bytes) -> bytes:
    """Run the computing part of a step.

    Returns a message with its result, its output by stream, and the count of dropped output bytes
    by stream, or with the error if the step cannot begin; empty if nobody waits for the step any
    longer. It raises nothing: Dask would send the exception, and have it made anew at the receiver.
    """
    try:
        return _compute(greeting, work)
    except WorkerError as error:
        return dumps(sent(error))
    except (Exception, SystemExit) as error:
        message = f"it cannot be loaded in a Dask worker: {type(error).__name__}: {error}"
        return dumps(sent(WorkerError(message)))


def _compute(greeting: bytes, work: bytes) -> bytes:
    receiver, store = _received(greeting)
    task, name = receiver.unpack(work)
    channel = _WorkerChannel(name, task.limits.output_bytes)
    if not channel.wanted():  # a worker takes seconds to load its first project
        return b""
    _may_have_children()
    timed = task.timeout_s is not None  # only such a step is abandoned while it runs
    if timed:
        channel.begun()
        channel.started()
    try:
        with captured(echo=False, shared=True):
            result = compute_step(task, store, channel)
    finally:
        if timed:
            channel.ended()
    answer = dumps((result, channel.printed, channel.dropped))
    if len(answer) <= _SENT_BYTES:
        channel.answered(answer)
    return answer


def close_in_worker(run_id: str) -> list[str]:
    """Close what the run's steps have opened here. What that prints shows no secret value."""
    with captured(echo=False, shared=True):
        return close_here(run_id)


class _WorkerChannel:
    """Stands in for the runner's channel in a worker.

    Output goes back with the answer: the scheduler keeps the events that pass through it, and must
    not keep much text.
    """

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
        """The scheduler withdraws a task that is canceled, or whose client is gone."""
        task = _worker().state.tasks.get(self._name)
        return task is not None and task.state == "executing"

    def may_commit(self) -> bool:
        return False  # the process with the locks commits

    def _send(self, method: str, *content: Any) -> None:
        _worker().log_event(TOPIC, (self._name, dumps((method, content))))


def _may_have_children() -> None:
    """Let steps start pools of processes: Dask marks its workers as daemons, which may not."""
    from multiprocessing.process import current_process

    current_process()._config["daemon"] = False  # type: ignore[attr-defined]


def _worker() -> Any:
    return import_module("distributed").get_worker()


_greetings: dict[bytes, tuple[Receiver, Store]] = {}
_receiver_lock = threading.Lock()


def _received(greeting: bytes) -> tuple[Receiver, Store]:
    with _receiver_lock:
        if greeting not in _greetings:
            project, store = pickle.loads(greeting)
            receiver = Receiver(project)
            receiver.load_anew()  # an earlier run may have imported another version
            _greetings[greeting] = receiver, store
        return _greetings[greeting]


def probe(greeting: bytes, saved: Any) -> str | None:
    """Why this worker cannot use the store or the project, or None if it can."""
    try:
        _, store = _received(greeting)
        if store.values.load(saved) != PROBE:
            return f"it does not read back what was written to {store.storage}"
    except Exception as error:
        return f"{type(error).__name__}: {error}".rstrip(".")
    return None

"""The process executor: runs steps in worker processes, one for each slot.

A worker is a new interpreter, not a fork, because a fork would inherit this process's locks. Each
worker has one socket, which carries steps there and results back, and two pipes for its standard
output and error. A worker that dies fails its own step and no other.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Pipe
from typing import IO, TYPE_CHECKING, Any

from assetgraph.errors import WorkerError
from assetgraph.run.executors.messages import CALLS, CLOSE, read_message
from assetgraph.run.executors.transport import Sender
from assetgraph.run.sent_exception import SentException, rebuilt

if TYPE_CHECKING:
    from assetgraph.run.channel import StepChannel
    from assetgraph.run.executors.base import Computations, Loadable
    from assetgraph.run.step_task import StepResult, StepTask
    from assetgraph.storage.store import Store

END_S = 2.0
_CHUNK = 65536
_KEPT_FREE = 24
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from assetgraph.run.executors.process_worker import main; main(*map(int, sys.argv[2:]))"
)


class ProcessExecutor:
    """Runs each step in one of `slots` worker processes."""

    shares_memory = False

    def __init__(
        self,
        slots: int,
        *,
        project: Loadable | None = None,
        computations: Computations | None = None,
        resources: Mapping[str, Any] | None = None,
    ) -> None:
        self.slots = slots
        self._sender = Sender(project, computations or {}, resources)
        self._workers: set[_Worker] = set()
        self._idle: list[_Worker] = []
        self._waiting: deque[_Work] = deque()  # for a worker to become idle, if no more could start
        self._lock = threading.RLock()

    def submit(self, task: StepTask, store: Store, channel: StepChannel) -> Future[StepResult]:
        """Run the step in a worker. The channel stays here, and the worker's stand-in forwards its
        calls."""
        future = _StepFuture()
        future.set_running_or_notify_cancel()
        try:
            data = self._sender.pack(task, store)
        except WorkerError as error:
            future.set_exception(error)
            return future
        self._place(_Work(data, future, channel))
        return future

    def check(self, store: Store) -> None:
        pass  # its workers are on this machine

    def interrupt(self) -> None:
        with self._lock:
            while self._waiting:
                self._waiting.pop().future.set_exception(KeyboardInterrupt())
        for worker in tuple(self._workers):
            worker.interrupt()

    def close_resources(self, run_id: str) -> list[str]:  # noqa: ARG002 - workers serve one run
        workers = tuple(self._workers)
        for worker in workers:
            worker.begin_to_close()
        return [problem for worker in workers for problem in worker.problems_of_closing()]

    def shutdown(self) -> None:
        self._waiting.clear()
        for worker in tuple(self._workers):
            worker.end()
        for worker in tuple(self._workers):
            worker.join()
        self._idle.clear()

    def _place(self, work: _Work) -> None:
        """Give a step to an idle worker or to a new one. If none can start, the step waits."""
        with self._lock:
            try:
                while not (self._idle.pop() if self._idle else self._start()).give(work):
                    pass  # that worker died while it was idle
            except OSError as error:
                if self._workers:
                    self.slots = len(self._workers)
                    self._waiting.append(work)
                else:
                    message = f"no worker process can be started: {error.strerror}."
                    hint = "Raise the machine's limit (ulimit -n or -u), or end other programs."
                    work.future.set_exception(WorkerError(message, hint=hint))

    def _start(self) -> _Worker:
        """Start a worker. Raises `OSError` if the machine has no room for another."""
        with ExitStack() as spare:  # descriptors that the runner itself will need
            for _ in range(_KEPT_FREE):
                spare.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        worker = _Worker(self._sender.greeting(), self._on_idle, self._on_gone)
        self._workers.add(worker)
        return worker

    def _on_idle(self, worker: _Worker) -> None:
        with self._lock:
            self._idle.append(worker)
            if self._waiting:
                self._place(self._waiting.popleft())

    def _on_gone(self, worker: _Worker) -> None:
        with self._lock:
            self._workers.discard(worker)
            if worker in self._idle:
                self._idle.remove(worker)
            if self._waiting:
                self._place(self._waiting.popleft())


class _StepFuture(Future[Any]):
    worker: _Worker | None = None

    def cancel(self) -> bool:
        """Kill the worker that runs the step."""
        if self.done() or self.worker is None:
            return False
        self.worker.kill()  # this step may be done by now, but the worker takes no other
        return True


@dataclass(slots=True)
class _Work:
    """A step on its way to a worker."""

    data: bytes
    future: _StepFuture
    channel: Any


class _Worker:
    """This process's end of one worker process, with a thread that listens to it."""

    def __init__(
        self,
        greeting: bytes,
        on_idle: Callable[[_Worker], None],
        on_gone: Callable[[_Worker], None],
    ) -> None:
        self._on_idle = on_idle
        self._on_gone = on_gone
        self._lock = threading.Lock()
        self._future: Future[Any] | None = None
        self._channel: Any = None
        self._gone = False
        self._killed = False
        self._ending = False
        self._interrupted = False
        self._closed = threading.Event()  # when its resources are, or it is dead
        self._problems: list[str] = []
        with ExitStack() as worker_ends, ExitStack() as own_ends:
            self._socket, socket = Pipe()
            worker_ends.callback(socket.close)
            own_ends.callback(self._socket.close)
            # Nobody writes to it. Each worker has its own: the kernel signals the closing of a
            # shared file only to the last process that asked for it.
            lifeline, self._lifeline = os.pipe()
            worker_ends.callback(os.close, lifeline)
            own_ends.callback(os.close, self._lifeline)
            self._process = _start_process(socket.fileno(), lifeline)
            self._closing = own_ends.pop_all()
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._streams = {self._process.stdout: "out", self._process.stderr: "err"}
        for stream in self._streams:
            os.set_blocking(stream.fileno(), False)
        # A child of the worker may keep the socket open after the worker's death (macOS waits).
        self._death_fd = os.pidfd_open(self._process.pid) if hasattr(os, "pidfd_open") else None
        self._thread = threading.Thread(target=self._listen, name="listener", daemon=True)
        self._thread.start()
        self._send(greeting)

    def give(self, work: _Work) -> bool:
        """Start a step, and return whether the worker could take it."""
        with self._lock:
            if self._gone or self._killed:
                return False
            self._channel, self._future = work.channel, work.future
            work.future.worker = self
        self._send(work.data)
        return True

    def interrupt(self) -> None:
        if self._future is not None:
            self._interrupted = True  # it may die of the interrupt, during its start for example
            self._signal(signal.SIGINT)

    def kill(self) -> None:
        self._killed = True
        self._signal(signal.SIGKILL)

    def begin_to_close(self) -> None:
        """Have an idle worker close its resources."""
        if self._future is not None or self._gone or not self._send(CLOSE):
            self._closed.set()

    def problems_of_closing(self) -> list[str]:
        """Wait until a worker has closed its resources, and return what went wrong."""
        self._closed.wait()
        return self._problems

    def end(self) -> None:
        """Let an idle worker exit, and kill one that still runs a step."""
        self._ending = True
        if self._future is not None or not self._send(b""):
            self.kill()

    def join(self) -> None:
        self._thread.join(END_S)
        if self._thread.is_alive():  # something keeps the process from exiting
            self.kill()
            self._thread.join()

    def _send(self, data: bytes) -> bool:
        try:
            self._socket.send_bytes(data)
        except OSError:
            return False
        return True

    def _signal(self, number: signal.Signals) -> None:
        """Signal the worker and the processes that its step started."""
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            pass  # it has ended, or is about to

    def _listen(self) -> None:
        error: Exception | None = None
        try:
            self._listen_until_death()
        except Exception as problem:  # the channel cannot write: a full disk, say
            error = problem
        self._bury(error)

    def _listen_until_death(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            for stream in self._streams:
                selector.register(stream, selectors.EVENT_READ)
            if self._death_fd is not None:
                selector.register(self._death_fd, selectors.EVENT_READ)
            while True:
                for ready, _ in selector.select():
                    if ready.fileobj == self._death_fd:
                        while self._socket.poll() and self._receive():
                            pass
                        return
                    if ready.fileobj is self._socket:
                        if not self._receive():
                            return
                    elif not self._read(ready.fileobj):  # type: ignore[arg-type]
                        selector.unregister(ready.fileobj)

    def _receive(self) -> bool:
        """Handle one message. False if no more will come."""
        try:
            data = self._socket.recv_bytes()
        except (EOFError, OSError):
            return False
        kind, content = read_message(data)
        if kind == "done":
            self._drain()
            self._done(*content)
        elif kind == "closed":
            (self._problems,) = content
            self._closed.set()
        elif kind in CALLS:
            getattr(self._channel, kind)(*content)
        return True

    def _done(self, result: StepResult | None, error: SentException | None) -> None:
        future, self._future, self._channel = self._future, None, None
        self._on_idle(self)
        assert future is not None
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(rebuilt(error) or WorkerError(f"{error.name}{error.args}"))

    def _bury(self, error: Exception | None) -> None:
        """Close a dead worker's files and fail its step."""
        if not self._ending:
            self.kill()
        code = self._process.wait()
        if error is None:
            self._drain()
        with self._lock:
            self._gone = True
        self._closed.set()
        for stream in self._streams:
            stream.close()
        if self._death_fd is not None:
            os.close(self._death_fd)
        self._closing.close()
        self._on_gone(self)
        if self._future is not None:
            ended = KeyboardInterrupt() if self._interrupted else _death(code)
            self._future.set_exception(error or ended)

    def _drain(self) -> None:
        """Read what is in the pipes now: everything that the step wrote before it reported its end.
        Wait for no more, because a child that the step left behind may never stop writing."""
        for stream in self._streams:
            self._read(stream, _readable(stream))

    def _read(self, stream: IO[bytes], size: int = _CHUNK) -> bool:
        """Pass on some output. False at the end of the stream."""
        try:
            data = os.read(stream.fileno(), size)
        except BlockingIOError:
            return True
        if data and self._channel is not None:
            self._channel.written(self._streams[stream], data)
        return bool(data)


def _readable(stream: IO[bytes]) -> int:
    """How many bytes can be read from a pipe now."""
    (count,) = struct.unpack("i", fcntl.ioctl(stream.fileno(), termios.FIONREAD, bytes(4)))
    return int(count)


def _start_process(socket: int, lifeline: int) -> subprocess.Popen[bytes]:
    import json

    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    path = json.dumps([entry for entry in sys.path if isinstance(entry, str)])
    return subprocess.Popen(
        [sys.executable, *flags, "-c", _BOOT, path, str(socket), str(lifeline)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        pass_fds=(socket, lifeline),
        process_group=0,  # the runner handles Ctrl-C
    )


def _death(code: int) -> WorkerError:
    if code >= 0:
        return WorkerError(f"its process ended with exit code {code}, without a result.")
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = "The machine may have run out of memory." if name == "SIGKILL" else None
    return WorkerError(f"its process was killed by {name}.", hint=hint)

"""Code that runs in a worker process: it runs steps until the coordinator finishes or dies."""

from __future__ import annotations

import faulthandler
import fcntl
import os
import signal
import sys
import threading
from multiprocessing.connection import Connection
from queue import SimpleQueue
from types import FrameType
from typing import Any, TextIO

from assetgraph.errors import WorkerError
from assetgraph.process.capture import captured
from assetgraph.process.ending import end
from assetgraph.process.signals import held_back
from assetgraph.process.streams import is_closed
from assetgraph.run.executors.messages import CLOSE, dumps
from assetgraph.run.executors.transport import Receiver
from assetgraph.run.sent_exception import SentException, sent
from assetgraph.run.step import run_step

Outcome = tuple[Any, SentException | None]  # the result, or the error in its place
_interrupted = False


def main(socket: int, lifeline: int) -> None:
    """Serve the coordinator at the other end of `socket`; `lifeline` closes when it dies."""
    for fd in (socket, lifeline):
        os.set_inheritable(fd, False)
    _die_with(lifeline)
    signal.signal(signal.SIGINT, _remember)
    faulthandler.enable()
    output = _Output("stdout", 1), _Output("stderr", 2)
    connection = Connection(socket)
    inbox: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_receive, args=(connection, inbox), daemon=True).start()
    receiver = Receiver(inbox.get())
    with captured(streams=False):
        while work := inbox.get():
            if work == CLOSE:
                connection.send_bytes(dumps(("closed", (_closed(),))))
                continue
            channel = _Channel(connection)
            outcome = _run(receiver, work, channel)
            for stream in output:
                stream.restore()
            channel.done(outcome)
    end(0)


def _closed() -> list[str]:
    """What goes wrong when all resources here are closed."""
    module = sys.modules.get("assetgraph.run.open_resources")
    return module.close_all() if module is not None else []


def _die_with(lifeline: int) -> None:
    """Have the kernel kill this process, and what it started, when the coordinator dies.

    The coordinator's death closes its end of the lifeline. The signal reaches even a process that
    is stopped, or in a long call to a C library. Where the kernel cannot send it (macOS), the
    receiving thread does, as soon as it gets to run.
    """
    if sys.platform == "linux":
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgid(0))
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC)


def _receive(connection: Connection, inbox: SimpleQueue[bytes]) -> None:
    try:
        while True:
            inbox.put(connection.recv_bytes())
    except (EOFError, OSError):
        os.killpg(0, signal.SIGKILL)


def _run(receiver: Receiver, work: bytes, channel: _Channel) -> Outcome:
    """Run one step."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if _interrupted:
            raise KeyboardInterrupt
        return _call(receiver, work, channel)
    except KeyboardInterrupt as interrupt:
        return None, sent(interrupt)
    finally:
        signal.signal(signal.SIGINT, _remember)


def _call(receiver: Receiver, work: bytes, channel: _Channel) -> Outcome:
    try:
        task, store = receiver.unpack(work)
    except KeyboardInterrupt:
        raise
    except WorkerError as error:
        return None, sent(error)
    except BaseException as error:
        message = f"it cannot be loaded in another process: {type(error).__name__}: {error}"
        return None, sent(WorkerError(message, hint=getattr(error, "hint", None)))
    try:
        with held_back():
            return run_step(task, store, channel), None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return None, sent(error)


def _remember(_number: int, _frame: FrameType | None) -> None:
    """Keep an interrupt that arrives before its step: a run sends only one."""
    global _interrupted
    _interrupted = True


class _Output:
    """A standard stream of this process, restored after each step.

    If a step closed it, the next step would have no output, and the next file to be opened would
    get its descriptor.
    """

    def __init__(self, name: str, fd: int) -> None:
        self._name = name
        self._fd = fd
        self._kept = os.dup(fd)
        self._stream = self._open()
        self.restore()

    def restore(self) -> None:
        os.dup2(self._kept, self._fd)
        if is_closed(self._stream):
            self._stream = self._open()
        self._stream.flush()
        for name in (self._name, f"__{self._name}__"):
            setattr(sys, name, self._stream)

    def _open(self) -> TextIO:
        return open(self._fd, "w", 1, "utf-8", "backslashreplace", closefd=False)


class _Channel:
    """Stands in for the runner's channel of one step: the socket carries each call there.

    Once the step is done, nothing more is sent: the runner would take the words of a thread that
    the step left behind for the next step's.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._done = False

    def started(self) -> None:
        self.send("started")

    def events(self, events: Any) -> None:
        self.send("events", events)

    def output(self, stream: str, text: str) -> None:
        """Never called: output goes through the pipes."""

    def progress(self, done: float, total: float | None, unit: str) -> None:
        self.send("progress", done, total, unit)

    def canceled(self) -> bool:
        return False  # a run interrupts its workers with a signal

    def wanted(self) -> bool:
        return True

    def may_commit(self) -> bool:
        return True  # the worker of an abandoned step is killed

    def done(self, outcome: Outcome) -> None:
        self.send("done", *outcome, last=True)

    def send(self, kind: str, *content: Any, last: bool = False) -> None:
        with self._lock:
            if not self._done:
                self._done = last
                self._connection.send_bytes(dumps((kind, content)))

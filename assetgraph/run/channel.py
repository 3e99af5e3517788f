"""`RunChannel` and `StepChannel`: from a running step to the run's record and its observer."""

from __future__ import annotations

import codecs
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from assetgraph.process.descriptors import not_standard
from assetgraph.process.secrets import Mask, any_hidden, masked

if TYPE_CHECKING:
    from concurrent.futures import Future

    from assetgraph.records import Event
    from assetgraph.run.step_task import StepResult, StepTask
    from assetgraph.storage.run_folders import RunLog

_LONG_LINE = 4096


class Observer(Protocol):
    """Watches a live run. Its methods are called from any thread."""

    def event(self, event: Event) -> None: ...

    def output(self, step: str, stream: str, text: str) -> None: ...

    def progress(self, step: str, done: float, total: float | None, unit: str) -> None: ...


class RunChannel:
    """Writes events to the run's record and passes them to the observer. Thread-safe."""

    def __init__(self, log: RunLog, observer: Observer | None, *, echo: bool) -> None:
        self.log = log
        self.observer = observer
        self.echo = echo
        self.stopping = False

    def events(self, events: Sequence[Event]) -> None:
        self.log.append(events)
        if self.observer is not None:
            for event in events:
                self.observer.event(event)


class StepChannel:
    """The runner's end of the channel of one attempt at a step: a thread-safe `task.Channel`.

    It writes the step's output to files. If the step wants to commit while the runner abandons it,
    the first to ask wins.
    """

    started: Callable[[], None]  # only for a step with a timeout

    def __init__(self, run: RunChannel, task: StepTask) -> None:
        self._run = run
        self._step = task.step_id
        self._attempt = task.attempt
        self._limit = task.limits.output_bytes
        self._files: dict[str, OutputFile] = {}
        self._decoders: dict[str, codecs.IncrementalDecoder] = {}
        self._masks: dict[str, Mask] = {}
        self._lock = threading.Lock()
        self._settled = False
        self._ended = False

    def events(self, events: Sequence[Event]) -> None:
        if not self._ended:  # see `output`
            self._run.events(events)

    def output(self, stream: str, text: str) -> None:
        with self._lock:
            if self._ended:  # by an abandoned step, or by a thread that the step left behind
                return
            file = self._files.get(stream)
            if file is None:
                path = f"{self._run.log.log_path(self._step, self._attempt)}.{stream}"
                file = self._files[stream] = OutputFile(path, self._limit)
            file.write(text)
        if self._run.observer is not None:
            self._run.observer.output(self._step, stream, text)

    def written(self, stream: str, data: bytes) -> None:
        """Take bytes that a step in another process wrote to its standard output or error."""
        decoder = self._decoders.get(stream)
        if decoder is None:
            decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
            self._decoders[stream] = decoder
        text = decoder.decode(data)
        if any_hidden():
            text = self._masks.setdefault(stream, Mask()).feed(text)
        self._pass_on(stream, text)

    def _pass_on(self, stream: str, text: str) -> None:
        self.output(stream, text)
        if self._run.echo:
            with suppress(OSError):  # a full disk, say: the record has the text
                (sys.stdout if stream == "out" else sys.stderr).write(text)

    def dropped(self, stream: str, count: int) -> None:
        """Note that `count` bytes of output were dropped before they reached this channel."""
        with self._lock:
            if stream in self._files:
                self._files[stream].leave_out(count)

    def progress(self, done: float, total: float | None, unit: str) -> None:
        self._run.log.progress(self._step, done, total, unit)
        if self._run.observer is not None:
            self._run.observer.progress(self._step, done, total, unit)

    def canceled(self) -> bool:
        return self._run.stopping

    def wanted(self) -> bool:
        return not self._settled

    def may_commit(self) -> bool:
        return self._settle()

    def give_up(self) -> bool:
        """Abandon the step. True if that happened before its commit: then it commits nothing."""
        return self._settle()

    def end(self) -> None:
        for stream, decoder in self._decoders.items():
            rest = decoder.decode(b"", final=True)
            if rest:
                self.output(stream, masked(rest))
        for stream, mask in self._masks.items():
            if held := mask.end():
                self._pass_on(stream, held)
        with self._lock:
            self._ended = True
            for file in self._files.values():
                file.close()

    def _settle(self) -> bool:
        with self._lock:
            first, self._settled = not self._settled, True
            return first


class Attempt:
    """One attempt at a step, from its start until the runner has recorded its outcome.

    `error` says why the runner ended it.
    """

    __slots__ = ("channel", "deadline", "error", "future", "task")

    def __init__(self, task: StepTask, channel: StepChannel) -> None:
        self.task = task
        self.channel = channel
        self.future: Future[StepResult] | None = None
        self.deadline: float | None = None
        self.error: Exception | None = None


class OutputFile:
    """A file with the output of a step, created at the first write and written line by line.

    It keeps the first `limit` bytes. If more are written, its last line says how many.
    """

    def __init__(self, path: str, limit: int) -> None:
        self._path = path
        self._room = limit
        self._line = ""
        self._dropped = 0
        self._fd: int | None = None

    def write(self, text: str) -> None:
        self._line += text
        if "\n" in text or len(self._line) > _LONG_LINE:
            self._flush()

    def leave_out(self, count: int) -> None:
        """Count `count` bytes that were dropped before they reached this file."""
        self._dropped += count

    def close(self) -> None:
        self._flush()
        if self._fd is not None:
            try:
                if self._dropped:
                    os.write(self._fd, f"\n[{self._dropped} more bytes were not kept]\n".encode())
            except OSError:
                pass
            os.close(self._fd)

    def _flush(self) -> None:
        data = self._line.encode("utf-8", "backslashreplace")
        self._line = ""
        kept = 0
        if data and self._room > 0:
            try:
                if self._fd is None:
                    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
                    self._fd = not_standard(os.open(self._path, flags, 0o666))
                kept = os.write(self._fd, data[: self._room])
            except OSError:
                self._room = 0  # a full disk must not fail a step that only prints
        self._room -= kept
        self._dropped += len(data) - kept

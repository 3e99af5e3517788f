"""What running steps say, on its way into the run's record and to whoever watches the run."""

from __future__ import annotations

import codecs
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from assetgraph.process.capture import OutputFile

if TYPE_CHECKING:
    from assetgraph.records import Event
    from assetgraph.run.task import StepTask
    from assetgraph.storage.run_folders import RunLog


class Observer(Protocol):
    """Told what happens in a run while it happens, from any thread."""

    def event(self, event: Event) -> None: ...

    def output(self, step: str, stream: str, text: str) -> None: ...

    def progress(self, step: str, done: float, total: float | None, unit: str) -> None: ...


class RunChannel:
    """Takes events, from any thread: into the run's record, and to the observer."""

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
    """The runner's end of one attempt at a step: a `task.Channel`, for any thread.

    Writes what the step prints. Settles who is first when a step wants to commit while the runner
    gives it up.
    """

    def __init__(self, run: RunChannel, task: StepTask, on_start: Callable[[], None]) -> None:
        self.started = on_start
        self._run = run
        self._step = task.step_id
        self._attempt = task.attempt
        self._limit = task.limits.output_bytes
        self._files: dict[str, OutputFile] = {}
        self._decoders: dict[str, codecs.IncrementalDecoder] = {}
        self._turn = threading.Lock()
        self._settled = False
        self._ended = False

    def events(self, events: Sequence[Event]) -> None:
        if not self._ended:  # see `output`
            self._run.events(events)

    def output(self, stream: str, text: str) -> None:
        with self._turn:
            if self._ended:  # a thread that was given up, or one that the step left behind
                return
            file = self._files.get(stream)
            if file is None:
                path = f"{self._run.log.log_path(self._step, self._attempt)}.{stream}"
                file = self._files[stream] = OutputFile(path, self._limit)
            file.write(text)
        if self._run.observer is not None:
            self._run.observer.output(self._step, stream, text)

    def written(self, stream: str, data: bytes) -> None:
        """What a step in another process wrote to its standard output or error."""
        decoder = self._decoders.get(stream)
        if decoder is None:
            decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
            self._decoders[stream] = decoder
        text = decoder.decode(data)
        self.output(stream, text)
        if self._run.echo:
            with suppress(OSError):  # of a full disk: it is on record, and no reason to fail
                (sys.stdout if stream == "out" else sys.stderr).write(text)

    def dropped(self, stream: str, count: int) -> None:
        """So many bytes of the step's output were left out before they came here."""
        with self._turn:
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
        """Whether the step can still be given up; then it will commit nothing."""
        return self._settle()

    def end(self) -> None:
        for stream, decoder in self._decoders.items():
            rest = decoder.decode(b"", final=True)
            if rest:
                self.output(stream, rest)
        with self._turn:
            self._ended = True
            for file in self._files.values():
                file.close()

    def _settle(self) -> bool:
        with self._turn:
            first, self._settled = not self._settled, True
            return first

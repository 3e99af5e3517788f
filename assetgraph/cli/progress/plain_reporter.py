"""`PlainReporter`: a run as plain lines, for a pipe or a file."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING

from assetgraph.cli.progress.plain_lines import PlainLines
from assetgraph.cli.render.run_summary import RunHighlights
from assetgraph.cli.terminal.output import ReaderGoneError
from assetgraph.errors import AssetGraphError
from assetgraph.records import EventType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.cli.terminal.output import Output
    from assetgraph.cli.terminal.styled_text import Line
    from assetgraph.records import Event


class PlainReporter:
    """A line for each event of interest and each line that a step prints or logs. A quiet one only
    remembers what the summary needs."""

    def __init__(
        self, out: Output, keys: Sequence[str], notes: Sequence[Line] = (), *, quiet: bool = False
    ) -> None:
        self.highlights = RunHighlights()
        self._out = out
        self._notes = notes
        self._lines = PlainLines(keys)
        self._lock = RLock()
        self._has_reader = not quiet

    @property
    def run_id(self) -> str | None:
        return self._lines.run_id

    def event(self, event: Event) -> None:
        with self._lock:
            self.highlights.event(event)
            if event.type is EventType.RUN_START:
                self._write(self._notes)
            self._write(self._lines.event(event))

    def output(self, step: str, stream: str, text: str) -> None:
        with self._lock:
            self._write(self._lines.output(step, stream, text))

    def progress(self, step: str, done: float, total: float | None, unit: str) -> None:
        pass  # the progress of a step has no line

    def give_way(self) -> None:
        pass  # lines do not disturb a debugger

    def stop(self) -> None:
        with self._lock:
            self._write(self._lines.rest())

    def _write(self, lines: Sequence[Line]) -> None:
        if lines and self._has_reader:
            try:
                self._out.write(lines)
            except (ReaderGoneError, AssetGraphError):
                self._has_reader = False  # a lost reader must not stop the run

"""`LiveReporter`: a run as a window on a terminal that redraws itself."""

from __future__ import annotations

from contextlib import suppress
from threading import Event as Signal
from threading import RLock, Thread
from typing import TYPE_CHECKING

from assetgraph.cli.progress.live_steps import live
from assetgraph.cli.progress.plain_lines import PrintedText, log_lines, step_line
from assetgraph.cli.progress.plain_reporter import PlainReporter
from assetgraph.cli.progress.run_progress import RunProgress
from assetgraph.cli.render.run_summary import RunHighlights
from assetgraph.cli.terminal.output import as_rich
from assetgraph.cli.terminal.styled_text import Line, plural
from assetgraph.records import EventType, now
from assetgraph.text import width as cell_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from assetgraph.cli.terminal.output import Output
    from assetgraph.records import Event

_MOST_LINES_A_TICK = 200
_MOST_STEPS_SHOWN = 24
_TICK_S = 0.1


class LiveReporter:
    """The steps in a window that redraws ten times a second; what they print and log scrolls above.

    A separate thread draws, so a step that prints a million lines is not held up. Between two
    drawings only the last 200 lines are kept.
    """

    def __init__(self, out: Output, keys: Sequence[str], notes: Sequence[Line] = ()) -> None:
        from rich.live import Live

        self.highlights = RunHighlights()
        self._out = out
        self._notes = notes
        self._progress = RunProgress(keys)
        self._printed = PrintedText()
        self._above: list[Line] = []
        self._dropped = 0
        self._lock = RLock()
        self._ended = Signal()
        self._instead: PlainReporter | None = None
        self._live = Live(console=out.console, auto_refresh=False, get_renderable=self._window)
        self._live.start()
        self._ticker = Thread(target=self._tick, name="assetgraph-live", daemon=True)
        self._ticker.start()

    @property
    def run_id(self) -> str | None:
        return self._progress.run_id

    def event(self, event: Event) -> None:
        with self._lock:
            self.highlights.event(event)
            self._progress.event(event)
            if event.type is EventType.RUN_START:
                self._show(self._notes)
            if self._instead:
                self._instead.event(event)
            else:
                ended = step_line(event, None) is not None
                self._show(self._printed.rest(event.step) if ended else log_lines(event))

    def output(self, step: str, stream: str, text: str) -> None:
        with self._lock:
            if self._instead:
                self._instead.output(step, stream, text)
            else:
                self._show(self._printed.add(step, stream, text))

    def progress(self, step: str, done: float, total: float | None, unit: str) -> None:
        with self._lock:
            self._progress.progress(step, done, total, unit, now())

    def give_way(self) -> None:
        """Replace the window with plain lines from now on."""
        self.stop()
        if self._instead is None:
            self._instead = PlainReporter(self._out, list(self._progress.steps))

    def stop(self) -> None:
        if self._instead:
            self._instead.stop()
        if self._ended.is_set():
            return
        self._ended.set()
        self._ticker.join()
        with self._lock:
            self._show(self._printed.rest())
            self._draw()
        self._live.transient = self.run_id is None  # no run started: only the error remains
        with suppress(OSError):
            self._live.stop()

    def _show(self, lines: Sequence[Line]) -> None:
        self._above.extend(lines)
        excess = len(self._above) - _MOST_LINES_A_TICK
        if excess > 0:
            del self._above[:excess]
            self._dropped += excess

    def _tick(self) -> None:
        while not self._ended.wait(_TICK_S):
            with self._lock:
                self._draw()

    def _draw(self) -> None:
        try:
            self._print()
        except OSError:
            self._ended.set()  # a lost terminal must not stop the run

    def _print(self) -> None:
        from rich.text import Text

        if self._dropped:
            note = f"  … {plural(self._dropped, 'more line')}, kept in the run's record"
            self._above.insert(0, Line((note, "muted")))
        for line in self._above:
            parts = _aligned(line, self._out.console.width)
            self._out.console.print(Text("\n").join(map(as_rich, parts)), soft_wrap=True)
        self._above.clear()
        self._dropped = 0
        self._live.refresh()

    def _window(self) -> RenderableType:
        from rich.console import Group

        width, height = self._out.console.size
        with self._lock:
            room, ended = min(height - 2, _MOST_STEPS_SHOWN), self._ended.is_set()
            lines = live(self._progress, now(), width, room, ended=ended)
        return Group(*map(as_rich, lines))


def _aligned(line: Line, width: int) -> list[Line]:
    """`line` wrapped to `width`, each further line indented to the text beside the step's name."""
    mark = cell_width(line.spans[0][0]) if line else 0
    return line.broken(width, indent=mark if mark <= width // 2 else 0)

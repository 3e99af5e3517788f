"""Those who watch a run for a person: plain lines into a pipe, a live view on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event as Signal
from threading import RLock, Thread
from typing import TYPE_CHECKING, Any, Protocol

from assetgraph.cli.render.event_lines import PrintedText, RunLines, log_lines, step_line
from assetgraph.cli.render.live_view import live
from assetgraph.cli.render.run_progress import RunProgress
from assetgraph.cli.terminal.cells import Line, plural
from assetgraph.cli.terminal.output import ReaderGoneError, as_rich
from assetgraph.errors import AssetGraphError
from assetgraph.records import now
from assetgraph.run.channel import Observer
from assetgraph.text import width as cell_width

if TYPE_CHECKING:
    from rich.console import RenderableType

    from assetgraph.cli.terminal.output import Output
    from assetgraph.records import Event

_MOST_LINES_A_TICK = 200
_MOST_STEPS_SHOWN = 24
_TICK_S = 0.1


class Reporter(Observer, Protocol):
    """An observer of one run, which has the terminal until it stops."""

    def give_way(self) -> None:
        """Leave the terminal to somebody who needs it: a debugger."""

    def stop(self) -> None: ...

    @property
    def run_id(self) -> str | None:
        """The id of the run, once it started."""


@contextmanager
def reporting(out: Output, keys: Sequence[str]) -> Iterator[Reporter]:
    """The reporter that suits `out`, for a run of the steps `keys`."""
    reporter: Reporter = LiveReporter(out, keys) if out.is_terminal else LineReporter(out, keys)
    try:
        with _debuggers_get_the_terminal(reporter):
            yield reporter
    finally:
        reporter.stop()


class LineReporter:
    """A line for each event of interest and each line that a step prints or logs."""

    def __init__(self, out: Output, keys: Sequence[str]) -> None:
        self._out = out
        self._lines = RunLines(keys)
        self._turn = RLock()
        self._heard = True

    @property
    def run_id(self) -> str | None:
        return self._lines.run_id

    def event(self, event: Event) -> None:
        with self._turn:
            self._write(self._lines.event(event))

    def output(self, step: str, stream: str, text: str) -> None:
        with self._turn:
            self._write(self._lines.output(step, stream, text))

    def progress(self, step: str, done: float, total: float | None, unit: str) -> None:
        pass  # how far a step is makes no line

    def give_way(self) -> None:
        pass  # lines are in nobody's way

    def stop(self) -> None:
        with self._turn:
            self._write(self._lines.rest())

    def _write(self, lines: Sequence[Line]) -> None:
        if lines and self._heard:
            try:
                self._out.write(lines)
            except (ReaderGoneError, AssetGraphError):
                self._heard = False  # nobody listens any more, which is no reason to stop the run


class LiveReporter:
    """The steps in a window that is drawn anew ten times a second, what they print and log above.

    A thread of its own draws, so that a step that prints a million lines is not held up; of the
    lines between two drawings the last 200 are shown.
    """

    def __init__(self, out: Output, keys: Sequence[str]) -> None:
        from rich.live import Live

        self._out = out
        self._progress = RunProgress(keys)
        self._printed = PrintedText()
        self._above: list[Line] = []
        self._dropped = 0
        self._turn = RLock()
        self._ended = Signal()
        self._instead: LineReporter | None = None
        self._live = Live(console=out.console, auto_refresh=False, get_renderable=self._window)
        self._live.start()
        self._ticker = Thread(target=self._tick, name="assetgraph-live", daemon=True)
        self._ticker.start()

    @property
    def run_id(self) -> str | None:
        return self._progress.run_id

    def event(self, event: Event) -> None:
        with self._turn:
            self._progress.event(event)
            if self._instead:
                self._instead.event(event)
            else:
                ended = step_line(event, None) is not None
                self._show(self._printed.rest(event.step) if ended else log_lines(event))

    def output(self, step: str, stream: str, text: str) -> None:
        with self._turn:
            if self._instead:
                self._instead.output(step, stream, text)
            else:
                self._show(self._printed.add(step, stream, text))

    def progress(self, step: str, done: float, total: float | None, unit: str) -> None:
        with self._turn:
            self._progress.progress(step, done, total, unit, now())

    def give_way(self) -> None:
        self.stop()
        if self._instead is None:
            self._instead = LineReporter(self._out, list(self._progress.steps))

    def stop(self) -> None:
        if self._instead:
            self._instead.stop()
        if self._ended.is_set():
            return
        self._ended.set()
        self._ticker.join()
        with self._turn:
            self._show(self._printed.rest())
            self._draw()
        self._live.transient = self.run_id is None  # no run began: an error says why
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
            with self._turn:
                self._draw()

    def _draw(self) -> None:
        try:
            self._print()
        except OSError:
            self._ended.set()  # the terminal is gone, which is no reason to stop the run

    def _print(self) -> None:
        from rich.text import Text

        if self._dropped:
            note = f"  … {plural(self._dropped, 'line')} more, kept in the record of the run"
            self._above.insert(0, Line((note, "muted")))
        for line in self._above:
            parts = _under_itself(line, self._out.console.width)
            self._out.console.print(Text("\n").join(map(as_rich, parts)), soft_wrap=True)
        self._above.clear()
        self._dropped = 0
        self._live.refresh()

    def _window(self) -> RenderableType:
        from rich.console import Group

        width, height = self._out.console.size
        with self._turn:
            room, ended = min(height - 2, _MOST_STEPS_SHOWN), self._ended.is_set()
            lines = live(self._progress, now(), width, room, ended=ended)
        return Group(*map(as_rich, lines))


def _under_itself(line: Line, width: int) -> list[Line]:
    """`line` broken to `width`, what follows under the text and not under its step's name."""
    mark = cell_width(line.spans[0][0]) if line else 0
    return line.broken(width, indent=mark if mark <= width // 2 else 0)


@contextmanager
def _debuggers_get_the_terminal(reporter: Reporter) -> Iterator[None]:
    """Let `breakpoint()` in an asset talk to the person: `sys.stdout` is the run's record then."""

    def hook(*args: Any, **kwargs: Any) -> Any:
        wanted = os.environ.get("PYTHONBREAKPOINT")
        if wanted == "0":
            return None
        reporter.give_way()
        if wanted or sys.__stdout__ is None:
            sys.stdout = sys.__stdout__  # a debugger of the person's choice talks to this
            return sys.__breakpointhook__(*args, **kwargs)
        from pdb import Pdb

        return Pdb(stdout=sys.__stdout__).set_trace(sys._getframe(1))

    before = sys.breakpointhook
    sys.breakpointhook = hook
    try:
        yield
    finally:
        sys.breakpointhook = before

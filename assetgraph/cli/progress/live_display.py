"""`LiveReporter`: a run as a window on a terminal that redraws itself, and what its lines show of
the steps."""

from __future__ import annotations

from contextlib import suppress
from threading import Event as Signal
from threading import RLock, Thread
from typing import TYPE_CHECKING

from assetgraph.cli.progress.plain_display import PlainReporter, PrintedText, log_lines, step_line
from assetgraph.cli.progress.run_progress import RunProgress
from assetgraph.cli.render.run_summary import RunHighlights
from assetgraph.cli.render.state_style import CHECK_MARKS, glyph, style_of
from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.output import as_rich
from assetgraph.cli.terminal.styled_text import Line, joined, plural
from assetgraph.records import EventType, StepState, now
from assetgraph.text import shorten
from assetgraph.text import width as cell_width

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from assetgraph.cli.progress.run_progress import StepProgress
    from assetgraph.cli.terminal.output import Output
    from assetgraph.records import Event

_MOST_LINES_A_TICK = 200
_MOST_STEPS_SHOWN = 24
_TICK_S = 0.1
BYTES = "B"  # the unit that `context.progress` documents for bytes
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_MOST_KEY_CELLS = 40
_BAR_CELLS = 20


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


def live(
    progress: RunProgress, now: datetime, width: int, height: int, *, ended: bool = False
) -> list[Line]:
    """Every step, if they fit in `height` lines. Otherwise the last to finish, those that run and
    the next to start, above a line of totals; after the end of the run, only the totals."""
    steps = list(progress.steps.values())
    if len(steps) > height and ended:
        return [_totals(progress, width)]
    several = [] if len(steps) <= height else _several(progress, width, (height - 1) // 2)
    shown = steps if len(steps) <= height else _window(progress, height - 1 - len(several))
    key_cells = min(
        max((cell_width(step.key) for step in shown), default=0), _MOST_KEY_CELLS, width // 2
    )
    lines = several + [_step(step, now, key_cells, width) for step in shown]
    if len(shown) < len(steps):
        lines.append(_totals(progress, width))
    return lines


def _several(progress: RunProgress, width: int, most: int) -> list[Line]:
    """A line for each asset with several partitions that is at work, and then for those that have
    ended, the last ones first."""
    begun = [one for one in progress.assets.values() if one.started_at is not None]
    at_work = [one for one in begun if one.ended < one.total]
    ended = [one for one in begun if one.ended == one.total]
    room = max(most - len(at_work), 0)
    shown = [*(ended[-room:] if room else []), *at_work][:most]
    cells = min(max((cell_width(one.key) for one in shown), default=0), _MOST_KEY_CELLS)
    return [
        Line(
            _bar(one.ended / one.total, 10), "  ", Line(shorten(one.key, cells)).fitted(cells),
            f"  {one.ended:,} of {one.total:,}",
            (f"  {one.counts[StepState.FAILURE]:,} failed", "failure")
            if one.counts[StepState.FAILURE]
            else "",
        ).cut(width)
        for one in shown
    ]  # fmt: skip


def _window(progress: RunProgress, height: int) -> list[StepProgress]:
    running = progress.in_state(StepState.RUNNING)
    waiting_room = max(min(3, height - len(running)), 0)
    waiting = _first(progress, StepState.WAITING, waiting_room)
    running = running[: height - len(waiting)]
    room = height - len(running) - len(waiting)
    finished = list(progress.finished)[-room:] if room > 0 else []
    return [*finished, *running, *waiting]


def _first(progress: RunProgress, state: StepState, count: int) -> list[StepProgress]:
    found: list[StepProgress] = []
    for step in progress.steps.values():
        if len(found) >= count:
            break
        if step.state is state:
            found.append(step)
    return found


def _step(step: StepProgress, now: datetime, key_cells: int, width: int) -> Line:
    running = step.state is StepState.RUNNING
    mark = Line((_spinner(now), "running")) if running else glyph(step.state)
    if step.found and not running:
        mark = Line(CHECK_MARKS[step.found])
    seconds = step.seconds(now)
    quiet = "muted" if step.state in (StepState.WAITING, StepState.SKIPPED) else ""
    key = Line((shorten(step.key, key_cells), quiet)).fitted(key_cells)
    elapsed = units.duration(seconds) if seconds is not None else ""
    if running and seconds is not None and seconds < 60:
        elapsed = f"{seconds:.1f}s"
    detail = Line() if running else Line((str(step.state), style_of(step.state)))
    if step.found and not running:
        detail = Line(("check failed", CHECK_MARKS[step.found][1]))
    if running and step.done is not None:
        detail = _progress(step, width - key_cells - 14)
    return Line(mark, " ", key, elapsed.rjust(8), "  ", detail).cut(width)


def _progress(step: StepProgress, room: int) -> Line:
    """The amount done, the speed, and with a known total a bar and the time left."""
    assert step.done is not None
    amount = units.size if step.unit == BYTES else _count
    facts = [amount(step.done)]
    if step.total:
        facts = [f"{amount(step.done)} of {amount(step.total)}"]
    if step.rate:
        facts.append(f"{amount(step.rate)}/s")
        if step.total and step.total > step.done:
            facts.append(f"{units.rough_duration((step.total - step.done) / step.rate)} left")
    if step.unit not in ("", BYTES):
        facts[0] += f" {step.unit}"
    text = Line("  ".join(facts))
    cells = min(_BAR_CELLS, room - text.width - 2)
    if step.total and cells >= 5:
        return Line(_bar(step.done / step.total, cells), "  ", text)
    return text


def _bar(fraction: float, cells: int) -> Line:
    halves = round(min(max(fraction, 0.0), 1.0) * cells * 2)
    done = "━" * (halves // 2) + ("╸" if halves % 2 else "")
    return Line((done, "running"), ("─" * (cells - len(done)), "muted"))


def _totals(progress: RunProgress, width: int) -> Line:
    counted = [
        Line(glyph(state), f" {progress.counts[state]:,} {state}")
        for state in StepState
        if progress.counts[state]
    ]
    total = len(progress.steps)
    return Line(
        _bar(progress.ended / total, 10), f"  {progress.ended:,} of {total:,}   ",
        joined(counted, "  "),
    ).cut(width)  # fmt: skip


def _count(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 or amount == int(amount) else f"{amount:.1f}"


def _spinner(now: datetime) -> str:
    return _SPINNER[int(now.timestamp() * 10) % len(_SPINNER)]

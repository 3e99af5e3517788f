"""The live view of a run: its steps, in the lines that a window has room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.render.state_style import glyph, style_of
from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.styled_text import Line, joined
from assetgraph.records import StepState
from assetgraph.text import shorten
from assetgraph.text import width as cell_width

if TYPE_CHECKING:
    from datetime import datetime

    from assetgraph.cli.progress.run_progress import RunProgress, StepProgress

BYTES = "B"  # the unit that `context.progress` documents for bytes
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_MOST_KEY_CELLS = 40
_BAR_CELLS = 20


def live(
    progress: RunProgress, now: datetime, width: int, height: int, *, ended: bool = False
) -> list[Line]:
    """Every step, if they fit in `height` lines. Otherwise the last to finish, those that run and
    the next to start, above a line of totals; after the end of the run, only the totals."""
    steps = list(progress.steps.values())
    if len(steps) > height and ended:
        return [_totals(progress, width)]
    shown = steps if len(steps) <= height else _window(progress, height - 1)
    key_cells = min(
        max((cell_width(step.key) for step in shown), default=0), _MOST_KEY_CELLS, width // 2
    )
    lines = [_step(step, now, key_cells, width) for step in shown]
    if len(shown) < len(steps):
        lines.append(_totals(progress, width))
    return lines


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
    seconds = step.seconds(now)
    quiet = "muted" if step.state in (StepState.WAITING, StepState.SKIPPED) else ""
    key = Line((shorten(step.key, key_cells), quiet)).fitted(key_cells)
    elapsed = units.duration(seconds) if seconds is not None else ""
    if running and seconds is not None and seconds < 60:
        elapsed = f"{seconds:.1f}s"
    detail = Line() if running else Line((str(step.state), style_of(step.state)))
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

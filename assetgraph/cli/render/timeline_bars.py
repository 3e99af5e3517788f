"""The timeline of a run: its steps as bars, to scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from assetgraph.cli.render.state_style import glyph, style_of
from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.styled_text import Line, plural
from assetgraph.records import RunStatus, StepState
from assetgraph.text import shorten
from assetgraph.text import width as cell_width

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assetgraph.records import RunRecord, StepRecord

PIPE_WIDTH = 100
_DURATION_CELLS = 8
_TICK_CELLS = 10
_LEFT_BLOCKS = " ▏▎▍▌▋▊▉█"
_WAITING = "╌"


def timeline(
    run: RunRecord,
    steps: Sequence[StepRecord],
    now: datetime,
    width: int | None,
    *,
    most: int | None = None,
) -> list[Line]:
    """An axis, then a row for each step in order of start: a dashed line until it started, a bar
    while it ran. At most `most` rows: failed and running steps first, then the longest."""
    started = [step for step in steps if step.started_at]
    if not started:
        held = any(step.error for step in steps)  # the log has their failures, and no start
        ran = run.ended_at and not held and {"success", "failure"} & run.step_counts.keys()
        text = "The log does not say when the steps ran." if ran else "No step started."
        return [Line((text, "muted"))]
    width = width or PIPE_WIDTH
    shown = _worth_showing(steps, most, now)
    key_cells = min(max(cell_width(step.step_id) for step in shown), max(width // 3, 12))
    scale = _Scale(run, steps, now, cells=max(width - key_cells - _DURATION_CELLS - 6, 10))
    margin = " " * (key_cells + 4)
    lines = [Line(margin, (text, "muted")) for text in scale.axis()]
    lines += [_row(step, scale, key_cells, now).cut(width) for step in shown]
    if len(shown) < len(steps):
        hidden = plural(len(steps) - len(shown), "shorter step")
        lines.append(Line((f"  … {hidden} not shown: add --all", "muted")))
    return lines


class _Scale:
    """Times of the run, in cells from its start."""

    def __init__(
        self, run: RunRecord, steps: Sequence[StepRecord], now: datetime, cells: int
    ) -> None:
        known = [time for step in steps for time in (step.started_at, step.ended_at) if time]
        self.start = min([run.started_at, *known])
        self.end = run.ended_at or (now if _lives(run) else max(known))
        self.end = max([self.end, *known])
        self.cells = cells
        self._interrupted = run.status is RunStatus.INTERRUPTED
        self.seconds = max((self.end - self.start).total_seconds(), 1e-6)

    def at(self, time: datetime) -> float:
        return (time - self.start).total_seconds() / self.seconds * self.cells

    def cuts(self, step: StepRecord) -> bool:
        """Whether the step was running when the run's process died. Its end is unknown then: the
        time when the run last recorded something, or later."""
        return self._interrupted and step.state is StepState.CANCELED

    def axis(self) -> tuple[str, str]:
        """Labels at round times, and a ruler with a mark below each label."""
        every = _round_up(self.seconds * _TICK_CELLS / self.cells)
        labels, ruler = " " * self.cells, ["─"] * self.cells
        ticks = range(math.floor(self.seconds / every + 1e-9) + 1)
        for tick in ticks:
            column = min(round(tick * every / self.seconds * self.cells), self.cells - 1)
            ruler[column] = "┼" if tick else "├"
            label = _tick_label(round(tick * every, 9), every)
            at = min(column, self.cells - len(label))
            if not labels[max(at - 1, 0) : at + len(label)].strip():
                labels = labels[:at] + label + labels[at + len(label) :]
        if ruler[-1] == "─":
            ruler[-1] = "┤"
        return labels.rstrip(), "".join(ruler)


def _row(step: StepRecord, scale: _Scale, key_cells: int, now: datetime) -> Line:
    key = Line(shorten(step.step_id, key_cells)).fitted(key_cells)
    state = RunStatus.INTERRUPTED if scale.cuts(step) else step.state
    head = Line(glyph(state), " ", key, "  ")
    if step.started_at is None:
        return Line(head, (step.reason or str(step.state), "muted"))
    end = step.ended_at or (now if step.state is StepState.RUNNING else scale.end)
    begin = scale.at(step.started_at)
    first, drawn = bar(begin, scale.at(end), scale.cells)
    room = " " * (scale.cells - first - len(drawn))
    seconds = units.duration((end - step.started_at).total_seconds())
    if scale.cuts(step):
        seconds = f"≥{seconds}" if step.ended_at else units.UNKNOWN
    return Line(
        head, (_WAITING * first, "muted"), (drawn, style_of(state)), room,
        seconds.rjust(_DURATION_CELLS),
    )  # fmt: skip


def bar(begin: float, end: float, cells: int) -> tuple[int, str]:
    """The first cell and the characters of a bar from `begin` to `end`, both in cells. Its right
    end is exact to an eighth of a cell; for left ends, fonts have little more than half blocks."""
    low = min(max(round(begin * 8), 0), cells * 8 - 1)
    high = min(max(round(end * 8), low + 1), cells * 8)
    first, last = low // 8, (high - 1) // 8
    drawn = [
        _block(max(low - cell * 8, 0), min(high - cell * 8, 8)) for cell in range(first, last + 1)
    ]
    return first, "".join(drawn)


def _block(low: int, high: int) -> str:
    """The character that best covers a cell from `low` to `high` eighths."""
    if low == 0:
        return _LEFT_BLOCKS[high]
    if high == 8:
        return "█" if low == 1 else "▐" if low < 6 else "▕"
    if high - low >= 4:
        return "▌" if low + high < 8 else "▐"
    return "▏" if low + high < 6 else "│" if low + high < 11 else "▕"


def _worth_showing(
    steps: Sequence[StepRecord], most: int | None, now: datetime
) -> list[StepRecord]:
    def place(step: StepRecord) -> tuple[bool, float]:
        return step.started_at is None, step.started_at.timestamp() if step.started_at else 0.0

    def weight(step: StepRecord) -> tuple[bool, float]:
        ran_since = (now - step.started_at).total_seconds() if step.started_at else 0.0
        seconds = step.duration_s if step.duration_s is not None else ran_since
        return step.state in (StepState.FAILURE, StepState.RUNNING), seconds

    chosen = steps
    if most is not None and len(steps) > most:
        chosen = sorted(steps, key=weight, reverse=True)[:most]
    return sorted(chosen, key=place)


def _lives(run: RunRecord) -> bool:
    return run.status == "STARTED"


def _round_up(seconds: float) -> float:
    """`seconds`, rounded up to a round number of seconds, minutes, hours or days."""
    if seconds <= 10:
        power = 10.0 ** math.floor(math.log10(seconds))
        return next(power * n for n in (1, 2, 5, 10) if power * n >= seconds * (1 - 1e-9))
    round_numbers = (15, 30, *(m * 60 for m in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)))
    return next((n for n in round_numbers if n >= seconds), math.ceil(seconds / 86400) * 86400)


def _tick_label(seconds: float, every: float) -> str:
    """`seconds` in a unit that suits marks `every` that many seconds."""
    if every < 60:
        unit, size = ("s", 1.0) if every >= 0.1 else ("ms", 1e-3) if every >= 1e-4 else ("µs", 1e-6)
        return f"{seconds / size:g}{unit}" if seconds < 60 else _clock_label(seconds)
    return _clock_label(seconds)


def _clock_label(seconds: float) -> str:
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(round(seconds), size)
        if count:
            parts.append(f"{count:.0f}{unit}")
    return "".join(parts) or "0s"

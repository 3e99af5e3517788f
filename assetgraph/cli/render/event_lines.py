"""Lines that tell of a run while it goes: what happened to a step, what it printed and logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.render.run_progress import RunProgress
from assetgraph.cli.render.state_style import LEVELS, glyph
from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.cells import Line, clean_lines
from assetgraph.queries.event_text import event_text
from assetgraph.records import EventType, StepState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assetgraph.records import Event

_HIDDEN_LEVEL = "DEBUG"


def step_line(event: Event, seconds: float | None) -> Line | None:
    """What became of a step, for an event that says so. `seconds` is how long it ran."""
    took = ("  " + units.duration(seconds) if seconds is not None else "", "muted")
    name = (event.step or "", "name")
    first = clean_lines(event_text(event))[0]
    match event.type:
        case EventType.STEP_START:
            return Line(glyph(StepState.RUNNING), " ", name)
        case EventType.STEP_SUCCESS:
            return Line(glyph(StepState.SUCCESS), " ", name, took)
        case EventType.STEP_FAILURE:
            return Line(glyph(StepState.FAILURE), " ", name, "  ", (first, "failure"), took)
        case EventType.STEP_SKIPPED:
            return Line(glyph(StepState.SKIPPED), " ", name, "  ", (first, "muted"))
        case EventType.STEP_UNCHANGED:
            return Line(glyph(StepState.UNCHANGED), " ", name, "  ", (first, "muted"))
        case EventType.STEP_CANCELED:
            return Line(glyph(StepState.CANCELED), " ", name, "  ", ("canceled", "warning"))
        case EventType.STEP_UP_FOR_RETRY | EventType.STEP_RESTARTED:
            return Line(glyph(StepState.WAITING), " ", name, "  ", (first, "warning"))
    return None


def log_lines(event: Event) -> list[Line]:
    """What a step logged, unless it was meant for debugging."""
    if event.type is not EventType.LOG or event.level == _HIDDEN_LEVEL:
        return []
    style = LEVELS.get(event.level, "")
    texts = clean_lines(event.message or "")
    if event.step is None:
        return [Line(("! ", style), text) for text in texts]
    level = f"{event.level} " if style else ""
    return [said(event.step, (level + text, style)) for text in texts]


def said(step: str, text: str | tuple[str, str]) -> Line:
    """A line of what a step says, under its name."""
    return Line((f"  {step} │ ", "muted"), text)


class PrintedText:
    """What steps print, in whole lines: the start of a line waits for its end."""

    def __init__(self) -> None:
        self._started: dict[tuple[str, str], str] = {}

    def add(self, step: str, stream: str, text: str) -> list[Line]:
        """The lines that `text` completes."""
        whole, newline, started = (self._started.pop((step, stream), "") + text).rpartition("\n")
        if started:
            self._started[step, stream] = started[-100_000:]
        return [said(step, line) for line in clean_lines(whole)] if newline else []

    def rest(self, step: str | None = None) -> list[Line]:
        """The lines that nothing will complete: of a step that ended, or of all."""
        ended = [place for place in self._started if step in (None, place[0])]
        texts = [(place[0], self._started.pop(place)) for place in ended]
        return [said(name, line) for name, text in texts for line in clean_lines(text)]


class RunLines:
    """A run of the steps `keys` as plain lines: one for each event of interest, and each line that
    a step prints or logs."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._progress = RunProgress(keys)
        self._printed = PrintedText()
        self.output = self._printed.add
        self.rest = self._printed.rest

    @property
    def run_id(self) -> str | None:
        return self._progress.run_id

    def event(self, event: Event) -> list[Line]:
        self._progress.event(event)
        line = step_line(event, self._progress.seconds_of(event))
        return [*self._printed.rest(event.step), line] if line else log_lines(event)

"""The structured log of a run: its events, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.render.state_style import LEVELS, warned
from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.cells import Line, clean_lines, plural, wrapped
from assetgraph.hints import command
from assetgraph.queries.event_text import event_text
from assetgraph.queries.run_views import warned_of
from assetgraph.records import EventType
from assetgraph.text import shorten
from assetgraph.text import width as cell_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from assetgraph.queries.run_views import StepLog
    from assetgraph.records import Event

_EVENT_STYLES = {
    EventType.STEP_SUCCESS: "success",
    EventType.RUN_SUCCESS: "success",
    EventType.STEP_FAILURE: "failure",
    EventType.RUN_FAILURE: "failure",
    EventType.RUN_CANCELED: "warning",
    EventType.STEP_CANCELED: "warning",
    EventType.STEP_SKIPPED: "muted",
}
_MOST_STEP_CELLS = 24
_INDENT = 14
_MOST_WARNINGS = 10
_STREAMS = {"log": "logged", "out": "printed", "err": "printed to stderr"}


def log(events: Sequence[Event], width: int | None) -> list[Line]:
    """A line an event: time, step, type (of a logged line its level), message. A message that
    does not fit stands below its event."""
    step_cells = max((cell_width(event.step or "") for event in events), default=0)
    step_cells = step_cells if width is None else min(step_cells, _MOST_STEP_CELLS)
    type_cells = max((len(_type(event)) for event in events), default=0)
    return [line for event in events for line in _event(event, step_cells, type_cells, width)]


def warnings(events: Iterable[Event], width: int | None) -> list[Line]:
    """What the run warned of, each once."""
    texts = list(warned_of(events))
    lines = []
    for step, message in texts[:_MOST_WARNINGS]:
        lines += warned(f"{step}: {message}" if step else message, width)
    if len(texts) > _MOST_WARNINGS:
        more = plural(len(texts) - _MOST_WARNINGS, "more warning")
        lines.append(Line((f"! … and {more}", "warning")))
    return lines


def step_log_lines(logs: Iterable[StepLog]) -> Iterator[Line]:
    """What each step logged and printed, under a heading a stream."""
    for number, step in enumerate(logs):
        if number:
            yield Line()
        attempt = f", attempt {step.attempt}" if step.attempt > 1 else ""
        yield Line((step.step_id, "name"), (f"  {_STREAMS[step.stream]}{attempt}", "muted"))
        for text in clean_lines(step.text):
            yield Line("  ", text)


def no_log_note(run: str) -> list[Line]:
    """Where to look on, where no step logged or printed anything."""
    page = (command("runs", "show", run), "command")
    return [Line("Nothing was logged or printed. What happened: ", page)]


def _event(event: Event, step_cells: int, type_cells: int, width: int | None) -> list[Line]:
    style = LEVELS.get(event.level) or _EVENT_STYLES.get(event.type, "")
    head = Line(
        (units.clock(event.timestamp), "muted"),
        "  ",
        Line(shorten(event.step or "", step_cells)).fitted(step_cells),
        "  ",
        (_type(event).ljust(type_cells), style),
    )
    text = event_text(event)
    texts = clean_lines(text) if text else []
    if texts and (width is None or head.width + 2 + cell_width(texts[0]) <= width):
        head, texts = Line(head, "  ", texts[0]), texts[1:]
    if width is not None:
        texts = [part for text in texts for part in wrapped(text, max(width - _INDENT, 20))]
    return [head.cut(width), *(Line(" " * _INDENT, text) for text in texts)]


def _type(event: Event) -> str:
    return event.level if event.type is EventType.LOG else str(event.type)

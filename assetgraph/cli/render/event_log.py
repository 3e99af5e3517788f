"""The structured log of a run: one line for each event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.render.state_style import LEVELS
from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.styled_text import Line, clean_lines, wrapped
from assetgraph.queries.event_text import event_text
from assetgraph.records import EventType
from assetgraph.text import shorten
from assetgraph.text import width as cell_width

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def log(events: Sequence[Event], width: int | None) -> list[Line]:
    """A line for each event: time, step, type (for LOG the level) and message. A message that does
    not fit goes below its event."""
    step_cells = max((cell_width(event.step or "") for event in events), default=0)
    step_cells = step_cells if width is None else min(step_cells, _MOST_STEP_CELLS)
    type_cells = max((len(_type(event)) for event in events), default=0)
    return [line for event in events for line in _event(event, step_cells, type_cells, width)]


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

"""`PlainReporter`: a run as plain lines, for a pipe or a file, and `PlainLines`, which also
`runs logs --follow` prints."""

from __future__ import annotations

from collections import Counter
from threading import RLock
from typing import TYPE_CHECKING

from assetgraph.cli.progress.run_progress import AssetProgress, RunProgress, failed_level
from assetgraph.cli.render.run_summary import RunHighlights
from assetgraph.cli.render.state_style import CHECK_MARKS, LEVELS, glyph
from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.output import ReaderGoneError
from assetgraph.cli.terminal.styled_text import Line, clean_lines
from assetgraph.errors import AssetGraphError, CheckFailedError
from assetgraph.records import STATE_AFTER, EventType, StepState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from assetgraph.cli.terminal.output import Output
    from assetgraph.records import Event

_HIDDEN_LEVEL = "DEBUG"
_MOST_FAILURES = 5  # of the partitions of one asset, that have a line each
_ENDS_STEP = (
    EventType.STEP_SUCCESS,
    EventType.STEP_FAILURE,
    EventType.STEP_SKIPPED,
    EventType.STEP_UNCHANGED,
    EventType.STEP_CANCELED,
)
_TOLD_APART = {
    StepState.FAILURE: "failed",
    StepState.SKIPPED: "skipped",
    StepState.UNCHANGED: "unchanged",
    StepState.CANCELED: "canceled",
}


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


class PlainLines:
    """A run of the steps `keys` as plain lines: one for each event of interest, and one for each
    line that a step prints or logs. Of an asset with many partitions, the first failures have a
    line each, and the rest one for each tenth that is done."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._progress = RunProgress(keys)
        self._failed: Counter[str] = Counter()
        self._evaluated: dict[str, Event] = {}  # by the step of a check that failed
        self._printed = PrintedText()
        self.output = self._printed.add
        self.rest = self._printed.rest

    @property
    def run_id(self) -> str | None:
        return self._progress.run_id

    def event(self, event: Event) -> list[Line]:
        self._progress.event(event)
        if event.type not in STATE_AFTER:
            if failed_level(event) and event.step is not None:
                self._evaluated[event.step] = event  # the line of the end says so
                return []
            return log_lines(event)
        found = self._evaluated.pop(event.step or "", None)
        many = self._progress.many(event.step or "")
        if many is not None and not self._is_told(event, many, found):
            line = None
            if event.type in _ENDS_STEP and many.is_new_tenth():
                line = _many_line(many, event.timestamp)
        else:
            line = step_line(event, self._progress.seconds_of(event), found)
        return [*self._printed.rest(event.step), line] if line else self._printed.rest(event.step)

    def _is_told(self, event: Event, many: AssetProgress, found: Event | None) -> bool:
        if event.type is not EventType.STEP_FAILURE and found is None:
            return event.type in (EventType.STEP_UP_FOR_RETRY, EventType.STEP_RESTARTED)
        self._failed[many.key] += 1
        return self._failed[many.key] <= _MOST_FAILURES


def _many_line(many: AssetProgress, now: datetime) -> Line:
    """How far an asset with many partitions is."""
    counted = [
        f"{many.counts[state]:,} {word}"
        for state, word in _TOLD_APART.items()
        if many.counts[state]
    ]
    took = units.duration((now - many.started_at).total_seconds()) if many.started_at else ""
    text = f"  {many.ended:,} of {many.total:,} partitions"
    return Line(
        glyph(_state_of(many)), " ", (many.key, "name"), ", ".join([text, *counted]),
        (f"  {took}" if took else "", "muted"),
    )  # fmt: skip


def _state_of(many: AssetProgress) -> StepState:
    """The state of the steps that ended: a failure, if any failed, or the one of all."""
    if many.counts[StepState.FAILURE]:
        return StepState.FAILURE
    return next((one for one in _TOLD_APART if many.counts[one] == many.ended), StepState.SUCCESS)


def step_line(event: Event, seconds: float | None, found: Event | None = None) -> Line | None:
    """The line for an event that changes a step's state. `seconds` is how long the step ran, and
    `found` the failed evaluation of a check that is the step."""
    if event.type not in STATE_AFTER:
        return None
    if found is not None and _ends_evaluated(event):
        return check_line(found, seconds)
    took = ("  " + units.duration(seconds) if seconds is not None else "", "muted")
    name = (event.step or "", "name")
    match event.type:
        case EventType.STEP_START:
            return Line(glyph(StepState.RUNNING), " ", name)
        case EventType.STEP_SUCCESS:
            return Line(glyph(StepState.SUCCESS), " ", name, took)
        case EventType.STEP_FAILURE:
            return Line(glyph(StepState.FAILURE), " ", name, "  ", (_text(event), "failure"), took)
        case EventType.STEP_SKIPPED:
            return Line(glyph(StepState.SKIPPED), " ", name, "  ", (_text(event), "muted"))
        case EventType.STEP_UNCHANGED:
            return Line(glyph(StepState.UNCHANGED), " ", name, "  ", (_text(event), "muted"))
        case EventType.STEP_CANCELED:
            return Line(glyph(StepState.CANCELED), " ", name, "  ", ("canceled", "warning"))
        case EventType.STEP_UP_FOR_RETRY | EventType.STEP_RESTARTED:
            return Line(glyph(StepState.WAITING), " ", name, "  ", (_text(event), "warning"))
    return None


def _ends_evaluated(event: Event) -> bool:
    """Whether a step ended in no other way than its check says."""
    if event.type is EventType.STEP_FAILURE:
        return bool(event.data["error"]["type"] == CheckFailedError.__name__)
    return event.type is EventType.STEP_SUCCESS


def check_line(found: Event, seconds: float | None = None) -> Line:
    """The line of a check that failed."""
    mark, style = CHECK_MARKS[found.level]
    took = ("  " + units.duration(seconds) if seconds is not None else "", "muted")
    name = (found.target or found.step or "", "name")
    return Line((f"{mark} ", style), name, "  ", (_text(found), style), took)


def _text(event: Event) -> str:
    from assetgraph.queries.event_text import event_text

    return clean_lines(event_text(event))[0]


def log_lines(event: Event) -> list[Line]:
    """What a step logged, without what is for debugging, and the line of a check that failed."""
    if event.type is EventType.ASSET_CHECK_EVALUATION and not event.data["passed"]:
        return [check_line(event)]
    if event.type is not EventType.LOG or event.level == _HIDDEN_LEVEL:
        return []
    style = LEVELS.get(event.level, "")
    texts = clean_lines(event.message or "")
    if event.step is None:
        return [Line(("! ", style), text) for text in texts]
    level = f"{event.level} " if style else ""
    return [_step_said(event.step, (level + text, style)) for text in texts]


def _step_said(step: str, text: str | tuple[str, str]) -> Line:
    """A line that a step logged or printed, beside the step's name."""
    return Line((f"  {step} │ ", "muted"), text)


class PrintedText:
    """What steps print, in whole lines. The start of a line is kept until its end arrives."""

    def __init__(self) -> None:
        self._started: dict[tuple[str, str], str] = {}

    def add(self, step: str, stream: str, text: str) -> list[Line]:
        """The lines that `text` completes."""
        whole, newline, started = (self._started.pop((step, stream), "") + text).rpartition("\n")
        if started:
            self._started[step, stream] = started[-100_000:]
        return [_step_said(step, line) for line in clean_lines(whole)] if newline else []

    def rest(self, step: str | None = None) -> list[Line]:
        """The incomplete lines of a step that ended, or of all steps."""
        ended = [place for place in self._started if step in (None, place[0])]
        texts = [(place[0], self._started.pop(place)) for place in ended]
        return [_step_said(name, line) for name, text in texts for line in clean_lines(text)]

"""What the steps of a run logged and printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.terminal.styled_text import Line, clean_lines
from assetgraph.hints import command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assetgraph.queries.run_views import StepLog

_STREAMS = {"log": "logged", "out": "printed", "err": "printed to stderr"}


def step_log_lines(logs: Iterable[StepLog]) -> Iterator[Line]:
    """The lines of each stream of each step, below a heading."""
    for number, step in enumerate(logs):
        if number:
            yield Line()
        attempt = f", attempt {step.attempt}" if step.attempt > 1 else ""
        yield Line((step.step_id, "name"), (f"  {_STREAMS[step.stream]}{attempt}", "muted"))
        for text in clean_lines(step.text):
            yield Line("  ", text)


def no_log_note(run: str) -> list[Line]:
    """A note for a run without any output, with the command that shows what happened."""
    page = (command("runs", "show", run), "command")
    return [Line("No step logged or printed anything. To see the events: ", page)]

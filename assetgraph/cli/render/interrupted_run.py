"""A note about a run whose process died."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.render.run_summary import from_failure
from assetgraph.cli.terminal.styled_text import Line
from assetgraph.hints import command
from assetgraph.records import StepState
from assetgraph.text import listed

if TYPE_CHECKING:
    from assetgraph.queries.run_views import RunDetails

_MOST_STEPS = 3


def interrupted_run(details: RunDetails, width: int | None) -> list[Line]:
    """Which run was interrupted, in which steps, and the command that continues it."""
    cut = [step.step_id for step in details.steps if step.state is StepState.CANCELED]
    shown = [*cut[:_MOST_STEPS], *(["others"] if len(cut) > _MOST_STEPS else [])]
    where = f" while it ran {listed(shown)}" if cut else ""
    run_id = details.record.run_id
    again = command("runs", "rerun", run_id, *from_failure(details.record))
    text = f"The run {run_id} was interrupted{where}: its process died. To continue: "
    return Line(("! ", "warning"), (text, "warning"), (again, "command")).broken(width, indent=2)

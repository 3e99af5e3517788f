"""What the latest run left undone, for a plan that has nothing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.terminal.styled_text import Line, plural
from assetgraph.errors import AssetGraphError
from assetgraph.hints import command
from assetgraph.planning.reexecution import steps_left
from assetgraph.records import RunStatus

if TYPE_CHECKING:
    from assetgraph.cli.session import Session
    from assetgraph.planning.plan import Plan
    from assetgraph.planning.request import RunRequest

_ENDED_EARLY = (RunStatus.CANCELED, RunStatus.INTERRUPTED)


def unfinished_run(session: Session, request: RunRequest, plan: Plan) -> list[Line]:
    """How to finish the latest run, if it ended early: what it did not reach was up to date before;
    or if it failed, and its failures are asked for, which no longer count since something that
    they rest on was changed. Nothing if the request is about some assets only."""
    latest = next(session.store.runs.ids(), None)
    if latest is None or plan.steps or request.selection not in ((), ("*",)):
        return []
    try:
        record = session.store.runs.read(latest)
        ends = (*_ENDED_EARLY, RunStatus.FAILURE) if "failed" in request.only else _ENDED_EARLY
        left = record.status in ends and steps_left(session.store, record)
    except AssetGraphError:
        return []  # `runs list` reports a damaged record
    if not left:
        return []
    finish = (command("runs", "rerun", latest, "--from-failure"), "command")
    what = "completed" if record.status is RunStatus.FAILURE else "reached"
    return [
        Line(f"The run {latest} has not {what} {plural(len(left), 'step')}. To run them: ", finish)
    ]

"""A run from the command line: watched while it goes, summed up at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from assetgraph.cli.error_messages import CANCELED
from assetgraph.cli.render.plan_lines import plan_lines, plan_notes
from assetgraph.cli.render.run_summary import summary
from assetgraph.cli.reporters import reporting
from assetgraph.cli.terminal.answer import answer, say
from assetgraph.cli.terminal.output import stderr
from assetgraph.errors import UnknownRunError
from assetgraph.process.signals import Terminated
from assetgraph.queries.run_views import RunDetails, run_details, run_details_json
from assetgraph.records import RunStatus
from assetgraph.run.launch import launch

if TYPE_CHECKING:
    from assetgraph.cli.options import Given
    from assetgraph.planning.plan import Plan
    from assetgraph.planning.request import RunRequest
    from assetgraph.run.outcome import RunOutcome

_RUN_FAILED = 1


def execute(given: Given, request: RunRequest, plan: Plan, *, as_json: bool) -> int:
    """Run `plan`; the exit code. Progress and summary go to stderr; stdout gets the run as JSON,
    if asked for."""
    err = stderr()
    if not plan.steps:
        answer(as_json, data=lambda: None, lines=lambda _: ())
        say(plan_lines(plan, err.width))
        return 0
    say(plan_notes(plan))
    code, outcome = 0, None
    with reporting(err, [step.id for step in plan.steps]) as reporter:
        try:
            outcome = launch(
                msgspec.structs.replace(request, launched_by=launched_by()),
                plan,
                given.state,
                project=given.project,
                observer=reporter,
                echo=False,
            )
        except KeyboardInterrupt as interrupt:
            if reporter.run_id is None:  # before the run had a record
                raise
            code = Terminated.exit_code if isinstance(interrupt, Terminated) else CANCELED
    assert reporter.run_id
    details = _details(given, reporter.run_id, outcome)
    say(summary(details, err.width))
    given.remember_assets(given.graph)  # the run may have made the store
    if as_json:
        answer(True, data=lambda: run_details_json(details), lines=lambda _: ())
    failed = details.record.status is RunStatus.FAILURE
    return code or (_RUN_FAILED if failed else 0)


def _details(given: Given, run_id: str, outcome: RunOutcome | None) -> RunDetails:
    """All about the run; its summary where another process has removed the record already, as in a
    project that keeps few runs."""
    try:
        return run_details(given.store, run_id)
    except UnknownRunError:
        if outcome is None:
            raise
        return RunDetails(outcome.record, (), (), ())


def launched_by() -> str:
    """Who runs this, for the record."""
    import os
    from getpass import getuser

    if "ASSETGRAPH_LAUNCHED_BY" in os.environ:  # a program that runs the command for a person
        return os.environ["ASSETGRAPH_LAUNCHED_BY"]
    try:
        return f"command line ({getuser()})"
    except (OSError, KeyError):  # a process whose user has no name
        return "command line"

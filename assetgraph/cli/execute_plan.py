"""Run a plan from the command line: progress until it ends, then a summary."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from assetgraph.cli.exit_codes import CANCELED, RUN_FAILED
from assetgraph.cli.progress.reporter import reporting
from assetgraph.cli.render.run_summary import summary
from assetgraph.cli.render.state_style import warned
from assetgraph.cli.terminal.output import answer, say, stderr
from assetgraph.process.signals import Terminated
from assetgraph.records import RunStatus
from assetgraph.run.launch import launch

if TYPE_CHECKING:
    from assetgraph.cli.session import Session
    from assetgraph.cli.terminal.styled_text import Line
    from assetgraph.planning.plan import Plan
    from assetgraph.planning.request import RunRequest
    from assetgraph.queries.run_views import RunDetails
    from assetgraph.records import RunRecord


_MOST_UNASKED = 20  # partitions that run without a question


def execute(session: Session, request: RunRequest, plan: Plan, *, as_json: bool) -> int:
    """Run `plan` and return the exit code. Progress and summary go to stderr, and the run as JSON
    to stdout, if asked for."""
    err = stderr()
    if not plan.steps:
        _say_why_nothing(session, request, plan, as_json)
        return 0
    code, outcome = 0, None
    steps = [step.id for step in plan.steps]
    with reporting(err, steps, _notes(session, plan), quiet=session.quiet) as reporter:
        try:
            outcome = launch(
                msgspec.structs.replace(request, launched_by=launched_by()),
                plan,
                session.facts,
                project=session.project,
                observer=reporter,
                echo=False,
            )
        except KeyboardInterrupt as interrupt:
            if reporter.run_id is None:  # before the run had a record
                raise
            code = interrupt.exit_code if isinstance(interrupt, Terminated) else CANCELED
    assert reporter.run_id
    record = outcome.record if outcome else session.store.runs.read(reporter.run_id)
    if not session.quiet or record.status is not RunStatus.SUCCESS:
        say(summary(record, reporter.highlights, err.width))
    if outcome and outcome.note:
        say(warned(outcome.note, err.width))
    session.remember_assets(session.graph)  # the run may have created the store
    if as_json:
        _print_json(session, record)
    return code or (RUN_FAILED if record.status is RunStatus.FAILURE else 0)


def _say_why_nothing(session: Session, request: RunRequest, plan: Plan, as_json: bool) -> None:
    from assetgraph.cli.render.plan_lines import plan_lines
    from assetgraph.cli.unfinished_run import unfinished_run

    answer(as_json, data=lambda: None, lines=lambda _: ())
    if not session.quiet:
        lines = plan_lines(request, plan, stderr().width)
        say([*lines, *unfinished_run(session, request, plan)])


def confirm_many(session: Session, request: RunRequest, plan: Plan) -> None:
    """Ask before very many partitions are run, if there is a person to ask. Raises `click.Abort`
    if they say no."""
    count = sum(len(step.outputs) for step in plan.steps if step.outputs[0].partition is not None)
    if count <= _MOST_UNASKED or not sys.stdin.isatty():
        return
    import click

    from assetgraph.cli.terminal.units import rough_duration
    from assetgraph.planning.estimate import estimated_seconds

    estimate = estimated_seconds(plan, session.facts, request.jobs or 1)
    about = "" if estimate is None else f", which may take about {rough_duration(estimate)}"
    click.confirm(f"Run {count:,} partitions{about}?", abort=True, err=True)


def _notes(session: Session, plan: Plan) -> list[Line]:
    """The assets that run without being selected."""
    from assetgraph.planning.plan import Cause

    if not (plan.added or any(step.cause is Cause.MISSING for step in plan.steps)):
        return []
    from assetgraph.cli.render.plan_lines import plan_notes

    return plan_notes(plan, session.facts.targets)


def _print_json(session: Session, record: RunRecord) -> None:
    from assetgraph.queries.run_views import run_details_json

    details = _details(session, record)
    answer(True, data=lambda: run_details_json(details), lines=lambda _: ())


def _details(session: Session, record: RunRecord) -> RunDetails:
    """The run with its steps and events; without them if another process has deleted the record,
    as can happen in a project that keeps few runs."""
    from assetgraph.errors import UnknownRunError
    from assetgraph.queries.run_views import RunDetails, run_details

    try:
        return run_details(session.store, record.run_id)
    except UnknownRunError:
        return RunDetails(record, (), (), ())


def launched_by() -> str:
    """Who starts the run, for its record."""
    import os
    from getpass import getuser

    if "ASSETGRAPH_LAUNCHED_BY" in os.environ:  # a program that runs the command for a person
        return os.environ["ASSETGRAPH_LAUNCHED_BY"]
    try:
        return f"command line ({getuser()})"
    except (OSError, KeyError):  # the process's user has no name
        return "command line"

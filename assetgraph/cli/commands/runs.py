"""`runs`: the record of what ran."""

from __future__ import annotations

import sys

import click

from assetgraph.cli.command_group import CommandGroup
from assetgraph.cli.completion import complete_assets, complete_runs
from assetgraph.cli.options import (
    Given,
    execution_options,
    json_option,
    project_options,
    run_argument,
)
from assetgraph.hints import command

_PAGE = 20
_STATUSES = ("STARTED", "SUCCESS", "FAILURE", "CANCELED", "INTERRUPTED")


@click.group("runs", cls=CommandGroup)
def runs_command() -> None:
    """List, show, repeat, cancel and delete runs."""


@runs_command.command("list")
@click.option(
    "-n", "--limit", default=_PAGE, show_default=True, type=click.IntRange(1), help="How many."
)
@click.option("--before", metavar="RUN", help="Only runs older than this one.")
@click.option(
    "--status", type=click.Choice(_STATUSES, case_sensitive=False), help="Only runs with it."
)
@json_option
@project_options
def list_command(
    given: Given, limit: int, before: str | None, status: str | None, as_json: bool
) -> None:
    """The runs, newest first.

    \b
    Examples:
      assetgraph runs list
      assetgraph runs list --status FAILURE --limit 5
    """
    from assetgraph.cli.render.run_list import page_notes, run_table
    from assetgraph.cli.terminal.answer import answer, say
    from assetgraph.queries.run_views import list_runs, run_json
    from assetgraph.records import RunStatus, now

    page = list_runs(
        given.store,
        limit=limit,
        before=given.store.runs.find(before) if before else None,
        status=RunStatus(status) if status else None,
    )
    answer(
        as_json,
        data=lambda: [run_json(run) for run in page.runs],
        lines=lambda width: run_table(page.runs, now(), width),
    )
    if not as_json:
        more = page.following if sys.stdout.isatty() else None
        older = _older(more, limit, status) if more else None
        say(page_notes(page, older, narrowed=bool(before or status)))


def _older(before: str, limit: int, status: str | None) -> str:
    """The command that shows the next page of the same list."""
    asked = ["--status", status] if status else []
    if limit != _PAGE:
        asked += ["--limit", str(limit)]
    return command("runs", "list", "--before", before, *asked)


@runs_command.command("show")
@run_argument
@click.option("--trace", is_flag=True, help="Show the full trace of each failure.")
@click.option("--all", "whole", is_flag=True, help="Draw every step, show every event.")
@json_option
@project_options
def show_command(given: Given, run: str, trace: bool, whole: bool, as_json: bool) -> None:
    """All about one run: what failed, statistics, timeline, log.

    RUN is its id, any unique part of it, or "latest".

    \b
    Examples:
      assetgraph runs show latest
      assetgraph runs show 4f2a --trace
    """
    from assetgraph.cli.render.run_lines import run_page
    from assetgraph.cli.terminal.answer import answer
    from assetgraph.queries.run_views import run_details, run_details_json
    from assetgraph.records import now

    details = run_details(given.store, run)
    answer(
        as_json,
        data=lambda: run_details_json(details),
        lines=lambda width: run_page(details, now(), width, trace=trace, whole=whole),
    )


@runs_command.command("logs")
@run_argument
@click.argument("keys", nargs=-1, metavar="[KEY]...", shell_complete=complete_assets)
@click.option("-f", "--follow", is_flag=True, help="Tell what happens as it comes, until the end.")
@json_option
@project_options
def logs_command(
    given: Given, run: str, keys: tuple[str, ...], follow: bool, as_json: bool
) -> int | None:
    """What the steps of a run logged and printed, step by step.

    \b
    Examples:
      assetgraph runs logs latest
      assetgraph runs logs latest taxi_trips_file
      assetgraph runs logs latest --follow
    """
    if follow:
        from assetgraph.cli.follow_run import follow_logs

        return follow_logs(given, run, keys, as_json=as_json)
    from assetgraph.cli.render.log_lines import no_log_note, step_log_lines
    from assetgraph.cli.render.run_lines import no_end
    from assetgraph.cli.terminal.answer import answer, say
    from assetgraph.cli.terminal.output import stderr
    from assetgraph.queries.run_views import find_run, run_details, step_log_json, step_logs
    from assetgraph.records import RunStatus

    logs = step_logs(given.store, run, keys)
    answer(
        as_json,
        data=lambda: [step_log_json(log) for log in logs],
        lines=lambda _: step_log_lines(logs),
    )
    record = find_run(given.store, run)
    if record.status is RunStatus.INTERRUPTED:
        say(no_end(run_details(given.store, record.run_id), stderr().width))
    elif not logs and not as_json:
        say(no_log_note(run))
    return None


@runs_command.command("rerun")
@run_argument
@click.option("--from-failure", is_flag=True, help="Only what failed, and what did not run.")
@click.option(
    "--step", "steps", metavar="KEY", multiple=True, shell_complete=complete_assets,
    help="Only this step; may be given again.",
)  # fmt: skip
@json_option
@execution_options
@project_options
def rerun_command(
    given: Given, run: str, from_failure: bool, steps: tuple[str, ...], as_json: bool
) -> int:
    """Make a new run of the same assets with the same config.

    It remembers the run that it repeats, and the first of them all: its root.

    \b
    Examples:
      assetgraph runs rerun latest
      assetgraph runs rerun 4f2a --from-failure
      assetgraph runs rerun 4f2a --step taxi_trips
    """
    from assetgraph.cli.watched_run import execute
    from assetgraph.planning.reexecution import rerun_request

    if from_failure and steps:
        raise click.UsageError("give --from-failure, or the steps, not both.")
    record = given.store.runs.read(given.store.runs.find(run))
    request = given.placed(
        rerun_request(given.store, record, from_failure=from_failure, steps=steps)
    )
    return execute(given, request, given.plan(request), as_json=as_json)


@runs_command.command("cancel", short_help="End a run that is under way.")
@run_argument
@json_option
@project_options
def cancel_command(given: Given, run: str, as_json: bool) -> None:
    """End a run that is under way, in whichever terminal, as Ctrl-C does there.

    \b
    Example:
      assetgraph runs cancel latest
    """
    from assetgraph.cli.terminal.answer import answer
    from assetgraph.cli.terminal.cells import Line
    from assetgraph.run.cancel import cancel_run

    run_id = given.store.runs.find(run)
    cancel_run(given.store, run_id)
    answer(as_json, data=lambda: run_id, lines=lambda _: [Line(f"Told the run {run_id} to end")])


@runs_command.command("delete")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", shell_complete=complete_runs)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
@project_options
def delete_command(given: Given, runs: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Remove the records of runs. What they materialized stays.

    \b
    Example:
      assetgraph runs delete 4f2a --yes
    """
    from assetgraph.cli.terminal.answer import answer
    from assetgraph.cli.terminal.cells import Line, plural

    ids = list(dict.fromkeys(given.store.runs.find(run) for run in runs))
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("there is nobody to ask. Give --yes to delete without asking.")
        click.confirm(f"Delete {plural(len(ids), 'run')}: {', '.join(ids)}?", abort=True, err=True)
    for run_id in ids:
        given.store.runs.delete(run_id)
    answer(
        as_json,
        data=lambda: ids,
        lines=lambda _: [Line(f"Deleted {run_id}") for run_id in ids],
    )

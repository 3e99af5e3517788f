"""`runs`: list, show, re-execute, cancel and delete runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from assetgraph.cli.commands.command_group import CommandGroup
from assetgraph.cli.options import (
    WholeNumber,
    complete_assets,
    complete_runs,
    complete_statuses,
    config_options,
    execution_options,
    json_option,
    project_options,
    run_argument,
)
from assetgraph.cli.session import Session
from assetgraph.hints import command
from assetgraph.states import RunStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from assetgraph.queries.run_filter import RunFilter

_PAGE = 20
_STATUSES = "|".join(RunStatus)


@click.group("runs", cls=CommandGroup)
def runs_command() -> None:
    """List, show, re-execute, cancel and delete runs."""


@runs_command.command("list")
@click.option(
    "-n", "--limit", metavar="N", default=_PAGE, show_default=True, type=WholeNumber(1),
    help="How many runs to list.",
)  # fmt: skip
@click.option("--before", metavar="RUN", help="Only runs older than this run.")
@click.option(
    "--status", metavar=f"[{_STATUSES}]", shell_complete=complete_statuses,
    help="Only runs with this status.",
)  # fmt: skip
@click.option(
    "--asset", "assets", metavar="KEY", multiple=True, shell_complete=complete_assets,
    help="Only runs of this asset. Repeatable: of any of them.",
)  # fmt: skip
@click.option(
    "--tag", "tags", metavar="KEY[=VALUE]", multiple=True,
    help="Only runs with this tag. Repeatable: with all of them.",
)  # fmt: skip
@click.option(
    "--since", metavar="TIME", help="Only runs that started since: 2h, 3d, today, 2026-11-30."
)
@json_option
@project_options
def list_command(
    session: Session,
    limit: int,
    before: str | None,
    status: str | None,
    assets: tuple[str, ...],
    tags: tuple[str, ...],
    since: str | None,
    as_json: bool,
) -> None:
    """List the runs, newest first.

    \b
    Examples:
      assetgraph runs list
      assetgraph runs list --status FAILURE --limit 5
      assetgraph runs list --asset taxi_trips@2023-03-01 --since 2d
    """
    from assetgraph.cli.render.run_list import page_notes, run_table
    from assetgraph.cli.terminal.output import answer, say
    from assetgraph.queries.run_views import every_run, list_runs, run_json
    from assetgraph.records import now

    store = session.store
    asked = _asked(status, assets, tags, since)
    keys = [session.recorded_name(text) for text in assets]
    only = _only(status, keys, tags, since) if asked else None
    older_than = store.runs.find(before) if before else None
    page = list_runs(store, limit=limit, before=older_than, only=only)
    if only is not None:
        only.require_known(store, page.runs, lambda: every_run(store), session.defined_names)
    answer(
        as_json,
        data=lambda: [run_json(run) for run in page.runs],
        lines=lambda width: run_table(page.runs, now(), width),
    )
    if not as_json:
        more = page.following if sys.stdout.isatty() else None
        older = _older(more, limit, asked) if more else None
        say(page_notes(page, older, narrowed=bool(before or asked)))


def _only(
    status: str | None, assets: Sequence[str], tags: tuple[str, ...], since: str | None
) -> RunFilter:
    """The filter that the options ask for. Raises `AssetGraphError`."""
    from assetgraph.queries.run_filter import RunFilter, status_named
    from assetgraph.queries.since import moment
    from assetgraph.records import now

    return RunFilter(
        statuses=frozenset({status_named(status)} if status else ()),
        assets=tuple(assets),
        tags=tags,
        since=moment(since, now()) if since else None,
    )


def _asked(
    status: str | None, assets: tuple[str, ...], tags: tuple[str, ...], since: str | None
) -> list[str]:
    """The options that narrow a list, as they were given."""
    given = [("--status", status), *(("--asset", one) for one in assets)]
    given += [*(("--tag", one) for one in tags), ("--since", since)]
    return [word for option, value in given if value for word in (option, value)]


def _older(before: str, limit: int, asked: list[str]) -> str:
    """The command that prints the next page of the same list."""
    asked = list(asked)
    if limit != _PAGE:
        asked += ["--limit", str(limit)]
    return command("runs", "list", "--before", before, *asked)


@runs_command.command("show")
@run_argument
@click.option("--trace", is_flag=True, help="Show the full trace of each failure.")
@click.option("--all", "whole", is_flag=True, help="Show every step and every event.")
@json_option
@project_options
def show_command(session: Session, run: str, trace: bool, whole: bool, as_json: bool) -> None:
    """Show one run: its failures, statistics, timeline and log.

    RUN is its id, any unique part of it, or "latest".

    \b
    Examples:
      assetgraph runs show latest
      assetgraph runs show 4f2a --trace
    """
    from assetgraph.cli.render.run_page import run_page
    from assetgraph.cli.terminal.output import answer
    from assetgraph.queries.run_views import run_details, run_details_json
    from assetgraph.records import now

    details = run_details(session.store, run)
    answer(
        as_json,
        data=lambda: run_details_json(details),
        lines=lambda width: run_page(details, now(), width, trace=trace, whole=whole),
    )


@runs_command.command("logs", short_help="Print the logs and the output of steps.")
@run_argument
@click.argument("keys", nargs=-1, metavar="[KEY]...", shell_complete=complete_assets)
@click.option(
    "-f", "--follow", is_flag=True, help="Follow the run: print new output until it ends."
)
@json_option
@project_options
def logs_command(
    session: Session, run: str, keys: tuple[str, ...], follow: bool, as_json: bool
) -> int | None:
    """Print what the steps of a run logged and printed, step by step.

    \b
    Examples:
      assetgraph runs logs latest
      assetgraph runs logs latest taxi_trips_file
      assetgraph runs logs latest --follow
    """
    if follow:
        from assetgraph.cli.commands.follow_logs import follow_logs

        return follow_logs(session, run, keys, as_json=as_json)
    from assetgraph.cli.render.run_page import no_end
    from assetgraph.cli.render.step_logs import no_log_note, step_log_lines
    from assetgraph.cli.terminal.output import answer, say, stderr
    from assetgraph.queries.run_views import find_run, run_details, step_log_json, step_logs

    logs = step_logs(session.store, run, keys)
    answer(
        as_json,
        data=lambda: [step_log_json(log) for log in logs],
        lines=lambda _: step_log_lines(logs),
    )
    record = find_run(session.store, run)
    if record.status is RunStatus.INTERRUPTED:
        say(no_end(run_details(session.store, record.run_id), stderr().width))
    elif not logs and not as_json:
        say(no_log_note(run))
    return None


@runs_command.command("rerun", short_help="Run the same assets again.")
@run_argument
@click.option("--from-failure", is_flag=True, help="Only steps that failed or did not run.")
@click.option(
    "--step", "steps", metavar="KEY", multiple=True, shell_complete=complete_assets,
    help="Only this step. Repeatable.",
)  # fmt: skip
@config_options
@json_option
@execution_options
@project_options
def rerun_command(
    session: Session,
    run: str,
    from_failure: bool,
    steps: tuple[str, ...],
    settings: tuple[str, ...],
    config_file: Path | None,
    as_json: bool,
) -> int:
    """Start a new run of the same assets with the same config, but for what --config changes.

    The new run records its parent, which is RUN, and the root of the chain of re-executions.

    \b
    Examples:
      assetgraph runs rerun latest
      assetgraph runs rerun 4f2a --from-failure
      assetgraph runs rerun 4f2a --step taxi_trips
      assetgraph runs rerun latest --config trips.limit=100
    """
    from assetgraph.cli.execute_plan import execute
    from assetgraph.planning.reexecution import rerun_request

    if from_failure and steps:
        raise click.UsageError("--from-failure and --step cannot be combined.")
    record = session.store.runs.read(session.store.runs.find(run))
    request = session.placed(
        rerun_request(
            session.store,
            record,
            from_failure=from_failure,
            steps=steps,
            config=_config(settings, config_file),
        )
    )
    return execute(session, request, session.plan(request), as_json=as_json)


def _config(settings: tuple[str, ...], config_file: Path | None) -> dict[str, dict[str, Any]]:
    if not (settings or config_file):
        return {}
    from assetgraph.cli.config_and_tags import read_config

    return read_config(config_file, settings)


@runs_command.command("cancel", short_help="Cancel a run in progress.")
@run_argument
@json_option
@project_options
def cancel_command(session: Session, run: str, as_json: bool) -> None:
    """Cancel a run in progress, like Ctrl-C in its own terminal.

    \b
    Example:
      assetgraph runs cancel latest
    """
    from assetgraph.cli.terminal.output import answer
    from assetgraph.cli.terminal.styled_text import Line
    from assetgraph.run.cancel import cancel_run

    run_id = session.store.runs.find(run)
    cancel_run(session.store, run_id)
    answer(as_json, data=lambda: run_id, lines=lambda _: [Line(f"Canceling the run {run_id}")])


@runs_command.command("delete")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", shell_complete=complete_runs)
@click.option("-y", "--yes", is_flag=True, help="Delete without asking.")
@json_option
@project_options
def delete_command(session: Session, runs: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Delete the records of runs. The values that they materialized stay.

    \b
    Example:
      assetgraph runs delete 4f2a --yes
    """
    from assetgraph.cli.terminal.output import answer
    from assetgraph.cli.terminal.styled_text import Line, plural

    ids = list(dict.fromkeys(session.store.runs.find(run) for run in runs))
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError(
                "there is no terminal to ask for confirmation. Add --yes to delete anyway."
            )
        click.confirm(f"Delete {plural(len(ids), 'run')}: {', '.join(ids)}?", abort=True, err=True)
    for run_id in ids:
        session.store.runs.delete(run_id)
    answer(
        as_json,
        data=lambda: ids,
        lines=lambda _: [Line(f"Deleted {run_id}") for run_id in ids],
    )

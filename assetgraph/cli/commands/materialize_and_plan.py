"""`plan` and `materialize`: show what would run, and run it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

import click

from assetgraph.cli.options import (
    complete_assets,
    config_options,
    execution_options,
    json_option,
    project_options,
    selection_argument,
)
from assetgraph.cli.session import Session
from assetgraph.process.garbage_collector import paused_collector

if TYPE_CHECKING:
    from collections.abc import Callable

    from assetgraph.planning.request import RunRequest

F = TypeVar("F", bound="Callable[..., Any]")

_NOTHING_SELECTED = (
    "no assets are selected. Name some, or add --all for every asset, "
    "or --stale for missing and stale ones."
)
_ALL_PARTITIONS = "*"


class Asked(TypedDict):
    """What a command gets from `planning_options`."""

    selection: tuple[str, ...]
    everything: bool
    job: str | None
    partition: tuple[str, ...]
    partitions: tuple[str, ...]
    all_partitions: bool
    missing: bool
    failed: bool
    stale: bool
    ignore_checks: bool
    exclude: tuple[str, ...]
    settings: tuple[str, ...]
    config_file: Path | None


def planning_options(command: F) -> F:
    """Options that select assets and set their config: see `Asked`."""
    for option in (
        click.option(
            "--exclude", metavar="SELECTION", multiple=True, shell_complete=complete_assets,
            help="Do not run these; their present values are used. Repeatable.",
        ),
        click.option(
            "--ignore-checks", is_flag=True, help="Run what a failed blocking check holds, too.",
        ),
        click.option(
            "--failed", is_flag=True, help="Only what failed, among the selection or all.",
        ),
        click.option(
            "--missing", is_flag=True, help="Only what has no value, among the selection or all.",
        ),
        click.option(
            "--all-partitions", is_flag=True, help="All partitions of the selected assets.",
        ),
        click.option(
            "--partitions", metavar="FIRST..LAST", multiple=True,
            help="A range of partitions of the selected assets. Repeatable.",
        ),
        click.option(
            "--partition", metavar="KEY", multiple=True,
            help="One partition of the selected assets. Repeatable.",
        ),
        click.option(
            "--stale", is_flag=True,
            help="Only the missing, stale and failed assets among the selection and its upstreams, "
            "or among all.",
        ),
        click.option(
            "--job", metavar="NAME", help="The assets of a job, with its config and tags.",
        ),
        click.option("--all", "everything", is_flag=True, help="Select every asset."),
        selection_argument,
    ):  # fmt: skip
        command = option(command)
    return config_options(command)


@click.command("plan", short_help="Show what would run, and why.")
@planning_options
@json_option
@project_options
def plan_command(session: Session, as_json: bool, **asked: Unpack[Asked]) -> None:
    """Show what `materialize` would run, in order, and why. The default is --stale.

    \b
    Examples:
      assetgraph plan
      assetgraph plan taxi_trips
      assetgraph plan --stale taxi_trips
    """
    asked["stale"] = asked["stale"] or not (
        asked["selection"]
        or asked["everything"]
        or asked["job"]
        or asked["missing"]
        or asked["failed"]
    )
    request = _request(session, asked)
    _print_plan(session, request, as_json)
    session.tell_of_interrupted_run()


@click.command("materialize", short_help="Run assets, and record the run.")
@planning_options
@click.option("--dry-run", is_flag=True, help="Print the plan, and run nothing.")
@click.option("-y", "--yes", is_flag=True, help="Run many partitions without asking.")
@click.option("--tag", "tags", metavar="KEY=VALUE", multiple=True, help="Tag the run. Repeatable.")
@json_option
@execution_options
@project_options
def materialize_command(
    session: Session,
    dry_run: bool,
    yes: bool,
    tags: tuple[str, ...],
    as_json: bool,
    **asked: Unpack[Asked],
) -> int:
    """Run the selected assets, upstream before downstream, and record the run.

    An upstream asset without a value runs too. Exit code 1 if a step fails.

    \b
    Examples:
      assetgraph materialize taxi_trips_file
      assetgraph materialize --stale
      assetgraph materialize +trips --config trips.limit=100
      assetgraph materialize --all -j 4 --tag reason=nightly
      assetgraph materialize taxi_trips --partitions 2023-01..2023-03
    """
    from assetgraph.cli.execute_plan import confirm_many, execute

    states = asked["stale"] or asked["missing"] or asked["failed"]
    if not (asked["selection"] or asked["everything"] or asked["job"] or states):
        raise click.UsageError(_NOTHING_SELECTED)
    session.may_create_store = True
    request = _request(session, asked, tags)
    with paused_collector():
        if not dry_run:
            _observe_first(session, request)
        if dry_run:
            session.tell_of_interrupted_run()
            _print_plan(session, request, as_json)
            return 0
        plan = session.plan(request)
        session.tell_of_interrupted_run()
        if not yes:
            confirm_many(session, request, plan)
        return execute(session, request, plan, as_json=as_json)


def _observe_first(session: Session, request: RunRequest) -> None:
    if request.stale and session.graph.externals:
        from assetgraph.run.observe import observe_first

        with session.renamed(request.selection):
            observe_first(request, session.facts)


def _request(session: Session, asked: Asked, tags: tuple[str, ...] = ()) -> RunRequest:
    selection, settings, file = asked["selection"], asked["settings"], asked["config_file"]
    partitions = asked["partition"] + asked["partitions"]
    if asked["stale"] and (asked["missing"] or asked["failed"]):
        raise click.UsageError("--stale includes what is missing or failed: leave out the others.")
    if asked["all_partitions"] and partitions:
        raise click.UsageError("--all-partitions cannot be combined with some partitions.")
    if selection and asked["everything"]:
        raise click.UsageError("--all and a selection cannot be combined.")
    if asked["job"] is not None and (selection or asked["everything"]):
        raise click.UsageError("--job selects assets itself: leave out the selection and --all.")
    more: dict[str, Any] = {}
    if settings or file or tags:
        from assetgraph.cli.config_and_tags import parse_tags, read_config

        more = {"config": read_config(file, settings), "tags": parse_tags(tags)}
    more["selection"] = selection or ("*",)
    if asked["job"] is not None:
        from assetgraph.cli.job_request import of_job

        more = of_job(session, asked["job"], more)
    return session.request(
        partitions=(_ALL_PARTITIONS,) if asked["all_partitions"] else partitions,
        stale=asked["stale"],
        only=tuple(word for word in ("missing", "failed") if asked[word]),
        exclude=asked["exclude"],
        ignore_checks=asked["ignore_checks"],
        **more,
    )


def _print_plan(session: Session, request: RunRequest, as_json: bool) -> None:
    from assetgraph.cli.render.plan_lines import (
        group_lines,
        plan_lines,
        plan_notes,
        plan_warnings,
    )
    from assetgraph.cli.terminal.output import answer, say, stderr
    from assetgraph.queries.plan_groups import plan_json

    outline = None if as_json else session.stale_outline(request)
    if outline is not None and outline.groups:
        answer(False, data=lambda: None, lines=partial(group_lines, outline.groups))
        say(plan_warnings(outline, stderr().width))
        return
    plan = session.plan(request)
    lines = partial(plan_lines, request, plan, targets=session.facts.targets)
    answer(as_json, data=lambda: plan_json(plan), lines=lines)
    say([*plan_warnings(plan, stderr().width), *plan_notes(plan, session.facts.targets)])
    if not plan.steps:
        from assetgraph.cli.unfinished_run import unfinished_run

        say(unfinished_run(session, request, plan))

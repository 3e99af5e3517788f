"""`plan` and `materialize`: what would run, and the run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assetgraph.cli.options import (
    Given,
    execution_options,
    json_option,
    project_options,
    selection_argument,
)
from assetgraph.process.collector import paused_collector

if TYPE_CHECKING:
    from collections.abc import Callable

    from assetgraph.planning.plan import Plan
    from assetgraph.planning.request import RunRequest

F = TypeVar("F", bound="Callable[..., Any]")


def planning_options(command: F) -> F:
    """What says which steps, and with which config."""
    for option in (
        click.option(
            "--config-file", metavar="FILE",
            type=click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path),
            help="Config of assets: {asset key: {field: value}} in JSON, TOML or YAML.",
        ),
        click.option(
            "--config", "settings", metavar="KEY.FIELD=VALUE", multiple=True,
            help="One field of the config of one asset.",
        ),
        click.option(
            "--stale", is_flag=True,
            help="Only what is missing or stale: of the selection and its upstreams, or of all.",
        ),
        click.option("--all", "everything", is_flag=True, help="Every asset."),
        selection_argument,
    ):  # fmt: skip
        command = option(command)
    return command


@click.command("plan", short_help="Print what would run, and why.")
@planning_options
@json_option
@project_options
def plan_command(
    given: Given,
    selection: tuple[str, ...],
    everything: bool,
    stale: bool,
    settings: tuple[str, ...],
    config_file: Path | None,
    as_json: bool,
) -> None:
    """What `materialize` would run, in order, and why. Alone: what is missing or stale.

    \b
    Examples:
      assetgraph plan
      assetgraph plan taxi_trips
      assetgraph plan --stale taxi_trips
    """
    stale = stale or not (selection or everything)
    request = _request(given, selection, everything, stale, settings, config_file)
    _print_plan(given.plan(request), as_json)


@click.command("materialize", short_help="Run assets and record the run.")
@planning_options
@click.option("--dry-run", is_flag=True, help="Print the plan and run nothing.")
@click.option("--tag", "tags", metavar="KEY=VALUE", multiple=True, help="Note this with the run.")
@json_option
@execution_options
@project_options
def materialize_command(
    given: Given,
    selection: tuple[str, ...],
    everything: bool,
    stale: bool,
    settings: tuple[str, ...],
    config_file: Path | None,
    dry_run: bool,
    tags: tuple[str, ...],
    as_json: bool,
) -> int:
    """Run what is selected, upstream before downstream, and record the run.

    An upstream that has no value yet is run too. Exit code 1 if a step fails.

    \b
    Examples:
      assetgraph materialize taxi_trips_file
      assetgraph materialize --stale
      assetgraph materialize +taxi_trips --config taxi_trips_file.month=2023-04
      assetgraph materialize --all -j 4 --tag reason=backfill
    """
    from assetgraph.cli.watched_run import execute

    if not (selection or everything or stale):
        raise click.UsageError(
            "nothing is selected. Name assets, or give --all for every one, "
            "or --stale for what is missing or out of date."
        )
    request = _request(given, selection, everything, stale, settings, config_file, tags)
    with paused_collector():
        plan = given.plan(request)
        if dry_run:
            _print_plan(plan, as_json)
            return 0
        return execute(given, request, plan, as_json=as_json)


def _request(
    given: Given,
    selection: tuple[str, ...],
    everything: bool,
    stale: bool,
    settings: tuple[str, ...],
    config_file: Path | None,
    tags: tuple[str, ...] = (),
) -> RunRequest:
    from assetgraph.cli.given_text import parse_tags, read_config

    if selection and everything:
        raise click.UsageError("--all means every asset: leave it out, or leave the selection out.")
    return given.request(
        selection=selection or ("*",),
        stale=stale,
        config=read_config(config_file, settings),
        tags=parse_tags(tags),
    )


def _print_plan(plan: Plan, as_json: bool) -> None:
    from assetgraph.cli.render.plan_lines import plan_lines, plan_notes, plan_warnings
    from assetgraph.cli.terminal.answer import answer, say
    from assetgraph.cli.terminal.output import stderr
    from assetgraph.queries.asset_views import plan_json

    answer(as_json, data=lambda: plan_json(plan), lines=lambda width: plan_lines(plan, width))
    say([*plan_warnings(plan, stderr().width), *plan_notes(plan)])

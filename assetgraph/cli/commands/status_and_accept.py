"""`status` and `accept`: what is up to date, and what is to count as such."""

from __future__ import annotations

import click

from assetgraph.cli.completion import complete_assets
from assetgraph.cli.options import Given, json_option, project_options, selection_argument
from assetgraph.hints import command

_NOT_FRESH = 1


@click.command("status", short_help="Say what is not up to date, and why.")
@selection_argument
@click.option("--exit-code", is_flag=True, help="Exit with 1 when something is not fresh.")
@json_option
@project_options
def status_command(given: Given, selection: tuple[str, ...], exit_code: bool, as_json: bool) -> int:
    """Each asset's state, with every reason why it is not up to date.

    \b
    Examples:
      assetgraph status
      assetgraph status +taxi_trips --exit-code
    """
    from assetgraph.cli.render.status_lines import status_notes, status_table
    from assetgraph.cli.terminal.answer import answer, say
    from assetgraph.queries.asset_views import asset_json, asset_views
    from assetgraph.records import AssetState

    views = asset_views(given.state, map(given.graph.asset, given.selected(selection)))
    answer(
        as_json,
        data=lambda: [asset_json(view) for view in views],
        lines=lambda width: status_table(views, width),
    )
    say(status_notes(views, command("materialize", "--stale", *selection)))
    fresh = all(view.state is AssetState.FRESH for view in views)
    return _NOT_FRESH if exit_code and not fresh else 0


@click.command("accept", short_help="Take changed code as current without running it.")
@click.argument(
    "selection", nargs=-1, required=True, metavar="SELECTION...", shell_complete=complete_assets
)
@json_option
@project_options
def accept_command(given: Given, selection: tuple[str, ...], as_json: bool) -> None:
    """Record the present code of assets as current, for a change that you know to be harmless.

    \b
    Example:
      assetgraph accept taxi_trips
    """
    from assetgraph.cli.terminal.answer import answer, say
    from assetgraph.cli.terminal.cells import Line
    from assetgraph.planning.accept import accept

    keys = [key.text for key in accept(given.state, given.selected(selection))]
    answer(
        as_json,
        data=lambda: keys,
        lines=lambda _: [Line(f"Accepted the code of {key}") for key in keys],
    )
    if not keys:
        say([Line("Nothing to accept: the code is the one that the values were made with.")])

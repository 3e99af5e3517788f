"""`list` and `show`: the assets."""

from __future__ import annotations

import click

from assetgraph.cli.options import (
    Given,
    asset_argument,
    json_option,
    project_options,
    selection_argument,
)


@click.command("list", short_help="List the assets and their states.")
@selection_argument
@json_option
@project_options
def list_command(given: Given, selection: tuple[str, ...], as_json: bool) -> None:
    """The assets, each with its state.

    \b
    Examples:
      assetgraph list
      assetgraph list group:raw_files
      assetgraph list +taxi_trips
    """
    from assetgraph.cli.render.asset_lines import asset_table, list_notes
    from assetgraph.cli.terminal.answer import answer, say
    from assetgraph.cli.terminal.output import stderr
    from assetgraph.queries.asset_views import asset_json, asset_views
    from assetgraph.records import now

    views = asset_views(given.state, map(given.graph.asset, given.selected(selection)))
    answer(
        as_json,
        data=lambda: [asset_json(view) for view in views],
        lines=lambda width: asset_table(views, now(), width),
    )
    say(list_notes(views, stderr().width))


@click.command("show", short_help="Show all about one asset.")
@asset_argument
@json_option
@project_options
def show_command(given: Given, key: str, as_json: bool) -> None:
    """All about one asset.

    \b
    Example:
      assetgraph show taxi_trips
    """
    from assetgraph.cli.render.asset_lines import asset_page
    from assetgraph.cli.terminal.answer import answer
    from assetgraph.keys import AssetKey
    from assetgraph.queries.asset_views import asset_details, asset_details_json

    details = asset_details(given.state, given.graph.asset(AssetKey(key)))
    answer(
        as_json,
        data=lambda: asset_details_json(details),
        lines=lambda width: asset_page(details, width),
    )

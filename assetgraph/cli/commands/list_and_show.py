"""`list` and `show`: all assets, and one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assetgraph.cli.options import (
    WholeNumber,
    asset_argument,
    json_option,
    project_options,
    selection_argument,
)
from assetgraph.cli.session import Session

if TYPE_CHECKING:
    from assetgraph.keys import Target


@click.command("list", short_help="List the assets with their states.")
@selection_argument
@json_option
@project_options
def list_command(session: Session, selection: tuple[str, ...], as_json: bool) -> None:
    """List the assets with their states.

    \b
    Examples:
      assetgraph list
      assetgraph list group:raw_files
      assetgraph list +taxi_trips
    """
    from assetgraph.cli.render.asset_list import asset_table, list_notes, nothing_note
    from assetgraph.cli.terminal.output import answer, say, stderr
    from assetgraph.queries.asset_views import asset_json, asset_views
    from assetgraph.records import now

    views = asset_views(session.facts, map(session.graph.asset, session.selected(selection)))
    answer(
        as_json,
        data=lambda: [asset_json(view) for view in views],
        lines=lambda width: asset_table(views, now(), width),
    )
    say(list_notes(views, stderr().width) if views else nothing_note(selection))


@click.command("show", short_help="Show one asset in detail.")
@asset_argument
@click.option(
    "--head", metavar="N", type=WholeNumber(1, 10_000),
    help="Show the first N rows or lines of its value instead.",
)  # fmt: skip
@json_option
@project_options
def show_command(session: Session, key: str, head: int | None, as_json: bool) -> None:
    """Show the definition, the current value and the history of one asset, or of one partition.

    \b
    Examples:
      assetgraph show taxi_trips
      assetgraph show taxi_trips@2023-03
      assetgraph show taxi_trips@2023-03 --head 20
    """
    from assetgraph.cli.render.asset_page import asset_page
    from assetgraph.cli.terminal.output import answer
    from assetgraph.queries.asset_views import asset_details, asset_details_json

    target = session.target(key)
    if target.key in session.graph.checks:
        _show_check(session, target, as_json)
        return
    if head is not None:
        _show_value(session, target, head, as_json)
        return
    details = asset_details(session.facts, target)
    answer(
        as_json,
        data=lambda: asset_details_json(details),
        lines=lambda width: asset_page(details, width),
    )


def _show_check(session: Session, target: Target, as_json: bool) -> None:
    """Print one check, with what it last found."""
    from assetgraph.cli.render.check_lines import check_page
    from assetgraph.cli.terminal.output import answer
    from assetgraph.queries.check_views import check_history, check_json, check_view
    from assetgraph.queries.record_json import record_json

    view = check_view(session.facts, target.key, session.facts.states([target.key])[target.key])
    history = check_history(session.facts, target.key)
    answer(
        as_json,
        data=lambda: {**check_json(view), "history": [record_json(one) for one in history]},
        lines=lambda width: check_page(view, history, width),
    )


def _show_value(session: Session, target: Target, most: int, as_json: bool) -> None:
    """Print the beginning of a target's value, without running code from it."""
    from assetgraph.cli.render.value_head import value_lines, value_notes
    from assetgraph.cli.terminal.output import answer, say, stderr
    from assetgraph.errors import AssetGraphError
    from assetgraph.planning.selected_targets import needs_partition
    from assetgraph.planning.upstreams_elsewhere import value_elsewhere
    from assetgraph.queries.value_preview import readable_preview

    if target.key in session.graph.externals:
        made = value_elsewhere(session.graph, session.store, target.key)
    elif target.partition is None and session.facts.targets.is_partitioned(target.key):
        raise needs_partition(session.facts.targets, target.key, "show", "--head", str(most))
    else:
        current = session.facts.of(target).current
        if current is None:
            raise session.store.no_value(target)
        made = current
    try:
        shown = readable_preview(session.store, made.value, most)
    except AssetGraphError as error:
        error.about(f"asset {target.text!r}")
        raise
    answer(as_json, data=lambda: shown, lines=lambda width: value_lines(shown, most, width))
    if not as_json:
        say(value_notes(shown, most, stderr().width))

"""`status` and `accept`: which assets are up to date, and which ones to count as up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assetgraph.cli.exit_codes import NOT_FRESH
from assetgraph.cli.options import complete_assets, json_option, project_options, selection_argument
from assetgraph.cli.session import Session
from assetgraph.hints import command
from assetgraph.states import AssetState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assetgraph.keys import AssetKey, Target
    from assetgraph.queries.asset_views import AssetView

_UP_TO_DATE = (AssetState.FRESH, AssetState.EXTERNAL)  # what something else makes has no say


@click.command("status", short_help="Show what is not up to date, and why.")
@selection_argument
@click.option("--partitions", "each", is_flag=True, help="Show each partition on its own.")
@click.option(
    "--exit-code", is_flag=True,
    help="Exit with code 1 if any asset is not up to date, or a check of one failed.",
)  # fmt: skip
@json_option
@project_options
def status_command(
    session: Session, selection: tuple[str, ...], each: bool, exit_code: bool, as_json: bool
) -> int:
    """Show the state of each asset, and every reason why it is not up to date.

    \b
    Examples:
      assetgraph status
      assetgraph status +taxi_trips --exit-code
      assetgraph status taxi_trips --partitions
    """
    from assetgraph.cli.render.asset_list import nothing_note
    from assetgraph.cli.render.status_lines import status_notes, status_table
    from assetgraph.cli.terminal.output import answer, say, stderr
    from assetgraph.queries.asset_views import asset_json, asset_views

    targets = session.targets(selection, each=each)
    if targets is not None:
        return _print_targets(session, targets, exit_code, as_json)
    views = asset_views(session.facts, map(session.graph.asset, session.selected(selection)))
    answer(
        as_json,
        data=lambda: [asset_json(view) for view in views],
        lines=lambda width: status_table(views, width),
    )
    remedy = command("materialize", "--stale", *selection)
    held = _held(session, selection, views)
    width = stderr().width
    say(status_notes(views, remedy, width, held) if views else nothing_note(selection))
    session.tell_of_interrupted_run()
    fresh = all(view.state in _UP_TO_DATE for view in views) and not any(
        check.needs_attention for view in views for check in view.checks
    )
    _tell_of_orphans(session, [view.asset.key for view in views] if selection else None)
    return NOT_FRESH if exit_code and not fresh else 0


def _held(
    session: Session, selection: Sequence[str], views: Sequence[AssetView]
) -> Mapping[AssetKey, str]:
    """The assets that failed checks hold, if any asset is not up to date."""
    if not session.graph.checks.gates or all(view.state in _UP_TO_DATE for view in views):
        return {}
    from assetgraph.queries.check_views import held_by_checks

    return held_by_checks(session.facts, session.request(selection=selection, stale=True))


def _tell_of_orphans(session: Session, keys: Sequence[AssetKey] | None) -> None:
    """Note which partitions of these assets are on record and no longer exist, and without `keys`,
    which assets too."""
    from assetgraph.cli.render.status_lines import orphan_notes, orphaned_partition_notes
    from assetgraph.cli.terminal.output import say
    from assetgraph.queries.orphans import orphaned_by_asset
    from assetgraph.storage.asset_records import orphaned

    say(orphaned_partition_notes(orphaned_by_asset(session.facts, keys)))
    if keys is None:
        say(orphan_notes([key.text for key in orphaned(session.store, session.graph.nodes)]))


def _print_targets(
    session: Session, targets: Sequence[Target], exit_code: bool, as_json: bool
) -> int:
    """Print the state of each of these targets."""
    from assetgraph.cli.render.target_table import target_table
    from assetgraph.cli.terminal.output import answer
    from assetgraph.queries.target_views import target_json, target_views
    from assetgraph.records import now

    views = target_views(session.facts, targets)
    answer(
        as_json,
        data=lambda: [target_json(view) for view in views],
        lines=lambda width: target_table(views, now(), width),
    )
    fresh = all(view.state in _UP_TO_DATE for view in views)
    return NOT_FRESH if exit_code and not fresh else 0


@click.command("accept", short_help="Mark assets as up to date after a harmless change.")
@click.argument(
    "selection", nargs=-1, required=True, metavar="SELECTION...", shell_complete=complete_assets
)
@json_option
@project_options
def accept_command(session: Session, selection: tuple[str, ...], as_json: bool) -> None:
    """Mark the selected assets as up to date with the current code, without running them.

    Use it after a change that cannot affect their values. What their steps read, such as files
    that they opened, and the resources that they take are taken as they are now. Other data of an
    upstream and another config are not.

    \b
    Example:
      assetgraph accept taxi_trips
    """
    from assetgraph.cli.render.asset_list import nothing_note
    from assetgraph.cli.terminal.output import answer, say
    from assetgraph.cli.terminal.styled_text import Line
    from assetgraph.planning.accept import accept

    selected = session.recorded_targets(selection)
    accepted = accept(session.facts, selected)
    answer(
        as_json,
        data=lambda: [target.text for target in accepted],
        lines=lambda _: [
            Line(f"Accepted {name}") for name in session.facts.targets.range_texts(accepted)
        ],
    )
    if not selected:
        say(nothing_note(selection))
    elif not accepted:
        say([Line("Nothing to accept: no code and nothing that was read has changed.")])

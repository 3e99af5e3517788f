"""`mv` and `wipe`: rename an asset, and delete what the store has of one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from assetgraph.cli.options import complete_assets, json_option, project_options
from assetgraph.cli.session import Session
from assetgraph.hints import command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.keys import Target
    from assetgraph.storage.asset_records import AssetRecords


@click.command("mv", short_help="Tell the store that an asset was renamed.")
@click.argument("old", shell_complete=complete_assets)
@click.argument("new", shell_complete=complete_assets)
@json_option
@project_options
def mv_command(session: Session, old: str, new: str, as_json: bool) -> None:
    """Let the asset NEW have the history and the values of OLD.

    Rename the asset in the code first. Nothing is copied, and the assets that read it stay fresh,
    unless the renaming changed their code too: then `accept` them.

    \b
    Example:
      assetgraph mv taxi_trips trips
    """
    from assetgraph.cli.terminal.output import answer, warn
    from assetgraph.cli.terminal.styled_text import Line
    from assetgraph.keys import AssetKey
    from assetgraph.storage.asset_records import rename

    before, after = AssetKey.unchecked(old), session.key(new)
    rename(session.store, before, after, defined=session.graph.assets)
    answer(
        as_json,
        data=lambda: {"old": before.text, "new": after.text},
        lines=lambda _: [Line(f"{before.text} is now called {after.text}")],
    )
    if after not in session.graph:
        back = command("mv", after.text, before.text)
        warn([f"no definition is called {after.text!r} yet. To undo the renaming: {back}"])


@click.command("wipe", short_help="Delete the history and the values of assets.")
@click.argument(
    "selection", nargs=-1, required=True, metavar="SELECTION...", shell_complete=complete_assets
)
@click.option("-y", "--yes", is_flag=True, help="Delete without asking.")
@json_option
@project_options
def wipe_command(session: Session, selection: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Delete all that the store has of assets, or of some partitions: histories and values.

    They then count as never materialized. The records of runs stay, and so do files that an asset
    wrote itself and what an IO manager stored. An asset or a partition that is no longer defined
    can be named too.

    \b
    Examples:
      assetgraph wipe taxi_trips
      assetgraph wipe taxi_trips@2023-01..2023-02
      assetgraph wipe group:staging --yes
    """
    found = _selected(session, selection)
    _remove(session, found, dry_run=False, yes=yes, as_json=as_json)


def remove_orphaned(session: Session, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Delete all that the store has of the assets that the project does not define, and of the
    partitions that a definition does not have any more."""
    from assetgraph.errors import AssetGraphError
    from assetgraph.queries.orphans import orphaned_targets
    from assetgraph.storage.asset_records import orphaned, records_of, records_of_partitions

    if not session.graph.assets:
        raise AssetGraphError(
            "the project defines no assets, so all of them would count as orphaned.",
            hint=f"To delete one: {command('wipe', 'KEY')}",
        )
    found = records_of(session.store, list(orphaned(session.store, session.graph.nodes)))
    found += records_of_partitions(session.store, orphaned_targets(session.facts))
    _remove(session, found, dry_run=dry_run, yes=yes, as_json=as_json)


def _selected(session: Session, selection: Sequence[str]) -> list[AssetRecords]:
    """What the store has of the assets and partitions that a selection matches, and of those that
    it names although the project does not define them."""
    from assetgraph.keys import AssetKey, recorded_target
    from assetgraph.storage.asset_records import records_of, records_of_partitions

    history = session.store.history
    recorded = {*history.keys(), *(run.key for run in session.store.values.runs())}
    named = [AssetKey.unchecked(text) for text in selection if text in recorded]
    orphans, rest = [], []
    for text in selection:
        target = recorded_target(text)
        if target.partition is not None and _is_orphan(session, target):
            orphans.append(target)
        elif text not in recorded:
            rest.append(text)
    targets = session.targets(rest, each=False)
    if targets is None:
        named += session.selected(rest) if rest else ()
        targets = []
    named += [one.key for one in targets if one.partition is None]
    whole = dict.fromkeys(session.graph.checks.along(named))
    parts = [one for one in (*orphans, *targets) if one.key not in whole]
    parts += [check for one in parts for check in _checks_of(session, one) if check.partition]
    return records_of(session.store, whole) + records_of_partitions(session.store, parts)


def _checks_of(session: Session, target: Target) -> list[Target]:
    from assetgraph.planning.gates import checks_of

    return list(checks_of(session.facts.targets, target))


def _is_orphan(session: Session, target: Target) -> bool:
    """Whether the store has a partition that no definition has."""
    graph = session.graph
    if target.key in graph and session.facts.targets.exists(target):
        return False
    return target.partition in session.store.history.partitions(target.key)


def _remove(
    session: Session, found: Sequence[AssetRecords], *, dry_run: bool, yes: bool, as_json: bool
) -> None:
    from assetgraph.cli.render.wiped_lines import what_is_wiped, wiped_json, wiped_note, wiped_table
    from assetgraph.cli.terminal.output import answer, say
    from assetgraph.storage.asset_records import wipe, wipe_partitions

    asks = bool(found) and not (yes or dry_run)
    if asks:
        if not sys.stdin.isatty():
            raise click.UsageError(
                "there is no terminal to ask for confirmation. Add --yes to delete anyway."
            )
        say(wiped_table(found, None))
        what = f"the history and the values of {what_is_wiped(found)}"
        click.confirm(f"Delete {what}?", abort=True, err=True)
    if found and not dry_run:
        parts = [target for records in found for target in records.targets]
        if len(whole := [records.key for records in found if not records.partitions]):
            wipe(session.store, whole)
        if parts:
            wipe_partitions(session.store, parts)
    answer(
        as_json,
        data=lambda: [wiped_json(session.store, records) for records in found],
        lines=lambda width: [] if asks else wiped_table(found, width),
    )
    say(wiped_note(found, dry_run=dry_run))

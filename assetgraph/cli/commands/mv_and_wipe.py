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

    from assetgraph.keys import AssetKey


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
    """Delete all that the store has of assets: their histories and their values.

    The assets then count as never materialized. The records of runs stay, and so do files that an
    asset wrote itself and what an IO manager stored. An asset that is no longer defined can be
    named too.

    \b
    Examples:
      assetgraph wipe taxi_trips
      assetgraph wipe group:staging --yes
    """
    _remove(session, _selected(session, selection), dry_run=False, yes=yes, as_json=as_json)


def remove_orphaned(session: Session, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Delete all that the store has of the assets that the project does not define."""
    from assetgraph.errors import AssetGraphError
    from assetgraph.storage.asset_records import orphaned

    if not session.graph.assets:
        raise AssetGraphError(
            "the project defines no assets, so all of them would count as orphaned.",
            hint=f"To delete one: {command('wipe', 'KEY')}",
        )
    keys = list(orphaned(session.store, session.graph.assets))
    _remove(session, keys, dry_run=dry_run, yes=yes, as_json=as_json)


def _selected(session: Session, selection: Sequence[str]) -> list[AssetKey]:
    """The assets that a selection matches, and those that it names by their keys although the
    project does not define them."""
    from assetgraph.keys import AssetKey

    recorded = {*session.store.history.keys(), *(run.key for run in session.store.values.runs())}
    named = [AssetKey.unchecked(text) for text in selection if text in recorded]
    rest = [text for text in selection if text not in recorded]
    return list(dict.fromkeys([*named, *(session.selected(rest) if rest else ())]))


def _remove(
    session: Session, keys: Sequence[AssetKey], *, dry_run: bool, yes: bool, as_json: bool
) -> None:
    from assetgraph.cli.render.wiped_lines import wiped_json, wiped_note, wiped_table
    from assetgraph.cli.terminal.output import answer, say
    from assetgraph.cli.terminal.styled_text import plural
    from assetgraph.storage.asset_records import records_of, wipe

    found = records_of(session.store, keys)
    asks = bool(found) and not (yes or dry_run)
    if asks:
        if not sys.stdin.isatty():
            raise click.UsageError(
                "there is no terminal to ask for confirmation. Add --yes to delete anyway."
            )
        say(wiped_table(found, None))
        what = f"the history and the values of {plural(len(found), 'asset')}"
        click.confirm(f"Delete {what}?", abort=True, err=True)
    if found and not dry_run:
        wipe(session.store, [records.key for records in found])
    answer(
        as_json,
        data=lambda: [wiped_json(session.store, records) for records in found],
        lines=lambda width: [] if asks else wiped_table(found, width),
    )
    say(wiped_note(found, dry_run=dry_run))

"""`prune` and `doctor`: remove what is old, and examine the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assetgraph.cli.exit_codes import STORE_DAMAGED
from assetgraph.cli.options import json_option, project_options
from assetgraph.cli.session import Session
from assetgraph.hints import command
from assetgraph.process.garbage_collector import heap_left_alone

if TYPE_CHECKING:
    from collections.abc import Collection

    from assetgraph.keys import AssetKey
    from assetgraph.storage.doctor import Finding


@click.command("prune", short_help="Remove old values and runs.")
@click.option("--dry-run", is_flag=True, help="Show what would be removed, and remove nothing.")
@click.option(
    "--orphaned", is_flag=True,
    help="Remove the assets and partitions that are no longer defined instead, after asking.",
)  # fmt: skip
@click.option("-y", "--yes", is_flag=True, help="With --orphaned, remove without asking.")
@json_option
@project_options
def prune_command(
    session: Session, dry_run: bool, orphaned: bool, yes: bool, as_json: bool
) -> None:
    """Remove leftover files, and old values and runs beyond the project's limits.

    The limits are keep_values and keep_runs in [tool.assetgraph]. The current value of an asset
    and a run in progress always stay.

    With --orphaned, remove the history and the values of each asset that no definition names, and
    of each partition that no longer exists. To keep those of an asset that was renamed, use mv
    first.

    \b
    Examples:
      assetgraph prune --dry-run
      assetgraph prune --orphaned
    """
    from assetgraph.cli.render.prune_and_doctor_lines import prunable_table, prune_note
    from assetgraph.cli.terminal.output import answer, say
    from assetgraph.storage.retention import find_prunable, prune

    if orphaned:
        from assetgraph.cli.commands.mv_and_wipe import remove_orphaned

        remove_orphaned(session, dry_run=dry_run, yes=yes, as_json=as_json)
        return

    items = list(find_prunable(session.store))
    if not dry_run:
        items = [item for item in items if prune(session.store, item)]
    names = ("kind", "name", "path", "size")
    answer(
        as_json,
        data=lambda: [{name: getattr(item, name) for name in names} for item in items],
        lines=lambda width: prunable_table(items, width),
    )
    say([prune_note(items, dry_run=dry_run)])


@click.command("doctor", short_help="Check the store for damage.")
@click.option(
    "--repair",
    "--mend",
    is_flag=True,
    help="Repair the damage that can be repaired without guessing.",
)
@click.option("--deep", is_flag=True, help="Read every value too, not only those that changed.")
@json_option
@project_options
def doctor_command(session: Session, repair: bool, deep: bool, as_json: bool) -> int:
    """Read every record of the store and report damage. Exit code 1 if records are lost.

    A value is read if its file was touched since it was written. With --deep, every value is
    read: this also finds what a disk lost by itself.

    \b
    Examples:
      assetgraph doctor
      assetgraph doctor --deep
      assetgraph doctor --repair
    """
    from assetgraph.cli.render.prune_and_doctor_lines import doctor_note, finding_lines
    from assetgraph.cli.terminal.output import answer, say
    from assetgraph.cli.terminal.styled_text import Line
    from assetgraph.storage.doctor import examine

    store = session.store
    session.project.enter()  # a pickle may name a class of the project
    findings, repaired = [], []
    with heap_left_alone():
        for finding in examine(store, deep=deep, defined=_defined(session)):
            findings.append(finding)
            if repair and finding.repair and finding.repair() is not False:
                repaired.append(finding)
    answer(
        as_json,
        data=lambda: [_finding_json(finding, finding in repaired) for finding in findings],
        lines=lambda width: finding_lines(findings, repaired, width),
    )
    if findings or store.exists:
        say([doctor_note(findings, repaired, command("doctor", "--repair"))])
    else:
        say([Line("There is no store yet: nothing has been recorded.")])
    serious = any(finding.serious for finding in findings if finding not in repaired)
    return STORE_DAMAGED if serious else 0


def _defined(session: Session) -> Collection[AssetKey] | None:
    """The assets that the project defines; None if that cannot be said."""
    from assetgraph.errors import AssetGraphError

    try:
        return session.project.load().graph.nodes if session.project.modules else None
    except AssetGraphError:
        return None  # `check` says why: a store can be examined without its project


def _finding_json(finding: Finding, repaired: bool) -> dict[str, object]:
    return {
        "text": finding.text,
        "serious": finding.serious,
        "mendable": finding.repair is not None,
        "mended": repaired,
    }

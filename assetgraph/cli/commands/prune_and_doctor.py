"""`prune` and `doctor`: what a store may forget, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assetgraph.cli.options import Given, json_option, project_options
from assetgraph.hints import command

if TYPE_CHECKING:
    from assetgraph.storage.doctor import Finding

_STILL_SERIOUS = 1


@click.command("prune", short_help="Remove old values and runs.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@json_option
@project_options
def prune_command(given: Given, dry_run: bool, as_json: bool) -> None:
    """Remove values and runs beyond the numbers that the project keeps, and leftovers.

    The numbers are keep_values and keep_runs in [tool.assetgraph]. An asset's current value and a
    run under way always stay.

    \b
    Example:
      assetgraph prune --dry-run
    """
    from assetgraph.cli.render.store_lines import prunable_table, prune_note
    from assetgraph.cli.terminal.answer import answer, say
    from assetgraph.storage.retention import find_prunable, prune

    items = list(find_prunable(given.store))
    if not dry_run:
        items = [item for item in items if prune(given.store, item)]
    names = ("kind", "name", "path", "size")
    answer(
        as_json,
        data=lambda: [{name: getattr(item, name) for name in names} for item in items],
        lines=lambda width: prunable_table(items, width),
    )
    say([prune_note(items, dry_run=dry_run)])


@click.command("doctor", short_help="Examine the store, and mend it.")
@click.option("--mend", is_flag=True, help="Put right what takes no guess.")
@json_option
@project_options
def doctor_command(given: Given, mend: bool, as_json: bool) -> int:
    """Read every record of the store and say what is wrong. Exit code 1 if records are lost.

    \b
    Examples:
      assetgraph doctor
      assetgraph doctor --mend
    """
    from assetgraph.cli.render.store_lines import doctor_note, finding_lines
    from assetgraph.cli.terminal.answer import answer, say
    from assetgraph.storage.doctor import examine

    given.project.enter()  # a pickle may name a class of the project
    findings, mended = [], []
    for finding in examine(given.store):
        findings.append(finding)
        if mend and finding.repair and finding.repair() is not False:
            mended.append(finding)
    answer(
        as_json,
        data=lambda: [_finding_json(finding, finding in mended) for finding in findings],
        lines=lambda width: finding_lines(findings, mended, width),
    )
    say([doctor_note(findings, mended, command("doctor", "--mend"))])
    serious = any(finding.serious for finding in findings if finding not in mended)
    return _STILL_SERIOUS if serious else 0


def _finding_json(finding: Finding, mended: bool) -> dict[str, object]:
    return {
        "text": finding.text,
        "serious": finding.serious,
        "mendable": finding.repair is not None,
        "mended": mended,
    }

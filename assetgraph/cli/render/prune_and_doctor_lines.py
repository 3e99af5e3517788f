"""What `prune` removes, and what `doctor` finds."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.styled_text import Line, plural, wrapped
from assetgraph.cli.terminal.table import Column, table

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from assetgraph.storage.doctor import Finding
    from assetgraph.storage.retention import Prunable

_COLUMNS = (Column("KIND"), Column("NAME"), Column("SIZE", right=True), Column("PATH", least=20))
_WHAT = {
    "value": ("old value", "old values"),
    "orphan": ("value without a record", "values without a record"),
    "run": ("old run", "old runs"),
    "leftover": ("leftover", "leftovers"),
    "lock": ("unused lock", "unused locks"),
    "reads": ("list of what replaced values read", "lists of what replaced values read"),
}


def prunable_table(items: Sequence[Prunable], width: int | None) -> list[Line]:
    rows = [
        [Line(_WHAT[item.kind][0]), Line(item.name), Line(units.size(item.size)), Line(item.path)]
        for item in items
    ]
    return table(_COLUMNS, rows, width)


def prune_note(items: Sequence[Prunable], *, dry_run: bool) -> Line:
    if not items:
        return Line("Nothing to remove.")
    kinds = Counter(item.kind for item in items)
    counted = ", ".join(plural(count, *_WHAT[kind]) for kind, count in kinds.items())
    verb = "Would remove" if dry_run else "Removed"
    return Line(f"{verb} {counted}, {units.size(sum(item.size for item in items))} in all.")


def finding_lines(
    findings: Sequence[Finding], repaired: Collection[Finding], width: int | None
) -> list[Line]:
    lines = []
    for finding in findings:
        done = finding in repaired
        style = "success" if done else "failure" if finding.serious else "warning"
        mark = "✓" if done else "✕" if finding.serious else "!"
        first, *rest = wrapped(finding.text, width - 2) if width else [finding.text]
        lines.append(Line((mark, style), " ", first, (" (repaired)" if done else "", "muted")))
        lines += [Line("  ", text) for text in rest]
    return lines


def doctor_note(findings: Sequence[Finding], repaired: Collection[Finding], remedy: str) -> Line:
    if not findings:
        return Line(("The store is intact.", "success"))
    repairable = sum(finding.repair is not None for finding in findings)
    if repaired or not repairable:
        return Line(plural(len(findings), "finding"), f", {len(repaired)} repaired.")
    return Line(f"{repairable} of {plural(len(findings), 'finding')} can be repaired: ",
                (remedy, "command"))  # fmt: skip

"""The definitions that an asset's code version covers, and where it cannot follow the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.terminal.styled_text import Line
from assetgraph.text import width as cell_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.code import Definition

_SHOWN = 12


def code_lines(covers: Sequence[Definition], version: str | None, width: int | None) -> list[Line]:
    """The nearest definitions with their places, then a note for each one not fully followed."""
    if not covers:
        return [Line("  ", (f"set by the asset: {version}", "muted"))]
    shown = covers[:_SHOWN]
    kinds = max(len(one.kind) for one in shown)
    names = max(cell_width(one.name) for one in shown)
    lines = [
        Line(
            ("  " + one.kind.ljust(kinds), "muted"),
            "  ",
            Line(one.name).fitted(names),
            "  ",
            (_place(one), "path"),
        )
        for one in shown
    ]
    if len(covers) > _SHOWN:
        lines.append(Line("  ", (f"… and {len(covers) - _SHOWN} more (see --json)", "muted")))
    lines += [
        line
        for one in covers
        for note in one.notes
        for line in Line(
            ("! ", "warning"), f"not fully followed: {one.name} in {one.file}, {note}"
        ).broken(width, indent=2)
    ]
    return lines


def _place(one: Definition) -> str:
    return f"{one.file}:{one.line}" if one.line else one.file

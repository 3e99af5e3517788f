"""What an asset's code version covers, and what it cannot follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.text import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.fingerprint import Definition

_SHOWN = 12


def code_lines(covers: Sequence[Definition], version: str | None) -> list[Line]:
    """The nearest definitions with their places, then every note of what is not followed."""
    if not covers:
        return [Line("  ", (f"The asset gives it itself: {version}.", "muted"))]
    kinds = max(len(one.kind) for one in covers[:_SHOWN])
    lines = [
        Line("  ", (one.kind.ljust(kinds), "muted"), "  ", one.name, "  ", (_place(one), "path"))
        for one in covers[:_SHOWN]
    ]
    if len(covers) > _SHOWN:
        lines.append(Line("  ", (f"… and {len(covers) - _SHOWN} more (see --json)", "muted")))
    lines += [
        Line(("! ", "warning"), f"not fully followed: {one.name} in {one.file}, {note}")
        for one in covers
        for note in one.notes
    ]
    return lines


def _place(one: Definition) -> str:
    return f"{one.file}:{one.line}" if one.line else one.file

"""What came of running a step again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.terminal.styled_text import Line, clean_lines
from assetgraph.text import listed

if TYPE_CHECKING:
    from assetgraph.queries.observed_views import AssetReads
    from assetgraph.run.reproduce import Reproduction


def reproduction_lines(found: Reproduction, uses: AssetReads, width: int | None) -> list[Line]:
    """Whether the value came out the same, where it did not, and what may be why."""
    if found.same:
        return [Line(("✓ ", "success"), f"{found.key} makes the same value again.")]
    if found.error is not None:
        message = clean_lines(f"{found.error.type}: {found.error.message}")[0]
        return Line(("✕ ", "failure"), f"{found.key} failed: {message}").broken(width, indent=2)
    lines = [Line(("✕ ", "failure"), f"{found.key} makes another value:")]
    for text in found.differences:
        lines += Line("  ", text).broken(width, indent=4)
    causes = [f"{one.name} in {one.definition}" for one in (*uses.clock, *uses.chance)]
    if found.reasons:
        text = f"It was not up to date: {'; '.join(found.reasons)}."
        lines += Line(("! ", "warning"), text).broken(width, indent=2)
    elif causes:
        text = f"Its code uses {listed(causes)}."
        lines += Line(("! ", "warning"), text).broken(width, indent=2)
    return lines

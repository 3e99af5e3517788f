"""Which assets are up to date, and why the others are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.render_assets import no_assets_note, shown_reasons
from assetgraph.cli.style import asset_state_line
from assetgraph.cli.table import Column, room_beside, table
from assetgraph.cli.text import Line, plural, stacked
from assetgraph.records import AssetState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.queries.assets import AssetView

_COLUMNS = (Column("ASSET", least=16), Column("STATE"), Column("WHY", least=20))
_NO_HEAD = (Line(), Line())


def status_table(views: Sequence[AssetView], width: int | None) -> list[Line]:
    """A line an asset; on a terminal its reasons one below the other, whole."""
    heads = [[Line(view.asset.key.text), asset_state_line(view)] for view in views]
    room = room_beside(_COLUMNS, heads, width)
    rows = [
        [*(head if number == 0 else _NO_HEAD), Line((reason, "muted"))]
        for head, view in zip(heads, views, strict=True)
        for number, reason in enumerate(stacked(shown_reasons(view), room))
    ]
    return table(_COLUMNS, rows, width)


def status_notes(views: Sequence[AssetView], remedy: str) -> list[Line]:
    """How many are not up to date, and the command that changes that."""
    stale = sum(view.state is not AssetState.FRESH for view in views)
    if not views:
        return no_assets_note()
    if not stale:
        return [Line((f"All {len(views)} up to date." if len(views) > 1 else "Up to date.",
                      "success"))]  # fmt: skip
    counted = plural(stale, "asset") + (" is" if stale == 1 else " are")
    return [Line(f"{counted} not up to date. To change that: ", (remedy, "command"))]

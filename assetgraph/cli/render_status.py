"""Which assets are up to date, and why the others are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.render_assets import shown_reasons
from assetgraph.cli.style import state_line
from assetgraph.cli.table import Column, table
from assetgraph.cli.text import Line, plural, wrapped
from assetgraph.records import AssetState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assetgraph.queries.assets import AssetView

_COLUMNS = (Column("ASSET", least=16), Column("STATE"), Column("WHY", least=20))
_LEAST_REASON = 24


def status_table(views: Sequence[AssetView], width: int | None) -> list[Line]:
    """A line an asset; on a terminal its reasons one below the other, whole."""
    taken = max((Line(view.asset.key.text).width for view in views), default=0)
    taken += max((state_line(view.state).width for view in views), default=0) + 4
    room = None if width is None else max(width - taken, _LEAST_REASON)
    return table(_COLUMNS, [row for view in views for row in _rows(view, room)], width)


def status_notes(views: Sequence[AssetView], remedy: str) -> list[Line]:
    """How many are not up to date, and the command that changes that."""
    stale = sum(view.state is not AssetState.FRESH for view in views)
    if not views:
        return []
    if not stale:
        return [Line((f"All {len(views)} up to date." if len(views) > 1 else "Up to date.",
                      "success"))]  # fmt: skip
    counted = plural(stale, "asset") + (" is" if stale == 1 else " are")
    return [Line(f"{counted} not up to date. To change that: ", (remedy, "command"))]


def _rows(view: AssetView, room: int | None) -> Iterator[list[Line]]:
    reasons = shown_reasons(view)
    if room is None:
        reasons = ["; ".join(reasons)]
    else:
        reasons = [part for reason in reasons for part in wrapped(reason, room)] or [""]
    for number, reason in enumerate(reasons):
        head = (
            [Line(view.asset.key.text), state_line(view.state)] if number == 0 else [Line(), Line()]
        )
        yield [*head, Line((reason, "muted"))]

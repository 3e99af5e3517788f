"""The table of assets, with their states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.render.state_style import asset_state_line, warned
from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.styled_text import Line
from assetgraph.cli.terminal.table import Column, table
from assetgraph.hints import command
from assetgraph.pictures.gist import gist

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assetgraph.queries.asset_views import AssetView

_COLUMNS = (
    Column("ASSET"),
    Column("STATE"),
    Column("PARTITIONS", right=True),
    Column("CHECKS"),
    Column("GROUP", drop=2),
    Column("KINDS", drop=4),
    Column("UPDATED", drop=1),
    Column("DESCRIPTION", least=16, drop=3),
)


def asset_table(views: Sequence[AssetView], now: datetime, width: int | None) -> list[Line]:
    grouped = any(view.asset.group_name != "default" for view in views)
    rows = [
        [
            Line(view.asset.key.text),
            asset_state_line(view),
            Line(up_to_date_text(view)),
            _checks(view),
            Line(view.asset.group_name if grouped else ""),
            Line(", ".join(sorted(view.asset.kinds))),
            Line(units.short_time(view.updated_at, now) if view.updated_at else ""),
            Line((gist(view.asset.description), "muted")),
        ]
        for view in views
    ]  # fmt: skip
    key, *others = _COLUMNS
    key = key._replace(least=width and width * 2 // 3)  # a very long key must not hide the states
    return table([key, *others], rows, width)


def _checks(view: AssetView) -> Line:
    """How many of its checks passed and failed."""
    if not view.checks:
        return Line()
    from assetgraph.cli.render.check_lines import counts_line

    return counts_line(view.checks)


def up_to_date_text(view: AssetView) -> str:
    """How many of its partitions are up to date, as in `34/36`; "" for an asset without any."""
    counts = view.up_to_date
    return f"{counts[0]}/{counts[1]}" if counts and counts[1] else ""


def list_notes(views: Sequence[AssetView], width: int | None) -> list[Line]:
    """The warnings that current values carry in their metadata, failures that no longer count, and
    what to do about damage."""
    warnings = [
        line
        for view in views
        for warning in (
            view.warning,
            view.past_failure and view.past_failure.text,
        )
        if warning
        for line in warned(f"{view.asset.key.text}: {warning}", width)
    ]
    return [*warnings, *damage_notes(views)]


def damage_notes(views: Sequence[AssetView]) -> list[Line]:
    """What to do about each asset whose history cannot be read."""
    return [
        Line(
            ("! ", "warning"),
            f"Restore the history of {view.asset.key.text} from a copy, "
            "or move away what is left of it. Then: ",
            (command("materialize", view.asset.key.text), "command"),
        )
        for view in views
        if view.damage is not None
    ]


def nothing_note(selection: Sequence[str]) -> list[Line]:
    """Why there is nothing to show: no asset is selected, or the project has none."""
    if selection:
        return [Line("No asset matches. To see all: ", (command("list"), "command"))]
    first = (command("scaffold", "asset", "NAME.py"), "command")
    return [Line("No assets yet. To add a first one: ", first)]

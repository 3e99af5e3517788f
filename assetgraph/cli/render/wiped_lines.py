"""What `wipe` and `prune --orphaned` delete of assets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assetgraph.cli.render.by_asset import together
from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.styled_text import Line, plural
from assetgraph.cli.terminal.table import Column, table
from assetgraph.text import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.storage.asset_records import AssetRecords
    from assetgraph.storage.store import Store

_COLUMNS = (
    Column("ASSET", least=16),
    Column("ATTEMPTS", right=True),
    Column("VALUES", right=True),
    Column("SIZE", right=True),
)


def wiped_table(found: Sequence[AssetRecords], width: int | None) -> list[Line]:
    rows = [
        [
            Line(_name(records)),
            Line(str(records.attempts)),
            Line(str(records.values)),
            Line(units.size(records.size)),
        ]
        for records in found
    ]
    return table(_COLUMNS, rows, width)


def _name(records: AssetRecords) -> str:
    """The asset, or which of its partitions."""
    if not records.partitions:
        return records.key.text
    return together(f"{records.key.text}@{partition}" for partition in records.partitions)[0]


def what_is_wiped(found: Sequence[AssetRecords]) -> str:
    """How many assets and partitions, as in `2 assets and 3 partitions`."""
    assets = sum(not records.partitions for records in found)
    partitions = sum(len(records.partitions) for records in found)
    counted = [(assets, "asset"), (partitions, "partition")]
    return " and ".join(plural(count, name) for count, name in counted if count)


def wiped_note(found: Sequence[AssetRecords], *, dry_run: bool) -> list[Line]:
    if not found:
        return [Line("Nothing to remove.")]
    verb, size = "Would remove" if dry_run else "Removed", sum(one.size for one in found)
    in_all = f", {units.size(size)} in all" if size else ""  # partitions share a file
    notes = [Line(f"{verb} the records of {what_is_wiped(found)}{in_all}.")]
    elsewhere = [records.key.text for records in found if records.elsewhere]
    if elsewhere:
        notes.append(
            Line(f"What {listed(elsewhere)} wrote outside of the store stays where it is.")
        )
    return notes


def wiped_json(store: Store, records: AssetRecords) -> dict[str, Any]:
    """The asset, or its partitions, in the shape of what `prune` deletes."""
    shown: dict[str, Any] = {
        "kind": "partitions" if records.partitions else "asset",
        "name": records.key.text,
        "path": store.history.path(records.key),
        "size": records.size,
    }
    return {**shown, "partitions": list(records.partitions)} if records.partitions else shown

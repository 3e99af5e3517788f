"""Steps and targets by their assets: many partitions of one asset are one entry."""

from __future__ import annotations

from collections.abc import Iterable

from assetgraph.cli.terminal.styled_text import plural
from assetgraph.keys import RANGE


def asset_of(step_id: str) -> str:
    """The asset that a step, or a target with this text, is about."""
    return step_id.partition("@")[0]


def together(texts: Iterable[str]) -> list[str]:
    """Steps or targets as text, those of several partitions of one asset as one: `trips: 3
    partitions, 2023-01 to 2023-03`. They are in the order in which a run has them, which need not
    be without gaps."""
    by_asset: dict[str, list[str]] = {}
    for text in texts:
        by_asset.setdefault(asset_of(text), []).append(text)
    return [
        found[0] if len(found) == 1 else f"{asset}: {partitions_text(found)}"
        for asset, found in by_asset.items()
    ]


def partitions_text(texts: list[str]) -> str:
    """How many of its partitions these targets of one asset are, with the first and the last."""
    first, last = (text.partition("@")[2] for text in (texts[0], texts[-1]))
    if not first:
        return plural(len(texts), "step")
    noun = "range" if any(RANGE in text for text in texts) else "partition"
    first, last = first.partition(RANGE)[0], last.rpartition(RANGE)[2]
    return f"{plural(len(texts), noun)}, {first} to {last}"

"""Steps and targets by their assets: many partitions of one asset are one entry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assetgraph.cli.terminal.styled_text import plural
from assetgraph.keys import RANGE
from assetgraph.text import listed

_MOST_NAMED = 3


def asset_of(step_id: str) -> str:
    """The asset that a step, or a target with this text, is about."""
    return step_id.partition("@")[0]


def together(texts: Iterable[str]) -> list[str]:
    """Steps or targets as text, those of several partitions of one asset as one: `trips: 9
    partitions between 2023-01 and 2023-12`."""
    by_asset: dict[str, list[str]] = {}
    for text in texts:
        by_asset.setdefault(asset_of(text), []).append(text)
    return [
        found[0] if len(found) == 1 else f"{asset}: {partitions_text(found)}"
        for asset, found in by_asset.items()
    ]


def partitions_text(texts: list[str]) -> str:
    """How many of its partitions these targets of one asset are, and which: up to three by name, or
    the first and the last."""
    keys = [text.partition("@")[2] for text in texts]
    if not keys[0]:
        return plural(len(texts), "step")
    counted = plural(len(keys), "range" if any(RANGE in key for key in keys) else "partition")
    joint = ", " if len(keys) <= _MOST_NAMED else " "
    return counted + joint + names_text(keys)


def names_text(keys: Sequence[str]) -> str:
    """Partitions, or ranges of them: up to three by name, or `between` the first and the last,
    since not all that are between them need be meant."""
    if len(keys) <= _MOST_NAMED:
        return listed(keys)
    return f"between {keys[0].partition(RANGE)[0]} and {keys[-1].rpartition(RANGE)[2]}"

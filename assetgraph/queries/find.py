"""`find`: the assets, groups and columns that a few words name."""

from __future__ import annotations

from heapq import nsmallest
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from assetgraph.storage.column_changes import columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from assetgraph.queries.asset_views import AssetView

_MOST_COLUMNS = 500  # of one asset, that are looked at


class FoundColumn(NamedTuple):
    """A column of an asset's newest table."""

    view: AssetView
    name: str
    type: str


class Found(NamedTuple):
    """What the words name, the best first, and how many there are of each."""

    assets: Sequence[AssetView]
    asset_count: int
    groups: Sequence[tuple[str, int]]
    group_count: int
    columns: Sequence[FoundColumn]
    column_count: int


def find(views: Iterable[AssetView], text: str, limit: int) -> Found:
    """The assets, groups and columns in whose texts every word of `text` occurs, in any case; at
    most `limit` of each.

    What begins with the text comes first, then what has the words in its name, then the rest.
    """
    words = text.casefold().split()
    if not words:
        return Found((), 0, (), 0, (), 0)
    views = list(views)
    assets = [(rank, view) for view in views if (rank := _rank_of_asset(view, words)) is not None]
    groups: dict[str, int] = {}
    for view in views:
        groups[view.asset.group_name] = groups.get(view.asset.group_name, 0) + 1
    named = [(rank, name) for name in groups if (rank := _rank(name, words)) is not None]
    columns = list(_columns(views, words))
    return Found(
        [view for _, view in nsmallest(limit, assets, key=_by_rank)],
        len(assets),
        [(name, groups[name]) for _, name in nsmallest(limit, named)],
        len(named),
        [column for _, column in nsmallest(limit, columns, key=_by_rank)],
        len(columns),
    )


def _by_rank(ranked: tuple[int, object]) -> int:
    return ranked[0]


def _rank(name: str, words: Sequence[str]) -> int | None:
    """How well a name fits, 0 best; None if a word is missing."""
    name = name.casefold()
    if not all(word in name for word in words):
        return None
    last = name.rpartition("/")[2]
    if words[0] in (name, last) and len(words) == 1:
        return 0
    return 1 if name.startswith(words[0]) or last.startswith(words[0]) else 2


def _rank_of_asset(view: AssetView, words: Sequence[str]) -> int | None:
    asset = view.asset
    rank = _rank(asset.key.text, words)
    if rank is not None:
        return rank
    tags = (f"{name}={value}" for name, value in asset.tags.items())
    about = "\n".join(
        (
            asset.key.text,
            asset.group_name,
            asset.description or "",
            *asset.kinds,
            *asset.owners,
            *tags,
        )
    ).casefold()
    return 3 if all(word in about for word in words) else None


def _columns(views: Iterable[AssetView], words: Sequence[str]) -> Iterator[tuple[int, FoundColumn]]:
    for view in views:
        made = view.materialization
        columns = columns_of(made.metadata) if made is not None else None
        for name, kind in islice((columns or {}).items(), _MOST_COLUMNS):
            rank = _rank(name, words) if isinstance(name, str) else None
            if rank is not None:
                yield rank, FoundColumn(view, name, str(kind))

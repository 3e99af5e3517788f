"""`Definitions`: the assets that belong together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from assetgraph.assets import Asset

if TYPE_CHECKING:
    from assetgraph.graph import AssetGraph


class Definitions:
    """A set of assets, from a list, a `Registry` or `load_assets_from_modules`.

    Nothing is checked here: `graph` connects them and knows what is wrong.
    """

    def __init__(self, assets: Iterable[Asset | Iterable[Asset]] = ()) -> None:
        self.assets = tuple(_flat(assets))

    @classmethod
    def merge(cls, *definitions: Definitions) -> Definitions:
        return cls([one for each in definitions for one in each.assets])

    @cached_property
    def graph(self) -> AssetGraph:
        """The assets connected. Its `problems` are not raised: see `AssetGraph.validate`."""
        from assetgraph.graph import AssetGraph

        return AssetGraph(self.assets)

    def __repr__(self) -> str:
        return f"Definitions({len(self.assets)} assets)"


def _flat(assets: Iterable[Asset | Iterable[Asset]]) -> list[Asset]:
    found: dict[int, Asset] = {}
    for item in assets:
        if isinstance(item, Asset):
            found.setdefault(id(item), item)
        elif isinstance(item, Iterable) and not isinstance(item, str | Mapping):
            for inner in _flat(item):
                found.setdefault(id(inner), inner)
        else:
            raise TypeError(f"{item!r} is not an asset: decorate the function with @asset")
    return list(found.values())

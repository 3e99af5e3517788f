"""Small things that several test modules make."""

from __future__ import annotations

from collections.abc import Callable

from assetgraph import Asset, asset
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.graph.definitions import Definitions


def asset_named(name: str, *upstream: str, **options: object) -> Asset:
    """An asset that reads `upstream` and returns the list of their values."""
    names = ", ".join(upstream)
    made: dict[str, Callable[..., object]] = {}
    exec(f"def function({names}): return [{names}]", made)
    return asset(name=name, **options)(made["function"])  # type: ignore[call-overload]


def graph_of(*assets: Asset) -> AssetGraph:
    """The assets connected, whether they fit or not."""
    return Definitions(assets).graph

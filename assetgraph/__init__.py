"""A standalone asset-graph engine: functions become assets, parameters become lineage.

    import assetgraph as dg

    @dg.asset
    def raw_trips() -> list[dict[str, int]]: ...

    @dg.asset
    def daily_fares(raw_trips): ...

A concept that Dagster has too has Dagster's name. Each name is imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assetgraph.api import RunConfig, RunResult, load, materialize
    from assetgraph.definitions.asset import Asset, AssetIn
    from assetgraph.definitions.computation import AssetSpec
    from assetgraph.definitions.config import Config
    from assetgraph.definitions.context import AssetExecutionContext
    from assetgraph.definitions.decorator import asset
    from assetgraph.definitions.external import (
        DataVersion,
        ObserveResult,
        observable_source_asset,
        source_file,
    )
    from assetgraph.definitions.io_manager import (
        CheckContext,
        InputContext,
        IOManager,
        OutputContext,
    )
    from assetgraph.definitions.metadata import MaterializeResult, MetadataValue
    from assetgraph.definitions.registry import Registry
    from assetgraph.definitions.retries import Backoff, Jitter, RetryPolicy, RetryRequested
    from assetgraph.errors import AssetGraphError
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.graph.definitions import Definitions, load_assets_from_modules
    from assetgraph.instance import Instance
    from assetgraph.keys import AssetKey
    from assetgraph.version import __version__ as __version__

_HOME = {
    "__version__": "version",
    "Asset": "definitions.asset",
    "AssetExecutionContext": "definitions.context",
    "AssetGraph": "graph.asset_graph",
    "AssetGraphError": "errors",
    "AssetIn": "definitions.asset",
    "AssetKey": "keys",
    "AssetSpec": "definitions.computation",
    "Backoff": "definitions.retries",
    "CheckContext": "definitions.io_manager",
    "Config": "definitions.config",
    "DataVersion": "definitions.external",
    "Definitions": "graph.definitions",
    "IOManager": "definitions.io_manager",
    "InputContext": "definitions.io_manager",
    "Instance": "instance",
    "Jitter": "definitions.retries",
    "MaterializeResult": "definitions.metadata",
    "MetadataValue": "definitions.metadata",
    "ObserveResult": "definitions.external",
    "OutputContext": "definitions.io_manager",
    "Registry": "definitions.registry",
    "RetryPolicy": "definitions.retries",
    "RetryRequested": "definitions.retries",
    "RunConfig": "api",
    "RunResult": "api",
    "asset": "definitions.decorator",
    "load": "api",
    "load_assets_from_modules": "graph.definitions",
    "materialize": "api",
    "observable_source_asset": "definitions.external",
    "source_file": "definitions.external",
}

__all__ = [
    "Asset",
    "AssetExecutionContext",
    "AssetGraph",
    "AssetGraphError",
    "AssetIn",
    "AssetKey",
    "AssetSpec",
    "Backoff",
    "CheckContext",
    "Config",
    "DataVersion",
    "Definitions",
    "IOManager",
    "InputContext",
    "Instance",
    "Jitter",
    "MaterializeResult",
    "MetadataValue",
    "ObserveResult",
    "OutputContext",
    "Registry",
    "RetryPolicy",
    "RetryRequested",
    "RunConfig",
    "RunResult",
    "__version__",
    "asset",
    "load",
    "load_assets_from_modules",
    "materialize",
    "observable_source_asset",
    "source_file",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'assetgraph' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"assetgraph.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__

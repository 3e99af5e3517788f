"""A standalone asset-graph engine: functions become assets, parameters become lineage.

    import assetgraph as dg

    @dg.asset
    def raw_trips() -> list[dict[str, int]]: ...

    @dg.asset
    def daily_fares(raw_trips): ...

Names follow Dagster's where the concept is the same. Each is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assetgraph.api import Instance, RunConfig, RunResult, load, materialize
    from assetgraph.assets import Asset, AssetIn, asset
    from assetgraph.config import Config
    from assetgraph.context import AssetExecutionContext
    from assetgraph.definitions import Definitions, load_assets_from_modules
    from assetgraph.errors import AssetGraphError
    from assetgraph.graph import AssetGraph
    from assetgraph.io_manager import InputContext, IOManager, OutputContext
    from assetgraph.keys import AssetKey
    from assetgraph.metadata import MaterializeResult, MetadataValue
    from assetgraph.registry import Registry
    from assetgraph.retries import Backoff, Jitter, RetryPolicy, RetryRequested

__version__ = "0.1.0"

_HOME = {
    "Asset": "assets",
    "AssetExecutionContext": "context",
    "AssetGraph": "graph",
    "AssetGraphError": "errors",
    "AssetIn": "assets",
    "AssetKey": "keys",
    "Backoff": "retries",
    "Config": "config",
    "Definitions": "definitions",
    "IOManager": "io_manager",
    "InputContext": "io_manager",
    "Instance": "api",
    "Jitter": "retries",
    "MaterializeResult": "metadata",
    "MetadataValue": "metadata",
    "OutputContext": "io_manager",
    "Registry": "registry",
    "RetryPolicy": "retries",
    "RetryRequested": "retries",
    "RunConfig": "api",
    "RunResult": "api",
    "asset": "assets",
    "load": "api",
    "load_assets_from_modules": "definitions",
    "materialize": "api",
}

__all__ = [
    "Asset",
    "AssetExecutionContext",
    "AssetGraph",
    "AssetGraphError",
    "AssetIn",
    "AssetKey",
    "Backoff",
    "Config",
    "Definitions",
    "IOManager",
    "InputContext",
    "Instance",
    "Jitter",
    "MaterializeResult",
    "MetadataValue",
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

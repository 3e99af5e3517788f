"""`checked_config`: the config of a run, checked against the assets that take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.config import build_config, config_json
from assetgraph.errors import ConfigError

if TYPE_CHECKING:
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.keys import AssetKey


def checked_config(
    graph: AssetGraph, config: Mapping[AssetKey, Mapping[str, Any]]
) -> dict[AssetKey, dict[str, Any]]:
    """The given fields in the types of JSON, so that text and number mean the same config.

    Raises `ConfigError` for config that an asset does not take.
    """
    checked = {}
    for key, given in config.items():
        kind = graph.asset(key).config_type
        if kind is None:
            raise ConfigError(
                f"asset {key.text!r} takes no config.",
                hint="Give it a parameter annotated with a subclass of Config.",
            )
        built = config_json(build_config(kind, given, key.text))
        checked[key] = {name: built[name] for name in given}
    return checked

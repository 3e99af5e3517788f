"""`checked_config`: checks the config of a run against its assets."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.definitions.config_env import variables_in
from assetgraph.definitions.config_fields import fields_of, plain
from assetgraph.definitions.config_values import (
    build_config,
    config_json,
    named_fields,
    unread_config,
    with_variables_read,
)
from assetgraph.errors import ConfigError

if TYPE_CHECKING:
    from assetgraph.definitions.computation import Computation
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.keys import AssetKey


def checked_config(
    graph: AssetGraph, config: Mapping[AssetKey, Mapping[str, Any]]
) -> dict[AssetKey, dict[str, Any]]:
    """The given fields as JSON types: the text "5" and the number 5 become the same config.

    `config` has the fields of each asset by their names. Raises `ConfigError` for an unknown field,
    a wrong type, or an asset that takes no config.
    """
    from assetgraph.definitions.config_secrets import require_no_secrets, require_none_recorded

    checked = {}
    for key, given in config.items():
        kind = _config_type(graph.computation(key))
        given = named_fields(fields_of(kind), given, key.text)
        require_no_secrets(fields_of(kind), given, key.text)
        built = unread_config(kind, given, key.text)
        variables = variables_in(fields_of(kind), given)
        recorded = config_json(built) | {name: plain(given[name]) for name in variables}
        checked[key] = {name: recorded[name] for name in given}
        require_none_recorded(with_variables_read(built, key.text), checked[key], key.text)
        variables |= variables_in(fields_of(kind), checked[key])  # defaults inside of fields
        _require_same(built, checked[key], key, variables)
    return checked


def _require_same(
    built: Any, recorded: dict[str, Any], key: AssetKey, apart: Container[str]
) -> None:
    """Raise `ConfigError` if the config would be another one when it is read from its record. The
    fields `apart` are recorded as given, not as they are."""
    read = msgspec.json.decode(msgspec.json.encode(recorded))
    try:
        again = unread_config(type(built), read, key.text)
        same = config_json(again)
        lost = [
            name
            for name in recorded
            if name not in apart
            if same[name] != recorded[name] or getattr(again, name) != getattr(built, name)
        ]
    except ConfigError:
        lost = [name for name in recorded if read[name] != recorded[name]] or list(recorded)
    if lost:
        shown = ", ".join(f"{name}={recorded[name]!r}" for name in lost)
        raise ConfigError(
            f"config of {key.text!r}: JSON cannot record {shown}.",
            hint="Give a value that comes back from JSON as it was.",
        )


def check_config(computation: Computation, config: Mapping[str, Any]) -> None:
    """Raise `ConfigError` if `config` does not fit a computation.

    A field may be wrong or unknown, or one without a default may be missing.
    """
    if config or computation.config_type is not None:
        build_config(_config_type(computation), config, computation.name)


def _config_type(computation: Computation) -> Any:
    if computation.config_type is None:
        raise ConfigError(
            f"{computation.label} takes no config.",
            hint="Give it a parameter annotated with a subclass of Config.",
        )
    return computation.config_type

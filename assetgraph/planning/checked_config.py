"""`checked_config`: checks the config of a run against its assets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.definitions.config import build_config, config_json, from_text, from_value
from assetgraph.errors import ConfigError

if TYPE_CHECKING:
    from assetgraph.definitions.computation import Computation
    from assetgraph.definitions.config import Config
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.keys import AssetKey


def checked_config(
    graph: AssetGraph, config: Mapping[AssetKey, Mapping[str, Any]]
) -> dict[AssetKey, dict[str, Any]]:
    """The given fields as JSON types: the text "5" and the number 5 become the same config.

    `config` has the fields of each asset by their names. Raises `ConfigError` for an unknown field,
    a wrong type, or an asset that takes no config.
    """
    checked = {}
    for key, given in config.items():
        kind = _config_type(graph.computation(key))
        built = build_config(kind, given, key.text)
        recorded = config_json(built)
        checked[key] = {name: recorded[name] for name in given}
        _require_same(built, given, checked[key], key)
    return checked


def _require_same(
    built: Config, given: Mapping[str, Any], recorded: Mapping[str, Any], key: AssetKey
) -> None:
    """Raise `ConfigError` if the config would be another one when it is read from its record."""
    read = msgspec.json.decode(msgspec.json.encode(recorded))
    lost = [
        field.encode_name
        for field in msgspec.structs.fields(built)
        if field.encode_name in read
        and not _comes_back(read[field.encode_name], getattr(built, field.name), field.type)
    ]
    if not lost and _replaces_fields(built, given):
        again = build_config(type(built), read, key.text)
        lost = [name for name in read if config_json(again)[name] != recorded[name]]
    if lost:
        shown = ", ".join(f"{name}={recorded[name]!r}" for name in lost)
        raise ConfigError(
            f"config of {key.text!r}: JSON cannot record {shown}.",
            hint="Give a value that comes back from JSON as it was.",
        )


def _comes_back(read: Any, value: Any, kind: Any) -> bool:
    """Whether `value` is what its field becomes when it is `read` from a record.

    Classes inside are compared by their fields, and not built once more: a `__post_init__` runs
    once before the run.
    """
    if isinstance(value, msgspec.Struct) and isinstance(read, dict):
        return all(
            _comes_back(read[field.encode_name], getattr(value, field.name), field.type)
            for field in msgspec.structs.fields(value)
            if field.encode_name in read
        )
    try:
        return bool(read == value or from_value(read, kind, strict=False) == value)
    except msgspec.ValidationError:
        return False


def _replaces_fields(built: Config, given: Mapping[str, Any]) -> bool:
    """Whether a `__post_init__` of the class puts something else in the place of a given field."""
    if not hasattr(built, "__post_init__"):
        return False
    for field in msgspec.structs.fields(built):
        if field.encode_name in given:
            meant = from_text(given[field.encode_name], field.type)
            if not _comes_back(meant, getattr(built, field.name), field.type):
                return True
    return False


def check_config(computation: Computation, config: Mapping[str, Any]) -> None:
    """Raise `ConfigError` if `config` does not fit a computation.

    A field may be wrong or unknown, or one without a default may be missing.
    """
    if config or computation.config_type is not None:
        build_config(_config_type(computation), config, computation.name)


def _config_type(computation: Computation) -> type[Config]:
    if computation.config_type is None:
        raise ConfigError(
            f"asset {computation.name!r} takes no config.",
            hint="Give it a parameter annotated with a subclass of Config.",
        )
    return computation.config_type

"""What a person gives a run in Python: config for several assets, and tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.annotations import described
from assetgraph.errors import ConfigError

if TYPE_CHECKING:
    from assetgraph.definitions.config import Config
    from assetgraph.definitions.resources import ConfigurableResource

OF_RESOURCE = "resources."  # what the name of a resource has before it, among those of assets


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Config for each asset, as `Config` objects or plain mappings.

    For example, `RunConfig({"trips": TripsConfig(limit=100)})`. The asset `raw/trips` may also be
    called `raw__trips`, as in Dagster. `resources` has fields of resources, as objects of their
    classes or as mappings, which replace those in the definitions.
    """

    ops: Mapping[str, Config | Mapping[str, Any]] = field(default_factory=dict)
    resources: Mapping[str, ConfigurableResource | Mapping[str, Any]] = field(default_factory=dict)


def run_tags(given: Mapping[str, str] | None) -> dict[str, str]:
    """The tags that a run is given. Raises `TypeError` for any that are not text."""
    if not isinstance(given, Mapping | None):
        raise TypeError(f"tags must be {{name: text}}, not {described(given)}")
    tags = dict(given or {})
    for name, value in tags.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"a tag must be text: write {{{str(name)!r}: {str(value)!r}}}")
    return tags


def run_config_texts(given: RunConfig | Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """The config that `materialize` is given as {asset key: {field: value}}. Raises
    `ConfigError`."""
    ops = given.ops if isinstance(given, RunConfig) else given or {}
    if isinstance(ops, Mapping):
        if isinstance(given, RunConfig):  # its entries may be wrapped, as Dagster's are
            entries: Mapping[str, Any] = ops
            ops = {k: c["config"] if _is_wrapped(c) and c else c for k, c in entries.items()}
        ops = {key: _plain(config) for key, config in _unwrapped(ops, "run_config").items()}
        if isinstance(given, RunConfig) and given.resources:
            ops |= _of_resources(given.resources)
    return config_by_asset(ops, "run_config")


def of_resources(config: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """What of the config of a run is for resources."""
    return {name: fields for name, fields in config.items() if name.startswith(OF_RESOURCE)}


def _unwrapped(given: Mapping[Any, Any], what: str) -> Mapping[Any, Any]:
    """{asset: config} from {"ops": {asset: {"config": config}}}, and from "resources" in the same
    form; anything else unchanged."""
    ops, resources = given.get("ops"), given.get("resources")
    if not (_all_wrapped(ops) or (_all_wrapped(resources) and resources)):
        return given
    others = [name for name in given if name not in ("ops", "resources")]
    if others or not all(_all_wrapped(given[name]) for name in given):
        wrong = (*others, *[name for name in given if not _all_wrapped(given[name])])[0]
        beside = "resources" if wrong == "ops" or "ops" not in given else "ops"
        raise ConfigError(
            f"{what} has {wrong!r} beside {beside!r}, and nothing takes it.",
            hint='Leave it out, or write {"ops": {"trips": {"config": {"limit": 100}}}}.',
        )
    named = {} if ops is None else {key: one.get("config") or {} for key, one in ops.items()}
    return named | _of_resources(resources or {})


def _all_wrapped(given: Any) -> bool:
    return isinstance(given, Mapping) and all(map(_is_wrapped, given.values()))


def _of_resources(given: Mapping[str, Any]) -> dict[str, Any]:
    """The config of resources by `resources.NAME`, each an object or a mapping, or one in
    {"config": …}."""
    bare = {k: c["config"] if _is_wrapped(c) and c else c for k, c in given.items()}
    return {f"{OF_RESOURCE}{name}": _fields_given(config) for name, config in bare.items()}


def _fields_given(config: Any) -> Any:
    """The fields that a resource was made with; anything else unchanged."""
    from assetgraph.definitions.resource_marks import is_configurable

    if not is_configurable(config):
        return config
    from assetgraph.definitions.resources import given_fields

    return {name: _fields_given(value) for name, value in given_fields(config).items()}


def _is_wrapped(config: Any) -> bool:
    return isinstance(config, Mapping) and config.keys() <= {"config"}


def _plain(config: Any) -> Any:
    """A config that is given as an object as its fields; anything else unchanged."""
    if isinstance(config, Mapping):
        return config
    from assetgraph.definitions.config_fields import has_fields
    from assetgraph.definitions.config_values import config_json

    return config_json(config) if has_fields(type(config)) else config


def config_by_asset(given: Any, what: str = "config") -> dict[str, dict[str, Any]]:
    """`given` as {asset key: {field: value}}. Raises `ConfigError`, which calls it `what`, if it is
    something else."""
    wrong = None
    if not isinstance(given, Mapping):
        wrong = f"it is {described(given)}"
    else:
        given = _unwrapped(given, what)
        for key, fields in given.items():
            names = fields if isinstance(fields, Mapping) else ()
            if not isinstance(key, str):
                wrong = f"{key!r} is no asset key, but {described(key)}"
            elif not isinstance(fields, Mapping):
                wrong = f"{key!r} has {described(fields)} instead of fields"
            elif other := [name for name in names if not isinstance(name, str)]:
                wrong = f"{key!r} has a field {other[0]!r}, and fields are text"
    if wrong:
        raise ConfigError(
            f"{what} must be {{asset key: {{field: value}}}}: {wrong}.",
            hint='For example: {"trips": {"limit": 100}}',
        )
    return {key: dict(fields) for key, fields in given.items()}

"""The config that a run gives its resources: fields that replace those in the definitions.

In the config of a run it goes by `resources.NAME`, which is no asset's key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.config_env import variable_of
from assetgraph.definitions.config_fields import fields_of, plain
from assetgraph.definitions.config_secrets import require_no_secrets, require_none_recorded
from assetgraph.definitions.env_var import EnvVar, holds_env_var
from assetgraph.definitions.resource_marks import is_configurable
from assetgraph.definitions.run_config import OF_RESOURCE
from assetgraph.errors import AssetGraphError, ConfigError
from assetgraph.graph.resource_tables import given_to
from assetgraph.text import did_you_mean

if TYPE_CHECKING:
    from assetgraph.definitions.resources import ConfigurableResource
    from assetgraph.graph.asset_graph import AssetGraph

Config = Mapping[str, Mapping[str, Any]]


def configured(graph: AssetGraph, config: Config) -> AssetGraph:
    """`graph` with the resources that `config` asks for. Raises `ConfigError` for an unknown
    resource or field, a wrong value, or a secret that is given itself."""
    made = {
        name: _with_fields(f"{OF_RESOURCE}{name}", _resource(graph, name), fields)
        for name, fields in _by_name(config).items()
    }
    # One that is in a field of another is the configured one there too.
    by_id = {id(graph.resources[name]): one for name, one in made.items()}
    others = {
        name: _holding(one, by_id)
        for name, one in {**graph.resources, **made}.items()
        if is_configurable(one)
    }
    return given_to(graph, others)


def recorded(config: Config) -> dict[str, dict[str, Any]]:
    """The config of resources as a run records it."""
    return {
        name: {field: plain(value) for field, value in fields.items()}
        for name, fields in config.items()
    }


def _by_name(config: Config) -> dict[str, dict[str, Any]]:
    """The fields of each resource; those of `resources.shop.inner` belong to the field `inner`."""
    found: dict[str, dict[str, Any]] = {}
    for text, fields in config.items():
        name, *path = text.removeprefix(OF_RESOURCE).split(".")
        into = found.setdefault(name, {})
        for part in path:
            inner = into.get(part)
            into[part] = into = dict(inner) if isinstance(inner, Mapping) else {}
        into.update(fields)
    return found


def _resource(graph: AssetGraph, name: str) -> ConfigurableResource:
    found = graph.resources.get(name)
    if is_configurable(found):
        resource: ConfigurableResource = graph.resources[name]
        return resource
    if name in graph.resources:
        raise ConfigError(
            f"the resource {name!r} takes no config: it is no ConfigurableResource.",
            hint="Leave it out of the config, or give another object in resources=.",
        )
    raise ConfigError(
        f"the config is for a resource {name!r}, which is not defined.",
        hint=did_you_mean(name, graph.resources) or "Leave it out of the config.",
    )


def _with_fields(
    owner: str, resource: ConfigurableResource, given: Mapping[str, Any]
) -> ConfigurableResource:
    """A resource with other fields. What it does not give stays as it is."""
    from assetgraph.definitions.resources import given_fields

    kind: Any = type(resource)
    fields = fields_of(kind)
    require_no_secrets(fields, given, owner)
    if unknown := [name for name in given if name not in fields]:
        raise ConfigError(
            f"{owner} has no field {unknown[0]!r}.", hint=did_you_mean(unknown[0], fields)
        )
    merged = given_fields(resource)
    for name, value in given.items():
        present: Any = vars(resource).get(name)
        if (variable := variable_of(fields[name].annotation, value)) is not None:
            is_number = hasattr(value, "env_var_name") and not isinstance(value, str)
            merged[name] = value if is_number else EnvVar(variable)
        elif is_configurable(present) and isinstance(value, Mapping):
            merged[name] = _with_fields(f"{owner}.{name}", present, value)
        else:
            merged[name] = value
    made = _made(owner, kind, merged)
    _require_recordable(owner, made, given)
    return made


def _made(owner: str, kind: Any, fields: Mapping[str, Any]) -> ConfigurableResource:
    from pydantic import ValidationError

    try:
        made: ConfigurableResource = kind(**fields)
    except ValidationError as error:
        from assetgraph.definitions.config_errors import wrong_fields

        raise ConfigError(
            f"config of {owner}: {wrong_fields(error)}.",
            hint='For example: {"resources": {"shop": {"config": {"sample": 0.1}}}}',
        ) from None
    return made


def _require_recordable(owner: str, made: ConfigurableResource, given: Mapping[str, Any]) -> None:
    """Raise `ConfigError` if the fields would be others when they are read from their record."""
    for name, value in given.items():
        if holds_env_var(vars(made)[name]) or is_configurable(vars(made)[name]):
            continue
        require_none_recorded({name: vars(made)[name]}, value, owner)
        try:
            again = type(made)(**(vars(made) | {name: plain(value)}))
            same = vars(again)[name] == vars(made)[name]
        except (ValueError, AssetGraphError):
            same = False
        if not same:
            raise ConfigError(
                f"config of {owner}: JSON cannot record {name}.",
                hint="Give a value that comes back from JSON as it was, or give the whole "
                "resource in resources=.",
            )


def _holding(resource: Any, others: Mapping[int, Any]) -> Any:
    """A resource with `others`, by the ids of the ones whose place they take, in its fields."""
    changed = dict(_changed_fields(resource, others))
    return resource.model_copy(update=changed) if changed else resource


def _changed_fields(resource: Any, others: Mapping[int, Any]) -> Iterator[tuple[str, Any]]:
    for name in type(resource).model_fields:
        value = vars(resource).get(name)
        if is_configurable(value):
            other = others.get(id(value)) or _holding(value, others)
            if other is not value:
                yield name, other

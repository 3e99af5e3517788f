"""Secret fields of a config: their values come from environment variables, since what is given in a
config is recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.config_fields import fields_of, has_fields, is_secret
from assetgraph.errors import ConfigError
from assetgraph.process.secrets import texts_in

if TYPE_CHECKING:
    from assetgraph.definitions.config_fields import ConfigField


def require_no_secrets(
    fields: Mapping[str, ConfigField], given: Mapping[str, Any], owner: str, place: str = ""
) -> None:
    """Raise `ConfigError` for a secret field that is given itself. The message does not show it."""
    from assetgraph.definitions.config_env import inner_fields, variable_of

    for name, value in given.items():
        field = fields.get(name)
        if value is None or field is None or variable_of(field.annotation, value) is not None:
            continue
        if is_secret(field):
            raise _is_recorded(owner, f"{place}{name}")
        if inner := inner_fields(field, value):
            require_no_secrets(inner, value, owner, f"{place}{name}.")


def require_none_recorded(built: Any, recorded: Any, owner: str) -> None:
    """Raise `ConfigError` if the value of a secret field, at any depth of a config, is in what
    would be `recorded` of it."""
    texts = set(_texts(recorded))
    for name, secret in _secrets_in(built):
        if not texts.isdisjoint(filter(None, texts_in(secret))):
            raise _is_recorded(owner, name)


def _is_recorded(owner: str, name: str) -> ConfigError:
    return ConfigError(
        f"config of {owner!r}: {name} is secret, and what is given here is recorded.",
        hint='Name an environment variable that has it: EnvVar("NAME") in Python, and otherwise '
        '{"env": "NAME"}.',
    )


def _secrets_in(value: Any) -> Iterator[tuple[str, Any]]:
    """The secret values in a config, each with the name of its field."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _secrets_in(item)
    elif has_fields(type(value)):
        kind: Any = type(value)
        for name, field in fields_of(kind).items():
            inner = getattr(value, name, None)
            if is_secret(field):
                yield name, inner
            else:
                yield from _secrets_in(inner)


def _texts(value: Any) -> Iterator[str]:
    """The texts and numbers in JSON."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif value is not None:
        yield str(value)

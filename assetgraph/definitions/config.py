"""`Config`: the typed settings of an asset, checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, dataclass_transform

import msgspec

from assetgraph.errors import ConfigError
from assetgraph.text import did_you_mean


class _KeywordOnly(msgspec.StructMeta):
    """Makes the fields of each subclass keyword-only: msgspec inherits its other options, not
    this one."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any
    ) -> Any:
        return super().__new__(cls, name, bases, namespace, **{"kw_only": True, **options})


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Config(msgspec.Struct, metaclass=_KeywordOnly, frozen=True, forbid_unknown_fields=True):
    """Base of an asset's config: fields with types and, where they have one, defaults.

        class TripsConfig(Config):
            month: str = "2023-03"

        @asset
        def trips(config: TripsConfig): ...

    Frozen and keyword-only: a field without a default may follow one with. Unknown fields are
    refused.
    """


C = TypeVar("C", bound=Config)


def build_config(kind: type[C], given: Mapping[str, Any], owner: str) -> C:
    """The config of asset `owner` from plain values. Text becomes a number, a bool, a date or
    JSON where the field's type asks for it, since a command line has nothing but text.

    Raises `ConfigError`, naming the asset, the field and the type that it has.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name in given:
        if name not in fields:
            takes = f"It takes: {', '.join(fields) or 'none'}."
            raise ConfigError(
                f"{owner!r} has no config field {name!r}.",
                hint=" ".join(filter(None, [did_you_mean(name, fields), takes])),
            )
    values = {name: _from_text(value, fields[name].type) for name, value in given.items()}
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        takes = ", ".join(f"{name}: {declared}" for name, declared in declared_fields(kind).items())
        raise ConfigError(
            f"config of {owner!r}: {_readable(str(error))}.", hint=f"It takes: {takes}."
        ) from None


def config_json(config: Config) -> dict[str, Any]:
    """Every field with its value, defaults included, in JSON's types."""
    built: dict[str, Any] = msgspec.to_builtins(config)
    return built


def declared_fields(kind: type[Config]) -> dict[str, str]:
    """Each field with its type and its default, if any: `{"month": "str = '2023-03'"}`."""
    return {field.encode_name: _declared(field) for field in msgspec.structs.fields(kind)}


def _declared(field: msgspec.structs.FieldInfo) -> str:
    kind = field.type.__name__ if isinstance(field.type, type) else str(field.type)
    if field.default is not msgspec.NODEFAULT:
        return f"{kind} = {field.default!r}"
    return kind if field.required else f"{kind} = {field.default_factory()!r}"


def _from_text(value: Any, wanted: Any) -> Any:
    if not isinstance(value, str) or _takes_text(value, wanted):
        return value
    try:
        return msgspec.json.decode(value.encode())
    except msgspec.DecodeError:
        return value


def _takes_text(value: str, wanted: Any) -> bool:
    try:
        msgspec.convert(value, wanted, strict=False)
    except msgspec.ValidationError:
        return False
    return True


def _readable(error: str) -> str:
    """msgspec's "Expected `int`, got `str` - at `$.month`" with the place first."""
    what, found, where = error.partition(" - at `$")
    field = where.rstrip("`").lstrip(".") if found else ""
    text = what[0].lower() + what[1:]
    return f"{field}: {text}" if field else text

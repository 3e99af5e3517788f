"""Config from what a person gives, and to what is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.definitions.config_env import variables_in, with_variables
from assetgraph.definitions.config_fields import (
    ConfigField,
    adapter_of,
    fields_of,
    has_fields,
    with_sorted_sets,
)
from assetgraph.errors import ConfigError
from assetgraph.text import did_you_mean

if TYPE_CHECKING:
    from pydantic import ValidationError

_LISTS = ("list_type", "tuple_type", "set_type", "frozen_set_type", "sequence_str")


def build_config(kind: Any, given: Mapping[str, Any], owner: str) -> Any:
    """The config of asset `owner` as an instance of `kind`, from plain values by field name.

    Text is converted to the type of its field, such as a number, a bool, a date, a list or JSON,
    because a command line passes only text.

    Raises `ConfigError` with the asset, the field and its type.
    """
    return with_variables_read(unread_config(kind, given, owner), owner)


def unread_config(kind: Any, given: Mapping[str, Any], owner: str) -> Any:
    """The config of asset `owner` as `build_config` makes it, but for variables that are defaults:
    those are not read, and so not recorded."""
    from pydantic import ValidationError

    fields = fields_of(kind)
    values = named_fields(fields, given, owner)
    secret = variables_in(fields, values)
    if secret:
        values = with_variables(fields, values, owner)
    try:
        built = _validated(kind, values)
    except ValidationError as error:
        from assetgraph.definitions.config_errors import config_error

        raise config_error(error, kind, values, owner, secret) from None
    except Exception as error:
        # Its text may show the value of a variable.
        what = f"with {', '.join(secret.values())}" if secret else str(error)
        message = f"{kind.__qualname__}, the config of {owner!r}, fails: {type(error).__name__}"
        raise ConfigError(f"{message}: {what}") from (None if secret else error)
    for name, value in values.items():
        if place := _counted_time(value, getattr(built, name), name):
            from assetgraph.definitions.config_errors import no_time

            raise no_time(place, "" if name in secret else value, fields[name], owner)
    return built


def with_variables_read(config: Any, owner: str) -> Any:
    """A config with each `EnvVar` in it, such as a default, replaced by the value of its
    variable."""
    try:
        if not _holds_variable(config):
            return config
    except RecursionError:  # it nests too deep, as its record will say
        return config
    recorded = config_json(config)
    return build_config(type(config), recorded, owner)


def _holds_variable(value: Any) -> bool:
    """Whether an `EnvVar` is in a config, as where it is the default of a field."""
    if hasattr(value, "env_var_name"):
        return True
    kind: Any = type(value)
    if has_fields(kind):
        return any(_holds_variable(getattr(value, name, None)) for name in fields_of(kind))
    inside = value.values() if isinstance(value, dict) else value
    return isinstance(value, dict | list | tuple) and any(map(_holds_variable, inside))


def named_fields(
    fields: Mapping[str, ConfigField], given: Mapping[str, Any], owner: str
) -> dict[str, Any]:
    """The given values by the names of their fields. Raises `ConfigError` for an unknown one."""
    aliases = {field.alias: field.name for field in fields.values() if field.alias}
    values = {}
    for name, value in given.items():
        field = name if name in fields else aliases.get(name)
        if field is None:
            takes = f"It takes: {', '.join(fields) or 'none'}."
            raise ConfigError(
                f"{owner!r} has no config field {name!r}.",
                hint=" ".join(filter(None, [did_you_mean(name, fields), takes])),
            )
        values[field] = value
    return values


def _validated(kind: Any, values: dict[str, Any]) -> Any:
    """An instance of `kind`. What does not fit as text is tried as JSON, and as a list."""
    from pydantic import ValidationError

    try:
        return validate(kind, values)
    except ValidationError as error:
        meant = {**values, **_meant_by_text(error, values)}
        if meant == values:
            raise
        return validate(kind, meant)


def validate(kind: Any, values: Any) -> Any:
    """An instance of `kind` from its fields by name. Raises `pydantic.ValidationError`."""
    allows = (getattr(kind, "model_config", None) or {}).get("extra") == "allow"
    extra: Any = None if allows else "forbid"
    return adapter_of(kind).validate_python(values, extra=extra, by_name=True, by_alias=True)


def _meant_by_text(error: ValidationError, values: Mapping[str, Any]) -> dict[str, Any]:
    """What is meant by the texts that do not fit their fields as they are."""
    found: dict[str, Any] = {}
    for one in error.errors(include_url=False, include_context=False):
        name = one["loc"][0] if one["loc"] else None
        text = values.get(str(name))
        if not isinstance(text, str):
            continue
        try:
            found[str(name)] = msgspec.json.decode(text.encode())
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            if one["type"] in _LISTS and not text.lstrip().startswith(("[", "{")):
                found[str(name)] = [part.strip() for part in text.split(",")] if text else []
    return found


def _counted_time(given: Any, built: Any, place: str) -> str | None:
    """Where a number was taken for a date or a time of day, as seconds: nobody means that."""
    if built is given:
        return None
    if isinstance(built, date | time):
        text = str(given) if isinstance(given, int | float | str) else ""
        return place if text.removeprefix("-").replace(".", "", 1).isdecimal() else None
    pairs: list[tuple[Any, Any, str]] = []
    if isinstance(given, dict):
        inner = built if isinstance(built, dict) else getattr(built, "__dict__", {})
        pairs = [(one, inner[n], f"{place}.{n}") for n, one in given.items() if n in inner]
    elif isinstance(given, list) and isinstance(built, list | tuple):
        both = enumerate(zip(given, built, strict=False))
        pairs = [(one, other, f"{place}[{number}]") for number, (one, other) in both]
    return next(filter(None, (_counted_time(*pair) for pair in pairs)), None)


def config_json(config: Any) -> dict[str, Any]:
    """All fields with their values, defaults included, as JSON types.

    Raises `ConfigError` for a value that JSON cannot express.
    """
    kind: Any = type(config)
    try:
        dumped = adapter_of(kind).dump_python(
            config, mode="json", exclude_computed_fields=True, by_alias=False, warnings=False
        )
        built: dict[str, Any] = with_sorted_sets(config, dumped)
        msgspec.json.encode(built)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        deep = isinstance(error, RecursionError) or "depth exceeded" in str(error)
        raise ConfigError(
            f"{kind.__name__} cannot be recorded: {'it nests too deep' if deep else error}.",
            hint="Give it values that JSON can express: text, numbers, dates, lists and so on.",
        ) from error
    return {name: built[name] for name in fields_of(kind) if name in built}

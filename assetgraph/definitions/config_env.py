"""Environment variables in the place of values of config: `{"env": "NAME"}`, or an
`EnvVar` in Python.

The variable is read where the config is made. What is recorded is its name, and no message shows
its value.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, get_args

from assetgraph.definitions.annotations import accepts
from assetgraph.definitions.config_fields import ConfigField, fields_of, has_fields
from assetgraph.errors import ConfigError
from assetgraph.process.secrets import hide


def with_variables(
    fields: Mapping[str, ConfigField], given: Mapping[str, Any], owner: str, place: str = ""
) -> dict[str, Any]:
    """The given values, with each variable replaced by its value. Raises `ConfigError` for one that
    is not set."""
    found = {}
    for name, value in given.items():
        field, here = fields.get(name), f"{place}{name}"
        variable = variable_of(field, value)
        if variable is not None:
            value = os.environ.get(variable)
            if value is None:
                raise ConfigError(
                    f"config of {owner!r}: {here} is the environment variable {variable}, which is "
                    "not set.",
                    hint=f"Set it: export {variable}=…",
                )
            hide([value])
        elif inner := inner_fields(field, value):
            value = with_variables(inner, value, owner, f"{here}.")
        found[name] = value
    return found


def variables_in(fields: Mapping[str, ConfigField], given: Mapping[str, Any]) -> dict[str, str]:
    """The name of a variable for each field that is one, or has one inside."""
    found = {}
    for name, value in given.items():
        field = fields.get(name)
        variable = variable_of(field, value)
        if variable is not None:
            found[name] = variable
        elif (inner := inner_fields(field, value)) and (inside := variables_in(inner, value)):
            found[name] = next(iter(inside.values()))
    return found


def variable_of(field: ConfigField | None, value: Any) -> str | None:
    """The variable that stands in the place of a value; None for a value itself, as of a field that
    takes a dict."""
    if hasattr(value, "env_var_name"):
        return str.__str__(value.env_var_name)
    if not isinstance(value, Mapping) or value.keys() != {"env"} or field is None:
        return None
    name = value["env"]
    if not isinstance(name, str) or accepts(field.annotation, {}) or _class_in(field.annotation):
        return None
    return name


def inner_fields(field: ConfigField | None, value: Any) -> Mapping[str, ConfigField]:
    """The fields of the class that a value is for."""
    if field is None or not isinstance(value, Mapping):
        return {}
    kind = _class_in(field.annotation)
    return fields_of(kind) if kind is not None else {}


def _class_in(annotation: Any) -> Any:
    """The class of fields that an annotation names alone, or beside None."""
    parts = [one for one in get_args(annotation) or (annotation,) if one is not type(None)]
    return parts[0] if len(parts) == 1 and has_fields(parts[0]) else None

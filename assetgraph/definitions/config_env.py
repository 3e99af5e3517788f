"""Environment variables in the place of values of config: `{"env": "NAME"}`, or an
`EnvVar` in Python.

The variable is read where the config is made. What is recorded is its name, and no message shows
its value.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from assetgraph.definitions.annotations import accepts
from assetgraph.definitions.config_fields import ConfigField, fields_of, has_fields
from assetgraph.errors import ConfigError
from assetgraph.process.secrets import hide

_LISTS = (list, tuple, set, frozenset)


def with_variables(
    fields: Mapping[str, ConfigField], given: Mapping[str, Any], owner: str
) -> dict[str, Any]:
    """The given values, with each variable replaced by its value, in lists and dicts too. Raises
    `ConfigError` for one that is not set."""
    return {
        name: _read(_annotation(fields, name), value, owner, name) for name, value in given.items()
    }


def variables_in(fields: Mapping[str, ConfigField], given: Mapping[str, Any]) -> dict[str, str]:
    """The name of a variable for each field that is one, or has one inside."""
    found = {}
    for name, value in given.items():
        variable = _first_variable(_annotation(fields, name), value)
        if variable is not None:
            found[name] = variable
    return found


def _first_variable(annotation: Any, value: Any) -> str | None:
    try:
        return next(_variables(annotation, value), None)
    except RecursionError:  # it nests too deep, as its check will say
        return None


def _read(annotation: Any, value: Any, owner: str, place: str) -> Any:
    """A value with its variables replaced."""
    variable = variable_of(annotation, value)
    if variable is not None:
        read = os.environ.get(variable)
        if read is None:
            raise ConfigError(
                f"config of {owner!r}: {place} is the environment variable {variable}, which is "
                "not set.",
                hint=f"Set it: export {variable}=…",
            )
        hide([read])
        return read
    if _first_variable(annotation, value) is None:
        return value
    if isinstance(value, Mapping):
        return {
            name: _read(inner, one, owner, f"{place}.{name}")
            for name, inner, one in _members(annotation, value)
        }
    return [
        _read(inner, one, owner, f"{place}[{number}]")
        for number, inner, one in _members(annotation, value)
    ]


def _variables(annotation: Any, value: Any) -> Iterator[str]:
    """The variables that a value is or holds."""
    variable = variable_of(annotation, value)
    if variable is not None:
        yield variable
        return
    for _, inner, one in _members(annotation, value):
        yield from _variables(inner, one)


def variable_of(annotation: Any, value: Any) -> str | None:
    """The variable that stands in the place of a value; None for a value itself, as where a dict is
    taken."""
    if hasattr(value, "env_var_name"):
        return str.__str__(value.env_var_name)
    if not isinstance(value, Mapping) or value.keys() != {"env"} or annotation is None:
        return None
    name = value["env"]
    if not isinstance(name, str) or accepts(annotation, {}) or _class_in(annotation):
        return None
    return name


def _members(annotation: Any, value: Any) -> Iterator[tuple[Any, Any, Any]]:
    """The members of a value: the name or number of each, its annotation and itself."""
    if isinstance(value, Mapping):
        kind = _class_in(annotation)
        fields = fields_of(kind) if kind is not None else None
        inner = get_args(_bare(annotation))[1:2] or (None,)
        for name, one in value.items():
            yield name, inner[0] if fields is None else _annotation(fields, name), one
    elif isinstance(value, _LISTS):
        kinds = get_args(_bare(annotation)) or (None,)
        by_position = len(kinds) > 1 and kinds[-1] is not ...
        for number, one in enumerate(value):
            yield number, kinds[min(number, len(kinds) - 1) if by_position else 0], one


def _annotation(fields: Mapping[str, ConfigField], name: str) -> Any:
    return fields[name].annotation if name in fields else None


def _bare(annotation: Any) -> Any:
    """An annotation without None and without what is annotated beside it."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _bare(args[0])
    parts = [one for one in args if one is not type(None)]
    return _bare(parts[0]) if origin in (Union, UnionType) and len(parts) == 1 else annotation


def inner_fields(field: ConfigField | None, value: Any) -> Mapping[str, ConfigField]:
    """The fields of the class that a value is for."""
    if field is None or not isinstance(value, Mapping):
        return {}
    kind = _class_in(field.annotation)
    return fields_of(kind) if kind is not None else {}


def _class_in(annotation: Any) -> Any:
    """The class of fields that an annotation names alone, or beside None."""
    bare = _bare(annotation)
    return bare if has_fields(bare) else None

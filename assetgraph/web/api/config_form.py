"""The fields of the form for an asset's config, read from its class."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assetgraph.definitions.computation import Computation
    from assetgraph.definitions.config_fields import ConfigField

_KINDS = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}
_FORMATS = {"date": "date", "date-time": "datetime"}  # any other is written as text
_LIMITS = {"minimum": "min", "maximum": "max", "minLength": "min_length", "maxLength": "max_length"}


def config_fields(computation: Computation) -> list[dict[str, Any]] | None:
    """One entry for each field, or None for an asset that takes no config.

    An entry has the field's name, whether it is required, its default, its description, and the
    `kind` of input: text, integer, number, boolean, date, datetime, choice or json.
    """
    kind = computation.config_type
    if kind is None:
        return None
    from assetgraph.definitions.config_fields import adapter_of, fields_of

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a default that JSON does not have
        schema = adapter_of(kind).json_schema(by_alias=False)
    named = schema.get("$defs", {})
    schema = _referred(schema, named)
    return [
        _entry(field, schema["properties"][name], named) for name, field in fields_of(kind).items()
    ]


def _entry(field: ConfigField, wanted: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": field.name, "required": field.required}
    if "description" in wanted:
        entry["description"] = wanted["description"]
    wanted, entry["optional"] = _without_none(wanted)
    wanted = _referred(wanted, named)
    entry["kind"] = _kind(wanted)
    if "enum" in wanted or "const" in wanted:
        entry |= {"kind": "choice", "choices": wanted.get("enum") or [wanted["const"]]}
    for theirs, ours in _LIMITS.items():
        if theirs in wanted:
            entry[ours] = wanted[theirs]
    if not field.required:
        entry["default"] = _default(field)
    return entry


def _kind(wanted: dict[str, Any]) -> str:
    shapes = [one.get("type") for one in wanted.get("anyOf", ())]
    if shapes == ["number", "string"]:  # a Decimal
        return "text"
    kind = _KINDS.get(wanted.get("type", ""), "json")
    return _FORMATS.get(wanted.get("format", ""), kind) if kind == "text" else kind


def _without_none(wanted: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """`X` for the schema of `X | None`, and whether it was one; any other schema unchanged."""
    alternatives = wanted.get("anyOf", [])
    rest = [one for one in alternatives if one.get("type") != "null"]
    if len(rest) == len(alternatives):
        return wanted, False
    return rest[0] if len(rest) == 1 else {"anyOf": rest}, True


def _referred(schema: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    path = schema.get("$ref")
    return named[path.rpartition("/")[2]] if path else schema


def _default(field: ConfigField) -> Any:
    from assetgraph.definitions.config_fields import plain

    try:
        return plain(field.default())
    except Exception:
        return repr(field.default())

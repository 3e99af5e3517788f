"""The fields of the form for an asset's config, read from its `Config` class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import inspect

if TYPE_CHECKING:
    from assetgraph.definitions.computation import Computation

_KINDS: dict[type[inspect.Type], str] = {
    inspect.StrType: "text",
    inspect.IntType: "integer",
    inspect.FloatType: "number",
    inspect.BoolType: "boolean",
    inspect.DateType: "date",
    inspect.DateTimeType: "datetime",
    # What is written as text, though not as any text.
    inspect.TimeType: "text",
    inspect.TimeDeltaType: "text",
    inspect.DecimalType: "text",
    inspect.UUIDType: "text",
    inspect.BytesType: "text",
    inspect.CustomType: "text",  # a Path: `check` refuses any other
}
_LIMITS = {"ge": "min", "le": "max", "min_length": "min_length", "max_length": "max_length"}


def config_fields(computation: Computation) -> list[dict[str, Any]] | None:
    """One entry for each field, or None for an asset that takes no config.

    An entry has the field's name, whether it is required, its default, its description, and the
    `kind` of input: text, integer, number, boolean, date, datetime, choice or json.
    """
    kind = computation.config_type
    if kind is None:
        return None
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return [_field(field) for field in info.fields]


def _field(field: inspect.Field) -> dict[str, Any]:
    wanted = field.type
    entry: dict[str, Any] = {"name": field.encode_name, "required": field.required}
    if isinstance(wanted, inspect.Metadata):
        entry["description"] = (wanted.extra_json_schema or {}).get("description")
        wanted = wanted.type
    entry["optional"] = isinstance(wanted, inspect.UnionType) and wanted.includes_none
    wanted = _without_none(wanted)
    entry["kind"] = _KINDS.get(type(wanted), "json")
    if isinstance(wanted, inspect.LiteralType | inspect.EnumType):
        entry |= {"kind": "choice", "choices": _choices(wanted)}
    for name, given in _LIMITS.items():
        if getattr(wanted, name, None) is not None:
            entry[given] = getattr(wanted, name)
    if not field.required:
        entry["default"] = _default(field)
    return entry


def _without_none(wanted: inspect.Type) -> inspect.Type:
    """`X` for the type `X | None`; any other type unchanged."""
    if isinstance(wanted, inspect.UnionType):
        rest = [part for part in wanted.types if not isinstance(part, inspect.NoneType)]
        return rest[0] if len(rest) == 1 else wanted
    return wanted


def _choices(wanted: inspect.LiteralType | inspect.EnumType) -> list[Any]:
    if isinstance(wanted, inspect.LiteralType):
        return list(wanted.values)
    return [msgspec.to_builtins(member) for member in wanted.cls]


def _default(field: inspect.Field) -> Any:
    value = field.default
    if value is msgspec.NODEFAULT:
        factory = field.default_factory
        value = factory() if callable(factory) else None
    try:
        return msgspec.to_builtins(value, enc_hook=str)
    except TypeError:
        return repr(value)

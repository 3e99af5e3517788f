"""A record as JSON with every name in it, for scripts. The store leaves out what is unknown."""

from __future__ import annotations

from typing import Any

import msgspec


def record_json(record: msgspec.Struct) -> dict[str, Any]:
    """The record under the names that the store uses; null for unknown text and numbers."""
    config = record.__struct_config__
    named = {config.tag_field: config.tag} if config.tag_field else {}
    for field in msgspec.structs.fields(record):
        value = getattr(record, field.name)
        unknown = value in ("", 0) and value is not False and value == field.default
        named[field.encode_name] = None if unknown else _json(value)
    return named


def _json(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return record_json(value)
    if isinstance(value, tuple):
        return [_json(one) for one in value]
    return msgspec.to_builtins(value)

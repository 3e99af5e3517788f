"""`MetadataValue` and `MaterializeResult`: what an asset says about what it made."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from assetgraph.definitions.annotations import of_which_type
from assetgraph.errors import MetadataError

_PLAIN = {"text": str, "int": int, "float": float, "bool": bool}


@dataclass(frozen=True, slots=True)
class MetadataValue:
    """A value of metadata with how it should be shown. Made by the methods named after its kind.

    Plain Python values do as well: `{"rows": 5, "source": "TLC"}`.
    """

    kind: str
    value: Any

    @classmethod
    def text(cls, text: str) -> MetadataValue:
        return cls("text", str(text))

    @classmethod
    def url(cls, url: str) -> MetadataValue:
        return cls("url", str(url))

    @classmethod
    def path(cls, path: str | os.PathLike[str]) -> MetadataValue:
        return cls("path", os.fspath(path))

    @classmethod
    def md(cls, data: str) -> MetadataValue:
        """Markdown."""
        return cls("md", str(data))

    @classmethod
    def json(cls, data: Any) -> MetadataValue:
        return cls("json", _json_shaped(data))

    @classmethod
    def table(cls, records: Sequence[Mapping[str, Any]]) -> MetadataValue:
        """Rows as mappings of column to value."""
        return cls("table", [_json_shaped(dict(record)) for record in records])

    @classmethod
    def timestamp(cls, value: datetime | float) -> MetadataValue:
        """An aware datetime, or seconds since 1970."""
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise MetadataError(f"the timestamp {value} has no time zone")
            value = value.timestamp()
        return cls("timestamp", float(value))

    # Named after builtins, as Dagster's are: last, so that the annotations above mean the builtins.
    @classmethod
    def float(cls, value: float) -> MetadataValue:
        return cls("float", _PLAIN["float"](value))

    @classmethod
    def bool(cls, value: object) -> MetadataValue:
        return cls("bool", _PLAIN["bool"](value))

    @classmethod
    def int(cls, value: Any) -> MetadataValue:
        return cls("int", _PLAIN["int"](value))

    def to_json(self) -> Any:
        """A plain value as itself, any other as `{"type": kind, "value": …}`."""
        if self.kind in _PLAIN and not (self.kind == "float" and not math.isfinite(self.value)):
            return self.value
        value = str(self.value) if self.kind == "float" else self.value
        return {"type": self.kind, "value": value}

    @classmethod
    def from_json(cls, recorded: Any) -> MetadataValue:
        if isinstance(recorded, dict) and recorded.keys() == {"type", "value"}:
            kind, value = recorded["type"], recorded["value"]
            return cls(kind, _PLAIN["float"](value) if kind == "float" else value)
        return metadata_value("metadata", recorded)


@dataclass(frozen=True, slots=True)
class MaterializeResult:
    """What an asset may return instead of its bare value: the value and what to record about it.

    `data_version` replaces the hash that would be computed of the value.
    """

    value: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    data_version: str | None = None


def metadata_value(name: str, value: Any) -> MetadataValue:
    """`value` with the kind that its type says. Raises `MetadataError` for what has none."""
    if isinstance(value, MetadataValue):
        return value
    if value is None:
        return MetadataValue("json", None)
    for kind in ("bool", "text", "int", "float"):
        if isinstance(value, _PLAIN[kind]):
            return MetadataValue(kind, _PLAIN[kind](value))
    if isinstance(value, datetime):
        return MetadataValue.timestamp(value)
    if isinstance(value, os.PathLike):
        return MetadataValue.path(value)
    scalar = _scalar(value)
    if scalar is not None:
        return metadata_value(name, scalar)
    try:
        return MetadataValue.json(value)
    except MetadataError as error:
        raise MetadataError(
            f"the metadata {name!r} is {of_which_type(value)}, which cannot be recorded",
            hint="Give text, a number, a bool, a path, a datetime, or lists and dicts of these.",
        ) from error


def metadata_json(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata as it is recorded. Raises `MetadataError`."""
    return {str(name): metadata_value(name, value).to_json() for name, value in metadata.items()}


def _scalar(value: Any) -> Any:
    """The plain value that a scalar of numpy or pyarrow stands for, or None."""
    unwrap = getattr(value, "item", None) or getattr(value, "as_py", None)
    try:
        plain = unwrap() if unwrap else None
    except Exception:  # an array of several
        return None
    return plain if type(plain) is not type(value) else None


def _json_shaped(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)  # a subclass, as numpy's, is not known to the encoder
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, Mapping):
        return {str(key): _json_shaped(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_json_shaped(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    scalar = _scalar(value)
    if scalar is not None:
        return _json_shaped(scalar)
    raise MetadataError(f"{of_which_type(value)} is not JSON-shaped")

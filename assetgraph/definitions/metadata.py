"""`MetadataValue` and `MaterializeResult`: what an asset records about its value."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from assetgraph.definitions.annotations import kind_of_value, of_which_type
from assetgraph.errors import MetadataError, ValueTypeError
from assetgraph.keys import AssetKey

T = TypeVar("T")
_MORE_HINTS = {
    "pandas": " For some rows: MetadataValue.table(df.head().to_dict('records')).",
    "polars": " For some rows: MetadataValue.table(df.head().to_dicts()).",
    "table": " For some rows: MetadataValue.table(table.slice(0, 5).to_pylist()).",
    "array": " For a small array: array.tolist().",
}
_PLAIN = {"text": str, "int": int, "float": float, "bool": bool}


@dataclass(frozen=True, slots=True)
class MetadataValue:
    """A metadata value and the kind that says how to show it.

    Create one with the class method of its kind: `MetadataValue.url("https://…")`. Text, numbers,
    bools, paths and datetimes need none: `{"rows": 5, "source": "TLC"}`.
    """

    kind: str
    value: Any

    @classmethod
    def text(cls, text: str) -> MetadataValue:
        """Plain text."""
        return cls("text", str(text))

    @classmethod
    def url(cls, url: str) -> MetadataValue:
        """A URL, shown as a link."""
        return cls("url", str(url))

    @classmethod
    def path(cls, path: str | os.PathLike[str]) -> MetadataValue:
        """The path of a file or folder."""
        return cls("path", os.fspath(path))

    @classmethod
    def md(cls, data: str) -> MetadataValue:
        """Text in Markdown."""
        return cls("md", str(data))

    @classmethod
    def json(cls, data: Any) -> MetadataValue:
        """Nested dicts, lists and plain values. Raises `MetadataError` for anything else."""
        return cls("json", _json_shaped(data))

    @classmethod
    def table(cls, records: Sequence[Mapping[str, Any]]) -> MetadataValue:
        """A table, as one mapping of column names to values for each row.

        Raises `MetadataError` for a value that is not JSON-shaped.
        """
        return cls("table", [_json_shaped(dict(record)) for record in records])

    @classmethod
    def timestamp(cls, value: datetime | float) -> MetadataValue:
        """A point in time: a datetime with a time zone, or seconds since 1970 (UTC).

        Raises `MetadataError` for a datetime without a time zone.
        """
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise MetadataError(f"the timestamp {value} has no time zone")
            value = value.timestamp()
        return cls("timestamp", float(value))

    # Dagster's names, which hide builtins: they come last, so that annotations above can use these.
    @classmethod
    def float(cls, value: float) -> MetadataValue:
        """A floating-point number."""
        return cls("float", _PLAIN["float"](value))

    @classmethod
    def bool(cls, value: object) -> MetadataValue:
        """A bool: whether `value` is true."""
        return cls("bool", _PLAIN["bool"](value))

    @classmethod
    def int(cls, value: Any) -> MetadataValue:
        """A whole number."""
        return cls("int", _PLAIN["int"](value))

    def to_json(self) -> Any:
        """The recorded form: text, numbers and bools as they are, others as
        `{"type": kind, "value": …}`."""
        if self.kind in _PLAIN and not (self.kind == "float" and not math.isfinite(self.value)):
            return self.value
        value = str(self.value) if self.kind == "float" else self.value
        return {"type": self.kind, "value": value}

    @classmethod
    def from_json(cls, recorded: Any) -> MetadataValue:
        """The value whose `to_json` is `recorded`."""
        if isinstance(recorded, dict) and recorded.keys() == {"type", "value"}:
            kind, value = recorded["type"], recorded["value"]
            return cls(kind, _PLAIN["float"](value) if kind == "float" else value)
        return metadata_value("metadata", recorded)


@dataclass(frozen=True, slots=True)
class MaterializeResult:
    """A return value of an asset, with metadata to record about it.

        @asset
        def trips():
            rows = download()
            return MaterializeResult(value=rows, metadata={"rows": len(rows)})

    `data_version` replaces the data version that is otherwise computed from the value: a downstream
    asset is stale when it changes. `asset_key` says which asset it is about, where a function
    materializes several. `tags` are recorded with the value.
    """

    value: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    data_version: Any = None  # text, or a `DataVersion`
    asset_key: Any = None
    tags: Mapping[str, str] | None = None
    check_results: Sequence[Any] = ()  # an `AssetCheckResult` for each of its own checks

    def __getstate__(self) -> list[Any]:
        """The state to pickle: the same bytes as of earlier versions where it means the same."""
        more = [self.asset_key, self.tags]
        if self.check_results:
            more.append(tuple(self.check_results))
        return [self.value, self.metadata, self.data_version, *(more if any(more) else ())]

    def __setstate__(self, state: list[Any]) -> None:
        names = ("value", "metadata", "data_version", "asset_key", "tags", "check_results")
        missing = (None, None, ())[len(state) - 3 :]
        for name, value in zip(names, [*state, *missing], strict=True):
            object.__setattr__(self, name, value)

    def __post_init__(self) -> None:
        key = self.asset_key
        if key is not None and type(key) is not AssetKey:
            object.__setattr__(self, "asset_key", AssetKey(key))


@dataclass(frozen=True, slots=True)
class Output(Generic[T]):
    """A value that a function returns or yields, with metadata to record about it.

        @multi_asset(outs={"evens": AssetOut(), "odds": AssetOut()})
        def split(numbers):
            yield Output([n for n in numbers if n % 2 == 0], output_name="evens")
            yield Output([n for n in numbers if n % 2], output_name="odds")

    `output_name` says which of the function's assets it is. `data_version` and `tags` are as in
    `MaterializeResult`.
    """

    value: T
    output_name: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    data_version: Any = None  # text, or a `DataVersion`
    tags: Mapping[str, str] | None = None


RESULTS = (MaterializeResult, Output)  # what says more of a value than the value


def data_version_of(given: Any) -> str | None:
    """The data version that a result gives, as text."""
    return given if given is None or isinstance(given, str) else str(given.value)


def tags_of(given: Any, owner: str) -> dict[str, str]:
    """The tags that the asset `owner` records with its value. Raises `MetadataError`."""
    if isinstance(given, Mapping) and all(
        isinstance(part, str) for tag in given.items() for part in tag
    ):
        return dict(given)
    raise MetadataError(
        f"asset {owner!r}: the tags of its value are {of_which_type(given)}.",
        hint='Pass a dict of text to text, as in: tags={"team": "taxi"}',
    )


def metadata_value(name: str, value: Any) -> MetadataValue:
    """`value` as a `MetadataValue` of the kind that fits its type.

    `name` is its name in the error. Raises `MetadataError` if no kind fits.
    """
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
        kind = "array" if hasattr(value, "tolist") else ""
        raise MetadataError(
            f"the metadata {name!r} is {of_which_type(value)}, which cannot be recorded.",
            hint="Pass text, a number, a bool, a path, a datetime, or lists and dicts of these."
            + _MORE_HINTS.get(kind_of_value(value) or kind, ""),
        ) from error


def metadata_json(metadata: Mapping[str, Any], owner: str = "") -> dict[str, Any]:
    """The metadata of the asset `owner` in its recorded form. Raises `MetadataError`, which names
    the asset, if a value cannot be recorded."""
    try:
        return {str(name): metadata_value(name, one).to_json() for name, one in metadata.items()}
    except MetadataError as error:
        if owner:
            error.about(f"asset {owner!r}")
        raise


def result_metadata(result: Any, owner: str) -> dict[str, Any]:
    """The metadata of a result of the asset `owner`, in its recorded form.

    Raises `ValueTypeError` for results of checks: the function declares none.
    """
    if getattr(result, "check_results", ()):
        raise ValueTypeError(
            f"asset {owner!r} returned check_results, and has no check_specs.",
            hint="Declare them: check_specs=[AssetCheckSpec(…)].",
        )
    return metadata_json(result.metadata, owner)


def _scalar(value: Any) -> Any:
    """The plain Python value of a scalar of numpy or pyarrow, or None for anything else."""
    unwrap = getattr(value, "item", None) or getattr(value, "as_py", None)
    try:
        plain = unwrap() if unwrap else None
    except Exception:  # an array of several values
        return None
    return plain if type(plain) is not type(value) else None


def _json_shaped(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)  # the encoder does not know subclasses, such as numpy's
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

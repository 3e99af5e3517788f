"""The frames of several partitions as one frame, where a table would change one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from assetgraph.errors import ValueTypeError
from assetgraph.storage.formats.arrow.common_schema import conflict, labels_differ


class Frame(NamedTuple):
    """The frame of one partition: its key, and the name of its target in errors."""

    partition: str
    name: str
    frame: Any


def one_frame(frames: Sequence[Frame], library: str, column: str | None) -> Any:
    """All frames of pandas or polars, one after the other, each column of one type.

    `column` is the name of a last column with the keys of the partitions. Raises `ValueTypeError`,
    which names two partitions and a column, if they do not fit together.
    """
    for one in frames:
        if column in one.frame.columns:
            raise name_taken(str(column), one.name)
    return (_of_pandas if library == "pandas" else _of_polars)(frames, column)


def name_taken(column: str, owner: str) -> ValueTypeError:
    return ValueTypeError(
        f"the column {column!r} is to hold the keys of the partitions, but {owner!r} has a column "
        "of this name.",
        hint="Choose another partition_column.",
    )


def _of_pandas(frames: Sequence[Frame], column: str | None) -> Any:
    import pandas as pd

    for one in frames[1:]:
        if _labels(one) != _labels(frames[0]):
            raise labels_differ(frames[0].name, one.name)
    wanted = _common_types(frames, _types_of_pandas)
    aligned = [_aligned(one, wanted) for one in frames]
    counted = all(isinstance(one.index, pd.RangeIndex) for one in aligned)
    whole = pd.concat(aligned, ignore_index=counted)
    if column is not None:
        whole[column] = [one.partition for one in frames for _ in range(len(one.frame))]
    return whole


def _types_of_pandas(frame: Any) -> list[tuple[Any, Any]]:
    """The columns with their types; None for objects that are all null, which fit any type."""
    found = []
    for place, (name, kind) in enumerate(zip(frame.columns, frame.dtypes, strict=True)):
        is_null = kind == "object" and bool(frame.iloc[:, place].isna().all())
        found.append((name, None if is_null else kind))
    return found


def _labels(frame: Frame) -> list[object]:
    index, columns = frame.frame.index, frame.frame.columns
    kinds = [str(kind) for kind in getattr(index, "dtypes", [index.dtype])]
    return [*index.names, *kinds, *columns.names]


def _aligned(one: Frame, wanted: dict[Any, Any]) -> Any:
    """A frame of pandas with all columns, in their types."""
    frame = one.frame
    if list(frame.columns) == list(wanted) and list(frame.dtypes) == list(wanted.values()):
        return frame
    import pandas as pd

    columns = {}
    for name, kind in wanted.items():
        if name not in frame.columns or frame[name].isna().all():
            columns[name] = pd.Series([None] * len(frame), frame.index, dtype=kind)
            continue
        columns[name] = frame[name].astype(kind)
        if not columns[name].astype(frame[name].dtype).equals(frame[name]):
            raise _inexact(name, one.name, frame[name].dtype, kind)
    return pd.DataFrame(columns, index=frame.index, columns=list(wanted))


def _of_polars(frames: Sequence[Frame], column: str | None) -> Any:
    import polars as pl

    wanted = _common_types(frames, lambda frame: frame.schema.items())
    made = []
    for one in frames:
        columns = {
            name: one.frame[name].cast(kind)
            if name in one.frame.columns
            else pl.repeat(None, one.frame.height, dtype=kind, eager=True)
            for name, kind in wanted.items()
        }
        for name, before in one.frame.to_dict().items():
            if not columns[name].cast(before.dtype).equals(before, null_equal=True):
                raise _inexact(name, one.name, before.dtype, wanted[name])
        if column is not None:
            columns[column] = pl.repeat(one.partition, one.frame.height, eager=True)
        made.append(pl.DataFrame(columns))
    return pl.concat(made)


def _common_types(frames: Sequence[Frame], columns_of: Any) -> dict[Any, Any]:
    """The type of each column of the whole: its own, or that of all numbers in it."""
    found: dict[Any, Any] = {}
    origins: dict[Any, str] = {}
    nulls: set[Any] = set()
    for one in frames:
        columns = dict(columns_of(one.frame))
        if len(columns) < len(one.frame.columns):
            raise ValueTypeError(
                f"{one.name!r} has two columns of one name.",
                hint="Give each column a name of its own, or ask for Mapping[str, pd.DataFrame].",
            )
        for name, kind in columns.items():
            known = found.setdefault(name, kind)
            if known is None or (kind is not None and known != kind):
                found[name] = kind if known is None else _common_type(known, kind)
                if known is not None and found[name] is None:
                    raise conflict(name, origins[name], known, one.name, kind)
            if kind is None:
                nulls.add(name)
            else:
                origins.setdefault(name, one.name)
    for one in frames:
        nulls.update(found.keys() - set(one.frame.columns))
    return {name: _with_nulls(kind) if name in nulls else kind for name, kind in found.items()}


def _common_type(one: Any, other: Any) -> Any:
    """The type that holds the values of both, if both are of numbers or times, or None."""
    if hasattr(one, "is_numeric"):  # polars
        import polars as pl

        if pl.Null in (one, other):
            return other if one == pl.Null else one
        if not (one.is_numeric() and other.is_numeric()):
            return None
        empty = [pl.DataFrame(schema={"x": kind}) for kind in (one, other)]
        return pl.concat(empty, how="vertical_relaxed").schema["x"]
    import pandas as pd

    types = pd.api.types
    numbers = all(
        types.is_numeric_dtype(kind) and not types.is_bool_dtype(kind) for kind in (one, other)
    )
    if not numbers and not all(map(types.is_datetime64_any_dtype, (one, other))):
        return None
    common = pd.concat([pd.Series([1]).astype(kind) for kind in (one, other)]).dtype
    return None if common == "object" else common


def _with_nulls(kind: Any) -> Any:
    """A type of pandas that has a null too, as all types of polars do."""
    if kind is None:
        return "object"
    if not type(kind).__module__.startswith("numpy") or kind.kind not in "iub":
        return kind
    name = str(kind.name)
    return "boolean" if kind.kind == "b" else name.replace("i", "I", 1).replace("u", "U", 1)


def _inexact(name: object, owner: str, kind: object, wanted: object) -> ValueTypeError:
    return ValueTypeError(
        f"column {name!r} is {kind} in {owner!r} and would be {wanted} together with other "
        "partitions, which lacks one of its values.",
        hint="Let the asset return one type for the column and materialize the partition again.",
    )

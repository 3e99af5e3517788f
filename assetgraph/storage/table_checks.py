"""What ready-made checks look for in a table of any kind."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from assetgraph.definitions.annotations import described
from assetgraph.definitions.metadata import MetadataValue
from assetgraph.errors import AssetGraphError, ValueTypeError
from assetgraph.text import listed

if TYPE_CHECKING:
    import pyarrow as pa

_SHOWN = 10  # rows in the metadata


class Looked(Protocol):
    """The context of a check: what it recorded before."""

    def past_metadata(self) -> Iterator[Mapping[str, Any]]: ...


Found = tuple[bool, dict[str, Any], str]  # whether it passed, metadata, and what is wrong


def no_nulls(value: Any, _: object, *, columns: tuple[str, ...]) -> Found:
    """Whether no value is missing in these columns."""
    counts = dict.fromkeys(columns, 0)
    shown: list[dict[str, Any]] = []
    for batch in _batches(value):
        _require_columns(batch, columns)
        lacking = None
        for column in columns:
            nulls = batch.column(column).is_null()
            counts[column] += batch.column(column).null_count
            lacking = nulls if lacking is None else _or(lacking, nulls)
        if lacking is not None and len(shown) < _SHOWN:
            shown += batch.filter(lacking).slice(0, _SHOWN - len(shown)).to_pylist()
    wrong = {column: count for column, count in counts.items() if count}
    metadata: dict[str, Any] = {f"nulls in {column}": count for column, count in counts.items()}
    said = ", ".join([f"{count:,} in {column}" for column, count in wrong.items()])
    return not wrong, {**metadata, **_rows(shown)}, f"missing values: {said}"


def unique(value: Any, _: object, *, columns: tuple[str, ...]) -> Found:
    """Whether no two rows have the same values in these columns."""
    import pyarrow as pa

    parts = []
    for batch in _batches(value):
        _require_columns(batch, columns)
        parts.append(batch.select(list(columns)))
    if not parts:
        return True, {"duplicates": 0}, ""
    counted = pa.Table.from_batches(parts).group_by(list(columns)).aggregate([([], "count_all")])
    repeated = counted.filter(pa.compute.field("count_all") > 1)
    extra = sum(count - 1 for count in repeated.column("count_all").to_pylist())
    shown = _rows(repeated.slice(0, _SHOWN).to_pylist())
    return not extra, {"duplicates": extra, **shown}, f"{extra:,} rows repeat others"


def row_count(
    value: Any,
    context: Looked | None,
    *,
    bounds: tuple[int | None, int | None],
    last: int | None,
    tolerance: float,
) -> Found:
    """Whether there are as many rows as there should be."""
    rows = sum(batch.num_rows for batch in _batches(value))
    lowest, highest = bounds
    metadata: dict[str, Any] = {"rows": rows}
    if last is not None and context is not None:
        past = [one["rows"] for one in islice(context.past_metadata(), last) if "rows" in one]
        if past:
            average = sum(past) / len(past)
            metadata |= {"rows on average": average, "looked before": len(past)}
            low, high = average * (1 - tolerance), average * (1 + tolerance)
            lowest = max(low, lowest) if lowest is not None else low
            highest = min(high, highest) if highest is not None else high
    too_few = lowest is not None and rows < lowest
    too_many = highest is not None and rows > highest
    limit = f"fewer than {lowest:,.0f}" if too_few else f"more than {highest or 0:,.0f}"
    return not (too_few or too_many), metadata, f"{rows:,} rows, which are {limit}"


def schema(value: Any, _: object, *, schema: tuple[tuple[str, str], ...], extra: bool) -> Found:
    """Whether the columns are those of `schema`."""
    batch = next(iter(_batches(value)), None)
    present = {} if batch is None else {field.name: str(field.type) for field in batch.schema}
    wanted = dict(schema)
    wrong = [f"{name} is missing" for name in wanted if name not in present]
    wrong += [
        f"{name} is {present[name]} instead of {kind}"
        for name, kind in wanted.items()
        if name in present and present[name] not in (kind, _ALIASES.get(kind))
    ]
    if not extra:
        wrong += [f"{name} is unexpected" for name in present if name not in wanted]
    rows = [{"column": name, "type": kind} for name, kind in present.items()]
    return not wrong, {"columns": MetadataValue.table(rows)}, "; ".join(wrong)


_ALIASES = {"float64": "double", "float32": "float", "str": "string", "boolean": "bool"}


def pandera(value: Any, _: object, *, schema: Any) -> Found:
    """Whether the table fits a schema of pandera."""
    errors = sys.modules[type(schema).__module__.partition(".")[0]].errors
    try:
        schema.validate(_frame(value), lazy=True)
    except errors.SchemaErrors as error:
        cases = error.failure_cases
        to_dicts = getattr(cases, "to_dicts", None) or partial(cases.to_dict, "records")
        rows = [{key: str(cell) for key, cell in row.items()} for row in to_dicts()]
        return False, {"failure cases": len(rows), **_rows(rows[:_SHOWN])}, "it does not fit"
    return True, {}, ""


def _batches(value: Any) -> Iterator[pa.RecordBatch]:
    """A table of any kind, rows as dicts, or the tables of several partitions, batch by batch.

    Raises `ValueTypeError` for anything else.
    """
    import pyarrow as pa

    from assetgraph.storage.formats.arrow.streams import stream_of

    if isinstance(value, Mapping):
        for one in value.values():
            yield from _batches(one)
        return
    if isinstance(value, list | tuple) and all(isinstance(row, Mapping) for row in value):
        yield from pa.Table.from_pylist(list(value)).to_batches()
        return
    stream = stream_of(value)
    if stream is not None:
        yield from stream.batches
    elif hasattr(value, "to_dict") and hasattr(value, "columns"):  # a frame with odd labels
        yield from pa.Table.from_pandas(value).to_batches()
    else:
        raise ValueTypeError(
            f"the check looks at a table, and the value is {described(value)}.",
            hint="Return a table, or a list of rows as dicts.",
        )


def _frame(value: Any) -> Any:
    """The table as a frame that pandera takes."""
    if type(value).__module__.partition(".")[0] in ("pandas", "polars"):
        return value
    import pandas as pd
    import pyarrow as pa

    batches = list(_batches(value))
    return pa.Table.from_batches(batches).to_pandas() if batches else pd.DataFrame()


def _require_columns(batch: pa.RecordBatch, columns: Iterable[str]) -> None:
    present = batch.schema.names
    missing = [column for column in columns if column not in present]
    if missing:
        raise AssetGraphError(
            f"the table has no column {listed(list(map(repr, missing)))}.",
            hint=f"Its columns are {listed(present)}.",
        )


def _or(one: Any, other: Any) -> Any:
    import pyarrow.compute as pc

    return pc.or_(one, other)


def _rows(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The first failed rows as metadata, if there are any."""
    plain = [{key: _cell(cell) for key, cell in row.items()} for row in rows]
    return {"failed rows": MetadataValue.table(plain)} if plain else {}


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)

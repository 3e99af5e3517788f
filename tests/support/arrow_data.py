"""Generated Arrow data: random types, tables of them, and a comparison of tables."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

_SMALL = st.integers(-3, 3)
_UNITS = ("s", "ms", "us", "ns")

_LEAVES: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    *((kind, _SMALL) for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64())),
    *((kind, st.integers(0, 3)) for kind in (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())),
    (pa.int64(), st.sampled_from([2**53, 2**53 + 1, -(2**63), 2**63 - 1])),
    (pa.float64(), st.sampled_from([0.0, -0.0, 1.5, float("inf"), float("nan"), 5e-324])),
    (pa.float32(), st.sampled_from([0.0, -0.0, 1.5, float("nan")])),
    (pa.bool_(), st.booleans()),
    *(
        (kind, st.sampled_from(["", "a", "ab", "택시", "\0"]))
        for kind in (pa.string(), pa.large_string(), pa.string_view())
    ),
    *(
        (kind, st.sampled_from([b"", b"a", b"ab", b"\xff\x00"]))
        for kind in (pa.binary(), pa.large_binary(), pa.binary_view())
    ),
    (pa.binary(2), st.sampled_from([b"ab", b"\0\0"])),
    (pa.date32(), _SMALL),
    (pa.date64(), st.integers(-3, 3).map(lambda day: day * 86_400_000)),
    *((pa.time32(unit), st.integers(0, 3)) for unit in ("s", "ms")),
    # Python's times have no nanoseconds: with whole microseconds, `content` sees every difference.
    *((pa.time64(unit), st.sampled_from([0, 1000, 2000])) for unit in ("us", "ns")),
    *((pa.timestamp(unit), _SMALL) for unit in _UNITS),
    *((pa.timestamp(unit, "Asia/Seoul"), _SMALL) for unit in _UNITS),
    *((pa.duration(unit), _SMALL) for unit in _UNITS),
    *(
        (kind, st.sampled_from([Decimal("0.00"), Decimal("-1.25"), Decimal("999.99")]))
        for kind in (pa.decimal128(5, 2), pa.decimal256(50, 2))
    ),
    (pa.null(), st.none()),
    *(
        (pa.dictionary(index, pa.string(), ordered), st.sampled_from(["a", "b", ""]))
        for index, ordered in ((pa.int8(), False), (pa.int32(), True))
    ),
    (pa.dictionary(pa.int8(), pa.int64()), _SMALL),
]


@st.composite
def typed_values(draw: st.DrawFn, depth: int = 2) -> tuple[pa.DataType, st.SearchStrategy[Any]]:
    """A type, and a strategy for its values, including null."""
    shapes = ["leaf", "leaf", "list", "large_list", "fixed", "struct", "map"]
    shape = draw(st.sampled_from(shapes)) if depth else "leaf"
    if shape == "leaf":
        kind, values = draw(st.sampled_from(_LEAVES))
        return kind, st.none() | values
    kind, values = draw(typed_values(depth - 1))
    if shape == "list":
        return pa.list_(kind), st.none() | st.lists(values, max_size=3)
    if shape == "large_list":
        return pa.large_list(kind), st.none() | st.lists(values, max_size=3)
    if shape == "fixed":
        return pa.list_(kind, 2), st.none() | st.lists(values, min_size=2, max_size=2)
    if shape == "map":
        pairs = st.lists(st.tuples(st.sampled_from("abc"), values), max_size=2)
        return pa.map_(pa.string(), kind), st.none() | pairs
    other, others = draw(typed_values(depth - 1))
    struct = pa.struct([pa.field("x", kind), pa.field("y", other)])
    return struct, st.none() | st.fixed_dictionaries({"x": values, "y": others})


@st.composite
def tables(draw: st.DrawFn, columns: int = 2, copies: int = 1) -> Any:
    """A random table; with `copies`, a list of that many tables with the same columns."""
    kinds = draw(st.lists(typed_values(), min_size=1, max_size=columns))
    made = tuple(draw(_table_of(kinds)) for _ in range(copies))
    return made[0] if copies == 1 else made


@st.composite
def _table_of(draw: st.DrawFn, kinds: list[Any]) -> pa.Table:
    rows = draw(st.integers(0, 4))
    return pa.table(
        {
            f"c{number}": pa.array(
                draw(st.lists(values, min_size=rows, max_size=rows)), type=kind, from_pandas=False
            )
            for number, (kind, values) in enumerate(kinds)
        }
    )


@st.composite
def rechunked(draw: st.DrawFn, table: pa.Table) -> pa.Table:
    """The same rows in other chunks, as slices of larger arrays."""
    wider = pa.concat_tables([table.slice(0, 1), table, table.slice(0, 1)]).combine_chunks()
    start = min(1, table.num_rows)
    cuts = sorted(draw(st.sets(st.integers(0, table.num_rows), max_size=3)) | {0, table.num_rows})
    parts = [wider.slice(start + low, high - low) for low, high in pairwise(cuts)]
    return pa.concat_tables(parts) if parts else table


def content(table: pa.Table) -> Any:
    """The content of a table for comparisons: names, types, and values with the sign of zero."""
    fields = [(field.name, field.type, field.nullable) for field in table.schema]
    return fields, [repr(column.to_pylist()) for column in table.columns]

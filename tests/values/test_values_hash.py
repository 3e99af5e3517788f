"""The data version of a table or a Python container: equal content has an equal hash."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from arrow_data import content, rechunked, tables
from hypothesis import given
from hypothesis import strategies as st

from assetgraph.storage.formats.arrow.column_types import plain_type
from assetgraph.storage.formats.arrow.content_hash import ArrowHash
from assetgraph.storage.formats.pickling.canonical_hash import canonical_digest


def digest(table: pa.Table) -> str:
    made = ArrowHash(table.schema)
    made.update(table)
    return made.hexdigest("table")


@given(st.data())
def test_the_same_rows_cut_into_other_batches_hash_alike(data: st.DataObject) -> None:
    table = data.draw(tables())
    assert digest(data.draw(rechunked(table))) == digest(table)


@given(tables(copies=2))
def test_tables_hash_alike_exactly_when_they_hold_the_same(pair: tuple[pa.Table, pa.Table]) -> None:
    one, other = pair
    assert (digest(one) == digest(other)) == (content(one) == content(other))


@pytest.mark.parametrize(
    "other",
    [
        pa.table({"b": [1, 2]}),
        pa.table({"a": pa.array([1, 2], pa.int32())}),
        pa.table({"a": [2, 1]}),
        pa.table({"a": [1, None]}),
        pa.table({"a": [1, 2]}).replace_schema_metadata({"unit": "km"}),
        pa.table({"a": [1, 2]}, schema=pa.schema([pa.field("a", pa.int64(), nullable=False)])),
        pa.table({"a": [1, 2], "b": [1, 2]}),
    ],
    ids=["name", "type", "order", "null", "metadata", "nullable", "column"],
)
def test_whatever_a_consumer_can_see_counts(other: pa.Table) -> None:
    assert digest(other) != digest(pa.table({"a": [1, 2]}))


def test_where_a_value_ends_counts() -> None:
    assert digest(pa.table({"a": ["ab", "c"]})) != digest(pa.table({"a": ["a", "bc"]}))
    assert digest(pa.table({"a": [[1, 2], [3]]})) != digest(pa.table({"a": [[1], [2, 3]]}))
    one = pa.table({"a": [[["x"], []], []]})
    assert digest(one) != digest(pa.table({"a": [[["x"]], [[]]]}))


def test_what_lies_under_a_null_does_not_count() -> None:
    values = pa.array([1, 2, 3])
    masked = pa.Array.from_buffers(pa.int64(), 3, [pa.py_buffer(b"\x05"), values.buffers()[1]])
    assert masked.to_pylist() == [1, None, 3]
    assert digest(pa.table({"a": masked})) == digest(pa.table({"a": [1, None, 3]}))


def test_the_categories_count_and_not_how_their_codes_are_numbered_in_each_batch() -> None:
    one = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.int8()), ["x", "y"])
    unused = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.int8()), ["x", "y", "z"])
    assert digest(pa.table({"a": one})) != digest(pa.table({"a": unused}))

    first = pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), ["x"])
    rest = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), ["y", "x"])
    in_parts = pa.table({"a": pa.chunked_array([first, rest])})
    assert digest(in_parts) == digest(pa.table({"a": one}))


def test_a_new_release_of_pandas_does_not_change_the_hash() -> None:
    def described(version: str) -> pa.Table:
        text = f'{{"index_columns": ["i"], "pandas_version": "{version}", "creator": {{}}}}'
        return pa.table({"i": [1]}).replace_schema_metadata({"pandas": text})

    assert digest(described("2.2.0")) == digest(described("3.1.0"))
    other = pa.table({"i": [1]}).replace_schema_metadata({"pandas": '{"index_columns": []}'})
    assert digest(described("2.2.0")) != digest(other)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([(1, 2, 3), None], pa.month_day_nano_interval()),
        pa.UnionArray.from_sparse(
            pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["x", "y"])]
        ),
        pa.RunEndEncodedArray.from_arrays([2, 3], ["x", "y"]),
        pa.array([b"0" * 16, None], pa.binary(16)).cast(pa.uuid()),
        pa.array([[1], None, []], pa.list_view(pa.int8())),
    ],
    ids=["interval", "union", "run-end", "extension", "list view"],
)
def test_rare_types_hash_by_their_content(column: pa.Array) -> None:
    table = pa.table({"a": column})
    parts = pa.concat_tables([table.slice(0, 1), table.slice(1)])
    assert digest(parts) == digest(table)
    assert digest(table.slice(1)) != digest(table)


SHARED: list[Any] = [1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, 2), [1, 2]),
        ({1, 2}, frozenset({1, 2})),
        (1, 1.0),
        (1, True),
        (0.0, -0.0),
        ("1", b"1"),
        (("a", "bc"), ("ab", "c")),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({1: "x"}, {"1": "x"}),
        ([SHARED, SHARED], [[1], [1]]),
        (datetime(2023, 3, 1, tzinfo=UTC), datetime(2023, 3, 1)),
        (Decimal("1.0"), Decimal("1.00")),
    ],
)
def test_values_that_a_consumer_can_tell_apart_hash_apart(one: Any, other: Any) -> None:
    assert canonical_digest(one) != canonical_digest(other)


def test_a_container_inside_itself_hashes() -> None:
    def inside(item: int) -> list[Any]:
        made: list[Any] = [item]
        made.append(made)
        return made

    assert canonical_digest(inside(1)) == canonical_digest(inside(1))
    assert canonical_digest(inside(1)) != canonical_digest(inside(2))


def test_what_is_not_a_plain_container_has_no_canonical_hash() -> None:
    assert canonical_digest((1, object())) is None


def test_a_set_hashes_alike_in_every_process() -> None:
    code = (
        "from assetgraph.storage.formats.pickling.canonical_hash import canonical_digest as d;"
        "print(d(({'b', 'a', 'c', ('d', 1)}, frozenset({'x', 'y'}))))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(runs) == 1


NULL_WITHIN = pa.struct([("nothing", pa.null())])


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.map_(pa.string(), NULL_WITHIN), [[("a", {"nothing": None})], [("b", None)]]),
        (pa.map_(pa.string(), pa.null()), [[("a", None)], [("b", None), ("c", None)]]),
        (
            pa.struct([("b", pa.binary_view()), ("n", pa.large_list(pa.list_(pa.null(), 2)))]),
            [{"b": b"x", "n": [[None, None], None, None]}, {"b": None, "n": [[None, None]]}],
        ),
        (
            pa.struct([("s", pa.string_view()), ("n", pa.list_(pa.list_view(pa.null())))]),
            [{"s": "x", "n": []}, {"s": "xy", "n": [[None, None]]}],
        ),
    ],
    ids=str,
)
def test_a_column_of_nulls_within_another_hashes_alike_in_every_slice(
    kind: pa.DataType, values: list[Any]
) -> None:
    """A cast of such a column makes pyarrow read memory outside its buffers."""
    rows = values * 4
    whole = pa.array(rows, kind)
    for start in range(len(rows)):
        for stop in range(start, len(rows) + 1):
            cut = pa.table({"c": whole.slice(start, stop - start)})
            fresh = pa.table({"c": pa.array(rows[start:stop], kind)})
            assert digest(cut) == digest(fresh)


@pytest.mark.parametrize(
    "kind", [pa.string_view(), pa.list_(pa.string_view()), pa.struct([("s", pa.string_view())])]
)
def test_no_type_is_called_plain_whose_cast_makes_a_wrong_column(kind: pa.DataType) -> None:
    assert plain_type(kind) not in (None, kind)
    assert plain_type(pa.struct([("v", kind), ("n", pa.list_(pa.null()))])) is None

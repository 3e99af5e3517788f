"""A pandas frame comes back unchanged, whatever its columns hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from assetgraph.keys import AssetKey, Target
from assetgraph.storage.value_store import ValueStore

TARGET = Target(AssetKey("trips"))


@pytest.fixture
def values(folder: Path) -> ValueStore:
    return ValueStore("values", folder)


def objects(*items: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": pd.Series(list(items), dtype=object)})


def indexed(index: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": [1]}, index=index)


def with_attribute() -> pd.DataFrame:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["zones"] = (1, 2)
    return frame


PICKLED: dict[str, Callable[[], pd.DataFrame]] = {
    "dicts with other keys": lambda: objects({"a": 1}, {"b": 2}),
    "dicts in another order": lambda: objects({"a": 1, "b": 2}, {"b": 1, "a": 2}),
    "dicts within lists": lambda: objects([{"a": 1}], [{"b": 1}]),
    "dicts with numbers as keys": lambda: objects({1: 2}),
    "sets": lambda: objects({1, 2}, {3}),
    "tuples": lambda: objects((1, 2), (3,)),
    "arrays": lambda: objects(np.array([1, 2])),
    "two kinds of missing": lambda: objects(None, float("nan"), "x"),
    "another kind of missing": lambda: objects(pd.NA, "x"),
    "a number beside a fraction": lambda: objects(1, 2.5),
    "numbers beside text": lambda: objects(1, "x"),
    "a number of more than 64 bits": lambda: objects(2**70),
    "text beside bytes": lambda: objects(b"a", "b"),
    "numbers of numpy": lambda: objects(np.int32(1)),
    "decimals of two scales": lambda: objects(Decimal("1.0"), Decimal("1.25")),
    "a day beside a time": lambda: objects(date(2023, 3, 1), datetime(2023, 3, 1)),
    "a zone that has no name": lambda: objects(datetime(2023, 3, 1, tzinfo=UTC)),
    "nanoseconds": lambda: objects(pd.Timestamp(1)),
    "complex numbers": lambda: pd.DataFrame({"a": [1j]}),
    "one name twice": lambda: pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "labels of two types": lambda: pd.DataFrame([[1, 2]], columns=["a", 1]),
    "categories that are tuples": lambda: pd.DataFrame({"a": pd.Categorical([(1, 2), (3,)])}),
    "an index of sets": lambda: indexed(pd.Index([frozenset([1])])),
    "an index that is a number's": lambda: indexed(pd.RangeIndex(1, name=5)),
    "an index that has a frequency": lambda: indexed(pd.date_range("2023-03", periods=1)),
    "attributes": with_attribute,
    "labels that must differ": lambda: objects(1).set_flags(allows_duplicate_labels=False),
}
STORED_AS_TABLES: dict[str, Callable[[], pd.DataFrame]] = {
    "text": lambda: objects("a", None),
    "numbers": lambda: objects(1, None, 2**63 - 1),
    "fractions": lambda: objects(1.5, -0.0, None),
    "dicts": lambda: objects({"a": [1]}, {"a": []}, None),
    "times": lambda: objects(datetime(2023, 3, 1), None),
    "decimals": lambda: objects(Decimal("1.50"), Decimal("2.25")),
    "labels of numbers": lambda: pd.DataFrame([[1, 2]]),
    "labels of two levels": lambda: pd.DataFrame(
        [[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])
    ),
    "a range that has a name": lambda: indexed(pd.RangeIndex(3, 4, name="n")),
    "no rows": lambda: pd.DataFrame({"a": [1], "b": ["x"]}).iloc[:0],
}


@pytest.mark.parametrize("make", PICKLED.values(), ids=PICKLED.keys())
def test_a_frame_that_a_table_would_change_is_kept_whole(
    values: ValueStore, make: Callable[[], pd.DataFrame]
) -> None:
    stored = values.save(TARGET, "run", make()).stored
    assert stored.format == "pickle"
    assert alike(values.load(stored), make())


@pytest.mark.parametrize("make", STORED_AS_TABLES.values(), ids=STORED_AS_TABLES.keys())
def test_a_frame_that_a_table_keeps_is_stored_as_one(
    values: ValueStore, make: Callable[[], pd.DataFrame]
) -> None:
    stored = values.save(TARGET, "run", make()).stored
    assert stored.format in ("parquet", "arrow")
    assert alike(values.load(stored), make())


@pytest.mark.parametrize("annotation", [pa.Table, pl.DataFrame, pa.RecordBatchReader])
def test_a_frame_kept_whole_becomes_a_table_where_one_is_asked_for(
    values: ValueStore, annotation: Any
) -> None:
    stored = values.save(TARGET, "run", objects({1, 2}, {3})).stored
    loaded = values.load(stored, annotation)
    assert isinstance(loaded, annotation)
    rows = loaded.to_dicts() if isinstance(loaded, pl.DataFrame) else pa.table(loaded).to_pylist()
    assert rows == [{"a": [1, 2]}, {"a": [3]}]


def test_the_columns_of_a_frame_kept_whole_are_recorded_too(values: ValueStore) -> None:
    frame = pd.DataFrame({"a": [{1}, {2}], "b": [1, 2]}, index=pd.Index([7, 8], name="id"))
    recorded = values.save(TARGET, "run", frame).metadata
    assert recorded["rows"] == 2
    assert [(c["name"], c["type"]) for c in recorded["columns"]["value"]] == [
        ("a", "object"),
        ("b", "int64"),
        ("id", "int64"),
    ]
    recorded = values.save(TARGET, "run", PICKLED["one name twice"]()).metadata
    assert [c["name"] for c in recorded["columns"]["value"]] == ["a", "a"]


def alike(one: Any, other: Any) -> bool:
    if not isinstance(one, pd.DataFrame):
        return False
    if str(one.index.dtype) != "object" and one.columns.is_unique:
        assert_frame_equal(one.map(repr), other.map(repr))
    return (
        [list(map(repr, row)) for row in one.to_numpy(object)]
        == [list(map(repr, row)) for row in other.to_numpy(object)]
        and list(one.dtypes) == list(other.dtypes)
        and one.index.equals(other.index)
        and one.index.names == other.index.names
        and list(one.columns) == list(other.columns)
        and one.attrs == other.attrs
        and one.flags == other.flags
    )

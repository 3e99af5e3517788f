"""The contract of the value store: every format, in a local folder and in an object store."""

from __future__ import annotations

import dataclasses
import enum
import gc
import math
import os
import weakref
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest
from arrow_data import content, tables
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import assetgraph as dg
from assetgraph.definitions.annotations import EMPTY
from assetgraph.errors import NoValueError, StoreError, ValueTypeError
from assetgraph.keys import AssetKey, Target
from assetgraph.storage.formats.plain import INLINE_BYTES, exact_json
from assetgraph.storage.value_store import ValueStore

TARGET = Target(AssetKey("ingested/trips"))


@pytest.fixture(params=["local", "s3"])
def values(request: pytest.FixtureRequest, folder: Path) -> ValueStore:
    if request.param == "local":
        return ValueStore("values", folder)
    bucket = request.getfixturevalue("object_store")
    return ValueStore(f"{bucket}/{folder.name}/{os.urandom(4).hex()}", folder)


@pytest.fixture
def local(folder: Path) -> ValueStore:
    return ValueStore("values", folder)


class Colour(enum.Enum):
    RED = "red"


class Code(enum.StrEnum):
    CASH = "cash"


class Text(str):
    __slots__ = ()


@dataclasses.dataclass(frozen=True)
class Fare:
    amount: float
    tags: tuple[str, ...] = ()


TABLE = pa.table(
    {
        "day": pa.array([date(2023, 3, 1), None, date(2023, 3, 2)]),
        "at": pa.array([1, 2, None], pa.timestamp("us", "America/New_York")),
        "fare": pa.array([Decimal("1.50"), Decimal("-0.25"), None], pa.decimal128(9, 2)),
        "zone": pa.array(["a", "b", "a"]).dictionary_encode(),
        "stops": pa.array([[1, 2], [], None]),
        "point": pa.array([{"x": 1.5, "y": None}, None, {"x": -0.0, "y": float("nan")}]),
        "nothing": pa.nulls(3),
        "id": pa.array([2**53, 2**53 + 1, -(2**63)]),
    }
)
FRAME = pd.DataFrame(
    {
        "fare": [1.5, float("nan"), -0.0],
        "id": pd.array([1, None, 3], "Int64"),
        "at": pd.to_datetime(["2023-03-01", "2023-03-02", None]).tz_localize("Asia/Seoul"),
        "kind": pd.Categorical(["x", "y", "x"], ["y", "x", "z"], ordered=True),
    },
    index=pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["zone", None]),
)
OBJECTS = pd.DataFrame(
    {
        "number": [2**53 + 1, None],
        "text": ["x", None],
        "bool": [True, False],
        "list": [[1, 2], None],
        "mapping": [{"a": 1}, None],
        "time": [datetime(2023, 3, 1), None],
        "date": [date(2023, 3, 1), None],
        "decimal": [Decimal("1.5"), None],
        "bytes": [b"x", None],
    },
    dtype=object,
)
POLARS = pl.DataFrame(
    {"a": [1, None], "b": ["x", "y"], "l": [["p"], []], "t": [datetime(2023, 3, 1), None]},
    schema_overrides={"b": pl.Enum(["y", "x"])},
)


def recursive() -> list[Any]:
    made: list[Any] = [1]
    made.append(made)
    return made


def shared() -> list[Any]:
    row = [0]
    return [row, row]


PLAIN: dict[str, tuple[object, str]] = {
    "none": (None, "none"),
    "text": ("택시\r\n", "text"),
    "long text": ("é" * INLINE_BYTES, "text"),
    "half a character": ("\ud800", "pickle"),
    "text of a class": (Text("x"), "pickle"),
    "bytes": (b"\xff\x00", "bytes"),
    "long bytes": (b"\xff" * (INLINE_BYTES + 1), "bytes"),
    "bytearray": (bytearray(b"x"), "pickle"),
    "int": (7, "json"),
    "beyond 2^53": ([2**53 + 1, -(2**63), 2**64, 10**40], "json"),
    "too many digits": (10**5000, "pickle"),
    "true": (True, "json"),
    "minus zero": ({"a": [-0.0, 1.0, 5e-324, 1e300]}, "json"),
    "nan": ([float("nan")], "pickle"),
    "infinity": ({"a": float("-inf")}, "pickle"),
    "long json": ({"rows": list(range(5000))}, "json"),
    "empty": ([{}, [], ""], "json"),
    "keys of numbers": ({1: "a"}, "pickle"),
    "keys of several types": ({"a": 1, None: "b"}, "pickle"),
    "tuple": ((1, [2]), "pickle"),
    "tuple within": ([(1, 2)], "pickle"),
    "set": ({1, "x"}, "pickle"),
    "dataclass": (Fare(1.5, ("x",)), "pickle"),
    "enum": ({"a": Colour.RED}, "pickle"),
    "enum of text": ([Code.CASH], "pickle"),
    "datetime": (datetime(2023, 3, 1, tzinfo=UTC), "pickle"),
    "recursive": (recursive(), "pickle"),
    "one list in two places": (shared(), "pickle"),
    "deep": (eval("[" * 150 + "]" * 150), "pickle"),
    "a series": (pd.Series([1, 2], name="x"), "pickle"),
}


@pytest.mark.parametrize(("value", "expected"), PLAIN.values(), ids=PLAIN.keys())
def test_a_value_comes_back_just_as_it_was(
    values: ValueStore, value: object, expected: str
) -> None:
    saved = values.save(TARGET, "run", value)
    assert saved.stored.format == expected
    assert values.check(saved.stored) == "intact"
    assert same(values.load(saved.stored), value)


TABLES: dict[str, tuple[Callable[[], Any], str]] = {
    "table": (lambda: TABLE, "parquet"),
    "no rows": (lambda: TABLE.slice(0, 0), "parquet"),
    "no columns": (lambda: TABLE.select([]), "arrow"),
    "nothing": (lambda: pa.table({}), "arrow"),
    "seconds": (lambda: pa.table({"at": pa.array([1], pa.timestamp("s"))}), "arrow"),
    "map": (lambda: pa.table({"m": pa.array([[("a", 1)]], pa.map_("string", "int8"))}), "parquet"),
    "metadata": (lambda: TABLE.replace_schema_metadata({"unit": "km"}), "parquet"),
    "batch": (lambda: TABLE.to_batches()[0], "parquet"),
    "empty batch": (lambda: TABLE.to_batches()[0].slice(0, 0), "parquet"),
    "reader": (TABLE.to_reader, "parquet"),
    "batches": (lambda: iter(TABLE.to_batches(1)), "parquet"),
    "dataset": (lambda: pa.dataset.dataset(TABLE), "parquet"),
    "pandas": (lambda: FRAME, "parquet or arrow"),
    "pandas, index of numbers": (lambda: FRAME[["id", "at"]].reset_index(drop=True)[1:], "parquet"),
    "pandas, objects": (lambda: OBJECTS, "parquet"),
    "polars": (lambda: POLARS, "parquet or arrow"),
    "lazy polars": (POLARS.drop("b").lazy, "parquet"),
    "another library": (lambda: Foreign(TABLE), "parquet"),
}


class Foreign:
    """A table of an unknown library that exports Arrow data."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(("make", "expected"), TABLES.values(), ids=TABLES.keys())
def test_a_table_comes_back_as_it_was_returned(
    values: ValueStore, make: Callable[[], Any], expected: str
) -> None:
    saved = values.save(TARGET, "run", make())
    assert saved.stored.format in expected  # which keeps categories depends on pyarrow's release
    assert values.check(saved.stored) == "intact"
    back = values.load(saved.stored)
    given_type = type(make())
    if given_type is Foreign:
        given_type = pa.Table
    elif "iterator" in given_type.__name__:
        given_type = pa.RecordBatchReader
    elif issubclass(given_type, pa.dataset.Dataset):
        given_type = pa.dataset.Dataset
    assert isinstance(back, given_type)
    assert same_table(back, make())


ANNOTATIONS: dict[str, tuple[Any, type]] = {
    "pa.Table": (pa.Table, pa.Table),
    "pa.RecordBatch": (pa.RecordBatch, pa.RecordBatch),
    "pa.RecordBatchReader": (pa.RecordBatchReader, pa.RecordBatchReader),
    "Iterator[pa.RecordBatch]": (Iterator[pa.RecordBatch], pa.RecordBatchReader),
    "pyarrow.dataset.Dataset": (pa.dataset.Dataset, pa.dataset.Dataset),
    "pd.DataFrame": (pd.DataFrame, pd.DataFrame),
    "pl.DataFrame | None": (pl.DataFrame | None, pl.DataFrame),
    "pl.LazyFrame": (pl.LazyFrame, pl.LazyFrame),
}


@pytest.mark.parametrize("returned", [TABLE, FRAME, POLARS], ids=["arrow", "pandas", "polars"])
@pytest.mark.parametrize("text", ANNOTATIONS)
def test_every_kind_of_table_converts_into_every_other(
    values: ValueStore, text: str, returned: Any
) -> None:
    annotation, expected = ANNOTATIONS[text]
    stored = values.save(TARGET, "run", returned).stored
    for wanted in (annotation, text):
        loaded = values.load(stored, wanted)
        assert isinstance(loaded, expected)
        assert rows(loaded) == rows(returned)


@pytest.mark.parametrize("text", ANNOTATIONS)
def test_a_table_in_memory_is_handed_on_as_the_parameter_asks(local: ValueStore, text: str) -> None:
    annotation, expected = ANNOTATIONS[text]
    for table in (TABLE, TABLE.to_batches()[0]):
        handed = local.adapt(table, annotation)
        assert isinstance(handed, expected)
        assert rows(handed) == rows(TABLE)
    assert local.adapt(TABLE) is TABLE


NAMED_MAP = pa.map_(pa.field("zone", "string", False), pa.field("fare", "int64"))


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[("a", 1)]], NAMED_MAP),
        pa.array([[[("a", 1)]]], pa.list_(NAMED_MAP)),
        pa.array([[("a", 1)]], pa.map_("string", "int64", keys_sorted=True)),
        pa.array([[1]], pa.list_(pa.field("fare", "int64", metadata={"unit": "km"}))),
        pa.array([{"a": 1}], pa.struct([pa.field("a", "int64", False, {"unit": "km"})])),
        pa.DictionaryArray.from_arrays(pa.array([1], pa.int8()), ["unused", "x"], ordered=True),
        pa.array([1], pa.timestamp("s", "+01:00")),
    ],
    ids=["map", "map in a list", "sorted map", "list", "struct", "dictionary", "seconds"],
)
def test_a_data_version_stays_when_what_was_stored_is_stored_again(
    local: ValueStore, column: pa.Array
) -> None:
    first = local.save(TARGET, "run-1", pa.table({"a": column}))
    again = local.save(TARGET, "run-2", local.load(first.stored))
    assert again.data_version == first.data_version


def test_duckdb_gives_tables_and_takes_them(values: ValueStore) -> None:
    relation = duckdb.sql("select 1 as a, 'x' as b union all select 2, null order by a")
    stored = values.save(TARGET, "run", relation).stored
    assert stored.format == "parquet"
    expected = [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
    assert rows(values.load(stored, pa.Table)) == expected
    for annotation in (EMPTY, "duckdb.DuckDBPyRelation", duckdb.DuckDBPyRelation):
        loaded = values.load(stored, annotation)
        assert isinstance(loaded, duckdb.DuckDBPyRelation)
        assert rows(loaded.order("a")) == expected


def test_seconds_reach_polars_lazily_though_they_are_no_parquet(values: ValueStore) -> None:
    table = pa.table({"at": pa.array([1], pa.timestamp("s"))})
    lazy = values.load(values.save(TARGET, "run", table).stored, pl.LazyFrame)
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect()["at"].to_list() == [datetime(1970, 1, 1, 0, 0, 1)]


def test_a_table_without_an_index_is_a_plain_frame(values: ValueStore) -> None:
    loaded = values.load(values.save(TARGET, "run", pa.table({"a": [1]})).stored, pd.DataFrame)
    assert_frame_equal(loaded, pd.DataFrame({"a": [1]}))


def test_values_are_listed_checked_and_deleted_in_both_places(values: ValueStore) -> None:
    kept = values.save(TARGET, "run-1", (1, 2)).stored
    dropped = values.save(TARGET, "run-2", TABLE).stored
    sizes = [("run-1", kept.size), ("run-2", dropped.size)]
    assert [(run.run_id, run.size) for run in values.runs()] == sizes
    values.delete("ingested,trips/_/run-2")
    values.delete("ingested,trips/_/run-2")
    assert values.check(dropped) == "gone"
    assert [run.folder for run in values.runs()] == ["ingested,trips/_/run-1"]
    with pytest.raises(NoValueError, match=r"is gone"):
        values.load(dropped)
    assert values.check(msgspec.structs.replace(kept, size=1)) == "damaged"


def test_a_stream_that_breaks_leaves_nothing_in_either_place(values: ValueStore) -> None:
    def batches() -> Iterator[pa.Table]:
        yield TABLE
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        values.save(TARGET, "run", batches())
    with pytest.raises(ValueTypeError):
        values.save(TARGET, "run", (1, lambda: 1))
    assert list(values.runs()) == []


def test_a_bucket_that_is_not_there_is_named(object_store: None, folder: Path) -> None:
    values = ValueStore("s3://nobucket/prefix", folder)
    with pytest.raises(StoreError, match=r"cannot write s3://nobucket.*Check the bucket's name"):
        values.save(TARGET, "run", "x" * 5000)
    with pytest.raises(StoreError, match=r"cannot write nobucket/prefix"):
        values.save(TARGET, "run", TABLE)


json_shaped = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.binary()
    | st.text(st.characters())
    | st.decimals()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.sampled_from([Colour.RED, Code.CASH, Text("x"), Fare(1.0)])
)
keys = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
hashable = keys | st.tuples(keys, keys) | st.frozensets(keys, max_size=3)
anything = st.recursive(
    leaves | st.sets(hashable, max_size=3),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(hashable, inner)
        | st.dictionaries(st.text(), inner)
        | st.lists(inner, min_size=1).map(lambda items: [items, items[0]])
    ),
)


@given(json_shaped)
def test_whatever_json_can_keep_is_json_and_comes_back(value: object) -> None:
    assert exact_json(value) is not None
    assert comes_back(value)


@given(anything)
def test_whatever_python_value_comes_back_with_its_types(value: object) -> None:
    assert comes_back(value)


@given(table=tables())
def test_whatever_table_comes_back_with_its_types(
    tmp_path_factory: pytest.TempPathFactory, table: pa.Table
) -> None:
    values = ValueStore("values", tmp_path_factory.mktemp("any"))
    stored = values.save(TARGET, "run", table).stored
    assert content(values.load(stored)) == content(table)
    reader = values.load(stored, pa.RecordBatchReader)
    assert content(reader.read_all()) == content(table)
    dataset = values.load(stored, pa.dataset.Dataset)
    assert content(dataset.to_table()) == content(table)


def comes_back(value: object) -> bool:
    import tempfile

    with tempfile.TemporaryDirectory() as root:
        values = ValueStore("values", root)
        return same(values.load(values.save(TARGET, "run", value).stored), value)


def same(one: Any, other: Any, seen: frozenset[int] = frozenset()) -> bool:
    """Equal in type and value at every depth, including NaN, signs of zero and the order of keys."""
    if type(one) is not type(other):
        return False
    if id(one) in seen:
        return True
    seen |= {id(one)}
    if isinstance(one, float):
        return one.hex() == other.hex() if math.isfinite(one) else repr(one) == repr(other)
    if isinstance(one, complex | Decimal):
        return repr(one) == repr(other)
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()), seen)
    if isinstance(one, list | tuple):
        alike = len(one) == len(other) and all(map(lambda a, b: same(a, b, seen), one, other))
        first = one[0] if one else None
        sharing = [item is first for item in one if isinstance(item, list)]
        return alike and sharing == [item is other[0] for item in other if isinstance(item, list)]
    if isinstance(one, pd.Series):
        return bool(one.equals(other)) and one.name == other.name
    return bool(one == other)


def same_table(back: Any, returned: Any) -> bool:
    if isinstance(returned, pd.DataFrame):
        assert_frame_equal(back, returned)
        return True
    if isinstance(returned, pl.LazyFrame):
        back, returned = back.collect(), returned.collect()
    if isinstance(returned, pl.DataFrame):
        return bool(back.equals(returned)) and back.schema == returned.schema
    one, other = as_arrow(back), as_arrow(returned)
    return (content(one), one.num_rows, one.schema.metadata) == (
        content(other),
        other.num_rows,
        other.schema.metadata,
    )


def as_arrow(value: Any) -> pa.Table:
    if isinstance(value, pa.dataset.Dataset):
        return value.to_table()
    if isinstance(value, pl.LazyFrame):
        value = value.collect()
    if hasattr(value, "__arrow_c_stream__"):
        return pa.table(value)
    return pa.Table.from_batches(list(value))


def rows(value: Any) -> list[dict[str, Any]]:
    """The rows as Python values, whichever library holds them: NaN as None, categories as text."""
    table = as_arrow(value)
    return [_plain(row) for row in table.to_pylist()]


def _plain(item: Any) -> Any:
    if isinstance(item, dict):
        return {name: _plain(part) for name, part in item.items()}
    if isinstance(item, list):
        return [_plain(part) for part in item]
    return None if isinstance(item, float) and math.isnan(item) else item


def test_a_value_is_handed_on_and_leaves_memory_with_its_last_reader(folder: Path) -> None:
    made: list[weakref.ref[pa.Table]] = []

    @dg.asset
    def table() -> pa.Table:
        value = pa.table({"n": range(1000)})
        made.append(weakref.ref(value))
        return value

    @dg.asset
    def handed_on(table: pa.Table) -> bool:
        return table is made[0]()

    @dg.asset
    def gone(handed_on: bool) -> bool:
        gc.collect()
        return made[0]() is None

    result = dg.materialize([table, handed_on, gone])
    assert result.value("handed_on") is True
    assert result.value("gone") is True

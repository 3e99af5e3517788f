"""A value of whatever type comes back exactly, or is refused with what to do instead.

Every type of Arrow, pandas, polars and DuckDB is stored, and loaded as each kind of table that a
parameter may ask for. What may change on the way stands in docs/values.md, and in `MAY_CHANGE`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest
from typed_tables import ARROW, DUCKDB, PANDAS, POLARS, variants

from assetgraph.errors import ValueTypeError
from assetgraph.keys import AssetKey, Target
from assetgraph.storage.value_store import ValueStore

TARGET = Target(AssetKey("trips"))
DOCS = Path(__file__).parents[2] / "docs" / "values.md"
KINDS: dict[str, Any] = {
    "table": pa.Table,
    "batch": pa.RecordBatch,
    "reader": pa.RecordBatchReader,
    "dataset": pa.dataset.Dataset,
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "polars-lazy": pl.LazyFrame,
    "duckdb": duckdb.DuckDBPyRelation,
}
OF_ARROW = ("table", "batch", "reader", "dataset")

pytestmark = pytest.mark.filterwarnings(
    "ignore:The DataFrame has:UserWarning",  # a pickled frame, asked for as a table
    "ignore:Constructing a Categorical:FutureWarning",
)


class Values:
    """Stores each value that is given, and loads it from another store, as another process would."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs = count()

    def stored(self, value: Any) -> Any:
        saved = ValueStore("values", self._folder).save(TARGET, f"run-{next(self._runs)}", value)
        msgspec.json.encode((saved.stored, saved.metadata))
        return saved.stored

    def load(self, stored: Any, kind: str | None = None) -> Any:
        values = ValueStore("values", self._folder)
        return values.load(stored) if kind is None else values.load(stored, KINDS[kind])


@pytest.fixture
def values(folder: Path) -> Values:
    return Values(folder)


# What may change, in the words of the docs; here, what the comparisons below allow.
MAY_CHANGE = {
    "pandas: The class of a time zone": "exact_dtype",
    "pandas: A range of labels or categories": "exact_index",
    "pandas: Levels of a `MultiIndex` that no row uses": "exact_index",
    "numpy: An array that is not contiguous": "test_values_arrays.py",
    "another class with `__arrow_c_stream__`: It comes back as a `pa.Table`": "test_values.py",
    "pandas: A null of floats or text": "cells_of_pandas",
    "pandas: Integers beside nulls": "cells_of_pandas",
    "pandas: Days, times of day": "cell",
    "polars: `date64` is `Date`": "cell",
    "DuckDB: `float16` is `FLOAT`": "cell",
    "any: An extension type": "plain",
    "any, from pandas: Labels are text": "cell",
    "any, from DuckDB: `HUGEINT`": "test_a_relation_…",
}


def test_what_may_change_stands_in_the_docs_and_nothing_else_does() -> None:
    text = DOCS.read_text(encoding="utf-8").partition("## What may change")[2]
    text = text.partition("Refused,")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    documented = [f"{one}: {other}" for one, other in rows if other != "what may change"]
    assert len(documented) == len(MAY_CHANGE)
    for row, known in zip(documented, MAY_CHANGE, strict=True):
        assert row.startswith(known)


# Arrow


def test_every_type_of_arrow_is_tried() -> None:
    ids = {getattr(pa.lib, name): name for name in dir(pa.lib) if name.startswith("Type_")}
    tried = {array.type.id for array in ARROW.values()}
    missing = {name for number, name in ids.items() if number not in tried}
    assert missing <= {"Type_INTERVAL_MONTHS", "Type_INTERVAL_DAY_TIME"}  # pyarrow cannot make them


@pytest.mark.parametrize("name", ARROW)
def test_a_column_of_arrow_keeps_its_values_in_every_kind_of_table(
    values: Values, name: str
) -> None:
    for variant, column in variants(ARROW[name]).items():
        table = pa.table({"a": column})
        stored = values.stored(table)
        for kind in KINDS:
            loaded = attempt(values, stored, kind)
            if loaded is None:
                assert kind not in OF_ARROW, f"{name}, {variant} as {kind}"
            elif kind in OF_ARROW:
                again = as_arrow(loaded)
                assert again.schema.equals(table.schema)
                assert repr(again.column(0).to_pylist()) == repr(column.to_pylist())
            else:
                assert_cells(loaded, column, f"{name}, {variant} as {kind}")


def test_integers_beside_nulls_are_nullable_integers_in_pandas(values: Values) -> None:
    """A float of 64 bits rounds 2^60 + 1."""
    table = pa.table({"id": [2**60 + 1, None], "n": pa.array([255, None], pa.uint8()), "x": [1, 2]})
    frame = values.load(values.stored(table), "pandas")
    assert [str(dtype) for dtype in frame.dtypes] == ["Int64", "UInt8", "int64"]
    assert frame["id"].tolist() == [2**60 + 1, pd.NA]
    assert values.load(values.stored(table.slice(0, 1)), "pandas")["id"].dtype == "int64"


@pytest.mark.parametrize("kind", KINDS)
def test_rows_without_columns_are_kept_or_refused(values: Values, kind: str) -> None:
    table = pa.table({"a": [1, 2, 3]}).select([])
    loaded = attempt(values, values.stored(table), kind)
    if kind == "duckdb":
        assert loaded is None
    else:
        rows = loaded.shape[0] if kind == "pandas" else as_arrow(loaded).num_rows
        assert rows == 3


ODD_NAMES = ["", "a", "A", "column_0", "column_1", "a.b", "é", 'a"b', " ", "__index_level_0__"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "duckdb"])
def test_a_column_keeps_its_name_in_every_kind_of_table(values: Values, kind: str) -> None:
    """polars calls a column without a name column_0, beside which there may be another."""
    table = pa.table({name: [number] for number, name in enumerate(ODD_NAMES)})
    stored = values.stored(table)
    assert names(values.load(stored, kind)) == ODD_NAMES
    assert as_arrow(values.load(stored, kind)).to_pylist() == table.to_pylist()


@pytest.mark.parametrize(("pair", "other"), [(["a", "A"], "A_1"), (["", "a"], "v0")])
def test_a_name_that_duckdb_would_change_is_refused(
    values: Values, pair: list[str], other: str
) -> None:
    stored = values.stored(pa.table({name: [1] for name in pair}))
    with pytest.raises(ValueTypeError, match=rf"which DuckDB would call '{other}'.*rename"):
        values.load(stored, "duckdb")


@pytest.mark.parametrize("kind", KINDS)
def test_two_columns_of_one_name_are_kept_or_refused_with_the_name(
    values: Values, kind: str
) -> None:
    stored = values.stored(pa.table([[1], [2]], names=["a", "a"]))
    if kind in ("table", "batch", "reader", "pandas"):
        assert names(values.load(stored, kind)) == ["a", "a"]
    else:
        with pytest.raises(ValueTypeError, match=r"two columns named 'a'.*a pa\.Table"):
            values.load(stored, kind)


@pytest.mark.parametrize(
    ("column", "kind", "message"),
    [
        (pa.array([1], pa.duration("ns")), "duckdb", "lose data: 1"),
        (pa.array([1], pa.time64("ns")), "pandas", "non-zero nanoseconds"),
        (pa.array([(0, 0, 1)], pa.month_day_nano_interval()), "duckdb", "with nanoseconds"),
        (pa.array([Decimal(10) ** 60], pa.decimal256(70, 0)), "polars", "polars does not have"),
        (pa.array([Decimal(10) ** 60], pa.decimal256(70, 0)), "polars-lazy", "does not have"),
        (pa.array([Decimal(10) ** 60], pa.decimal256(70, 0)), "duckdb", "Unsupported"),
    ],
)
def test_a_value_that_a_library_cannot_hold_is_refused_with_its_column(
    values: Values, column: pa.Array, kind: str, message: str
) -> None:
    stored = values.stored(pa.table({"x": [1], "odd": column}))
    with pytest.raises(ValueTypeError) as raised:
        values.load(stored, kind)
    assert "column 'odd' " in raised.value.message
    assert message in raised.value.message
    assert "Ask for a pa.Table" in str(raised.value.hint)


@pytest.mark.parametrize(
    "column",
    [
        pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), pa.array(["b", None])),
        pa.chunked_array(
            [
                pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), pa.array([{"a": n}]))
                for n in (1, 2)
            ]
        ),
    ],
    ids=["a null category", "categories that are dicts"],
)
def test_a_column_that_cannot_be_written_is_named(values: Values, column: Any) -> None:
    table = pa.table({"x": [1, 2], "odd": column})
    with pytest.raises(ValueTypeError, match=r"column 'odd' is dictionary.*Cast"):
        values.stored(table)


# pandas


def as_column(array: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": a_series(array)})


def as_index(array: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": [1, 2, 3]}, index=an_index(array).rename("i"))


def as_level(array: Any) -> pd.DataFrame:
    index = pd.MultiIndex.from_arrays([an_index(array), ["x", "y", "z"]], names=["i", None])
    return pd.DataFrame({"a": [1, 2, 3]}, index=index)


def as_labels(array: Any) -> pd.DataFrame:
    return pd.DataFrame([[1, 2, 3]], columns=an_index(array))


def as_categories(array: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": a_categorical(array)})


def as_ordered_categories(array: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": a_categorical(array).as_ordered()})


def as_index_of_categories(array: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": [1, 2, 3]}, index=pd.CategoricalIndex(a_categorical(array)))


def as_level_of_categories(array: Any) -> pd.DataFrame:
    levels = [pd.CategoricalIndex(a_categorical(array)), [1, 2, 3]]
    return pd.DataFrame({"a": [1, 2, 3]}, index=pd.MultiIndex.from_arrays(levels))


def a_series(array: Any) -> pd.Series:
    return pd.Series(array, dtype=array.dtype)  # else pandas makes text of objects


def an_index(array: Any) -> pd.Index:
    return pd.Index(array, dtype=a_series(array).dtype)


def a_categorical(array: Any) -> pd.Categorical:
    series = a_series(array)
    categories = pd.Index(series[~pd.isna(series)], dtype=series.dtype).unique()
    return pd.Categorical.from_codes([0, -1, len(categories) - 1], categories=categories)


PLACES: list[Callable[[Any], pd.DataFrame]] = [
    as_column,
    as_index,
    as_level,
    as_labels,
    as_categories,
    as_ordered_categories,
    as_index_of_categories,
    as_level_of_categories,
]


@pytest.mark.parametrize("name", PANDAS)
def test_a_type_of_pandas_is_kept_as_column_index_level_label_and_category(
    values: Values, name: str
) -> None:
    for place in PLACES:
        try:
            frame = place(PANDAS[name])
        except Exception:  # pandas has no such index or categories
            continue
        for part in (frame, frame.iloc[:0]):
            loaded = values.load(values.stored(part))
            assert exact_frame(loaded) == exact_frame(part), f"{name}, {place.__name__}"


@pytest.mark.parametrize("name", PANDAS)
def test_a_column_of_pandas_keeps_its_values_in_every_kind_of_table(
    values: Values, name: str
) -> None:
    frame = as_column(PANDAS[name])
    stored = values.stored(frame)
    for kind in KINDS:
        loaded = attempt(values, stored, kind)
        if loaded is not None and kind != "pandas" and name != "far":  # Python has no such years
            again = as_arrow(loaded).column("a")
            assert cells_of_pandas(again.to_pylist()) == cells_of_pandas(plain_pandas(frame["a"]))


def odd_frames() -> Iterator[tuple[str, pd.DataFrame]]:
    three = pd.DataFrame({"a": [1, 2, 3]})
    for name in ("", None, 0, 1.5, ("a", "b"), pd.Timestamp("2023"), True, b"x", pd.NA, "a\0b"):
        yield f"label {name!r}", pd.DataFrame([[1]], columns=pd.Index([name], dtype=object))
        yield f"index {name!r}", three.set_axis(pd.Index([5, 6, 7], name=name))
        yield f"range {name!r}", three.set_axis(pd.RangeIndex(3, name=name))
        yield f"labels' name {name!r}", pd.DataFrame([[1]], columns=pd.Index(["a"], name=name))
    surrogate = pd.Index(["\ud800"], dtype=object)
    yield "half a character", pd.DataFrame([[1]], columns=surrogate)
    yield "one name twice", pd.DataFrame([[1, 2]], columns=["a", "a"])
    yield "an index named as a column", three.set_index(pd.Index([1, 2, 3], name="a"))
    same = pd.MultiIndex.from_arrays([[1, 2, 3], [4, 5, 6]], names=["x", "x"])
    yield "levels of one name", three.set_index(same)
    yield "Arrow's name of an index", pd.DataFrame({"__index_level_0__": [1]}, index=["x"])
    yield "rows without columns", three[[]]
    yield "rows without columns, an index", three.set_index("a")
    yield (
        "rows without columns, typed labels",
        pd.DataFrame(index=range(3), columns=pd.DatetimeIndex([])),
    )
    yield "nothing", pd.DataFrame()
    yield "an empty index", pd.DataFrame(index=pd.Index([], dtype="str", name="q"))
    yield "a range backwards", three.set_axis(pd.RangeIndex(9, 0, -3))
    yield "an empty range", three.iloc[2:2]
    yield "one level", three.set_axis(pd.MultiIndex.from_arrays([[1, 2, 3]]))
    yield "a frequency", three.set_axis(pd.timedelta_range("1D", periods=3))
    yield (
        "labels that have a frequency",
        pd.DataFrame([[1, 2]], columns=pd.date_range("2023", periods=2)),
    )
    two = pd.MultiIndex.from_product([pd.date_range("2023", periods=2), ["a"]], names=["x", None])
    yield "labels of two levels", pd.DataFrame([[1, 2]], columns=two)
    unused = pd.Categorical(["x", "y"], categories=["z", "y", "x"])
    yield "unused categories", pd.DataFrame({"a": unused})
    yield "no categories", pd.DataFrame({"a": pd.Categorical([None, None], categories=[])})
    named = pd.Categorical.from_codes([0, 1], categories=pd.Index(["a", "b"], name="n"))
    yield "categories that have a name", pd.DataFrame({"a": named})
    days = pd.Categorical.from_codes([0, 1], categories=pd.date_range("2023", periods=3))
    yield "categories that have a frequency", pd.DataFrame({"a": days})
    attributes = three.copy()
    attributes.attrs["zones"] = {1, 2}
    yield "attributes that are no JSON", attributes


@pytest.mark.parametrize("name", [name for name, _ in odd_frames()])
def test_a_frame_of_odd_shape_or_names_comes_back_as_it_was(
    values: Values, name: str, recwarn: pytest.WarningsRecorder
) -> None:
    frame = dict(odd_frames())[name]
    assert exact_frame(values.load(values.stored(frame))) == exact_frame(frame)
    assert recwarn.list == []


def test_rows_of_a_frame_without_columns_reach_other_libraries(values: Values) -> None:
    stored = values.stored(pd.DataFrame({"a": [1, 2, 3]})[[]])
    assert values.load(stored, "table").num_rows == 3


# polars


def test_every_type_of_polars_is_tried() -> None:
    classes = {
        one for one in vars(pl).values() if isinstance(one, type) and issubclass(one, pl.DataType)
    }
    abstract = {"DataType", "BaseExtension", "Extension", "Unknown", "Object"}
    tried = {kind.base_type() for series in POLARS.values() for kind in (series.dtype,)}
    assert {one.__name__ for one in classes - tried} <= abstract


@pytest.mark.parametrize("lazy", [False, True], ids=["eager", "lazy"])
@pytest.mark.parametrize("name", POLARS)
def test_a_type_of_polars_is_kept(values: Values, name: str, lazy: bool) -> None:
    series = POLARS[name]
    parts = [series, series.clear(), series.clear(3), pl.concat([series, series], rechunk=False)]
    for frame in map(pl.DataFrame, parts):
        stored = values.stored(frame.lazy() if lazy else frame)
        assert isinstance(values.load(stored), pl.LazyFrame if lazy else pl.DataFrame)
        for kind in (None, "polars", "polars-lazy"):
            again = eager(values.load(stored, kind))
            assert again.schema == frame.schema
            assert list(map(repr, again.dtypes)) == list(map(repr, frame.dtypes))
            assert again.equals(frame)
        for kind in set(KINDS) - {"polars", "polars-lazy"}:
            loaded = attempt(values, stored, kind)
            if loaded is not None:
                assert_cells(loaded, frame.to_arrow().column(0), f"{name} as {kind}")


def test_a_polars_frame_of_odd_names_or_no_columns_comes_back_as_it_was(values: Values) -> None:
    frames = [
        pl.DataFrame({"": [1]}),
        pl.DataFrame({"": [1], "column_0": [2], "column_1": [3]}),
        pl.DataFrame({"column_0": [2], "": [1]}),
        pl.DataFrame({name: [number] for number, name in enumerate(ODD_NAMES)}),
        pl.DataFrame(),
        pl.DataFrame({"a": [1, 2]}).select([]),
    ]
    for frame in frames:
        for returned in (frame, frame.lazy()):
            again = eager(values.load(values.stored(returned)))
            assert (again.columns, again.shape) == (frame.columns, frame.shape)
            assert again.rows() == frame.rows()


def test_what_polars_does_not_give_back_itself_is_refused(values: Values) -> None:
    for series, message in (
        (pl.Series("o", [object()], dtype=pl.Object), "column 'o' holds Python objects"),
        (
            pl.Series("o", [[]], dtype=pl.Array(pl.Int64, 0)),
            "column 'o' holds arrays without items",
        ),
    ):
        for frame in (pl.DataFrame([series]), pl.DataFrame([series]).lazy()):
            with pytest.raises(ValueTypeError, match=message):
                values.stored(frame)


# DuckDB


def relation(expression: str, variant: str) -> duckdb.DuckDBPyRelation:
    query = {
        "whole": f"select {expression} as a, 1 as b",
        "beside nulls": f"select * from (select {expression} as a) union all select null",
        "no rows": f"select {expression} as a limit 0",
        "nulls alone": f"select case when false then {expression} end as a from range(2)",
    }[variant]
    made = duckdb.sql(query)
    made.fetchall()  # a relation keeps its result, which must not matter
    return duckdb.sql(query)


RELATIONS = ("whole", "beside nulls", "no rows", "nulls alone")


def test_every_type_of_duckdb_is_tried() -> None:
    known = {
        one for (one,) in duckdb.sql("select distinct logical_type from duckdb_types()").fetchall()
    }
    assert known - {"TYPE"} <= set(DUCKDB)  # no expression has the type TYPE


@pytest.mark.parametrize("name", DUCKDB)
def test_a_type_of_duckdb_is_kept(values: Values, name: str) -> None:
    try:
        relation(DUCKDB[name], "whole")
    except duckdb.Error as error:
        pytest.skip(f"this release of DuckDB: {error}")
    for variant in RELATIONS:
        stored = values.stored(relation(DUCKDB[name], variant))
        expected = relation(DUCKDB[name], variant)
        loaded = values.load(stored)
        assert list(map(str, loaded.types)) == list(map(str, expected.types))
        assert loaded.columns == expected.columns
        assert repr(loaded.fetchall()) == repr(expected.fetchall())
        table = values.load(stored, "table")
        for kind in KINDS:
            other = attempt(values, stored, kind)
            if other is not None and kind != "duckdb":
                assert_cells(other, table.column("a"), f"{name}, {variant} as {kind}")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select 170141183460469231731687303715884105727::HUGEINT as a", "more than 38 digits"),
        ("select 340282366920938463463374607431768211455::UHUGEINT as a", "more than 38 digits"),
        ("select [340282366920938463463374607431768211455::UHUGEINT] as a", "more than 38 digits"),
        ("select to_microseconds(9223372036854775807) as a", "more than 292 years"),
        ("select 1 as a, 2 as a", "two columns named 'a'"),
        ('select 1 as a, 2 as "A"', "columns 'a' and 'A', which are one name"),
    ],
)
def test_a_relation_that_cannot_come_back_is_refused_when_it_is_returned(
    values: Values, folder: Path, query: str, message: str
) -> None:
    with pytest.raises(ValueTypeError, match="returned a DuckDB relation") as raised:
        values.stored(duckdb.sql(query))
    assert message in raised.value.message
    assert raised.value.hint
    assert not list((folder / "values").rglob("value*"))


def test_an_error_of_a_query_is_that_of_the_asset(values: Values) -> None:
    with pytest.raises(duckdb.ConversionException):
        values.stored(duckdb.sql("select cast(a as integer) as a from (select 'x' as a)"))


# Comparisons


def attempt(values: Values, stored: Any, kind: str) -> Any:
    """The value as this kind, or None if it is refused with what to do instead."""
    try:
        return values.load(stored, kind)
    except ValueTypeError as error:
        refused = error
    assert refused.hint
    assert "convert" in refused.message or "would call" in refused.message
    return None


def as_arrow(loaded: Any) -> pa.Table:
    if isinstance(loaded, pa.Table):
        return loaded
    if isinstance(loaded, pa.RecordBatch):
        return pa.Table.from_batches([loaded])
    if isinstance(loaded, pa.RecordBatchReader):
        return loaded.read_all()
    if isinstance(loaded, pa.dataset.Dataset):
        return loaded.to_table()
    if isinstance(loaded, duckdb.DuckDBPyRelation):
        return pa.RecordBatchReader.from_stream(loaded).read_all()
    if isinstance(loaded, pd.DataFrame):
        return pa.Table.from_pandas(loaded)
    frame = eager(loaded)
    if frame.width == 0:
        return pa.table({"a": pa.nulls(frame.height)}).select([])
    return pa.table(frame.to_arrow().columns, names=frame.columns)


def eager(frame: Any) -> pl.DataFrame:
    made: pl.DataFrame = frame.collect() if isinstance(frame, pl.LazyFrame) else frame
    return made


def names(loaded: Any) -> list[str]:
    return (
        list(loaded.columns) if isinstance(loaded, pd.DataFrame) else as_arrow(loaded).column_names
    )


def assert_cells(loaded: Any, column: pa.ChunkedArray, where: str) -> None:
    """Whether the first column of a table holds what the Arrow column does."""
    expected = [cell(value) for value in plain(column).to_pylist()]
    if isinstance(loaded, pd.DataFrame):
        found = cells_of_pandas(loaded.iloc[:, 0].tolist())
        expected = cells_of_pandas(plain(column).to_pylist())
    else:
        found = [cell(value) for value in plain(as_arrow(loaded).column(0)).to_pylist()]
    if isinstance(column.type, pa.BaseExtensionType):  # a library may have booleans for bool8
        found = [("int", int(one[1])) if one and one[0] == "bool" else one for one in found]
    assert found == expected, where


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column without extension types: not every library has each."""
    if isinstance(column.type, pa.BaseExtensionType):
        return plain(pa.chunked_array([c.storage for c in column.chunks], column.type.storage_type))
    return column


def cells_of_pandas(items: list[Any]) -> list[Any]:
    """Cells of pandas, where a missing float is NaN."""
    return [None if found == "nan" else found for found in map(cell, items)]


def plain_pandas(series: pd.Series) -> list[Any]:
    """The values of a column as another library has them."""
    if isinstance(series.dtype, pd.PeriodDtype):
        return [None if pd.isna(one) else one.ordinal for one in series]
    if isinstance(series.dtype, pd.IntervalDtype):
        return [{"left": one.left, "right": one.right} for one in series]
    return series.tolist()


def cell(value: Any) -> Any:
    """A value in a form that is the same for every library, and no other value's."""
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, np.generic) and not isinstance(value, np.datetime64 | np.timedelta64):
        value = value.item()
    if isinstance(value, float):
        return "nan" if math.isnan(value) else ("float", value, math.copysign(1, value))
    if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value):
        return bytes.fromhex(value.replace("-", ""))  # a UUID
    if isinstance(value, bool | int | str):
        return (type(value).__name__, value)
    if isinstance(value, pd.Timestamp):
        at, *rest = cell(value.to_pydatetime(warn=False))[1:]
        return ("time", at + value.nanosecond, *rest)
    if isinstance(value, datetime):
        naive = value - value.utcoffset() if value.tzinfo else value  # type: ignore[operator]
        since = naive.replace(tzinfo=None) - datetime(1970, 1, 1)
        return ("time", since // timedelta(microseconds=1) * 1000, value.tzinfo is not None)
    if isinstance(value, pd.Timedelta):
        whole = timedelta(value.days, value.seconds, value.microseconds)
        return ("interval", 0, 0, whole // timedelta(microseconds=1) * 1000 + value.nanoseconds)
    if isinstance(value, timedelta):
        return ("interval", 0, 0, value // timedelta(microseconds=1) * 1000)
    if isinstance(value, pa.MonthDayNano):
        return ("interval", *value)
    if isinstance(value, pd.DateOffset):
        parts = value.kwds
        return ("interval", parts["months"], parts["days"], parts["nanoseconds"])
    if isinstance(value, Decimal):
        return ("decimal", value)
    if isinstance(value, dict):
        return [[cell(key), cell(one)] for key, one in value.items()]
    if isinstance(value, list | tuple | set | np.ndarray | pl.Series):
        return [cell(one) for one in value]
    if hasattr(value, "bytes"):  # a UUID
        return value.bytes
    return bytes(value) if isinstance(value, bytearray | memoryview) else value


def exact_frame(frame: Any) -> list[Any]:
    """Everything that tells a frame from another, but for what may change."""
    assert isinstance(frame, pd.DataFrame)
    columns = [frame.iloc[:, place] for place in range(frame.shape[1])]
    return [
        frame.shape,
        exact_index(frame.columns),
        exact_index(frame.index),
        [exact_dtype(dtype) for dtype in frame.dtypes],
        [[repr(value) for value in column.tolist()] for column in columns],
        frame.attrs,
        repr(frame.flags),
    ]


def exact_index(index: pd.Index) -> Any:
    if isinstance(index, pd.MultiIndex):
        return [exact_index(index.get_level_values(number)) for number in range(index.nlevels)]
    name = "Index" if isinstance(index, pd.RangeIndex) else type(index).__name__
    frequency = str(getattr(index, "freq", None))
    return (
        name, exact_dtype(index.dtype), list(map(repr, index.tolist())), repr(index.name), frequency
    )  # fmt: skip


def exact_dtype(dtype: Any) -> Any:
    if isinstance(dtype, pd.CategoricalDtype):
        return ("categories", dtype.ordered, exact_index(dtype.categories))
    if isinstance(dtype, pd.StringDtype):
        return ("text", dtype.storage, repr(dtype.na_value))
    return (type(dtype).__name__, str(dtype), getattr(dtype, "byteorder", None))

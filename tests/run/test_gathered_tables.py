"""A parameter that gets the tables of several partitions as one: it equals the tables, loaded one by
one and concatenated, however each of them is stored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assetgraph as dg
from assetgraph.definitions.computation import AssetSpec, Computation
from assetgraph.errors import ValueTypeError
from assetgraph.keys import Target
from assetgraph.records import Event
from assetgraph.run.step_compute import arguments_of
from assetgraph.run.step_task import Input, StepTask
from assetgraph.storage.formats.arrow.to_pandas import frame_of
from assetgraph.storage.store import Store

KEY = dg.AssetKey("trips")
DAY = dt.date(2023, 3, 1)
_FAMILIES: list[tuple[list[pa.DataType], st.SearchStrategy[Any]]] = [
    (
        [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint32(), pa.float64()],
        st.integers(0, 100),
    ),
    ([pa.int64(), pa.uint64(), pa.float64()], st.sampled_from([0, 2**53, 2**53 + 1, 2**63 - 1])),
    ([pa.float32(), pa.float64()], st.sampled_from([0.0, 1.5, -2.25])),
    ([pa.string(), pa.large_string()], st.sampled_from(["", "a", "택시"])),
    ([pa.bool_()], st.booleans()),
    ([pa.date32()], st.just(DAY)),
    (
        [pa.timestamp("s"), pa.timestamp("us")],
        st.sampled_from([dt.datetime(2023, 3, 1, 12), dt.datetime(1970, 1, 1)]),
    ),
    ([pa.list_(pa.int16()), pa.list_(pa.int64())], st.lists(st.integers(0, 3), max_size=2)),
    ([pa.struct([("x", pa.int64())])], st.fixed_dictionaries({"x": st.integers(0, 3)})),
    ([pa.dictionary(pa.int8(), pa.string())], st.sampled_from(["a", "b", "c"])),
    ([pa.list_(pa.int8(), 2)], st.just([1, 2])),  # stored as an Arrow file
]
KINDS: dict[str, Any] = {
    "table": pa.Table,
    "batch": pa.RecordBatch,
    "reader": pa.RecordBatchReader,
    "dataset": ds.Dataset,
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "polars-lazy": pl.LazyFrame,
    "duckdb": duckdb.DuckDBPyRelation,
}
FORMS = ("table", "pandas", "polars", "reader", "passed", "managed", "pickled")


class Managed(dg.IOManager):
    """Keeps values in memory, by partition."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        self.kept[context.partition_key] = obj

    def load_input(self, context: dg.InputContext) -> Any:
        return self.kept[context.partition_key]


class Gatherer:
    """Stores partitions in one way or another, and loads them as one parameter gets them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.manager = Managed()
        self.spec = AssetSpec(key=KEY, io_manager=self.manager)
        self.inputs: list[Input] = []
        self.passed: dict[Target, Any] = {}
        self.events: list[Event] = []

    def add(self, partition: str, value: Any, form: str = "stored") -> None:
        target = Target(KEY, partition)
        if form == "managed":
            from assetgraph.storage.value_store import Saved

            self.manager.kept[partition] = value
            saved = Saved.by_io_manager(value, "run")
        else:
            saved = self.store.values.save(target, "run", value)
        if form == "passed":
            self.passed[target] = value
        maker = self.spec if form == "managed" else None
        self.inputs.append(Input(target, "trips", saved.data_version, saved.stored, maker, "run"))

    def gathered(self, annotation: Any, column: str | None = None) -> Any:
        def report(trips: Any) -> None: ...

        report.__annotations__["trips"] = annotation
        if annotation is None:
            del report.__annotations__["trips"]
        return self._argument(report, ("trips",), {} if column is None else {"trips": column})

    def _argument(self, function: Any, gathered: Sequence[str], columns: Mapping[str, str]) -> Any:
        task = StepTask(
            step_id="report",
            computation=Computation(
                name="report",
                function=function,
                specs=(AssetSpec(key=dg.AssetKey("report")),),
                partition_columns=columns,
            ),
            outputs=(Target(dg.AssetKey("report")),),
            run_id="run",
            attempt=1,
            inputs=tuple(self.inputs),
            config={},
            code_version=None,
            passed=self.passed,
            gathered=frozenset(gathered),
        )
        context: Any = None
        return arguments_of(task, self.store, context, self.events)["trips"]

    def alone(self) -> list[pa.Table]:
        """Each partition as a table."""
        found = []
        for source in self.inputs:
            if source.maker is not None:
                found.append(as_table(self.manager.kept[source.target.partition or ""]))
            else:
                loaded: Any = self.store.values.load(source.stored, pa.Table)
                found.append(loaded)
        return found


@pytest.fixture
def gatherer(store: Store) -> Gatherer:
    return Gatherer(store)


def as_table(value: Any) -> pa.Table:
    if isinstance(value, pd.DataFrame):
        return pa.Table.from_pandas(value)
    return value if isinstance(value, pa.Table) else value.to_arrow()


def as_form(table: pa.Table, form: str) -> Any:
    if form in ("pandas", "pickled"):
        return frame_of(table)
    if form == "polars":
        return pl.from_arrow(table)
    return table.to_reader() if form == "reader" else table


def rows(loaded: Any) -> list[dict[str, Any]]:
    """The rows of any kind of table, with plain values."""
    if isinstance(loaded, pd.DataFrame):
        return [
            {name: plain(value) for name, value in row.items()} for row in loaded.to_dict("records")
        ]
    if isinstance(loaded, ds.Dataset):
        loaded = loaded.to_table()
    elif isinstance(loaded, pa.RecordBatchReader):
        loaded = loaded.read_all()
    elif isinstance(loaded, duckdb.DuckDBPyRelation):
        loaded = loaded.to_arrow_table()
    elif isinstance(loaded, pl.LazyFrame):
        loaded = loaded.collect()
    found = loaded.to_dicts() if isinstance(loaded, pl.DataFrame) else loaded.to_pylist()
    return [{name: plain(value) for name, value in row.items()} for row in found]


def plain(value: Any) -> Any:
    if hasattr(value, "tolist") and not isinstance(value, pd.Timestamp):
        value = value.tolist()
    if isinstance(value, list | dict):
        return value
    if pd.isna(value):
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


@st.composite
def partitions(draw: st.DrawFn) -> list[tuple[pa.Table, str]]:
    """Tables whose columns have types that go together, each with a way to store it."""
    families = draw(st.lists(st.sampled_from(_FAMILIES), min_size=1, max_size=3))
    made = []
    for _ in range(draw(st.integers(1, 3))):
        count = draw(st.integers(0, 3))
        columns = {}
        for number, (kinds, values) in enumerate(families):
            if draw(st.integers(0, 4)) == 0 and columns:
                continue
            kind = draw(st.sampled_from(kinds))
            given_values = draw(st.lists(st.none() | values, min_size=count, max_size=count))
            if pa.types.is_floating(kind):
                given_values = [None if one is None else float(one) for one in given_values]
            columns[f"c{number}"] = pa.array(given_values, kind)
        made.append((pa.table(columns), draw(st.sampled_from(FORMS[:-1]))))
    return made


@given(partitions(), st.booleans())
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("kind", KINDS)
def test_one_table_has_the_rows_of_each_partition_in_order(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    made: list[tuple[pa.Table, str]],
    with_key: bool,
) -> None:
    instance = dg.Instance(tmp_path_factory.mktemp("store"))
    gatherer = Gatherer(instance.store)
    for number, (table, form) in enumerate(made):
        gatherer.add(f"p{number}", as_form(table, form), form)
    alone = gatherer.alone()
    names = list(dict.fromkeys(name for table in alone for name in table.column_names))
    expected = [
        {name: plain(row.get(name)) for name in names} | ({"day": f"p{number}"} if with_key else {})
        for number, table in enumerate(alone)
        for row in table.to_pylist()
    ]
    refused = None
    try:
        loaded = gatherer.gathered(KINDS[kind], "day" if with_key else None)
    except ValueTypeError as error:
        refused = error
    if refused is not None:
        # Frames that are pickled are not converted, so their types must be the same.
        pickled = any(source.stored.format == "pickle" for source in gatherer.inputs)
        assert pickled or is_justified(alone, str(refused)), refused
    else:
        assert isinstance(loaded, KINDS[kind])
        assert rows(loaded) == expected


def is_justified(tables: list[pa.Table], error: str) -> bool:
    """Whether some column has a number that the type of another partition lacks."""
    for name in {name for table in tables for name in table.column_names}:
        columns = [table[name] for table in tables if name in table.column_names]
        kinds = {column.type for column in columns}
        numbers = [one for column in columns for one in column.to_pylist() if one is not None]
        if len(kinds) > 1 and repr(name) in error:
            return any(isinstance(one, int | float) and abs(one) > 2**53 for one in numbers)
    return False


def odd(*items: Any) -> pd.DataFrame:
    """A frame that is pickled: a table would make lists of the sets."""
    return pd.DataFrame({"fare": list(range(len(items))), "what": list(items)})


def test_frames_that_are_pickled_become_one_frame_as_they_are(gatherer: Gatherer) -> None:
    first, second = odd({1}, {2}), odd({3}).assign(tip=5)
    gatherer.add("p0", first)
    gatherer.add("p1", second)
    assert {source.stored.format for source in gatherer.inputs} == {"pickle"}
    loaded = gatherer.gathered(pd.DataFrame, "day")
    assert list(loaded["what"]) == [{1}, {2}, {3}]
    assert list(loaded["day"]) == ["p0", "p0", "p1"]
    assert list(loaded.index) == [0, 1, 2]
    assert loaded["fare"].dtype == "int64"
    assert loaded["tip"].dtype == "Int64"
    assert loaded["tip"].isna().tolist() == [True, True, False]


def test_columns_of_nulls_fit_any_type_in_pickled_frames_too(gatherer: Gatherer) -> None:
    gatherer.add("p0", odd({1}).assign(tip=None, fare=None, size=None))
    gatherer.add("p1", odd({2}).assign(tip=[True], size=None))
    gatherer.add("p2", odd({3}).assign(tip=None, size=None))
    loaded = gatherer.gathered(pd.DataFrame)
    assert loaded["tip"].dtype == "boolean"
    assert loaded["tip"].tolist() == [pd.NA, True, pd.NA]
    assert loaded["fare"].dtype == "Int64"
    assert loaded["fare"].tolist() == [pd.NA, 0, 0]
    assert loaded["size"].isna().all()


def test_numbers_and_times_in_pickled_frames_become_one_type(gatherer: Gatherer) -> None:
    at = pd.Timestamp("2023-03-01 12:00")
    gatherer.add("p0", odd({1}).assign(fare=1, at=pd.Series([at]).astype("datetime64[s]")))
    gatherer.add("p1", odd({1}).assign(fare=0.5, at=pd.Series([at]).astype("datetime64[us]")))
    loaded = gatherer.gathered(pd.DataFrame)
    assert loaded["fare"].tolist() == [1.0, 0.5]
    assert loaded["at"].tolist() == [at, at]


def test_a_frame_that_is_pickled_goes_with_stored_tables(gatherer: Gatherer) -> None:
    gatherer.add("p0", pd.DataFrame({"fare": [1.5, None]}))
    gatherer.add("p1", odd({3}))
    loaded = gatherer.gathered(pd.DataFrame)
    assert loaded["fare"].tolist()[::2] == [1.5, 0.0]
    assert loaded["what"].tolist()[2] == {3}


def test_frames_of_polars_that_are_pickled_become_one_frame(gatherer: Gatherer) -> None:
    gatherer.add("p0", pl.DataFrame({"n": pl.Series([2**100], dtype=pl.Int128)}))
    gatherer.add("p1", pl.DataFrame({"n": [7], "more": ["x"]}))
    for kind in (pl.DataFrame, pl.LazyFrame):
        loaded = gatherer.gathered(kind, "day").lazy().collect()
        assert loaded.rows() == [(2**100, None, "p0"), (7, "x", "p1")]


def test_a_large_integer_beside_floats_is_refused_in_pickled_frames_too(gatherer: Gatherer) -> None:
    gatherer.add("p0", odd({1}).assign(fare=2**53 + 1))
    gatherer.add("p1", odd({1}).assign(fare=0.5))
    with pytest.raises(ValueTypeError, match=r"column 'fare' is int64 in 'trips@p0' and would be"):
        gatherer.gathered(pd.DataFrame)


CONFLICTS: dict[str, tuple[Any, Any]] = {
    "parquet": (pa.table({"fare": [1]}), pa.table({"fare": ["a"]})),
    "of pandas": (pd.DataFrame({"fare": [1]}), pd.DataFrame({"fare": ["a"]})),
    "of polars": (pl.DataFrame({"fare": [1]}), pl.DataFrame({"fare": ["a"]})),
    "of both": (pd.DataFrame({"fare": [1]}), pl.DataFrame({"fare": [True]})),
    "pickled": (odd({1}), odd({1}).assign(fare="a")),
    "pickled, of polars": (
        pl.DataFrame({"fare": [1], "n": pl.Series([1], dtype=pl.Int128)}),
        pl.DataFrame({"fare": ["a"], "n": pl.Series([1], dtype=pl.Int128)}),
    ),
    "zones": (
        pa.table({"fare": pa.array([0], pa.timestamp("us", "UTC"))}),
        pa.table({"fare": pa.array([0], pa.timestamp("us"))}),
    ),
    "text and bytes": (pa.table({"fare": ["a"]}), pa.table({"fare": [b"a"]})),
    "decimals and floats": (
        pa.table({"fare": pa.array([1], pa.decimal128(5, 2))}),
        pa.table({"fare": [0.5]}),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CONFLICTS)
def test_a_conflict_names_both_partitions_and_the_column(
    gatherer: Gatherer, case: str, kind: str
) -> None:
    first, second = CONFLICTS[case]
    gatherer.add("p0", pa.table({"fare": pa.nulls(1)}) if "pickled" not in case else first)
    gatherer.add("p1", first)
    gatherer.add("p2", second)
    if "pickled" in case and case.endswith("polars") != kind.startswith("polars"):
        return  # Arrow has no such type, and says so of the first
    with pytest.raises(ValueTypeError) as error:
        gatherer.gathered(KINDS[kind])
    said = str(error.value)
    assert "column 'fare' is " in said
    assert "'trips@p2'" in said
    assert "'trips@p0'" in said if "pickled" in case else "'trips@p1'" in said
    assert "parameter 'trips' of asset 'report'" in said


def test_a_partition_that_is_no_table_is_named(gatherer: Gatherer) -> None:
    gatherer.add("p0", pa.table({"a": [1]}))
    gatherer.add("p1", [1, 2])
    for annotation in KINDS.values():
        with pytest.raises(
            ValueTypeError, match=r"'trips@p1' is a list: \[1, 2\], and not a table"
        ):
            rows(gatherer.gathered(annotation))


@pytest.mark.parametrize("kind", KINDS)
def test_the_column_of_keys_must_not_be_there_yet(gatherer: Gatherer, kind: str) -> None:
    gatherer.add("p0", pa.table({"a": [1]}))
    gatherer.add("p1", pa.table({"day": [1]}))
    with pytest.raises(ValueTypeError, match=r"'trips@p1' has a column of this name"):
        gatherer.gathered(KINDS[kind], "day")


def test_the_column_of_keys_needs_a_table(gatherer: Gatherer) -> None:
    with pytest.raises(ValueTypeError, match="needs a table, but it gets the partitions by key"):
        gatherer.gathered(dict[str, int], "day")


@pytest.mark.parametrize("kind", KINDS)
def test_one_table_of_no_partition_is_none(gatherer: Gatherer, kind: str) -> None:
    assert gatherer.gathered(KINDS[kind]) is None
    assert gatherer.events == []


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        ("pa.Table", pa.Table),
        ("pa.Table | None", pa.Table),
        (pa.Table | None, pa.Table),
        ("Iterator[pa.RecordBatch]", pa.RecordBatchReader),
        (Iterator[pa.RecordBatch], pa.RecordBatchReader),
        ("pl.LazyFrame", pl.LazyFrame),
    ],
)
def test_the_annotation_of_one_table_may_be_text(
    gatherer: Gatherer, annotation: Any, kind: Any
) -> None:
    gatherer.add("p0", pa.table({"a": [1]}))
    gatherer.add("p1", pa.table({"a": [2]}))
    loaded = gatherer.gathered(annotation)
    assert isinstance(loaded, kind)
    assert rows(loaded) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("kind", ["table", "dataset", "reader"])
def test_what_one_partition_records_with_its_schema_is_kept(gatherer: Gatherer, kind: str) -> None:
    for partition, metadata in (("a", {"unit": "m"}), ("b", {"unit": "km", "source": "made up"})):
        gatherer.add(partition, pa.table({"x": [1]}).replace_schema_metadata(metadata))
    assert gatherer.gathered(KINDS[kind]).schema.metadata == {b"unit": b"m", b"source": b"made up"}


def test_labels_of_pandas_are_kept_if_all_partitions_have_them(gatherer: Gatherer) -> None:
    for number in range(2):
        frame = pd.DataFrame({"fare": [number, 1]}, index=pd.Index(["a", "b"], name="zone"))
        gatherer.add(f"p{number}", frame)
    loaded = gatherer.gathered(pd.DataFrame)
    assert loaded.index.tolist() == ["a", "b", "a", "b"]
    assert loaded.index.name == "zone"
    gatherer.add("p2", pd.DataFrame({"fare": [1]}))
    with pytest.raises(ValueTypeError, match=r"'trips@p0' and 'trips@p2' have different indexes"):
        gatherer.gathered(pd.DataFrame)
    assert len(gatherer.gathered(pa.Table)) == 5


def test_ordered_categories_with_another_order_are_refused(gatherer: Gatherer) -> None:
    for number, order in enumerate((["low", "high"], ["low", "mid", "high"])):
        size = pd.Categorical(["low", "high"], order, ordered=True)
        gatherer.add(f"p{number}", pd.DataFrame({"size": size}))
    with pytest.raises(ValueTypeError, match="'trips@p0' are not those of 'trips@p1'"):
        gatherer.gathered(pd.DataFrame)


def test_enums_of_polars_keep_their_values(gatherer: Gatherer) -> None:
    for number, values in enumerate((["a", "b"], ["a", "b"])):
        size = pl.Series(["b"], dtype=pl.Enum(values))
        gatherer.add(f"p{number}", pl.DataFrame({"size": size}))
    loaded = gatherer.gathered(pl.DataFrame)
    assert loaded.schema["size"] == pl.Enum(["a", "b"])
    assert loaded["size"].to_list() == ["b", "b"]


def test_a_lazy_table_reads_no_partition_before_it_is_asked(
    gatherer: Gatherer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assetgraph.storage.formats.arrow.table_sources import TableInFile

    opened: list[str] = []
    reader = TableInFile.reader
    monkeypatch.setattr(TableInFile, "read", lambda self: pytest.fail("read as a whole"))
    monkeypatch.setattr(
        TableInFile, "reader", lambda self: (opened.append(self.path), reader(self))[1]
    )
    for number in range(3):
        gatherer.add(f"p{number}", pa.table({"a": [number]}))
    for annotation in (ds.Dataset, pl.LazyFrame, duckdb.DuckDBPyRelation):
        assert len(rows(gatherer.gathered(annotation))) == 3
    assert opened == []
    batches = iter(gatherer.gathered(pa.RecordBatchReader))
    next(batches)
    assert len(opened) == 1
    next(batches)
    assert len(opened) == 2


def test_a_reader_holds_one_partition_that_is_in_no_file(gatherer: Gatherer) -> None:
    for number in range(3):
        gatherer.add(f"p{number}", pa.table({"a": [number]}), "managed")
    loads: list[str] = []
    load = gatherer.manager.load_input
    gatherer.manager.load_input = lambda context: (
        loads.append(context.partition_key),
        load(context),
    )[1]  # type: ignore[method-assign]
    batches = iter(gatherer.gathered(pa.RecordBatchReader))
    assert loads == ["p0", "p1", "p2"]  # for their columns
    next(batches)
    assert loads == ["p0", "p1", "p2", "p0"]

"""What a function sees of partitions: the values of several upstream partitions by their keys, and
the partitions of its step on the context. The plans are made by hand."""

from __future__ import annotations

import dataclasses
import pickle
import typing
from collections.abc import Collection, Iterable, Mapping, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Optional

import msgspec
import pyarrow as pa
import pytest

import assetgraph as dg
from assetgraph.definitions.annotations import EMPTY
from assetgraph.definitions.computation import Computation
from assetgraph.definitions.gathered import DICT, MAPPING, Gathered, gathered_as
from assetgraph.definitions.partitions.definition import PartitionsDefinition
from assetgraph.definitions.partitions.keys import MultiPartitionKey, PartitionKeyRange
from assetgraph.definitions.partitions.listed import StaticPartitionsDefinition
from assetgraph.definitions.partitions.multi import MultiPartitionsDefinition
from assetgraph.definitions.partitions.periods import DailyPartitionsDefinition
from assetgraph.definitions.partitions.time_window import TimeWindow
from assetgraph.errors import PartitionsError
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.keys import Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.plan import Cause, Plan, Step
from assetgraph.queries.event_text import event_text
from assetgraph.queries.run_views import run_details
from assetgraph.records import EventType, RunStatus
from assetgraph.run.executors import make
from assetgraph.run.executors.base import StepExecutor
from assetgraph.run.outcome import RunOutcome
from assetgraph.run.runner import run_plan
from assetgraph.states import EXECUTORS

DAYS = ("2023-03-01", "2023-03-02", "2023-03-03")
DAILY = DailyPartitionsDefinition("2023-03-01")
TRIPS, REPORT = dg.AssetKey("trips"), dg.AssetKey("report")


def partitioned(asset: Computation, definition: PartitionsDefinition | None) -> Computation:
    """The asset with partitions."""
    specs = (msgspec.structs.replace(asset.specs[0], partitions_def=definition),)
    return dataclasses.replace(asset, specs=specs)


def run(
    instance: dg.Instance,
    upstream: Computation,
    reader: Computation,
    *,
    keys: tuple[str, ...] = DAYS,
    definition: PartitionsDefinition | None = DAILY,
    outputs: tuple[str | None, ...] = (None,),
    reader_definition: PartitionsDefinition | None = None,
    executor: StepExecutor | None = None,
    gathered: bool = True,
) -> RunOutcome:
    """Run `upstream` for each key, and `reader`, whose parameter takes all of them."""
    upstream = partitioned(upstream, definition)
    reader = partitioned(reader, reader_definition)
    made = [Target(TRIPS, key) for key in keys]
    steps = [Step(one.text, "trips", (one,), Cause.REQUESTED) for one in made]
    last = Step(
        "report",
        "report",
        tuple(Target(REPORT, key) for key in outputs),
        Cause.REQUESTED,
        reads={"trips": tuple(made)},
        after=tuple(one.text for one in made),
        gathered=frozenset({"trips"} if gathered else ()),
    )
    graph = AssetGraph([upstream, reader])
    plan = Plan((*steps, last), {"trips": upstream, "report": reader})
    return run_plan(plan, StoreFacts(graph, instance.store), executor=executor or make("serial"))


def succeeded(outcome: RunOutcome) -> None:
    assert not outcome.errors, outcome.errors
    assert outcome.record.status is RunStatus.SUCCESS


def report(instance: dg.Instance, partition: str | None = None) -> Any:
    made, _ = instance.store.history.current(Target(REPORT, partition))
    assert made is not None
    return instance.store.values.load(made.value)


@dg.asset
def trips(context: dg.AssetExecutionContext) -> str:
    return f"trips of {context.partition_key}"


@dg.asset(name="trips")
def table_trips(context: dg.AssetExecutionContext) -> pa.Table:
    return pa.table({"day": [context.partition_key], "fare": [1.5]})


@dg.asset(name="report")
def lengths(trips: Mapping[str, str]) -> dict[str, Any]:
    assert not isinstance(trips, dict)
    return {"keys": list(trips), "first": trips["2023-03-01"], "sizes": [*map(len, trips.values())]}


@pytest.fixture(params=EXECUTORS)
def executor(request: pytest.FixtureRequest) -> StepExecutor:
    if request.param == "dask":
        return make("dask", scheduler=request.getfixturevalue("dask_scheduler"))
    return make(request.param, None if request.param == "serial" else 2)


def test_every_executor_gives_the_partitions_by_their_keys(
    instance: dg.Instance, executor: StepExecutor
) -> None:
    outcome = run(instance, trips, lengths, executor=executor)
    succeeded(outcome)
    sizes = [len(f"trips of {day}") for day in DAYS]
    expected = {"keys": list(DAYS), "first": "trips of 2023-03-01", "sizes": sizes}
    assert report(instance) == expected
    details = run_details(instance.store, outcome.record.run_id)
    loaded = [event for event in details.events if event.type is EventType.LOADED_INPUT]
    assert [event.data for event in loaded] == [{"upstream": "trips", "partitions": 3}]
    assert [event_text(event) for event in loaded] == ["Loaded 3 partitions of trips."]


def test_every_executor_gives_one_table(instance: dg.Instance, executor: StepExecutor) -> None:
    @dg.asset(name="report")
    def total(trips: pa.Table) -> dict[str, Any]:
        return trips.to_pydict()

    succeeded(run(instance, table_trips, total, executor=executor))
    assert report(instance) == {"day": list(DAYS), "fare": [1.5] * 3}


def test_a_value_is_loaded_each_time_that_it_is_looked_at(instance: dg.Instance) -> None:
    loads: list[str] = []

    class Watched(dg.IOManager):
        def handle_output(self, context: dg.OutputContext, obj: Any) -> None: ...

        def load_input(self, context: dg.InputContext) -> Any:
            loads.append(context.partition_key)
            assert context.annotation is int
            return len(loads)

    @dg.asset(io_manager=Watched())
    def trips() -> int:
        return 0

    @dg.asset(name="report")
    def looks(trips: Mapping[str, int]) -> None:
        assert loads == []
        assert len(trips) == 3
        assert list(trips) == list(trips.keys()) == list(DAYS)
        assert "2023-03-02" in trips
        assert "2023-04-01" not in trips
        assert None not in trips
        assert loads == []
        assert (trips["2023-03-03"], trips["2023-03-03"]) == (1, 2)
        assert loads == ["2023-03-03"] * 2
        assert list(trips.items()) == [("2023-03-01", 3), ("2023-03-02", 4), ("2023-03-03", 5)]
        assert trips.get("2023-04-01") is None
        with pytest.raises(KeyError, match=r"'2023-04-01' is not among <3 partitions: 2023-03-01"):
            trips["2023-04-01"]
        assert not hasattr(trips, "__setitem__")

    succeeded(run(instance, trips, looks))


def test_without_an_annotation_it_is_a_mapping_too(instance: dg.Instance) -> None:
    @dg.asset(name="report")
    def looks(trips):  # type: ignore[no-untyped-def]
        assert isinstance(trips, Mapping)
        return trips

    succeeded(run(instance, trips, looks))
    assert report(instance) == {day: f"trips of {day}" for day in DAYS}
    assert type(report(instance)) is dict
    made, _ = instance.store.history.current(Target(REPORT))
    assert made is not None
    assert made.value.format == "json"


def test_a_dict_is_a_dict(instance: dg.Instance) -> None:
    @dg.asset(name="report")
    def looks(trips: dict[str, str]) -> bool:
        trips["more"] = ""
        return type(trips) is dict

    succeeded(run(instance, trips, looks))
    assert report(instance) is True


def test_a_mapping_that_is_pickled_is_a_dict_of_its_values(instance: dg.Instance) -> None:
    @dg.asset(name="report")
    def looks(trips: Mapping[str, str]) -> bool:
        return pickle.loads(pickle.dumps(trips)) == dict(trips)

    succeeded(run(instance, trips, looks))
    assert report(instance) is True


def test_each_value_has_the_type_that_the_annotation_names(instance: dg.Instance) -> None:
    import pandas as pd

    @dg.asset(name="report")
    def looks(trips: Mapping[str, pd.DataFrame]) -> list[str]:
        return [type(frame).__name__ for frame in trips.values()]

    succeeded(run(instance, table_trips, looks))
    assert report(instance) == ["DataFrame"] * 3


def test_a_value_of_another_type_names_parameter_and_partition(instance: dg.Instance) -> None:
    @dg.asset(name="report")
    def looks(trips: Mapping[str, int]) -> int:
        return sum(trips.values())

    (error,) = run(instance, trips, looks).errors.values()
    assert error.message.startswith(
        "parameter 'trips' of asset 'report', which reads 'trips@2023-03-01': the value cannot be "
        "loaded as `int`"
    )


@pytest.mark.parametrize("annotation", [int, str, list[int], "dict[int, str]", pa.Array])
def test_an_annotation_that_cannot_hold_several_partitions_is_an_error(
    instance: dg.Instance, annotation: Any
) -> None:
    def looks(trips: Any) -> None: ...

    looks.__annotations__["trips"] = annotation
    (error,) = run(instance, trips, dg.asset(name="report")(looks)).errors.values()
    assert "parameter 'trips' of asset 'report': it reads 3 partitions of 'trips', which `" in (
        error.message
    )
    assert error.hint is not None
    assert error.hint.startswith("Annotate it `Mapping[str, ")


def test_no_partition_is_an_empty_mapping_or_none(instance: dg.Instance) -> None:
    seen: list[Any] = []

    def reads(annotation: Any, *, gathered: bool = True) -> Any:
        def looks(trips: Any) -> None:
            seen.append(trips)

        looks.__annotations__["trips"] = annotation
        asset = dg.asset(name="report")(looks)
        succeeded(run(instance, trips, asset, keys=(), gathered=gathered))
        return seen.pop()

    assert reads(dict[str, int]) == {}
    assert type(reads(dict[str, int])) is dict
    assert dict(reads(Mapping[str, int])) == {}
    assert reads(pa.Table) is None
    assert reads(int) is None
    assert reads(int, gathered=False) is None
    assert reads(dict[str, int], gathered=False) is None


def test_a_parameter_of_one_partition_gets_its_value(instance: dg.Instance) -> None:
    @dg.asset(name="report")
    def looks(trips: str) -> str:
        return trips

    succeeded(run(instance, trips, looks, keys=DAYS[:1], gathered=False))
    assert report(instance) == "trips of 2023-03-01"


def test_what_is_loaded_during_the_call_does_not_count_as_read(instance: dg.Instance) -> None:
    @dg.asset(name="trips")
    def long_trips(context: dg.AssetExecutionContext) -> str:
        return context.partition_key * 1000

    outcome = run(instance, long_trips, lengths)
    succeeded(outcome)
    made, _ = instance.store.history.current(Target(REPORT))
    assert made is not None
    assert made.observed is None


def test_no_partition_is_pruned_while_the_call_may_still_look_at_it(instance: dg.Instance) -> None:
    pruned: list[bool] = []

    @dg.asset(name="report")
    def looks(trips: Mapping[str, pa.Table]) -> None:
        for day in trips:
            lock = instance.store.reading(Target(TRIPS, day))
            pruned.append(lock.acquire())
            lock.release()

    succeeded(run(instance, table_trips, looks))
    assert pruned == [False] * 3


def test_returned_files_of_several_partitions_are_paths(
    instance: dg.Instance, folder: Path
) -> None:
    @dg.asset(name="trips")
    def file_trips(context: dg.AssetExecutionContext) -> Path:
        path = Path(f"{context.partition_key}.txt")
        path.write_text(context.partition_key)
        return path

    @dg.asset(name="report")
    def reads(trips: Mapping[str, Path]) -> list[str]:
        return [path.read_text() for path in trips.values()]

    succeeded(run(instance, file_trips, reads))
    assert report(instance) == list(DAYS)


T = typing.TypeVar("T")
_Named = typing.NewType("_Named", dict[str, int])
LAZY: list[Any] = [
    (EMPTY, EMPTY),
    (Any, EMPTY),
    (object, EMPTY),
    (Mapping, EMPTY),
    (Mapping[str, int], int),
    (typing.Mapping[str, pa.Table], pa.Table),
    (Mapping[str, int] | None, int),
    (Optional[Mapping[str, int]], int),  # noqa: UP045
    (typing.Annotated[Mapping[str, int], "more"], int),
    (int | Mapping[str, int], int),
    ("Mapping[str, pa.Table]", "pa.Table"),
    ("typing.Mapping[str, 'pa.Table'] | None", "'pa.Table'"),
    ("Optional[Mapping[str, int]]", "int"),
    ("Union[int, Mapping[str, int]]", "int"),
    ("Unknown", EMPTY),
    (Collection[str], EMPTY),
]
REAL: list[Any] = [
    (dict, EMPTY),
    (dict[str, int], int),
    (typing.Dict[str, int], int),  # noqa: UP006
    (MutableMapping[str, int], int),
    (dict[str, list[int]] | None, list[int]),
    (_Named, int),
    ("dict[str, list[int]]", "list[int]"),
    ("dict", EMPTY),
]
TABLES: list[Any] = [
    (pa.Table, "table"),
    ("pd.DataFrame", "pandas"),
    (Iterable[pa.RecordBatch], "reader"),
    (pa.Table | None, "table"),
]
NONE: list[Any] = [int, list[int], dict[int, str], "dict[int, str]", None, int | None, pa.Array]


def test_the_annotation_decides_what_holds_several_partitions() -> None:
    for annotation, item in LAZY:
        assert gathered_as(annotation) == Gathered(MAPPING, item), annotation
    for annotation, item in REAL:
        assert gathered_as(annotation) == Gathered(DICT, item), annotation
    for annotation, kind in TABLES:
        assert gathered_as(annotation) == Gathered(kind), annotation
    for annotation in NONE:
        assert gathered_as(annotation) is None, annotation


# The context.


def seen_in(
    instance: dg.Instance,
    look: Any,
    definition: PartitionsDefinition | None,
    outputs: tuple[str | None, ...],
) -> Any:
    """What `look` returns of the context of a step that makes `outputs`."""
    seen: list[Any] = []

    @dg.asset(name="report")
    def asset(context: dg.AssetExecutionContext, trips: Mapping[str, str]) -> None:
        seen.append(look(context))

    outcome = run(instance, trips, asset, outputs=outputs, reader_definition=definition)
    succeeded(outcome)
    return seen.pop()


def test_the_context_of_one_partition(instance: dg.Instance) -> None:
    def look(context: dg.AssetExecutionContext) -> None:
        assert context.partition_key == "2023-03-02"
        assert context.has_partition_key
        assert not context.has_partition_key_range
        assert context.partition_keys == ("2023-03-02",)
        assert context.partition_key_range == PartitionKeyRange("2023-03-02", "2023-03-02")
        assert context.partition_time_window == TimeWindow(
            datetime(2023, 3, 2, tzinfo=UTC), datetime(2023, 3, 3, tzinfo=UTC)
        )
        assert context.partition_time_window.start.tzinfo is not None
        assert context.asset_partition_key_for_output() == "2023-03-02"
        assert context.asset_partition_keys_for_output() == ("2023-03-02",)
        assert context.asset_partitions_def is DAILY

    seen_in(instance, look, DAILY, ("2023-03-02",))


def test_the_context_of_several_partitions(instance: dg.Instance) -> None:
    def look(context: dg.AssetExecutionContext) -> None:
        assert not context.has_partition_key
        assert context.has_partition_key_range
        assert context.partition_keys == DAYS
        assert context.partition_key_range == (DAYS[0], DAYS[-1])
        window = (datetime(2023, 3, 1, tzinfo=UTC), datetime(2023, 3, 4, tzinfo=UTC))
        assert context.partition_time_window == window
        with pytest.raises(PartitionsError, match=r"there are 3: 2023-03-01\.\.2023-03-03") as e:
            context.partition_key  # noqa: B018
        assert "context.partition_keys" in str(e.value)

    seen_in(instance, look, DAILY, DAYS)


def test_the_context_of_an_asset_that_is_not_partitioned(instance: dg.Instance) -> None:
    def look(context: dg.AssetExecutionContext) -> None:
        assert not context.has_partition_key
        assert not context.has_partition_key_range
        assert context.partition_keys == ()
        assert context.asset_partitions_def is None
        for name in ("partition_key", "partition_key_range", "partition_time_window"):
            with pytest.raises(PartitionsError, match=f"context.{name} needs a partition"):
                getattr(context, name)

    seen_in(instance, look, None, (None,))


def test_the_context_of_several_dimensions(instance: dg.Instance) -> None:
    colors = StaticPartitionsDefinition(["red", "blue"])
    definition = MultiPartitionsDefinition({"day": DAILY, "color": colors})

    def look(context: dg.AssetExecutionContext) -> None:
        key: Any = context.partition_key
        assert isinstance(key, MultiPartitionKey)
        assert key == "red|2023-03-02"
        assert key.keys_by_dimension == {"day": "2023-03-02", "color": "red"}
        window = (datetime(2023, 3, 2, tzinfo=UTC), datetime(2023, 3, 3, tzinfo=UTC))
        assert context.partition_time_window == window

    seen_in(instance, look, definition, ("red|2023-03-02",))


@pytest.mark.parametrize(
    ("definition", "key", "said"),
    [
        (StaticPartitionsDefinition(["a"]), "a", "needs windows of time"),
        (
            MultiPartitionsDefinition(
                {
                    "x": StaticPartitionsDefinition(["a"]),
                    "y": StaticPartitionsDefinition(["b"]),
                }
            ),
            "a|b",
            "x and y, not exactly one is of time",
        ),
        (
            MultiPartitionsDefinition({"x": DAILY, "y": DAILY}),
            "2023-03-01|2023-03-01",
            "x and y, not exactly one is of time",
        ),
    ],
)
def test_a_window_of_time_needs_one_dimension_of_time(
    instance: dg.Instance, definition: PartitionsDefinition, key: str, said: str
) -> None:
    def look(context: dg.AssetExecutionContext) -> None:
        with pytest.raises(PartitionsError, match=said):
            context.partition_time_window  # noqa: B018

    seen_in(instance, look, definition, (key,))


def test_the_context_says_which_partitions_of_an_upstream_are_read(instance: dg.Instance) -> None:
    def look(context: dg.AssetExecutionContext) -> None:
        assert context.asset_partition_keys_for_input("trips") == DAYS
        assert context.asset_partition_key_range_for_input("trips") == (DAYS[0], DAYS[-1])
        window = (datetime(2023, 3, 1, tzinfo=UTC), datetime(2023, 3, 4, tzinfo=UTC))
        assert context.asset_partitions_time_window_for_input("trips") == window
        with pytest.raises(PartitionsError, match="reads 3 partitions of 'trips'"):
            context.asset_partition_key_for_input("trips")
        with pytest.raises(
            PartitionsError, match=r"'report' reads no 'trps'.*Did you mean 'trips'"
        ):
            context.asset_partition_keys_for_input("trps")

    seen_in(instance, look, None, (None,))


def test_metadata_counts_for_each_partition_of_a_step(instance: dg.Instance) -> None:
    def look(context: dg.AssetExecutionContext) -> None:
        context.add_output_metadata({"rows": 5})

    seen_in(instance, look, DAILY, DAYS)
    for day in DAYS:
        made, _ = instance.store.history.current(Target(REPORT, day))
        assert made is not None
        assert made.metadata["rows"] == 5


# IO managers.


def test_an_io_manager_is_told_the_partition(instance: dg.Instance) -> None:
    told: list[tuple[Any, ...]] = []

    def tell(method: str, context: Any) -> None:
        assert context.has_partition_key
        assert context.asset_partition_key == context.partition_key
        assert context.asset_partition_keys == context.partition_keys == (context.partition_key,)
        assert context.asset_partitions_def is DAILY
        start = context.partition_time_window.start
        assert start.strftime("%Y-%m-%d") == context.partition_key
        told.append((method, context.asset_key.text, context.partition_key))

    class Telling(dg.IOManager):
        def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
            tell("handle_output", context)

        def load_input(self, context: dg.InputContext) -> Any:
            tell("load_input", context)
            return "loaded"

        def check(self, context: dg.CheckContext) -> Any:
            tell("check", context)
            return "intact"

    @dg.asset(io_manager=Telling())
    def trips() -> str:
        return ""

    @dg.asset(name="report")
    def reads(trips: Mapping[str, str]) -> list[str]:
        return list(trips.values())

    upstream = partitioned(trips, DAILY)
    succeeded(run(instance, trips, reads, keys=DAYS[:1]))
    assert report(instance) == ["loaded"]
    assert ("handle_output", "trips", "2023-03-01") in told
    assert ("load_input", "trips", "2023-03-01") in told

    told.clear()
    facts = StoreFacts(AssetGraph([upstream]), instance.store)
    assert facts.of(Target(TRIPS, "2023-03-01")).current is not None
    assert told == [("check", "trips", "2023-03-01")]


def test_an_io_manager_of_an_asset_without_partitions_has_none(instance: dg.Instance) -> None:
    told: list[Any] = []

    class Telling(dg.IOManager):
        def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
            told.append((context.has_partition_key, context.partition_keys))

        def load_input(self, context: dg.InputContext) -> Any:
            told.append((context.has_partition_key, context.partition_keys))
            with pytest.raises(PartitionsError, match="needs a partition"):
                context.partition_key  # noqa: B018

    @dg.asset(io_manager=Telling())
    def base() -> int:
        return 1

    @dg.asset
    def reads(base: int) -> None: ...

    dg.materialize([base, reads], instance=instance)
    assert told == [(False, ()), (False, ())]

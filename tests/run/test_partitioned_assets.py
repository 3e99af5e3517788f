"""Assets that read several partitions, as a person writes them: annotations, a column of keys, and an
asset that reads its own partition of the day before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest

import assetgraph as dg
from assetgraph.keys import Target
from assetgraph.planning.facts import StoreFacts

DAYS = ("2023-03-01", "2023-03-02", "2023-03-03")
DAILY = dg.DailyPartitionsDefinition("2023-03-01", end_date="2023-03-04")
ALL = "2023-03-01..2023-03-03"


@dg.asset(partitions_def=DAILY)
def trips(context: dg.AssetExecutionContext) -> pa.Table:
    return pa.table({"fare": [float(context.partition_key[-2:])]})


@dg.asset
def unpartitioned() -> pa.Table:
    return pa.table({"fare": [1.0]})


def value(instance: dg.Instance, name: str, partition: str | None = None) -> Any:
    made, _ = instance.store.history.current(Target(dg.AssetKey(name), partition))
    assert made is not None
    return instance.store.values.load(made.value)


def made_from_trips(instance: dg.Instance, reader: dg.Asset) -> Any:
    dg.materialize([trips], instance=instance, partitions=ALL)
    dg.materialize([trips, reader], instance=instance, selection=reader.key.text)
    return value(instance, reader.key.text)


def test_a_report_reads_one_table_of_all_days(instance: dg.Instance) -> None:
    @dg.asset
    def report(trips: pa.Table) -> dict[str, Any]:
        return trips.to_pydict()

    assert made_from_trips(instance, report) == {"fare": [1.0, 2.0, 3.0]}


def test_the_keys_are_a_column_if_that_is_asked_for(instance: dg.Instance) -> None:
    @dg.asset(ins={"trips": dg.AssetIn(partition_column="day")})
    def report(trips: pa.Table) -> dict[str, Any]:
        return trips.to_pydict()

    assert made_from_trips(instance, report) == {"fare": [1.0, 2.0, 3.0], "day": list(DAYS)}


def test_a_table_of_one_partition_has_the_column_too(instance: dg.Instance) -> None:
    @dg.asset(partitions_def=DAILY, ins={"trips": dg.AssetIn(partition_column="day")})
    def daily(trips: pa.Table) -> dict[str, Any]:
        return trips.to_pydict()

    dg.materialize([trips, daily], instance=instance, partition_key=DAYS[1])
    assert value(instance, "daily", DAYS[1]) == {"fare": [2.0], "day": [DAYS[1]]}


def test_an_annotation_may_be_text(instance: dg.Instance) -> None:
    def report(trips: Any) -> int:
        return int(trips.num_rows)

    report.__annotations__["trips"] = "pa.Table | None"
    assert made_from_trips(instance, dg.asset(report)) == 3


def test_each_day_adds_to_the_day_before(instance: dg.Instance) -> None:
    before = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)

    @dg.asset(partitions_def=DAILY, ins={"total": dg.AssetIn(partition_mapping=before)})
    def total(total: float | None, trips: pa.Table) -> float:
        return (total or 0.0) + sum(trips["fare"].to_pylist())

    dg.materialize([trips, total], instance=instance, partitions=ALL)
    assert [value(instance, "total", day) for day in DAYS] == [1.0, 3.0, 6.0]


def test_what_came_before_the_first_day_is_an_empty_mapping(instance: dg.Instance) -> None:
    before = dg.TimeWindowPartitionMapping(start_offset=-2, end_offset=-1)

    @dg.asset(partitions_def=DAILY, ins={"count": dg.AssetIn(partition_mapping=before)})
    def count(count: Mapping[str, int]) -> int:
        return len(count)

    dg.materialize([count], instance=instance, partitions=ALL)
    assert [value(instance, "count", day) for day in DAYS] == [0, 1, 2]


@pytest.mark.parametrize(
    ("annotation", "column", "said"),
    [
        (int, None, r"may read several partitions of 'trips'.*Annotate it `Mapping\[str, int\]`"),
        ("list[int]", None, r"may read several partitions of 'trips'"),
        (dict[int, int], None, r"may read several partitions of 'trips'"),
        (dict[str, pa.Table], "day", r"has a partition_column, which only a table"),
        (Mapping[str, int], None, r"annotated `int`, but its upstream is annotated `-> pyarrow"),
    ],
)
def test_an_annotation_that_does_not_fit_is_a_definition_error(
    annotation: Any, column: str | None, said: str
) -> None:
    def report(trips: Any) -> None: ...

    report.__annotations__["trips"] = annotation
    reader = dg.asset(ins={"trips": dg.AssetIn(partition_column=column)})(report)
    (problem,) = dg.AssetGraph([trips, reader]).validate()
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(str(problem))


def test_a_column_of_keys_needs_partitions() -> None:
    @dg.asset(ins={"unpartitioned": dg.AssetIn(partition_column="day")})
    def report(unpartitioned: pa.Table) -> None: ...

    (problem,) = dg.AssetGraph([unpartitioned, report]).validate()
    assert "has a partition_column, but 'unpartitioned' has no partitions" in problem.message


def test_what_one_call_of_several_partitions_returns_fits_each_reader() -> None:
    @dg.asset(partitions_def=DAILY, backfill_policy=dg.BackfillPolicy.single_run())
    def made(context: dg.AssetExecutionContext) -> dict[str, int]:
        return dict.fromkeys(context.partition_keys, 1)

    @dg.asset(partitions_def=DAILY)
    def fits(made: int) -> None: ...

    @dg.asset(partitions_def=DAILY)
    def clashes(made: str) -> None: ...

    assert dg.AssetGraph([made, fits]).validate() == ()
    (problem,) = dg.AssetGraph([made, clashes]).validate()
    assert "annotated `str`, but its upstream is annotated `-> int`" in problem.message


@pytest.mark.parametrize("partitions", [ALL, f"{DAYS[0]}..{DAYS[0]}"])
def test_a_call_that_may_make_several_partitions_gets_theirs_by_key_even_if_it_makes_one(
    instance: dg.Instance, partitions: str
) -> None:
    @dg.asset(partitions_def=DAILY, backfill_policy=dg.BackfillPolicy.single_run())
    def fares(context: dg.AssetExecutionContext, trips: Mapping[str, pa.Table]) -> dict[str, Any]:
        assert tuple(trips) == context.partition_keys
        return {key: table["fare"].to_pylist() for key, table in trips.items()}

    dg.materialize([trips, fares], instance=instance, partitions=partitions)
    assert value(instance, "fares", DAYS[0]) == [1.0]


def test_one_value_for_a_call_that_may_make_several_partitions_is_a_definition_error() -> None:
    @dg.asset(partitions_def=DAILY, backfill_policy=dg.BackfillPolicy.single_run())
    def fares(trips: int) -> None: ...

    (problem,) = dg.AssetGraph([trips, fares]).validate()
    assert "may read several partitions of 'trips'" in problem.message


def test_a_partition_key_is_one_partition_and_never_a_range(instance: dg.Instance) -> None:
    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]))
    def letters() -> int:
        return 1

    with pytest.raises(
        dg.PartitionsError,
        match=r"there is no partition 'a\.\.b'",
    ):
        dg.materialize([letters], instance=instance, partition_key="a..b")


def test_a_named_partition_alone_runs_for_what_depends_on_all_without_loading_them(
    instance: dg.Instance,
) -> None:
    feed = dg.AssetSpec("feed")

    @dg.asset(deps=[trips, feed])
    def database() -> None: ...

    @dg.asset
    def report(trips: pa.Table) -> int:
        return trips.num_rows

    def ran(*assets: Any, **asked: Any) -> list[str]:
        done = dg.materialize([trips, feed, *assets], instance=instance, **asked)
        return [event.step_key for event in done.get_step_success_events()]

    assert ran(database, partition_key=DAYS[0]) == [f"trips@{DAYS[0]}", "database"]
    facts = StoreFacts(dg.Definitions([trips, feed, database]).graph, instance.store)
    (why,) = facts.target_states([Target(database.key)]).values()
    missing = f"upstream trips is missing in 2 of 3 partitions: {DAYS[1]}..{DAYS[2]}"
    assert missing in [reason.text for reason in why.reasons]
    assert ran(database, partition_key=DAYS[1], selection="trips") == [f"trips@{DAYS[1]}"]
    assert ran(report, partition_key=DAYS[0]) == [f"trips@{DAYS[0]}", f"trips@{DAYS[2]}", "report"]
    made = facts.of(Target(database.key)).current
    assert made is not None
    assert ran(database, selection="database") == ["database"]

"""Partitioned runs through the public names, as Dagster's users know them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

import assetgraph as dg

DAYS = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-15")
COLORS = dg.StaticPartitionsDefinition(["red", "blue"])


def read_by(
    instance: dg.Instance,
    upstream: dg.PartitionsDefinition,
    downstream: dg.PartitionsDefinition | None,
    mapping: dg.PartitionMapping | None,
) -> Callable[..., Any]:
    """Materializes all partitions of an asset, and then says what a partition of its reader loads."""

    @dg.asset(partitions_def=upstream)
    def up(context: dg.AssetExecutionContext) -> str:
        return context.partition_key

    @dg.asset(partitions_def=downstream, ins={"up": dg.AssetIn(partition_mapping=mapping)})
    def down(up: Any) -> Any:
        return dict(up) if isinstance(up, Mapping) else up

    dg.materialize([up], instance=instance, partitions="*")

    def reads(key: str | None = None) -> Any:
        run = dg.materialize([up, down], instance=instance, selection="down", partition_key=key)
        assert run.success
        return run.value("down")

    return reads


def test_a_run_of_one_partition(instance: dg.Instance) -> None:
    seen: list[dg.AssetExecutionContext] = []

    @dg.asset(partitions_def=DAYS)
    def trips(context: dg.AssetExecutionContext) -> str:
        assert context.partition_key == "2024-01-02"
        assert context.has_partition_key
        assert list(context.partition_keys) == ["2024-01-02"]
        window = context.partition_time_window
        assert window.start == datetime(2024, 1, 2, tzinfo=UTC)
        assert window.end == datetime(2024, 1, 3, tzinfo=UTC)
        seen.append(context)
        return context.partition_key

    run = dg.materialize([trips], instance=instance, partition_key="2024-01-02")
    assert len(seen) == 1
    assert run.output_for_node("trips") == "2024-01-02"
    assert run.materialization("trips").partition == "2024-01-02"
    assert run.outcome.record.tags["dagster/partition"] == "2024-01-02"
    assert instance.get_materialized_partitions("trips") == {"2024-01-02"}


def test_a_key_that_is_not_there_or_not_needed(instance: dg.Instance) -> None:
    @dg.asset(partitions_def=COLORS)
    def paints() -> None: ...

    @dg.asset
    def brushes() -> None: ...

    with pytest.raises(dg.PartitionsError, match=r"'rad'.*Did you mean 'red'"):
        dg.materialize([paints], instance=instance, partition_key="rad")
    with pytest.raises(dg.PartitionsError, match="brushes has no partitions"):
        dg.materialize([brushes], instance=instance, partition_key="red")
    with pytest.raises(dg.AssetGraphError, match=r"2 partitions, red\.\.blue: say which"):
        dg.materialize([paints], instance=instance)
    assert dg.materialize([paints, brushes], instance=instance, partition_key="red").success


def test_an_asset_without_partitions_gets_a_mapping_of_all(instance: dg.Instance) -> None:
    assert read_by(instance, COLORS, None, None)() == {"red": "red", "blue": "blue"}


def test_a_partition_that_was_never_made_is_made_first(instance: dg.Instance) -> None:
    @dg.asset(partitions_def=COLORS)
    def paints(context: dg.AssetExecutionContext) -> str:
        return context.partition_key * 2

    @dg.asset
    def wall(paints: dict[str, str]) -> dict[str, str]:
        return paints

    dg.materialize([paints], instance=instance, partition_key="red")
    run = dg.materialize([paints, wall], instance=instance, selection="wall")
    assert run.outcome.record.step_ids == ("paints@blue", "wall")
    assert run.value("wall") == {"red": "redred", "blue": "blueblue"}
    assert instance.get_materialized_partitions("paints") == {"red", "blue"}


@pytest.mark.parametrize(
    ("upstream", "downstream", "key", "read"),
    [
        (
            dg.HourlyPartitionsDefinition("2024-01-01-00:00", end_date="2024-01-04-00:00"),
            dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-04"),
            "2024-01-02",
            [f"2024-01-02-{hour:02}:00" for hour in range(24)],
        ),
        (
            dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-04"),
            dg.HourlyPartitionsDefinition("2024-01-01-00:00", end_date="2024-01-04-00:00"),
            "2024-01-02-05:00",
            "2024-01-02",
        ),
        (
            DAYS,
            dg.WeeklyPartitionsDefinition("2024-01-01", end_date="2024-01-15"),
            "2024-01-07",
            [f"2024-01-{day:02}" for day in range(7, 14)],
        ),
        (DAYS, DAYS, "2024-01-02", "2024-01-02"),
    ],
    ids=["hours of a day", "the day of an hour", "days of a week", "the same"],
)
def test_windows_of_time_read_those_that_overlap(
    instance: dg.Instance,
    upstream: dg.PartitionsDefinition,
    downstream: dg.PartitionsDefinition,
    key: str,
    read: Any,
) -> None:
    found = read_by(instance, upstream, downstream, None)(key)
    assert (list(found) if isinstance(found, dict) else found) == read


def test_an_offset_reads_the_day_before_and_nothing_on_the_first(instance: dg.Instance) -> None:
    reads = read_by(instance, DAYS, DAYS, dg.TimeWindowPartitionMapping(-1, -1))
    assert reads("2024-01-03") == "2024-01-02"
    assert reads("2024-01-01") is None


def test_several_days_are_a_mapping_also_where_there_is_only_one(instance: dg.Instance) -> None:
    reads = read_by(instance, DAYS, DAYS, dg.TimeWindowPartitionMapping(start_offset=-2))
    assert list(reads("2024-01-05")) == ["2024-01-03", "2024-01-04", "2024-01-05"]
    assert reads("2024-01-01") == {"2024-01-01": "2024-01-01"}


@pytest.mark.parametrize(
    ("mapping", "read"),
    [
        (dg.LastPartitionMapping(), "blue"),
        (dg.AllPartitionMapping(), {"red": "red", "blue": "blue"}),
        (dg.SpecificPartitionsPartitionMapping(["red"]), "red"),
    ],
    ids=["last", "all", "specific"],
)
def test_what_an_asset_without_partitions_reads(
    instance: dg.Instance, mapping: dg.PartitionMapping, read: Any
) -> None:
    assert read_by(instance, COLORS, None, mapping)() == read


def test_a_table_of_keys(instance: dg.Instance) -> None:
    above = dg.StaticPartitionsDefinition(["p1", "p2", "p3"])
    below = dg.StaticPartitionsDefinition(["d1", "d2", "d3"])
    mapping = dg.StaticPartitionMapping({"p1": "d1", "p2": {"d2", "d3"}, "p3": ["d2"]})
    reads = read_by(instance, above, below, mapping)
    assert list(reads("d2")) == ["p2", "p3"]
    assert list(reads("d1")) == ["p1"]


def test_a_table_of_keys_that_are_not_there_is_refused(instance: dg.Instance) -> None:
    with pytest.raises(dg.AssetGraphError, match="names the partition 'green'"):
        read_by(instance, COLORS, COLORS, dg.StaticPartitionMapping({"green": "red"}))("red")


def test_each_dimension_has_its_own_mapping(instance: dg.Instance) -> None:
    both = dg.MultiPartitionsDefinition({"color": COLORS, "day": DAYS})
    mapping = dg.MultiPartitionMapping(
        {
            "color": dg.DimensionPartitionMapping("color", dg.IdentityPartitionMapping()),
            "day": dg.DimensionPartitionMapping("day", dg.TimeWindowPartitionMapping(-1, -1)),
        }
    )
    assert read_by(instance, both, both, mapping)("red|2024-01-05") == "red|2024-01-04"


@pytest.mark.parametrize(
    "key", ["red|2024-01-02", dg.MultiPartitionKey({"day": "2024-01-02", "color": "red"})]
)
def test_a_run_of_one_partition_of_several_dimensions(instance: dg.Instance, key: str) -> None:
    both = dg.MultiPartitionsDefinition({"day": DAYS, "color": COLORS})

    @dg.asset(partitions_def=both)
    def sales(context: dg.AssetExecutionContext) -> dict[str, str]:
        partition: Any = context.partition_key
        window = context.partition_time_window
        assert window.start == datetime(2024, 1, 2, tzinfo=UTC)
        assert window.end == datetime(2024, 1, 3, tzinfo=UTC)
        return dict(partition.keys_by_dimension)

    run = dg.materialize([sales], instance=instance, partition_key=key)
    assert run.value("sales") == {"color": "red", "day": "2024-01-02"}
    assert run.outcome.record.tags == {
        "dagster/partition": "red|2024-01-02",
        "dagster/partition/color": "red",
        "dagster/partition/day": "2024-01-02",
    }


def test_a_dynamic_key_is_added_before_it_is_run(instance: dg.Instance) -> None:
    @dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="customers"))
    def bills(context: dg.AssetExecutionContext) -> str:
        return context.partition_key

    with pytest.raises(dg.PartitionsError, match="'ann'"):
        dg.materialize([bills], instance=instance, partition_key="ann")
    instance.add_dynamic_partitions("customers", ["ann"])
    run = dg.materialize([bills], instance=instance, partition_key="ann")
    assert run.value("bills") == "ann"
    instance.delete_dynamic_partition("customers", "ann")
    with pytest.raises(dg.PartitionsError, match="'ann'"):
        dg.materialize([bills], instance=instance, partition_key="ann")


def test_one_call_makes_a_range(instance: dg.Instance) -> None:
    assert dg.BackfillPolicy.single_run().max_partitions_per_run is None
    assert dg.BackfillPolicy.multi_run().max_partitions_per_run == 1
    calls: list[tuple[str, ...]] = []

    @dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
    def trips(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        calls.append(tuple(context.partition_keys))
        assert context.partition_key_range == dg.PartitionKeyRange("2024-01-01", "2024-01-03")
        window = context.partition_time_window
        assert window.start == datetime(2024, 1, 1, tzinfo=UTC)
        assert window.end == datetime(2024, 1, 4, tzinfo=UTC)
        with pytest.raises(dg.PartitionsError, match="there are 3"):
            context.partition_key  # noqa: B018
        return dg.MaterializeResult(metadata={"rows": 5})

    run = dg.materialize([trips], instance=instance, partitions="2024-01-01..2024-01-03")
    days = ("2024-01-01", "2024-01-02", "2024-01-03")
    assert calls == [days]
    made = [run.materialization("trips", partition_key=day) for day in days]
    assert [one.partition for one in made] == list(days)
    assert [one.metadata["rows"] for one in made] == [5, 5, 5]
    assert run.outcome.record.tags == {
        "dagster/asset_partition_range_start": "2024-01-01",
        "dagster/asset_partition_range_end": "2024-01-03",
    }

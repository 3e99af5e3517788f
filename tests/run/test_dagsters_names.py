"""What Dagster calls the results of a run, and what an instance knows, as its users' tests ask."""

from __future__ import annotations

from pathlib import Path

import pytest

import assetgraph as dg


@dg.asset(key_prefix="raw")
def orders() -> dg.MaterializeResult:
    return dg.MaterializeResult(
        value=[1, 2], metadata={"rows": 2, "note": dg.MetadataValue.md("x")}
    )


@dg.asset
def total(orders: list[int]) -> int:
    return sum(orders)


def test_a_result_names_steps_as_dagster_does() -> None:
    result = dg.materialize([orders, total])
    assert result.output_for_node("raw__orders") == [1, 2]
    assert result.output_for_node("total") == result.asset_value("total") == 3
    assert result.asset_value(dg.AssetKey(["raw", "orders"])) == [1, 2]
    with pytest.raises(dg.AssetGraphError, match="there is no asset 'orders'"):
        result.output_for_node("orders")
    (made,) = result.asset_materializations_for_node("raw__orders")
    assert made.asset_key == orders.key
    assert {name: one.value for name, one in made.metadata.items()} == {"rows": 2, "note": "x"}
    assert made.tags["dagster/data_version"]


def test_a_result_lists_the_events_of_its_steps() -> None:
    @dg.asset(name="total")
    def failing(orders: list[int]) -> int:
        raise ValueError("no total")

    @dg.asset
    def report(total: int) -> str:
        return str(total)

    result = dg.materialize([orders, failing, report], raise_on_error=False)
    made = result.get_asset_materialization_events()
    assert [(event.asset_key, event.step_key) for event in made] == [(orders.key, "raw/orders")]
    assert [event.step_key for event in result.get_step_success_events()] == ["raw/orders"]
    assert [event.step_key for event in result.get_step_skipped_events()] == ["report"]
    (failure,) = result.get_step_failure_events()
    assert (failure.step_key, failure.error) == ("total", "ValueError: no total")
    assert failure.is_step_failure


def test_a_materialization_of_a_partition_names_it(tmp_path: Path) -> None:
    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]))
    def parts(context: dg.AssetExecutionContext) -> str:
        context.add_output_metadata({"of": context.partition_key})
        return context.partition_key

    instance = dg.DagsterInstance(tmp_path / "store")
    result = dg.materialize([parts], partition_key="b", instance=instance)
    (made,) = result.asset_materializations_for_node("parts")
    assert (made.partition, made.tags["dagster/partition"]) == ("b", "b")
    entry = instance.get_latest_materialization_event("parts")
    assert entry is not None
    assert (entry.run_id, entry.partition_key) == (result.run_id, "b")
    assert entry.asset_materialization.metadata["of"].value == "b"


def test_an_instance_knows_runs_and_the_last_materialization() -> None:
    instance = dg.DagsterInstance.ephemeral()
    assert instance.get_latest_materialization_event(orders.key) is None
    assert instance.get_run_by_id("20260101-000000-abcdef") is None
    first = dg.materialize([orders], instance=instance, tags={"team": "sales"})
    run = instance.get_run_by_id(first.run_id)
    assert run is not None
    assert (run.status, run.tags["team"]) == (dg.DagsterRunStatus.SUCCESS, "sales")
    dg.materialize([orders], instance=instance)
    second = dg.materialize([orders], instance=instance)
    entry = instance.get_latest_materialization_event(orders)
    assert entry is not None
    assert (entry.run_id, entry.asset_key) == (second.run_id, orders.key)


def test_errors_are_caught_by_dagsters_names() -> None:
    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a"]))
    def parts(context: dg.AssetExecutionContext) -> str:
        return context.partition_key

    with pytest.raises(dg.DagsterUnknownPartitionError):
        dg.materialize([parts], partition_key="x")
    with pytest.raises(dg.DagsterInvalidSubsetError):
        dg.materialize([orders], selection="nothing")
    with pytest.raises(dg.DagsterInvalidDefinitionError):
        dg.materialize([total])
    with pytest.raises(dg.DagsterInvalidDefinitionError):
        dg.MonthlyPartitionsDefinition("2023-01-01", timezone="Nowhere")
    with pytest.raises(dg.DagsterInvariantViolationError):
        dg.materialize([orders, total], selection=orders).asset_value("total")

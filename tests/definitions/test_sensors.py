"""Sensors: what they are made of, and what a tick of one asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import assetgraph as dg

JOB, OTHER = dg.define_asset_job("j", "a"), dg.define_asset_job("k", "b")
EMPTY = "Sensor function returned an empty result"


def tick(sensor: dg.SensorDefinition, **given: Any) -> Any:
    return sensor.evaluate_tick(dg.build_sensor_context(**given))


def test_a_sensor_holds_what_it_is_given() -> None:
    @dg.sensor(job=JOB)
    def look(context: dg.SensorEvaluationContext) -> None:
        """Look for files."""

    assert (look.name, look.job, look.minimum_interval_seconds) == ("look", JOB, 30)
    assert look.default_status is dg.DefaultSensorStatus.STOPPED
    assert look.description == "Look for files."

    @dg.sensor(name="named", target=["a", "b"], minimum_interval_seconds=5)
    def other() -> None: ...

    assert (other.name, other.minimum_interval_seconds) == ("named", 5)
    assert other.job.selection == dg.AssetSelection.assets("a", "b")
    for wrong in ({"name": "a b"}, {"job": JOB, "target": "a"}, {"jobs": ["j"]}, {"job": "j"},
                  {"minimum_interval_seconds": -1}, {"default_status": True}):  # fmt: skip
        with pytest.raises(dg.DagsterInvalidDefinitionError):
            dg.sensor(**wrong)(lambda: None)  # type: ignore[arg-type]


def test_a_sensor_is_called_as_its_function_with_a_context_or_without() -> None:
    @dg.sensor(job=JOB)
    def yields(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest]:
        yield dg.RunRequest(run_key=context.cursor)

    @dg.sensor(job=JOB)
    def returns() -> dg.SkipReason:
        return dg.SkipReason("no files")

    context = dg.build_sensor_context(cursor="c")
    assert yields(context).__next__() == dg.RunRequest(run_key="c")
    assert returns() == returns(context) == dg.SkipReason("no files")


def test_a_tick_asks_for_runs_or_says_why_not() -> None:
    @dg.sensor(job=JOB, tags={"a": "b"})
    def asks(context: dg.SensorEvaluationContext, files: list[str]) -> Iterator[dg.RunRequest]:
        for name in files:
            yield dg.RunRequest(run_key=name, partition_key=name)

    found = tick(asks, resources={"files": ["x", "y"]})
    assert [one.run_key for one in found.run_requests] == ["x", "y"]
    assert found.run_requests[0].tags == {"a": "b", "dagster/sensor_name": "asks"}
    assert found.skip_message is None
    nothing = tick(asks, resources={"files": []})
    assert (nothing.run_requests, nothing.skip_message) == ([], EMPTY)
    with pytest.raises(dg.DagsterInvariantViolationError, match="needs 'files'"):
        tick(asks)


@pytest.mark.parametrize(
    "returned",
    [
        [dg.RunRequest(), dg.SkipReason("x")],
        [dg.SensorResult(), dg.RunRequest()],
        [dg.SkipReason("x"), dg.SkipReason("y")],
        5,
        [5],
        dg.RunRequest(job_name="nothing"),
    ],
)
def test_what_a_sensor_may_not_return(returned: object) -> None:
    sensor = dg.sensor(job=JOB, name="s")(lambda context: returned)
    with pytest.raises(dg.DagsterInvariantViolationError):
        tick(sensor)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"run_requests": ["x"]}, "run_requests of a SensorResult has a str: 'x'"),
        ({"run_requests": dg.RunRequest("x")}, "Write \\[RunRequest"),
        ({"cursor": 3}, "cursor of a SensorResult has an int: 3"),
        ({"skip_reason": 3}, "skip_reason of a SensorResult has an int: 3"),
    ],
)
def test_a_wrong_part_of_a_result_is_an_error_at_once(given: Any, message: str) -> None:
    with pytest.raises(dg.DagsterInvariantViolationError, match=message):
        dg.SensorResult(**given)


def test_the_contexts_of_a_test_are_also_written_with_with() -> None:
    with dg.build_sensor_context(cursor="c") as context, dg.build_schedule_context() as other:
        assert (context.cursor, context.given_resources) == ("c", other.given_resources)
    with dg.build_asset_context(partition_key="k") as asset, dg.build_asset_check_context():
        assert asset.partition_key == "k"


def test_the_tags_of_a_request_go_before_those_of_its_sensor() -> None:
    @dg.sensor(job=JOB, tags={"a": "sensor", "b": "sensor"})
    def asks() -> dg.RunRequest:
        return dg.RunRequest(tags={"a": "request", "dagster/sensor_name": "another"})

    (request,) = tick(asks).run_requests
    assert request.tags == {"a": "request", "b": "sensor", "dagster/sensor_name": "asks"}


def test_of_several_jobs_a_request_says_which() -> None:
    def made(request: dg.RunRequest) -> Any:
        @dg.sensor(jobs=[JOB, OTHER])
        def look() -> dg.RunRequest:
            return request

        return tick(look)

    assert made(dg.RunRequest(job_name="k")).run_requests[0].job_name == "k"
    with pytest.raises(dg.DagsterInvariantViolationError, match="does not say of which job"):
        made(dg.RunRequest())


def test_a_cursor_is_set_in_one_of_two_ways() -> None:
    @dg.sensor(job=JOB)
    def result(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return dg.SensorResult([dg.RunRequest()], cursor=f"{context.cursor}+")

    @dg.sensor(job=JOB)
    def update(context: dg.SensorEvaluationContext) -> None:
        context.update_cursor("2")

    @dg.sensor(job=JOB)
    def both(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        context.update_cursor("3")
        return dg.SensorResult(cursor="4")

    @dg.sensor(job=JOB)
    def neither() -> dg.SensorResult:
        return dg.SensorResult(skip_reason="none")

    assert tick(result).cursor == "None+"
    assert tick(update, cursor="1").cursor == "2"
    assert tick(neither, cursor="1").cursor == "1"
    assert tick(neither).skip_message == "none"
    with pytest.raises(dg.DagsterInvariantViolationError, match="cursor twice"):
        tick(both)
    with pytest.raises(dg.DagsterInvariantViolationError):
        dg.SensorResult([dg.RunRequest()], skip_reason="none")


def test_a_result_may_add_and_delete_partitions() -> None:
    files = dg.DynamicPartitionsDefinition(name="files")
    add, delete = files.build_add_request(["a"]), files.build_delete_request(["b"])

    @dg.sensor(job=JOB)
    def look() -> dg.SensorResult:
        return dg.SensorResult(
            run_requests=[dg.RunRequest(partition_key="a")],
            dynamic_partitions_requests=[add, delete],
        )

    assert tick(look).dynamic_partitions_requests == [add, delete]


@dg.asset
def orders() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"rows": 3})


def test_an_asset_sensor_gets_the_newest_materialization_once() -> None:
    @dg.asset_sensor(asset_key=dg.AssetKey("orders"), job=JOB)
    def fresh(context: dg.SensorEvaluationContext, asset_event: Any) -> dg.RunRequest:
        rows = asset_event.asset_materialization.metadata["rows"].value
        return dg.RunRequest(run_key=f"{asset_event.run_id} {rows}")

    instance = dg.Instance.ephemeral()
    first = tick(fresh, instance=instance)
    assert first.skip_message == "No new materialization events found for asset key orders"
    dg.materialize([orders], instance=instance)
    last = dg.materialize([orders], instance=instance)
    second = tick(fresh, instance=instance, cursor=first.cursor)
    assert [one.run_key for one in second.run_requests] == [f"{last.run_id} 3"]
    third = tick(fresh, instance=instance, cursor=second.cursor)
    assert third.run_requests == []
    assert third.cursor == second.cursor
    with pytest.raises(dg.DagsterInvariantViolationError, match="no instance"):
        tick(fresh)

    @dg.asset_sensor(asset_key="orders", job=JOB)
    def moves(context: dg.SensorEvaluationContext, asset_event: Any) -> None:
        context.update_cursor("mine")

    @dg.asset_sensor(asset_key="orders", job=JOB)
    def returns(context: dg.SensorEvaluationContext, asset_event: Any) -> dg.SensorResult:
        return dg.SensorResult(cursor="mine")

    for sets in (moves, returns):
        with pytest.raises(dg.DagsterInvariantViolationError, match="sets its cursor"):
            tick(sets, instance=instance)


def test_a_sensor_of_runs_is_told_of_the_run() -> None:
    @dg.run_status_sensor(run_status=dg.DagsterRunStatus.SUCCESS)
    def done(context: dg.RunStatusSensorContext) -> str:
        return f"{context.dagster_run.status} {context.dagster_event.event_type_value}"

    instance = dg.Instance.ephemeral()
    result = dg.materialize([orders], instance=instance)
    context = dg.build_run_status_sensor_context(
        sensor_name="done",
        dagster_event=result.get_job_success_event(),
        dagster_instance=instance,
        dagster_run=result.dagster_run,
    )
    assert done(context) == "SUCCESS PIPELINE_SUCCESS"
    assert context.partition_key is None
    context.dagster_run.tags["dagster/partition"] = "k"
    assert context.partition_key == "k"
    with pytest.raises(dg.DagsterInvariantViolationError):
        result.get_run_failure_event()


def test_a_sensor_of_failures_is_told_of_the_failed_steps() -> None:
    @dg.asset
    def fails() -> None:
        raise ValueError("no data")

    @dg.run_failure_sensor
    def failed(context: dg.RunFailureSensorContext) -> str:
        (step,) = context.get_step_failure_events()
        return f"{context.failure_event.event_type_value} {step.step_key} {step.error}"

    instance = dg.Instance.ephemeral()
    result = dg.materialize([fails], instance=instance, raise_on_error=False)
    context = dg.build_run_status_sensor_context(
        "failed", result.get_job_failure_event(), instance, result.dagster_run
    ).for_run_failure()
    assert failed(context) == "PIPELINE_FAILURE fails ValueError: no data"
    assert failed.run_status is dg.DagsterRunStatus.FAILURE

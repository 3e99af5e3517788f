"""Schedules: what they are made of, and what a tick of one asks for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import assetgraph as dg

JOB = dg.define_asset_job("j", "a")
AT = datetime(2021, 5, 8, tzinfo=UTC)


def tick(schedule: dg.ScheduleDefinition, at: datetime = AT, **resources: Any) -> Any:
    return schedule.evaluate_tick(
        dg.build_schedule_context(scheduled_execution_time=at, resources=resources)
    )


def test_a_schedule_has_the_name_of_its_job_and_is_off() -> None:
    schedule = dg.ScheduleDefinition(job=JOB, cron_schedule="0 5 * * *")
    assert (schedule.name, schedule.job, schedule.job_name) == ("j_schedule", JOB, "j")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 5 * * *", None)
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    assert schedule == dg.ScheduleDefinition(job=JOB, cron_schedule="0 5 * * *")
    assert schedule != dg.ScheduleDefinition(job=JOB, cron_schedule="0 6 * * *")
    assert dg.ScheduleDefinition(job=JOB, cron_schedule="@daily").cron_schedule == "@daily"
    several = dg.ScheduleDefinition(job=JOB, cron_schedule=["0 5 * * *", "@weekly"])
    assert several.cron_schedule == ["0 5 * * *", "@weekly"]
    target = dg.ScheduleDefinition("x", "@daily", target=dg.AssetSelection.keys("a"))
    assert target.job is not None
    assert target.job.selection == dg.AssetSelection.assets("a")


@pytest.mark.parametrize(
    "wrong",
    [
        {"cron_schedule": "0 5 * *"},
        {"cron_schedule": "0 0 31 2 *"},
        {"cron_schedule": "99 5 * * *"},
        {"cron_schedule": ["0 5 * * *", "x"]},
        {"cron_schedule": []},
        {"cron_schedule": 5},
        {"execution_timezone": "Nowhere/City"},
        {"execution_timezone": 5},
        {"job": None},
        {"job": "j"},
        {"target": "a"},
        {"name": "a b"},
        {"default_status": "RUNNING"},
    ],
)
def test_a_wrong_schedule_is_an_error_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(dg.DagsterInvalidDefinitionError):
        dg.ScheduleDefinition(**{"job": JOB, "cron_schedule": "@daily", **wrong})


def test_a_schedule_of_a_target_needs_a_name() -> None:
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="has a target, but no name"):
        dg.ScheduleDefinition(target=["a"], cron_schedule="@daily")


def test_a_tick_asks_for_a_run_with_the_config_and_the_tags_of_the_schedule() -> None:
    schedule = dg.ScheduleDefinition(
        job=JOB, cron_schedule="@daily", run_config={"ops": {}}, tags={"a": "b"}
    )
    (request,) = tick(schedule).run_requests
    assert request.run_config == {"ops": {}}
    assert request.tags == {"a": "b", "dagster/schedule_name": "j_schedule"}


def test_the_config_of_a_request_is_plain() -> None:
    class Day(dg.Config):
        day: str

    request = dg.RunRequest(run_config=dg.RunConfig({"a": Day(day="x")}))
    assert request == dg.RunRequest(run_config={"ops": {"a": {"config": {"day": "x"}}}})
    assert dg.RunRequest().run_config == {}


def test_a_function_says_which_runs_are_due() -> None:
    @dg.schedule(job=JOB, cron_schedule="@daily")
    def dated(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        day = context.scheduled_execution_time.strftime("%Y-%m-%d")
        return dg.RunRequest(run_config={"ops": {"a": {"config": {"day": day}}}})

    context = dg.build_schedule_context(scheduled_execution_time=AT)
    assert dated(context) == dg.RunRequest(
        run_config={"ops": {"a": {"config": {"day": "2021-05-08"}}}}
    )
    (request,) = dated.evaluate_tick(context).run_requests
    assert request.tags == {"dagster/schedule_name": "dated"}
    with pytest.raises(dg.DagsterInvariantViolationError, match="scheduled_execution_time"):
        dated(dg.build_schedule_context())


def test_a_function_may_return_several_runs_a_mapping_a_reason_or_nothing() -> None:
    def made(function: Any) -> dg.ScheduleDefinition:
        return dg.schedule("@daily", job=JOB)(function)

    def several(context: Any) -> Iterator[dg.RunRequest]:
        yield dg.RunRequest(run_key="1")
        yield dg.RunRequest(run_key="2")

    def without_keys() -> list[dg.RunRequest]:
        return [dg.RunRequest(), dg.RunRequest()]

    def config() -> dict[str, Any]:
        return {"ops": {}}

    def reason(db: str) -> dg.SkipReason:
        return dg.SkipReason(f"nothing in {db}")

    def nothing(_: object) -> None: ...

    def wrong() -> int:
        return 5

    assert [one.run_key for one in tick(made(several)).run_requests] == ["1", "2"]
    assert tick(made(config)).run_requests[0].run_config == {"ops": {}}
    assert tick(made(reason), db="x").skip_message == "nothing in x"
    found = tick(made(nothing))
    assert found.run_requests == []
    assert found.skip_message == "Schedule function returned an empty result"
    for function in (without_keys, wrong):
        with pytest.raises(dg.DagsterInvariantViolationError):
            tick(made(function))
    with pytest.raises(TypeError):
        made(5)


def partitioned(definition: dg.PartitionsDefinition, **options: Any) -> dg.ScheduleDefinition:
    job = dg.define_asset_job("p", "a", partitions_def=definition)
    return dg.build_schedule_from_partitioned_job(job, **options)


DAYS = dg.DailyPartitionsDefinition("2021-05-05")


def test_a_partitioned_job_is_due_at_the_end_of_each_window() -> None:
    schedule = partitioned(DAYS)
    assert (schedule.name, schedule.cron_schedule) == ("p_schedule", "0 0 * * *")
    (request,) = tick(schedule).run_requests
    assert (request.partition_key, request.run_key) == ("2021-05-07", "2021-05-07")
    assert request.tags["dagster/partition"] == "2021-05-07"
    assert tick(schedule, datetime(2021, 5, 5, tzinfo=UTC)).skip_message.endswith("yet.")
    today = partitioned(dg.DailyPartitionsDefinition("2021-05-05", end_offset=1))
    assert tick(today).run_requests[0].partition_key == "2021-05-08"
    there = partitioned(dg.DailyPartitionsDefinition("2021-05-05", timezone="Asia/Seoul"))
    assert there.execution_timezone == "Asia/Seoul"
    assert tick(there, datetime(2021, 5, 8)).run_requests[0].partition_key == "2021-05-07"


@pytest.mark.parametrize(
    ("definition", "options", "line"),
    [
        (DAYS, {"hour_of_day": 8}, "0 8 * * *"),
        (DAYS, {"hour_of_day": 8, "minute_of_hour": 15}, "15 8 * * *"),
        (dg.HourlyPartitionsDefinition("2021-05-05-00:00"), {"minute_of_hour": 5}, "5 * * * *"),
        (dg.WeeklyPartitionsDefinition("2021-05-05"), {"day_of_week": 3}, "0 0 * * 3"),
        (dg.MonthlyPartitionsDefinition("2021-05-05"), {"day_of_month": 2}, "0 0 2 * *"),
        (dg.DailyPartitionsDefinition("2021-05-05", hour_offset=3), {}, "0 3 * * *"),
        (dg.StaticPartitionsDefinition(["a"]), {"cron_schedule": "@daily"}, "@daily"),
    ],
)
def test_options_move_it_within_its_window(
    definition: dg.PartitionsDefinition, options: dict[str, Any], line: str
) -> None:
    assert partitioned(definition, **options).cron_schedule == line


OF_TIME = [
    DAYS,
    dg.HourlyPartitionsDefinition("2021-05-05-00:00", timezone="America/New_York"),
    dg.WeeklyPartitionsDefinition("2021-05-05", timezone="Asia/Seoul"),
    dg.MonthlyPartitionsDefinition("2021-05-05", day_offset=3),
]
WINDOWS = [
    [
        (definition.time_window_for_partition_key(key).end, key)
        for key in definition.keys(datetime(2021, 7, 6, tzinfo=UTC))
    ]
    for definition in OF_TIME
]


@given(
    st.integers(0, len(OF_TIME) - 1),
    st.datetimes(datetime(2021, 5, 1), datetime(2021, 7, 5), timezones=st.just(UTC)),
)
def test_a_tick_asks_for_the_last_window_that_is_over(number: int, at: datetime) -> None:
    asked = tick(partitioned(OF_TIME[number]), at).run_requests
    over = [key for end, key in WINDOWS[number] if end <= at]
    assert [one.partition_key for one in asked] == over[-1:]


def test_partitions_of_a_list_and_of_two_dimensions() -> None:
    colors = dg.StaticPartitionsDefinition(["red", "blue"])
    asked = tick(partitioned(colors, cron_schedule="@daily")).run_requests
    assert [one.partition_key for one in asked] == ["red", "blue"]
    both = dg.MultiPartitionsDefinition({"color": colors, "day": DAYS})
    asked = tick(partitioned(both)).run_requests
    assert {one.partition_key for one in asked} == {"red|2021-05-07", "blue|2021-05-07"}


@pytest.mark.parametrize(
    ("definition", "options"),
    [
        (DAYS, {"day_of_week": 3}),
        (DAYS, {"hour_of_day": 24}),
        (DAYS, {"hour_of_day": 2, "cron_schedule": "@daily"}),
        (dg.StaticPartitionsDefinition(["a"]), {}),
    ],
)
def test_options_that_do_not_fit_are_an_error(
    definition: dg.PartitionsDefinition, options: dict[str, Any]
) -> None:
    with pytest.raises(dg.DagsterInvalidDefinitionError):
        partitioned(definition, **options)
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="'j' has no partitions"):
        dg.build_schedule_from_partitioned_job(JOB)

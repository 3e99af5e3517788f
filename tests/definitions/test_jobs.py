"""Jobs: what they hold, how definitions find them, and how one runs."""

from __future__ import annotations

import pytest

import assetgraph as dg


class Limit(dg.Config):
    rows: int = 1


@dg.asset(group_name="raw")
def orders(config: Limit) -> int:
    return config.rows


@dg.asset
def total(orders: int) -> int:
    return orders + 1


@dg.asset
def other() -> int:
    return 0


ASSETS = [orders, total, other]


def test_a_job_holds_what_it_is_given() -> None:
    config = {"orders": {"rows": 5}}
    job = dg.define_asset_job("j", selection=[orders, total], config=config, tags={"a": "b"})
    assert job.name == "j"
    assert job.selection == dg.AssetSelection.assets(orders, "total")
    assert job.config is config
    assert job == dg.define_asset_job("j", ["total", "orders"], config=config, tags={"a": "b"})
    assert dg.define_asset_job("all").selection == dg.AssetSelection.all()
    text = dg.define_asset_job("text", 'group:"raw" or key:"total"')
    chosen = dg.AssetSelection.groups("raw", include_sources=True) | dg.AssetSelection.keys("total")
    assert text.selection == chosen


def test_a_job_takes_the_partitions_that_its_assets_share() -> None:
    days = dg.DailyPartitionsDefinition("2023-01-01")

    @dg.asset(partitions_def=days)
    def one() -> int:
        return 1

    @dg.asset(partitions_def=days)
    def two() -> int:
        return 1

    assert dg.define_asset_job("j", [one, two]).partitions_def == days
    chosen = dg.AssetSelection.assets(one, two)
    assert dg.define_asset_job("j", chosen).partitions_def == days
    assert dg.define_asset_job("j", [one, total]).partitions_def is None
    assert dg.define_asset_job("j", chosen.upstream()).partitions_def is None


def test_a_job_of_definitions_runs_its_assets_with_its_config_and_tags() -> None:
    job = dg.define_asset_job(
        "j", dg.AssetSelection.all() - dg.AssetSelection.assets("other"),
        config={"orders": {"rows": 5}}, tags={"team": "sales"},
    )  # fmt: skip
    defs = dg.Definitions(ASSETS, jobs=[job])
    instance = dg.Instance.ephemeral()
    result = defs.get_job_def("j").execute_in_process(instance=instance)
    assert result.success
    assert result.output_for_node("total") == 6
    assert {event.step_key for event in result.get_step_success_events()} == {"orders", "total"}
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert (run.job_name, run.tags["team"]) == ("j", "sales")
    again = defs.resolve_job_def("j").execute_in_process(run_config={"orders": {"rows": 7}})
    assert again.asset_value("total") == 8
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="does not know the assets"):
        job.execute_in_process()


def test_definitions_name_their_jobs_and_those_of_schedules_and_sensors() -> None:
    first, second, third = (dg.define_asset_job(name, [orders]) for name in ("a", "b", "c"))
    schedule = dg.ScheduleDefinition(job=second, cron_schedule="@daily")

    @dg.sensor(job=third)
    def look() -> None: ...

    defs = dg.Definitions(ASSETS, jobs=[first], schedules=[schedule], sensors=[look])
    assert [job.name for job in defs.jobs] == ["a", "b", "c"]
    assert defs.get_job_def("b") == second
    assert defs.get_schedule_def("b_schedule") == schedule
    assert defs.get_sensor_def("look") == look
    merged = dg.Definitions.merge(defs, dg.Definitions(jobs=[first]))
    assert [job.name for job in merged.jobs] == ["a", "b", "c"]
    assert merged.problems() == ()
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=r"no schedule 'b_shedule'.*'b_sch"):
        defs.get_schedule_def("b_shedule")
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="no sensor 'x'"):
        dg.Definitions().get_sensor_def("x")
    with pytest.raises(TypeError, match="jobs= takes jobs, not"):
        dg.Definitions(jobs=[schedule])  # type: ignore[list-item]


def test_what_is_wrong_with_jobs_is_a_problem_with_its_place() -> None:
    defs = dg.Definitions(
        ASSETS,
        jobs=[
            dg.define_asset_job("j", "ordrs"),
            dg.define_asset_job("k", [orders]),
            dg.define_asset_job("k", [total]),
        ],
    )
    one, two = defs.problems()
    assert str(one).endswith(
        "the selection of the job 'j': no asset is named 'ordrs'. Did you mean 'orders'?"
    )
    assert "test_jobs.py:" in one.place
    assert "a second job is called 'k'" in two.message
    with pytest.raises(dg.DagsterInvalidSubsetError):
        defs.get_job_def("j").execute_in_process()
    for wrong in ("a b", "", 5):
        with pytest.raises(dg.DagsterInvalidDefinitionError):
            dg.define_asset_job(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        dg.define_asset_job("j", 5)

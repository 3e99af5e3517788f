"""Jobs and schedules on the command line: `check` counts them, and `--job` runs one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Answer, ProjectFolder

ASSETS = """
import assetgraph as dg

class Limit(dg.Config):
    rows: int = 1

@dg.asset
def orders(config: Limit):
    return config.rows

@dg.asset(automation_condition=dg.AutomationCondition.eager())
def total(orders):
    return orders + 1

@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2023-01-01", end_date="2023-01-04"))
def days(context):
    return context.partition_key
"""
JOBS = """
import assetgraph as dg
from shop.assets import days, orders, total

total_job = dg.define_asset_job(
    "total_job", dg.AssetSelection.assets(total).upstream(),
    config={"orders": {"rows": 5}}, tags={"team": "sales"},
)
days_job = dg.define_asset_job("days_job", [days])

every_hour = dg.ScheduleDefinition(
    job=total_job, cron_schedule="@hourly", execution_timezone="Asia/Seoul"
)
every_day = dg.build_schedule_from_partitioned_job(days_job, hour_of_day=6)

@dg.schedule(job=total_job, cron_schedule="@weekly")
def asks(context):
    return dg.SkipReason("no")

@dg.sensor(job=total_job)
def looks():
    return dg.SkipReason("no")
"""


@pytest.fixture
def shop(project: Callable[..., ProjectFolder], monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    made = project({"shop/assets.py": ASSETS, "shop/jobs.py": JOBS}, module="shop")
    monkeypatch.chdir(made.root)
    return made


def test_check_counts_and_offers_lines_for_cron(
    shop: ProjectFolder, assetgraph: Callable[..., Answer]
) -> None:
    answer = assetgraph("check")
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert lines[1:3] == [
        "Loaded 2 jobs, 3 schedules and 1 sensor.",
        "assetgraph runs no schedules and no sensors.",
    ]
    text = answer.out
    assert "CRON_TZ=Asia/Seoul" in text
    assert f"0 * * * * cd {shop.root} && " in text
    assert "-m assetgraph materialize --job total_job" in text
    assert "0 6 * * * cd" in text
    assert "--job days_job --missing" in text
    assert "# asks: only its function says what is due." in text
    assert "1 asset has an automation_condition, on which nothing acts." in text


def test_check_lists_what_is_wrong(shop: ProjectFolder, assetgraph: Callable[..., Answer]) -> None:
    shop.write(
        "shop/more.py", "import assetgraph as dg\nwrong = dg.define_asset_job('w', 'totl')\n"
    )
    answer = assetgraph("check", "--json")
    assert answer.code == 2
    (problem,) = json.loads(answer.out)
    assert problem["message"] == "the selection of the job 'w': no asset is named 'totl'."
    assert (Path(problem["file"]).name, problem["line"]) == ("more.py", 2)
    shop.write("shop/more.py", "import assetgraph as dg\nfrom shop.jobs import total_job\n"
               "bad = dg.ScheduleDefinition(job=total_job, cron_schedule='0 0 31 2 *')\n")  # fmt: skip
    answer = assetgraph("check")
    assert answer.code == 2
    assert "shop/more.py:3: total_job_schedule: the cron line '0 0 31 2 *'" in answer.err


def test_a_job_that_no_definitions_hold_is_warned_of(
    shop: ProjectFolder, assetgraph: Callable[..., Answer]
) -> None:
    shop.write(
        "shop/definitions.py",
        "import assetgraph as dg\nfrom shop import assets, jobs\n"
        "defs = dg.Definitions(dg.load_assets_from_modules([assets]), schedules=[jobs.every_hour])",
    )
    answer = assetgraph("check")
    assert "Loaded 1 job and 1 schedule." in answer.out
    assert "the job 'days_job' is not loaded" in " ".join(answer.err.split())
    assert "total_job' is not loaded" not in answer.err


@pytest.mark.usefixtures("shop")
def test_a_job_runs_with_its_selection_its_config_and_its_tags(
    assetgraph: Callable[..., Answer],
) -> None:
    answer = assetgraph("materialize", "--job", "total_job", "--tag", "by=hand")
    assert answer.code == 0, answer.err
    (one,) = json.loads(assetgraph("runs", "list", "--json").out)
    assert one["tags"] == {"team": "sales", "dagster/job": "total_job", "by": "hand"}
    assert one["config"] == {"orders": {"rows": 5}}
    assert assetgraph("show", "total", "--head", "1").out.strip() == "6"
    assert "up to date" in assetgraph("materialize", "--job", "total_job", "--stale").err
    more = assetgraph("materialize", "--job", "total_job", "--config", "orders.rows=8")
    assert more.code == 0, more.err
    assert assetgraph("show", "total", "--head", "1").out.strip() == "9"
    assert assetgraph("materialize", "-y", "--job", "days_job", "--missing").code == 0
    planned = assetgraph("plan", "--job", "days_job", "--missing")
    assert "Nothing to do" in planned.out + planned.err


@pytest.mark.usefixtures("shop")
def test_a_wrong_job_is_said(assetgraph: Callable[..., Answer]) -> None:
    answer = assetgraph("materialize", "--job", "totl_job")
    assert answer.code == 2
    assert "no job 'totl_job'.\nDid you mean 'total_job'?" in answer.err
    answer = assetgraph("materialize", "--job", "total_job", "orders")
    assert answer.code == 2
    assert "--job selects assets itself" in answer.err


def test_check_finds_config_of_a_job_that_does_not_fit(
    shop: ProjectFolder, assetgraph: Callable[..., Answer]
) -> None:
    wrong = """
import assetgraph as dg

a = dg.define_asset_job("a", "orders", config={"ops": {"orders": {"config": {"rows": "x"}}}})
b = dg.define_asset_job("b", "orders", config={"ordrs": {"rows": 1}})
c = dg.define_asset_job("c", "orders", config={"total": {"rows": 1}})
d = dg.define_asset_job("d", "orders", config=5)
e = dg.define_asset_job("e", "orders", config={"orders": {"rows": {"env": "NOT_SET_YET"}}})
"""
    shop.write("shop/wrong.py", wrong)
    answer = assetgraph("check")
    assert answer.code == 2
    lines = [line for line in answer.out.splitlines() if line.startswith("shop")]
    assert [line.partition(": the config of the job ")[0] for line in lines] == [
        f"shop/wrong.py:{line}" for line in (4, 5, 6, 7)
    ]
    for line, said in zip(lines, ("rows: expected `int`", "no asset 'ordrs'", "takes no config",
                                  "it is an int: 5"), strict=True):  # fmt: skip
        assert said in line


def test_a_file_after_config_is_told_from_a_field(
    shop: ProjectFolder, assetgraph: Callable[..., Answer]
) -> None:
    answer = assetgraph("materialize", "orders", "--config", "run.yaml")
    assert answer.code == 2
    assert "--config-file run.yaml" in answer.err

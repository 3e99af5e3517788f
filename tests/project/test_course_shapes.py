"""A project in the shapes of Dagster's courses, with tests in their manner: only the name of the
imported package is another."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import Mock, patch

import pytest
from conftest import Answer, ProjectFolder

import assetgraph as dg

FILES = {
    "src/rides/__init__.py": "",
    "src/rides/definitions.py": """
        from pathlib import Path

        import assetgraph as dg

        @dg.definitions
        def defs():
            return dg.load_from_defs_folder(project_root=Path(__file__).parent.parent.parent)
    """,
    "src/rides/defs/assets/constants.py": """
        RIDES_FILE = "data/raw/rides_{}.csv"
        WEEKS_FILE = "data/outputs/weeks.csv"
        START_DATE, END_DATE = "2023-01-01", "2023-04-01"
    """,
    "src/rides/defs/partitions.py": """
        import assetgraph as dg
        from rides.defs.assets import constants

        monthly = dg.MonthlyPartitionsDefinition(
            start_date=constants.START_DATE, end_date=constants.END_DATE
        )
        weekly = dg.WeeklyPartitionsDefinition(
            start_date=constants.START_DATE, end_date=constants.END_DATE
        )
    """,
    "src/rides/defs/assets/rides.py": '''
        import urllib.request
        from pathlib import Path

        import assetgraph as dg
        from rides.defs.assets import constants
        from rides.defs.partitions import monthly

        @dg.asset(partitions_def=monthly, group_name="raw_files")
        def rides_file(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            """The rides of a month, as their publisher has them."""
            month = context.partition_key[:-3]
            with urllib.request.urlopen(f"https://rides.example/{month}.csv") as answer:
                data = answer.read()
            path = Path(constants.RIDES_FILE.format(month))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            rows = data.count(b"\\n")
            return dg.MaterializeResult(metadata={"Number of records": dg.MetadataValue.int(rows)})

        @dg.asset(deps=["rides_file"], partitions_def=monthly, group_name="ingested")
        def rides(context: dg.AssetExecutionContext) -> list[int]:
            month = context.partition_key[:-3]
            context.log.info(f"reading {month}")
            lines = Path(constants.RIDES_FILE.format(month)).read_text().split()
            return [int(line) for line in lines]

        @dg.asset_check(asset=rides, blocking=True)
        def no_negative_rides(rides: dict[str, list[int]]) -> dg.AssetCheckResult:
            worst = min(min(each) for each in rides.values())
            return dg.AssetCheckResult(passed=worst >= 0, metadata={"worst": worst})
    ''',
    "src/rides/defs/resources.py": """
        import assetgraph as dg

        class Warehouse(dg.ConfigurableResource):
            path: str

            def count(self, table: str) -> int:
                return len(f"{self.path}/{table}")

        warehouse = Warehouse(path=dg.EnvVar("RIDES_WAREHOUSE"))

        @dg.definitions
        def resources():
            return dg.Definitions(resources={"warehouse": warehouse})
    """,
    "src/rides/defs/assets/metrics.py": """
        import assetgraph as dg
        from rides.defs.resources import Warehouse

        @dg.asset(key=["city", "city_stats"], deps=["rides"])
        def city_stats(warehouse: Warehouse) -> int:
            return warehouse.count("rides")

        @dg.asset(deps=[dg.AssetKey(["city", "city_stats"])])
        def city_map() -> str:
            return "map"

        @dg.asset(deps=["rides"])
        def rides_by_week() -> None: ...
    """,
    "src/rides/defs/assets/requests.py": """
        import assetgraph as dg

        class RequestConfig(dg.Config):
            filename: str
            borough: str
            start: str = "2023-01-01"

        @dg.asset
        def request(config: RequestConfig) -> str:
            return f"{config.filename}: {config.borough} since {config.start}"
    """,
    "src/rides/defs/jobs.py": """
        import assetgraph as dg
        from rides.defs.partitions import monthly, weekly

        rides_by_week = dg.AssetSelection.assets("rides_by_week")
        requests = dg.AssetSelection.assets(["request"])

        update_job = dg.define_asset_job(
            name="update_job", partitions_def=monthly,
            selection=dg.AssetSelection.all() - rides_by_week - requests,
        )
        weekly_job = dg.define_asset_job(
            name="weekly_job", partitions_def=weekly, selection=rides_by_week
        )
        request_job = dg.define_asset_job(
            name="request_job", selection=requests,
            config={"ops": {"request": {"config": {"filename": "none", "borough": "all"}}}},
        )
    """,
    "src/rides/defs/schedules.py": """
        import assetgraph as dg
        from rides.defs.jobs import request_job, update_job, weekly_job

        update_schedule = dg.ScheduleDefinition(job=update_job, cron_schedule="0 0 5 * *")
        weekly_schedule = dg.ScheduleDefinition(
            job=weekly_job, cron_schedule="0 0 * * 1", execution_timezone="America/New_York",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )

        @dg.schedule(job=request_job, cron_schedule="0 6 * * *")
        def dated_requests(context):
            day = context.scheduled_execution_time.strftime("%Y-%m-%d")
            return dg.RunRequest(run_config={"ops": {"request": {"config": {
                "filename": day, "borough": "all", "start": day}}}})
    """,
    "src/rides/defs/sensors.py": """
        import json
        import os

        import assetgraph as dg
        from rides.defs.jobs import request_job

        @dg.sensor(job=request_job)
        def request_sensor(context: dg.SensorEvaluationContext):
            folder = "data/requests"
            seen = json.loads(context.cursor) if context.cursor else {}
            now, asked = {}, []
            for name in sorted(os.listdir(folder)):
                path = os.path.join(folder, name)
                if name.endswith(".json") and os.path.isfile(path):
                    changed = os.path.getmtime(path)
                    now[name] = changed
                    if seen.get(name) != changed:
                        with open(path) as file:
                            config = json.load(file)
                        asked.append(dg.RunRequest(
                            run_key=f"request_{name}_{changed}",
                            run_config={"ops": {"request": {"config": {
                                "filename": name, **config}}}},
                        ))
            return dg.SensorResult(run_requests=asked, cursor=json.dumps(now))
    """,
}


@pytest.fixture
def rides(project: Callable[..., ProjectFolder], monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the project, which is the current one, with `rides` to import."""
    made = project(FILES, module="rides")
    monkeypatch.chdir(made.root)
    sys.path.insert(0, str(made.root / "src"))
    importlib.invalidate_caches()
    yield made.root
    for name in [name for name in sys.modules if name.partition(".")[0] == "rides"]:
        del sys.modules[name]


@pytest.fixture
def defs(rides: Path) -> dg.Definitions:
    found: dg.Definitions = dg.Definitions.merge(dg.components.load_defs(module("defs")))
    return found


def module(name: str) -> Any:
    found: ModuleType = importlib.import_module(f"rides.{name}")
    return found


def answering(data: bytes) -> Any:
    answer = Mock()
    answer.__enter__ = Mock(return_value=Mock(read=Mock(return_value=data)))
    answer.__exit__ = Mock(return_value=False)
    return patch("urllib.request.urlopen", return_value=answer)


def test_everything_loads_through_the_function_of_definitions(rides: Path) -> None:
    defs = module("definitions").defs()
    assert isinstance(defs, dg.Definitions)
    assert {spec.key for spec in defs.get_all_asset_specs()} == {
        dg.AssetKey(key)
        for key in (
            ["rides_file"], ["rides"], ["city", "city_stats"], ["city_map"], ["rides_by_week"],
            ["request"],
        )
    }  # fmt: skip
    assert [job.name for job in defs.jobs] == ["update_job", "weekly_job", "request_job"]
    assert defs.problems() == ()


@pytest.mark.usefixtures("rides")
def test_an_asset_is_called_with_a_context_and_a_mocked_download(defs: dg.Definitions) -> None:
    file = defs.get_assets_def(dg.AssetKey("rides_file"))
    with answering(b"1\n2\n") as opened:
        result = file(dg.build_asset_context(partition_key="2023-02-01"))
    opened.assert_called_once_with("https://rides.example/2023-02.csv")
    assert isinstance(result, dg.MaterializeResult)
    assert result.metadata["Number of records"] == dg.MetadataValue.int(2)
    assert defs.get_assets_def("rides")(dg.build_asset_context(partition_key="2023-02-01")) == [
        1,
        2,
    ]


@pytest.mark.usefixtures("rides")
def test_a_partition_is_materialized_and_its_metadata_read(defs: dg.Definitions) -> None:
    instance = dg.DagsterInstance.ephemeral()
    assets = [defs.get_assets_def("rides_file"), defs.get_assets_def("rides")]
    with answering(b"1\n2\n"):
        result = dg.materialize(assets=assets, partition_key="2023-02-01", instance=instance)
    assert result.success
    (made,) = result.asset_materializations_for_node("rides_file")
    assert made.metadata["Number of records"].value == 2
    assert result.output_for_node("rides") == [1, 2]
    assert instance.get_materialized_partitions(dg.AssetKey("rides")) == {"2023-02-01"}


@pytest.mark.usefixtures("rides")
def test_a_resource_is_mocked_or_read_from_the_environment(
    defs: dg.Definitions, monkeypatch: pytest.MonkeyPatch
) -> None:
    stats = defs.get_assets_def(dg.AssetKey(["city", "city_stats"]))
    mocked = Mock()
    mocked.count.return_value = 5
    assert stats(mocked) == 5
    result = dg.materialize([stats], resources={"warehouse": mocked})
    assert result.output_for_node("city__city_stats") == 5
    assert stats(warehouse=module("defs.resources").Warehouse(path="x")) == len("x/rides")

    monkeypatch.setenv("RIDES_WAREHOUSE", "home")
    job = dg.define_asset_job("stats_job", [stats])
    own = dg.Definitions([stats], jobs=[job], resources=defs.resources).get_job_def("stats_job")
    key = dg.AssetKey(["city", "city_stats"])
    assert own.execute_in_process().asset_value(key) == len("home/rides")
    assert own.execute_in_process(resources={"warehouse": mocked}).asset_value(key) == 5


@pytest.mark.usefixtures("rides")
def test_a_mocked_failure_reaches_the_test(defs: dg.Definitions) -> None:
    with (
        patch("urllib.request.urlopen", side_effect=OSError("API Error")),
        pytest.raises(OSError, match="API Error"),
    ):
        dg.materialize([defs.get_assets_def("rides_file")], partition_key="2023-02-01")


@pytest.mark.usefixtures("rides")
def test_a_check_is_called_with_a_value(defs: dg.Definitions) -> None:
    check = module("defs.assets.rides").no_negative_rides
    assert check in defs.asset_checks
    good, bad = check({"2023-01-01": [1]}), check(rides={"2023-01-01": [1, -2]})
    assert (good.passed, bad.passed) == (True, False)
    assert bad.metadata["worst"] in (-2, dg.MetadataValue.int(-2))


@pytest.mark.usefixtures("rides")
def test_config_is_checked_where_it_is_made_and_reaches_the_asset(defs: dg.Definitions) -> None:
    config_type = module("defs.assets.requests").RequestConfig
    request = defs.get_assets_def("request")
    config = config_type(filename="a.json", borough="Queens")
    assert request(config) == "a.json: Queens since 2023-01-01"
    result = dg.materialize([request], run_config=dg.RunConfig({"request": config}))
    assert result.output_for_node("request") == "a.json: Queens since 2023-01-01"
    with pytest.raises(ValueError, match="filename"):
        config_type(filename=5, borough="Queens")


@pytest.mark.usefixtures("rides")
def test_jobs_select_what_they_say(defs: dg.Definitions) -> None:
    update, request = defs.get_job_def("update_job"), defs.get_job_def("request_job")
    assert {key.text for key in update.selection.resolve(defs)} == {
        "rides_file", "rides", "city/city_stats", "city_map",
    }  # fmt: skip
    assert request.selection == dg.AssetSelection.assets("request")
    assert request.config["ops"]["request"]["config"]["borough"] == "all"
    assert request.execute_in_process().output_for_node("request").startswith("none: all")
    weekly = module("defs.jobs").weekly_job
    assert weekly == dg.define_asset_job(
        "weekly_job", ["rides_by_week"], partitions_def=weekly.partitions_def
    )


@pytest.mark.usefixtures("rides")
def test_schedules_have_a_name_a_line_and_a_zone(defs: dg.Definitions) -> None:
    update = defs.get_schedule_def("update_job_schedule")
    assert (update.cron_schedule, update.job_name) == ("0 0 5 * *", "update_job")
    weekly = defs.get_schedule_def("weekly_job_schedule")
    assert weekly.execution_timezone == "America/New_York"
    dated = module("defs.schedules").dated_requests
    at = datetime(2023, 3, 4, 6, tzinfo=UTC)
    request = dated(dg.build_schedule_context(scheduled_execution_time=at))
    assert request.run_config["ops"]["request"]["config"]["start"] == "2023-03-04"
    result = defs.get_job_def("request_job").execute_in_process(run_config=request.run_config)
    assert result.output_for_node("request") == "2023-03-04: all since 2023-03-04"


def test_a_sensor_asks_once_for_each_file(rides: Path, defs: dg.Definitions) -> None:
    folder = rides / "data" / "requests"
    folder.mkdir(parents=True)
    sensor = defs.get_sensor_def("request_sensor")
    context = dg.build_sensor_context(instance=dg.DagsterInstance.ephemeral())
    assert sensor(context) == dg.SensorResult([], cursor="{}")
    (folder / "queens.json").write_text(json.dumps({"borough": "Queens"}))
    tick = sensor.evaluate_tick(dg.build_sensor_context(cursor="{}"))
    (request,) = tick.run_requests
    assert request.run_key.startswith("request_queens.json_")
    job = defs.get_job_def(str(sensor.job_name))
    made = job.execute_in_process(run_config=request.run_config)
    assert made.asset_value("request") == "queens.json: Queens since 2023-01-01"
    again = sensor.evaluate_tick(dg.build_sensor_context(cursor=tick.cursor))
    assert again.run_requests == []


@pytest.mark.usefixtures("rides")
def test_the_command_line_checks_and_runs_the_same_project(
    assetgraph: Callable[..., Answer],
) -> None:
    checked = assetgraph("check")
    assert checked.code == 0, checked.err
    assert "Loaded 3 jobs, 3 schedules and 1 sensor." in checked.out
    ran = assetgraph("materialize", "--job", "request_job", "--config", "request.borough=Queens")
    assert ran.code == 0, ran.err
    assert "none: Queens" in assetgraph("show", "request", "--head", "1").out

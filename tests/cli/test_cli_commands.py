"""The commands, on projects of files: what they answer, where, and with which exit code."""

from __future__ import annotations

import errno
import fcntl
import importlib
import json
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from conftest import REPOSITORY, Answer, ProjectFolder, in_new_process

from assetgraph.cli.app import assetgraph as root_command

pytestmark = pytest.mark.usefixtures("utc")

Command = Callable[..., Answer]
MakeProject = Callable[..., ProjectFolder]

PIPELINE = """\
import assetgraph as dg

class TripsConfig(dg.Config):
    month: str = "2023-03"

@dg.asset(group_name="raw", kinds={"parquet"}, owners=["team:data"], tags={"tier": "1"})
def raw_trips(context: dg.AssetExecutionContext, config: TripsConfig) -> list[int]:
    \"\"\"Trips as they come.

    From the city.\"\"\"
    context.log.info("month %s", config.month)
    print("reading", config.month)
    context.add_output_metadata({"rows": 3000})
    return [1, 2, 3]

@dg.asset
def daily_fares(raw_trips: list[int]) -> int:
    return sum(raw_trips)

@dg.asset
def 택시_운행(daily_fares: int) -> int:
    return daily_fares * 2
"""
BROKEN = PIPELINE.replace("return sum(raw_trips)", "return sum(constants.X)")
RUN_ID = re.compile(r"\d{8}-\d{6}-\d{3}-[0-9a-f]{4}")


@pytest.fixture
def pipeline(project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    made = project({"pipeline.py": PIPELINE})
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def broken(project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    """A project in which `daily_fares` fails."""
    made = project({"pipeline.py": BROKEN})
    monkeypatch.chdir(made.root)
    return made


# -- the assets


def test_list_shows_each_asset_with_its_state(pipeline: ProjectFolder, assetgraph: Command) -> None:
    assert assetgraph("list") == Answer(
        0,
        "ASSET        STATE                 GROUP    KINDS    DESCRIPTION\n"
        "raw_trips    – never materialized  raw      parquet  Trips as they come.\n"
        "daily_fares  – never materialized  default\n"
        "택시_운행    – never materialized  default\n",
        "",
    )


def test_list_takes_a_selection(pipeline: ProjectFolder, assetgraph: Command) -> None:
    keys = [asset["key"] for asset in assetgraph("list", "+daily_fares", "--json").json]
    assert keys == ["raw_trips", "daily_fares"]


def test_an_asset_in_json_has_the_documented_names(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    first = assetgraph("list", "--json").json[0]
    assert first == {
        "key": "raw_trips",
        "group_name": "raw",
        "description": "Trips as they come.\n\nFrom the city.",
        "deps": [],
        "kinds": ["parquet"],
        "owners": ["team:data"],
        "tags": {"tier": "1"},
        "state": "missing",
        "reasons": [{"kind": "never_materialized", "text": "never materialized"}],
        "past_failure": None,
        "running_run_id": None,
        "external": None,
        "partitions": None,
        "checks": [],
    }


def test_show_tells_all_about_one_asset(pipeline: ProjectFolder, assetgraph: Command) -> None:
    assetgraph("materialize", "raw_trips", "--config", "raw_trips.month=2023-04")
    page = assetgraph("show", "raw_trips").out
    for told in (
        "raw_trips  ✓ materialized", "From the city.", "team:data", "tier=1", "pipeline.py:6",
        "Downstream  daily_fares", "month: str = '2023-03'", "month=2023-04", "rows  3,000",
    ):  # fmt: skip
        assert told in page
    shown = assetgraph("show", "raw_trips", "--json").json
    assert shown["key"] == "raw_trips"
    assert shown["downstream"] == ["daily_fares"]
    assert shown["materialization"]["metadata"] == {"rows": 3000}
    assert [attempt["type"] for attempt in shown["history"]] == ["materialization"]


def test_show_asks_what_a_mistyped_name_was_meant_to_be(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    answer = assetgraph("show", "raw_tripss")
    assert (answer.code, answer.out) == (2, "")
    assert "Did you mean 'raw_trips'?" in answer.err


def test_a_warning_that_a_value_carries_is_told_wherever_the_asset_is(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch, assetgraph: Command
) -> None:
    sample = PIPELINE.replace('{"rows": 3000}', '{"warning": "embedded sample"}')
    monkeypatch.chdir(project({"pipeline.py": sample}).root)
    assetgraph("materialize", "raw_trips")
    assert assetgraph("list").err == "! raw_trips: embedded sample\n"
    assert "! embedded sample\n" in assetgraph("show", "raw_trips").out


def test_lineage_draws_a_tree_or_speaks_other_languages(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    tree = assetgraph("lineage").out
    assert [line.split("  ")[0].rstrip() for line in tree.splitlines()] == [
        "– raw_trips", "└─ – daily_fares", "",
    ]  # fmt: skip
    assert assetgraph("lineage", "--format", "mermaid").out.startswith("flowchart LR\n")
    assert assetgraph("lineage", "--format", "dot").out.startswith("digraph")
    graph = assetgraph("lineage", "--format", "json").json
    assert [(asset["key"], asset["deps"]) for asset in graph] == [
        ("raw_trips", []), ("daily_fares", ["raw_trips"]), ("택시_운행", ["daily_fares"]),
    ]  # fmt: skip
    assert assetgraph("lineage", "--json").json == graph


def test_lineage_reaches_up_and_down_as_far_as_asked(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    def keys(*options: str) -> list[str]:
        return [asset["key"] for asset in assetgraph("lineage", *options, "--json").json]

    assert keys("택시_운행", "--upstream", "--depth", "1") == ["daily_fares", "택시_운행"]
    assert keys("daily_fares", "--downstream") == ["daily_fares", "택시_운행"]
    assert assetgraph("lineage", "raw_trips", "--depth", "1").code == 2


def test_check_says_that_all_is_well(pipeline: ProjectFolder, assetgraph: Command) -> None:
    assert assetgraph("check") == Answer(0, "All definitions loaded successfully.\n", "")
    assert assetgraph("check", "--json").json == []


def test_check_lists_wrong_options_with_everything_else_and_nothing_runs(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    pipeline.write(
        "pipeline.py",
        """\
        import assetgraph as dg

        @dg.asset(kinds="csv", tags=["a"])
        def fares(): ...

        @dg.asset
        def report(farse): ...
        """,
    )
    answer = assetgraph("check")
    assert (answer.code, answer.err) == (2, "")
    assert (
        answer.out
        == """\
pipeline.py:3: asset 'fares': kinds= takes a list, not 'csv'.
  Write kinds=['csv'].
pipeline.py:3: asset 'fares': tags= takes a dictionary, not ['a'].
  Write tags={…: …}.
pipeline.py:6: asset 'report' needs 'farse' (a parameter), which nothing defines.
  Did you mean 'fares'?
Error: 3 problems in the definitions.
"""
    )
    for words in ("list", "plan", "materialize fares", "lineage", "status", "accept fares"):
        assert assetgraph(*words.split()).code == 2


def test_check_lists_every_problem_with_place_and_remedy(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch, assetgraph: Command
) -> None:
    wrong = PIPELINE.replace("raw_trips: list[int]", "raw_tripss") + (
        "\n@dg.asset(name='..')\ndef hidden(): ...\n"
    )
    monkeypatch.chdir(project({"pipeline.py": wrong}).root)
    answer = assetgraph("check")
    assert answer.code == 2
    assert "pipeline.py:16: " in answer.out
    assert "Did you mean 'raw_trips'?" in answer.out
    assert "2 problems in the definitions." in answer.out
    listed = assetgraph("check", "--json").json
    assert [problem["line"] for problem in listed] == [16, 24]
    assert set(listed[0]) == {"file", "line", "key", "message", "remedy"}
    assert assetgraph("list").err == answer.out


def test_an_option_before_the_command_is_said_to_belong_after_it(assetgraph: Command) -> None:
    answer = assetgraph("-m", "pipeline", "list")
    assert answer.code == 2
    assert "No such option '-m'" in answer.err
    assert "See: assetgraph --help. Options of a command go after its name." in answer.err
    assert "See: assetgraph list --help\n" in assetgraph("list", "--foo").err


def test_a_module_that_does_not_import_shows_the_persons_own_line(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch, assetgraph: Command
) -> None:
    monkeypatch.chdir(project({"pipeline.py": "import nothing_such\n"}).root)
    answer = assetgraph("check")
    assert answer.code == 2
    assert 'File "pipeline.py", line 1' in answer.err
    assert "No module named 'nothing_such'" in answer.err
    assert "1 module fails to import: 'pipeline'." in answer.err
    assert "assetgraph/cli" not in answer.err


# -- plan and materialize


def test_plan_lists_the_steps_in_order_with_their_causes(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    answer = assetgraph("plan", "daily_fares")
    assert answer.out == (
        "   ASSET        CAUSE      WHY\n"
        "1  raw_trips    missing    never materialized\n"
        "2  daily_fares  requested  never materialized\n"
    )
    assert answer.err == "1 upstream asset has no value yet and will also run: raw_trips\n"
    planned = assetgraph("plan", "daily_fares", "--json").json
    assert [(step["key"], step["cause"]) for step in planned] == [
        ("raw_trips", "missing"), ("daily_fares", "requested"),
    ]  # fmt: skip
    assert assetgraph("materialize", "daily_fares", "--dry-run").out == answer.out
    assert not (pipeline.root / ".assetgraph/runs").exists()


def test_materialize_reports_on_stderr_and_ends_with_what_was_made(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    answer = assetgraph("materialize", "daily_fares", "--tag", "who=me")
    assert (answer.code, answer.out) == (0, "")
    told = re.sub(r"[\d.]+(µs|ms|s)\b", "T", RUN_ID.sub("ID", answer.err))
    assert told == (
        "1 upstream asset has no value yet and will also run: raw_trips\n"
        "▶ raw_trips\n"
        "  raw_trips │ month 2023-03\n"
        "  raw_trips │ reading 2023-03\n"
        "✓ raw_trips  T\n"
        "▶ daily_fares\n"
        "✓ daily_fares  T\n"
        "\n"
        "✓ Run ID succeeded in T\n"
        "  raw_trips    json\n"
        "  daily_fares  json\n"
        "  Steps:       ✓ 2 success\n"
        "  Details:     assetgraph runs show ID\n"
    )


def test_materialize_prints_the_run_as_json_and_nothing_else_on_stdout(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    answer = assetgraph("materialize", "--all", "--json", "--tag", "who=me")
    run = answer.json
    assert run["status"] == "SUCCESS"
    assert run["tags"] == {"who": "me"}
    assert [step["state"] for step in run["steps"]] == ["success"] * 3
    assert "reading" not in answer.out.replace("2023", "")


def test_config_comes_from_fields_and_files_and_fields_win(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    def config(*options: str) -> object:
        return assetgraph("materialize", "raw_trips", "--json", *options).json["config"]

    (pipeline.root / "run.json").write_text('{"raw_trips": {"month": "2020-01"}}')
    (pipeline.root / "run.toml").write_text('[raw_trips]\nmonth = "2020-02"\n')
    (pipeline.root / "run.yaml").write_text("raw_trips:\n  month: '2020-03'\n")
    shutil.copy("run.yaml", "run.YML")
    endings = {"json": "2020-01", "toml": "2020-02", "yaml": "2020-03", "YML": "2020-03"}
    for ending, month in endings.items():
        assert config("--config-file", f"run.{ending}") == {"raw_trips": {"month": month}}
    both = config("--config-file", "run.json", "--config", "raw_trips.month=2021-01")
    assert both == {"raw_trips": {"month": "2021-01"}}


NESTED = """\
import assetgraph as dg

class Source(dg.Config):
    host: str = "here"
    port: int = 1

class TripsConfig(dg.Config):
    source: Source = Source()
    month: str = "2023-03"

@dg.asset(key="raw.trips")
def raw_trips(config: TripsConfig) -> int:
    return config.source.port

@dg.asset
def fares() -> int:
    return 1
"""


def test_config_names_a_field_of_a_field(pipeline: ProjectFolder, assetgraph: Command) -> None:
    pipeline.write("pipeline.py", NESTED)

    def answer(*settings: str) -> Answer:
        given = [option for setting in settings for option in ("--config", setting)]
        return assetgraph("materialize", "--all", "--json", *given)

    both = answer("raw.trips.source.port=2", "raw.trips.source.host=there")
    assert both.json["config"] == {"raw.trips": {"source": {"host": "there", "port": 2}}}
    for setting, told in {
        "raw.trips.nested.x=4": "'raw.trips' has no config field 'nested'.\nIt takes: source, month.",
        "raw.trips.source.por=4": "config of 'raw.trips': source: there is no field `por`",
        "raw.trips.month.x=4": "month: expected `str`, got a dict",
        "fares.a.b=4": "asset 'fares' takes no config",
        "nothing.a.b=4": "there is no asset 'nothing.a'",
    }.items():
        assert told in answer(setting).err


def test_config_that_is_missing_is_the_only_thing_said(
    project: MakeProject, assetgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = """
        import assetgraph as dg

        class Month(dg.Config):
            month: str

        @dg.asset
        def base(): return 1

        @dg.asset
        def needs(base, config: Month): return 1
    """
    monkeypatch.chdir(project({"pipeline.py": pipeline}).root)
    answer = assetgraph("materialize", "needs")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "Error: 'needs' needs a value for its config field 'month'.\n"
        "Set it with: --config needs.month=…\n"
    )
    assert assetgraph("materialize", "needs", "--config", "needs.month=1").code == 0


def test_a_config_file_is_found_from_the_folder_that_it_was_named_in(
    pipeline: ProjectFolder, monkeypatch: pytest.MonkeyPatch, assetgraph: Command
) -> None:
    pipeline.write("runs/april.toml", '[raw_trips]\nmonth = "2023-04"\n')
    monkeypatch.chdir(pipeline.root / "runs")
    answer = assetgraph("plan", "raw_trips", "--config-file", "april.toml")
    assert answer.code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["materialize"], "or --stale for missing and stale ones"),
        (["materialize", "--all", "raw_trips"], "cannot be combined"),
        (["materialize", "raw_tripss"], "Did you mean 'raw_trips'?"),
        (["materialize", "group:nothing"], "group"),
        (["materialize", "raw_trips", "--colour"], "--colour"),
        (["materialize", "daily_fares", "--config", "daily_fares.x=1"], "takes no config"),
        (["materialize", "raw_trips", "--config", "raw_trips.moon=1"], "moon"),
        (["materialize", "raw_trips", "--config", "nonsense"], "KEY.FIELD=VALUE"),
        (["materialize", "raw_trips", "--config", "rawtrips.month=1"], "Did you mean 'raw_trips'?"),
        (["materialize", "raw_trips", "--config-file", "gone.json"], "gone.json"),
        (["materialize", "raw_trips", "--tag", "x"], "KEY=VALUE"),
        (["materialise", "raw_trips"], "Did you mean 'materialize'?"),
        (["runs", "show", "nothing"], "no run's id contains 'nothing'"),
        (["runs", "show", "latest"], "there are no runs yet"),
        (["runs", "lst"], "there is no command 'lst'. Did you mean 'list'?"),
        (["materialize", "raw_trips", "--tag", "a=1", "--tag", "a=2"], "sets 'a' twice"),
        (
            ["materialize", "--select", "raw_trips"],
            "Name assets without an option, as in: assetgraph",
        ),
        (["list", "-m", "gone.py"], "there is no file"),
        (["list", "-m", "../gone.py"], "there is no file"),
        (["list", "-m", "./"], "is not inside the project's folder"),
        (["list", "-m", "no_such_module"], "there is no module 'no_such_module'"),
        (["list", "--store", "pyproject.toml"], "pyproject.toml"),
        (["materialize", "--all", "-j", "0"], "--jobs must be a whole number, 1 or more, not '0'"),
        (
            ["materialize", "--all", "-j", "2.5"],
            "--jobs must be a whole number, 1 or more, not '2.5'",
        ),
        (["runs", "list", "--limit", "0"], "--limit must be a whole number, 1 or more, not '0'"),
        (["dev", "--port", "70000"], "--port must be a whole number from 0 to 65535, not '70000'"),
    ],
)
def test_wrong_use_is_told_with_exit_code_2_and_nothing_done(
    pipeline: ProjectFolder, assetgraph: Command, arguments: list[str], told: str
) -> None:
    answer = assetgraph(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert told in answer.err
    assert "Traceback" not in answer.err
    assert not (pipeline.root / ".assetgraph").exists()


def test_a_project_without_assets_says_so(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch, assetgraph: Command
) -> None:
    monkeypatch.chdir(project({"pipeline.py": ""}).root)
    listed = assetgraph("list")
    assert (listed.code, listed.out) == (0, "")
    assert listed.err.startswith("No assets")
    assert assetgraph("list", "--json").json == []
    run = assetgraph("materialize", "--all")
    assert (run.code, run.out) == (2, "")
    assert "there are no assets in the module 'pipeline'.\n" in run.err
    assert "^" not in run.err


def test_an_error_in_a_selection_is_pointed_at(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    answer = assetgraph("list", "택시_운행 and )")
    assert answer.code == 2
    assert "\n  택시_운행 and )\n                ^\n" in answer.err


def test_a_folder_without_a_project_says_how_to_make_one(folder: Path, assetgraph: Command) -> None:
    answer = assetgraph("list")
    assert answer.code == 2
    assert "assetgraph init" in answer.err


# -- failure and repetition


def test_the_exercise_break_look_mend_repeat(broken: ProjectFolder, assetgraph: Command) -> None:
    failed = assetgraph("materialize", "--all")
    assert failed.code == 1
    assert "✕ daily_fares failed: NameError: name 'constants' is not defined" in failed.err
    assert "❱ 18 │     return sum(constants.X)" in failed.err
    failed_id = RUN_ID.findall(failed.err)[0]
    assert f"assetgraph runs rerun {failed_id} --from-failure" in failed.err
    page = assetgraph("runs", "show", "latest").out
    assert page.index("NameError") < page.index("Statistics") < page.index("Timeline")
    assert "STEP_FAILURE" in page
    assert "Traceback" in assetgraph("runs", "show", "latest", "--trace").out

    broken.write("pipeline.py", PIPELINE)
    process = in_new_process(broken.root, "runs", "rerun", "latest", "--json")
    repeated = json.loads(process.communicate(timeout=60)[0])
    assert process.returncode == 0
    assert repeated["status"] == "SUCCESS"
    assert repeated["root_run_id"] == repeated["parent_run_id"] == failed_id
    newest, root = assetgraph("runs", "list", "--json").json
    assert (newest["status"], root["status"]) == ("SUCCESS", "FAILURE")
    listed = assetgraph("runs", "list").out.splitlines()
    assert failed_id.rpartition("-")[2] in listed[1].partition("3/3")[2]
    assert repeated["run_id"] in assetgraph("runs", "show", failed_id).out


def test_a_rerun_from_failure_leaves_out_what_succeeded(
    broken: ProjectFolder, assetgraph: Command
) -> None:
    first = assetgraph("materialize", "--all", "--tag", "who=me", "--json").json
    again = assetgraph("runs", "rerun", "latest", "--from-failure", "--json").json
    assert again["assets"] == ["daily_fares", "택시_운행"]
    assert again["tags"] == {"who": "me"}
    third = assetgraph("runs", "rerun", "latest", "--json").json
    assert third["root_run_id"] == first["run_id"]
    assert third["parent_run_id"] == again["run_id"]


def test_a_rerun_keeps_the_config(pipeline: ProjectFolder, assetgraph: Command) -> None:
    assetgraph("materialize", "raw_trips", "--config", "raw_trips.month=2023-04")
    again = assetgraph("runs", "rerun", "latest", "--json").json
    assert again["config"] == {"raw_trips": {"month": "2023-04"}}
    answer = assetgraph("runs", "rerun", "latest", "--from-failure")
    assert answer.code == 2
    assert "every step" in answer.err


# -- runs


def test_a_run_in_json_has_the_documented_names(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    assetgraph("materialize", "--all")
    listed = assetgraph("runs", "list", "--json").json
    assert {
        "run_id", "status", "root_run_id", "parent_run_id", "started_at", "ended_at",
        "duration_s", "tags", "config", "selection", "step_counts", "failed_steps", "failure",
    } <= set(listed[0])  # fmt: skip
    shown = assetgraph("runs", "show", "latest", "--json").json
    only_shown = ("steps", "events", "reruns", "last_heard_at")
    assert {**listed[0], **{k: shown[k] for k in only_shown}} == shown
    assert set(shown["events"][0]) == {
        "type",
        "timestamp",
        "step",
        "target",
        "level",
        "message",
        "data",
    }
    assert {"key", "state", "started_at", "duration_s", "error"} <= set(shown["steps"][0])


def test_runs_can_be_listed_page_by_page_and_by_status(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    ids = [assetgraph("materialize", "raw_trips", "--json").json["run_id"] for _ in range(3)]
    newest = assetgraph("runs", "list", "--limit", "2", "--json").json
    assert [run["run_id"] for run in newest] == ids[:0:-1]
    older = assetgraph("runs", "list", "--before", ids[1], "--json").json
    assert [run["run_id"] for run in older] == ids[:1]
    assert assetgraph("runs", "list", "--status", "failure", "--json").json == []
    none = assetgraph("runs", "list", "--status", "FAILURE").err
    assert none == "No run matches. To list all: assetgraph runs list\n"


def test_logs_tell_what_each_step_logged_and_printed(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    assetgraph("materialize", "--all")
    logs = assetgraph("runs", "logs", "latest").out
    assert re.sub(r"\d\d:\d\d:\d\d", "T", logs) == (
        "raw_trips  logged\n  T INFO month 2023-03\n\nraw_trips  printed\n  reading 2023-03\n"
    )
    silent = assetgraph("runs", "logs", "latest", "daily_fares")
    assert silent.out == ""
    assert silent.err.endswith("anything. To see the events: assetgraph runs show latest\n")
    assert assetgraph("runs", "logs", "latest", "daily_fares", "--json").err == ""
    listed = assetgraph("runs", "logs", "latest", "raw_trips", "--json").json
    assert [(log["stream"], log["key"]) for log in listed] == [
        ("log", "raw_trips"), ("out", "raw_trips"),
    ]  # fmt: skip
    unknown = assetgraph("runs", "logs", "latest", "raw_tripss")
    assert unknown.code == 2
    assert "Did you mean 'raw_trips'?" in unknown.err


def test_a_run_is_deleted_only_when_somebody_says_yes(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    run_id = assetgraph("materialize", "raw_trips", "--json").json["run_id"]
    refused = assetgraph("runs", "delete", run_id)
    assert refused.code == 2
    assert "--yes" in refused.err
    assert assetgraph("runs", "delete", "nothing", run_id, "--yes").code == 2
    assert len(assetgraph("runs", "list", "--json").json) == 1
    assert assetgraph("runs", "delete", run_id, "--yes").out == f"Deleted {run_id}\n"
    assert assetgraph("runs", "list", "--json").json == []


def test_commands_that_are_suggested_name_the_same_store_and_module(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    answer = assetgraph("materialize", "raw_trips", "--store", "my store", "-m", "pipeline")
    assert re.search(r"assetgraph runs show \S+ -m pipeline --store '[^']+/my store'\n", answer.err)


# -- new files


def test_init_makes_a_project_that_runs(folder: Path, assetgraph: Command) -> None:
    answer = assetgraph("init", "my-taxi")
    assert answer.code == 0
    assert answer.err == (
        "Next: cd my-taxi && assetgraph materialize --all\n"
        "Then, in the browser: assetgraph dev --open\n"
    )
    made = {line.removeprefix("Created ") for line in answer.out.splitlines()}
    assert made == {
        "my-taxi/pyproject.toml", "my-taxi/.gitignore", "my-taxi/README.md",
        "my-taxi/my_taxi/__init__.py", "my-taxi/my_taxi/assets/__init__.py",
        "my-taxi/my_taxi/assets/readings.py", "my-taxi/tests/test_readings.py",
    }  # fmt: skip
    process = in_new_process(folder / "my-taxi", "materialize", "--all")
    assert "✓ average_reading" in process.communicate(timeout=60)[1]
    assert process.returncode == 0


@pytest.mark.parametrize("options", [(), ("--example",)])
def test_a_new_project_can_be_materialized_and_tested(
    folder: Path, assetgraph: Command, options: tuple[str, ...]
) -> None:
    assert assetgraph("init", "weather", *options).code == 0
    root, every = folder / "weather", ["--all", *(["--all-partitions"] if options else [])]
    ran = in_new_process(root, "materialize", *every)
    assert ran.communicate(timeout=60)[1].count("✕") == 0
    assert ran.returncode == 0
    python = [sys.executable, "-m"]
    tested = [*python, "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
    assert subprocess.run(tested, cwd=root, capture_output=True, timeout=60).returncode == 0


def test_init_writes_over_nothing(folder: Path, assetgraph: Command) -> None:
    (folder / "README.md").write_text("mine")
    answer = assetgraph("init")
    assert answer.code == 2
    assert "README.md already exists. Nothing was written." in answer.err
    assert os.listdir(folder) == ["README.md"]


def test_init_makes_no_project_in_a_package(folder: Path, assetgraph: Command) -> None:
    assetgraph("init")
    package = next(folder.glob("*/__init__.py")).parent
    before = sorted(folder.rglob("*"))
    answer = assetgraph("init", package.name)
    assert answer.code == 2
    assert "is a Python package" in answer.err
    assert sorted(folder.rglob("*")) == before


def test_init_in_a_project_says_that_there_is_one(folder: Path, assetgraph: Command) -> None:
    assetgraph("init")
    again = assetgraph("init")
    assert (again.code, again.out) == (2, "")
    assert f"{folder} is already a project" in again.err
    assert "assetgraph scaffold asset" in again.err


def test_init_prints_the_table_for_a_pyproject_that_is_there(
    folder: Path, assetgraph: Command
) -> None:
    (folder / "my-taxi").mkdir()
    (folder / "my-taxi/pyproject.toml").write_text("[project]\n")
    answer = assetgraph("init", "my-taxi")
    assert answer.code == 2
    assert '\n[tool.assetgraph]\nmodule = "my_taxi"\n' in answer.err
    assert os.listdir("my-taxi") == ["pyproject.toml"]


def test_init_quotes_the_folder_in_the_command_that_it_suggests(
    folder: Path, assetgraph: Command
) -> None:
    assert "Next: cd 'my taxi' && " in assetgraph("init", "my taxi").err


@pytest.mark.parametrize("name", ["class", "2023", "한국-택시", "assetgraph", "json", "NumPy"])
def test_init_makes_a_package_name_of_any_folder_name(
    folder: Path, assetgraph: Command, name: str
) -> None:
    answer = assetgraph("init", name)
    assert answer.code == 0
    (assets,) = (folder / name).glob("*/assets")
    package, taken = assets.parent.name, name in ("class", "assetgraph", "json", "NumPy")
    assert package.isidentifier()
    assert package.endswith("_project") is taken
    assert (f"The package is called {package}, because " in answer.err) is taken
    why = {
        "class": "'class' is a reserved word in Python.",
        "json": "Python has a module 'json'.",
        "NumPy": "an installed package has a module 'numpy'.",
    }
    assert why.get(name, "") in answer.err


def test_an_asset_scaffolded_in_a_new_project_stands_beside_the_first_ones(
    folder: Path, project: MakeProject, monkeypatch: pytest.MonkeyPatch, assetgraph: Command
) -> None:
    assetgraph("init", "project")
    monkeypatch.chdir("project")
    importlib.invalidate_caches()
    assert assetgraph("scaffold", "asset", "assets/trips.py").code == 0
    keys = {asset["key"] for asset in assetgraph("list", "--json").json}
    assert keys == {"readings", "average_reading", "trips"}


def test_a_scaffolded_asset_is_found_at_once(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch, assetgraph: Command
) -> None:
    made = project({"taxi/__init__.py": ""}, module="taxi")
    monkeypatch.chdir(made.root)
    answer = assetgraph("scaffold", "asset", "assets/trips.py")
    assert answer.out == "Created taxi/assets/__init__.py\nCreated taxi/assets/trips.py\n"
    assert [asset["key"] for asset in assetgraph("list", "--json").json] == ["trips"]
    again = assetgraph("scaffold", "asset", "assets/trips.py")
    assert again.code == 2
    assert "already exists" in again.err


def test_a_path_that_names_the_package_too_is_not_put_into_it_twice(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch, assetgraph: Command
) -> None:
    made = project({"taxi/__init__.py": ""}, module="taxi")
    monkeypatch.chdir(made.root)
    answer = assetgraph("scaffold", "asset", "taxi/assets/trips.py")
    assert answer.out == "Created taxi/assets/__init__.py\nCreated taxi/assets/trips.py\n"
    made.write("taxi/taxi/__init__.py", "")
    answer = assetgraph("scaffold", "asset", "taxi/zones.py")
    assert answer.out == "Created taxi/taxi/zones.py\n"


@pytest.mark.parametrize(
    ("path", "told"),
    [("trips.txt", "End its name in .py"), ("../trips.py", "outside the package"),
     ("a-b.py", "is not a valid module name"), ("class.py", "is not a valid module name")],
)  # fmt: skip
def test_a_scaffolded_asset_must_have_a_name_that_python_can_import(
    project: MakeProject,
    monkeypatch: pytest.MonkeyPatch,
    assetgraph: Command,
    path: str,
    told: str,
) -> None:
    made = project({"taxi/__init__.py": ""}, module="taxi")
    monkeypatch.chdir(made.root)
    answer = assetgraph("scaffold", "asset", path)
    assert answer.code == 2
    assert told in answer.err
    assert os.listdir(made.root / "taxi") == ["__init__.py"]


@pytest.mark.parametrize(
    ("there", "path", "told"),
    [
        ("taxi/assets.py", "assets/trips.py", "taxi/assets.py already exists"),
        ("taxi/raw/assets.py", "raw/assets/trips.py", "taxi/raw/assets.py already exists"),
        ("taxi/trips/__init__.py", "trips.py", "taxi/trips/__init__.py already exists"),
    ],
)
def test_scaffold_puts_no_module_beside_a_package_of_its_name(
    project: MakeProject,
    monkeypatch: pytest.MonkeyPatch,
    assetgraph: Command,
    there: str,
    path: str,
    told: str,
) -> None:
    made = project({"taxi/__init__.py": "", there: ""}, module="taxi")
    monkeypatch.chdir(made.root)
    files = set(made.root.rglob("*"))
    answer = assetgraph("scaffold", "asset", path)
    assert answer.code == 2
    assert told in answer.err
    assert set(made.root.rglob("*")) == files


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (PIPELINE, "an asset 'raw_trips' already exists, at taxi/pipeline.py:6"),
        ("import nothing_such\n", "fails to import: 'taxi.pipeline'"),
    ],
)
def test_scaffold_does_not_break_a_project_nor_add_to_a_broken_one(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch, assetgraph: Command, text: str, told: str
) -> None:
    made = project({"taxi/__init__.py": "", "taxi/pipeline.py": text}, module="taxi")
    monkeypatch.chdir(made.root)
    answer = assetgraph("scaffold", "asset", "Raw_Trips.py")
    assert answer.code == 2
    assert told in answer.err
    assert not (made.root / "taxi/Raw_Trips.py").exists()


# -- errors and ends


def test_a_bug_is_owned_up_to_with_where_to_report_it(
    pipeline: ProjectFolder, assetgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("unthinkable\x1b[2J")

    monkeypatch.setattr("assetgraph.queries.run_views.list_runs", fail)
    monkeypatch.setenv("ASSETGRAPH_DEBUG", "")
    short = assetgraph("runs", "list")
    assert short.code == 70
    assert short.err.startswith("Error: RuntimeError: unthinkable\\x1b[2J\nThis is a bug in assetg")
    assert "issue tracker" in short.err
    whole = assetgraph("--debug", "runs", "list")
    assert "Traceback (most recent call last)" in whole.err


def test_a_reader_that_leaves_early_is_no_error(pipeline: ProjectFolder) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stdout:
        ended = subprocess.run(
            [sys.executable, "-m", "assetgraph", "list"],
            cwd=pipeline.root, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (141, "")


PRINTS = """
import assetgraph as dg

@dg.asset
def chatty():
    print("now", flush=True)
"""


@pytest.mark.parametrize("streams", ["<&- >&- 2>&-", "2>/dev/full"])
def test_a_run_goes_on_where_nobody_can_be_told_of_it(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch, assetgraph: Command, streams: str
) -> None:
    made = project({"pipeline.py": PRINTS})
    command = shlex.join([sys.executable, "-m", "assetgraph", "materialize", "chatty"])
    ended = subprocess.run(
        ["sh", "-c", f"{command} {streams}"],
        cwd=made.root, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        check=False, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 0
    monkeypatch.chdir(made.root)
    (run,) = assetgraph("runs", "list", "--json").json
    assert run["status"] == "SUCCESS"
    assert "now" in assetgraph("runs", "logs", "latest").out


@pytest.mark.parametrize("arguments", [["status"], ["plan"], ["list"], ["materialize", "--stale"]])
def test_a_note_that_a_full_disk_does_not_take_changes_no_exit_code(
    pipeline: ProjectFolder,
    assetgraph: Command,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
) -> None:
    assetgraph("materialize", "--all")
    with open("/dev/full", "w") as full:
        monkeypatch.setattr("sys.stderr", full)
        full.flush = lambda: None  # type: ignore[method-assign]
        assert assetgraph(*arguments).code == 0


@pytest.mark.parametrize("group", [[], ["runs"], ["scaffold"]])
def test_a_group_without_a_command_lists_its_commands(
    assetgraph: Command, group: list[str]
) -> None:
    answer = assetgraph(*group)
    assert (answer.out + answer.err).startswith("Usage: assetgraph")
    assert "Commands:" in answer.out + answer.err


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ("jobs = 2", ["--executor", "serial"]),
        ('executor = "serial"', ["-j", "2"]),
        ('dask_scheduler = "tcp://127.0.0.1:1"', ["--executor", "threads"]),
        ('dask_scheduler = "tcp://127.0.0.1:1"', []),
        ('executor = "dask"\ndask_scheduler = "tcp://127.0.0.1:1"', ["--executor", "serial"]),
    ],
)
def test_what_a_command_says_of_executors_outdoes_what_the_project_says(
    pipeline: ProjectFolder, assetgraph: Command, settings: str, options: list[str]
) -> None:
    with (pipeline.root / "pyproject.toml").open("a") as file:
        file.write(settings + "\n")
    answer = assetgraph("materialize", "raw_trips", *options)
    assert answer.code == 0, answer.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--executor", "serial", "-j", "2"], "runs one step at a time, not 2"),
        (
            ["--executor", "threads", "--dask-scheduler", "tcp://x"],
            "'threads' does not use a scheduler",
        ),
    ],
)
def test_a_command_that_contradicts_itself_about_executors_is_refused(
    pipeline: ProjectFolder, assetgraph: Command, options: list[str], message: str
) -> None:
    answer = assetgraph("materialize", "raw_trips", *options)
    assert answer.code == 2
    assert message in answer.err


def test_the_old_names_of_the_dask_scheduler_still_work_with_a_warning(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    given = ["materialize", "raw_trips", "--executor", "dask"]
    option = assetgraph(*given, "--scheduler", "nonsense://1")
    assert option.err.startswith("! --scheduler is now called --dask-scheduler.")
    assert "no Dask scheduler answers at nonsense://1" in option.err
    assert "--scheduler" not in assetgraph("materialize", "--help").out

    with (pipeline.root / "pyproject.toml").open("a") as file:
        file.write('scheduler = "nonsense://2"\n')
    setting = assetgraph(*given)
    assert "[tool.assetgraph] scheduler is now called dask_scheduler." in setting.err
    assert "no Dask scheduler answers at nonsense://2" in setting.err


@pytest.mark.parametrize(("place", "code"), [("events.jsonl", 1), ("run.json", 2)])
def test_a_run_that_a_full_disk_ends_has_failed_and_one_that_it_prevents_is_no_run(
    pipeline: ProjectFolder,
    assetgraph: Command,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    code: int,
) -> None:
    real = os.write

    def full(fd: int, data: bytes) -> int:
        if place in os.readlink(f"/proc/self/fd/{fd}"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, data)

    monkeypatch.setattr(os, "write", full)
    answer = assetgraph("materialize", "raw_trips")
    assert answer.code == code
    assert "the disk is full" in answer.err
    assert len(assetgraph("runs", "list", "--json").json) == (code == 1)


def test_a_list_of_runs_on_a_terminal_says_how_to_see_older_ones_of_the_same_list(
    pipeline: ProjectFolder, assetgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        assetgraph("materialize", "raw_trips")
    _, second, _ = (run["run_id"] for run in assetgraph("runs", "list", "--json").json)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    told = assetgraph("runs", "list", "--status", "SUCCESS", "--limit", "2").err
    assert f"assetgraph runs list --before {second} --status SUCCESS --limit 2" in told


ENDING_SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.mark.parametrize(("number", "code"), ENDING_SIGNALS)
def test_a_signal_cancels_the_run_and_says_so(
    project: MakeProject, number: signal.Signals, code: int, assetgraph: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    made = project(
        {"pipeline.py": "import assetgraph as dg, threading\n@dg.asset\ndef endless():\n"
                        "    print('here')\n    threading.Event().wait(60)\n"}
    )  # fmt: skip
    process = in_new_process(made.root, "materialize", "endless")
    assert process.stderr
    assert process.stderr.readline() == "▶ endless\n"
    assert process.stderr.readline() == "  endless │ here\n"
    process.send_signal(number)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == code
    assert "was canceled after" in told
    assert "assetgraph runs rerun" in told
    monkeypatch.chdir(made.root)
    (run,) = assetgraph("runs", "list", "--json").json
    assert run["status"] == "CANCELED"


def test_a_run_whose_terminal_is_closed_is_recorded_as_canceled(
    project: MakeProject, assetgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project(
        {"pipeline.py": "import assetgraph as dg, threading\n@dg.asset\ndef endless():\n"
                        "    print('here')\n    threading.Event().wait(60)\n"}
    )  # fmt: skip
    end, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "assetgraph", "materialize", "endless"],
        cwd=made.root, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(terminal)
    shown = b""
    while b"endless" not in shown or b"here" not in shown:
        shown += os.read(end, 1000)
    os.close(end)
    assert process.wait(timeout=60) == 129
    monkeypatch.chdir(made.root)
    (run,) = assetgraph("runs", "list", "--json").json
    assert run["status"] == "CANCELED"


@pytest.mark.parametrize(("number", "code"), ENDING_SIGNALS)
def test_a_signal_before_the_run_begins_has_the_exit_code_of_that_signal(
    project: MakeProject, number: signal.Signals, code: int
) -> None:
    made = project({"pipeline.py": f"import signal\nsignal.raise_signal({int(number)})\n"})
    process = in_new_process(made.root, "materialize", "--all")
    told = process.communicate(timeout=60)[1]
    assert process.returncode == code
    assert ("Terminated." if number != signal.SIGINT else "Canceled.") in told


@pytest.mark.parametrize(("number", "code"), ENDING_SIGNALS)
def test_a_step_that_swallows_the_signal_does_not_undo_it(
    project: MakeProject, number: signal.Signals, code: int, assetgraph: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    made = project(
        {"pipeline.py": f"""
            import signal
            import assetgraph as dg

            @dg.asset
            def deaf():
                try:
                    signal.raise_signal({int(number)})
                except KeyboardInterrupt:
                    pass
                return 1

            @dg.asset
            def after(deaf):
                return 2
        """}
    )  # fmt: skip
    process = in_new_process(made.root, "materialize", "--all")
    told = process.communicate(timeout=60)[1]
    assert process.returncode == code, told
    monkeypatch.chdir(made.root)
    run = assetgraph("runs", "show", "latest", "--json").json
    assert run["status"] == "CANCELED"
    assert {step["key"]: step["state"] for step in run["steps"]} == {
        "deaf": "success", "after": "waiting",
    }  # fmt: skip


def test_text_that_the_terminal_cannot_show_is_no_reason_to_fail(pipeline: ProjectFolder) -> None:
    process = in_new_process(pipeline.root, "list", PYTHONIOENCODING="ascii")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "\\ud0dd\\uc2dc" in out


# -- help, completion, start-up


def commands(group: click.Group, *path: str) -> list[tuple[tuple[str, ...], click.Command]]:
    found = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        found.append(((*path, name), command))
        if isinstance(command, click.Group):
            found += commands(command, *path, name)
    return found


@pytest.mark.parametrize(
    ("path", "command"), commands(root_command), ids=lambda value: " ".join(value)
    if isinstance(value, tuple) else "",
)  # fmt: skip
def test_every_command_explains_itself_with_an_example(
    path: tuple[str, ...], command: click.Command, assetgraph: Command
) -> None:
    answer = assetgraph(*path, "--help")
    assert answer.code == 0
    assert (
        isinstance(command, click.Group)
        or f"assetgraph {' '.join(path)}" in answer.out.partition("Example")[2]
    )
    assert "..." not in command.get_short_help_str(60)


def test_the_help_fits_eighty_columns_and_keeps_the_command_for_completion_on_one_line(
    assetgraph: Command,
) -> None:
    lines = assetgraph("--help").out.splitlines()
    assert max(map(len, lines)) <= 80
    assert '  eval "$(_ASSETGRAPH_COMPLETE=bash_source assetgraph)"' in lines[-1]


def complete(folder: Path, *words: str) -> list[str]:
    process = in_new_process(
        folder,
        _ASSETGRAPH_COMPLETE="bash_complete",
        COMP_WORDS=" ".join(["assetgraph", *words]),
        COMP_CWORD=str(len(words)),
    )
    out, err = process.communicate(timeout=60)
    assert err == ""
    return [line.partition(",")[2] for line in out.split()]


def test_the_tab_key_knows_commands_assets_and_runs(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    assert complete(pipeline.root, "mat") == ["materialize"]
    assert complete(pipeline.root, "show", "raw") == ["raw_trips"]
    assert complete(pipeline.root, "materialize", "+da") == ["+daily_fares"]
    run_id = assetgraph("materialize", "raw_trips", "--json").json["run_id"]
    assert complete(pipeline.root, "runs", "show", "") == ["latest", run_id]


def test_the_tab_key_reads_remembered_names_until_a_file_is_newer(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    assetgraph("materialize", "raw_trips")
    remembered = pipeline.root / ".assetgraph/cache/assets.txt"
    remembered.write_text("pipeline\nremembered")
    later = pipeline.root.stat().st_mtime_ns + 10**12
    os.utime(remembered, ns=(later, later))
    assert complete(pipeline.root, "show", "") == ["remembered"]
    os.utime(pipeline.root / "pipeline.py", ns=(later + 1, later + 1))
    assert complete(pipeline.root, "show", "raw") == ["raw_trips"]


def test_the_tab_key_is_silent_where_nothing_loads(folder: Path) -> None:
    assert complete(folder, "show", "") == []


HEAVY = {
    "networkx",
    "rich",
    "pyarrow",
    "requests",
    "pandas",
    "numpy",
    "assetgraph.run.runner",
    "asyncio",
}


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--help"], set()),
        (["runs", "list"], set()),
        (["runs", "show", "latest"], set()),
        (["runs", "logs", "latest"], set()),
        (["list"], set()),
        (["plan"], set()),
        (["status"], set()),
        (["lineage"], set()),
        (["check"], set()),
        (["materialize", "--all"], {"assetgraph.run.runner"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_imports_only_what_it_uses(
    pipeline: ProjectFolder, assetgraph: Command, arguments: list[str], allowed: set[str]
) -> None:
    assetgraph("materialize", "--all")
    ended = pipeline.python(
        f"""
        import sys
        from assetgraph.cli.app import run
        assert run({arguments!r}) == 0
        print(*sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)
        """
    )
    assert ended.returncode == 0, ended.stderr
    assert set(ended.stderr.splitlines()[-1].split()) <= allowed


def test_a_project_without_config_imports_nothing_for_it(
    project: Callable[..., ProjectFolder],
) -> None:
    made = project({"pipeline.py": "import assetgraph as dg\n@dg.asset\ndef a(): return 1"})
    ended = made.python(
        """
        import sys
        from assetgraph.cli.app import run
        for words in (["list"], ["plan"], ["status"], ["check"], ["materialize", "--all"]):
            assert run(words) == 0
        print(*sorted(name for name in sys.modules if "pydantic" in name or ".config" in name))
        """
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == ""


def test_a_run_of_one_asset_reads_few_files_of_the_package(pipeline: ProjectFolder) -> None:
    ended = pipeline.python(
        """
        import sys
        from assetgraph.cli.app import run
        assert run(["materialize", "raw_trips"]) == 0
        print(*(name for name in sys.modules if name.split(".")[0] == "assetgraph"))
        """
    )
    assert ended.returncode == 0, ended.stderr
    imported = set(ended.stdout.split())
    own = {name for name in imported if name.startswith("assetgraph.cli")}
    assert len(own) <= MOST_MODULES_OF_THE_COMMAND_LINE
    assert len(imported) <= MOST_MODULES
    assert not any(name.startswith("assetgraph.queries") for name in imported)


# A folder counts as the module that its `__init__` is.
MOST_MODULES = 156  # the asset has config and a context; two plain assets need 147
MOST_MODULES_OF_THE_COMMAND_LINE = 21

"""What is up to date and what is not: status, --stale, accept; and the care of a store."""

from __future__ import annotations

import json
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Answer, ProjectFolder, in_new_process

from assetgraph import AssetKey
from assetgraph.keys import Target
from assetgraph.storage.store import Store

Command = Callable[..., Answer]
MakeProject = Callable[..., ProjectFolder]

PIPELINE = """\
import assetgraph as dg

@dg.asset
def raw_trips():
    return [1, 2, 3]

@dg.asset
def daily_fares(raw_trips):
    return sum(raw_trips)
"""
FILE = """\
from pathlib import Path
import assetgraph as dg

@dg.asset
def fares_file() -> Path:
    file = Path("fares.csv")
    file.write_text("fare")
    return file

@dg.asset
def never_made(): ...
"""
CHANGED = PIPELINE.replace("[1, 2, 3]", "[3, 2, 1]")


@pytest.fixture
def pipeline(project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    made = project({"pipeline.py": PIPELINE})
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def changed(pipeline: ProjectFolder, assetgraph: Command) -> ProjectFolder:
    """A project whose first asset changed after it was materialized."""
    assert assetgraph("materialize", "--all").code == 0
    pipeline.write("pipeline.py", CHANGED)
    return pipeline


def test_status_says_what_is_not_up_to_date_and_why(
    changed: ProjectFolder, assetgraph: Command
) -> None:
    answer = assetgraph("status")
    assert answer == Answer(
        0,
        "ASSET        STATE    WHY\n"
        "raw_trips    ! stale  `raw_trips` in `pipeline.py` changed\n"
        "daily_fares  ! stale  upstream raw_trips is stale\n",
        "2 assets are not up to date. To update: assetgraph materialize --stale\n",
    )
    states = assetgraph("status", "--json").json
    assert [(s["key"], s["state"], s["reasons"][0]["kind"]) for s in states] == [
        ("raw_trips", "stale", "code_changed"), ("daily_fares", "stale", "upstream_stale"),
    ]  # fmt: skip


def test_status_tells_scripts_by_its_exit_code(changed: ProjectFolder, assetgraph: Command) -> None:
    assert assetgraph("status", "--exit-code").code == 1
    assert assetgraph("materialize", "--stale").code == 0
    answer = assetgraph("status", "--exit-code")
    assert (answer.code, answer.err) == (0, "All 2 assets are up to date.\n")


def test_assets_of_the_same_code_are_told_apart_in_a_reason(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    text = """
import assetgraph as dg
SHORT = 10
LONG = 10

@dg.asset
def short():
    return SHORT

@dg.asset
def long():
    return LONG
"""
    for changed in ("SHORT", "LONG"):
        pipeline.write("pipeline.py", text)
        assert assetgraph("materialize", "--all").code == 0
        pipeline.write("pipeline.py", text.replace(f"{changed} = 10", f"{changed} = 11"))
        (step,) = assetgraph("plan", "--json").json
        assert step["key"] == changed.lower()
        assert step["reasons"][0]["text"].startswith(f"`{changed}` in `pipeline.py` changed")


def test_plan_alone_lists_what_is_missing_or_stale(
    changed: ProjectFolder, assetgraph: Command
) -> None:
    assert assetgraph("plan").out == (
        "   ASSET        CAUSE  WHY\n"
        "1  raw_trips    stale  `raw_trips` in `pipeline.py` changed\n"
        "2  daily_fares  stale  upstream raw_trips is stale\n"
    )
    assert assetgraph("materialize", "--stale", "--dry-run").out == assetgraph("plan").out


def test_materialize_stale_spares_what_gets_the_same_data(
    changed: ProjectFolder, assetgraph: Command
) -> None:
    changed.write("pipeline.py", PIPELINE.replace("return [1", "x = 0\n    return [1"))
    answer = assetgraph("materialize", "--stale")
    assert "= daily_fares  Did not run: unchanged upstream." in answer.err
    assert "✓ 1 success   = 1 unchanged" in answer.err
    again = assetgraph("materialize", "--stale")
    assert (again.code, again.out) == (0, "")
    assert again.err == "Nothing to do: everything is up to date.\n"
    assert assetgraph("materialize", "--stale", "--json").json is None
    assert len(assetgraph("runs", "list", "--json").json) == 2


def test_nothing_to_do_says_only_what_was_selected_is_up_to_date(
    changed: ProjectFolder, assetgraph: Command
) -> None:
    assetgraph("materialize", "--all")
    changed.write("pipeline.py", CHANGED.replace("sum(raw_trips)", "len(raw_trips)"))
    told = "Nothing to do: everything selected is up to date.\n"
    assert assetgraph("materialize", "--stale", "raw_trips").err == told
    assert assetgraph("materialize", "--stale", "--exclude", "daily_fares").err == told
    assert assetgraph("plan", "raw_trips", "--stale").out == told


def test_an_upstream_whose_value_is_gone_is_not_said_to_have_none_yet(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    pipeline.write("pipeline.py", FILE + "\n@dg.asset\ndef reader(fares_file): ...\n")
    assetgraph("materialize", "--all")
    (pipeline.root / "fares.csv").unlink()
    told = assetgraph("plan", "reader").err
    assert told == "1 upstream asset has no usable value and will also run: fares_file\n"


def test_a_stale_upstream_is_used_as_it_is_and_said_once(
    changed: ProjectFolder, assetgraph: Command
) -> None:
    answer = assetgraph("materialize", "daily_fares")
    live, summary = answer.err.split("\n\n")
    told = "! raw_trips is used as it is, though `raw_trips` in `pipeline.py` changed."
    assert live.count(told) == summary.count(told) == 1
    assert "assetgraph materialize --stale raw_trips" in summary


def test_accept_takes_a_change_as_harmless(changed: ProjectFolder, assetgraph: Command) -> None:
    assert assetgraph("accept", "raw_trips").out == "Accepted raw_trips\n"
    assert assetgraph("status", "--exit-code").code == 0
    page = assetgraph("show", "raw_trips").out
    assert re.search(r"\n  Accepted +20", page)
    assert page.partition("History\n")[2].count("= accepted") == 1
    again = assetgraph("accept", "*", "--json")
    assert again.json == []
    assert "Nothing to accept" in again.err
    assert assetgraph("accept").code == 2


def test_a_changed_class_of_a_value_whose_asset_has_its_own_version_reaches_its_readers(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    made = "import assetgraph as dg\nimport tax\n\n@dg.asset(code_version='1')\ndef rate(): "
    pipeline.write(
        "pipeline.py", f"{made}return tax.Tax()\n@dg.asset\ndef paid(rate): return rate.of(10)\n"
    )
    tax = "class Tax:\n    def of(self, amount): return amount * 2\n"
    pipeline.write("tax.py", tax)
    assetgraph("materialize", "--all")
    assert assetgraph("plan", "--json").json == []
    pipeline.write("tax.py", tax.replace("2", "3"))

    (step,) = assetgraph("plan", "--json").json
    assert step["key"] == "paid"
    assert step["reasons"][0]["kind"] == "upstream_data"
    assert assetgraph("accept", "rate").out == "Accepted rate\n"
    assert assetgraph("plan", "--json").json == []

    pipeline.write("tax.py", tax.replace("2", "4"))
    assetgraph("materialize", "--stale")
    last = (pipeline.root / ".assetgraph/assets/paid.jsonl").read_text().splitlines()[-1]
    assert '"inline":"40"' in last


@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_what_a_step_does_to_the_class_of_its_value_is_no_news_to_its_readers(
    pipeline: ProjectFolder, assetgraph: Command, executor: str
) -> None:
    text = "import assetgraph as dg\n\nclass Tax:\n    made = 0\n"
    text += "\n@dg.asset(code_version='1')\ndef rate():\n    Tax.made += 1\n    return Tax()\n"
    text += "\n@dg.asset\ndef paid(rate): return rate.made\n"
    pipeline.write("pipeline.py", text)
    process = in_new_process(pipeline.root, "materialize", "--all", "--executor", executor)
    process.communicate(timeout=60)

    assert process.returncode == 0
    assert assetgraph("plan", "--json").json == []


def test_a_data_version_that_an_asset_gives_stands_whatever_becomes_of_the_classes_in_its_value(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    made = "import assetgraph as dg\nimport tax\n\n@dg.asset(code_version='1')\ndef rate():\n"
    made += "    return dg.MaterializeResult(value=tax.Tax(), data_version='mine')\n"
    pipeline.write("pipeline.py", f"{made}@dg.asset\ndef paid(rate): return rate.of(10)\n")
    tax = "class Tax:\n    def of(self, amount): return amount * 2\n"
    pipeline.write("tax.py", tax)
    assetgraph("materialize", "--all")
    pipeline.write("tax.py", tax.replace("2", "3"))

    assert assetgraph("plan", "--json").json == []


def test_what_was_made_of_a_file_changed_from_outside_is_stale_once_the_file_is_made_again(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    reader = "\n@dg.asset\ndef read(fares_file):\n    return fares_file.read_text()\n"
    pipeline.write("pipeline.py", FILE.partition("\n@dg.asset\ndef never_made")[0] + reader)
    assetgraph("materialize", "--all")
    (pipeline.root / "fares.csv").write_text("from outside")
    assetgraph("materialize", "read")
    assetgraph("materialize", "fares_file")

    (step,) = assetgraph("plan", "--json").json
    assert step["key"] == "read"
    assert [reason["kind"] for reason in step["reasons"]] == ["upstream_data"]


def test_what_changed_since_an_accepted_version_is_named(
    changed: ProjectFolder, assetgraph: Command
) -> None:
    helper = "def rate():\n    return 1\n\n"
    with_helper = PIPELINE.replace("@dg.asset", helper + "@dg.asset", 1).replace(
        "1, 2", "rate(), 2"
    )
    changed.write("pipeline.py", with_helper)
    assetgraph("accept", "raw_trips")
    changed.write("pipeline.py", with_helper.replace("return 1", "return 7"))
    assert "`rate` in `pipeline.py` changed" in assetgraph("plan").out


def test_steps_run_in_worker_processes_with_j(pipeline: ProjectFolder) -> None:
    pipeline.write(
        "pipeline.py", PIPELINE.replace("    return [1", "    import os\n    print(os.getpid())\n"
                                        "    return [1")
    )  # fmt: skip
    process = in_new_process(pipeline.root, "materialize", "--all", "-j", "2")
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 0
    pid = re.search(r"raw_trips │ (\d+)", told)
    assert pid
    assert int(pid[1]) != process.pid


def test_an_executor_that_does_not_fit_is_said_before_anything_runs(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    answer = assetgraph("materialize", "--all", "--executor", "serial", "-j", "2")
    assert answer.code == 2
    assert "one step at a time" in answer.err
    assert not (pipeline.root / ".assetgraph/runs").exists()


ENDLESS = """\
import threading
import assetgraph as dg

@dg.asset
def endless():
    print("here")
    threading.Event().wait(60)
"""


def test_a_run_is_canceled_from_another_terminal_and_no_wait_does_not_wait_for_it(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    pipeline.write("pipeline.py", ENDLESS)
    process = in_new_process(pipeline.root, "materialize", "endless")
    assert process.stderr
    assert process.stderr.readline() == "▶ endless\n"
    assert process.stderr.readline() == "  endless │ here\n"
    held = assetgraph("materialize", "endless", "--no-wait")
    assert held.code == 3
    assert "--no-wait" in held.err
    answer = assetgraph("runs", "cancel", "latest")
    assert answer.out.startswith("Canceling the run ")
    assert "was canceled" in process.communicate(timeout=60)[1]
    assert process.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)
    again = assetgraph("runs", "cancel", "latest")
    assert again.code == 2
    assert "not in progress" in again.err


def test_status_says_which_run_makes_an_asset_now_and_how_to_watch_it(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    pipeline.write("pipeline.py", ENDLESS)
    process = in_new_process(pipeline.root, "materialize", "endless")
    assert process.stderr
    process.stderr.readline()
    process.stderr.readline()  # what it prints: it has its lock
    run_id = assetgraph("runs", "list", "--json").json[0]["run_id"]

    assert assetgraph("status", "--exit-code") == Answer(
        1,
        f"ASSET    STATE      WHY\nendless  ▶ running  being materialized by run {run_id}\n",
        f"1 asset is being materialized. To watch: assetgraph runs logs {run_id} --follow\n",
    )
    assert f"  being materialized by run {run_id}\n" in assetgraph("show", "endless").out
    for view in ("status", "list"):
        assert assetgraph(view, "--json").json[0]["running_run_id"] == run_id
    process.kill()
    process.communicate(timeout=60)
    assert assetgraph("list", "--json").json[0]["running_run_id"] is None
    assert assetgraph("runs", "logs", "latest") == Answer(
        0,
        "endless  printed\n  here\n",
        f"! The log ends here: the process died. To continue: assetgraph runs rerun {run_id}\n",
    )


def test_an_asset_that_no_run_holds_is_being_materialized_by_another_process(
    changed: ProjectFolder, assetgraph: Command
) -> None:
    lock = Store(changed.root / ".assetgraph").lock(Target(AssetKey("raw_trips")))
    assert lock.acquire()
    answer = assetgraph("status")
    assert "raw_trips    ▶ running  being materialized by another process; `raw" in answer.out
    assert answer.err == (
        "1 asset is being materialized by another process.\n"
        "1 asset is not up to date. To update: assetgraph materialize --stale\n"
    )
    lock.release()


def test_prune_says_what_would_go_and_then_removes_it(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    settings = pipeline.root / "pyproject.toml"
    settings.write_text(settings.read_text() + "keep_runs = 1\n")
    for _ in range(2):
        assetgraph("materialize", "raw_trips")
    leftover = next((pipeline.root / ".assetgraph/runs").iterdir()) / ".20200101-000000-000-abcd"
    leftover.mkdir()
    would = assetgraph("prune", "--dry-run")
    assert "leftover" in would.out
    assert would.err.startswith("Would remove 1 leftover, ")
    assert leftover.exists()
    assert assetgraph("prune", "--json").json[0]["kind"] == "leftover"
    assert not leftover.exists()
    assert assetgraph("prune").err == "Nothing to remove.\n"


def test_doctor_reports_damage_and_repairs_what_needs_no_guess(
    changed: ProjectFolder, assetgraph: Command
) -> None:
    assert assetgraph("doctor").err == "The store is intact.\n"
    history = changed.root / ".assetgraph/assets/raw_trips.jsonl"
    with history.open("a") as file:
        file.write('{"cut')
    found = assetgraph("doctor")
    assert found.code == 0
    assert "raw_trips.jsonl is incomplete" in found.out
    assert found.err == "1 of 1 finding can be repaired: assetgraph doctor --repair\n"
    assert "(repaired)" in assetgraph("doctor", "--repair").out
    assert assetgraph("doctor", "--json").json == []
    history.write_text("{damaged}\n" + history.read_text())
    damaged = assetgraph("doctor", "--mend")
    assert damaged.code == 1
    assert damaged.err == "1 finding, 0 repaired.\n"


def test_a_store_that_is_not_there_is_said(pipeline: ProjectFolder, assetgraph: Command) -> None:
    nowhere = str(pipeline.root / "nowhere")
    told = f"Error: there is no store in {nowhere}.\nCheck the folder after --store."
    for command in (
        ["doctor"], ["prune"], ["prune", "--orphaned"], ["list"], ["list", "raw_trips"], ["status"],
        ["status", "--json"], ["show", "raw_trips"], ["show", "raw_trips", "--head", "1"], ["plan"],
        ["plan", "--all"], ["lineage"], ["lineage", "--format", "svg"], ["accept", "raw_trips"],
        ["wipe", "raw_trips"], ["mv", "raw", "raw_trips"], ["runs", "list"],
        ["runs", "list", "--json"], ["runs", "show", "latest"], ["runs", "logs", "latest"],
        ["runs", "logs", "latest", "--follow"], ["runs", "rerun", "latest"],
        ["runs", "cancel", "latest"], ["runs", "delete", "latest"],
    ):  # fmt: skip
        answer = assetgraph(*command, "--store", nowhere)
        assert (answer.code, answer.out) == (2, ""), command
        assert told in answer.err
    assert not Path(nowhere).exists()


def test_a_store_that_is_not_there_is_created_by_materialize(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    nowhere = str(pipeline.root / "nowhere")
    assert assetgraph("check", "--store", nowhere).code == 0
    assert assetgraph("materialize", "raw_trips", "--dry-run", "--store", nowhere).code == 0
    assert not Path(nowhere, "store.json").exists()
    assert assetgraph("materialize", "raw_trips", "--store", nowhere).code == 0
    (trips,) = assetgraph("status", "raw_trips", "--store", nowhere, "--json").json
    assert trips["state"] == "fresh"


def test_a_project_without_a_store_yet_is_one_where_nothing_was_made(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    own = assetgraph("doctor")
    assert (own.code, own.err) == (0, "There is no store yet: nothing has been recorded.\n")
    for command in (
        ["status"], ["list"], ["plan"], ["lineage"], ["prune"], ["runs", "list"],
        ["wipe", "raw_trips", "--yes"], ["prune", "--orphaned", "--yes"],
    ):  # fmt: skip
        answer = assetgraph(*command)
        assert answer.code == 0
        assert "no store" not in answer.err
    assert not (pipeline.root / ".assetgraph/store.json").exists()


def test_doctor_examines_what_a_repair_made_readable(
    changed: ProjectFolder, assetgraph: Command
) -> None:
    store = changed.root / ".assetgraph"
    with (store / "assets/raw_trips.jsonl").open("a") as file:
        file.write('{"cut')
    shutil.rmtree(store / "locks")
    (store / "locks").write_text("a file")
    assert assetgraph("doctor").err.startswith("1 of 1 finding")
    assert assetgraph("doctor", "--mend").err == "2 findings, 2 repaired.\n"
    assert assetgraph("doctor").err == "The store is intact.\n"


def test_lineage_is_drawn_as_a_picture(pipeline: ProjectFolder, assetgraph: Command) -> None:
    assert assetgraph("lineage", "--format", "svg").out.startswith("<svg ")


def test_what_was_made_and_is_gone_is_missing_and_not_never_materialized(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    pipeline.write("pipeline.py", FILE)
    assetgraph("materialize", "fares_file")
    (pipeline.root / "fares.csv").unlink()
    status = assetgraph("status").out
    assert "fares_file  – missing             its value is gone: fares.csv\n" in status
    assert "never_made  – never materialized\n" in status
    assert assetgraph("show", "fares_file").out.startswith("fares_file  – missing\n")
    listed = assetgraph("list").out
    assert "fares_file  – missing  " in listed
    assert "never_made  – never materialized" in listed
    svg = assetgraph("lineage", "--format", "svg").out
    assert ">– missing<" in svg
    assert ">– never materialized<" in svg
    for word in ("missing", "never materialized"):
        selected = assetgraph("list", f"status:{word}", "--json").json
        assert [one["key"] for one in selected] == ["fares_file", "never_made"]


def test_a_store_that_a_look_at_the_project_made_stays_out_of_its_repository(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    ignored = pipeline.root / ".assetgraph/.gitignore"
    assert assetgraph("plan").code == 0
    assert ignored.read_text() == "*\n"
    ignored.write_text("mine\n")
    assert assetgraph("materialize", "--all").code == 0
    assert ignored.read_text() == "mine\n"


@pytest.mark.parametrize(
    "harm",
    [
        lambda run: (run / "run.json").unlink(),
        lambda run: (run / "run.json").write_bytes(b""),
        lambda run: (run / "run.json").write_text('{"a": 1}'),
        lambda run: ((run / "run.json").unlink(), (run / "run.json").mkdir()),
        lambda run: ((run / "lock").unlink(), (run / "lock").mkdir(), as_if_running(run)),
        lambda run: (as_if_running(run), (run / "events.jsonl").write_bytes(b"x\n")),
    ],
)
def test_a_run_that_cannot_be_read_is_a_warning_to_every_command_about_assets(
    project: MakeProject, assetgraph: Command, harm: Callable[[Path], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    made = project({"pipeline.py": PIPELINE})
    monkeypatch.chdir(made.root)
    assetgraph("materialize", "--all")
    (run,) = assetgraph("runs", "list", "--json").json
    harm(next((made.root / ".assetgraph/runs").glob(f"*/{run['run_id']}")))
    for command in ("status", "plan", "list", "lineage", "materialize --dry-run", "accept"):
        answer = assetgraph(*command.split(), "daily_fares", "--json")
        assert answer.code == 0, (command, answer)
        assert answer.out.startswith("["), (command, answer)
        if command in ("status", "plan"):
            assert run["run_id"] in answer.err
    answer = assetgraph("materialize", "daily_fares", "--json")
    assert answer.code == 0, answer
    assert answer.json["status"] == "SUCCESS"


def as_if_running(run: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    del record["ended_at"]
    (run / "run.json").write_text(json.dumps({**record, "status": "STARTED"}))

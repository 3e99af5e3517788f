"""What every command says of an asset whose refresh failed, of damage, and of an empty selection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Answer, ProjectFolder

from assetgraph.records import Event, EventType, RunRecord, RunStatus, now
from assetgraph.storage.run_folders import new_run_id

Command = Callable[..., Answer]
MakeProject = Callable[..., ProjectFolder]

PIPELINE = """\
from pathlib import Path
import assetgraph as dg

class Parts(dg.Config):
    parts: int = 1

@dg.asset
def rides(config: Parts) -> list[str]:
    return Path("rides.csv").read_text().split() * config.parts

@dg.asset
def count(rides: list[str]) -> int:
    return len(rides)

@dg.asset
def zones() -> int:
    return 3
"""
EDITED = PIPELINE.replace("split() *", 'split("x")[:1] *')


@pytest.fixture
def pipeline(
    project: MakeProject, assetgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> ProjectFolder:
    """Everything is materialized."""
    made = project({"pipeline.py": PIPELINE, "rides.csv": "a b c"})
    monkeypatch.chdir(made.root)
    assert assetgraph("materialize", "--all").code == 0
    return made


@pytest.fixture
def without_file(pipeline: ProjectFolder, assetgraph: Command) -> ProjectFolder:
    """Then the input file was moved away, and a refresh failed."""
    Path("rides.csv").rename("away.csv")
    assert assetgraph("materialize", "--all").code == 1
    return pipeline


def states(assetgraph: Command, *arguments: str) -> dict[str, str]:
    return {a["key"]: a["state"] for a in assetgraph("status", *arguments, "--json").json}


@pytest.mark.usefixtures("without_file")
def test_a_failed_refresh_is_failed_everywhere_and_its_value_stays_in_use(
    assetgraph: Command,
) -> None:
    status = assetgraph("status", "--exit-code")
    assert status.code == 1
    assert "rides  ✕ failed" in status.out
    assert "stays in use" in status.out
    assert "upstream rides failed" in status.out
    assert "2 assets are not up to date" in status.err
    assert states(assetgraph) == {"rides": "failed", "count": "stale", "zones": "fresh"}
    assert "rides  ✕ failed" in assetgraph("list").out
    assert "stays in use" in assetgraph("show", "rides").out
    plan = assetgraph("plan", "--json").json
    assert [(step["key"], step["cause"]) for step in plan] == [
        ("rides", "stale"),
        ("count", "stale"),
    ]
    gone, reason = plan[0]["reasons"]
    assert reason["kind"] == "attempt_failed"
    assert (gone["kind"], gone["name"], gone["how"]) == ("read_changed", "rides.csv", "gone")
    assert {"run_id", "error", "value_run_id"} <= reason.keys()
    for word in ("failed", "failure"):
        assert [a["key"] for a in assetgraph("list", f"status:{word}", "--json").json] == ["rides"]


@pytest.mark.usefixtures("without_file")
def test_stale_tries_a_failed_asset_again_and_spares_its_readers_if_its_data_stays(
    assetgraph: Command,
) -> None:
    again = assetgraph("materialize", "--stale", "--json")
    assert again.code == 1
    assert again.json["step_counts"] == {"failure": 1, "skipped": 1}
    Path("rides.csv").write_text("c b a".replace("c b a", "a b c"))
    mended = assetgraph("materialize", "rides", "--json")
    assert mended.json["step_counts"] == {"success": 1}
    assert set(states(assetgraph).values()) == {"fresh"}


def test_a_retry_that_makes_the_same_data_spares_its_readers(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    broken = PIPELINE.replace(
        "return Path", "if Path('off').exists(): raise OSError('off')\n    return Path"
    ).replace("@dg.asset\ndef rides", "@dg.asset(observe_reads=False)\ndef rides")
    pipeline.write("pipeline.py", broken)
    assert assetgraph("materialize", "--stale").code == 0
    Path("off").touch()
    assert assetgraph("materialize", "rides").code == 1
    assert states(assetgraph)["rides"] == "failed"
    Path("off").unlink()
    assert states(assetgraph)["rides"] == "failed"  # nothing shows that it would succeed now
    again = assetgraph("materialize", "--stale", "--json")
    assert again.json["step_counts"] == {"success": 1, "unchanged": 1}


def _code(made: ProjectFolder, assetgraph: Command) -> str:
    made.write("pipeline.py", PIPELINE.replace("return Path", "raise ValueError\n    return Path"))
    assert assetgraph("materialize", "rides").code == 1
    assert states(assetgraph)["rides"] == "failed"
    made.write("pipeline.py", PIPELINE)
    return "with other code"


def _config(_made: ProjectFolder, assetgraph: Command) -> str:
    Path("rides.csv").rename("away.csv")
    assert assetgraph("materialize", "rides", "--config", "rides.parts=2").code == 1
    Path("away.csv").rename("rides.csv")
    return "with another config"


def _file(_made: ProjectFolder, assetgraph: Command) -> str:
    Path("rides.csv").rename("away.csv")
    assert assetgraph("materialize", "rides").code == 1
    assert states(assetgraph)["rides"] == "failed"
    Path("away.csv").rename("rides.csv")
    return "while `rides.csv` was not there"


@pytest.mark.parametrize("happens", [_code, _config, _file])
def test_a_failure_under_other_circumstances_is_shown_beside_the_state(
    pipeline: ProjectFolder,
    assetgraph: Command,
    happens: Callable[[ProjectFolder, Command], str],
) -> None:
    why = f"its last attempt failed {happens(pipeline, assetgraph)}"
    status = assetgraph("status", "--exit-code")
    assert status.code == 0
    assert "All 3 assets are up to date" in status.err
    (line,) = (line for line in status.out.splitlines() if line.startswith("rides"))
    assert line.split()[1:3] == ["✓", "materialized"]
    assert why in line
    assert why in assetgraph("list").err
    assert why in assetgraph("show", "rides").out
    past = assetgraph("show", "rides", "--json").json["past_failure"]
    assert past["text"].startswith(why)
    assert {"kind", "run_id", "error", "changes"} <= past.keys()
    assert assetgraph("plan", "--json").json == []
    assert assetgraph("list", "status:failed", "--json").json == []


def test_accept_ends_a_failure(without_file: ProjectFolder, assetgraph: Command) -> None:
    assert assetgraph("accept", "rides", "--json").json == ["rides"]
    assert set(states(assetgraph).values()) == {"fresh"}
    assert assetgraph("accept", "rides", "--json").json == []


def test_the_code_before_accept_counts_too_and_so_does_all_that_was_accepted(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    versions = [PIPELINE, EDITED, EDITED.replace("[:1]", "[0:1]")]
    for text in versions[1:]:
        pipeline.write("pipeline.py", text)
        assert states(assetgraph)["rides"] == "stale"
        assert assetgraph("accept", "rides", "--json").json == ["rides"]
    for text in [*versions, *reversed(versions)]:
        pipeline.write("pipeline.py", text)
        assert set(states(assetgraph).values()) == {"fresh"}
        assert assetgraph("accept", "*", "--json").json == []
    pipeline.write("pipeline.py", EDITED.replace("[:1]", "[:2]"))
    assert states(assetgraph)["rides"] == "stale"


GARBAGE = (b"garbage\n", b'{"type":"materialization"}\n', b"\xff\xfe\n", b"<<<<<<< HEAD\n")


@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_garbage_line_in_one_history_hides_no_other_asset_from_any_command(
    pipeline: ProjectFolder, assetgraph: Command, garbage: bytes
) -> None:
    history = Path(".assetgraph/assets/rides.jsonl")
    damaged = history.read_bytes() + garbage
    history.write_bytes(damaged)
    assert states(assetgraph) == {"rides": "missing", "count": "stale", "zones": "fresh"}
    status = assetgraph("status")
    assert status.code == 0
    assert f"its history cannot be read: line 2 of {history.absolute()} is damaged" in status.out
    assert (
        "Restore the history of rides from a copy, or move away what is left of it. Then: assetgraph"
        in status.err
    )
    for command in (
        ["list"],
        ["list", "status:fresh"],
        ["lineage"],
        ["show", "rides"],
        ["show", "zones"],
    ):
        assert assetgraph(*command).code == 0, command
    assert (
        "is damaged"
        in assetgraph("list").out + assetgraph("list").err + assetgraph("show", "rides").out
    )
    assert [step["key"] for step in assetgraph("plan", "--json").json] == ["rides", "count"]
    assert assetgraph("materialize", "zones").code == 0
    assert assetgraph("accept", "zones").code == 0
    accepted = assetgraph("accept", "*")
    assert accepted.code == 2
    assert "the history of 'rides' cannot be read" in accepted.err
    for command in (["prune"], ["runs", "list"], ["runs", "show", "latest"], ["check"]):
        assert assetgraph(*command).code == 0, command
    doctor = assetgraph("doctor", "--json")
    assert doctor.code == 1
    assert [f["text"] for f in doctor.json if "line 2 of" in f["text"]]
    assert history.read_bytes() == damaged


def test_a_run_of_an_asset_with_a_damaged_history_fails_that_step_and_runs_the_others(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    history = Path(".assetgraph/assets/rides.jsonl")
    history.write_bytes(b"garbage\n")
    everything = assetgraph("materialize", "--all", "--json")
    assert everything.code == 1
    assert everything.json["step_counts"] == {"success": 1, "failure": 1, "skipped": 1}
    assert "line 1 of" in everything.json["failure"]
    for refused in (["rides"], ["count"], ["--stale"]):
        answer = assetgraph("materialize", *refused)
        assert answer.code == 2
        assert "line 1 of" in answer.err
        assert f"mv {history.absolute()}" in answer.err
    assert history.read_bytes() == b"garbage\n"
    history.rename(history.with_suffix(".away"))
    assert assetgraph("materialize", "--stale").code == 0
    assert set(states(assetgraph).values()) == {"fresh"}


def test_a_state_that_nothing_is_in_is_an_answer_from_every_command(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    for command in (["list"], ["status"], ["lineage"], ["accept"], ["plan"], ["plan", "--stale"]):
        answer = assetgraph(*command, "status:failed", "--json")
        assert (answer.code, answer.json) == (0, []), command
        assert assetgraph(*command, "status:failed").code == 0
    for form in ("tree", "mermaid", "dot", "svg"):
        assert assetgraph("lineage", "status:failed", "--format", form).code == 0
    for command in (["list"], ["status"], ["lineage"], ["accept"]):
        assert "No asset matches." in assetgraph(*command, "status:failed").err
    for command in (["materialize"], ["materialize", "--stale"], ["materialize", "--dry-run"]):
        answer = assetgraph(*command, "status:failed")
        assert answer.code == 0
        assert "Nothing to do: no asset matches." in answer.out + answer.err
    assert len(assetgraph("runs", "list", "--json").json) == 1
    for command in (["list"], ["status"], ["plan"], ["materialize"], ["lineage"], ["accept"]):
        assert assetgraph(*command, "status:failed or group:no_such", "--json").code == 2


def test_what_an_interrupted_run_of_fresh_assets_left_is_named_where_nothing_is_stale(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    run_id, begun = new_run_id(), now()
    keys = ("rides", "count", "zones")
    log = (
        pipeline.find()
        .open_store()
        .runs.start(RunRecord(run_id, RunStatus.STARTED, begun, assets=keys))
    )
    log.append([Event(EventType.STEP_SUCCESS, begun, "rides")])
    log.close()
    for command in (["plan"], ["materialize", "--stale"], ["materialize", "--stale", "--dry-run"]):
        answer = assetgraph(*command)
        assert answer.code == 0
        assert "Nothing to do: everything is up to date." in answer.out + answer.err
        assert f"The run {run_id} has not reached 2 steps." in answer.err
        assert f"assetgraph runs rerun {run_id} --from-failure" in answer.err
    assert "has not reached" not in assetgraph("plan", "--stale", "zones").err
    assert assetgraph("runs", "rerun", run_id, "--from-failure").code == 0
    assert "has not reached" not in assetgraph("plan").err


def test_failures_that_no_longer_count_are_found_by_their_run(
    without_file: ProjectFolder, assetgraph: Command
) -> None:
    without_file.write("pipeline.py", EDITED)
    (run_id, *_) = (run["run_id"] for run in assetgraph("runs", "list", "--json").json)
    answer = assetgraph("materialize", "--failed")
    assert answer.code == 0
    assert "Nothing to do: nothing selected is failed." in answer.err
    assert f"The run {run_id} has not completed 2 steps." in answer.err
    assert f"assetgraph runs rerun {run_id} --from-failure" in answer.err
    assert "has not completed" not in assetgraph("materialize", "--missing").err


@pytest.mark.usefixtures("without_file")
def test_a_run_is_found_by_each_word_for_its_status(assetgraph: Command) -> None:
    def count(word: str) -> int:
        return len(assetgraph("runs", "list", "--status", word, "--json").json)

    for word in ("FAILURE", "failure", "failed", "Failed", "SUCCESS", "succeeded", "materialized"):
        assert count(word) == 1, word
    for word in ("canceled", "cancelled", "interrupted", "running", "started"):
        assert count(word) == 0, word
    unknown = assetgraph("runs", "list", "--status", "faild")
    assert unknown.code == 2
    assert "'failed'" in unknown.err

"""The endpoints that act: plan, launch, re-execute, cancel, reload."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the page needs the extra 'ui'")
pytest.importorskip("httpx2", reason="the test client needs httpx2")

from conftest import REPOSITORY, ProjectFolder
from starlette.testclient import TestClient
from web_pages import PATIENCE_S, PIPELINE, ended, error_of, launch, served

from assetgraph.storage.file_locks import Lock


@pytest.fixture
def folder_of(project: Callable[..., ProjectFolder]) -> ProjectFolder:
    return project({"pipeline.py": PIPELINE})


@pytest.fixture
def client(folder_of: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    with served(folder_of.find()) as made:
        yield made


def test_a_run_starts_in_a_process_of_its_own_and_all_of_it_is_told(client: TestClient) -> None:
    run = launch(client, selection=["+city/fares"], tags={"reason": "test"})

    assert run["status"] == "SUCCESS"
    assert run["tags"] == {"reason": "test"}
    assert [step["key"] for step in run["steps"]] == ["trips_file", "trips", "city/fares"]
    assert run["steps"][2]["deps"] == ["trips"]
    assert run["outputs"] == [{"step": "trips_file", "attempt": 1, "stream": "out", "size": 15}]
    assert run["launched_by"] == "page"

    asset = client.get("/api/assets/trips_file").json()
    assert asset["state"] == "fresh"
    assert asset["metadata"]["rows"] == 3
    assert asset["materialization"]["run_id"] == run["run_id"]
    assert [one["key"] for one in asset["downstream"]] == ["trips"]
    assert asset["description"].startswith("The trips as they come.")
    assert "def trips_file" in asset["source"]


def test_config_reaches_the_run(client: TestClient) -> None:
    body = {"selection": ["trips_file"], "config": {"trips_file": {"rows": 5}}}
    run = launch(client, **body)

    assert run["config"] == {"trips_file": {"rows": 5}}
    assert client.get("/api/assets/trips_file").json()["metadata"]["rows"] == 5


def test_config_may_be_written_as_text(client: TestClient) -> None:
    run = launch(client, selection=["trips_file"], config_text='{"trips_file": {"rows": 4}}')

    assert run["config"] == {"trips_file": {"rows": 4}}


def test_a_plan_reads_config_as_a_run_does(client: TestClient) -> None:
    launch(client, selection=["trips_file"], config={"trips_file": {"rows": 4}})

    body = {"selection": ["trips_file"], "stale": True, "config": {"trips_file": {"rows": "4"}}}
    assert client.post("/api/plan", json=body).json()["steps"] == []


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"trips_file": {"rows": "many"}}, "int"),
        ({"trips_file": {"colour": 1}}, "colour"),
        ({"trips": {"x": 1}}, "takes no config"),
        ({"nothing_such": {"x": 1}}, "nothing_such"),
        ("not a mapping", "config"),
    ],
)
def test_config_that_does_not_fit_is_refused_before_anything_runs(
    client: TestClient, config: Any, said: str
) -> None:
    for address in ("/api/plan", "/api/runs"):
        answer = client.post(address, json={"selection": ["trips_file"], "config": config})
        assert answer.status_code == 400
        assert said in error_of(answer)["message"] + (error_of(answer)["hint"] or "")
    assert client.get("/api/runs").json()["runs"] == []


def test_the_plan_says_what_would_run_and_why_and_what_may_be_configured(
    client: TestClient,
) -> None:
    plan = client.post("/api/plan", json={"selection": ["trips"]}).json()

    assert [(step["key"], step["cause"]) for step in plan["steps"]] == [
        ("trips_file", "missing"),
        ("trips", "requested"),
    ]
    assert plan["steps"][0]["reasons"][0]["text"] == "never materialized"
    month, rows = plan["config_fields"]["trips_file"]
    assert (month["name"], month["kind"], month["default"]) == ("month", "text", "2023-03")
    assert (rows["name"], rows["kind"], rows["required"]) == ("rows", "integer", False)


@pytest.mark.parametrize(
    "body",
    [{"selection": ["nothing_such"]}, {"selection": "trips"}, {"select": ["trips"]}, {"jobs": "x"}],
)
def test_a_launch_that_cannot_be_is_refused_with_a_reason(
    client: TestClient, body: dict[str, Any]
) -> None:
    answer = client.post("/api/plan", json=body)

    assert answer.status_code == 400
    assert error_of(answer)["message"]


@pytest.mark.parametrize("address", ["/api/plan", "/api/runs"])
def test_a_wrong_selection_is_refused_with_its_column_and_a_hint(
    client: TestClient, address: str
) -> None:
    error = error_of(client.post(address, json={"selection": ["trips_file or tripz"]}))
    assert error == {
        "message": "no asset is named 'tripz'.",
        "hint": "Did you mean 'trips'?",
        "text": "trips_file or tripz",
        "column": 14,
    }


@pytest.mark.parametrize("content", ["", "[]", "{", "null", '"x"'])
def test_a_body_that_is_no_object_is_refused(client: TestClient, content: str) -> None:
    answer = client.post("/api/runs", content=content, headers={"content-type": "application/json"})

    assert answer.status_code == 400


def test_nothing_selected_never_means_everything(client: TestClient) -> None:
    assert client.post("/api/runs", json={}).status_code == 400


def test_a_run_is_executed_again_from_its_failure_and_knows_its_root(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    mark = folder_of.write("break", "")
    failed = launch(client, selection=["*"])
    mark.unlink()

    again = client.post(f"/api/runs/{failed['run_id']}/rerun", json={"from_failure": True}).json()
    run = ended(client, again["run_id"])

    assert run["status"] == "SUCCESS"
    assert [step["key"] for step in run["steps"]] == ["city/fares"]
    assert run["root_run_id"] == run["parent_run_id"] == failed["run_id"]
    assert [one["status"] for one in run["family"]] == ["FAILURE", "SUCCESS"]


def test_re_executions_of_a_run_that_was_deleted_stay_a_family(client: TestClient) -> None:
    root = launch(client, selection=["trips_file"])["run_id"]
    again = [
        ended(client, client.post(f"/api/runs/{root}/rerun", json={}).json()["run_id"])["run_id"]
        for _ in range(2)
    ]
    runs = client.app_state["page_state"].store.runs
    lock = Lock(f"{runs.path(root)}/lock")
    lock.wait(lambda: True)  # after the end of a run, its process syncs the disk before it lets go
    lock.release()
    runs.delete(root)

    for run_id in again:
        family = client.get(f"/api/runs/{run_id}").json()["family"]
        assert [one["run_id"] for one in family] == again


def test_a_run_can_be_canceled(client: TestClient, folder_of: ProjectFolder) -> None:
    folder_of.write(
        "pipeline.py",
        """
        import time

        import assetgraph as dg

        @dg.asset
        def slow():
            print("begun", flush=True)
            time.sleep(600)
        """,
    )
    client.post("/api/definitions/reload", json={})
    run_id = client.post("/api/runs", json={"selection": ["slow"]}).json()["run_id"]
    deadline = time.monotonic() + PATIENCE_S
    while not client.get(f"/api/runs/{run_id}").json()["outputs"]:
        assert time.monotonic() < deadline
    assert client.get("/api/assets/slow").json()["state"] == "running"

    assert client.post(f"/api/runs/{run_id}/cancel", json={}).status_code == 200

    assert ended(client, run_id)["status"] == "CANCELED"
    assert client.post(f"/api/runs/{run_id}/cancel", json={}).status_code == 400


def test_a_process_that_ends_before_its_run_says_why(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    folder_of.write("pipeline.py", "import nothing_such_module\n")

    answer = client.post("/api/runs", json={"selection": ["trips_file"]})

    assert answer.status_code == 400
    assert "nothing_such_module" in error_of(answer)["message"]


def test_what_a_process_printed_stands_before_the_error_that_ended_it(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    config = {"trips_file": {"rows": "many"}}
    file = folder_of.root / "pipeline.py"
    file.write_text(file.read_text() + "\nprint('one\\0two')\n")
    client.post("/api/reload", json={})
    error = error_of(client.post("/api/runs", json={"selection": ["trips_file"], "config": config}))
    assert error["message"].startswith("one\0two\nconfig of 'trips_file': rows: expected `int`")
    assert error["hint"].startswith("It takes: month")


def test_reloading_takes_over_what_was_edited(client: TestClient, folder_of: ProjectFolder) -> None:
    folder_of.write("pipeline.py", PIPELINE.replace("def trips(", "def journeys("))
    file = Path(folder_of.root / "pipeline.py")
    file.write_text(file.read_text().replace("def fares(trips)", "def fares(journeys)"))

    assert client.post("/api/definitions/reload", json={}).json()["failure"] is None
    assert "journeys" in [asset["key"] for asset in client.get("/api/assets").json()]


def test_chosen_steps_of_a_run_are_executed_again(client: TestClient) -> None:
    first = launch(client, selection=["*"])
    address = f"/api/runs/{first['run_id']}/rerun"

    run = ended(client, client.post(address, json={"steps": ["trips"]}).json()["run_id"])

    assert [step["key"] for step in run["steps"]] == ["trips"]
    assert run["parent_run_id"] == first["run_id"]
    assert client.post(address, json={"steps": ["nothing"]}).status_code == 400

"""What the page's endpoints say of a failed refresh, of damage, and of words and selections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the page needs the extra 'ui'")
pytest.importorskip("httpx2", reason="the test client needs httpx2")

from conftest import REPOSITORY, ProjectFolder
from starlette.testclient import TestClient
from web_pages import PIPELINE, launch, served


@pytest.fixture
def folder_of(project: Callable[..., ProjectFolder]) -> ProjectFolder:
    return project({"pipeline.py": PIPELINE})


@pytest.fixture
def client(folder_of: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    with served(folder_of.find()) as made:
        launch(made, selection=["*"])
        yield made


@pytest.fixture
def failed(client: TestClient, folder_of: ProjectFolder) -> TestClient:
    """A refresh of the last asset failed; its value is there."""
    (folder_of.root / "break").touch()
    launch(client, selection=["city/fares"])
    return client


def test_a_failed_refresh_counts_as_failed_beside_a_value_that_is_in_use(
    failed: TestClient,
) -> None:
    assert failed.get("/api/overview").json()["counts"]["failed"] == 1
    assert failed.get("/api/summary").json()["counts"]["failed"] == 1
    asset = failed.get("/api/assets/city/fares").json()
    looked_for, reason = asset["reasons"]
    assert (asset["state"], reason["kind"]) == ("failed", "attempt_failed")
    assert (looked_for["kind"], looked_for["name"]) == ("read_changed", "break")
    assert reason["value_run_id"] == asset["materialization"]["run_id"]
    assert asset["failure"]["timestamp"] > asset["materialization"]["timestamp"]
    (node,) = (n for n in failed.get("/api/lineage").json()["nodes"] if n["key"] == "city/fares")
    assert (node["state"], "stays in use" in node["reason"]) == ("failed", True)
    plan = failed.post("/api/plan", json={"selection": ["*"], "stale": True}).json()
    assert [step["key"] for step in plan["steps"]] == ["city/fares"]


def test_a_failure_of_other_code_is_shown_beside_the_state(
    failed: TestClient, folder_of: ProjectFolder
) -> None:
    edited = PIPELINE.replace('Path("break").exists()', 'Path("break").exists() is True')
    folder_of.write("pipeline.py", edited)
    failed.post("/api/definitions/reload", json={})
    asset = failed.get("/api/assets/city/fares").json()
    assert asset["state"] == "stale"
    assert asset["past_failure"]["changes"] == ["with other code"]


@pytest.mark.parametrize("select", ["status:running", "trips and trips_file", "not *"])
def test_a_selection_that_matches_nothing_is_an_empty_answer(
    client: TestClient, select: str
) -> None:
    assert client.get("/api/assets", params={"select": select}).json() == []
    lineage = client.get("/api/lineage", params={"select": select}).json()
    assert (lineage["nodes"], lineage["asset_count"]) == ([], 0)
    assert client.get("/api/lineage.svg", params={"select": select}).status_code == 200
    plan = client.post("/api/plan", json={"selection": [select]}).json()
    assert (plan["steps"], plan["selects_nothing"]) == ([], True)
    started = client.post("/api/runs", json={"selection": [select]}).json()
    assert (started["run_id"], started["message"]) == (None, "Nothing to do: no asset matches.")
    assert client.get("/api/assets", params={"select": f"{select} or x"}).status_code == 400


def test_runs_are_filtered_by_any_word_for_a_status(failed: TestClient) -> None:
    def count(word: str) -> int:
        return len(failed.get("/api/runs", params={"status": word}).json()["runs"])

    assert [count(w) for w in ("FAILURE", "failed", "success", "succeeded", "running")] == [
        1, 1, 1, 1, 0,
    ]  # fmt: skip
    assert failed.get("/api/runs", params={"status": "fialed"}).status_code == 400


def test_damage_in_one_history_leaves_the_others_their_pages(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    history = Path(folder_of.root, ".assetgraph/assets/trips.jsonl")
    history.write_bytes(history.read_bytes() + b"garbage\n")
    client.app_state["page_state"].sweep()
    states = {a["key"]: a["state"] for a in client.get("/api/assets").json()}
    assert states == {"trips_file": "fresh", "trips": "missing", "city/fares": "stale"}
    damaged = client.get("/api/assets/trips").json()
    assert "line 2 of" in damaged["damage"]
    for path in ("history/trips", "lineage", "overview", "assets/city/fares", "runs", "summary"):
        assert client.get(f"/api/{path}").status_code == 200, path
    plan = client.post("/api/plan", json={"selection": ["*"], "stale": True}).json()
    assert [step["key"] for step in plan["steps"]] == ["trips", "city/fares"]
    assert launch(client, selection=["trips_file"])["status"] == "SUCCESS"
    refused = client.post("/api/runs", json={"selection": ["trips"]})
    assert refused.status_code == 400
    assert "line 2 of" in refused.json()["error"]["message"]

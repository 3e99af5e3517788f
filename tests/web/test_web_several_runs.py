"""Several runs are deleted or canceled with one request."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("starlette", reason="the page needs the extra 'ui'")
pytest.importorskip("httpx2", reason="the test client needs httpx2")

from conftest import REPOSITORY, ProjectFolder
from starlette.testclient import TestClient
from web_pages import PATIENCE_S, ended, error_of, launch, served

FILES = """
    import time
    import assetgraph as dg

    @dg.asset
    def quick(): return 1

    @dg.asset
    def slow():
        while True:
            time.sleep(0.05)
"""


@pytest.fixture
def client(
    project: Callable[..., ProjectFolder], monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    with served(project({"pipeline.py": FILES}).find()) as made:
        yield made


def _ids(client: TestClient) -> list[str]:
    return [run["run_id"] for run in client.get("/api/runs").json()["runs"]]


def _slow(client: TestClient) -> str:
    """A run whose step has begun."""
    run_id: str = client.post("/api/runs", json={"selection": ["slow"]}).json()["run_id"]
    deadline = time.monotonic() + PATIENCE_S
    while client.get(f"/api/runs/{run_id}").json()["steps"][0]["state"] != "running":
        assert time.monotonic() < deadline
    return run_id


def test_ended_runs_are_deleted_and_their_values_and_histories_stay(client: TestClient) -> None:
    first, second, third = (launch(client, selection=["quick"])["run_id"] for _ in range(3))

    answer = client.post("/api/runs/delete", json={"runs": [first, second, first]}).json()

    assert answer == {"done": [first, second], "refused": []}
    assert _ids(client) == [third]
    assert client.get("/api/assets/quick").json()["state"] == "fresh"
    assert len(client.get("/api/history/quick").json()["attempts"]) == 3


def test_a_run_in_progress_is_never_deleted_and_those_beside_it_are(client: TestClient) -> None:
    done, living = launch(client, selection=["quick"])["run_id"], _slow(client)

    answer = client.post("/api/runs/delete", json={"runs": [living, done]}).json()

    assert answer["done"] == [done]
    (refused,) = answer["refused"]
    assert refused["run_id"] == living
    assert "in progress" in refused["message"]
    assert _ids(client) == [living]

    canceled = client.post("/api/runs/cancel", json={"runs": [living, done]}).json()
    assert canceled["done"] == [living]
    assert [one["run_id"] for one in canceled["refused"]] == [done]
    assert ended(client, living)["status"] == "CANCELED"
    assert client.post("/api/runs/delete", json={"runs": [living]}).json()["done"] == [living]


@pytest.mark.parametrize("name", ["latest", "2026", "", "../runs", "20261122-160837-482-4f2a"])
@pytest.mark.parametrize("verb", ["delete", "cancel"])
def test_only_the_whole_id_of_a_run_that_is_there_names_it(
    client: TestClient, verb: str, name: str
) -> None:
    there = launch(client, selection=["quick"])["run_id"]

    answer = client.post(f"/api/runs/{verb}", json={"runs": [name, there[-4:]]}).json()

    assert answer["done"] == []
    assert [one["run_id"] for one in answer["refused"]] == [name, there[-4:]]
    assert _ids(client) == [there]


@pytest.mark.parametrize("body", [{}, {"runs": []}, {"runs": "latest"}, {"runs": ["a"] * 201}])
def test_a_request_that_names_no_runs_does_nothing(
    client: TestClient, body: dict[str, object]
) -> None:
    there = launch(client, selection=["quick"])["run_id"]
    if len(body.get("runs") or "") > 200:  # type: ignore[arg-type]
        body = {"runs": [f"{there}{n}" for n in range(201)]}

    answer = client.post("/api/runs/delete", json=body)

    assert answer.status_code == 400
    assert "runs" in error_of(answer)["message"]
    assert _ids(client) == [there]


@pytest.mark.parametrize("verb", ["delete", "cancel"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"content-type": "text/plain"},
    ],
)
def test_another_site_can_neither_delete_nor_cancel(
    client: TestClient, verb: str, headers: dict[str, str]
) -> None:
    there = launch(client, selection=["quick"])["run_id"]

    given = {"content-type": "application/json", **headers}
    answer = client.post(f"/api/runs/{verb}", content=f'{{"runs": ["{there}"]}}', headers=given)

    assert answer.status_code == 403
    assert _ids(client) == [there]

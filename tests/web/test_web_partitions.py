"""The endpoints with partitions: lists of them, one of them, plans, runs, and dynamic ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the page needs the extra 'ui'")
pytest.importorskip("httpx2", reason="the test client needs httpx2")

from conftest import REPOSITORY, ProjectFolder
from starlette.testclient import TestClient
from web_pages import error_of, launch, served

PIPELINE = """
    import os
    import assetgraph as dg

    days = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-02-06")

    @dg.asset(partitions_def=days)
    def trips(context) -> dict:
        if os.path.exists(context.partition_key):
            raise ValueError("a bad day")
        return {"day": context.partition_key}

    @dg.asset(partitions_def=dg.WeeklyPartitionsDefinition("2026-01-04", end_date="2026-02-01"))
    def weekly(trips: dict[str, dict]) -> int:
        return len(trips)

    @dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="customers"))
    def invoices(context) -> str:
        return context.partition_key

    @dg.asset
    def plain() -> int:
        return 1
"""


@pytest.fixture
def folder_of(project: Callable[..., ProjectFolder]) -> ProjectFolder:
    return project({"pipeline.py": PIPELINE, "2026-01-03": ""})


@pytest.fixture
def client(folder_of: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    with served(folder_of.find()) as made:
        yield made


def asset(client: TestClient, key: str, **query: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/assets/{key}", params=query).json()
    return found


def test_partitions_are_counted_listed_and_shown(client: TestClient) -> None:
    run = launch(client, selection=["trips"], partitions=["2026-01-01..2026-01-05"])
    assert run["step_counts"] == {"success": 4, "failure": 1}
    found = asset(client, "trips")
    assert found["partitions"] == {"failed": 1, "missing": 31, "fresh": 4}
    assert found["state"] == "failed"
    assert found["failure"]["error"] == "ValueError: a bad day"
    assert found["partitions_def"]["count"] == 36
    node = next(n for n in client.get("/api/lineage").json()["nodes"] if n["id"] == "trips")
    assert node["partitions"] == [4, 36]

    listed = client.get("/api/partitions/trips", params={"limit": 2, "after": 2}).json()
    assert [one["partition"] for one in listed["partitions"]] == ["2026-01-03", "2026-01-04"]
    assert (listed["total"], listed["next"]) == (36, 4)
    assert listed["partitions"][0]["failure"]["error"] == "ValueError: a bad day"
    failed = client.get("/api/partitions/trips", params={"state": "failed"}).json()
    assert [one["partition"] for one in failed["partitions"]] == ["2026-01-03"]
    named = client.get("/api/partitions/trips", params={"text": "02-0"}).json()
    assert named["total"] == 5

    one = asset(client, "trips", partition="2026-01-02")
    assert one["partition"] == "2026-01-02"
    assert one["state"] == "fresh"
    assert one["partitions"] is None
    preview = client.get("/api/preview/trips", params={"partition": "2026-01-02"}).json()
    assert "2026-01-02" in str(preview)
    history = client.get("/api/history/trips", params={"partition": "2026-01-02"}).json()
    assert [one["partition"] for one in history["attempts"]] == ["2026-01-02"]
    assert len(client.get("/api/history/trips").json()["attempts"]) == 5


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/api/assets/trips?partition=2027-01-01", 404, "no partition '2027-01-01'"),
        ("/api/assets/plain?partition=x", 404, "'plain' has no partitions"),
        ("/api/partitions/plain", 404, "'plain' has no partitions"),
        ("/api/partitions/nope", 404, "no asset 'nope'"),
        ("/api/partitions/trips?state=odd", 400, "state cannot be 'odd'"),
        ("/api/preview/trips?partition=2026-01-02", 404, "trips@2026-01-02"),
    ],
)
def test_what_there_is_not_is_said(
    client: TestClient, address: str, status: int, said: str
) -> None:
    answer = client.get(address)
    assert answer.status_code == status
    assert said in error_of(answer)["message"]


def test_a_plan_is_in_ranges_and_starts_exactly_that(client: TestClient) -> None:
    refused = client.post("/api/plan", json={"selection": ["trips"]})
    assert "36 partitions" in error_of(refused)["message"]

    body = {"selection": ["weekly"], "partitions": ["2026-01-04..2026-01-11"]}
    plan = client.post("/api/plan", json=body).json()
    assert [(one["names"], one["count"]) for one in plan["groups"]] == [
        (["trips@2026-01-04..2026-01-17"], 14),
        (["weekly@2026-01-04..2026-01-11"], 2),
    ]
    assert plan["groups"][0]["why"] == ["never materialized"]
    run = launch(client, **body)
    planned = [f"{one['key']}@{one['partition']}" for one in plan["steps"]]
    assert [step["step"] for step in run["steps"]] == planned
    assert run["steps"][14]["deps"] == [f"trips@2026-01-{day:02}" for day in range(4, 11)]

    again = client.post(f"/api/runs/{run['run_id']}/rerun", json={}).json()
    assert again["run_id"]
    assert launch(client, selection=["trips"], only=["missing"])["step_counts"] == {
        "success": 21, "failure": 1,
    }  # fmt: skip
    assert len(client.post("/api/plan", json={"selection": ["trips"], "only": ["failed"]}).json()[
        "steps"]) == 1  # fmt: skip
    nothing = client.post("/api/plan", json={"selection": ["trips"], "only": ["missing"]}).json()
    assert nothing["nothing"] == "Nothing to do: nothing selected is missing."


def test_dynamic_partitions_are_added_and_removed(client: TestClient) -> None:
    assert asset(client, "invoices")["partitions"] == {}
    added = client.post("/api/dynamic/customers", json={"add": ["acme", "a|b", "한국"]}).json()
    assert added == {"added": ["acme", "a|b", "한국"], "removed": []}
    assert asset(client, "invoices")["partitions"] == {"missing": 3}
    assert asset(client, "invoices")["partitions_def"]["dynamic"] == ["customers"]
    launch(client, selection=["invoices"], partitions=["*"])
    client.post("/api/dynamic/customers", json={"remove": ["acme"]})
    found = asset(client, "invoices")
    assert found["partitions"] == {"fresh": 2}
    assert found["partitions_def"]["orphaned"] == ["acme"]
    wrong = client.post("/api/dynamic/customer", json={"add": ["x"]})
    assert error_of(wrong)["hint"] == "Did you mean 'customers'?"
    assert "'a..b'" in error_of(client.post("/api/dynamic/customers", json={"add": ["a..b"]}))[
        "message"]  # fmt: skip


def test_keys_that_another_process_adds_are_seen(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    page = client.app_state["page_state"]
    assert asset(client, "invoices")["partitions"] == {}
    folder_of.find().open_store().dynamic_partitions.add("customers", ["acme"])
    page.sweep()
    assert asset(client, "invoices")["partitions"] == {"missing": 1}


def test_the_bar_has_the_states_in_cells_and_tells_what_is_at_a_place(client: TestClient) -> None:
    launch(client, selection=["trips"], partitions=["2026-01-01..2026-01-05"])
    bar = client.get("/api/states/trips", params={"end": 10}).json()
    cells = [[0, 2, "fresh"], [2, 1, "failed"], [3, 2, "fresh"], [5, 5, "missing"]]
    assert bar["rows"] == [{"keys": [], "cells": cells}]
    assert (bar["count"], bar["first_key"], bar["last_key"]) == (36, "2026-01-01", "2026-01-10")
    assert bar["ticks"][0] == [0, "1 Jan 2026", True, "1 Jan 2026"]
    assert client.get("/api/states/invoices").json()["rows"] == []

    place = client.get("/api/place/trips", params={"first": 1, "end": 4}).json()
    assert place["partitions"] == ["2026-01-02..2026-01-04"]
    assert (place["count"], place["one"]) == (3, None)
    assert place["counts"] == {"failed": 1, "fresh": 2}
    one = client.get("/api/place/trips", params={"first": 2, "end": 3}).json()
    assert one["one"]["failure"]["error"] == "ValueError: a bad day"
    beyond = client.get("/api/place/trips", params={"first": 99})
    assert "there are no partitions there" in error_of(beyond)["message"]


def test_partitions_that_fail_at_the_same_place_are_one_failure(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    (folder_of.root / "2026-01-05").touch()
    run = launch(client, selection=["trips"], partitions=["2026-01-02..2026-01-06"])
    (failure,) = run["failures"]
    assert (failure["step"], failure["alike"]) == ("trips@2026-01-03", ["trips@2026-01-05"])
    assert failure["alike_count"] == 1


def test_a_run_has_its_partitions_in_strips(client: TestClient) -> None:
    run = launch(client, selection=["trips", "plain"], partitions=["2026-01-01..2026-01-05"])
    assert run["step_count"] == 6
    address = f"/api/runs/{run['run_id']}/strips"
    cells = [[0, 2, "success"], [2, 1, "failure"], [3, 2, "success"]]
    counts = {"success": 4, "failure": 1}
    strips = client.get(address).json()
    assert strips == {
        "strips": [{"asset": "trips", "count": 5, "counts": counts, "cells": cells}],
        "more_assets": 0,
    }
    place = client.get(f"{address}/trips", params={"first": 1, "end": 4}).json()
    assert (place["first_step"], place["last_step"]) == ("trips@2026-01-02", "trips@2026-01-04")
    assert (place["counts"], place["one"]) == ({"success": 2, "failure": 1}, None)
    one = client.get(f"{address}/trips", params={"first": 2, "end": 3}).json()["one"]
    assert one["error"]["message"] == "a bad day"
    assert client.get(f"{address}/plain").status_code == 404

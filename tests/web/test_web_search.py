"""One address answers the search of every page: assets, groups, columns and runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("starlette", reason="the page needs the extra 'ui'")
pytest.importorskip("httpx2", reason="the test client needs httpx2")

from conftest import REPOSITORY, ProjectFolder
from starlette.testclient import TestClient
from web_pages import error_of, launch, served

FILES = """
    import assetgraph as dg

    @dg.asset(group_name="raw", owners=["team:Data"], tags={"tier": "gold"})
    def trips():
        '''Rides through the <b>city</b>.'''
        table = dg.MetadataValue.table([
            {"name": "fare_amount", "type": "double"},
            {"name": "Trips", "type": "int64"},
        ])
        return dg.MaterializeResult(value=1, metadata={"columns": table})

    @dg.asset(group_name="trips_made", key_prefix="city")
    def monthly_trips(trips):
        return dg.MaterializeResult(value=2, metadata={"columns": "not a table"})

    @dg.asset(group_name="trips_made")
    def other():
        return 3
"""


@pytest.fixture
def client(
    project: Callable[..., ProjectFolder], monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    with served(project({"pipeline.py": FILES}).find()) as made:
        yield made


def _found(client: TestClient, text: str) -> dict[str, list[str]]:
    answer = client.get("/api/search", params={"text": text}).json()
    return {
        "assets": [one["key"] for one in answer["assets"]],
        "groups": [f"{one['name']} {one['asset_count']}" for one in answer["groups"]],
        "columns": [f"{one['asset']}.{one['column']}" for one in answer["columns"]],
        "runs": [run["run_id"] for run in answer["runs"]],
    }


def test_words_find_assets_groups_columns_and_runs_the_best_first(client: TestClient) -> None:
    run_id = launch(client, selection=["*"])["run_id"]

    assert _found(client, "TRIPS") == {
        "assets": ["trips", "city/monthly_trips", "other"],
        "groups": ["trips_made 2"],
        "columns": ["trips.Trips"],
        "runs": [run_id],
    }
    assert _found(client, "city")["assets"] == ["city/monthly_trips", "trips"]
    assert _found(client, "rides <b>")["assets"] == ["trips"]
    for text in ("team:data", "tier=gold", "trips raw"):
        assert _found(client, text)["assets"] == ["trips"], text
    assert _found(client, "fare")["columns"] == ["trips.fare_amount"]
    assert _found(client, run_id[:15])["runs"] == [run_id]
    assert _found(client, "  ") == {"assets": [], "groups": [], "columns": [], "runs": [run_id]}
    nothing = {"assets": [], "groups": [], "columns": [], "runs": []}
    assert _found(client, "%_.*(") == nothing
    few = client.get("/api/search", params={"text": "trips", "limit": 1}).json()
    assert [one["key"] for one in few["assets"]] == ["trips"]
    assert few["asset_count"] == 3


def test_a_text_that_is_too_long_is_refused(client: TestClient) -> None:
    answer = client.get("/api/search", params={"text": "x" * 201})

    assert answer.status_code == 400
    assert "at most 200 characters, not 201" in error_of(answer)["message"]


def test_three_thousand_assets_are_searched_at_once(
    project: Callable[..., ProjectFolder],
) -> None:
    text = """
        import assetgraph as dg
        from assetgraph import asset

        made = []
        for number in range(3000):
            @asset(name=f"table_{number}", group_name=f"group_{number % 50}")
            def one():
                "Rows of a table."
            made.append(one)
        defs = dg.Definitions(assets=made)
    """
    with served(project({"pipeline.py": text}).find()) as client:
        client.get("/api/summary")
        client.get("/api/search")
        times = []
        for word in ("table_29", "rows of", "nothing", "group_7"):
            begun = time.process_time()
            answer = client.get("/api/search", params={"text": word})
            times.append(time.process_time() - begun)
            assert answer.status_code == 200
        assert min(times) < 0.1

"""What is wrong with a request is said as JSON, however odd the request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the page needs the extra 'ui'")
pytest.importorskip("httpx2", reason="the test client needs httpx2")

from conftest import ProjectFolder
from starlette.testclient import TestClient
from web_pages import PIPELINE, REPOSITORY, error_of, launch, served

JSON = {"content-type": "application/json"}
LONG = "9" * 5000
DEEP = "[" * 5000 + "]" * 5000


@pytest.fixture
def client(
    project: Callable[..., ProjectFolder], monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    with served(project({"pipeline.py": PIPELINE}).find()) as made:
        yield made


@pytest.mark.parametrize("odd", ["\0", "a" * 200_000])
@pytest.mark.parametrize("place", ["tag", "value"])
def test_text_of_any_kind_reaches_the_run(client: TestClient, place: str, odd: str) -> None:
    tags = {odd: "x"} if place == "tag" else {"x": odd}

    run = launch(client, selection=["trips_file"], tags=tags)

    assert run["tags"] == tags


@pytest.mark.parametrize("wrong", ["\0", "a" * 200_000])
@pytest.mark.parametrize("place", ["selection", "executor"])
def test_a_name_of_any_kind_that_is_not_there_is_refused(
    client: TestClient, place: str, wrong: str
) -> None:
    body: dict[str, Any] = {"selection": ["trips_file"]}
    body |= {
        "selection": {"selection": [wrong]},
        "executor": {"executor": wrong},
    }[place]

    answer = client.post("/api/runs", json=body)

    assert answer.status_code == 400
    assert re.search("no asset is named|there is no executor", error_of(answer)["message"])


@pytest.mark.parametrize("content", [DEEP, '{"a":' * 5000 + "1" + "}" * 5000])
def test_a_body_that_is_too_deep_is_refused(client: TestClient, content: str) -> None:
    answer = client.post("/api/runs", content=content, headers=JSON)

    assert answer.status_code == 400
    assert "is not JSON" in error_of(answer)["message"]


@pytest.mark.parametrize(
    "text",
    [
        DEEP,
        "trips_file: {rows: " + DEEP + "}",
        "trips_file: &a {rows: *a}",
        "trips_file: {month: 2024-13-45}",
        "trips_file: {month: !!int 'x'}",
        "trips_file: {month: !!timestamp 'x'}",
        LONG,
    ],
)
def test_yaml_that_does_not_read_is_refused(client: TestClient, text: str) -> None:
    for address in ("/api/plan", "/api/runs"):
        body = {"selection": ["trips_file"], "config_text": text}
        answer = client.post(address, json=body)
        assert answer.status_code == 400
        assert "config" in error_of(answer)["message"]


def test_a_date_in_yaml_is_the_text_that_the_run_gets(client: TestClient) -> None:
    body = {"selection": ["trips_file"], "config_text": "trips_file: {month: 2023-03-01}"}

    assert client.post("/api/plan", json=body).status_code == 200


@pytest.mark.parametrize("number", [LONG, "²", "-1", "1.5"])
def test_the_number_of_an_event_may_be_any_text(client: TestClient, number: str) -> None:
    run = launch(client, selection=["trips_file"])

    answer = client.get(f"/api/runs/{run['run_id']}/events/{number}")

    assert answer.status_code == 404
    assert "has no event" in error_of(answer)["message"]


def test_a_bug_is_said_as_json_too(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assetgraph.web.live.page_state.PageState.table", lambda page: 1 / 0)
    quiet = TestClient(client.app, base_url="http://localhost:3000", raise_server_exceptions=False)

    answer = quiet.get("/api/assets")

    assert answer.status_code == 500
    assert "ZeroDivisionError" in error_of(answer)["message"]

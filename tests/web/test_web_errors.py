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

from assetgraph.web.http.routes import ApiRoute, api_routes

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


def _addresses(method: str) -> list[tuple[str, ApiRoute]]:
    return [
        (re.sub(r"{\w+(:path)?}", "latest", route.path), route)
        for route in api_routes()
        if method in (route.methods or ())
    ]


@pytest.mark.parametrize(("path", "route"), _addresses("GET"), ids=lambda one: str(one)[:40])
def test_every_address_refuses_a_parameter_that_it_does_not_have(
    client: TestClient, path: str, route: ApiRoute
) -> None:
    for name in ("no_such", "limits", ""):
        answer = client.get(f"{path}?{name}=1")

        assert answer.status_code == 400
        assert error_of(answer)["message"] == f"this address has no parameter {name!r}."
        known = route.names if name == "no_such" else ()
        assert set(known) <= set(re.findall(r"\w+", error_of(answer)["hint"]))


@pytest.mark.parametrize(("path", "route"), _addresses("POST"), ids=lambda one: str(one)[:40])
def test_every_address_refuses_a_field_that_it_does_not_have(
    client: TestClient, path: str, route: ApiRoute
) -> None:
    launch(client, selection=["trips_file"])

    answer = client.post(path, json={"selections": ["*"]})

    assert answer.status_code == 400
    assert "unknown field 'selections'" in error_of(answer)["message"]
    assert client.post(f"{path}?select=1", json={}).status_code == 400


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("runs?limit=0", "limit must be at least 1, not 0."),
        ("runs?limit=201", "limit must be at most 200, not 201."),
        ("history/trips_file?limit=-5", "limit must be at least 1, not -5."),
        ("history/trips_file?after=-1", "after must be at least 0, not -1."),
        ("overview?hours=-1", "hours must be at least 1, not -1."),
        ("overview?hours=1.5", "hours must be a whole number, not '1.5'."),
        ("runs/latest/events?limit=-1", "limit must be at least 1, not -1."),
        ("runs/latest/events?level=LOUD", "level cannot be 'LOUD'."),
        ("runs/latest/events.txt?type=STEP", "type cannot be 'STEP'."),
        ("runs/latest/output?offset=-2", "offset must be at least 0, not -2."),
        ("runs/latest/output?attempt=0", "attempt must be at least 1, not 0."),
        ("runs/latest/output.txt?stream=both", "stream cannot be 'both'."),
    ],
)
def test_a_number_or_word_outside_its_range_is_refused_and_never_replaced(
    client: TestClient, path: str, text: str
) -> None:
    launch(client, selection=["trips_file"])

    answer = client.get(f"/api/{path}")

    assert answer.status_code == 400
    assert error_of(answer)["message"] == text

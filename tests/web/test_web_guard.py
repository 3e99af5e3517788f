"""The safety rules of the page, as requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import pytest

pytest.importorskip("starlette", reason="the page needs the extra 'ui'")
testclient = pytest.importorskip("starlette.testclient", reason="its test client needs httpx")

from starlette.responses import PlainTextResponse  # noqa: E402

from assetgraph.web.http.security import Guard  # noqa: E402

JSON = {"content-type": "application/json"}
OURS = {"origin": "http://localhost:3000", "sec-fetch-site": "same-origin"}
Client = Callable[..., "testclient.TestClient"]


@pytest.fixture
def client() -> Client:
    def make(*, base_url: str = "http://localhost:3000", **options: object) -> object:
        guarded = Guard(PlainTextResponse("inside"), **options)
        return testclient.TestClient(guarded, base_url=base_url, follow_redirects=False)

    return make


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "[::2]:3000",
        "localhost:80@evil.example",
        "localhost:3000/",
        "localhost:",
        "localhost:3000:3000",
        "[::1]evil.example",
        "[::1",
        "",
        "0.0.0.0",
    ],
)
def test_a_host_that_is_not_ours_is_refused(client: Client, host: str) -> None:
    answer = client().get("/", headers={"host": host})

    assert answer.status_code == 403
    assert "inside" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:3000", "127.0.0.1:3001", "[::1]:3000"])
def test_this_machine_by_any_of_its_names_is_served(client: Client, host: str) -> None:
    assert client().get("/", headers={"host": host}).status_code == 200


def test_a_further_host_is_served_only_where_it_was_named(client: Client) -> None:
    assert client(hosts=["box.lan"]).get("/", headers={"host": "box.lan"}).status_code == 200
    assert client().get("/", headers={"host": "box.lan"}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:4000"},
        {"origin": "https://localhost:3000"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {**OURS, "origin": "http://localhost:3000.evil.example"},
    ],
)
def test_a_write_from_another_site_is_refused(client: Client, headers: Mapping[str, str]) -> None:
    assert client().post("/", content="{}", headers={**JSON, **headers}).status_code == 403


FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "style"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "empty"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "origin": "http://evil.example"},
    {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors", "origin": "http://localhost:4000"},
    {"sec-fetch-site": "anything else"},
    {"origin": "http://evil.example"},
    {"origin": "null"},
]
PATHS = ["/", "/lineage", "/api/lineage.svg", "/api/stream", "/api/assets", "/static/1/dom.js"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("headers", FOREIGN, ids=lambda headers: " ".join(headers.values()))
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_another_site_reads_nothing_whatever_it_asks_with(
    client: Client, method: str, path: str, headers: Mapping[str, str]
) -> None:
    assert client().request(method, path, headers=headers).status_code == 403


def test_another_site_may_link_to_a_page_but_not_to_an_answer(client: Client) -> None:
    link = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}

    for site in ("cross-site", "same-site"):
        headers = {**link, "sec-fetch-site": site}
        assert client().get("/runs/latest", headers=headers).status_code == 200
        assert client().get("/api/lineage.svg", headers=headers).status_code == 403
        assert client().post("/runs/latest", headers={**headers, **JSON}).status_code == 403
    typed = {**link, "sec-fetch-site": "none"}
    assert client().get("/api/lineage.svg", headers=typed).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "json"])
def test_a_write_that_is_not_json_is_refused(client: Client, kind: str) -> None:
    assert client().post("/", content="{}", headers={"content-type": kind}).status_code == 403


@pytest.mark.parametrize(
    "name", ["host", "origin", "sec-fetch-site", "content-type", "sec-fetch-mode", "sec-fetch-dest"]
)
def test_a_header_that_decides_is_given_once(client: Client, name: str) -> None:
    fetched = {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}
    given = {"host": "localhost:3000", **JSON, **OURS, **fetched}
    twice = [*given.items(), (name, given[name])]

    assert client().post("/", content="{}", headers=given).status_code == 200
    assert client().post("/", content="{}", headers=twice).status_code == 403


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_that_is_not_a_read_is_a_write(client: Client, method: str) -> None:
    answer = client().request(method, "/", headers={"origin": "http://evil.example"})

    assert answer.status_code == 403


def test_a_write_of_our_own_page_and_of_a_script_are_served(client: Client) -> None:
    utf8 = {"content-type": "application/json; charset=utf-8"}

    assert client().post("/", content="{}", headers={**JSON, **OURS}).status_code == 200
    assert client().post("/", content="{}", headers=utf8).status_code == 200


def test_every_answer_carries_the_policy_and_its_companions(client: Client) -> None:
    for answer in (client().get("/"), client().get("/", headers={"host": "evil.example"})):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_beyond_this_machine_only_who_has_the_token_is_answered(client: Client) -> None:
    remote = client(token="secret", hosts=["box.lan"], base_url="http://box.lan:3000")

    assert remote.get("/").status_code == 403
    assert remote.get("/?token=wrong").status_code == 403
    assert remote.get("/", headers={"authorization": "Bearer secret"}).status_code == 200
    assert remote.post("/", content="{}", headers=JSON).status_code == 403


def test_the_token_moves_from_the_address_into_a_cookie(client: Client) -> None:
    remote = client(token="secret", hosts=["box.lan"], base_url="http://box.lan:3000")

    welcome = remote.get("/assets?token=secret&q=a")

    assert welcome.status_code == 303
    assert welcome.headers["location"] == "/assets?q=a"
    assert "HttpOnly" in welcome.headers["set-cookie"]
    assert "SameSite=strict" in welcome.headers["set-cookie"]
    assert remote.get("/assets").status_code == 200


def test_the_token_does_not_lead_to_another_site(client: Client) -> None:
    remote = client(token="secret", hosts=["box.lan"], base_url="http://box.lan:3000")

    welcome = remote.get("http://box.lan:3000//evil.example/?token=secret")

    assert welcome.headers["location"] == "/evil.example/"


def test_servers_on_two_ports_of_a_host_do_not_log_each_other_out(client: Client) -> None:
    jar: dict[str, str] = {}
    ports = {"3000": "one", "3001": "two"}
    for port, token in ports.items():
        asked = client(token=token, hosts=["box.lan"], base_url=f"http://box.lan:{port}")
        welcome = asked.get(f"/?token={token}")
        name, _, value = welcome.headers["set-cookie"].partition(";")[0].partition("=")
        jar[name] = value

    both = {"cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}
    for port, token in ports.items():
        asked = client(token=token, hosts=["box.lan"], base_url=f"http://box.lan:{port}")
        assert asked.get("/assets", headers=both).status_code == 200
    assert len(jar) == 2


@pytest.mark.parametrize("cookie", ['a="' + "\\" * 60_000, "a=b;" * 15_000, ";" * 60_000, "=", ""])
def test_a_long_cookie_costs_little(client: Client, cookie: str) -> None:
    remote = client(token="secret", hosts=["box.lan"], base_url="http://box.lan:3000")
    begun = time.process_time()

    assert remote.get("/", headers={"cookie": cookie}).status_code == 403
    assert time.process_time() - begun < 5

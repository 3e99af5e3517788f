"""What a request may cost: bounds on size, depth, time and memory, as requests."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the page needs the extra 'ui'")
pytest.importorskip("httpx2", reason="the test client needs httpx2")
yaml = pytest.importorskip("yaml", reason="config as YAML needs PyYAML")

from conftest import REPOSITORY, Answer, ProjectFolder  # noqa: E402
from starlette.testclient import TestClient  # noqa: E402
from web_pages import PIPELINE, error_of, launch, served  # noqa: E402

from assetgraph.pictures.layout import arranged  # noqa: E402
from assetgraph.pictures.svg import graph_svg  # noqa: E402
from assetgraph.project import data_text  # noqa: E402
from assetgraph.web.api import lineage_endpoints  # noqa: E402
from assetgraph.web.api.answer_cache import AnswerCache  # noqa: E402

JSON = {"content-type": "application/json"}
MOST_S = 5  # far less on a quiet machine, and minutes or all memory without the bounds
MOST_BYTES = 20 << 20
DEEP = 50_000
# Eight levels of nine aliases: 43 million values from 300 bytes.
BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
MERGED = "a0: &a0 {k0: x, l0: x}\n" + "".join(
    f"a{n}: &a{n} {{k{n}: x, <<: [{','.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 9)
)
CHAINED = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 3000))

TEXTS = {
    "aliases nine deep": BOMB,
    "merges nine deep": MERGED,
    "aliases that nest one level each": CHAINED,
    "an alias of itself": "a: &a {b: *a}",
    "an alias in its own list": "a: {b: &a [*a]}",
    "brackets": "[" * DEEP,
    "braces": "{a: " * DEEP,
    "closed brackets": "[" * DEEP + "]" * DEEP,
    "dashes": "- " * DEEP,
    "questions": "? " * DEEP,
    "indents": "".join(" " * n + "a:\n" for n in range(400)),
    "JSON brackets in a field": '{"trips_file": {"rows": ' + "[" * DEEP + "]" * DEEP + "}}",
    "JSON objects": '{"a": ' * DEEP + "1" + "}" * DEEP,
    "a long number": "trips_file: {rows: " + "9" * 90_000 + "}",
    "a long number as JSON": '{"trips_file": {"rows": ' + "9" * 900_000 + "}}",
    "a long number as text": '{"trips_file": {"rows": "' + "9" * 900_000 + '"}}',
    "a number to the base of 60": "trips_file: {rows: 1" + ":1" * 40_000 + "}",
    "brackets as text": json.dumps({"trips_file": {"rows": "[" * DEEP}}),
    "one name twice": "trips_file: {rows: 1, rows: 2}",
    "one name twice as JSON": '{"trips_file": {"rows": 1, "rows": 2}}',
    "an asset twice": "trips_file: {rows: 1}\ntrips_file: {rows: 2}",
    "many names": "trips_file: {" + ",".join(f"n{n}" for n in range(14_000)) + "}",
    "numbers that collide as names": "trips_file:\n"
    + "".join(f"  {n * (2**61 - 1)}: 1\n" for n in range(3_500)),
    "a long list": "trips_file: {rows: [" + "1," * 45_000 + "]}",
    "many lines": "trips_file:\n" + "\n" * 90_000 + " x",
    "many documents": "---\n" * 24_000,
    "too much": "trips_file: {month: '" + "x" * 900_000 + "'}",
    "an unknown tag": "trips_file: !!python/object/apply:os.system [echo]",
    "an undefined alias": "trips_file: *nothing",
}


@pytest.fixture
def client(
    project: Callable[..., ProjectFolder], monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    with served(project({"pipeline.py": PIPELINE}).find()) as made:
        made.get("/api/summary")
        yield made


def costs(act: Callable[[], Any]) -> tuple[Any, float, int]:
    """What `act` returns, the seconds of processor time and the bytes that it took at most."""
    begun = time.process_time()
    answer = act()
    spent = time.process_time() - begun
    tracemalloc.start()
    try:
        act()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return answer, spent, most


@pytest.mark.parametrize("name", TEXTS)
def test_config_that_stands_for_more_than_it_says_is_refused_before_it_is_expanded(
    client: TestClient, name: str
) -> None:
    body = {"selection": ["trips_file"], "config_text": TEXTS[name]}
    answer, spent, most = costs(lambda: client.post("/api/plan", json=body))

    assert answer.status_code == 400, answer.text
    assert len(error_of(answer)["message"]) < 500
    assert spent < MOST_S
    assert most < MOST_BYTES + 10 * len(TEXTS[name])


def test_the_bomb_of_300_bytes_is_refused_within_a_tenth_of_a_second_and_20_mb(
    client: TestClient,
) -> None:
    assert len(BOMB) < 400
    body = {"selection": ["trips_file"], "config_text": BOMB}
    client.post("/api/plan", json={**body, "config_text": "trips_file: {rows: 1}"})  # imports yaml
    answer, spent, most = costs(lambda: client.post("/api/plan", json=body))

    assert "aliases stand for more" in error_of(answer)["message"]
    assert spent < 0.1
    assert most < MOST_BYTES


@pytest.mark.parametrize(
    "body",
    [
        "[" * DEEP,
        '{"a":' * DEEP,
        '{"selection": ' + "[" * DEEP + "]" * DEEP + "}",
        '{"selection": ["' + "(" * DEEP + '"]}',
        '{"selection": ["' + "not " * DEEP + 'x"]}',
        '{"jobs": ' + "9" * 900_000 + "}",
        '{"jobs": 1e999999}',
        '{"selection": ["trips"], "selection": ["*"]}',
        '{"selection": ["' + "x" * 1_000_000 + '"]}',
        '{"selection": ["' + "x" * 2_000_000 + '"]}',
        '{"selection": ["\\ud800"]}',
        '{"config_text": "\\ud800"}',
        '{"config": {"trips_file": ' + "[" * 500 + "]" * 500 + "}}",
        "[" + "1," * 300_000 + "1]",
        '{"x": "\\u0000"}',
        "\xff",
        "null",
    ],
    ids=lambda body: body[:24],
)
@pytest.mark.parametrize("path", ["/api/plan", "/api/runs", "/api/definitions/reload"])
def test_a_body_that_is_too_large_too_deep_or_ambiguous_is_refused(
    client: TestClient, path: str, body: str
) -> None:
    begun = time.process_time()
    answer = client.post(path, content=body.encode("latin-1"), headers=JSON)

    assert answer.status_code == 400 or path.endswith("reload"), answer.text
    assert len(answer.text) < 10_000 or path.endswith("reload")
    assert time.process_time() - begun < MOST_S


@pytest.mark.parametrize(
    "text",
    [
        "trips_file:\n  rows: 4\n  month: '2024-01'\n",
        "defaults: &d {rows: 4}\ntrips_file: *d\n",
        "trips_file: &d\n  rows: 4\n  month: &m '2024-01'\n",
        "base: &b {month: '2024-01'}\ntrips_file: {<<: *b, rows: 4}\n",
        '{"trips_file": {"rows": 4}}',
        "# a note\ntrips_file: {rows: 4, month: 2024-01}\n",
        "trips_file:\n  rows: 4\n  month: " + "x" * 5_000 + "\n",
        "a: &a {x: [1, 2]}\n" + "".join(f"b{n}: *a\n" for n in range(500)),
    ],
)
def test_honest_yaml_is_taken_with_its_anchors_aliases_and_merges(text: str) -> None:
    assert data_text.decode(text.encode(), "yaml") == json.loads(
        json.dumps(yaml.safe_load(text), default=str)
    )


@pytest.mark.parametrize("suffix", [".yaml", ".json", ".toml"])
@pytest.mark.parametrize("name", TEXTS)
def test_a_config_file_is_read_within_the_same_bounds(
    assetgraph: Callable[..., Answer],
    project: Callable[..., ProjectFolder],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    suffix: str,
) -> None:
    root = project({"pipeline.py": PIPELINE}).root
    monkeypatch.chdir(root)
    Path(f"config{suffix}").write_text(TEXTS[name])

    answer = assetgraph("plan", "trips_file", "--config-file", f"config{suffix}")

    assert answer.code == 2, answer.err
    assert answer.err.startswith("Error: ")
    assert "bug" not in answer.err


def test_yaml_without_its_reader_in_c_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    for name in ("aliases nine deep", "brackets", "braces", "dashes", "questions", "too much"):
        begun = time.process_time()
        with pytest.raises(data_text.DataError):
            data_text.decode(TEXTS[name].encode(), "yaml")
        assert time.process_time() - begun < MOST_S


def test_an_error_in_a_config_file_says_its_line(folder: Path) -> None:
    for kind, text in (
        ("json", '{\n  "a": {"x": 1},\n  "b": {"x" 2}\n}'),
        ("json", '{\n  "a": {"x": 1},\n'),
        ("yaml", "a: {x: 1}\nb: {x: 1\n"),
        ("toml", "[a]\nx = 1\ny = \n"),
    ):
        with pytest.raises(data_text.DataError, match="line"):
            data_text.decode(text.encode(), kind)


def test_a_picture_that_is_dear_is_drawn_once_until_something_changes(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []
    placed: list[Any] = []

    def draw(*given: Any, **named: Any) -> str:
        drawn.append(given)
        return graph_svg(*given, **named)

    def place(*given: Any, **named: Any) -> Any:
        placed.append(given)
        return arranged(*given, **named)

    monkeypatch.setattr(lineage_endpoints, "_pictures", AnswerCache(4))
    monkeypatch.setattr(lineage_endpoints, "_layouts", AnswerCache(4))
    monkeypatch.setattr(lineage_endpoints, "graph_svg", draw)
    monkeypatch.setattr(lineage_endpoints, "arranged", place)

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(client.get, ["/api/lineage.svg"] * 8))
    assert len(drawn) == len(placed) == 1
    assert len({answer.text for answer in answers}) == 1
    same = client.get("/api/lineage.svg", headers={"if-none-match": answers[0].headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")

    launch(client, selection=["trips_file"])
    assert client.get("/api/lineage.svg").text != answers[0].text
    assert (len(drawn), len(placed)) == (2, 1)  # other states are at the same places


def test_an_answer_that_fails_is_worked_out_again() -> None:
    kept: AnswerCache[int] = AnswerCache(2)

    with pytest.raises(ZeroDivisionError):
        kept.of("a", lambda: 1 // 0)
    assert kept.of("a", lambda: 1) == 1
    assert [kept.of(name, lambda: 2) for name in "abc"] == [1, 2, 2]
    assert kept.of("a", lambda: 3) == 3

"""The page beside files that are edited: the last good definitions, reasons, runs, sources."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the page needs the extra 'ui'")
pytest.importorskip("httpx2", reason="the test client needs httpx2")

from conftest import REPOSITORY, ProjectFolder
from starlette.testclient import TestClient
from web_pages import PATIENCE_S, error_of, launch, served

from assetgraph.planning.request import RunRequest
from assetgraph.run.launch_process import launch_process

PIPELINE = """
    from functools import cache

    import assetgraph as dg


    class Rate:
        def of(self, fare):
            return fare * 2


    @cache
    def rate():
        return Rate()


    class FaresConfig(dg.Config):
        count: int = 3


    @dg.asset
    def fares(config: FaresConfig):
        return list(range(config.count))


    @dg.asset
    def rated(fares):
        import tables
        return [rate().of(fare) * tables.FACTOR for fare in fares]
"""
BROKEN = "import nosuchmod_zz\n"


@pytest.fixture
def folder_of(project: Callable[..., ProjectFolder]) -> ProjectFolder:
    return project({"pipeline.py": PIPELINE, "tables.py": "FACTOR = 1\n"})


@pytest.fixture
def client(folder_of: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    with served(folder_of.find()) as made:
        yield made


def prepend(folder: ProjectFolder, line: str) -> None:
    file = folder.root / "pipeline.py"
    file.write_text(line + file.read_text())


def reload(client: TestClient) -> Any:
    return client.post("/api/definitions/reload", json={}).json()


def states(client: TestClient) -> dict[str, str]:
    return {asset["key"]: asset["state"] for asset in client.get("/api/assets").json()}


def reasons(client: TestClient) -> list[Any]:
    plan = client.post("/api/plan", json={"selection": ["*"]}).json()
    return [reason["text"] for step in plan["steps"] for reason in step["reasons"]]


def test_broken_definitions_make_no_reason(client: TestClient, folder_of: ProjectFolder) -> None:
    launch(client, selection=["*"])
    prepend(folder_of, BROKEN)
    assert reload(client)["failure"]

    client.app_state["page_state"].sweep()

    assert states(client) == {"fares": "fresh", "rated": "fresh"}
    assert reasons(client) == []


def test_a_launch_takes_over_what_was_edited_and_says_so(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    launch(client, selection=["*"])
    assert client.post("/api/runs", json={"selection": ["fares"]}).json()["reloaded"] is False
    file = folder_of.root / "pipeline.py"
    file.write_text(file.read_text().replace("range(config.count)", "range(undefined)"))

    assert launch(client, selection=["fares"])["status"] == "FAILURE"

    assert states(client)["fares"] == "failed"
    source = client.get("/api/assets/fares").json()["source"]
    assert "undefined" in source


def test_a_run_from_a_terminal_has_the_page_read_what_was_edited(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    launch(client, selection=["*"])
    file = folder_of.root / "pipeline.py"
    file.write_text(file.read_text().replace("range(config.count)", "range(undefined)"))

    page = client.app_state["page_state"]
    launch_process(RunRequest(selection=("fares",)), page.project, page.store)

    deadline = time.monotonic() + PATIENCE_S
    while states(client)["fares"] != "failed":
        assert time.monotonic() < deadline


def test_a_plan_is_by_the_files_as_they_are(client: TestClient, folder_of: ProjectFolder) -> None:
    launch(client, selection=["*"])
    file = folder_of.root / "pipeline.py"
    file.write_text(file.read_text().replace("range(config.count)", "range(2 * config.count)"))

    assert reasons(client) == ["`fares` in `pipeline.py` changed", "upstream fares is stale"]


@pytest.mark.parametrize("address", ["/api/runs", "/api/runs/latest/rerun"])
def test_with_broken_definitions_a_launch_says_the_error_and_starts_nothing(
    client: TestClient,
    folder_of: ProjectFolder,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
) -> None:
    launch(client, selection=["fares"])
    prepend(folder_of, BROKEN)
    monkeypatch.setattr("subprocess.Popen", lambda *a, **k: pytest.fail("a process was started"))

    body = {} if "rerun" in address else {"selection": ["fares"]}
    answer = client.post(address, json=body)

    assert answer.status_code == 400
    message = error_of(answer)["message"]
    assert message.startswith("No run can start: the definitions do not load.")
    assert "pipeline.py" in message
    assert "line 1" in message
    assert "No module named 'nosuchmod_zz'" in message
    [warning] = client.post("/api/plan", json={"selection": ["fares"]}).json()["warnings"]
    assert warning.startswith("No run can start")


def test_problems_of_the_graph_are_said_by_a_launch_too(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    file = folder_of.root / "pipeline.py"
    file.write_text(file.read_text().replace("def rated(fares)", "def rated(fare)"))

    message = error_of(client.post("/api/runs", json={"selection": ["fares"]}))["message"]

    assert "pipeline.py:26" in message
    assert "'fare'" in message


def test_what_is_mended_can_be_launched_at_once(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    file = folder_of.root / "pipeline.py"
    whole = file.read_text()
    prepend(folder_of, BROKEN)
    assert reload(client)["failure"]
    file.write_text(whole)

    assert launch(client, selection=["fares"])["status"] == "SUCCESS"
    assert client.get("/api/definitions").json()["failure"] is None


def test_the_source_on_the_page_is_what_was_loaded(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    before = client.get("/api/assets/rated").json()["source"]
    prepend(folder_of, "import math\n" * 12)

    assert client.get("/api/assets/rated").json()["source"] == before
    prepend(folder_of, BROKEN)
    assert reload(client)["failure"]
    assert client.get("/api/assets/rated").json()["source"] == before
    assert before.startswith("@dg.asset\ndef rated(fares):")
    assert before.endswith("for fare in fares]\n")


def test_a_module_that_is_imported_late_is_no_change(
    project: Callable[..., ProjectFolder],
) -> None:
    late = PIPELINE.replace("import tables", "from late import tables")
    folder = project({"pipeline.py": late, "late/__init__.py": "", "late/tables.py": "FACTOR = 1"})
    with served(folder.find()) as client:
        assert len(states(client)) == 2
        definitions = client.app_state["page_state"].definitions
        assert not definitions.changed_on_disk()

        folder.write("late/tables.py", "FACTOR = 22")
        assert definitions.changed_on_disk()


def test_a_file_that_is_put_back_as_it_was_is_no_change(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    definitions = client.app_state["page_state"].definitions
    file = folder_of.root / "pipeline.py"
    text = file.read_text()
    assert not reload(client)["failure"]
    file.write_text(text + "# edited")
    assert definitions.changed_on_disk()
    file.write_text(text)
    os.utime(file, (0, 0))
    assert not definitions.changed_on_disk()

    file.write_text("1 / 0")
    assert reload(client)["failure"]
    file.write_text(text)
    assert definitions.changed_on_disk(), "or the page would go on with what does not load"


def test_what_does_not_load_is_watched(client: TestClient, folder_of: ProjectFolder) -> None:
    broken = folder_of.write("helpers/__init__.py", "1 / 0")
    prepend(folder_of, "import helpers\n")
    definitions = client.app_state["page_state"].definitions
    assert reload(client)["failure"]
    assert not definitions.changed_on_disk()

    broken.write_text("")
    assert definitions.changed_on_disk()

"""The pages and the endpoints that read, as a script uses them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("starlette", reason="the page needs the extra 'ui'")
pytest.importorskip("httpx2", reason="the test client needs httpx2")

from conftest import REPOSITORY, ProjectFolder
from starlette.testclient import TestClient
from web_pages import PIPELINE, error_of, launch, served

import assetgraph as dg
from assetgraph.definitions.computation import AssetSpec, Computation
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.records import StepRecord, StepState
from assetgraph.storage.asset_names import Renaming
from assetgraph.web.api.run_endpoints import upstream_steps


@pytest.fixture
def folder_of(project: Callable[..., ProjectFolder]) -> ProjectFolder:
    return project({"pipeline.py": PIPELINE})


@pytest.fixture
def client(folder_of: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    with served(folder_of.find()) as made:
        yield made


@pytest.mark.parametrize("path", ["/", "/assets/trips", "/nowhere"])
def test_a_browser_without_scripts_is_told_what_the_page_needs(
    client: TestClient, path: str
) -> None:
    found = re.search("<noscript>(.*?)</noscript>", client.get(path).text)

    assert found is not None
    assert "This page needs JavaScript" in found[1]
    assert "assetgraph status" in found[1]


@pytest.mark.parametrize(
    "path",
    ["/", "/assets", "/assets/city/fares", "/lineage", "/runs", "/runs/latest", "/definitions"],
)
def test_every_page_has_an_address_of_its_own(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


def test_an_address_without_a_page_says_so_in_its_own_kind(client: TestClient) -> None:
    assert "There is no page" in client.get("/nowhere").text
    assert client.get("/nowhere").status_code == 404
    assert client.get("/api/nowhere").json()["error"]["message"]


def test_a_name_in_an_address_is_text_in_the_page(client: TestClient) -> None:
    page = client.get("/assets/%3Cscript%3Ealert(1)%3C/script%3E").text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_static_files_are_kept_for_ever_under_the_name_of_their_content(client: TestClient) -> None:
    page = client.get("/").text
    address = page.split('href="', 2)[1].split('"')[0]

    kept = client.get(address)
    assert "immutable" in kept.headers["cache-control"]
    other = client.get(address.replace(address.split("/")[2], "old"))
    assert other.headers["cache-control"] == "no-cache"
    for name in ("../shapes.py", "%2e%2e/shapes.py", "..%2fshapes.py"):
        assert (REPOSITORY / "assetgraph" / "web" / "shapes.py").is_file()
        assert client.get(f"/static/x/{name}").status_code == 404


def test_all_style_sheets_come_as_one_file_the_shared_ones_first(client: TestClient) -> None:
    (link,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', client.get("/").text)
    css = client.get(link).text

    sheets = (REPOSITORY / "assetgraph" / "web" / "static" / "styles").glob("*.css")
    places = {sheet.stem: css.index(sheet.read_text()) for sheet in sheets}
    assert css.startswith(":root {")
    assert sorted(places, key=places.__getitem__)[:2] == ["base", "nav"]
    assert places["dialogs"] < places["asset"] < places["timeline"]


def test_the_list_of_assets_has_what_the_command_line_lists_and_more(client: TestClient) -> None:
    assets = client.get("/api/assets").json()

    assert [asset["key"] for asset in assets] == ["trips_file", "trips", "city/fares"]
    first = assets[0]
    assert first["state"] == "missing"
    assert first["reasons"][0]["kind"] == "never_materialized"
    assert first["module"] == "pipeline"
    assert first["materialization"] is None
    assert (first["group_name"], first["kinds"], first["owners"]) == ("raw", ["csv"], ["team:data"])


def test_assets_are_selected_in_the_selection_language(client: TestClient) -> None:
    assert [a["key"] for a in client.get("/api/assets?select=trips%2B").json()] == [
        "trips",
        "city/fares",
    ]
    wrong = client.get("/api/assets?select=trips or nothing_such")
    assert wrong.status_code == 400
    assert error_of(wrong)["column"] == 9


def test_a_failed_run_shows_the_persons_own_line_and_the_trace_on_demand(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    folder_of.write("break", "")
    run = launch(client, selection=["*"])

    assert run["status"] == "FAILURE"
    [failure] = run["failures"]
    assert failure["key"] == "city/fares"
    assert (failure["type"], failure["trace"]) == ("NameError", None)
    assert "missing_name" in failure["message"]
    frame = failure["frames"][-1]
    assert frame["file"] == "pipeline.py"
    assert "missing_name" in frame["source"][frame["line"] - frame["source_start"]]

    step = client.get(f"/api/runs/{run['run_id']}/steps/city/fares").json()
    assert step["error"]["trace"].startswith("Traceback")

    history = client.get("/api/history/city/fares").json()
    assert [attempt["type"] for attempt in history["attempts"]] == ["failure"]
    assert client.get("/api/summary").json()["counts"]["failed"] == 1


def test_runs_come_in_pages_and_are_filtered(client: TestClient, folder_of: ProjectFolder) -> None:
    first = launch(client, selection=["trips_file"], tags={"why": "first"})
    second = launch(client, selection=["trips"])
    ids = [second["run_id"], first["run_id"]]

    page = client.get("/api/runs?limit=1").json()
    assert ([run["run_id"] for run in page["runs"]], page["next"]) == (ids[:1], ids[0])
    page = client.get(f"/api/runs?limit=1&before={page['next']}").json()
    assert [run["run_id"] for run in page["runs"]] == ids[1:]

    def found(query: str) -> list[str]:
        return [run["run_id"] for run in client.get(f"/api/runs?{query}").json()["runs"]]

    assert found("asset=trips") == ids[:1]
    assert found("tag=why%3Dfirst") == ids[1:]
    assert found("tag=why") == ids[1:]
    assert found("tag=why%3Dother") == []
    assert found("status=failure") == []
    assert found("status=success") == ids
    assert found(f"text={ids[1][-9:]}") == ids[1:]
    assert found("text=FIRST") == ids[1:]


def test_the_page_filters_runs_as_the_command_line_does(client: TestClient) -> None:
    empty = launch(client, selection=["trips_file"], tags={"why": ""})
    other = launch(client, selection=["trips"], tags={"why": "other"})
    ids = [other["run_id"], empty["run_id"]]

    def found(query: str) -> list[str]:
        return [run["run_id"] for run in client.get(f"/api/runs?{query}").json()["runs"]]

    assert found("tag=why%3D") == ids[1:]
    assert found("tag=why&tag=why%3Dother") == ids[:1]
    assert found("asset=trips&asset=trips_file") == ids
    assert found("status=canceled&status=succeeded") == ids
    wrong = error_of(client.get("/api/runs?status=faild"))
    assert wrong["message"] == "there is no status 'faild'."
    assert "'failed'" in (wrong["hint"] or "")


def test_an_unknown_run_and_an_unknown_asset_are_not_found(client: TestClient) -> None:
    for path in ("/api/runs/20260101-000000-000-ffff", "/api/runs/latest", "/api/assets/nothing"):
        assert client.get(path).status_code == 404
    assert "trips" in (error_of(client.get("/api/assets/trip"))["hint"] or "")


def test_what_steps_printed_is_read_in_parts(client: TestClient) -> None:
    run = launch(client, selection=["trips_file"])
    address = f"/api/runs/{run['run_id']}/output?step=trips_file&attempt=1&stream=out"

    assert client.get(address).json() == {
        "text": "writing 3 rows\n", "offset": 0, "next": 15, "size": 15,
    }  # fmt: skip
    assert client.get(f"{address}&offset=8&limit=3").json()["text"] == "3 r"
    assert client.get(f"{address}&offset=15").json()["text"] == ""
    assert client.get(address.replace("=out", "=err")).json()["size"] == 0


def test_values_are_previewed_without_running_anything(client: TestClient) -> None:
    launch(client, selection=["*"])

    table = client.get("/api/preview/trips_file").json()
    assert [column["name"] for column in table["columns"]] == ["id", "fare"]
    assert table["rows"] == [["0", "0"], ["1", "2"], ["2", "4"]]
    assert '"fare": "2"' in client.get("/api/preview/trips").json()["text"]
    assert client.get("/api/picture/trips_file").status_code == 404


def test_a_picture_may_do_nothing(client: TestClient, folder_of: ProjectFolder) -> None:
    folder_of.write(
        "pipeline.py",
        """
        from pathlib import Path

        import assetgraph as dg

        @dg.asset
        def drawing() -> Path:
            file = Path("drawing.svg")
            file.write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>")
            return file
        """,
    )
    launch(client, selection=["drawing"])

    picture = client.get("/api/picture/drawing")

    assert picture.headers["content-type"].startswith("image/svg+xml")
    policy = picture.headers["content-security-policy"].split("; ")
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert not any(rule.startswith("script-src") for rule in policy)


def test_the_stream_goes_on_from_the_last_message_that_the_browser_names(
    client: TestClient,
) -> None:
    page = client.app_state["page_state"]
    client.get("/api/assets")  # by now the definitions are read
    position = page.feed.position
    page.feed.close()  # else the answer has no end

    def first(after: str, last: str) -> str:
        headers = {"last-event-id": last}
        return client.get(f"/api/stream?after={after}", headers=headers).text

    assert first("elsewhere.1", position).startswith(": welcome")
    assert "event: reset" in first(position, "elsewhere.1")


def test_the_lineage_has_every_card_and_edge_in_its_place(client: TestClient) -> None:
    graph = client.get("/api/lineage").json()

    assert [node["key"] for node in graph["nodes"]] == ["trips_file", "trips", "city/fares"]
    assert [(e["from"], e["to"]) for e in graph["edges"]] == [
        ("trips_file", "trips"),
        ("trips", "city/fares"),
    ]
    xs = [node["x"] for node in graph["nodes"]]
    assert xs == sorted(xs)
    assert graph["nodes"][0]["description"] == "The trips as they come."


def test_the_lineage_is_a_picture_to_keep(client: TestClient) -> None:
    answer = client.get("/api/lineage.svg", params={"select": "trips_file+1"})
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-disposition"] == 'attachment; filename="lineage.svg"'
    assert answer.text.startswith("<svg ")
    assert ">trips_file</text>" in answer.text
    assert answer.text.count('class="edge"') == 1
    assert "city/fares" not in answer.text
    assert client.get("/api/lineage.svg", params={"select": "("}).status_code == 400


def test_groups_of_the_lineage_are_collapsed_on_demand(client: TestClient) -> None:
    graph = client.get("/api/lineage?collapsed=made").json()

    group = next(node for node in graph["nodes"] if node.get("collapsed"))
    assert group["member_states"] == {"trips": "missing", "city/fares": "missing"}
    assert [(e["from"], e["to"]) for e in graph["edges"]] == [("trips_file", "group:made")]
    assert len(client.get("/api/lineage?collapsed=*").json()["nodes"]) == 2
    assert len(client.get("/api/lineage?collapsed=").json()["nodes"]) == 3


def test_a_broken_module_shows_its_error_and_the_last_good_definitions_stay(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    assert len(client.get("/api/assets").json()) == 3
    folder_of.write("pipeline.py", PIPELINE + "\n    1 / 0\n")

    failure = client.post("/api/definitions/reload", json={}).json()["failure"]

    assert "ZeroDivisionError" in failure["traceback"]
    assert len(client.get("/api/assets").json()) == 3
    assert client.get("/api/summary").json()["definitions"]["failure"]["message"]

    folder_of.write("pipeline.py", PIPELINE)
    assert client.post("/api/definitions/reload", json={}).json()["failure"] is None


def test_definitions_that_do_not_fit_together_list_every_problem(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    folder_of.write("pipeline.py", PIPELINE.replace("def trips(trips_file", "def trips(trips_fil"))

    failure = client.post("/api/definitions/reload", json={}).json()["failure"]

    [problem] = failure["problems"]
    assert problem["place"].endswith(":26")
    assert "trips_fil" in problem["message"]
    assert "trips_file" in problem["message"] + problem["remedy"]


def test_the_overview_counts_and_lists_what_ran_lately(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    assert client.get("/api/overview").json()["ever"] is False
    folder_of.write("break", "")
    run = launch(client, selection=["*"])

    overview = client.get("/api/overview?hours=1").json()

    assert [one["run_id"] for one in overview["runs"]] == [run["run_id"]]
    assert overview["last_failure"]["failed_steps"] == ["city/fares"]
    assert overview["counts"] == {
        "running": 0,
        "failed": 1,
        "missing": 0,
        "stale": 0,
        "fresh": 2,
        "external": 0,
    }
    assert overview["ever"] is True


def test_the_page_itself_asks_for_errors_that_a_browser_does_not_log(client: TestClient) -> None:
    answer = client.get("/api/assets?select=nothing", headers={"Errors-In-Body": "yes"})

    assert answer.status_code == 200
    assert error_of(answer)["status"] == 400


def test_a_store_that_does_not_read_is_said_and_the_rest_goes_on(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    launch(client, selection=["trips_file"])
    history = folder_of.root / ".assetgraph" / "assets" / "trips_file.jsonl"
    history.write_bytes(b"{broken}\n")
    client.app_state["page_state"].sweep()

    summary = client.get("/api/summary").json()
    assert [one["key"] for one in summary["damage"]] == ["trips_file"]
    assert "trips_file.jsonl" in summary["damage"][0]["message"]
    assert len(client.get("/api/assets").json()) == 3


def test_a_value_that_is_removed_from_outside_is_seen(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    launch(client, selection=["trips_file"])
    (folder_of.root / "trips_2023-03.csv").unlink()
    client.app_state["page_state"].sweep()

    asset = client.get("/api/assets/trips_file").json()
    assert asset["state"] == "missing"
    assert asset["reasons"][0]["kind"] == "value_gone"


def test_a_log_and_what_a_step_printed_are_downloaded_as_text(client: TestClient) -> None:
    run_id = launch(client, selection=["trips_file"])["run_id"]
    log = client.get(f"/api/runs/{run_id}/events.txt")

    assert log.headers["content-type"] == "text/plain; charset=utf-8"
    assert log.headers["content-disposition"] == f"attachment; filename*=UTF-8''{run_id}.log"
    assert " INFO trips_file month 2023-03\n" in log.text
    few = client.get(f"/api/runs/{run_id}/events.txt", params={"text": "month"}).text
    assert len(few.splitlines()) < len(log.text.splitlines())

    printed = client.get(f"/api/runs/{run_id}/output.txt", params={"step": "trips_file"})
    assert printed.text == "writing 3 rows\n"
    for wrong in ({"step": "trips"}, {"step": "trips_file", "stream": "err"}, {}):
        answer = client.get(f"/api/runs/{run_id}/output.txt", params=wrong)
        assert answer.status_code == 404
        assert "no such output" in error_of(answer)["message"]
    assert client.get("/api/runs/nothing/events.txt").status_code == 404


def test_the_steps_before_a_step_are_those_that_make_what_its_targets_are_made_from() -> None:
    @dg.asset
    def base() -> None: ...

    @dg.asset
    def total(evens: int, base: int) -> None: ...

    split = Computation(
        name="split",
        function=lambda base: (base, base),
        specs=tuple(AssetSpec(key=dg.AssetKey(name)) for name in ("evens", "odds")),
    )
    graph = AssetGraph([base, split, total])
    outputs = {
        "base@a": (),
        "base@b": (),
        "split@a": ("evens@a", "odds@a"),
        "total": (),
        "gone@a": (),
    }
    steps = [StepRecord(id_, StepState.SUCCESS, outputs=some) for id_, some in outputs.items()]
    assert upstream_steps(graph, steps) == {
        "base@a": [],
        "base@b": [],
        "split@a": ["base@a"],
        "total": ["base@a", "base@b", "split@a"],
        "gone@a": [],
    }


def test_runs_are_filtered_by_when_they_started(client: TestClient) -> None:
    run_id = launch(client, selection=["trips_file"])["run_id"]

    def found(**query: str) -> list[str]:
        return [run["run_id"] for run in client.get("/api/runs", params=query).json()["runs"]]

    for query in ({"since": "1h"}, {"since": "yesterday", "until": "today"}, {"until": "today"}):
        assert found(**query) == [run_id], query
    for query in ({"until": "1h"}, {"until": "yesterday"}, {"since": "2100-01-01"}):
        assert found(**query) == [], query
    assert found(until="today", before=run_id) == []
    wrong = error_of(client.get("/api/runs?until=soon"))
    assert wrong["message"] == "cannot read until 'soon'."


def test_an_asset_that_does_not_exist_names_those_that_may_be_meant(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    answer = client.get("/api/assets/trips_fil")
    assert answer.status_code == 404
    assert error_of(answer) == {
        "message": "there is no asset 'trips_fil'.",
        "hint": "Did you mean 'trips_file' or 'trips'?",
        "assets": ["trips_file", "trips"],
    }
    names = Path(folder_of.find().open_store().names.path)
    names.parent.mkdir(parents=True, exist_ok=True)
    names.write_bytes(msgspec.json.encode(Renaming("was", "trips", datetime.now(UTC))) + b"\n")
    assert error_of(client.get("/api/assets/was")) == {
        "message": "the asset 'was' was renamed to 'trips'.",
        "hint": None,
        "assets": ["trips"],
    }

"""The addresses of the page, as a script uses them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the page needs the extra 'ui'")
pytest.importorskip("httpx2", reason="the test client needs httpx2")

from conftest import REPOSITORY, ProjectFolder
from starlette.testclient import TestClient
from web_pages import PATIENCE_S, PIPELINE, ended, error_of, launch, served

from assetgraph.storage.locks import Lock


@pytest.fixture
def folder_of(project: Callable[..., ProjectFolder]) -> ProjectFolder:
    return project({"pipeline.py": PIPELINE})


@pytest.fixture
def client(folder_of: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    with served(folder_of.find()) as made:
        yield made


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
    assert client.get("/static/x/../../site.py").status_code == 404


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


def test_a_run_starts_in_a_process_of_its_own_and_all_of_it_is_told(client: TestClient) -> None:
    run = launch(client, selection=["+city/fares"], tags={"reason": "test"})

    assert run["status"] == "SUCCESS"
    assert run["tags"] == {"reason": "test"}
    assert [step["key"] for step in run["steps"]] == ["trips_file", "trips", "city/fares"]
    assert run["steps"][2]["deps"] == ["trips"]
    assert run["outputs"] == [{"step": "trips_file", "attempt": 1, "stream": "out", "size": 15}]
    assert run["launched_by"] == "page"

    asset = client.get("/api/assets/trips_file").json()
    assert asset["state"] == "fresh"
    assert asset["metadata"]["rows"] == 3
    assert asset["materialization"]["run_id"] == run["run_id"]
    assert [one["key"] for one in asset["downstream"]] == ["trips"]
    assert asset["description"].startswith("The trips as they come.")
    assert "def trips_file" in asset["source"]


def test_config_reaches_the_run(client: TestClient) -> None:
    body = {"selection": ["trips_file"], "config": {"trips_file": {"rows": 5}}}
    run = launch(client, **body)

    assert run["config"] == {"trips_file": {"rows": 5}}
    assert client.get("/api/assets/trips_file").json()["metadata"]["rows"] == 5


def test_config_may_be_written_as_text(client: TestClient) -> None:
    run = launch(client, selection=["trips_file"], config_text='{"trips_file": {"rows": 4}}')

    assert run["config"] == {"trips_file": {"rows": 4}}


def test_a_plan_reads_config_as_a_run_does(client: TestClient) -> None:
    launch(client, selection=["trips_file"], config={"trips_file": {"rows": 4}})

    body = {"selection": ["trips_file"], "stale": True, "config": {"trips_file": {"rows": "4"}}}
    assert client.post("/api/plan", json=body).json()["steps"] == []


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"trips_file": {"rows": "many"}}, "int"),
        ({"trips_file": {"colour": 1}}, "colour"),
        ({"trips": {"x": 1}}, "takes no config"),
        ({"nothing_such": {"x": 1}}, "nothing_such"),
        ("not a mapping", "config"),
    ],
)
def test_config_that_does_not_fit_is_refused_before_anything_runs(
    client: TestClient, config: Any, said: str
) -> None:
    for address in ("/api/plan", "/api/runs"):
        answer = client.post(address, json={"selection": ["trips_file"], "config": config})
        assert answer.status_code == 400
        assert said in error_of(answer)["message"] + (error_of(answer)["hint"] or "")
    assert client.get("/api/runs").json()["runs"] == []


def test_the_plan_says_what_would_run_and_why_and_what_may_be_configured(
    client: TestClient,
) -> None:
    plan = client.post("/api/plan", json={"selection": ["trips"]}).json()

    assert [(step["key"], step["cause"]) for step in plan["steps"]] == [
        ("trips_file", "missing"),
        ("trips", "requested"),
    ]
    assert plan["steps"][0]["reasons"][0]["text"] == "never materialized"
    month, rows = plan["config_fields"]["trips_file"]
    assert (month["name"], month["kind"], month["default"]) == ("month", "text", "2023-03")
    assert (rows["name"], rows["kind"], rows["required"]) == ("rows", "integer", False)


@pytest.mark.parametrize(
    "body",
    [{"selection": ["nothing_such"]}, {"selection": "trips"}, {"select": ["trips"]}, {"jobs": "x"}],
)
def test_a_launch_that_cannot_be_is_refused_with_a_reason(
    client: TestClient, body: dict[str, Any]
) -> None:
    answer = client.post("/api/plan", json=body)

    assert answer.status_code == 400
    assert error_of(answer)["message"]


@pytest.mark.parametrize("content", ["", "[]", "{", "null", '"x"'])
def test_a_body_that_is_no_object_is_refused(client: TestClient, content: str) -> None:
    answer = client.post("/api/runs", content=content, headers={"content-type": "application/json"})

    assert answer.status_code == 400


def test_nothing_selected_never_means_everything(client: TestClient) -> None:
    assert client.post("/api/runs", json={}).status_code == 400


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


def test_a_run_is_executed_again_from_its_failure_and_knows_its_root(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    mark = folder_of.write("break", "")
    failed = launch(client, selection=["*"])
    mark.unlink()

    again = client.post(f"/api/runs/{failed['run_id']}/rerun", json={"from_failure": True}).json()
    run = ended(client, again["run_id"])

    assert run["status"] == "SUCCESS"
    assert [step["key"] for step in run["steps"]] == ["city/fares"]
    assert run["root_run_id"] == run["parent_run_id"] == failed["run_id"]
    assert [one["status"] for one in run["family"]] == ["FAILURE", "SUCCESS"]


def test_re_executions_of_a_run_that_was_deleted_stay_a_family(client: TestClient) -> None:
    root = launch(client, selection=["trips_file"])["run_id"]
    again = [
        ended(client, client.post(f"/api/runs/{root}/rerun", json={}).json()["run_id"])["run_id"]
        for _ in range(2)
    ]
    runs = client.app_state["site"].store.runs
    lock = Lock(f"{runs.path(root)}/lock")
    lock.wait(lambda: True)  # after the end of a run, its process syncs the disk before it lets go
    lock.release()
    runs.delete(root)

    for run_id in again:
        family = client.get(f"/api/runs/{run_id}").json()["family"]
        assert [one["run_id"] for one in family] == again


def test_a_run_can_be_canceled(client: TestClient, folder_of: ProjectFolder) -> None:
    folder_of.write(
        "pipeline.py",
        """
        import time

        import assetgraph as dg

        @dg.asset
        def slow():
            print("begun", flush=True)
            time.sleep(600)
        """,
    )
    client.post("/api/definitions/reload", json={})
    run_id = client.post("/api/runs", json={"selection": ["slow"]}).json()["run_id"]
    deadline = time.monotonic() + PATIENCE_S
    while not client.get(f"/api/runs/{run_id}").json()["outputs"]:
        assert time.monotonic() < deadline
    assert client.get("/api/assets/slow").json()["state"] == "running"

    assert client.post(f"/api/runs/{run_id}/cancel", json={}).status_code == 200

    assert ended(client, run_id)["status"] == "CANCELED"
    assert client.post(f"/api/runs/{run_id}/cancel", json={}).status_code == 400


def test_a_process_that_ends_before_its_run_says_why(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    folder_of.write("pipeline.py", "import nothing_such_module\n")

    answer = client.post("/api/runs", json={"selection": ["trips_file"]})

    assert answer.status_code == 400
    assert "nothing_such_module" in error_of(answer)["message"]


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
    site = client.app_state["site"]
    client.get("/api/assets")  # by now the definitions are read
    position = site.feed.position
    site.feed.close()  # else the answer has no end

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


def test_reloading_takes_over_what_was_edited(client: TestClient, folder_of: ProjectFolder) -> None:
    folder_of.write("pipeline.py", PIPELINE.replace("def trips(", "def journeys("))
    file = Path(folder_of.root / "pipeline.py")
    file.write_text(file.read_text().replace("def fares(trips)", "def fares(journeys)"))

    assert client.post("/api/definitions/reload", json={}).json()["failure"] is None
    assert "journeys" in [asset["key"] for asset in client.get("/api/assets").json()]


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
    assert overview["counts"] == {"running": 0, "failed": 1, "missing": 0, "stale": 0, "fresh": 2}
    assert overview["ever"] is True


def test_chosen_steps_of_a_run_are_executed_again(client: TestClient) -> None:
    first = launch(client, selection=["*"])
    address = f"/api/runs/{first['run_id']}/rerun"

    run = ended(client, client.post(address, json={"steps": ["trips"]}).json()["run_id"])

    assert [step["key"] for step in run["steps"]] == ["trips"]
    assert run["parent_run_id"] == first["run_id"]
    assert client.post(address, json={"steps": ["nothing"]}).status_code == 400


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
    client.app_state["site"].sweep()

    summary = client.get("/api/summary").json()
    assert [one["key"] for one in summary["damage"]] == ["trips_file"]
    assert "trips_file.jsonl" in summary["damage"][0]["message"]
    assert len(client.get("/api/assets").json()) == 3


def test_a_value_that_is_removed_from_outside_is_seen(
    client: TestClient, folder_of: ProjectFolder
) -> None:
    launch(client, selection=["trips_file"])
    (folder_of.root / "trips_2023-03.csv").unlink()
    client.app_state["site"].sweep()

    asset = client.get("/api/assets/trips_file").json()
    assert asset["state"] == "missing"
    assert asset["reasons"][0]["kind"] == "value_gone"

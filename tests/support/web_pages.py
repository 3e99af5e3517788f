"""A project served by the page, and requests that a script sends to it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from assetgraph.project.settings import Project
from assetgraph.web.http.routes import create_app
from assetgraph.web.live.page_state import PageState

REPOSITORY = Path(__file__).parents[2]
PATIENCE_S = 30

PIPELINE = """
    from pathlib import Path

    import assetgraph as dg


    class TripsConfig(dg.Config):
        month: str = "2023-03"
        rows: int = 3


    @dg.asset(group_name="raw", kinds={"csv"}, owners=["team:data"], tags={"tier": "1"})
    def trips_file(context, config: TripsConfig) -> Path:
        \"\"\"The trips as they come.

        One file a month.
        \"\"\"
        print(f"writing {config.rows} rows")
        context.log.info("month %s", config.month)
        file = Path(f"trips_{config.month}.csv")
        file.write_text("id,fare\\n" + "".join(f"{i},{i * 2}\\n" for i in range(config.rows)))
        context.add_output_metadata({"rows": config.rows})
        return file


    @dg.asset(group_name="made")
    def trips(trips_file: Path) -> list[dict[str, str]]:
        head, *rows = trips_file.read_text().split()
        return [dict(zip(head.split(","), row.split(","))) for row in rows]


    @dg.asset(group_name="made", key_prefix="city")
    def fares(trips):
        if Path("break").exists():
            return sum(missing_name for trip in trips)
        return sum(int(trip["fare"]) for trip in trips)
"""


@contextmanager
def served(project: Project, **options: Any) -> Iterator[TestClient]:
    """A client for the server of `project`, which the page's own requests and scripts can use."""
    page = PageState(project, **options)
    with TestClient(create_app(page), base_url="http://localhost:3000") as client:
        client.app_state["page_state"] = page
        yield client


def launch(client: TestClient, **body: Any) -> dict[str, Any]:
    """Start a run and wait until it ends."""
    answer = client.post("/api/runs", json=body)
    assert answer.status_code == 200, answer.text
    return ended(client, answer.json()["run_id"])


def ended(client: TestClient, run_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        run: dict[str, Any] = client.get(f"/api/runs/{run_id}").json()
        if run["status"] != "STARTED":
            return run
    raise AssertionError(f"the run {run_id} did not end")


def error_of(answer: Any) -> dict[str, Any]:
    error: dict[str, Any] = answer.json()["error"]
    return error

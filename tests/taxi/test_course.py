"""The code of the course, including its failure exercise, runs with only the import changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import REPOSITORY, ProjectFolder

from assetgraph import AssetKey
from assetgraph.queries.run_views import run_details
from assetgraph.records import RunStatus

MakeProject = Callable[..., ProjectFolder]

FIRST_LESSON = '''\
import requests
from my_project import constants
import assetgraph as dg

@dg.asset
def taxi_trips_file() -> None:
    """
      The raw parquet files for the taxi trips dataset. Sourced from the NYC Open Data portal.
    """
    ...

@dg.asset
def cookie_dough(dry_ingredients, wet_ingredients):
    return dry_ingredients + wet_ingredients
'''

INGREDIENTS = """\
import assetgraph as dg

@dg.asset
def dry_ingredients():
    return ["flour"]

@dg.asset
def wet_ingredients():
    return ["milk"]
"""

TRIPS = '''\
from my_project import constants
import assetgraph as dg

@dg.asset
def taxi_trips_file() -> None:
    """The raw parquet files for the taxi trips dataset."""
    month_to_fetch = "2023-03"
    with open(constants.TAXI_TRIPS_TEMPLATE_FILE_PATH.format(month_to_fetch), "wb") as output_file:
        output_file.write(b"trips")

@dg.asset(deps=["taxi_trips_file"])
def taxi_trips() -> None:
    """The raw taxi trips dataset, loaded into a table."""
'''

CONSTANTS = 'TAXI_TRIPS_TEMPLATE_FILE_PATH = "taxi_trips_{}.parquet"\n'


def test_the_code_of_the_course_runs(project: MakeProject) -> None:
    pytest.importorskip("requests")
    made = project(
        {
            "my_project/__init__.py": "",
            "my_project/constants.py": "",
            "my_project/assets/__init__.py": "",
            "my_project/assets/trips.py": FIRST_LESSON,
            "my_project/assets/ingredients.py": INGREDIENTS,
        },
        module="my_project",
    )
    graph = made.load()
    assert graph.validate() == ()
    trips = graph.asset(AssetKey("taxi_trips_file"))
    assert trips.description == (
        "The raw parquet files for the taxi trips dataset. Sourced from the NYC Open Data portal."
    )
    assert [key.text for key in graph.parents(AssetKey("cookie_dough"))] == [
        "dry_ingredients",
        "wet_ingredients",
    ]
    assert graph.computation(AssetKey("cookie_dough"))(["a"], ["b"]) == ["a", "b"]

    from assetgraph import materialize

    result = materialize(graph)
    assert result.value("cookie_dough") == ["flour", "milk"]
    assert result.value("taxi_trips_file") is None


def assetgraph(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "assetgraph", *words],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_failure_exercise_of_the_course(project: MakeProject) -> None:
    made = project(
        {
            "my_project/__init__.py": "",
            "my_project/constants.py": CONSTANTS,
            "my_project/trips.py": TRIPS.replace("from my", "# from my"),
        },
        module="my_project",
    )
    failed = assetgraph(made.root, "materialize", "--all")
    assert failed.returncode == 1
    shown = assetgraph(made.root, "runs", "show", "latest").stdout
    assert "name 'constants' is not defined" in shown
    assert "NameError" in shown
    assert "STEP_FAILURE" in shown
    assert "with open(constants.TAXI_TRIPS_TEMPLATE_FILE_PATH" in shown
    assert "trips.py:8" in shown or 'trips.py", line 8' in shown
    assert "runs rerun" in shown

    made.write("my_project/trips.py", TRIPS)
    again = assetgraph(made.root, "runs", "rerun", "latest")
    assert again.returncode == 0, again.stdout + again.stderr
    store = made.find().open_store()
    newest, oldest = store.runs.ids()
    details = run_details(store, newest)
    assert details.record.status is RunStatus.SUCCESS
    assert (details.record.root_run_id, details.record.parent_run_id) == (oldest, oldest)
    root = run_details(store, oldest)
    assert root.record.status is RunStatus.FAILURE
    assert root.reruns == (newest,)
    assert {step.step_id: step.state.value for step in root.steps} == {
        "taxi_trips_file": "failure",
        "taxi_trips": "skipped",
    }
    listed = json.loads(assetgraph(made.root, "runs", "list", "--json").stdout)
    assert [(run["status"], run["root_run_id"]) for run in listed] == [
        ("SUCCESS", oldest),
        ("FAILURE", None),
    ]
    assert (made.root / "taxi_trips_2023-03.parquet").read_bytes() == b"trips"

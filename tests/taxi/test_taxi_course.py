"""The failure exercise of the course, word for word, on the command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from servers import refusing_url

ROOT = Path(__file__).resolve().parents[2]
IMPORT = "from nyc_taxi import constants\n"


@pytest.fixture
def assetgraph(folder, monkeypatch):
    """Runs a command in a copy of the project, without a network."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(ROOT / "nyc_taxi", folder / "nyc_taxi")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NYC_TAXI_TRIPS_URL": refusing_url()}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "assetgraph", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    return run


def test_a_forgotten_import_is_found_fixed_and_run_again(assetgraph):
    file = Path("nyc_taxi/assets/trips.py")
    text = file.read_text()
    assert text.count(IMPORT) == 1
    file.write_text(text.replace(IMPORT, f"# {IMPORT}"))

    failed = assetgraph("materialize", "taxi_trips_file")
    assert failed.returncode == 1
    shown = assetgraph("runs", "show", "latest").stdout
    assert "STEP_FAILURE" in shown
    assert "NameError: name 'constants' is not defined" in shown
    line = next(line for line in text.splitlines() if "constants.TAXI_TRIPS_TEMPLATE" in line)
    assert line.strip() in shown
    assert str(file) in shown

    file.write_text(text)
    again = assetgraph("runs", "rerun", "latest")
    assert again.returncode == 0, again.stderr
    first, second = reversed(json.loads(assetgraph("runs", "list", "--json").stdout))
    assert (first["status"], second["status"]) == ("FAILURE", "SUCCESS")
    assert second["root_run_id"] == second["parent_run_id"] == first["run_id"]


def test_the_first_command_of_a_person_without_a_network(assetgraph):
    import pyarrow.parquet as pq

    done = assetgraph("materialize", "taxi_trips_file")
    assert done.returncode == 0, done.stderr
    assert "is the embedded sample" in done.stdout + done.stderr
    assert pq.read_table("data/raw/taxi_trips_2023-03.parquet").num_rows == 5000
    for command in (["runs", "show", "latest"], ["show", "taxi_trips_file"], ["list"]):
        shown = assetgraph(*command)
        assert "is the embedded sample" in shown.stdout + shown.stderr

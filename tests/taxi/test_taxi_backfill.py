"""A backfill of the taxi project on the command line: killed, resumed, and after edits."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from servers import Answer, Server

from nyc_taxi import sample

ROOT = Path(__file__).resolve().parents[2]
MONTHS = ("2023-01", "2023-02", "2023-03", "2023-04")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A file of trips for each month."""
    folder, found = tmp_path_factory.mktemp("months"), {}
    for month in MONTHS:
        sample.write_trips(folder / month, month)
        found[month] = (folder / month).read_bytes()
    return found


@pytest.fixture
def server(
    folder: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]
) -> Iterator[Server]:
    """A copy of the project in the current folder, and a server that has its months."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(ROOT / "nyc_taxi", folder / "nyc_taxi")
    with Server() as running:
        for month, content in files.items():
            running.answers(f"/{month}", Answer(content))
        monkeypatch.setenv("NYC_TAXI_TRIPS_URL", running.url("/{month}"))
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        yield running


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "assetgraph", *words]


def assetgraph(*words: str) -> str:
    done = subprocess.run(command(*words), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def planned(*words: str) -> list[tuple[str, str]]:
    """The assets of a plan, as targets, each with the cause that it runs for."""
    steps = json.loads(assetgraph("plan", *words, "--json"))
    own = [step for step in steps if ":" not in step["key"]]  # without their checks
    return [(f"{step['key']}@{step['partition']}", step["cause"]) for step in own]


def events_of_the_latest_run(kind: str) -> list[str]:
    """The steps that the events of one kind are about."""
    events = json.loads(assetgraph("runs", "show", "latest", "--json"))["events"]
    return sorted(event["step"] for event in events if event["type"] == kind)


def backfill_killed_in_the_middle(server: Server) -> None:
    """Start the backfill, and kill it when two months are done and the third one hangs."""
    server.answers("/2023-03", Answer(b"some", stall=2))
    words = command("materialize", "taxi_trips", "--partitions", "2023-01..2023-03", "-j", "2")
    going = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    assert going.stdout
    waiting = {"✓ taxi_trips@2023-01-01", "✓ taxi_trips@2023-02-01"}
    for line in going.stdout:
        waiting = {one for one in waiting if one not in line}
        if not waiting:
            break
    os.killpg(going.pid, signal.SIGKILL)
    going.wait()
    going.stdout.close()
    assert not waiting, "the run ended before it was killed"


def test_a_killed_backfill_is_finished_and_repeats_nothing(
    server: Server, files: dict[str, bytes]
) -> None:
    backfill_killed_in_the_middle(server)
    server.answers("/2023-03", Answer(files["2023-03"]))
    left = ["taxi_trips_file@2023-03-01", "taxi_trips@2023-03-01"]
    assert [target for target, _ in planned("--stale", "taxi_trips")] == left

    assetgraph("materialize", "--stale", "taxi_trips", "-j", "2")
    checks = [f"taxi_trips_checks@{month}-01" for month in MONTHS[:3]]
    started = set(events_of_the_latest_run("STEP_START"))
    assert started - set(checks) == set(left)
    assert checks[2] in started
    asked = Counter(request.path for request in server.requests)
    assert asked["/2023-01"] == asked["/2023-02"] == 1
    assert planned("--stale", "taxi_trips") == []


def test_an_edited_helper_and_a_month_more_change_what_they_should(server: Server) -> None:
    assetgraph("materialize", "taxi_trips", "--partitions", "2023-01..2023-03", "-j", "2")
    edit("nyc_taxi/constants.py", 'END_DATE = "2023-04-01"', 'END_DATE = "2023-05-01"')
    assert planned("--stale", "taxi_trips") == [
        ("taxi_trips_file@2023-04-01", "missing"),
        ("taxi_trips@2023-04-01", "missing"),
    ]
    edit("nyc_taxi/constants.py", 'END_DATE = "2023-05-01"', 'END_DATE = "2023-04-01"')

    edit("nyc_taxi/tlc.py", "BATCH_ROWS = 1 << 16", "BATCH_ROWS = 1 << 15")
    changed = "`BATCH_ROWS` in `nyc_taxi/tlc.py` changed"
    months = [f"taxi_trips@{month}-01" for month in MONTHS[:3]]
    assert planned("--stale", "taxi_trips") == [(month, "stale") for month in months]
    assert changed in assetgraph("plan", "--stale", "taxi_trips")
    assert f"3 of 3 partitions stale, 2023-01-01..2023-03-01: {changed}" in assetgraph("status")


def edit(file: str, old: str, new: str) -> None:
    text = Path(file).read_text()
    assert text.count(old) == 1
    Path(file).write_text(text.replace(old, new))

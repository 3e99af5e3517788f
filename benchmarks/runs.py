"""Measure the cost of listing runs in a store with a hundred runs, and with a hundred thousand.

    python benchmarks/runs.py [--runs 100000] [--a-day 1000]

Each run is a folder with a summary, 1000 a day. A page is the newest 20 runs. "command" is the
whole of `assetgraph runs list`, from start to end.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec

from assetgraph.queries.run_views import find_run, list_runs
from assetgraph.records import RunRecord, RunStatus
from assetgraph.storage.run_folders import new_run_id
from assetgraph.storage.store import Store


def make_runs(store: Store, count: int, a_day: int) -> None:
    store.prepare()
    end = datetime(2026, 1, 1, tzinfo=UTC)
    for i in range(count):
        started_at = end - timedelta(seconds=i * 86_400 / a_day)
        run_id = new_run_id(started_at)
        record = RunRecord(run_id, RunStatus.SUCCESS, started_at, ended_at=started_at)
        folder = Path(store.runs.path(run_id))
        folder.mkdir(parents=True)
        (folder / "run.json").write_bytes(msgspec.json.encode(record))


def median_ms(store: Store, repeat: int = 20) -> tuple[float, float]:
    """The milliseconds to list a page, and to find the newest run."""
    pages, latest = [], []
    for _ in range(repeat):
        start = time.perf_counter()
        assert len(list_runs(store).runs) == 20
        pages.append(time.perf_counter() - start)
        start = time.perf_counter()
        find_run(store, "latest")
        latest.append(time.perf_counter() - start)
    return statistics.median(pages) * 1000, statistics.median(latest) * 1000


def command_ms(store: Store, repeat: int = 11) -> float:
    """The milliseconds of `runs list` as typed. A first turn, which fills caches, is left out."""
    words = ["runs", "list", "--store", store.folder]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    times = []
    for _ in range(repeat + 1):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "assetgraph", *words],
            env=environment,
            check=True,
            capture_output=True,
        )
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:]) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--a-day", type=int, default=1000)
    options = parser.parse_args()
    print(f"{'runs':>7} {'a page, ms':>11} {'latest, ms':>11} {'command, ms':>11}")
    for count in (100, options.runs):
        with tempfile.TemporaryDirectory() as folder:
            store = Store(folder)
            make_runs(store, count, options.a_day)
            page, latest = median_ms(store)
            command = command_ms(store)
            print(f"{count:7} {page:11.2f} {latest:11.2f} {command:11.1f}", flush=True)


if __name__ == "__main__":
    main()

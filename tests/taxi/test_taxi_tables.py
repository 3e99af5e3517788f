"""The tables in DuckDB, and the report, from the sample."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from servers import refusing_url

import assetgraph as dg
import nyc_taxi.source
from nyc_taxi.assets import tables, trips, zones
from nyc_taxi.download import Patience

pytest.importorskip("duckdb", reason="the tables need the extra 'duckdb'")

ROOT = Path(__file__).resolve().parents[2]
ASSETS = dg.load_assets_from_modules([trips, zones, tables])


@pytest.fixture(autouse=True)
def offline(folder, monkeypatch):
    monkeypatch.setattr(nyc_taxi.source, "PATIENCE", Patience(sleep=lambda seconds: None))
    monkeypatch.setenv("NYC_TAXI_TRIPS_URL", refusing_url())
    monkeypatch.setenv("NYC_TAXI_ZONES_URL", refusing_url())


def test_the_tables_have_every_trip_once_and_the_report_adds_them_up(instance):
    def make(**asked):
        return dg.materialize(ASSETS, resources=tables.resources, instance=instance, **asked)

    made = make(partitions="*")
    again = make(selection="trips", partition_key="2023-02-01")

    borough = {}
    with open("data/raw/taxi_zones.csv", newline="") as file:
        for row in csv.DictReader(file):
            borough[int(row["LocationID"])] = row["borough"]
    expected: Counter[str] = Counter()
    for path in Path("data/raw").glob("*.parquet"):
        for zone in pq.read_table(path)["PULocationID"].to_pylist():
            expected[borough.get(zone, "unmatched")] += 1
    report = made.value("trips_by_borough")
    assert {row["borough"]: row["num_trips"] for row in report} == dict(expected)
    assert "embedded sample" in made.materialization("trips_by_borough").metadata["warning"]
    assert again.materialization("trips").metadata["rows"] == 5000
    with tables.resources["database"].get_connection() as connection:
        months = connection.execute(
            "select partition_date, count(*) from trips group by all order by all"
        ).fetchall()
    assert [(f"{day}", count) for day, count in months] == [
        ("2023-01-01", 5000), ("2023-02-01", 5000), ("2023-03-01", 5000),
    ]  # fmt: skip


def test_the_first_command_needs_no_duckdb(folder):
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(ROOT / "nyc_taxi", folder / "nyc_taxi")
    script = (
        "import sys\nsys.modules['duckdb'] = None\nfrom assetgraph.cli import main\n"
        "sys.argv = ['assetgraph', 'materialize', 'taxi_trips_file']\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (folder / "data/raw/taxi_trips_2023-03.parquet").is_file()

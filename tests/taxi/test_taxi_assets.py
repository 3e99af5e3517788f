"""The taxi assets on the TLC's real files, served by a local server, in a real run."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from servers import Answer, Server
from taxi import DATA, GREEN, YELLOW, ZONES, context_of, needs_data, three_months

import assetgraph as dg
import nyc_taxi.source
from assetgraph.errors import PartitionsError
from assetgraph.keys import Target
from nyc_taxi.assets import trips, zones
from nyc_taxi.download import Patience
from nyc_taxi.download_errors import RefusedError, WrongFileError
from nyc_taxi.partitions import monthly_partition, weekly_partition

ASSETS = [
    trips.taxi_trips_file,
    trips.taxi_trips,
    zones.taxi_zones_file,
    zones.taxi_zones,
]

pytestmark = needs_data


@pytest.fixture
def server(folder, monkeypatch):
    """Serves the real files like their hosts, with the yellow taxis' file for 2023-03."""
    monkeypatch.setattr(nyc_taxi.source, "PATIENCE", Patience(sleep=lambda seconds: None))
    with Server() as running:
        running.answers("/2023-03.parquet", Answer(YELLOW.read_bytes()))
        running.answers("/2023-01.parquet", Answer(GREEN.read_bytes()))
        running.answers("/zones.csv", Answer(ZONES.read_bytes()))
        monkeypatch.setenv("NYC_TAXI_TRIPS_URL", running.url("/{month}.parquet"))
        monkeypatch.setenv("NYC_TAXI_ZONES_URL", running.url("/zones.csv"))
        yield running


def test_the_assets_materialize_from_the_served_files(server, instance):
    result = dg.materialize(ASSETS, instance=instance)
    assert result.success
    trips_path = Path("data/raw/taxi_trips_2023-03.parquet")
    assert result.value("taxi_trips_file") == trips_path
    assert trips_path.read_bytes() == YELLOW.read_bytes()
    assert Path("data/raw/taxi_zones.csv").read_bytes() == ZONES.read_bytes()
    assert result.value("taxi_trips", pa.Table).num_rows == 5000
    assert result.value("taxi_zones").num_rows == 260
    assert [event for event in result.events if event.level == "WARNING"] == []


def test_what_is_recorded_of_a_download(server, instance):
    dg.materialize([trips.taxi_trips_file], instance=instance)
    made, _ = instance.store.history.current(Target(dg.AssetKey("taxi_trips_file"), "2023-03-01"))
    metadata = made.metadata
    assert metadata["url"] == {"type": "url", "value": server.url("/2023-03.parquet")}
    assert metadata["bytes"] == len(YELLOW.read_bytes())
    assert metadata["sha256"] == hashlib.sha256(YELLOW.read_bytes()).hexdigest()
    assert metadata["rows"] == 5000
    assert {"name": "PULocationID", "type": "int32"} in metadata["columns"]["value"]
    assert metadata["seconds"] >= 0
    assert metadata["source"] == server.url("").removeprefix("http://")
    assert "warning" not in metadata


def test_each_month_is_a_partition(server, instance):
    result = dg.materialize(ASSETS, partition_key="2023-01-01", instance=instance)
    assert result.value("taxi_trips_file") == Path("data/raw/taxi_trips_2023-01.parquet")
    assert result.value("taxi_trips", pa.Table).num_rows == 68211


def test_three_months_of_real_records_keep_every_value(server, instance):
    months = three_months()
    for month, content in months.items():
        server.answers(f"/{month}.parquet", Answer(content))
    result = dg.materialize(ASSETS, partitions="2023-01..2023-03", instance=instance)
    for month, content in months.items():
        source = pq.read_table(io.BytesIO(content))
        made = result.value("taxi_trips", pa.Table, partition_key=f"{month}-01")
        assert made["pickup_zone_id"].to_pylist() == source["PULocationID"].to_pylist()
        assert made["total_amount"].to_pylist() == source["total_amount"].to_pylist()
        assert made["passenger_count"].to_pylist() == source["passenger_count"].to_pylist()
        pickup = next(name for name in source.column_names if name.endswith("pickup_datetime"))
        assert made["pickup_datetime"].to_pylist() == source[pickup].to_pylist()
    facts = result.materialization("taxi_trips_file", partition_key="2023-02-01").metadata
    assert facts["rows"] == 5000


@pytest.mark.parametrize(
    "month", ["2023-13", "2023-3", "March", "1923-03", "2023-03/../x", "2022-12", "2023-04"]
)
def test_a_month_that_is_no_partition_is_refused_before_anything_runs(server, instance, month):
    with pytest.raises(PartitionsError) as caught:
        dg.materialize(ASSETS, partition_key=month, instance=instance)
    assert f"there is no partition '{month[:7]}" in str(caught.value)
    assert "2023-01-01..2023-03-01" in f"{caught.value} {caught.value.hint}"
    assert server.requests == []
    assert not Path("data").exists()


@pytest.mark.parametrize("month", ["2010-12", "2009-01", "2008-05"])
def test_a_month_whose_trips_have_no_zone_ids_is_refused_before_the_download(server, month):
    context, _ = context_of("taxi_trips_file", f"{month}-01")
    with pytest.raises(ValueError, match="zone ids from 2011-01 on; those of 2009 and 2010 have"):
        trips.taxi_trips_file(context)
    assert server.requests == []
    assert not Path("data").exists()


def test_the_months_and_weeks_are_those_of_the_course():
    months = [monthly_partition.keys().key(number) for number in range(3)]
    weeks = [weekly_partition.keys().key(number) for number in range(12)]
    assert (len(monthly_partition.keys()), len(weekly_partition.keys())) == (3, 12)
    assert months == ["2023-01-01", "2023-02-01", "2023-03-01"]
    assert (weeks[0], weeks[-1]) == ("2023-01-01", "2023-03-19")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(status=404), RefusedError),
        (Answer(status=500), RefusedError),
        (Answer(b"<html><body>Please log in</body></html>"), WrongFileError),
        (Answer(ZONES.read_bytes() if DATA.is_dir() else b""), WrongFileError),
        (Answer(YELLOW.read_bytes()[:-9] if DATA.is_dir() else b""), WrongFileError),
        (Answer(b""), WrongFileError),
    ],
    ids=["404", "500", "html", "csv", "cut", "empty"],
)
def test_a_failed_download_leaves_the_file_that_was_there(server, instance, answer, error):
    path = Path("data/raw/taxi_trips_2023-03.parquet")
    dg.materialize(ASSETS, instance=instance)
    server.answers("/2023-03.parquet", answer)
    with pytest.raises(error):
        dg.materialize(ASSETS, instance=instance)
    assert path.read_bytes() == YELLOW.read_bytes()
    assert [found.name for found in path.parent.iterdir() if found.name != "taxi_zones.csv"] == [
        path.name
    ]


def test_zones_that_are_a_web_page_are_refused(server, instance):
    server.answers("/zones.csv", Answer(b"<html>\n<body>Please log in</body>\n</html>\n"))
    with pytest.raises(WrongFileError, match="no column named 'LocationID'"):
        dg.materialize([zones.taxi_zones_file], instance=instance)


def test_a_column_that_a_month_lacks_fails_the_step_that_needs_it(server, instance):
    source = pq.read_table(YELLOW).drop_columns(["PULocationID"])
    pq.write_table(source, "short.parquet")
    server.answers("/2023-03.parquet", Answer(Path("short.parquet").read_bytes()))
    result = dg.materialize(ASSETS, raise_on_error=False, instance=instance)
    assert not result.success
    assert list(result.failures) == ["taxi_trips@2023-03-01"]
    assert "no column named 'PULocationID'" in result.failures["taxi_trips@2023-03-01"].message


def test_importing_the_assets_imports_nothing_heavy():
    script = (
        "import sys, nyc_taxi.assets.trips, nyc_taxi.assets.zones\n"
        "print([name for name in ('pyarrow', 'requests', 'urllib3', 'matplotlib', 'numpy',"
        " 'networkx', 'rich', 'logging') if name in sys.modules])\n"
    )
    root = Path(__file__).parents[2]
    output = subprocess.check_output([sys.executable, "-c", script], cwd=root, text=True)
    assert output == "[]\n"

"""The taxi assets on the TLC's real files, served by a local server, in a real run."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from servers import Answer, Server
from taxi import DATA, GREEN, YELLOW, ZONES, needs_data

import assetgraph as dg
import nyc_taxi.source
from assetgraph.errors import ConfigError
from assetgraph.keys import Target
from nyc_taxi.assets import trips, zones
from nyc_taxi.download import Patience
from nyc_taxi.download_errors import RefusedError, WrongFileError

ASSETS = [
    trips.taxi_trips_file,
    trips.taxi_trips,
    zones.taxi_zones_file,
    zones.taxi_zones,
]

pytestmark = needs_data


@pytest.fixture
def server(folder, monkeypatch):
    """Serves the real files like their hosts, with the green taxis' file for 2023-01."""
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
    made, _ = instance.store.history.current(Target(dg.AssetKey("taxi_trips_file")))
    metadata = made.metadata
    assert metadata["url"] == {"type": "url", "value": server.url("/2023-03.parquet")}
    assert metadata["bytes"] == len(YELLOW.read_bytes())
    assert metadata["sha256"] == hashlib.sha256(YELLOW.read_bytes()).hexdigest()
    assert metadata["rows"] == 5000
    assert {"name": "PULocationID", "type": "int32"} in metadata["columns"]["value"]
    assert metadata["seconds"] >= 0
    assert metadata["source"] == server.url("").removeprefix("http://")
    assert "warning" not in metadata


def test_another_month_is_a_matter_of_config(server, instance):
    config = {"taxi_trips_file": {"month": "2023-01"}}
    result = dg.materialize(ASSETS, run_config=config, instance=instance)
    assert result.value("taxi_trips_file") == Path("data/raw/taxi_trips_2023-01.parquet")
    assert result.value("taxi_trips", pa.Table).num_rows == 68211


@pytest.mark.parametrize("month", ["2023-13", "2023-3", "March", "1923-03", "2023-03/../x"])
def test_an_invalid_month_is_refused_before_anything_runs(server, instance, month):
    config = {"taxi_trips_file": {"month": month}}
    with pytest.raises(ConfigError, match="is not a month"):
        dg.materialize(ASSETS, run_config=config, instance=instance)
    assert server.requests == []
    assert not Path("data").exists()


@pytest.mark.parametrize("month", ["2010-12", "2009-01", "2008-05"])
def test_a_month_whose_trips_have_no_zone_ids_is_refused_before_the_download(server, month):
    with pytest.raises(ConfigError, match="zone ids from 2011-01 on; those of 2009 and 2010 have"):
        dg.materialize([trips.taxi_trips_file], {"taxi_trips_file": {"month": month}})
    assert server.requests == []


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
    assert list(result.failures) == ["taxi_trips"]
    assert "no column named 'PULocationID'" in result.failures["taxi_trips"].message


def test_importing_the_assets_imports_nothing_heavy():
    script = (
        "import sys, nyc_taxi.assets.trips, nyc_taxi.assets.zones\n"
        "print([name for name in ('pyarrow', 'requests', 'urllib3', 'matplotlib', 'numpy',"
        " 'networkx', 'rich', 'logging') if name in sys.modules])\n"
    )
    root = Path(__file__).parents[2]
    output = subprocess.check_output([sys.executable, "-c", script], cwd=root, text=True)
    assert output == "[]\n"

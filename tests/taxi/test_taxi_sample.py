"""The embedded sample, and when it replaces a file that cannot be downloaded."""

from __future__ import annotations

import csv
import hashlib
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from servers import Answer, Server, refusing_url
from taxi import DATA, ZONES, context_of, needs_data

import nyc_taxi.source
from nyc_taxi import sample, tlc, wkt
from nyc_taxi.assets.trips import taxi_trips, taxi_trips_file
from nyc_taxi.assets.zones import taxi_zones, taxi_zones_file
from nyc_taxi.download import Patience
from nyc_taxi.download_errors import RefusedError, UnreachableError

TRIPS_PATH = Path("data/raw/taxi_trips_2023-03.parquet")
ZONES_PATH = Path("data/raw/taxi_zones.csv")

SCHEMA_OF_2023_03 = """
    VendorID int32, tpep_pickup_datetime timestamp[us], tpep_dropoff_datetime timestamp[us],
    passenger_count int64, trip_distance double, RatecodeID int64, store_and_fwd_flag string,
    PULocationID int32, DOLocationID int32, payment_type int64, fare_amount double, extra double,
    mta_tax double, tip_amount double, tolls_amount double, improvement_surcharge double,
    total_amount double, congestion_surcharge double, Airport_fee double
"""


@pytest.fixture(autouse=True)
def offline(folder, monkeypatch):
    """A new folder, hosts that refuse connections, and no waiting between tries."""
    monkeypatch.setenv("NYC_TAXI_TRIPS_URL", refusing_url())
    monkeypatch.setenv("NYC_TAXI_ZONES_URL", refusing_url())
    monkeypatch.delenv("NYC_TAXI_OFFLINE", raising=False)
    patience = Patience(sleep=lambda seconds: None)
    monkeypatch.setattr(nyc_taxi.source, "PATIENCE", patience)


def materialized_trips(month: str = "2023-03"):
    context, heard = context_of("taxi_trips_file", f"{month}-01")
    path = taxi_trips_file(context)
    return path, context.output_metadata, heard


def materialized_zones():
    context, heard = context_of("taxi_zones_file")
    return taxi_zones_file(context), context.output_metadata, heard


def test_the_sample_has_the_schema_of_2023_03(tmp_path):
    sample.write_trips(tmp_path / "trips.parquet", "2023-03")
    schema = pq.read_schema(tmp_path / "trips.parquet")
    wanted = [tuple(field.split()) for field in SCHEMA_OF_2023_03.split(",")]
    assert [(field.name, str(field.type)) for field in schema] == wanted


def test_the_sample_is_the_same_in_every_process(tmp_path):
    script = (
        "import sys, pathlib; from nyc_taxi import sample\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "sample.write_trips(folder / 'trips.parquet', '2023-03')\n"
        "sample.write_zones(folder / 'zones.csv')\n"
    )
    made = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        command = [sys.executable, "-c", script, folder]
        root = Path(__file__).parents[2]
        subprocess.run(command, check=True, cwd=root, env={"PYTHONHASHSEED": seed})
        made.append([(folder / name).read_bytes() for name in ("trips.parquet", "zones.csv")])
    assert made[0] == made[1]


def test_the_sample_looks_like_a_month(tmp_path):
    path = tmp_path / "trips.parquet"
    sample.write_trips(path, "2023-02")
    trips = tlc.read_trips(path).read_all().to_pylist()
    months = [trip["pickup_datetime"].strftime("%Y-%m") for trip in trips]
    assert len(trips) == 5000
    assert months.count("2023-02") > 4900
    assert {trip["pickup_datetime"].day for trip in trips} == set(range(1, 29))
    assert 20 < sum(trip["total_amount"] for trip in trips) / 5000 < 35
    assert 0 < sum(trip["total_amount"] < 0 for trip in trips) < 100
    assert 0 < sum(trip["passenger_count"] is None for trip in trips) < 300
    assert 0 < months.count("2009-02") < 20
    assert all(trip["dropoff_datetime"] > trip["pickup_datetime"] for trip in trips)


def test_the_zones_of_the_sample_are_whole_and_hold_its_trips(tmp_path):
    sample.write_zones(tmp_path / "zones.csv")
    sample.write_trips(tmp_path / "trips.parquet", "2023-03")
    zones = {zone["zone_id"]: zone for zone in tlc.read_zones(tmp_path / "zones.csv").to_pylist()}
    pickups = tlc.read_trips(tmp_path / "trips.parquet").read_all()["pickup_zone_id"].to_pylist()
    assert set(pickups) - set(zones) == {264}
    assert sum(zone["borough"] == "Manhattan" for zone in zones.values()) > 60
    for zone in zones.values():
        ((ring,),) = wkt.polygons(zone["geometry"])
        assert ring[0] == ring[-1]
        assert len(ring) > 3


@needs_data
def test_the_sample_has_the_header_of_the_real_zones(tmp_path):
    sample.write_zones(tmp_path / "zones.csv")
    with open(tmp_path / "zones.csv") as ours, open(ZONES) as theirs:
        assert ours.readline() == theirs.readline()


@needs_data
def test_real_names_of_zones_stand_by_their_numbers(tmp_path):
    sample.write_zones(tmp_path / "zones.csv")
    real = {zone["zone_id"]: zone for zone in tlc.read_zones(ZONES).to_pylist()}
    for zone in tlc.read_zones(tmp_path / "zones.csv").to_pylist():
        found = real[zone["zone_id"]]
        assert (zone["zone"], zone["borough"]) == (found["zone"], found["borough"])


@needs_data
def test_a_real_file_is_not_taken_for_the_sample(tmp_path):
    for path in (*DATA.glob("*.parquet"), *DATA.glob("*.csv")):
        assert not sample.is_sample(path)
        assert sample.marks(path) == {}
    (tmp_path / "zones.csv").write_bytes(b"")
    (tmp_path / "trips.parquet").write_bytes(b"broken")
    assert not sample.is_sample(tmp_path / "zones.csv")
    assert not sample.is_sample(tmp_path / "trips.parquet")


def test_without_a_network_there_are_sample_trips_and_a_warning():
    path, metadata, heard = materialized_trips()
    assert path == TRIPS_PATH
    assert pq.read_table(path).num_rows == 5000
    (warning,) = heard.warnings()
    assert "cannot be reached: connection refused" in warning
    assert f"{path} is the embedded sample" in warning
    assert metadata["warning"] == warning
    assert metadata["source"] == "embedded sample"
    assert metadata["rows"] == 5000
    assert metadata["bytes"] == path.stat().st_size
    assert metadata["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_without_a_network_there_are_sample_zones_and_a_warning():
    path, metadata, heard = materialized_zones()
    assert path == ZONES_PATH
    assert "embedded sample" in heard.warnings()[0]
    assert metadata["source"] == "embedded sample"
    with open(path, newline="") as file:
        assert metadata["rows"] == len(list(csv.DictReader(file)))


def test_the_sample_is_of_the_month_that_was_asked_for():
    path, _, _ = materialized_trips("2024-02")
    assert path == Path("data/raw/taxi_trips_2024-02.parquet")
    assert str(pq.read_table(path)["tpep_pickup_datetime"][0]).startswith("2024-02")


def test_tables_made_of_the_sample_say_so():
    path, _, _ = materialized_trips()
    assert taxi_trips(path).schema.metadata[b"source"].startswith(b"embedded sample")
    path, _, _ = materialized_zones()
    assert taxi_zones(path).schema.metadata[b"source"].startswith(b"embedded sample")


def test_a_sample_that_is_there_is_no_obstacle():
    materialized_trips()
    materialized_zones()
    assert materialized_trips()[1]["source"] == "embedded sample"
    assert materialized_zones()[1]["source"] == "embedded sample"


@needs_data
def test_the_sample_never_takes_the_place_of_a_real_file():
    TRIPS_PATH.parent.mkdir(parents=True)
    real = DATA / "yellow_tripdata_2025-02_sample5000.parquet"
    for path, source, materialized in (
        (TRIPS_PATH, real, materialized_trips),
        (ZONES_PATH, ZONES, materialized_zones),
    ):
        path.write_bytes(source.read_bytes())
        _, metadata, heard = materialized()
        assert path.read_bytes() == source.read_bytes()
        assert "is used" in heard.warnings()[0]
        assert metadata["warning"] == heard.warnings()[0]
        assert metadata["source"] == "existing file"
        assert metadata["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()


@pytest.mark.parametrize("content", [b"", b"half of a real file", b"PAR1 and nothing"])
def test_the_sample_does_not_take_the_place_of_a_damaged_file_either(content):
    TRIPS_PATH.parent.mkdir(parents=True)
    TRIPS_PATH.write_bytes(content)
    with pytest.raises(UnreachableError, match="Remove it to get the embedded sample"):
        materialized_trips()
    assert TRIPS_PATH.read_bytes() == content


def test_a_setting_asks_for_an_error_instead_of_the_sample(monkeypatch):
    monkeypatch.setenv("NYC_TAXI_OFFLINE", "fail")
    with pytest.raises(UnreachableError, match="cannot be reached"):
        materialized_trips()
    with pytest.raises(UnreachableError, match="cannot be reached"):
        materialized_zones()
    assert not TRIPS_PATH.exists()
    assert not ZONES_PATH.exists()


def test_a_mistyped_setting_is_an_error(monkeypatch):
    monkeypatch.setenv("NYC_TAXI_OFFLINE", "yes")
    with pytest.raises(ValueError, match="set it to 'fail' or to 'sample'"):
        materialized_trips()


@pytest.mark.parametrize("status", [403, 404, 500])
def test_an_answer_of_the_host_never_leads_to_the_sample(monkeypatch, status):
    with Server() as server:
        monkeypatch.setenv("NYC_TAXI_TRIPS_URL", server.answers("/t", Answer(status=status)))
        with pytest.raises(RefusedError, match=f"answered {status}") as caught:
            materialized_trips()
    assert ("Is 2023-03 published?" in str(caught.value)) == (status in (403, 404))
    assert not TRIPS_PATH.exists()


def test_the_real_file_takes_the_place_of_the_sample_once_it_can_be_had(monkeypatch):
    materialized_trips()
    table = pa.table({"VendorID": [1]})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    with Server() as server:
        url = server.answers("/t", Answer(sink.getvalue().to_pybytes()))
        monkeypatch.setenv("NYC_TAXI_TRIPS_URL", url)
        _, metadata, heard = materialized_trips()
    assert pq.read_table(TRIPS_PATH).equals(table)
    assert "warning" not in metadata
    assert heard.warnings() == []

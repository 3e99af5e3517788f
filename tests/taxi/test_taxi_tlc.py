"""`nyc_taxi.tlc` and `nyc_taxi.wkt`: any month of the TLC's files, read by name and cast."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from taxi import DATA, GREEN, YELLOW, ZONES, needs_data

from nyc_taxi import tlc, wkt

COLUMNS = {
    "vendor_id": "int32",
    "pickup_zone_id": "int32",
    "dropoff_zone_id": "int32",
    "rate_code_id": "int32",
    "payment_type": "int32",
    "dropoff_datetime": "timestamp[us]",
    "pickup_datetime": "timestamp[us]",
    "trip_distance": "double",
    "passenger_count": "int32",
    "total_amount": "double",
}
SQUARE = "MULTIPOLYGON (((0 0, 0 1, 1 1, 0 0)))"


def trips_file(folder: Path, **changes: pa.Array | None) -> Path:
    """A file of two trips, with columns replaced, added, or removed (None)."""
    moment = datetime(2023, 3, 1, 12)
    columns = {
        "VendorID": pa.array([1, 2], pa.int32()),
        "tpep_pickup_datetime": pa.array([moment, moment], pa.timestamp("us")),
        "tpep_dropoff_datetime": pa.array([moment, moment], pa.timestamp("us")),
        "passenger_count": pa.array([1, None], pa.int64()),
        "trip_distance": pa.array([1.5, 2.0]),
        "RatecodeID": pa.array([1, None], pa.int64()),
        "PULocationID": pa.array([4, 264], pa.int32()),
        "DOLocationID": pa.array([4, 4], pa.int32()),
        "payment_type": pa.array([1, 2], pa.int64()),
        "total_amount": pa.array([10.0, -10.0]),
    } | changes
    path = folder / "trips.parquet"
    pq.write_table(pa.table({n: c for n, c in columns.items() if c is not None}), path)
    return path


def zones_file(folder: Path, *rows: str) -> Path:
    path = folder / "zones.csv"
    path.write_text("the_geom,zone,LocationID,borough\n" + "".join(f"{row}\n" for row in rows))
    return path


@needs_data
@pytest.mark.parametrize(
    ("path", "pickup"),
    [(YELLOW, "tpep_pickup_datetime"), (GREEN, "lpep_pickup_datetime")],
    ids=["yellow", "green"],
)
def test_real_trips_keep_every_value(path, pickup):
    read, source = tlc.read_trips(path).read_all(), pq.read_table(path)
    assert {field.name: str(field.type) for field in read.schema} == COLUMNS
    for ours, theirs in [
        ("vendor_id", "VendorID"),
        ("pickup_zone_id", "PULocationID"),
        ("dropoff_zone_id", "DOLocationID"),
        ("rate_code_id", "RatecodeID"),
        ("payment_type", "payment_type"),
        ("pickup_datetime", pickup),
        ("dropoff_datetime", pickup.replace("pickup", "dropoff")),
        ("trip_distance", "trip_distance"),
        ("passenger_count", "passenger_count"),
        ("total_amount", "total_amount"),
    ]:
        assert read[ours].to_pylist() == source[theirs].to_pylist(), ours


@pytest.mark.parametrize("rename", [str.lower, str.upper, str.swapcase])
def test_the_case_of_a_column_does_not_matter(tmp_path, rename):
    path = trips_file(tmp_path)
    expected = tlc.read_trips(path).read_all()
    table = pq.read_table(path)
    pq.write_table(table.rename_columns([rename(name) for name in table.column_names]), path)
    assert tlc.read_trips(path).read_all().equals(expected)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, None], pa.int32()),
        pa.array([1.0, None]),
        pa.array(["1", None]),
        pa.array([1, None], pa.decimal128(5, 2)),
    ],
    ids=lambda column: str(column.type),
)
def test_the_type_of_a_number_does_not_matter(tmp_path, column):
    read = tlc.read_trips(trips_file(tmp_path, passenger_count=column)).read_all()
    assert read["passenger_count"].to_pylist() == [1, None]
    assert read.schema.field("passenger_count").type == pa.int32()


def test_a_column_of_nothing_but_nulls_is_read_as_nulls(tmp_path):
    read = tlc.read_trips(trips_file(tmp_path, RatecodeID=pa.nulls(2))).read_all()
    assert read["rate_code_id"].to_pylist() == [None, None]


def test_times_may_be_finer_or_coarser(tmp_path):
    moments = [datetime(2023, 3, 1, 12, 30), None]
    for unit in ("s", "ms", "ns"):
        column = pa.array(moments, pa.timestamp(unit))
        read = tlc.read_trips(trips_file(tmp_path, tpep_pickup_datetime=column)).read_all()
        assert read["pickup_datetime"].to_pylist() == moments


def test_new_columns_are_ignored(tmp_path):
    path = trips_file(tmp_path, cbd_congestion_fee=pa.array([0.75, 0.75]))
    assert tlc.read_trips(path).schema.names == list(COLUMNS)


def test_a_month_without_trips_is_a_table_without_rows(tmp_path):
    path = trips_file(tmp_path)
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    read = tlc.read_trips(path).read_all()
    assert read.num_rows == 0
    assert read.schema.names == list(COLUMNS)


def test_a_missing_column_is_named_before_anything_is_read(tmp_path):
    path = trips_file(tmp_path, PULocationID=None)
    with pytest.raises(tlc.SourceFileError) as caught:
        tlc.read_trips(path)
    assert f"{path}: no column named 'PULocationID'; it has VendorID, " in str(caught.value)


def test_a_column_that_is_there_twice_is_named(tmp_path):
    path = trips_file(tmp_path, vendorid=pa.array([1, 2]))
    with pytest.raises(tlc.SourceFileError, match="2 columns named 'VendorID'"):
        tlc.read_trips(path)


@pytest.mark.parametrize(
    ("name", "column", "why"),
    [
        ("RatecodeID", pa.array([1.5, 1.0]), "of type double, cannot be read as int32: .*1.5"),
        ("PULocationID", pa.array(["x", "1"]), "of type string, cannot be read as int32: .*'x'"),
        ("VendorID", pa.array([2**40, 1]), "of type int64, cannot be read as int32"),
        ("tpep_pickup_datetime", pa.array([1, 2]), "cannot be read as timestamp"),
        (
            "tpep_pickup_datetime",
            pa.array([0, 0], pa.timestamp("us", "UTC")),
            "without a time zone",
        ),
        ("total_amount", pa.array([[1.0], [2.0]]), "cannot be read as double"),
    ],
)
def test_a_column_that_cannot_be_cast_is_named(tmp_path, name, column, why):
    path = trips_file(tmp_path, **{name: column})
    with pytest.raises(tlc.SourceFileError, match=why) as caught:
        tlc.read_trips(path).read_all()
    assert repr(name) in str(caught.value)
    assert str(path) in str(caught.value)


@needs_data
def test_the_real_zones_become_one_row_each_with_all_their_parts():
    zones = {row["zone_id"]: row for row in tlc.read_zones(ZONES).to_pylist()}
    csv.field_size_limit(10_000_000)
    with open(ZONES, newline="") as file:
        source = list(csv.DictReader(file))
    assert len(zones) == len({row["LocationID"] for row in source}) == 260
    assert list(zones) == sorted(zones)
    for row in source:
        zone = zones[int(row["LocationID"])]
        assert (zone["zone"], zone["borough"]) == (row["zone"], row["borough"])
    for zone_id, zone in zones.items():
        parts = [row["the_geom"] for row in source if int(row["LocationID"]) == zone_id]
        assert wkt.polygons(zone["geometry"]) == [p for part in parts for p in wkt.polygons(part)]


def test_the_text_na_is_not_null(tmp_path):
    path = zones_file(tmp_path, f'"{SQUARE}",NA,7,N/A', f'"{SQUARE}",null,8,')
    assert tlc.read_zones(path).to_pylist() == [
        {"zone_id": 7, "zone": "NA", "borough": "N/A", "geometry": SQUARE},
        {"zone_id": 8, "zone": "null", "borough": "", "geometry": SQUARE},
    ]


def test_a_zone_with_two_names_is_an_error(tmp_path):
    path = zones_file(tmp_path, f'"{SQUARE}",Corona,56,Queens', f'"{SQUARE}",Astoria,56,Queens')
    with pytest.raises(tlc.SourceFileError, match=r"zone 56 is 'Corona' .* but also 'Astoria'"):
        tlc.read_zones(path)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([f'"{SQUARE}",A,x,Q'], "column 'LocationID', of type string, cannot be read as int32"),
        ([f'"{SQUARE}",A,,Q', f'"{SQUARE}",B,2,Q'], "a row has no LocationID"),
        (['"POINT (1 2)",A,1,Q'] * 2, "zone 1: 'POINT .1 2.' is not an outline in WKT"),
        ([f'"{SQUARE}",A'], "not a complete CSV file"),
    ],
)
def test_a_zones_file_that_cannot_be_used_says_why(tmp_path, rows, why):
    path = zones_file(tmp_path, *rows)
    with pytest.raises(tlc.SourceFileError, match=why) as caught:
        tlc.read_zones(path)
    assert str(path) in str(caught.value)


@needs_data
def test_the_facts_of_the_real_files():
    yellow, zones = tlc.inspect_trips(YELLOW), tlc.inspect_zones(ZONES)
    assert (yellow.rows, len(yellow.columns)) == (5000, 20)
    assert yellow.columns[0] == ("VendorID", "int32")
    assert zones.rows == 263
    assert dict(zones.columns)["LocationID"] == "int64"


@needs_data
def test_the_table_of_zone_names_is_not_the_file_of_zones():
    with pytest.raises(tlc.SourceFileError, match="no column named 'the_geom'"):
        tlc.inspect_zones(DATA / "taxi_zone_lookup.csv")


@pytest.mark.parametrize("inspect", [tlc.inspect_trips, tlc.inspect_zones])
@pytest.mark.parametrize(
    ("content", "glimpse"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><html><body>No</body></html>", "<!DOCTYPE html>"),
        (b"PAR1\x00\x01", "not a complete"),
        (b"\xff\xfe\x00a,b\n1,2", "xff"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path, inspect, content, glimpse):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(tlc.SourceFileError) as caught:
        inspect(path)
    assert glimpse in str(caught.value)


@needs_data
@pytest.mark.parametrize("cut", [1, 8, 100, 100_000])
def test_a_cut_file_is_refused(tmp_path, cut):
    path = tmp_path / "file"
    for whole, inspect in ((YELLOW, tlc.inspect_trips), (ZONES, tlc.inspect_zones)):
        path.write_bytes(whole.read_bytes()[: -cut - 20])
        with pytest.raises(tlc.SourceFileError, match="not a complete") as caught:
            inspect(path)
        assert (inspect is tlc.inspect_trips) is ("its end is cut off" in str(caught.value))


def test_outlines_are_read_with_their_holes():
    hole = [[1, 1], [1, 2], [2, 2], [1, 1]]
    outer = [[0, 0], [0, 9.5], [-9, 9], [0, 0]]
    polygon = "((0 0, 0 9.5, -9 9, 0 0), (1 1, 1 2, 2 2, 1 1))"
    assert wkt.polygons(f"POLYGON {polygon}") == [[outer, hole]]
    assert wkt.polygons(f"MULTIPOLYGON ({polygon},{polygon})") == [[outer, hole]] * 2
    joined = wkt.join([f"POLYGON {polygon}", f"multipolygon({polygon}, {polygon})"])
    assert wkt.polygons(joined) == [[outer, hole]] * 3


@pytest.mark.parametrize("text", ["", "POINT (1 2)", "MULTIPOLYGON", "POLYGON ((1 2, x y))"])
def test_another_text_is_not_an_outline(text):
    with pytest.raises(ValueError, match="not an outline"):
        wkt.polygons(text)
    if not text.startswith("POLYGON"):
        with pytest.raises(ValueError, match="not an outline"):
            wkt.join([text])

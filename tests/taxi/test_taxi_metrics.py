"""The metrics of the TLC's real files, compared with sums computed in plain Python."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from matplotlib.image import imread
from servers import Answer, Server, refusing_url
from taxi import ZONES, context_of, needs_data, three_months

import assetgraph as dg
import nyc_taxi.source
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.request import RunRequest, plan_run
from nyc_taxi import picture, tlc, wkt
from nyc_taxi.assets import metrics, trips, zones
from nyc_taxi.download import Patience
from nyc_taxi.partitions import weekly_partition
from nyc_taxi.picture import ALARM, COLOURS, EMPTY, draw_map
from nyc_taxi.stats import Totals, add_up, together

ASSETS = dg.load_assets_from_modules([trips, zones, metrics])
WEEKS = Path("data/outputs/trips_by_week")
STATS = Path("data/staging/manhattan_stats.geojson")
MAP = Path("data/outputs/manhattan_map.png")
SQUARE = "MULTIPOLYGON (((0 0, 0 1, 1 1, 1 0, 0 0)))"


def source_rows(month: bytes) -> list[tuple[int, datetime, float, float, float]]:
    """Zone, pick-up, dollars, miles and passengers of each trip, read from the source file."""
    table = pq.read_table(io.BytesIO(month))
    pickup = next(name for name in table.column_names if name.endswith("pep_pickup_datetime"))
    names = ["PULocationID", pickup, "total_amount", "trip_distance", "passenger_count"]
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def source_zones() -> dict[int, tuple[str, str]]:
    csv.field_size_limit(10_000_000)
    with open(ZONES, newline="") as file:
        return {
            int(row["LocationID"]): (row["zone"], row["borough"]) for row in csv.DictReader(file)
        }


SUNDAYS = [date(2023, 1, 1) + timedelta(weeks=week) for week in range(12)]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder in which all partitions of all assets were materialized from real records."""
    folder, files = tmp_path_factory.mktemp("taxi"), three_months()
    with pytest.MonkeyPatch.context() as patch, Server() as server:
        patch.chdir(folder)
        for month, content in files.items():
            server.answers(f"/{month}", Answer(content))
        patch.setenv("NYC_TAXI_TRIPS_URL", server.url("/{month}"))
        patch.setenv("NYC_TAXI_ZONES_URL", server.answers("/z", Answer(ZONES.read_bytes())))
        instance = dg.Instance(folder / ".assetgraph")
        result = dg.materialize(ASSETS, instance=instance, partitions="*")
    return folder, {month: source_rows(content) for month, content in files.items()}, result


@pytest.fixture
def made(project, monkeypatch):
    """The trips by month, and the result of the run, in its project's folder."""
    folder, *rest = project
    monkeypatch.chdir(folder)
    return rest


@needs_data
def test_each_week_has_the_sums_of_its_trips(made):
    months, result = made
    assert [path.stem for path in sorted(WEEKS.iterdir())] == [f"{day}" for day in SUNDAYS]
    counted = 0
    for sunday in SUNDAYS:
        end = sunday + timedelta(days=7)
        # The week is made of the months that it lies in: a wrong meter of another month is not its.
        rows = [*months[f"{sunday:%Y-%m}"]]
        if end.day > 1 and end.month != sunday.month:
            rows += months[f"{end:%Y-%m}"]
        measures = [
            [value or 0 for value in trip]
            for _, pickup, *trip in rows
            if sunday <= pickup.date() < end
        ]
        path = WEEKS / f"{sunday}.csv"
        with open(path, newline="") as file:
            (week,) = csv.DictReader(file)
        assert list(week) == [
            "period", "num_trips", "total_amount", "trip_distance", "passenger_count",
        ]  # fmt: skip
        amounts, miles, passengers = zip(*measures, strict=True)
        assert week["period"] == f"{sunday}"
        assert int(week["num_trips"]) == len(measures)
        assert float(week["total_amount"]) == pytest.approx(math.fsum(amounts), abs=0.01)
        assert float(week["trip_distance"]) == pytest.approx(math.fsum(miles), abs=0.01)
        assert int(week["passenger_count"]) == sum(passengers)
        assert result.value("trips_by_week", partition_key=f"{sunday}") == path
        metadata = result.materialization("trips_by_week", partition_key=f"{sunday}").metadata
        assert metadata["num_trips"] == len(measures)
        counted += len(measures)
    covered = (
        SUNDAYS[0] <= pickup.date() < SUNDAYS[-1] + timedelta(days=7)
        for rows in months.values()
        for _, pickup, *_ in rows
    )
    assert counted == sum(covered) > 70_000


@needs_data
def test_each_zone_of_manhattan_has_the_sums_of_its_trips(made):
    months, result = made
    rows = [row for rows in months.values() for row in rows]
    expected: dict[int, list[list[float]]] = {}
    for zone, _, *measures in rows:
        expected.setdefault(zone, []).append([value or 0 for value in measures])
    manhattan = {
        zone: name for zone, (name, borough) in source_zones().items() if borough == "Manhattan"
    }
    stats = json.loads(STATS.read_text())
    found = {f["properties"]["zone_id"]: f["properties"] for f in stats["features"]}
    assert len(stats["features"]) == len(found) == len(manhattan) == 67
    assert found.keys() == manhattan.keys()
    for zone, properties in found.items():
        trips = expected.get(zone, [])
        amounts, miles, passengers = zip(*trips, strict=True) if trips else ([], [], [])
        assert properties["zone"] == manhattan[zone]
        assert properties["num_trips"] == len(trips)
        assert properties["total_amount"] == pytest.approx(math.fsum(amounts), abs=0.01)
        assert properties["trip_distance"] == pytest.approx(math.fsum(miles), abs=0.01)
        assert properties["passenger_count"] == sum(passengers)
        if trips:
            average = math.fsum(amounts) / len(trips)
            assert properties["average_amount"] == pytest.approx(average, abs=0.01)
        else:
            assert properties["average_amount"] is properties["average_distance"] is None
    assert result.value("manhattan/manhattan_stats") == STATS


@needs_data
def test_trips_that_are_not_on_the_map_are_accounted_for(made):
    months, result = made
    rows = [row for rows in months.values() for row in rows]
    boroughs = {zone: borough for zone, (_, borough) in source_zones().items()}
    places = Counter(boroughs.get(zone) for zone, *_ in rows)
    metadata = result.materialization("manhattan/manhattan_stats").metadata
    assert metadata["trips"] == len(rows)
    assert metadata["trips_in_manhattan"] == places["Manhattan"]
    assert metadata["trips_unmatched"] == places[None]
    assert metadata["trips_in_other_boroughs"] == len(rows) - places["Manhattan"] - places[None]
    unmatched = Counter(zone for zone, *_ in rows if zone not in boroughs)
    listed = metadata["unmatched_zones"]["value"]
    assert {row["zone_id"]: row["num_trips"] for row in listed} == dict(unmatched)
    assert metadata["months"] == "2023-01, 2023-02, 2023-03"
    outside = sum(
        f"{pickup:%Y-%m}" != month for month, rows in months.items() for _, pickup, *_ in rows
    )
    assert metadata["trips_outside_month"] == outside > 0
    assert metadata["trips_without_pickup_time"] == 0


@needs_data
def test_the_map_shows_the_stats(made):
    months, result = made
    stats = json.loads(STATS.read_text())
    metadata = result.materialization("manhattan/manhattan_map").metadata
    assert metadata["num_trips"] == sum(f["properties"]["num_trips"] for f in stats["features"])
    assert metadata["zones"] == 67
    assert stats["months"] == list(months)
    assert metadata["months"] == ", ".join(months)
    assert metadata["source"] == "NYC Taxi and Limousine Commission"
    assert imread(MAP).shape[:2] == (1125, 1999)
    again = io.BytesIO()
    draw_map(stats, again)
    assert again.getvalue() == MAP.read_bytes()


@needs_data
def test_the_outlines_lose_no_land_and_wind_as_the_rfc_says(made):
    stats = json.loads(STATS.read_text())
    outlines = {z["zone_id"]: z["geometry"] for z in tlc.read_zones(ZONES).to_pylist()}
    for feature in stats["features"]:
        written = feature["geometry"]["coordinates"]
        source = wkt.polygons(outlines[feature["properties"]["zone_id"]])
        assert [len(polygon) for polygon in written] == [len(polygon) for polygon in source]
        for ours, theirs in zip(written, source, strict=True):
            for position, (ring, original) in enumerate(zip(ours, theirs, strict=True)):
                assert ring[0] == ring[-1]
                area = doubled_area(ring)
                assert abs(area) == pytest.approx(abs(doubled_area(original)), rel=0.02, abs=1e-8)
                assert (area > 0) == (position == 0)


def doubled_area(ring: list[list[float]]) -> float:
    """Twice the area of a ring, positive if it runs counterclockwise."""
    x, y = ring[0]
    return sum((ax - x) * (by - y) - (bx - x) * (ay - y) for (ax, ay), (bx, by) in pairwise(ring))


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setattr(nyc_taxi.source, "PATIENCE", Patience(sleep=lambda seconds: None))
    monkeypatch.setenv("NYC_TAXI_TRIPS_URL", refusing_url())
    monkeypatch.setenv("NYC_TAXI_ZONES_URL", refusing_url())


def test_the_whole_pipeline_runs_on_the_sample_and_every_product_says_so(instance, offline):
    result = dg.materialize(ASSETS, instance=instance, partitions="*")
    stats = json.loads(STATS.read_text())
    assert "embedded sample" in stats["source"]
    products = [(key, None) for key in ("manhattan/manhattan_stats", "manhattan/manhattan_map")]
    products += [("trips_by_week", f"{sunday}") for sunday in SUNDAYS]
    for key, partition in products:
        metadata = result.materialization(key, partition_key=partition).metadata
        assert "embedded sample" in metadata["source"]
        assert "embedded sample" in metadata["warning"]
    red = colour_mask(imread(MAP), ALARM)
    assert red.sum() > 100, "the source is written in red"


@needs_data
def test_one_month_of_the_sample_among_real_ones_is_said(instance, offline):
    files = three_months()
    del files["2023-03"]
    Path("data/raw").mkdir(parents=True)
    for month, content in files.items():
        Path(f"data/raw/taxi_trips_{month}.parquet").write_bytes(content)
    result = dg.materialize(ASSETS, instance=instance, partitions="*")
    sources = {
        f"{sunday}": result.materialization("trips_by_week", partition_key=f"{sunday}")
        .metadata["source"].startswith("embedded sample")
        for sunday in SUNDAYS
    }  # fmt: skip
    assert [week for week, is_sample in sources.items() if is_sample] == [
        "2023-02-26", "2023-03-05", "2023-03-12", "2023-03-19",
    ]  # fmt: skip
    assert "embedded sample" in json.loads(STATS.read_text())["source"]


def test_nothing_is_stale_after_all_was_materialized(instance, offline):
    def stale() -> list[str]:
        facts = StoreFacts(graph, instance.store)
        return [step.id for step in plan_run(RunRequest(stale=True), facts).steps]

    graph = dg.Definitions(ASSETS).graph
    assert len(stale()) == 3 + 3 + 2 + 12 + 2
    dg.materialize(ASSETS, instance=instance, partitions="*")
    assert stale() == []


def test_the_groups_are_those_of_the_course():
    groups: dict[str, set[str]] = {}
    for asset in ASSETS:
        groups.setdefault(asset.group_name, set()).add(asset.key.text)
    assert groups == {
        "raw_files": {"taxi_trips_file", "taxi_zones_file"},
        "ingested": {"taxi_trips", "taxi_zones"},
        "metrics": {"trips_by_week", "manhattan/manhattan_stats", "manhattan/manhattan_map"},
    }


def trips_table(*rows: tuple[int | None, datetime | None, float | None]) -> ds.Dataset:
    """A table of trips of one mile each, from zone, pick-up and dollars."""
    found, pickups, amounts = zip(*rows, strict=True) if rows else ([], [], [])
    table = pa.table(
        {
            "pickup_zone_id": pa.array(found, pa.int32()),
            "pickup_datetime": pa.array(pickups, pa.timestamp("us")),
            "total_amount": pa.array(amounts, pa.float64()),
            "trip_distance": pa.array([1.0] * len(rows)),
            "passenger_count": pa.nulls(len(rows), pa.int32()),
        }
    )
    return ds.dataset(table)


def test_a_trip_that_does_not_say_where_when_or_how_much_still_counts():
    sunday = datetime(2023, 3, 5, 23, 59)
    added = add_up(
        trips_table(
            (4, sunday, 10.0),
            (4, sunday + timedelta(minutes=1), None),
            (None, sunday, 1.0),
            (4, None, 2.0),
        )
    )
    assert added.total == Totals(4, 13.0, 4.0, 0)
    assert added.by_zone() == {4: Totals(3, 12.0, 3.0, 0), None: Totals(1, 1.0, 1.0, 0)}
    assert (added.outside("2023-03"), added.outside("2023-02")) == (0, 3)
    assert added.without_day() == 1
    assert together([added, added]).total == Totals(8, 26.0, 8.0, 0)


def test_sums_do_not_depend_on_where_a_batch_ends():
    rows = [(n % 7, datetime(2023, 3, 1 + n % 30), n / 8) for n in range(200_000)]
    added = add_up(trips_table(*rows))
    assert added.total == Totals(len(rows), sum(amount for *_, amount in rows), len(rows), 0)
    assert len(added.cells) == 7 * 30


OUTLINES = pa.table({"zone_id": [4], "zone": ["A"], "borough": ["Manhattan"], "geometry": [SQUARE]})


def test_a_week_without_trips_has_a_row_of_zeros(folder):
    context, _ = context_of("trips_by_week", "2023-03-05", weekly_partition)
    sunday_after = datetime(2023, 3, 12)
    path = metrics.trips_by_week(context, trips_table((4, sunday_after, 10.0)))
    assert path == WEEKS / "2023-03-05.csv"
    assert path.read_text().splitlines()[1:] == ["2023-03-05,0,0.0,0.0,0"]


@pytest.mark.parametrize("months", [{}, {"2023-03-01": None}])
def test_months_without_trips_have_empty_metrics(folder, months):
    context, _ = context_of("x")
    metrics.manhattan_stats(context, dict.fromkeys(months, trips_table()), OUTLINES)
    metrics.manhattan_map(context, STATS)
    assert context.output_metadata["num_trips"] == 0
    assert json.loads(STATS.read_text())["months"] == [month[:7] for month in months]
    assert MAP.exists()


@pytest.mark.parametrize(
    ("months", "text"),
    [
        ([], "in no month"),
        (["2023-03"], "in March 2023"),
        (["2023-01", "2023-02", "2023-03"], "from January to March 2023"),
        (["2022-12", "2023-01"], "from December 2022 to January 2023"),
    ],
)
def test_the_map_says_of_which_months_it_is(months, text):
    assert picture._period(months) == text


@pytest.mark.parametrize("geometry", ["", None, "POINT (1 2)"])
def test_a_zone_without_an_outline_is_named(folder, geometry):
    outlines = pa.table(
        {
            "zone_id": [4],
            "zone": ["Alphabet City"],
            "borough": ["Manhattan"],
            "geometry": pa.array([geometry], pa.string()),
        }
    )
    context, _ = context_of("x")
    with pytest.raises(ValueError, match=r"zone 4 \(Alphabet City\).*not an outline"):
        metrics.manhattan_stats(context, {"2023-03-01": trips_table()}, outlines)
    assert not STATS.exists()


def colour_mask(image: np.ndarray, colour: str) -> np.ndarray:
    wanted = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return np.abs(image[..., :3] - wanted).max(axis=-1) < 0.004


def zone(zone_id: int, trips: int, ring: list[list[float]], *holes: list[list[float]]) -> dict:
    properties = {"zone_id": zone_id, "zone": f"Zone {zone_id}", "num_trips": trips}
    geometry = {"type": "MultiPolygon", "coordinates": [[ring, *holes]]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def box(west: float, south: float, width: float, height: float) -> list[list[float]]:
    east, north = west + width, south + height
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def drawn(*features: dict) -> np.ndarray:
    file = io.BytesIO()
    stats = {"months": ["2023-03"], "source": "somebody", "features": list(features)}
    draw_map(stats, file)
    file.seek(0)
    return imread(file)[:, 1150:]  # the map's part of the slide


def test_the_map_is_to_scale():
    mile_north = 1 / 69
    mile_east = mile_north / math.cos(math.radians(40.75 + mile_north / 2))
    busy = zone(1, 9, box(-74, 40.75, mile_east, mile_north))
    rows, columns = np.nonzero(colour_mask(drawn(busy), COLOURS[-1]))
    height, width = np.ptp(rows), np.ptp(columns)
    assert height > 300
    assert width == pytest.approx(height, abs=3)


def test_zones_are_coloured_by_their_trips_and_holes_are_left_open():
    image = drawn(
        zone(1, 100, box(-74.0, 40.7, 0.1, 0.1), box(-73.98, 40.72, 0.06, 0.06)[::-1]),
        zone(2, 0, box(-73.9, 40.7, 0.1, 0.1)),
    )
    busy, quiet = colour_mask(image, COLOURS[-1]).sum(), colour_mask(image, EMPTY).sum()
    assert quiet > 10_000
    assert busy / quiet == pytest.approx(1 - 0.36, abs=0.02)

"""The metrics of the trips: by week, and by zone of Manhattan as GeoJSON and as a map."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import assetgraph as dg
from nyc_taxi import constants
from nyc_taxi.files import replacing
from nyc_taxi.geojson import feature
from nyc_taxi.partitions import weekly_partition
from nyc_taxi.picture import draw_map
from nyc_taxi.stats import DaysAndZones, Totals, add_up, picked_up_within, together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    import pyarrow.dataset as ds

SOURCE = "NYC Taxi and Limousine Commission"


@dg.asset(partitions_def=weekly_partition, group_name="metrics", kinds={"csv"})
def trips_by_week(context: dg.AssetExecutionContext, taxi_trips: ds.Dataset) -> Path:
    """Trips, dollars, miles and passengers of a week of pick-ups, from Sunday to Saturday."""
    path = Path(constants.TRIPS_BY_WEEK_TEMPLATE_FILE_PATH.format(context.partition_key))
    trips = add_up(picked_up_within(taxi_trips, context.partition_time_window))
    week = {"period": context.partition_key, **_figures(trips.total)}
    lines = [",".join(map(str, line)) for line in (week.keys(), week.values())]
    with replacing(path) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
    context.add_output_metadata({**_origin(_source([taxi_trips.schema])), **week})
    return path


@dg.asset(key_prefix="manhattan", group_name="metrics", kinds={"geojson"})
def manhattan_stats(
    context: dg.AssetExecutionContext, taxi_trips: Mapping[str, ds.Dataset], taxi_zones: pa.Table
) -> Path:
    """The trips of all months that begin in each zone of Manhattan, with the zone's outline."""
    path = Path(constants.MANHATTAN_STATS_FILE_PATH)
    months: dict[str, DaysAndZones] = {}
    schemas = [taxi_zones.schema]
    for partition, trips in taxi_trips.items():
        months[partition[:-3]] = add_up(trips)
        schemas.append(trips.schema)
    by_zone = together(months.values()).by_zone()
    zones = taxi_zones.to_pylist()
    features = [
        _feature(zone, by_zone.get(zone["zone_id"], Totals()))
        for zone in zones
        if zone["borough"] == "Manhattan"
    ]
    source = _source(schemas)
    collection = {
        "type": "FeatureCollection",
        "months": list(months),
        "source": source,
        "features": features,
    }
    with replacing(path) as file:
        file.write(json.dumps(collection, separators=(",", ":")).encode())
    context.add_output_metadata(
        {
            **_origin(source),
            "zones": len(features),
            **_of_the_months(months),
            **_by_borough(by_zone, zones),
        }
    )
    return path


@dg.asset(key_prefix="manhattan", group_name="metrics", kinds={"png"})
def manhattan_map(context: dg.AssetExecutionContext, manhattan_stats: Path) -> Path:
    """A map of Manhattan with its zones coloured by the trips that begin there."""
    path = Path(constants.MANHATTAN_MAP_FILE_PATH)
    stats = json.loads(manhattan_stats.read_bytes())
    with replacing(path) as file:
        draw_map(stats, file)
    zones = [zone["properties"] for zone in stats["features"]]
    context.add_output_metadata(
        {
            "num_trips": sum(zone["num_trips"] for zone in zones),
            "zones": len(zones),
            "months": ", ".join(stats["months"]),
            **_origin(stats["source"]),
        }
    )
    return path


def _figures(totals: Totals) -> dict[str, Any]:
    """The totals by column name, rounded to cents and hundredths of a mile."""
    return {
        "num_trips": totals.num_trips,
        "total_amount": round(totals.total_amount, 2),
        "trip_distance": round(totals.trip_distance, 2),
        "passenger_count": totals.passenger_count,
    }


def _feature(zone: Mapping[str, Any], totals: Totals) -> dict[str, Any]:
    trips = totals.num_trips
    properties = {
        **{name: zone[name] for name in ("zone_id", "zone", "borough")},
        **_figures(totals),
        "average_amount": round(totals.total_amount / trips, 2) if trips else None,
        "average_distance": round(totals.trip_distance / trips, 2) if trips else None,
    }
    try:
        return feature(zone["geometry"] or "", properties)
    except ValueError as error:
        raise ValueError(f"zone {zone['zone_id']} ({zone['zone']}): {error}") from error


def _of_the_months(months: Mapping[str, DaysAndZones]) -> dict[str, Any]:
    return {
        "months": ", ".join(months),
        "trips": sum(trips.total.num_trips for trips in months.values()),
        "trips_outside_month": sum(trips.outside(month) for month, trips in months.items()),
        "trips_without_pickup_time": sum(trips.without_day() for trips in months.values()),
    }


def _by_borough(
    by_zone: Mapping[int | None, Totals], zones: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Where all trips begin, as metadata that accounts for those missing from the map."""
    boroughs = {zone["zone_id"]: zone["borough"] for zone in zones}
    counts: Counter[str] = Counter()
    for zone_id, totals in by_zone.items():
        borough = boroughs.get(zone_id, "unmatched")
        place = borough if borough in ("Manhattan", "unmatched") else "other boroughs"
        counts[place] += totals.num_trips
    unmatched = [zone_id for zone_id in by_zone if zone_id not in boroughs]
    unmatched.sort(key=lambda zone_id: -by_zone[zone_id].num_trips)
    return {
        "trips_in_manhattan": counts["Manhattan"],
        "trips_in_other_boroughs": counts["other boroughs"],
        "trips_unmatched": counts["unmatched"],
        "unmatched_zones": dg.MetadataValue.table(
            [{"zone_id": zone, "num_trips": by_zone[zone].num_trips} for zone in unmatched]
        ),
    }


def _origin(source: str) -> dict[str, str]:
    """The source as metadata, with a warning if it is not the TLC."""
    made_up = {} if source == SOURCE else {"warning": f"Computed from the {source}."}
    return {"source": source, **made_up}


def _source(schemas: Sequence[pa.Schema]) -> str:
    """The source of the data: the mark of the sample if one of the schemas has it, else the TLC."""
    marks = [(schema.metadata or {}).get(b"source") for schema in schemas]
    return next((mark.decode() for mark in marks if mark), SOURCE)

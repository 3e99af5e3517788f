"""Checks of the trips of a month."""

from __future__ import annotations

from typing import TYPE_CHECKING

import assetgraph as dg
from nyc_taxi.assets.trips import taxi_trips
from nyc_taxi.partitions import monthly_partition

if TYPE_CHECKING:
    import pyarrow as pa

LAST_ZONE = 265  # 264 is an unknown zone, and 265 one outside of the city


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "no_negative_distance",
            asset=taxi_trips,
            description="No trip has a negative distance.",
            partitions_def=monthly_partition,
        ),
        dg.AssetCheckSpec(
            "known_zones",
            asset=taxi_trips,
            description="Every trip begins and ends in a zone of the TLC, if it says where.",
            partitions_def=monthly_partition,
        ),
    ]
)
def taxi_trips_checks(taxi_trips: pa.RecordBatchReader) -> list[dg.AssetCheckResult]:
    """Look at every trip of the month once."""
    import pyarrow.compute as pc

    negative = unknown = 0
    for batch in taxi_trips:
        negative += pc.sum(pc.less(batch["trip_distance"], 0)).as_py() or 0
        for name in ("pickup_zone_id", "dropoff_zone_id"):
            zones = batch[name]
            outside = pc.or_(pc.less(zones, 1), pc.greater(zones, LAST_ZONE))
            unknown += pc.sum(outside).as_py() or 0
    warning = dg.AssetCheckSeverity.WARN  # the meters of some cabs are wrong
    return [
        dg.AssetCheckResult(
            check_name="no_negative_distance",
            passed=negative == 0,
            severity=warning,
            metadata={"trips": negative},
        ),
        dg.AssetCheckResult(
            check_name="known_zones", passed=unknown == 0, metadata={"zones": unknown}
        ),
    ]

"""The trips of yellow taxis in one month: the TLC's file, and the trips in it."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import assetgraph as dg
from nyc_taxi import constants
from nyc_taxi.partitions import monthly_partition
from nyc_taxi.sample import marks, write_trips
from nyc_taxi.source import Source, obtain
from nyc_taxi.tlc import inspect_trips, read_trips

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_MONTH = "2011-01"


@dg.asset(partitions_def=monthly_partition, group_name="raw_files", kinds={"parquet"})
def taxi_trips_file(context: dg.AssetExecutionContext) -> Path:
    """The raw parquet files for the taxi trips dataset. Sourced from the NYC Open Data portal."""
    month = context.partition_key[:-3]
    _check_month(month)
    url = os.environ.get("NYC_TAXI_TRIPS_URL") or constants.TAXI_TRIPS_URL
    source = Source(
        url=url.replace("{month}", month),
        path=Path(constants.TAXI_TRIPS_TEMPLATE_FILE_PATH.format(month)),
        inspect=inspect_trips,
        write_sample=partial(write_trips, month=month),
        absent=f"Is {month} published? The TLC needs about two months after a month's end.",
    )
    return obtain(context, source)


@dg.asset(partitions_def=monthly_partition, group_name="ingested", kinds={"parquet"})
def taxi_trips(taxi_trips_file: Path) -> pa.RecordBatchReader:
    """The trips of the month, with the same ten columns for every month."""
    return read_trips(taxi_trips_file, marks(taxi_trips_file))


def _check_month(month: str) -> None:
    if month < FIRST_MONTH:
        raise ValueError(
            f"{month}: the TLC's trips have zone ids from {FIRST_MONTH} on; those of 2009 and 2010 "
            "have coordinates, which these assets cannot use, and there are none before. "
            "Set START_DATE in nyc_taxi/constants.py to a later month."
        )

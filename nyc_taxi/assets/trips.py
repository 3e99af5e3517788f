"""The trips of yellow taxis in one month: the TLC's file, and the trips in it."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import assetgraph as dg
from nyc_taxi import constants
from nyc_taxi.sample import marks, write_trips
from nyc_taxi.source import Source, obtain
from nyc_taxi.tlc import inspect_trips, read_trips

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_MONTH = "2011-01"
MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


class TaxiTripsConfig(dg.Config, frozen=True):
    """Config of the trips: their `month`, such as "2023-03"."""

    month: str = "2023-03"

    def __post_init__(self) -> None:
        if not MONTH.fullmatch(self.month):
            raise ValueError(f"month: {self.month!r} is not a month; write it as '2023-03'")
        if self.month < FIRST_MONTH:
            raise ValueError(
                f"month: the TLC's trips have zone ids from {FIRST_MONTH} on; those of 2009 and "
                "2010 have coordinates, which these assets cannot use, and there are none before"
            )


@dg.asset(group_name="raw_files", kinds={"parquet"})
def taxi_trips_file(context: dg.AssetExecutionContext, config: TaxiTripsConfig) -> Path:
    """The raw parquet files for the taxi trips dataset. Sourced from the NYC Open Data portal."""
    month = config.month
    url = os.environ.get("NYC_TAXI_TRIPS_URL") or constants.TAXI_TRIPS_URL
    source = Source(
        url=url.replace("{month}", month),
        path=Path(constants.TAXI_TRIPS_TEMPLATE_FILE_PATH.format(month)),
        inspect=inspect_trips,
        write_sample=partial(write_trips, month=month),
        absent=f"Is {month} published? The TLC needs about two months after a month's end.",
    )
    return obtain(context, source)


@dg.asset(group_name="ingested", kinds={"parquet"})
def taxi_trips(taxi_trips_file: Path) -> pa.RecordBatchReader:
    """The trips of the month, with the same ten columns for every month."""
    return read_trips(taxi_trips_file, marks(taxi_trips_file))

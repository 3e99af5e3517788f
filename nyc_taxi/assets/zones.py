"""The taxi zones of New York: the TLC's file, and the zones in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import assetgraph as dg
from nyc_taxi import constants
from nyc_taxi.sample import marks, write_zones
from nyc_taxi.source import Source, obtain
from nyc_taxi.tlc import inspect_zones, read_zones

if TYPE_CHECKING:
    import pyarrow as pa


@dg.asset(group_name="raw_files", kinds={"csv"})
def taxi_zones_file(context: dg.AssetExecutionContext) -> Path:
    """The raw CSV file for the taxi zones dataset. Sourced from the NYC Open Data portal."""
    source = Source(
        url=os.environ.get("NYC_TAXI_ZONES_URL") or constants.TAXI_ZONES_URL,
        path=Path(constants.TAXI_ZONES_FILE_PATH),
        inspect=inspect_zones,
        write_sample=write_zones,
        absent="",
    )
    return obtain(context, source)


@dg.asset(group_name="ingested", kinds={"parquet"})
def taxi_zones(taxi_zones_file: Path) -> pa.Table:
    """One row per zone, with its id, name, borough, and an outline of all its parts."""
    return read_zones(taxi_zones_file, marks(taxi_zones_file))

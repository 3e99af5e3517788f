"""Tables. Each has a `code_version`, so that the versions of the libraries do not count."""

from collections.abc import Iterator

import pandas as pd
import polars as pl
import pyarrow as pa

import assetgraph as dg

from .helpers import rows


@dg.asset(code_version="1", group_name="tables", kinds=["parquet"])
def trip_table(trips: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(trips)


@dg.asset(code_version="1", group_name="tables")
def arrow_only() -> pa.Table:
    """Seconds, which Parquet would make milliseconds: an Arrow file."""
    return pa.table({"at": pa.array([1, 2, None], pa.timestamp("s"))})


@dg.asset(code_version="1", group_name="tables")
def streamed() -> Iterator[pa.RecordBatch]:
    for month in ("2023-01", "2023-02"):
        yield pa.RecordBatch.from_pylist(rows(month, 5))


@dg.asset(code_version="1", group_name="tables")
def pandas_frame(trip_table: pd.DataFrame) -> pd.DataFrame:
    return trip_table.groupby("zone", as_index=False)["fare"].sum()


@dg.asset(code_version="1", group_name="tables")
def polars_frame(trip_table: pl.DataFrame) -> pl.DataFrame:
    return trip_table.select("zone", "miles").sort("miles")


@dg.asset(code_version="1", group_name="tables")
def count_of_rows(pandas_frame: pd.DataFrame, polars_frame: pl.DataFrame, streamed: pa.Table) -> int:
    return len(pandas_frame) + len(polars_frame) + streamed.num_rows

"""The trips and the zones as tables of a DuckDB database, and a report by SQL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import assetgraph as dg
from assetgraph.duckdb import DuckDBResource
from nyc_taxi import constants
from nyc_taxi.partitions import monthly_partition

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds

TLC = "NYC Taxi and Limousine Commission"

resources = {"database": DuckDBResource(database=constants.DATABASE_FILE_PATH)}


@dg.asset(partitions_def=monthly_partition, group_name="tables", kinds={"duckdb"}, pool="database")
def trips(
    context: dg.AssetExecutionContext, database: DuckDBResource, taxi_trips: ds.Dataset
) -> dg.MaterializeResult:
    """The trips of the month, in the place of those that the table has of it."""
    month = context.partition_key
    mark = (taxi_trips.schema.metadata or {}).get(b"source", TLC.encode()).decode()
    columns = "select cast(null as date) as partition_date, '' as source, * from taxi_trips"
    Path(constants.DATABASE_FILE_PATH).parent.mkdir(parents=True, exist_ok=True)
    with database.get_connection() as connection:
        connection.register("taxi_trips", taxi_trips)
        connection.execute(f"create table if not exists trips as {columns} limit 0")
        connection.execute("begin")
        connection.execute("delete from trips where partition_date = ?", [month])
        connection.execute("insert into trips select ?, ?, * from taxi_trips", [month, mark])
        connection.execute("commit")
    return dg.MaterializeResult(metadata={"rows": taxi_trips.count_rows(), "source": mark})


@dg.asset(group_name="tables", kinds={"duckdb"}, pool="database")
def zones(database: DuckDBResource, taxi_zones: pa.Table) -> dg.MaterializeResult:
    """The zones of the city."""
    Path(constants.DATABASE_FILE_PATH).parent.mkdir(parents=True, exist_ok=True)
    with database.get_connection() as connection:
        connection.register("taxi_zones", taxi_zones)
        connection.execute("create or replace table zones as from taxi_zones")
    return dg.MaterializeResult(metadata={"rows": taxi_zones.num_rows})


@dg.asset(deps=[trips, zones], group_name="tables", kinds={"sql"}, pool="database")
def trips_by_borough(
    context: dg.AssetExecutionContext, database: DuckDBResource
) -> list[dict[str, object]]:
    """The trips and the dollars of all months by the borough in which they begin."""
    with database.get_connection() as connection:
        found = connection.execute(
            """
            select
                coalesce(borough, 'unmatched') as borough,
                count(*) as num_trips,
                round(sum(total_amount), 2) as total_amount
            from trips left join zones on zone_id = pickup_zone_id
            group by all
            order by num_trips desc, borough
            """
        )
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        sources = connection.execute("select distinct source from trips order by all").fetchall()
    made_up = [source for (source,) in sources if source != TLC]
    if made_up:
        context.add_output_metadata({"warning": f"Computed from the {made_up[0]}."})
    context.add_output_metadata({"boroughs": dg.MetadataValue.table(rows)})
    return rows

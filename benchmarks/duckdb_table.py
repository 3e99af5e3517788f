"""A table of 10 million rows written through a `DuckDBResource` in an asset, and by DuckDB alone.

python benchmarks/duckdb_table.py [--rounds 5]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import duckdb

import assetgraph as dg
from assetgraph.duckdb import DuckDBResource

ROWS = 10_000_000
COLUMNS = "range as n, range * 1.5 as price, range % 97 as zone"
SQL = f"create table t as select {COLUMNS} from range({ROWS})"


@dg.asset
def table(database: DuckDBResource) -> None:
    with database.get_connection() as connection:
        connection.execute(SQL)


def through_the_resource(path: Path) -> None:
    dg.materialize([table], resources={"database": DuckDBResource(database=str(path))})


def alone(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(SQL)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    took: dict[str, list[float]] = {"alone": [], "through the resource": []}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(parser.parse_args().rounds):
            for name, write in (("alone", alone), ("through the resource", through_the_resource)):
                path = Path(folder) / f"{number}-{write.__name__}.duckdb"
                started = time.perf_counter()
                write(path)
                took[name].append(time.perf_counter() - started)
                path.unlink()
    for name, times in took.items():
        print(
            f"{name}: {median(times):.2f} s, {ROWS / median(times) / 1e6:.1f} million rows a second"
        )
    ratio = median(took["alone"]) / median(took["through the resource"])
    print(f"the resource reaches {ratio:.2f} of DuckDB alone")


if __name__ == "__main__":
    main()

"""Measure the time and the peak memory of each taxi asset on whole months of trips.

    python benchmarks/taxi_month.py [--rows 3403766]

A month is generated in the TLC's format, with row groups of about a million rows and as many rows
as March 2023, and stands for each of the three. An asset with partitions makes its default one: a
month, or a week of it. Each asset is materialized in its own process, and the peak is that of the
process, from /proc. The first line is a process that only does the imports that all of them share.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from nyc_taxi import sample  # noqa: E402

OTHER_MONTHS = ("2023-01", "2023-02")
MARCH_2023_ROWS = 3_403_766
ROW_GROUP_ROWS = 1_048_576
MADE_UP_ROWS = 100_000  # repeated to fill the month
ASSETS = (
    "taxi_trips_file",
    "taxi_zones_file",
    "taxi_trips",
    "taxi_zones",
    "trips_by_week",
    "manhattan/manhattan_stats",
    "manhattan/manhattan_map",
)
STEP = """
import json, sys, time
import pyarrow.dataset, pyarrow.parquet
import assetgraph as dg
from nyc_taxi.assets import metrics, trips, zones
key, seconds = sys.argv[1], 0
if key:
    assets = dg.load_assets_from_modules([trips, zones, metrics])
    started = time.perf_counter()
    instance = dg.Instance(".assetgraph")
    dg.materialize(assets, selection=[key], partitions=sys.argv[2:], instance=instance)
    seconds = time.perf_counter() - started
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"seconds": seconds, "mib": int(peak) / 1024}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=MARCH_2023_ROWS)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        size = write_month(Path(folder, "data/raw/taxi_trips_2023-03.parquet"), rows)
        print(f"{rows:,} rows a month, {size / 1e6:.0f} MB of Parquet")
        for month in OTHER_MONTHS:
            other = Path(folder, f"data/raw/taxi_trips_{month}.parquet")
            os.link(Path(folder, "data/raw/taxi_trips_2023-03.parquet"), other)
            measure("taxi_trips", folder, month)
        for key in ("", *ASSETS):
            figures = measure(key, folder)
            name = key or "imports only"
            print(f"  {name:28} {figures['seconds']:6.2f} s  peak {figures['mib']:4.0f} MiB")


def write_month(path: Path, rows: int) -> int:
    """Write the month without the sample's mark, as it stands for a real file; return its bytes."""
    made_up = pa.Table.from_batches(sample.trips("2023-03", min(rows, MADE_UP_ROWS)))
    made_up = made_up.replace_schema_metadata(None)
    path.parent.mkdir(parents=True)
    with pq.ParquetWriter(path, made_up.schema) as writer:
        for first in range(0, rows, ROW_GROUP_ROWS):
            wanted = min(ROW_GROUP_ROWS, rows - first)
            copies = [made_up] * (wanted // made_up.num_rows + 1)
            writer.write_table(pa.concat_tables(copies).slice(0, wanted), row_group_size=wanted)
    return path.stat().st_size


def measure(key: str, folder: str, *partitions: str) -> dict[str, float]:
    """Materialize `key` where no host answers, so that the asset takes the file that is there."""
    nowhere = "http://127.0.0.1:1/{month}"
    environment = os.environ | {
        "NYC_TAXI_TRIPS_URL": nowhere,
        "NYC_TAXI_ZONES_URL": nowhere,
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", STEP, key, *partitions]
    output = subprocess.check_output(command, cwd=folder, env=environment)
    figures: dict[str, float] = json.loads(output.splitlines()[-1])
    return figures


if __name__ == "__main__":
    main()

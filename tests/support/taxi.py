"""Shared by the tests of the taxi pipeline: real files of the TLC, three months of their records, and
a context to run in."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from assetgraph import AssetExecutionContext, AssetKey, PartitionsDefinition
from assetgraph.keys import Target

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
YELLOW = DATA / "yellow_tripdata_2025-02_sample5000.parquet"
GREEN = DATA / "green_tripdata_2023-01.parquet"
ZONES = DATA / "taxi_zones.csv"

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"the TLC's real files are not in {DATA}, so this is not tested"
)


class Heard:
    """A sink that keeps everything it receives."""

    def __init__(self) -> None:
        self.logged: list[tuple[str, str]] = []
        self.steps: list[tuple[float, float | None, str]] = []

    def log(self, level: str, message: str, data: dict[str, Any]) -> None:
        self.logged.append((level, message))

    def output(self, stream: str, text: str) -> None:
        raise AssertionError(f"printed {text!r}")

    def progress(self, done: float, total: float | None, unit: str) -> None:
        self.steps.append((done, total, unit))

    def warnings(self) -> list[str]:
        return [message for level, message in self.logged if level == "WARNING"]


@dataclass(frozen=True)
class _Step:
    """What a context knows of its step: one partition, or none."""

    outputs: tuple[Target, ...]
    partitions_def: PartitionsDefinition | None
    input_names: tuple[str, ...] = ()
    inputs: tuple[()] = ()


def context_of(
    key: str, partition: str | None = None, partitions_def: PartitionsDefinition | None = None
) -> tuple[AssetExecutionContext, Heard]:
    heard, asset = Heard(), AssetKey(key)
    step = _Step((Target(asset, partition),), partitions_def)
    return AssetExecutionContext(asset, "run", heard, step=step), heard


def three_months() -> dict[str, bytes]:
    """The files of January to March 2023: the green taxis' of January as it is, and the yellow
    taxis' of another year with its days moved into February and into March."""
    to_february = timedelta(days=731)
    return {
        "2023-01": GREEN.read_bytes(),
        "2023-02": _yellow_earlier(to_february),
        "2023-03": _yellow_earlier(to_february - timedelta(days=28)),
    }


def _yellow_earlier(by: timedelta) -> bytes:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(YELLOW)
    for name in ("tpep_pickup_datetime", "tpep_dropoff_datetime"):
        at = table.schema.get_field_index(name)
        moved = pc.subtract(table[name], pa.scalar(by, pa.duration("us")))
        table = table.set_column(at, table.schema.field(at), moved)
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()

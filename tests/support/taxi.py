"""Shared by the tests of the taxi pipeline: real files of the TLC, and a context to run in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assetgraph import AssetExecutionContext, AssetKey

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


def context_of(key: str) -> tuple[AssetExecutionContext, Heard]:
    heard = Heard()
    return AssetExecutionContext(AssetKey(key), "run", heard), heard

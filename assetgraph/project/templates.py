"""The files that `init` and `scaffold` write, with the names of the project to be put in."""

from __future__ import annotations

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{distribution}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["assetgraph"]

[project.optional-dependencies]
test = ["pytest"]

[tool.hatch.build.targets.wheel]
packages = ["{package}"]

# Where the assets are: a module, or a package with all its submodules.
[tool.assetgraph]
module = "{package}"

[tool.pytest.ini_options]
pythonpath = ["."]
"""

GITIGNORE = """\
__pycache__/
*.egg-info/
.pytest_cache/
.venv/
.assetgraph/
.env
"""

README = """\
# {distribution}

    assetgraph list                lists the assets with their states
    assetgraph plan                says what is not up to date, and why
    assetgraph materialize --all   materializes all of them
    assetgraph runs show latest    shows the last run
    assetgraph dev --open          shows the project in the browser
    pytest                         tests the assets

The assets are in `{package}/assets/`. To add one: `assetgraph scaffold asset assets/NAME.py`.
"""

ASSETS = '''\
"""Two example assets. Replace them with your own."""

import assetgraph as dg


@dg.asset
def readings() -> list[float]:
    """Temperatures of one day, in degrees Celsius."""
    return [11.5, 14.0, 18.5, 16.0]


@dg.asset
def average_reading(readings: list[float]) -> float:
    """The mean of the day. The parameter names the upstream asset."""
    return sum(readings) / len(readings)
'''

TEST = '''\
"""An asset is tested by calling it, and all of them by materializing them."""

import assetgraph as dg
from {package}.assets import readings


def test_the_average_is_the_mean_of_the_readings() -> None:
    assert readings.average_reading([10.0, 20.0]) == 15.0


def test_all_assets_materialize() -> None:
    result = dg.materialize(dg.load_assets_from_modules([readings]))
    assert result.success
    assert result.value("average_reading") == 15.0
'''

EXAMPLE_DATA = """\
day,station,celsius
2026-01-01,harbour,4.5
2026-01-01,hill,1.0
2026-01-02,harbour,5.5
2026-01-02,hill,-0.5
"""

EXAMPLE_ASSETS = '''\
"""The temperatures of two weather stations, from a file that something else writes."""

import csv
from pathlib import Path

import assetgraph as dg

FREEZING = 0.0  # degrees Celsius; change it, and `assetgraph plan` says what that makes stale
stations = dg.StaticPartitionsDefinition(["harbour", "hill"])

readings_file = dg.source_file("data/readings.csv", key="readings_file")


@dg.asset(partitions_def=stations)
def readings(context: dg.AssetExecutionContext, readings_file: Path) -> dict[str, float]:
    """The temperature of each day at one station, in degrees Celsius."""
    with readings_file.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["station"] == context.partition_key]
    context.log.info("%s has %d readings", context.partition_key, len(rows))
    return {{row["day"]: float(row["celsius"]) for row in rows}}


@dg.asset(partitions_def=stations)
def frosty_days(readings: dict[str, float]) -> list[str]:
    """The days on which it froze at one station."""
    return [day for day, celsius in readings.items() if celsius < FREEZING]


@dg.asset
def frost_report(frosty_days: dict[str, list[str]]) -> dg.MaterializeResult:
    """How many days it froze at each station. It reads all partitions of `frosty_days`."""
    counts = {{station: len(days) for station, days in frosty_days.items()}}
    return dg.MaterializeResult(value=counts, metadata={{"days": sum(counts.values())}})


@dg.asset_check(asset=readings, partitions_def=stations)
def plausible(readings: dict[str, float]) -> dg.AssetCheckResult:
    """Whether each temperature is one that the weather can have."""
    wrong = {{day: celsius for day, celsius in readings.items() if not -60 < celsius < 60}}
    return dg.AssetCheckResult(passed=not wrong, metadata={{"wrong": wrong}})
'''

EXAMPLE_TEST = '''\
"""An asset is tested by calling it, and all of them by materializing them."""

import assetgraph as dg
from {package}.assets import weather


def test_days_below_freezing_are_frosty() -> None:
    assert weather.frosty_days({{"monday": -1.0, "tuesday": 3.0}}) == ["monday"]


def test_a_temperature_that_cannot_be_fails_the_check() -> None:
    assert not weather.plausible({{"monday": 400.0}}).passed


def test_all_assets_materialize() -> None:
    assets = dg.load_assets_from_modules([weather])
    result = dg.materialize(assets, partitions="*")
    assert result.success
    assert result.value("frost_report") == {{"harbour": 0, "hill": 1}}
'''

ASSET = '''\
import assetgraph as dg


@dg.asset
def {name}() -> None:
    """What this asset is. Lists show this first line.

    A parameter names an upstream asset: `def {name}(raw_data): ...`. The return value is stored.
    It can be the path of a file that this function wrote, or None.
    """
    ...
'''

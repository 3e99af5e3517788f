"""What a failed blocking check holds, in the plan, in the status, and in the warnings of both."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from conftest import Answer, ProjectFolder

Command = Callable[..., Answer]

PIPELINE = """\
import assetgraph as dg

@dg.asset
def trips() -> int:
    return 1

@dg.asset
def fares(trips: int) -> int:
    return trips

@dg.asset
def report(fares: int) -> int:
    return fares

@dg.asset_check(asset=trips, blocking=True)
def positive(trips: int) -> dg.AssetCheckResult:
    if trips == 0:
        raise ValueError("no trips")
    return dg.AssetCheckResult(passed=trips > 0)
"""
DAYS = """
@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]), deps=[trips])
def days() -> int:
    return 1
"""
SAID = "held by the check trips:positive, which failed"


@pytest.fixture(params=["", DAYS], ids=["whole", "partitions"])
def pipeline(
    request: pytest.FixtureRequest,
    project: Callable[..., ProjectFolder],
    monkeypatch: pytest.MonkeyPatch,
) -> ProjectFolder:
    made = project({"pipeline.py": PIPELINE + request.param})
    monkeypatch.chdir(made.root)
    return made


def with_data(pipeline: ProjectFolder, data: int) -> None:
    text = (pipeline.root / "pipeline.py").read_text()
    pipeline.write("pipeline.py", re.sub(r"return -?\d", f"return {data}", text, count=1))


def test_what_a_failed_check_holds_is_not_updated_by_a_run_of_what_is_stale(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    assert assetgraph("materialize", "report", "fares", "trips").code == 0
    with_data(pipeline, -1)
    assert assetgraph("materialize", "--stale", "report").code == 1
    planned = {line.split()[1]: line for line in assetgraph("plan").out.splitlines()[1:]}
    assert SAID in planned["fares"]
    assert "upstream fares is stale" in planned["report"]
    status = assetgraph("status", "trips", "fares", "report").err
    assert "not up to date" not in status
    assert "2 assets are held by the failed check trips:positive: correct the data" in status
    assert "materialize --stale trips fares report --ignore-checks" in status
    assert "1 asset is held by the failed check" in assetgraph("status", "report").err
    warned = assetgraph("materialize", "report", "--dry-run").err
    assert "The check trips:positive failed, and holds it: correct the data or" in warned
    with_data(pipeline, 2)  # nothing holds what a run would make and check anew
    assert "held" not in assetgraph("plan").out
    status = assetgraph("status", "fares", "report")
    assert "held" not in status.out + status.err


def test_a_check_that_raised_is_counted_once_and_holds_what_reads_its_asset(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    with_data(pipeline, 0)
    assert assetgraph("materialize", "--stale", "fares").code == 1
    status = assetgraph("status", "trips", "fares")
    assert "1 check failed. To run again: " in status.err
    assert "has not looked" not in status.err
    assert "held by the check trips:positive, which raised an error (run " in status.out
    planned = {line.split()[1]: line for line in assetgraph("plan").out.splitlines()[1:]}
    assert "it never ran" not in planned["trips:positive"]
    assert "its last attempt failed" in planned["trips:positive"]


def test_check_assets_names_the_checks_that_failed_before(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    with_data(pipeline, -1)
    assert assetgraph("materialize", "trips").code == 1
    again = assetgraph("check-assets")
    assert again.code == 1
    assert "Nothing to do" in again.err
    assert "✕ failed, blocking in run " in again.err
    assert again.err.rstrip().endswith(": trips:positive")


SEVERAL = """
@dg.multi_asset(
    specs=[dg.AssetSpec("low"), dg.AssetSpec("high")], can_subset=True, name="by_fare"
)
def by_fare(context: dg.AssetExecutionContext, trips: int):
    for key in context.selected_asset_keys:
        yield dg.MaterializeResult(asset_key=key, value=trips)
"""


def test_a_function_of_several_assets_that_is_held_is_named_as_a_selection_takes_it(
    project: Callable[..., ProjectFolder], monkeypatch: pytest.MonkeyPatch, assetgraph: Command
) -> None:
    pipeline = project({"pipeline.py": PIPELINE + SEVERAL})
    monkeypatch.chdir(pipeline.root)
    with_data(pipeline, -1)
    assert assetgraph("materialize", "trips").code == 1
    for asked in ("low", "by_fare"):
        held = assetgraph("materialize", asked)
        (hint,) = re.findall(r"assetgraph (materialize .*--ignore-checks)", held.err)
        assert hint == f"materialize {asked} --ignore-checks"
        assert assetgraph(*hint.split()).code == 0
    assert "high" in assetgraph("list", "by_fare").out
    assert not assetgraph("plan", "low", "--exclude", "by_fare").out.count("low")
    shown = assetgraph("show", "by_fare")
    assert (shown.code, shown.out) == (2, "")
    assert "'by_fare' is a function, which makes low and high." in shown.err

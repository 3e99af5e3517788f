"""Checks of assets in the commands: what they show, and what they do with exit codes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import Answer, ProjectFolder

Command = Callable[..., Answer]

PIPELINE = """\
import assetgraph as dg

@dg.asset
def trips() -> int:
    return DATA

@dg.asset
def fares(trips: int) -> int:
    return trips

@dg.asset_check(asset=trips, blocking=True)
def positive(trips: int) -> dg.AssetCheckResult:
    "No trip is negative."
    return dg.AssetCheckResult(passed=trips > 0, metadata={"trips": trips})

@dg.asset_check(asset="fares", metadata={"rule": 7})
def small(fares: int) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=fares < 5, severity=dg.AssetCheckSeverity.WARN, description="too many"
    )
"""


@pytest.fixture
def pipeline(
    project: Callable[..., ProjectFolder], monkeypatch: pytest.MonkeyPatch
) -> ProjectFolder:
    made = project({"pipeline.py": PIPELINE.replace("DATA", "-1")})
    monkeypatch.chdir(made.root)
    return made


def edit(pipeline: ProjectFolder, data: int, pattern: str = "trips > 0") -> None:
    text = PIPELINE.replace("DATA", str(data)).replace("trips > 0", pattern)
    pipeline.write("pipeline.py", text)


@pytest.mark.usefixtures("pipeline")
def test_a_failed_blocking_check_is_shown_wherever_its_asset_is(assetgraph: Command) -> None:
    plan = assetgraph("plan").out.splitlines()
    assert [line.split()[1] for line in plan[1:]] == [
        "trips", "trips:positive", "fares", "fares:small",
    ]  # fmt: skip
    run = assetgraph("materialize", "--all")
    assert run.code == 1
    told = [line.rpartition("  ")[0] for line in run.err.splitlines() if "trips:positive" in line]
    assert told[:2] == [
        "",
        "✕ trips:positive  Failed: trips -1.",
    ]  # its start, and one line of its end
    assert "Checks:      ✕ 1 failed" in run.err
    assert "✕ 1" in assetgraph("list").out
    assert "✓ trips  ✕ 1 check failed\n" in assetgraph("lineage").out
    status = assetgraph("status", "--exit-code")
    assert status.code == 1
    assert "  :positive  ✕ failed, blocking" in status.out
    assert "held by the check trips:positive, which failed (run " in status.out
    assert "1 check failed." in status.err
    assert "Checks\n  positive  ✕ failed, blocking" in assetgraph("show", "trips").out
    shown = assetgraph("show", "trips:positive")
    assert "No trip is negative." in shown.out
    assert "yes: what reads the asset waits for it" in shown.out
    again = assetgraph("materialize", "--stale")
    assert again.code == 1
    assert "fares failed: CheckFailedError: held by the check trips:positive" in again.err
    assert "--ignore-checks" in again.err
    held = assetgraph("plan", "fares", "--json").json[0]["reasons"][-1]
    assert (held["kind"], held["check"]) == ("held", "trips:positive")


def test_status_counts_failed_and_stale_checks_and_no_warnings(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    edit(pipeline, 9)
    assert assetgraph("materialize", "--all").code == 0
    assert assetgraph("status", "--exit-code").code == 0
    assert "! failed, as a warning  too many" in assetgraph("status").out
    edit(pipeline, 9, "trips > 1")
    stale = assetgraph("status", "--exit-code")
    assert stale.code == 1
    assert "1 check has not looked at what is there now" in stale.err
    assert "All 2 assets are up to date." in stale.err
    (trips,) = assetgraph("status", "trips", "--json").json
    (check,) = trips["checks"]
    assert (check["outcome"], check["is_current"]) == ("passed", False)
    assert check["reasons"][0]["kind"] == "code_changed"
    assert check["evaluation"]["metadata"] == {"trips": 9}


def test_check_assets_runs_only_checks_that_have_something_new_to_look_at(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    edit(pipeline, 1)
    assert assetgraph("check-assets").code == 0  # nothing to look at
    assert assetgraph("list", "--json").json[0]["state"] == "missing"
    assetgraph("materialize", "--all")
    assert "no check has anything new to look at" in assetgraph("check-assets").err
    edit(pipeline, 1, "trips > 2")
    failed = assetgraph("check-assets")
    assert failed.code == 1
    assert "trips:positive" in failed.err
    assert "fares" not in failed.err
    assert assetgraph("check-assets").code == 1  # it has failed, though nothing is to do
    planned = assetgraph("check-assets", "--all", "--dry-run", "--json").json
    assert [one["key"] for one in planned] == ["trips:positive", "fares:small"]
    edit(pipeline, 1)
    assert assetgraph("check-assets", "trips").code == 0


@pytest.mark.usefixtures("pipeline")
def test_a_check_can_be_named_where_assets_are(assetgraph: Command) -> None:
    ignored = assetgraph("materialize", "--all", "--ignore-checks")
    assert ignored.code == 1  # the check itself fails
    assert assetgraph("list", "--json").json[1]["state"] == "fresh"
    assert assetgraph("materialize", "fares:small").code == 0
    assert "Metadata    rule 7" in assetgraph("show", "fares:small").out
    assert assetgraph("show", "fares:small", "--json").json["metadata"] == {"rule": 7}
    assert assetgraph("materialize", "trips", "--exclude", "trips:positive").code == 0
    wrong = assetgraph("show", "trips:positiv")
    assert wrong.code == 2
    assert "Did you mean 'trips:positive'?" in wrong.err


def test_what_is_of_an_asset_moves_and_goes_with_its_checks(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    edit(pipeline, 1)
    assetgraph("materialize", "--all")
    assert "no definition" not in assetgraph("status").err
    assert assetgraph("wipe", "fares", "--yes").code == 0
    fares = assetgraph("list", "fares", "--json").json[0]
    assert fares["checks"][0]["outcome"] == "never"
    renamed = (pipeline.root / "pipeline.py").read_text().replace("fares", "money")
    pipeline.write("pipeline.py", renamed.replace("trips", "rides"))
    assert assetgraph("mv", "trips", "rides").code == 0
    rides = assetgraph("list", "rides", "--json").json[0]
    assert rides["checks"][0]["outcome"] == "passed"


def test_why_a_check_of_partitions_is_stale_is_json_too(
    project: Callable[..., ProjectFolder], assetgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
import assetgraph as dg

days = dg.StaticPartitionsDefinition(["a", "b", "c"])

@dg.asset(partitions_def=days)
def trips() -> int:
    return 1

@dg.asset_check(asset=trips, partitions_def=days)
def positive(trips: int) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=trips > 0)
"""
    made = project({"pipeline.py": text})
    monkeypatch.chdir(made.root)
    assert assetgraph("materialize", "--all", "--all-partitions").code == 0
    made.write("pipeline.py", text.replace("trips > 0", "trips > -1"))
    (check,) = assetgraph("status", "--json").json[0]["checks"]
    (reason,) = check["reasons"]
    assert (reason["kind"], reason["partitions"]) == ("partitions", ["a..c"])


PARTITIONED = """\
import assetgraph as dg

places = dg.StaticPartitionsDefinition(["dale", "hill"])

@dg.asset(partitions_def=places)
def readings() -> int:
    return 1

@dg.asset(partitions_def=places)
def means(readings: int) -> int:
    return 1

@dg.asset_check(asset=readings, partitions_def=places, blocking=True)
def plausible(context, found: int) -> dg.AssetCheckResult:
    passed = context.partition_key != "hill"
    return dg.AssetCheckResult(passed=passed, description="as a sum", metadata={"high": 3})

@dg.multi_asset_check(specs=[dg.AssetCheckSpec(name, asset=readings) for name in ("one", "two")])
def several():
    yield dg.AssetCheckResult(check_name="one", passed=True)
    yield dg.AssetCheckResult(
        check_name="two", passed=False, severity=dg.AssetCheckSeverity.WARN
    )
"""


def test_checks_of_partitions_are_told_in_a_run_and_hold_what_reads_them(
    project: Callable[..., ProjectFolder], assetgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project({"pipeline.py": PARTITIONED}).root)
    run = assetgraph("materialize", "--all", "--partitions", "*")
    ends = [line.partition("  ")[0] for line in run.err.split("\n\n")[0].splitlines()]
    told = [line for line in ends if "▶" not in line]
    assert sorted(told) == sorted(
        [
            "✓ readings@dale", "✓ readings@hill", "✓ readings:plausible@dale",
            "✕ readings:plausible@hill", "✓ means@dale", "– means@hill", "! readings:two",
            "✓ several",
        ]
    )  # fmt: skip
    page = assetgraph("runs", "show", "latest").out
    shown = page.partition("\nChecks\n")[2].partition("\n\n")[0].splitlines()
    assert [*shown[:2], *sorted(shown[2:], reverse=True)] == [
        "  readings:plausible@hill  ✕ failed, blocking  as a sum  high 3",
        "  readings:two  ! failed, as a warning",
        "  readings:plausible@dale  ✓ passed  as a sum  high 3",
        "  readings:one  ✓ passed",
    ]
    held = "held by the check readings:plausible@hill, which failed (run "
    (line,) = [one for one in assetgraph("status").out.splitlines() if one.startswith("means")]
    assert held in line
    assetgraph("materialize", "means@hill", "--ignore-checks")
    assert held not in assetgraph("status").out

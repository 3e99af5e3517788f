"""What a run and the status say in 80 columns, with long names and without any asset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import Answer, ProjectFolder

import assetgraph as dg
from assetgraph.cli.render.run_summary import RunHighlights, summary
from assetgraph.cli.render.status_lines import status_notes
from assetgraph.planning.facts import StoreFacts
from assetgraph.queries.asset_views import asset_views
from assetgraph.queries.run_views import run_details

Command = Callable[..., Answer]
LONG = "a_name_so_long_that_it_takes_more_than_half_of_the_width_of_a_terminal"

PIPELINE = f"""\
import assetgraph as dg

@dg.asset
def trips() -> int:
    return 1

@dg.asset
def {LONG}(trips: int) -> int:
    return trips

@dg.asset_check(asset=trips, blocking=True)
def sane(trips: int) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False)
"""


@pytest.fixture
def pipeline(
    project: Callable[..., ProjectFolder], monkeypatch: pytest.MonkeyPatch
) -> ProjectFolder:
    made = project({"pipeline.py": PIPELINE})
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture(autouse=True)
def apart() -> Iterator[None]:
    with dg.Registry():
        yield


def test_a_long_name_leaves_the_values_of_the_other_assets_whole(instance: dg.Instance) -> None:
    @dg.asset
    def short() -> dict[str, Any]:
        return {}

    @dg.asset(name=LONG)
    def long() -> dict[str, Any]:
        return {}

    result = dg.materialize([short, long], instance=instance)
    record = run_details(instance.store, result.run_id).record
    lines = [one.plain for one in summary(record, RunHighlights(result.events), 80)]
    assert any(line.startswith("  short  json") for line in lines)
    assert any(line.startswith(f"  {LONG}  json") for line in lines)
    assert all(len(line) <= 80 for line in lines)


def test_notes_of_the_status_are_wrapped(instance: dg.Instance) -> None:
    @dg.asset
    def trips() -> int:
        return 1

    facts = StoreFacts(dg.Definitions([trips]).graph, instance.store)
    views = asset_views(facts, [facts.graph.asset(trips.key)])
    remedy = "assetgraph materialize --stale trips " + LONG
    first, *rest = [line.plain for line in status_notes(views, remedy, 40)]
    assert first.startswith("1 asset is not up to date.")
    assert len(first) <= 40
    assert rest[-1] == f"  {remedy}"  # a command is copied whole


def test_a_run_of_checks_alone_names_them_and_one_that_was_held_has_no_timeline(
    pipeline: ProjectFolder, assetgraph: Command
) -> None:
    pipeline.write("pipeline.py", PIPELINE.replace("False", "True"))
    assert assetgraph("materialize", "trips").code == 0
    assert assetgraph("check-assets", "--all").code == 0
    latest, *_ = assetgraph("runs", "list", "--json").json
    assert assetgraph("runs", "list").out.splitlines()[1].rstrip().endswith("trips:sane")
    shown = assetgraph("runs", "show", latest["run_id"]).out.split("Timeline")[0]
    assert "  Checks          trips:sane" in shown
    pipeline.write("pipeline.py", PIPELINE)
    assert assetgraph("check-assets").code == 1
    assert assetgraph("materialize", "--stale").code == 1
    held, *_ = assetgraph("runs", "list", "--json").json
    assert "No step started." in assetgraph("runs", "show", held["run_id"]).out

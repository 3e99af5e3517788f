"""The table says what `asset_views` says, at the cost of what changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_assets import asset_named, graph_of

import assetgraph as dg
from assetgraph import Instance
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.keys import AssetKey, Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.queries.asset_views import asset_views
from assetgraph.records import AssetState
from assetgraph.storage.store import Store
from assetgraph.web.live.asset_table import AssetTable


@pytest.fixture
def graph() -> AssetGraph:
    return graph_of(
        asset_named("a"), asset_named("b", "a"), asset_named("c", "b"), asset_named("other")
    )


def table_of(graph: AssetGraph, store: Store) -> AssetTable:
    table = AssetTable(StoreFacts(graph, store))
    table.refresh(graph.order)
    return table


def assert_same_as_read_anew(table: AssetTable, graph: AssetGraph, store: Store) -> None:
    expected = asset_views(StoreFacts(graph, store), graph.assets.values())
    assert {view.asset.key: view for view in expected} == dict(table.views)


def test_a_step_that_ran_changes_it_and_what_reads_it(
    graph: AssetGraph, instance: Instance
) -> None:
    dg.materialize(graph, instance=instance)
    table = table_of(graph, instance.store)
    assert {view.state for view in table.views.values()} == {AssetState.FRESH}

    changed_a = graph_of(
        asset_named("a", code_version="2"),
        asset_named("b", "a"),
        asset_named("c", "b"),
        asset_named("other"),
    )
    table = table_of(changed_a, instance.store)
    assert table.views[AssetKey("c")].state is AssetState.STALE

    dg.materialize(changed_a, instance=instance, selection="a")
    changed = table.refresh([AssetKey("a")])

    assert changed == {AssetKey("a"), AssetKey("b"), AssetKey("c")}
    assert_same_as_read_anew(table, changed_a, instance.store)


def test_a_look_that_finds_nothing_new_goes_no_further(graph: AssetGraph, store: Store) -> None:
    table = table_of(graph, store)

    assert table.refresh([AssetKey("a")]) == set()


def test_what_a_living_run_is_at_is_running_before_its_lock_says_so(
    graph: AssetGraph, store: Store
) -> None:
    table = table_of(graph, store)

    changed = table.refresh([AssetKey("a")], {AssetKey("a"): "run"})
    assert AssetKey("a") in changed
    assert table.views[AssetKey("a")].state is AssetState.RUNNING

    table.refresh([AssetKey("a")], {})
    assert table.views[AssetKey("a")].state is AssetState.MISSING


def test_a_lock_that_outlasts_its_run_is_looked_at_until_it_is_released(
    graph: AssetGraph, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    dg.materialize(graph, instance=instance)
    lock = Store(instance.store.folder).lock(Target(AssetKey("a")))
    assert lock.acquire()
    table = table_of(graph, instance.store)
    assert table.views[AssetKey("a")].state is AssetState.RUNNING

    lock.release()
    assert AssetKey("a") in table.refresh([], {})
    assert_same_as_read_anew(table, graph, instance.store)
    looked_at: list[Target] = []
    monkeypatch.setattr(StoreFacts, "forget", lambda _facts, target: looked_at.append(target))
    assert table.refresh([], {}) == set()
    assert looked_at == []


def test_an_asset_whose_history_does_not_read_hides_no_other(
    graph: AssetGraph, instance: Instance
) -> None:
    dg.materialize(graph, instance=instance)
    history = Path(f"{instance.store.folder}/assets/a.jsonl")
    whole = history.read_bytes()
    history.write_bytes(b"{broken}\n")

    table = table_of(graph, instance.store)
    assert "a.jsonl" in table.damage[AssetKey("a")]
    assert table.views[AssetKey("other")].state is AssetState.FRESH

    history.write_bytes(whole)
    table.refresh([AssetKey("a")])
    assert not table.damage
    assert_same_as_read_anew(table, graph, instance.store)


def test_a_key_that_is_not_defined_here_is_passed_over(graph: AssetGraph, store: Store) -> None:
    assert table_of(graph, store).refresh([AssetKey("elsewhere")]) == set()


def with_checks(found: list[bool], version: str) -> AssetGraph:
    """`a` with a blocking check, and what reads it."""

    @dg.asset_check(asset="a", blocking=True, code_version=version)
    def sane() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=found[0])

    return graph_of(asset_named("a"), asset_named("b", "a"), asset_named("c", "b"), sane)


def test_a_check_that_ran_changes_its_asset_and_what_it_holds(instance: Instance) -> None:
    graph = with_checks([False], "1")
    table = table_of(graph, instance.store)
    dg.materialize(graph, instance=instance, raise_on_error=False)
    table.refresh([AssetKey("a"), AssetKey.unchecked("a:sane")])
    (check,) = table.views[AssetKey("a")].checks
    assert (check.outcome, check.is_current) == ("failed", True)
    assert "held by the check a:sane" in table.views[AssetKey("b")].reasons[-1].text
    assert_same_as_read_anew(table, graph, instance.store)

    graph = with_checks([True], "2")
    table = table_of(graph, instance.store)
    assert not table.views[AssetKey("a")].checks[0].is_current
    dg.materialize(graph, instance=instance, selection="a")
    assert AssetKey("a") in table.refresh([AssetKey.unchecked("a:sane")])
    assert table.views[AssetKey("a")].checks[0].outcome == "passed"
    assert_same_as_read_anew(table, graph, instance.store)

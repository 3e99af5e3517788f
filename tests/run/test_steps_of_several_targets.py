"""A step's id is not its target: a step with two outputs, or of one partition, in all that a run
records and in all that is shown of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pyarrow
import pytest
from plan_of_assets import plan_of

import assetgraph as dg
from assetgraph.definitions.computation import AssetSpec, Computation
from assetgraph.errors import AssetGraphError
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.keys import Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.plan import Cause, Plan, Step
from assetgraph.planning.reexecution import rerun_request
from assetgraph.planning.request import plan_run
from assetgraph.queries.asset_views import asset_views
from assetgraph.queries.run_tail import follow_run
from assetgraph.queries.run_views import (
    StepLog,
    run_details,
    run_details_json,
    step_log_json,
    step_logs,
    warned_of,
)
from assetgraph.records import Event, EventType, RunRecord, RunStatus, StepState, now
from assetgraph.run.outcome import RunOutcome
from assetgraph.run.runner import run_plan
from assetgraph.storage.run_folders import RunLog, new_run_id
from assetgraph.storage.store import Store

EVENS, ODDS = map(Target, (dg.AssetKey("evens"), dg.AssetKey("odds")))
DAY = Target(dg.AssetKey("trips"), "2023-03-01")


def splits(function: Callable[..., Any], *, odds_deps: tuple[dg.AssetKey, ...] = ()) -> Computation:
    return Computation(
        name="split",
        function=function,
        specs=(AssetSpec(key=EVENS.key), AssetSpec(key=ODDS.key, deps=odds_deps)),
    )


def run_all(graph: AssetGraph, instance: dg.Instance, *, stale_only: bool = False) -> RunOutcome:
    facts = StoreFacts(graph, instance.store)
    return run_plan(plan_of(facts, graph.order, stale_only=stale_only), facts)


@pytest.fixture
def begin(store: Store) -> Callable[..., RunLog]:
    """Starts a run of a step `split`, and of one partition of `trips`, and leaves it living."""

    def start() -> RunLog:
        at = now()
        record = RunRecord(
            new_run_id(at),
            RunStatus.STARTED,
            at,
            assets=("evens", "odds", "trips"),
            steps=("split", DAY.text),
            outputs={"split": ("evens", "odds")},
            pid=os.getpid(),
        )
        store.prepare()
        return store.runs.start(record)

    return start


def tell(log: RunLog, step: str, *more: Event) -> None:
    log.append([Event(EventType.STEP_START, now(), step), *more])


def test_the_run_that_holds_any_output_of_a_step_is_found(
    store: Store, begin: Callable[..., RunLog]
) -> None:
    log = begin()
    run_id = os.path.basename(log.folder)
    assert store.holder(EVENS) == store.holder(DAY) == ""

    tell(log, "split")
    tell(log, DAY.text)

    assert [store.holder(one) for one in (EVENS, ODDS, DAY)] == [run_id] * 3
    assert store.holder(Target(DAY.key)) == ""
    assert store.holder(Target(dg.AssetKey("split"))) == ""
    assert store.runs.makers({"evens", "odds"}, but=run_id) == {}
    assert f"run {run_id} (process {os.getpid()}" in store.locked(ODDS, hint="").message
    log.close()


def test_a_step_that_waits_for_an_output_holds_those_before_it_by_name(
    store: Store, begin: Callable[..., RunLog]
) -> None:
    log = begin()
    waits = {"waits_for": "another run"}
    tell(log, "split", Event(EventType.LOG, now(), "split", data=waits, target="odds"))
    assert store.holder(EVENS) == os.path.basename(log.folder)
    assert store.holder(ODDS) == ""
    log.close()


def test_an_asset_names_the_run_that_makes_it_together_with_others(
    store: Store, begin: Callable[..., RunLog]
) -> None:
    graph = AssetGraph([splits(lambda: (1, 2))])
    log = begin()
    tell(log, "split")
    locks = [store.lock(EVENS), store.lock(ODDS)]
    assert all(lock.acquire() for lock in locks)

    views = asset_views(StoreFacts(graph, store), graph.assets.values())

    assert [view.running_run_id for view in views] == [os.path.basename(log.folder)] * 2
    for lock in locks:
        lock.release()
    log.close()


@pytest.mark.parametrize("odds_reads", [(), ("base",), ("base", "more")])
def test_outputs_with_different_deps_are_spared_when_their_upstreams_make_the_same_data_again(
    instance: dg.Instance, odds_reads: tuple[str, ...]
) -> None:
    made: list[str] = []

    @dg.asset(code_version="1")
    def base() -> int:
        return 1

    @dg.asset
    def more() -> int:
        return 2

    def split() -> tuple[int, int]:
        made.append("split")
        return 1, 2

    parts = splits(split, odds_deps=tuple(map(dg.AssetKey, odds_reads)))
    run_all(AssetGraph([base, more, parts]), instance)

    @dg.asset(name="base", code_version="2")
    def base_again() -> int:
        return 1

    graph = AssetGraph([base_again, more, parts])
    again = run_all(graph, instance, stale_only=True)

    assert made == ["split"]
    assert again.record.step_counts.get("failure") is None
    facts = StoreFacts(graph, instance.store)
    assert plan_of(facts, graph.order, stale_only=True).steps == ()


def test_a_new_upstream_of_one_output_runs_the_call_again(instance: dg.Instance) -> None:
    made: list[int] = []

    @dg.asset
    def base() -> int:
        return len(made)

    def split() -> tuple[int, int]:
        made.append(1)
        return 1, 2

    graph = AssetGraph([base, splits(split, odds_deps=(dg.AssetKey("base"),))])
    run_all(graph, instance)
    facts = StoreFacts(graph, instance.store)
    run_plan(plan_of(facts, [dg.AssetKey("base")]), facts)
    run_all(graph, instance, stale_only=True)
    assert len(made) == 2


@pytest.mark.parametrize("output", [EVENS, ODDS])
def test_what_an_output_is_made_from_is_one_rule_for_the_plan_and_for_the_record(
    instance: dg.Instance, output: Target
) -> None:
    @dg.asset
    def read() -> int:
        return 1

    @dg.asset
    def base() -> None: ...

    def split(read: int) -> tuple[int, int]:
        return read, read

    graph = AssetGraph([read, base, splits(split, odds_deps=(dg.AssetKey("base"),))])
    (step,) = (
        step
        for step in plan_of(StoreFacts(graph, instance.store), graph.order).steps
        if step.id == "split"
    )
    run_all(graph, instance)
    current, _ = instance.store.history.current(output)
    assert current is not None
    assert set(current.inputs) == {target.text for target in step.upstream(output)}
    assert set(step.upstream(output)) == set(graph.upstream_targets[output.key])


def test_a_warning_about_columns_names_its_output(instance: dg.Instance) -> None:
    columns = ["a"]

    def split() -> tuple[object, object]:
        return pyarrow.table({"id": [1]}), pyarrow.table({name: [1] for name in columns})

    graph = AssetGraph([splits(split)])
    run_all(graph, instance)
    columns[:] = ["b"]
    outcome = run_all(graph, instance)

    details = run_details(instance.store, outcome.record.run_id)
    (warned,) = (event for event in details.events if event.level == "WARNING")
    assert (warned.step, warned.target) == ("split", "odds")
    ((about, text),) = warned_of(details)
    assert about == "odds"
    assert text.startswith("The columns changed")


def test_metadata_added_through_the_context_needs_one_asset_to_belong_to(
    instance: dg.Instance,
) -> None:
    def split(context: dg.AssetExecutionContext) -> tuple[int, int]:
        context.add_output_metadata({"rows": 1})
        return 1, 2

    outcome = run_all(AssetGraph([splits(split)]), instance)
    (error,) = outcome.errors.values()
    assert error.message == (
        "add_output_metadata does not say which of the function's assets it is about."
    )
    assert error.hint == "Give output_name=: evens and odds."


class Shelf(dg.IOManager):
    def handle_output(self, context: Any, obj: Any) -> None:
        context.add_output_metadata({"stored": context.asset_key.text, f"of_{obj}": True})

    def load_input(self, context: Any) -> Any:
        return context.asset_key.text


def test_the_metadata_of_each_output_is_its_own(instance: dg.Instance) -> None:
    computation = Computation(
        name="split",
        function=lambda: (dg.MaterializeResult(1, metadata={"own": "evens"}), 2),
        specs=tuple(AssetSpec(key=one.key, io_manager=Shelf()) for one in (EVENS, ODDS)),
    )
    assert not run_all(AssetGraph([computation]), instance).errors
    found = [instance.store.history.current(one)[0] for one in (EVENS, ODDS)]
    assert [made and sorted(made.metadata) for made in found] == [
        ["of_1", "own", "stored"],
        ["of_2", "stored"],
    ]


def test_a_run_of_a_partition_is_not_executed_again_as_the_whole_asset(
    instance: dg.Instance,
) -> None:
    @dg.asset
    def trips() -> int:
        return 1

    graph = AssetGraph([trips])
    plan = Plan((Step(DAY.text, "trips", (DAY,), Cause.REQUESTED),), {"trips": trips})
    record = run_plan(plan, StoreFacts(graph, instance.store)).record
    request = rerun_request(instance.store, record)
    assert request.targets == ("trips@2023-03-01",)
    with pytest.raises(AssetGraphError, match="'trips' has no partitions any more") as raised:
        plan_run(request, StoreFacts(graph, instance.store))
    assert "materialize trips" in (raised.value.hint or "")


def test_json_has_the_id_and_the_targets_of_a_step_and_a_key_only_where_it_is_the_one(
    instance: dg.Instance,
) -> None:
    def split() -> tuple[int, int]:
        print("splitting")
        return 1, 2

    @dg.asset
    def trips() -> int:
        print("a day")
        return 1

    parts = splits(split)
    graph = AssetGraph([parts, trips])
    plan = Plan(
        (
            Step("split", "split", (EVENS, ODDS), Cause.REQUESTED),
            Step(DAY.text, "trips", (DAY,), Cause.REQUESTED),
        ),
        {"split": parts, "trips": trips},
    )
    record = run_plan(plan, StoreFacts(graph, instance.store)).record
    evens, odds = {"key": "evens", "partition": None}, {"key": "odds", "partition": None}
    day = {"key": "trips", "partition": "2023-03-01"}
    expected = [
        {"key": None, "partition": None, "step": "split", "targets": [evens, odds]},
        {**day, "step": "trips@2023-03-01", "targets": [day]},
    ]

    details = run_details_json(run_details(instance.store, record.run_id))
    logs = [step_log_json(log) for log in step_logs(instance.store, record.run_id)]
    followed = [
        step_log_json(item)
        for item in follow_run(instance.store, record.run_id)
        if isinstance(item, StepLog)
    ]

    for shown in (details["steps"], logs, followed):
        assert [{name: one[name] for name in expected[0]} for one in shown] == expected


def test_the_steps_of_a_run_that_is_read_keep_their_targets(
    store: Store, begin: Callable[..., RunLog]
) -> None:
    log = begin()
    split, trips = run_details(store, os.path.basename(log.folder)).steps
    assert split.state is StepState.WAITING
    assert split.targets == ("evens", "odds")
    assert trips.targets == (DAY.text,)
    log.close()

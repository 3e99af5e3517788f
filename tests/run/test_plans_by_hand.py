"""The engine below the decorators: plans made by hand, with a step of two outputs, and with two
partitions of one asset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from plan_of_assets import plan_of

import assetgraph as dg
from assetgraph.definitions.computation import AssetSpec, Computation
from assetgraph.definitions.partitions.listed import StaticPartitionsDefinition
from assetgraph.errors import StoreError
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.keys import Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.plan import Cause, Plan, Step
from assetgraph.planning.reasons import stale_reasons
from assetgraph.planning.reexecution import rerun_request
from assetgraph.planning.request import plan_run
from assetgraph.queries.plan_groups import plan_json
from assetgraph.queries.run_views import run_details
from assetgraph.records import EventType, Materialization, RunStatus, StepState
from assetgraph.run.executors import make
from assetgraph.run.outcome import RunOutcome
from assetgraph.run.passed_values import PassedValues
from assetgraph.run.runner import run_plan
from assetgraph.run.step import committed
from assetgraph.run.step_task import StepTask
from assetgraph.storage.histories import Attempt, TargetLock

HALVES = (dg.AssetKey("evens"), dg.AssetKey("odds"))
DAYS = (Target(dg.AssetKey("trips"), "2023-03-01"), Target(dg.AssetKey("trips"), "2023-03-02"))


def splits(*halves: object) -> Computation:
    """A computation of two assets whose function returns `halves`."""
    return Computation(
        name="split",
        function=lambda: halves,
        specs=tuple(AssetSpec(key=key) for key in HALVES),
    )


def run(plan: Plan, graph: AssetGraph, instance: dg.Instance, executor: str) -> RunOutcome:
    return run_plan(plan, StoreFacts(graph, instance.store), executor=make(executor))


def value(instance: dg.Instance, target: Target) -> Any:
    made, _ = instance.store.history.current(target)
    assert made is not None
    return instance.store.values.load(made.value)


EXECUTORS = pytest.mark.parametrize("executor", ["serial", "threads", "processes"])


@EXECUTORS
def test_a_step_of_two_outputs_commits_both_and_passes_each_on(
    instance: dg.Instance, executor: str
) -> None:
    @dg.asset
    def total(evens: list[int], odds: list[int]) -> int:
        return sum(evens) + sum(odds)

    split = splits([0, 2], [1, 3])
    graph = AssetGraph([split, total])
    evens, odds = map(Target, HALVES)
    plan = Plan(
        (
            Step("split", "split", (evens, odds), Cause.REQUESTED),
            Step(
                "total",
                "total",
                (Target(total.key),),
                Cause.REQUESTED,
                reads={"evens": (evens,), "odds": (odds,)},
                after=("split",),
            ),
        ),
        {"split": split, "total": total},
    )

    outcome = run(plan, graph, instance, executor)

    assert outcome.record.status is RunStatus.SUCCESS
    assert outcome.record.assets == ("evens", "odds", "total")
    assert outcome.record.step_ids == ("split", "total")
    assert value(instance, evens) == [0, 2]
    assert value(instance, odds) == [1, 3]
    assert value(instance, Target(total.key)) == 6
    details = run_details(instance.store, outcome.record.run_id)
    made = [e.target for e in details.events if e.type is EventType.ASSET_MATERIALIZATION]
    assert made == ["evens", "odds", None]


def test_a_plan_calls_a_computation_of_two_outputs_once(instance: dg.Instance) -> None:
    split = splits(1, 2)
    graph = AssetGraph([split])

    plan = plan_of(StoreFacts(graph, instance.store), [HALVES[1]])
    assert [(step.id, step.outputs) for step in plan.steps] == [
        ("split", (Target(HALVES[0]), Target(HALVES[1])))
    ]

    run_plan(plan, StoreFacts(graph, instance.store))
    facts = StoreFacts(graph, instance.store)
    assert plan_of(facts, graph.order, stale_only=True).steps == ()


def test_a_call_of_two_outputs_comes_after_an_upstream_of_its_last_one(
    instance: dg.Instance,
) -> None:
    @dg.asset
    def reads_first(a_first: int) -> int:
        return a_first

    @dg.asset
    def z_base() -> None: ...

    both = Computation(
        name="both",
        function=lambda: (1, 2),
        specs=(
            AssetSpec(key=dg.AssetKey("a_first")),
            AssetSpec(key=dg.AssetKey("z_second"), deps=(z_base.key,)),
        ),
    )
    graph = AssetGraph([both, reads_first, z_base])
    plan = plan_of(StoreFacts(graph, instance.store), graph.order)
    assert [step.id for step in plan.steps] == ["z_base", "both", "reads_first"]
    outcome = run_plan(plan, StoreFacts(graph, instance.store))
    assert outcome.record.step_counts == {"success": 3}
    facts = StoreFacts(graph, instance.store)
    assert plan_of(facts, graph.order, stale_only=True).steps == ()


def dealt(base: Computation, **options: Any) -> Computation:
    """One call for `evens`, whose upstream is `base`, and `odds`, which has none."""
    return Computation(
        name="deal",
        function=options.pop("function", lambda: (1, 2)),
        specs=(AssetSpec(key=HALVES[0], deps=(base.specs[0].key,)), AssetSpec(key=HALVES[1])),
        **options,
    )


@pytest.mark.parametrize("stale_only", [False, True])
def test_an_upstream_of_an_output_that_nobody_asked_for_runs_first(
    instance: dg.Instance, stale_only: bool
) -> None:
    @dg.asset
    def base() -> None: ...

    graph = AssetGraph([base, dealt(base)])
    facts = StoreFacts(graph, instance.store)
    plan = plan_of(facts, [HALVES[1]], stale_only=stale_only)
    assert [step.id for step in plan.steps] == ["base", "deal"]
    assert run_plan(plan, facts).record.status is RunStatus.SUCCESS


def test_a_missing_upstream_brings_what_the_other_outputs_of_its_call_are_made_from(
    instance: dg.Instance,
) -> None:
    @dg.asset
    def base() -> None: ...

    @dg.asset
    def reads_odds(odds: int) -> int:
        return odds

    graph = AssetGraph([base, dealt(base), reads_odds])
    facts = StoreFacts(graph, instance.store)
    plan = plan_of(facts, [reads_odds.key])
    assert [step.id for step in plan.steps] == ["base", "deal", "reads_odds"]
    assert run_plan(plan, facts).record.status is RunStatus.SUCCESS


def test_one_stale_run_is_complete_when_a_call_has_two_outputs(instance: dg.Instance) -> None:
    made = [0]

    def function() -> tuple[int, int]:
        made[0] += 1
        return made[0], -made[0]

    @dg.asset(name="base", code_version="1")
    def base() -> int:
        return 1

    @dg.asset(name="base", code_version="2")
    def changed() -> int:
        return 2

    @dg.asset
    def reads_evens(evens: int) -> int:
        return evens

    @dg.asset
    def reads_odds(odds: int) -> int:
        return odds

    def left(base: Computation) -> tuple[Plan, StoreFacts]:
        deal = dealt(base, function=function, code_version="1")
        graph = AssetGraph([base, deal, reads_evens, reads_odds])
        facts = StoreFacts(graph, instance.store)
        return plan_of(facts, graph.order, stale_only=True), facts

    assert run_plan(*left(base)).record.step_counts == {"success": 4}
    assert left(base)[0].steps == ()

    plan, facts = left(changed)
    assert facts.state(HALVES[1]) == "stale"
    (why,) = stale_reasons(facts.targets, facts, [Target(HALVES[1])])[Target(HALVES[1])]
    assert why.text == "it is materialized together with evens, which is stale"
    assert [step.id for step in plan.steps] == ["base", "deal", "reads_evens", "reads_odds"]
    assert [reason.kind for reason in plan.steps[1].reasons] == ["upstream_stale"]
    assert run_plan(plan, facts).record.step_counts == {"success": 4}
    assert left(changed)[0].steps == ()


def test_a_call_gives_the_reasons_of_all_its_outputs(instance: dg.Instance) -> None:
    @dg.asset
    def base() -> int:
        return 1

    graph = AssetGraph([base, dealt(base)])
    facts = StoreFacts(graph, instance.store)
    run_plan(plan_of(facts, graph.order), facts)
    Path(instance.store.history.path(HALVES[1])).unlink()

    graph = AssetGraph([dg.asset(name="base", code_version="2")(lambda: 2), dealt(base)])
    facts = StoreFacts(graph, instance.store)
    _, step = plan_of(facts, graph.order, stale_only=True).steps
    assert step.cause is Cause.MISSING
    assert {reason.kind for reason in step.reasons} == {"upstream_stale", "never_materialized"}


def test_config_may_be_given_for_any_output_of_a_call(instance: dg.Instance) -> None:
    split = splits(1, 2)
    graph = AssetGraph([split])
    facts = StoreFacts(graph, instance.store)
    for key in HALVES:
        (step,) = plan_of(facts, [HALVES[1]], config={key: {"n": 1}}).steps
        assert step.config == {"n": 1}
    with pytest.raises(dg.AssetGraphError, match="were given different config"):
        plan_of(facts, HALVES, config={HALVES[0]: {"n": 1}, HALVES[1]: {"n": 2}})


def test_the_plan_as_json_has_a_row_for_each_output_with_its_partition() -> None:
    rows = plan_json(Plan((Step("trips", "trips", DAYS, Cause.REQUESTED),)))
    assert [(row["key"], row["partition"]) for row in rows] == [
        ("trips", "2023-03-01"),
        ("trips", "2023-03-02"),
    ]


def test_an_input_of_no_partitions_is_an_empty_mapping(instance: dg.Instance) -> None:
    @dg.asset
    def trips() -> None: ...

    @dg.asset
    def report(trips: dict[str, Any]) -> dict[str, Any]:
        return trips

    graph = AssetGraph([trips, report])
    target = Target(report.key)
    step = Step(
        "report",
        "report",
        (target,),
        Cause.REQUESTED,
        reads={"trips": ()},
        gathered=frozenset({"trips"}),
    )
    assert not run(Plan((step,), {"report": report}), graph, instance, "serial").errors
    assert value(instance, target) == {}


@pytest.mark.parametrize("returned", [(1,), (1, 2, 3), ([1, 2],)])
def test_a_function_of_two_assets_must_return_a_value_for_each(
    instance: dg.Instance, returned: tuple[object, ...]
) -> None:
    split = splits(*returned)
    graph = AssetGraph([split])
    outcome = run_plan(
        plan_of(StoreFacts(graph, instance.store), graph.order),
        StoreFacts(graph, instance.store),
    )
    (error,) = outcome.errors.values()
    assert "It must return a tuple of 2 values, one for each of its assets" in error.message
    for key in HALVES:
        current, failed = instance.store.history.current(Target(key))
        assert current is None
        assert failed is not None


def partitioned(count: Callable[[], int]) -> tuple[AssetGraph, Plan]:
    """`trips` of two days, and `report`, which reads both."""

    @dg.asset(partitions_def=StaticPartitionsDefinition([str(day.partition) for day in DAYS]))
    def trips() -> int:
        return count()

    @dg.asset
    def report(trips: dict[str, int]) -> dict[str, int]:
        return trips

    steps = [Step(day.text, "trips", (day,), Cause.REQUESTED) for day in DAYS]
    last = Step(
        "report",
        "report",
        (Target(report.key),),
        Cause.REQUESTED,
        reads={"trips": DAYS},
        after=tuple(day.text for day in DAYS),
        gathered=frozenset({"trips"}),
    )
    computations: dict[str, Computation] = {"trips": trips, "report": report}
    return AssetGraph([trips, report]), Plan((*steps, last), computations)


def test_two_partitions_of_one_asset_are_materialized_stored_and_read_separately(
    instance: dg.Instance,
) -> None:
    made = iter([10, 20])
    graph, plan = partitioned(lambda: next(made))

    outcome = run(plan, graph, instance, "serial")

    assert outcome.record.step_counts == {"success": 3}
    assert outcome.record.assets == ("trips", "report")
    assert [value(instance, day) for day in DAYS] == [10, 20]
    assert instance.store.history.current(Target(DAYS[0].key)) == (None, None)
    assert value(instance, Target(dg.AssetKey("report"))) == {"2023-03-01": 10, "2023-03-02": 20}
    report, _ = instance.store.history.current(Target(dg.AssetKey("report")))
    assert report is not None
    assert report.inputs == {}
    read = report.partitions_read["trips"]
    assert (read.count, read.first, read.last) == (2, "2023-03-01", "2023-03-02")
    details = run_details(instance.store, outcome.record.run_id)
    assert [(step.step_id, step.state) for step in details.steps] == [
        ("trips@2023-03-01", StepState.SUCCESS),
        ("trips@2023-03-02", StepState.SUCCESS),
        ("report", StepState.SUCCESS),
    ]


def test_a_failed_partition_skips_its_readers_but_no_other_partition(
    instance: dg.Instance,
) -> None:
    made = iter([10])
    graph, plan = partitioned(lambda: next(made))

    outcome = run(plan, graph, instance, "serial")

    assert list(outcome.errors) == ["trips@2023-03-02"]
    assert outcome.record.step_counts == {"success": 1, "failure": 1, "skipped": 1}
    assert value(instance, DAYS[0]) == 10
    current, failed = instance.store.history.current(DAYS[1])
    assert current is None
    assert failed is not None
    assert failed.partition == "2023-03-02"


def test_a_step_of_two_outputs_is_executed_again_by_its_id(instance: dg.Instance) -> None:
    @dg.asset
    def other() -> None: ...

    split = splits(1, 2)
    graph = AssetGraph([split, other])
    facts = StoreFacts(graph, instance.store)
    record = run_plan(plan_of(facts, graph.order), facts).record

    request = rerun_request(instance.store, record, steps=["split"])

    assert request.targets == ("evens", "odds")
    plan = plan_run(request, StoreFacts(graph, instance.store))
    assert [step.id for step in plan.steps] == ["split"]


def test_two_computations_of_one_name_are_a_problem() -> None:
    @dg.asset
    def split() -> None: ...

    (problem,) = AssetGraph([splits(1, 2), split]).validate()
    assert "two computations are called 'split'" in problem.message


def test_the_upstreams_of_a_partition_are_walked_from_it(instance: dg.Instance) -> None:
    graph, _ = partitioned(lambda: 1)
    facts = StoreFacts(graph, instance.store)
    assert list(stale_reasons(facts.targets, facts, [DAYS[0]])) == [DAYS[0]]


def test_an_output_that_depends_on_another_of_its_call_is_a_problem() -> None:
    @dg.asset
    def between(evens: list[int]) -> None: ...

    split = Computation(
        name="split",
        function=lambda: (1, 2),
        specs=(AssetSpec(key=HALVES[0]), AssetSpec(key=HALVES[1], deps=(between.key,))),
    )
    (problem,) = AssetGraph([split, between]).validate()
    assert "'odds' depends on another of them through 'between'" in problem.message

    split = Computation(
        name="split",
        function=lambda: (1, 2),
        specs=(AssetSpec(key=HALVES[0]), AssetSpec(key=HALVES[1], deps=(HALVES[0],))),
    )
    (problem,) = AssetGraph([split]).validate()
    assert "'odds' depends on another of them, 'evens'" in problem.message


def test_a_step_takes_the_locks_of_all_outputs_in_the_order_of_their_names(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    acquire = TargetLock.acquire

    def noted(lock: TargetLock) -> bool:
        taken.append(lock.target.text)
        return acquire(lock)

    monkeypatch.setattr(TargetLock, "acquire", noted)
    both = Computation(
        name="both",
        function=lambda: (1, 2),
        specs=(AssetSpec(key=HALVES[1]), AssetSpec(key=HALVES[0])),
    )
    graph = AssetGraph([both])
    facts = StoreFacts(graph, instance.store)
    run_plan(plan_of(facts, graph.order), facts)
    assert taken == ["evens", "odds"]


def test_a_run_keeps_no_value_to_its_end(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[PassedValues] = []
    begin = PassedValues.__init__

    def noted(passed: PassedValues, plan: Plan) -> None:
        begin(passed, plan)
        made.append(passed)

    monkeypatch.setattr(PassedValues, "__init__", noted)

    @dg.asset
    def number() -> int:
        return 1

    @dg.asset
    def fails(number: int) -> int:
        raise ValueError

    @dg.asset
    def skipped(number: int, fails: int) -> int:
        return 2

    @dg.asset
    def reads(number: int) -> int:
        return number

    dg.materialize([number, fails, skipped, reads], instance=instance, raise_on_error=False)
    (passed,) = made
    assert passed._values == {}
    assert passed._reads == {}


def test_a_step_that_committed_some_of_its_outputs_has_not_committed(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    evens, odds = map(Target, HALVES)
    append = TargetLock.append

    def full_disk(lock: TargetLock, attempt: Attempt) -> None:
        if lock.target == odds and isinstance(attempt, Materialization):
            raise StoreError("the disk is full")
        append(lock, attempt)

    monkeypatch.setattr(TargetLock, "append", full_disk)
    graph = AssetGraph([splits(1, 2)])
    facts = StoreFacts(graph, instance.store)
    outcome = run_plan(plan_of(facts, graph.order), facts)

    assert outcome.record.step_counts == {"failure": 1}
    made, failed = instance.store.history.current(evens)
    assert made is not None, "its value counts"
    assert failed is None
    made, failed = instance.store.history.current(odds)
    assert made is None
    assert failed is not None
    task = StepTask(
        step_id="split",
        computation=splits(1, 2),
        outputs=(evens, odds),
        run_id=outcome.record.run_id,
        attempt=1,
        inputs=(),
        config={},
        code_version=None,
    )
    assert committed(task, instance.store) == {}

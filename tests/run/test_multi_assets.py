"""Several assets from one function: what it may return or yield, what is committed when it fails,
and which of them a call makes."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import assetgraph as dg
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.keys import Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.plan import Plan
from assetgraph.planning.reexecution import rerun_request
from assetgraph.planning.request import RunRequest, plan_run
from assetgraph.records import EventType

EXECUTORS = pytest.mark.parametrize("executor", ["serial", "threads", "processes"])
EVENS, ODDS = dg.AssetKey("evens"), dg.AssetKey("odds")
SPECS = [dg.AssetSpec("evens"), dg.AssetSpec("odds")]


def yields_results() -> Iterator[dg.MaterializeResult]:
    yield dg.MaterializeResult(asset_key="odds", value=1)
    yield dg.MaterializeResult(asset_key=EVENS, value=2)


def yields_outputs() -> Iterator[dg.Output[int]]:
    yield dg.Output(2, "evens")
    yield dg.Output(1, output_name="odds")


async def yields_asynchronously() -> AsyncIterator[Any]:
    yield dg.Output(2, "evens")
    yield dg.MaterializeResult(asset_key="odds", value=1)


def returns_tuple() -> Any:
    return 2, 1


def returns_results() -> Any:
    return dg.Output(1, "odds"), dg.MaterializeResult(asset_key="evens", value=2)


def returns_list() -> Any:
    return [dg.Output(1, "odds"), dg.Output(2, "evens")]


def returns_unnamed_results() -> Any:
    return dg.MaterializeResult(2), dg.Output(1)


def returns_mapping() -> Any:
    return {"odds": 1, "evens": dg.Output(2)}


async def returns_asynchronously() -> Any:
    return {ODDS: 1, EVENS: 2}


@pytest.mark.parametrize(
    "function",
    [
        *(yields_results, yields_outputs, yields_asynchronously, returns_tuple, returns_results),
        *(returns_list, returns_unnamed_results, returns_mapping, returns_asynchronously),
    ],
)
def test_a_function_gives_each_asset_its_value(function: Callable[..., Any]) -> None:
    split = dg.multi_asset(specs=SPECS)(function)
    result = dg.materialize([split])
    assert (result.value("evens"), result.value("odds")) == (2, 1)


@EXECUTORS
def test_what_was_yielded_before_a_failure_stays(executor: str) -> None:
    @dg.multi_asset(specs=SPECS)
    def split() -> Iterator[Any]:
        yield dg.MaterializeResult(asset_key="evens", value=2)
        raise RuntimeError("no odds today")

    @dg.asset
    def reads_evens(evens: int) -> int:
        return evens

    instance = dg.Instance.ephemeral()
    result = dg.materialize(
        [split, reads_evens], instance=instance, executor=executor, raise_on_error=False
    )
    assert not result.success
    warned = [event.message for event in result.events if event.level == "WARNING"]
    assert warned == ["1 of 2 assets were materialized before it failed: evens. Missing: odds"]
    history = instance.store.history
    made, failed = history.current(Target(EVENS))
    assert made is not None
    assert instance.store.values.load(made.value) == 2
    assert failed is None
    assert history.current(Target(ODDS))[0] is None
    skipped = [e.step for e in result.events if e.type is EventType.STEP_SKIPPED]
    assert skipped == ["reads_evens"]

    plan = stale_plan(AssetGraph([split, reads_evens]), instance)
    assert [(step.id, len(step.outputs)) for step in plan.steps] == [
        ("split", 2),
        ("reads_evens", 1),
    ]


def gives_two_and_breaks() -> Iterator[Any]:
    yield from yields_results()
    raise RuntimeError("the clean-up failed")


def gives_one_twice() -> Iterator[Any]:
    yield from yields_results()
    yield dg.MaterializeResult(asset_key="odds", value=3)


def yields_two_values() -> Iterator[Any]:
    yield dg.Output(1)
    yield dg.Output(2)


def breaks_after_its_value() -> Iterator[Any]:
    yield dg.MaterializeResult(value=1)
    raise RuntimeError("the clean-up failed")


def breaks_after_its_partitions() -> Iterator[Any]:
    yield "a", 1
    yield "b", 2
    raise RuntimeError("the clean-up failed")


async def breaks_after_its_asynchronous_value() -> AsyncIterator[Any]:
    yield dg.Output(1)
    raise RuntimeError("the clean-up failed")


def dies_after_all() -> Iterator[Any]:
    yield from yields_results()
    os._exit(1)


AB = dg.StaticPartitionsDefinition(["a", "b"])
ALL_AT_ONCE = {"partitions_def": AB, "backfill_policy": dg.BackfillPolicy.single_run()}


@pytest.mark.parametrize(
    ("definition", "function"),
    [
        (dg.multi_asset(specs=SPECS), gives_two_and_breaks),
        (dg.multi_asset(specs=SPECS, can_subset=True), gives_one_twice),
        (dg.multi_asset(specs=SPECS), dies_after_all),
        (dg.asset(key="odds"), yields_two_values),
        (dg.asset(key="odds"), breaks_after_its_value),
        (dg.asset(key="odds"), breaks_after_its_asynchronous_value),
        (dg.asset(key="odds", **ALL_AT_ONCE), breaks_after_its_partitions),
    ],
)
def test_a_step_that_breaks_after_it_gave_everything_has_failed(
    definition: Any, function: Callable[..., Any], instance: dg.Instance
) -> None:
    @dg.asset
    def reader(odds: Any) -> int:
        return 1

    made = definition(function)
    executor = "processes" if function is dies_after_all else "serial"
    result = dg.materialize(
        [made, reader],
        instance=instance,
        executor=executor,
        partitions="a..b" if made.partitions_def else (),
        raise_on_error=False,
    )
    assert [e.step for e in result.events if e.type is EventType.STEP_SKIPPED] == ["reader"]
    graph = AssetGraph([made, reader])
    facts = StoreFacts(graph, instance.store)
    found = [facts.states([spec.key])[spec.key] for spec in made.specs]
    assert {one.state for one in found} == {"failed"}
    if made.is_multi:
        assert "the value that it gave before stays in use" in found[0].reasons[0].text
    request = rerun_request(instance.store, result.outcome.record, from_failure=True)
    assert len(request.targets) >= len(made.specs) + 1
    steps = stale_plan(graph, instance).steps
    assert {target.key.text for step in steps for target in step.outputs} >= {"odds", "reader"}


def test_a_rerun_of_a_call_that_can_be_for_a_subset_makes_what_is_missing(
    instance: dg.Instance,
) -> None:
    @dg.multi_asset(specs=SPECS, can_subset=True, code_version="1")
    def split(context: dg.AssetExecutionContext) -> Iterator[Any]:
        for key in sorted(context.selected_asset_keys):
            yield dg.MaterializeResult(asset_key=key, value=1)
            if len(context.selected_asset_keys) == 2:
                raise RuntimeError("no odds today")

    result = dg.materialize([split], instance=instance, raise_on_error=False)
    request = rerun_request(instance.store, result.outcome.record, from_failure=True)
    assert request.targets == ("odds",)
    plan = plan_run(request, StoreFacts(AssetGraph([split]), instance.store))
    assert [step.outputs for step in plan.steps] == [(Target(ODDS),)]


def test_what_was_yielded_before_an_interrupt_stays(instance: dg.Instance) -> None:
    @dg.multi_asset(specs=SPECS)
    def split() -> Iterator[Any]:
        yield dg.MaterializeResult(asset_key="evens", value=2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dg.materialize([split], instance=instance)
    (run_id,) = instance.store.runs.ids()
    events = list(instance.store.runs.events(run_id))
    warned = [event.message for event in events if event.level == "WARNING"]
    assert warned == [
        "1 of 2 assets were materialized before it was canceled: evens. Missing: odds"
    ]
    made = [event.target for event in events if event.type is EventType.ASSET_MATERIALIZATION]
    assert made == ["evens"]


def stale_plan(graph: AssetGraph, instance: dg.Instance) -> Plan:
    return plan_run(RunRequest(stale=True), StoreFacts(graph, instance.store))


def test_each_output_is_on_record_when_the_function_goes_on() -> None:
    instance = dg.Instance.ephemeral()
    seen = []

    @dg.multi_asset(specs=SPECS)
    def split() -> Iterator[Any]:
        for key in (EVENS, ODDS):
            yield dg.MaterializeResult(asset_key=key, value=1)
            seen.append(instance.store.history.current(Target(key))[0] is not None)

    dg.materialize([split], instance=instance)
    assert seen == [True, True]


def test_a_function_that_returns_nothing_materializes_all_of_its_assets() -> None:
    @dg.multi_asset(specs=SPECS)
    def split() -> None: ...

    result = dg.materialize([split])
    assert [result.materialization(key) is not None for key in (EVENS, ODDS)] == [True, True]


WRONG: list[tuple[Any, str]] = [
    ({"evens": dg.Output(1, "odds"), "odds": 2}, "a result of 'odds' as that of 'evens'"),
    ((1,), "returned a tuple: (1,). It must return a tuple of 2 values, one for each"),
    (5, "returned an int: 5. It must return a tuple of 2 values"),
    ({"evens": 1}, "'split' gave no value for 'odds'."),
    ({"evens": 1, "odd": 2}, "gave 'odd', which is not one of its assets. Did you mean 'odds'?"),
    (dg.MaterializeResult(), "gave a MaterializeResult without asset_key. Say which of its assets"),
    ([dg.Output(1, "evens"), dg.Output(1, "evens")], "gave 'evens' twice"),
    (iter([5]), "yielded an int: 5"),
    (iter([dg.Output(1)]), "gave an Output without output_name"),
    (iter([dg.Output(1, "evens"), dg.Output(1, "evens")]), "gave 'evens' twice"),
    (iter([dg.Output(1, "evens")]), "'split' gave no value for 'odds'."),
    (iter([dg.MaterializeResult(asset_key="x")]), "gave 'x', which is not one of its assets"),
]


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_what_a_function_may_not_give_is_refused(given: Any, message: str) -> None:
    split = dg.multi_asset(specs=SPECS, name="split")(lambda: given)
    with pytest.raises(dg.AssetGraphError) as raised:
        dg.materialize([split])
    assert message in str(raised.value)


def test_a_required_output_that_is_missing_has_dagsters_error() -> None:
    @dg.multi_asset(outs={"evens": dg.AssetOut(), "odds": dg.AssetOut()})
    def split() -> Iterator[Any]:
        yield dg.Output(1, "evens")

    instance = dg.Instance.ephemeral()
    with pytest.raises(dg.DagsterStepOutputNotFoundError, match="gave no value for 'odds'"):
        dg.materialize([split], instance=instance)
    assert instance.store.history.current(Target(EVENS))[0] is not None


@EXECUTORS
def test_an_optional_output_that_is_left_out_skips_only_what_reads_it(executor: str) -> None:
    @dg.multi_asset(outs={"evens": dg.AssetOut(), "odds": dg.AssetOut(is_required=False)})
    def split() -> Iterator[Any]:
        yield dg.Output(2, "evens")

    @dg.asset
    def reads_evens(evens: int) -> int:
        return evens

    @dg.asset
    def reads_both(evens: int, odds: int) -> int:
        return evens + odds

    @dg.asset(deps=[reads_both])
    def behind() -> None: ...

    assets = [split, reads_evens, reads_both, behind]
    result = dg.materialize(assets, executor=executor)
    assert result.success
    assert result.value("reads_evens") == 2
    skipped = {e.step: e.data for e in result.events if e.type is EventType.STEP_SKIPPED}
    why = {"upstream": "odds", "why": "was not made"}
    assert skipped == {"reads_both": why, "behind": why}


def test_a_selection_of_one_makes_the_whole_call(instance: dg.Instance) -> None:
    @dg.multi_asset(specs=SPECS)
    def split() -> tuple[int, int]:
        return 2, 1

    facts = StoreFacts(AssetGraph([split]), instance.store)
    plan = plan_run(RunRequest(selection=("odds",)), facts)
    assert [step.outputs for step in plan.steps] == [(Target(EVENS), Target(ODDS))]
    assert plan.added == (Target(EVENS),)


def test_a_call_that_can_be_for_a_subset_makes_what_is_asked_for(instance: dg.Instance) -> None:
    asked = []

    @dg.multi_asset(specs=[*SPECS, dg.AssetSpec("rest")], can_subset=True, code_version="1")
    def split(context: dg.AssetExecutionContext) -> Iterator[Any]:
        asked.append(context.selected_output_names)
        for key in sorted(context.selected_asset_keys):
            yield dg.MaterializeResult(asset_key=key, value=key.text)

    @dg.asset
    def reads_odds(odds: str) -> str:
        return odds

    assets = [split, reads_odds]
    result = dg.materialize(assets, selection=["reads_odds", "odds"], instance=instance)
    assert result.value("reads_odds") == "odds"
    assert asked == [{"odds"}]
    plan = stale_plan(AssetGraph(assets), instance)
    assert [(s.id, [o.text for o in s.outputs]) for s in plan.steps] == [
        ("split", ["evens", "rest"])
    ]
    dg.materialize(assets, selection=["evens", "rest"], instance=instance)
    assert not stale_plan(AssetGraph(assets), instance).steps


def test_what_a_subset_may_not_give_is_refused() -> None:
    @dg.multi_asset(specs=SPECS, can_subset=True)
    def split() -> Iterator[Any]:
        yield dg.Output(1, "evens")
        yield dg.Output(2, "odds")

    with pytest.raises(dg.AssetGraphError, match="gave 'odds', which this step does not make"):
        dg.materialize([split], selection=["evens"])


def test_partitions_of_a_subset_are_made_together_where_their_ranges_agree(
    instance: dg.Instance,
) -> None:
    days = dg.StaticPartitionsDefinition(["1", "2", "3", "4"])
    calls = []

    @dg.multi_asset(
        specs=SPECS,
        partitions_def=days,
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def split(context: dg.AssetExecutionContext) -> Iterator[Any]:
        calls.append((sorted(context.selected_output_names), tuple(context.partition_keys)))
        for key in context.selected_asset_keys:
            yield dg.MaterializeResult(
                asset_key=key, value={p: p + key.text for p in context.partition_keys}
            )

    def run(*targets: str) -> None:
        dg.materialize([split], selection=list(targets), instance=instance)

    run("evens@2..3")
    assert calls == [(["evens"], ("2", "3"))]
    calls.clear()
    facts = StoreFacts(AssetGraph([split]), instance.store)
    plan = plan_run(RunRequest(stale=True), facts)
    made = [target for step in plan.steps for target in step.outputs]
    assert len(made) == len(set(made)) == 6
    assert [step.id for step in plan.steps] == ["split@1", "split@4", "split@2..3"]


def test_one_asset_may_yield_its_result() -> None:
    @dg.asset
    def trips() -> Iterator[dg.MaterializeResult]:
        yield dg.MaterializeResult(value=5, metadata={"rows": 5})

    @dg.asset
    async def zones(trips: int) -> AsyncIterator[Any]:
        yield dg.Output(trips + 1)

    result = dg.materialize([trips, zones])
    assert (result.value("trips"), result.value("zones")) == (5, 6)
    made = result.materialization("trips")
    assert made is not None
    assert made.metadata == {"rows": 5}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([dg.Output(1), dg.Output(2)], "gave 'trips' twice"),
        ([dg.MaterializeResult(asset_key="other")], "gave 'other', which is not its asset"),
    ],
)
def test_one_asset_may_not_yield_another_or_two(given: list[Any], message: str) -> None:
    @dg.asset
    def trips() -> Iterator[Any]:
        yield from given

    with pytest.raises(dg.AssetGraphError, match=message):
        dg.materialize([trips])


@pytest.mark.parametrize(
    "given", [dg.MaterializeResult(asset_key="g", value=1), dg.Output(1, output_name="g")]
)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"check_specs": [dg.AssetCheckSpec("sane", asset="f")]},
        {"partitions_def": AB},
        ALL_AT_ONCE,
    ],
)
def test_one_asset_may_not_return_a_result_of_another(given: Any, options: dict[str, Any]) -> None:
    @dg.asset(**options)
    def f() -> Any:
        return {"a": given} if options is ALL_AT_ONCE else given

    partitions = "a" if "partitions_def" in options else ()
    with pytest.raises(dg.AssetGraphError, match="'f' gave 'g', which is not its asset") as error:
        dg.materialize([f], partitions=partitions)
    assert error.value.hint == "Its asset is f."


def test_one_asset_may_return_a_result_by_its_own_name() -> None:
    @dg.asset(key_prefix="p", check_specs=[dg.AssetCheckSpec("sane", asset="p/f")])
    def f() -> Any:
        return dg.MaterializeResult(
            asset_key="p/f", value=1, check_results=[dg.AssetCheckResult(passed=True)]
        )

    @dg.asset(check_specs=[dg.AssetCheckSpec("sane", asset="g")])
    def g() -> Any:
        yield dg.Output(2, output_name="result")
        yield dg.AssetCheckResult(passed=True)

    result = dg.materialize([f, g])
    assert (result.value("p/f"), result.value("g")) == (1, 2)


def test_an_output_may_have_metadata_and_a_data_version() -> None:
    @dg.multi_asset(specs=SPECS)
    def split(context: dg.AssetExecutionContext) -> Any:
        context.add_output_metadata({"source": "TLC"}, output_name="odds")
        yield dg.Output(2, "evens", metadata={"rows": 2}, data_version="v2", tags={"day": "1"})
        yield dg.Output(1, "odds", data_version=dg.DataVersion("v1"))

    result = dg.materialize([split])
    evens, odds = map(result.materialization, (EVENS, ODDS))
    assert evens is not None
    assert odds is not None
    assert (evens.metadata, evens.data_version) == ({"rows": 2}, "v2")
    assert (evens.tags, odds.tags) == ({"day": "1"}, {})
    assert (odds.metadata, odds.data_version) == ({"source": "TLC"}, "v1")


@pytest.mark.parametrize(
    ("name", "message"), [(None, "does not say which"), ("odd", "names 'odd'")]
)
def test_metadata_of_no_output_is_refused(name: str | None, message: str) -> None:
    @dg.multi_asset(specs=SPECS)
    def split(context: dg.AssetExecutionContext) -> None:
        context.add_output_metadata({"a": 1}, output_name=name)

    with pytest.raises(dg.AssetGraphError, match=message):
        dg.materialize([split])


def test_a_value_of_another_type_than_said_fails_the_step() -> None:
    @dg.multi_asset(outs={"evens": dg.AssetOut(dagster_type=int), "odds": dg.AssetOut()})
    def split() -> Any:
        return "two", 1

    with pytest.raises(dg.AssetGraphError, match="'evens' of 'split' is annotated `-> int`"):
        dg.materialize([split])

    @dg.asset
    def trips() -> dg.Output[int]:
        return dg.Output("five")  # type: ignore[arg-type]

    @dg.asset
    def zones() -> Iterator[dg.Output[int]]:
        yield dg.Output("five")  # type: ignore[arg-type]

    for one in (trips, zones):
        with pytest.raises(dg.AssetGraphError, match="but returned a str: 'five'"):
            dg.materialize([one])


def test_config_of_a_call_goes_by_its_name_or_by_an_asset() -> None:
    class Limit(dg.Config):
        limit: int

    @dg.multi_asset(specs=SPECS)
    def split(config: Limit) -> tuple[int, int]:
        return config.limit, 0

    for name in ("split", "odds"):
        result = dg.materialize([split], run_config={name: {"limit": 3}})
        assert result.value("evens") == 3


def test_a_selection_takes_a_function_for_all_of_its_assets() -> None:
    @dg.multi_asset(specs=SPECS)
    def split() -> tuple[int, int]:
        return 2, 1

    @dg.asset
    def other() -> None: ...

    result = dg.materialize([split, other], selection=[split])
    assert [e.step for e in result.events if e.type is EventType.STEP_SUCCESS] == ["split"]
    assert dg.AssetSelection.assets(split) == dg.AssetSelection.assets("evens", "odds")


def test_tags_that_are_not_text_are_refused() -> None:
    @dg.asset
    def trips() -> dg.MaterializeResult:
        return dg.MaterializeResult(tags={"day": 1})  # type: ignore[dict-item]

    with pytest.raises(dg.AssetGraphError, match="asset 'trips': the tags of its value are a dict"):
        dg.materialize([trips])


def test_a_result_gives_the_outputs_of_a_function_by_dagsters_names() -> None:
    @dg.multi_asset(outs={"evens": dg.AssetOut(key_prefix="p"), "odds": dg.AssetOut()})
    def split() -> tuple[int, int]:
        return 2, 1

    @dg.asset
    def trips() -> int:
        return 5

    result = dg.materialize([split, trips])
    assert result.output_for_node("split", "evens") == 2
    assert result.output_for_node("p__evens") == 2
    assert result.output_for_node("trips", "result") == 5
    made = result.asset_materializations_for_node("split")
    assert [one.asset_key for one in made] == [dg.AssetKey("p/evens"), ODDS]
    with pytest.raises(dg.AssetGraphError, match="gives several outputs"):
        result.output_for_node("split")
    with pytest.raises(dg.AssetGraphError, match="gives no output 'odd'"):
        result.output_for_node("split", "odd")

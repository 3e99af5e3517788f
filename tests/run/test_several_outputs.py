"""A step of several partitions: what its function may return. The plans are made by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest

import assetgraph as dg
from assetgraph.definitions.computation import AssetSpec, Computation
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.keys import AssetKey, Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.plan import Cause, Plan, Step
from assetgraph.planning.request import RunRequest, plan_run
from assetgraph.records import EventType, Materialization
from assetgraph.run.executors import make
from assetgraph.run.outcome import RunOutcome
from assetgraph.run.runner import run_plan

DAYS = ("2023-03-01", "2023-03-02", "2023-03-03")
TRIPS = AssetKey("trips")


def run(
    instance: dg.Instance,
    function: Callable[..., Any],
    keys: tuple[AssetKey, ...] = (TRIPS,),
    executor: str = "serial",
) -> RunOutcome:
    """Run one step that makes three days of each asset."""
    computation = Computation(
        name="trips", function=function, specs=tuple(AssetSpec(key=key) for key in keys)
    )
    outputs = tuple(Target(key, day) for key in keys for day in DAYS)
    step = Step("trips", "trips", outputs, Cause.REQUESTED)
    facts = StoreFacts(AssetGraph([computation]), instance.store)
    return run_plan(Plan((step,), {"trips": computation}), facts, executor=make(executor))


def made(instance: dg.Instance, day: str, key: AssetKey = TRIPS) -> Materialization | None:
    return instance.store.history.current(Target(key, day))[0]


def values(instance: dg.Instance, key: AssetKey = TRIPS) -> list[Any]:
    found = [made(instance, day, key) for day in DAYS]
    return [one and instance.store.values.load(one.value) for one in found]


def fails(instance: dg.Instance, function: Callable[..., Any], yielded: str = "") -> str:
    """What an error says that leaves no partition but those that were `yielded`."""
    (error,) = run(instance, function).errors.values()
    assert {day for day in DAYS if made(instance, day)} == set(yielded.split())
    return f"{error.message} {error.hint}"


EXECUTORS = pytest.mark.parametrize("executor", ["serial", "threads", "processes"])


@EXECUTORS
def test_a_mapping_has_a_value_for_each_partition(instance: dg.Instance, executor: str) -> None:
    def trips() -> dict[str, int]:
        return {day: number for number, day in reversed(list(enumerate(DAYS)))}

    assert not run(instance, trips, executor=executor).errors
    assert values(instance) == [0, 1, 2]


def test_none_materializes_each_partition(instance: dg.Instance) -> None:
    assert not run(instance, lambda: None).errors
    for day in DAYS:
        one = made(instance, day)
        assert one is not None
        assert one.value.format == "none"
        assert one.partition == day


def test_one_result_is_that_of_each_partition(instance: dg.Instance) -> None:
    result = dg.MaterializeResult(metadata={"rows": 5}, data_version="v1")
    assert not run(instance, lambda: result).errors
    for day in DAYS:
        one = made(instance, day)
        assert one is not None
        assert one.metadata["rows"] == 5
        assert one.data_version == "v1"


def test_a_mapping_may_hold_results(instance: dg.Instance) -> None:
    def trips() -> dict[str, Any]:
        return {day: dg.MaterializeResult(value=day, metadata={"day": day}) for day in DAYS}

    assert not run(instance, trips).errors
    assert values(instance) == list(DAYS)
    second = made(instance, DAYS[1])
    assert second is not None
    assert second.metadata["day"] == DAYS[1]


def test_each_pair_that_is_yielded_is_stored_before_the_next(instance: dg.Instance) -> None:
    stored: list[int] = []

    def count() -> int:
        return sum(run.key == "trips" for run in instance.store.values.runs())

    def trips() -> Iterator[tuple[str, pa.Table]]:
        for day in reversed(DAYS):
            stored.append(count())
            yield day, pa.table({"day": [day]})

    assert not run(instance, trips).errors
    assert stored == [0, 1, 2]
    assert [one.to_pydict() for one in values(instance)] == [{"day": [day]} for day in DAYS]


def test_a_value_that_is_yielded_may_be_a_stream_of_tables(instance: dg.Instance) -> None:
    def batches(day: str) -> Iterator[pa.RecordBatch]:
        for number in range(2):
            yield pa.record_batch({"day": [day], "n": [number]})

    def trips() -> Iterator[Any]:
        for day in DAYS:
            yield day, batches(day)

    assert not run(instance, trips).errors
    assert [one.read_all().num_rows for one in values(instance)] == [2] * 3


def test_several_assets_have_a_value_for_each_partition(instance: dg.Instance) -> None:
    keys = (AssetKey("evens"), AssetKey("odds"))

    def split() -> tuple[Any, Any]:
        return {day: number for number, day in enumerate(DAYS)}, None

    assert not run(instance, split, keys).errors
    assert values(instance, keys[0]) == [0, 1, 2]
    assert all(made(instance, day, keys[1]) for day in DAYS)


@pytest.mark.parametrize("partitions", [1, 3])
def test_a_function_that_may_make_several_partitions_always_returns_each_with_its_key(
    instance: dg.Instance, partitions: int
) -> None:
    days = DAYS[:partitions]

    @dg.asset(
        partitions_def=dg.StaticPartitionsDefinition(DAYS),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def trips(context: dg.AssetExecutionContext) -> dict[str, str]:
        return {key: f"trips of {key}" for key in context.partition_keys}

    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(DAYS))
    def sizes(trips: str) -> int:
        return len(trips)

    range_of_days = f"{days[0]}..{days[-1]}"
    assert dg.materialize([trips, sizes], instance=instance, partitions=range_of_days).success
    expected = [f"trips of {day}" for day in days] + [None] * (3 - partitions)
    assert values(instance) == expected


def test_a_bare_value_of_such_a_function_is_an_error(instance: dg.Instance) -> None:
    @dg.asset(
        partitions_def=dg.StaticPartitionsDefinition(DAYS),
        backfill_policy=dg.BackfillPolicy.multi_run(2),
    )
    def trips() -> int:
        return 5

    with pytest.raises(
        dg.AssetGraphError, match=r"returned an int: 5\. The step makes 1 partition:"
    ):
        dg.materialize([trips], instance=instance, partition_key=DAYS[0])


def yields(*items: Any) -> Callable[[], Iterator[Any]]:
    def trips() -> Iterator[Any]:
        yield from items

    return trips


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "one value": (lambda: 5, "returned an int: 5"),
    "a table": (lambda: pa.table({"a": [1]}), "returned a pyarrow.Table"),
    "a list": (lambda: [1, 2, 3], "returned a list: [1, 2, 3]"),
    "one result with a value": (
        lambda: dg.MaterializeResult(value=5),
        "returned an assetgraph.MaterializeResult",
    ),
    "a partition too few": (
        lambda: {DAYS[0]: 1},
        "gave no value for '2023-03-02', '2023-03-03'",
    ),
    "a partition too many": (
        lambda: dict.fromkeys((*DAYS, "2023-03-04"), 1),
        "gave a value for '2023-03-04', which is not one of its partitions",
    ),
    "a key that is no text": (
        lambda: dict.fromkeys((*DAYS, 4), 1),
        "gave a value for 4, which is not one of its partitions",
    ),
    "a misspelt key": (
        lambda: dict.fromkeys(("2023-3-01", *DAYS[1:]), 1),
        "Did you mean '2023-03-01'",
    ),
    "values without keys": (yields(pa.table({"a": [1]})), "yielded a pyarrow.Table"),
    "a key twice": (
        yields((DAYS[0], 1), (DAYS[0], 2)),
        "yielded the partition '2023-03-01' twice",
    ),
    "a pair too few": (yields((DAYS[0], 1), (DAYS[2], 2)), "gave no value for '2023-03-02'"),
    "an unknown key": (yields(("x", 1)), "gave a value for 'x'"),
    "a key that cannot be hashed": (yields(([], 1)), "gave a value for []"),
}


@pytest.mark.parametrize("case", WRONG)
def test_anything_else_says_what_to_return(instance: dg.Instance, case: str) -> None:
    function, said = WRONG[case]
    yielded = {"a key twice": DAYS[0], "a pair too few": f"{DAYS[0]} {DAYS[2]}"}
    error = fails(instance, function, yielded.get(case, ""))
    assert f"asset 'trips' {said}" in error or said in error
    assert "The step makes 3 partitions: 2023-03-01..2023-03-03." in error
    assert "return a dict with a value for each of context.partition_keys" in error


def test_an_annotation_of_the_whole_is_checked(instance: dg.Instance) -> None:
    def trips() -> dict[str, int]:
        return None  # type: ignore[return-value]

    assert "is annotated `-> dict[str, int]` but returned None" in fails(instance, trips)


@EXECUTORS
def test_each_partition_that_is_yielded_counts_though_a_later_one_fails(
    instance: dg.Instance, executor: str
) -> None:
    def trips() -> Iterator[tuple[str, int]]:
        yield DAYS[2], 2
        yield DAYS[0], 0
        raise ValueError("no data")

    outcome = run(instance, trips, executor=executor)
    assert outcome.errors["trips"].message == "no data"
    assert values(instance) == [0, None, 2]
    failed = instance.store.history.current(Target(TRIPS, DAYS[1]))[1]
    assert failed is not None
    assert failed.error == "ValueError: no data"
    assert instance.store.history.current(Target(TRIPS, DAYS[0]))[1] is None
    events = list(instance.store.runs.events(outcome.record.run_id))
    said = [event.message for event in events if event.level == "WARNING"]
    assert said == [
        "2 of 3 partitions were materialized before it failed: 2023-03-03 and 2023-03-01"
    ]
    materialized = [e.target for e in events if e.type is EventType.ASSET_MATERIALIZATION]
    assert materialized == ["trips@2023-03-03", "trips@2023-03-01"]


def test_each_partition_is_committed_as_it_is_yielded(instance: dg.Instance) -> None:
    there: list[int] = []

    def trips() -> Iterator[tuple[str, int]]:
        for number, day in enumerate(DAYS):
            there.append(sum(made(instance, one) is not None for one in DAYS))
            yield day, number

    assert not run(instance, trips).errors
    assert there == [0, 1, 2]
    assert len(list(instance.store.history.newest_first(TRIPS))) == 3


def test_only_what_a_failed_range_left_runs_again(instance: dg.Instance) -> None:
    asked: list[list[str]] = []

    @dg.asset(
        partitions_def=dg.StaticPartitionsDefinition(DAYS),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def trips(context: dg.AssetExecutionContext) -> Iterator[tuple[str, str]]:
        asked.append(list(context.partition_keys))
        for key in context.partition_keys:
            if len(asked) == 1 and key == DAYS[1]:
                raise ValueError("no data")
            yield key, key

    dg.materialize([trips], instance=instance, partitions="*", raise_on_error=False)
    facts = StoreFacts(AssetGraph([trips]), instance.store)
    plan = plan_run(RunRequest(only=("missing", "failed")), facts)
    assert [step.id for step in plan.steps] == ["trips@2023-03-02..2023-03-03"]
    run_plan(plan, facts)
    assert asked == [list(DAYS), list(DAYS[1:])]
    assert values(instance) == list(DAYS)


def test_an_abandoned_range_commits_no_further_partition(instance: dg.Instance) -> None:
    gone = threading.Event()

    @dg.asset(
        partitions_def=dg.StaticPartitionsDefinition(DAYS),
        backfill_policy=dg.BackfillPolicy.single_run(),
        timeout=0.2,
    )
    def trips() -> Iterator[tuple[str, str]]:
        yield DAYS[0], "there"
        gone.wait(30)
        yield DAYS[1], "too late"

    facts = StoreFacts(AssetGraph([trips]), instance.store)
    plan = plan_run(RunRequest(partitions=("*",)), facts)
    outcome = run_plan(plan, facts, executor=make("threads", jobs=1))
    gone.set()
    assert "timeout" in next(iter(outcome.errors.values())).message
    lock = instance.store.lock(Target(TRIPS, DAYS[2]))
    assert lock.wait(until=lambda: True)  # its thread has ended
    lock.release()
    assert values(instance) == ["there", None, None]

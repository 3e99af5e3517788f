"""Plans and states of assets with partitions: which run, which do not, and why."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

import assetgraph as dg
from assetgraph.definitions.asset import AssetDep
from assetgraph.definitions.backfill_policy import BackfillPolicy
from assetgraph.definitions.partitions.listed import StaticPartitionsDefinition
from assetgraph.definitions.partitions.periods import (
    MonthlyPartitionsDefinition,
    WeeklyPartitionsDefinition,
)
from assetgraph.definitions.partitions.simple_mappings import (
    AllPartitionMapping,
    LastPartitionMapping,
)
from assetgraph.definitions.partitions.time_mapping import TimeWindowPartitionMapping
from assetgraph.errors import PartitionsError, SelectionError
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.graph.definitions import Definitions
from assetgraph.planning.estimate import estimated_seconds
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.plan import Plan
from assetgraph.planning.request import RunRequest, nothing_to_do, plan_run, requested_targets
from assetgraph.records import RunRecord
from assetgraph.run.launch import launch

MONTHS = ("2023-01-01", "2023-02-01", "2023-03-01")


class Limit(dg.Config):
    rows: int = 0


def months(end: str = "2023-04-01", **options: Any) -> MonthlyPartitionsDefinition:
    return MonthlyPartitionsDefinition("2023-01-01", end_date=end, **options)


class Project:
    """Assets and their store. `counts` has how many rows each month has, which is its version."""

    def __init__(self, instance: dg.Instance) -> None:
        self.instance = instance
        self.counts = dict.fromkeys(MONTHS, 1)
        self.definition = months()
        self.version = "1"
        self.mapping: Any = None
        self.policy: BackfillPolicy | None = None
        self.failing: set[str] = set()

    def graph(self) -> AssetGraph:
        with dg.Registry():

            @dg.asset(
                partitions_def=self.definition,
                code_version=self.version,
                backfill_policy=self.policy,
            )
            def trips() -> None: ...

            @dg.asset(
                partitions_def=self.definition,
                code_version="1",
                deps=[AssetDep("trips", partition_mapping=self.mapping)],
            )
            def cleaned() -> None: ...

            @dg.asset(code_version="1", deps=["cleaned"])
            def total() -> None: ...

            @dg.asset(code_version="1")
            def zones() -> None: ...

        return Definitions([trips, cleaned, total, zones]).graph.require_valid()

    @property
    def facts(self) -> StoreFacts:
        return StoreFacts(self.graph(), self.instance.store)

    def plan(self, *selection: str, **asked: Any) -> Plan:
        return plan_run(RunRequest(selection=selection, **asked), self.facts)

    def steps(self, *selection: str, **asked: Any) -> list[str]:
        return [step.id for step in self.plan(*selection, **asked).steps]

    def run(self, *selection: str, **asked: Any) -> RunRecord:
        request, facts = RunRequest(selection=selection, **asked), self.facts
        return launch(request, plan_run(request, facts), facts).record

    def why(self, key: str) -> list[str]:
        states = self.facts.states([dg.AssetKey(key)])[dg.AssetKey(key)]
        return [reason.text for reason in states.reasons]


@pytest.fixture
def project(instance: dg.Instance) -> Project:
    return Project(instance)


def of(asset: str, keys: Iterable[str] = MONTHS) -> list[str]:
    return [f"{asset}@{key}" for key in keys]


def test_a_range_makes_just_its_partitions_and_the_upstream_ones_that_are_missing(
    project: Project,
) -> None:
    asked = {"partitions": ("2023-01..2023-02",)}
    assert project.steps("cleaned", **asked) == [
        *of("trips", MONTHS[:2]),
        *of("cleaned", MONTHS[:2]),
    ]
    project.run("trips", partitions=("2023-02",))
    assert project.steps("cleaned", **asked) == ["trips@2023-01-01", *of("cleaned", MONTHS[:2])]


def test_without_a_partition_an_asset_means_its_default_one(project: Project) -> None:
    with pytest.raises(SelectionError, match=r"'trips' has 3 partitions, 2023-01-01\.\.2023-03-01"):
        project.plan("trips")
    assert project.steps("trips", default_partition="2023-02") == ["trips@2023-02-01"]
    project.definition = months(default="2023-03")
    assert project.steps("trips") == ["trips@2023-03-01"]
    assert project.steps("trips", default_partition="2023-02") == ["trips@2023-03-01"]


def test_dynamic_partitions_that_are_not_there_yet_are_to_be_added(instance: dg.Instance) -> None:
    @dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="customers"))
    def invoices() -> None: ...

    facts = StoreFacts(Definitions([invoices]).graph, instance.store)
    with pytest.raises(SelectionError, match="'invoices' has no partitions yet") as raised:
        plan_run(RunRequest(selection=("invoices",)), facts)
    assert raised.value.hint == "Add one with: assetgraph partitions add customers KEY"
    every = RunRequest(selection=("invoices",), partitions=("*",))
    assert nothing_to_do(every, plan_run(every, facts)) == "Nothing to do: no partition matches."


def test_all_partitions_are_said_and_never_assumed(project: Project) -> None:
    assert project.steps("trips", "zones", partitions=("*",)) == [*of("trips"), "zones"]
    with pytest.raises(SelectionError, match="say which"):
        project.plan()


def test_what_is_stale_covers_every_partition(project: Project) -> None:
    everything = [*of("trips"), *of("cleaned"), "total", "zones"]
    assert sorted(project.steps(stale=True)) == sorted(everything)
    project.run(stale=True)
    assert project.steps(stale=True) == []
    assert project.facts.states(project.graph().order)[dg.AssetKey("trips")].state == "fresh"


def test_a_later_end_adds_a_missing_partition_and_makes_nothing_else_stale_but_what_reads_all(
    project: Project,
) -> None:
    project.run(stale=True)
    project.definition = months("2023-05-01")
    assert project.steps("trips", stale=True) == ["trips@2023-04-01"]
    assert project.why("trips") == ["1 of 4 partitions missing, 2023-04-01: never materialized"]
    assert project.why("total") == [
        "it reads other partitions of cleaned: +1",
        "upstream cleaned is missing in 1 of 4 partitions: 2023-04-01",
    ]


def test_an_earlier_start_runs_nothing_that_is_there(project: Project) -> None:
    project.run(stale=True)
    project.definition = MonthlyPartitionsDefinition("2022-12-01", end_date="2023-04-01")
    assert project.steps("cleaned", stale=True) == ["trips@2022-12-01", "cleaned@2022-12-01"]


def test_other_code_makes_stale_what_was_made_with_the_code_before(project: Project) -> None:
    project.run(stale=True)
    project.version = "2"
    project.run("trips", partitions=("2023-02",))
    assert project.steps("trips", stale=True) == ["trips@2023-01-01", "trips@2023-03-01"]
    (why,) = project.why("trips")
    assert why.startswith("2 of 3 partitions stale, 2023-01-01, 2023-03-01: ")


def test_new_upstream_data_makes_stale_just_what_reads_it(project: Project) -> None:
    project.mapping = TimeWindowPartitionMapping(start_offset=-1)
    project.run(stale=True)
    project.run("trips", partitions=("2023-01",))
    assert project.steps("cleaned", stale=True) == ["cleaned@2023-01-01", "cleaned@2023-02-01"]
    assert project.why("cleaned") == [
        "2 of 3 partitions stale, 2023-01-01..2023-02-01: upstream trips has new data"
    ]
    target = project.facts.targets.targets(dg.AssetKey("cleaned"))[1]
    (reason,) = project.facts.target_states([target])[target].reasons
    assert reason.text == "upstream trips has new data in 1 of 2 partitions: 2023-01-01"


@pytest.mark.parametrize(
    ("mapping", "why"),
    [
        (AllPartitionMapping(), "they read other partitions of trips"),
        (TimeWindowPartitionMapping(-1, -1), "they read other partitions of trips"),
    ],
)
def test_another_mapping_is_a_reason_of_its_own(project: Project, mapping: Any, why: str) -> None:
    project.run(stale=True)
    project.mapping = mapping
    assert any(text.endswith(why) for text in project.why("cleaned"))
    project.run(stale=True)
    assert project.steps(stale=True) == []


def test_a_mapping_that_changed_says_how_many_partitions_more_and_fewer_are_read(
    project: Project,
) -> None:
    project.mapping = LastPartitionMapping()
    project.run(stale=True)
    project.mapping = AllPartitionMapping()
    facts = project.facts
    (target, *_) = facts.targets.targets(dg.AssetKey("cleaned"))
    (reason,) = facts.target_states([target])[target].reasons
    assert reason.text == "it reads other partitions of trips: +2"
    project.run(stale=True)
    project.mapping = LastPartitionMapping()
    (reason,) = project.facts.target_states([target])[target].reasons
    assert reason.text == "it reads other partitions of trips: −2"


def test_only_what_is_missing_runs_and_never_what_lies_between(project: Project) -> None:
    project.run("trips", partitions=("2023-02",))
    project.run("cleaned", partitions=("2023-01",))
    assert project.steps("trips", "cleaned", only=("missing",)) == [
        "trips@2023-03-01",
        "cleaned@2023-02-01",
        "cleaned@2023-03-01",
    ]


def test_each_asset_of_a_run_gets_its_own_keys(instance: dg.Instance) -> None:
    weeks = WeeklyPartitionsDefinition("2023-01-01", end_date="2023-04-01")
    with dg.Registry():

        @dg.asset(partitions_def=months())
        def trips() -> None: ...

        @dg.asset(partitions_def=weeks, deps=["trips"])
        def by_week() -> None: ...

    facts = StoreFacts(Definitions([trips, by_week]).graph, instance.store)
    plan = plan_run(RunRequest(partitions=("2023-02..2023-02",)), facts)
    assert [step.id for step in plan.steps] == [
        "trips@2023-02-01",
        *("trips@2023-03-01",),
        *of("by_week", ("2023-02-05", "2023-02-12", "2023-02-19", "2023-02-26")),
    ]


def test_an_end_of_a_range_that_is_left_out_is_that_of_all(project: Project) -> None:
    assert project.steps("trips", partitions=("2023-02..",)) == of("trips", MONTHS[1:])
    assert project.steps("trips@..2023-02") == of("trips", MONTHS[:2])
    with pytest.raises(PartitionsError, match="has no end"):
        project.plan("trips", partitions=("..",))
    project.definition = MonthlyPartitionsDefinition("2999-01-01")
    with pytest.raises(PartitionsError, match="there is no partition '2023-02'"):
        project.plan("trips", partitions=("2023-02..",))


def test_a_partition_of_what_has_none_is_refused(project: Project) -> None:
    with pytest.raises(PartitionsError, match="zones has no partitions"):
        project.plan("zones", partitions=("2023-01",))
    with pytest.raises(SelectionError, match="zones has no partitions"):
        project.plan("zones@2023-01")


@pytest.mark.parametrize("text", ["2023-04", "2022", "x", "2023-02..2023-01", "2023-01..2024-01"])
def test_partitions_that_are_not_there_are_refused_with_those_that_are(
    project: Project, text: str
) -> None:
    with pytest.raises(PartitionsError) as raised:
        project.plan("trips", partitions=(text,))
    assert "2023-0" in (raised.value.hint or "")


def test_a_selection_walks_from_partitions_through_the_mappings(project: Project) -> None:
    project.mapping = TimeWindowPartitionMapping(start_offset=-1)
    assert project.steps("trips@2023-02+1") == [*of("trips"), *of("cleaned", MONTHS[1:])]
    graph = project.facts.targets
    target = graph.targets(dg.AssetKey("trips"))[1]
    assert [one.text for one in graph.downstream(target)] == of("cleaned", MONTHS[1:])


def test_an_asset_reads_its_own_earlier_partition_in_order(instance: dg.Instance) -> None:
    seen: list[str] = []
    before = TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)
    with dg.Registry():

        @dg.asset(partitions_def=months(), deps=[AssetDep("running", partition_mapping=before)])
        def running(context: dg.AssetExecutionContext) -> None:
            seen.append(context.run_id)

    graph = Definitions([running]).graph.require_valid()
    facts = StoreFacts(graph, instance.store)
    plan = plan_run(RunRequest(partitions=("*",)), facts)
    assert [step.after for step in plan.steps] == [
        (),
        ("running@2023-01-01",),
        ("running@2023-02-01",),
    ]
    launch(RunRequest(), plan, facts)
    assert len(seen) == 3
    facts = StoreFacts(graph, instance.store)
    launch(RunRequest(), plan_run(RunRequest(partitions=("2023-01",)), facts), facts)
    stale = plan_run(RunRequest(stale=True), StoreFacts(graph, instance.store))
    assert [step.id for step in stale.steps] == of("running", MONTHS[1:])


def test_a_partition_that_would_read_itself_is_refused(instance: dg.Instance) -> None:
    both = TimeWindowPartitionMapping(start_offset=-1)
    with dg.Registry():

        @dg.asset(partitions_def=months(), deps=[AssetDep("running", partition_mapping=both)])
        def running() -> None: ...

    facts = StoreFacts(Definitions([running]).graph, instance.store)
    with pytest.raises(PartitionsError, match="reads itself or a later one"):
        plan_run(RunRequest(stale=True), facts)


def test_an_asset_that_depends_on_itself_without_a_mapping_is_told_how() -> None:
    with dg.Registry():

        @dg.asset(partitions_def=months(), deps=["running"])
        def running() -> None: ...

    (problem,) = Definitions([running]).graph.validate()
    assert "TimeWindowPartitionMapping(start_offset=-1" in problem.remedy


def test_one_call_makes_each_contiguous_range_of_what_is_stale(project: Project) -> None:
    project.policy = BackfillPolicy.single_run()
    assert project.steps("trips", stale=True) == ["trips@2023-01-01..2023-03-01"]
    project.run("trips", partitions=("2023-02",))
    assert project.steps("trips", stale=True) == ["trips@2023-01-01", "trips@2023-03-01"]
    project.policy = BackfillPolicy.multi_run(max_partitions_per_run=2)
    assert project.steps("trips", partitions=("*",)) == [
        "trips@2023-01-01..2023-02-01",
        "trips@2023-03-01",
    ]


def test_a_call_ends_where_the_config_differs_unless_one_is_given_for_all(
    instance: dg.Instance,
) -> None:
    letters = StaticPartitionsDefinition(["a", "b", "c"])

    def graph(version: str) -> AssetGraph:
        policy = BackfillPolicy.single_run()

        @dg.asset(partitions_def=letters, backfill_policy=policy, code_version=version)
        def trips(config: Limit) -> None: ...

        return Definitions([trips]).graph

    for letter, rows in (("a", 1), ("b", 2)):
        facts = StoreFacts(graph("1"), instance.store)
        one = RunRequest(("trips",), partitions=(letter,), config={"trips": {"rows": rows}})
        assert launch(one, plan_run(one, facts), facts).record.step_counts == {"success": 1}
    changed = graph("2")

    def steps(config: dict[str, dict[str, int]]) -> list[str]:
        request = RunRequest(("trips",), stale=True, partitions=("*",), config=config)
        return [step.id for step in plan_run(request, StoreFacts(changed, instance.store)).steps]

    assert steps({}) == ["trips@a", "trips@b", "trips@c"]
    assert steps({"trips": {"rows": 3}}) == ["trips@a..c"]


def test_an_estimate_counts_every_partition_of_a_call(instance: dg.Instance) -> None:
    letters = StaticPartitionsDefinition(["a", "b", "c", "d"])

    @dg.asset(partitions_def=letters, backfill_policy=BackfillPolicy.single_run())
    def trips(context: dg.AssetExecutionContext) -> dict[str, int]:
        time.sleep(0.2)
        return dict.fromkeys(context.partition_keys, 1)

    graph, request = Definitions([trips]).graph, RunRequest(("trips",), partitions=("*",))
    facts = StoreFacts(graph, instance.store)
    launch(request, plan_run(request, facts), facts)
    facts = StoreFacts(graph, instance.store)
    estimate = estimated_seconds(plan_run(request, facts), facts, jobs=1)
    assert estimate is not None
    assert estimate > 0.19


def test_all_calls_of_an_asset_come_before_those_of_what_reads_it(project: Project) -> None:
    project.policy = BackfillPolicy.multi_run(max_partitions_per_run=2)
    plan = project.plan(stale=True)
    seen: set[str] = set()
    for step in plan.steps:
        assert seen.issuperset(step.after)
        seen.add(step.id)
    assert project.run(stale=True).step_counts == {"success": 7}


def test_the_partitions_of_several_dimensions_are_plain_text_in_records(
    instance: dg.Instance,
) -> None:
    sizes = StaticPartitionsDefinition(["S", "L"])
    several = dg.MultiPartitionsDefinition({"size": sizes, "month": months()})
    seen: list[dict[str, str]] = []

    @dg.asset(partitions_def=several)
    def cube(context: dg.AssetExecutionContext) -> str:
        key = context.partition_key
        assert isinstance(key, dg.MultiPartitionKey)
        seen.append(dict(key.keys_by_dimension))
        return key

    key = dg.MultiPartitionKey({"size": "L", "month": "2023-02-01"})
    result = dg.materialize([cube], instance=instance, partition_key=key)
    assert seen == [{"month": "2023-02-01", "size": "L"}]
    assert result.value("cube") == "2023-02-01|L"
    assert result.outcome.record.tags == {
        "dagster/partition": "2023-02-01|L",
        "dagster/partition/month": "2023-02-01",
        "dagster/partition/size": "L",
    }


def test_each_partition_of_a_range_records_just_what_it_is_made_from(project: Project) -> None:
    project.run(stale=True)
    current = project.instance.store.history.current
    target = project.facts.targets.targets(dg.AssetKey("cleaned"))[1]
    made, _ = current(target)
    assert made is not None
    assert list(made.inputs) == ["trips@2023-02-01"]


def test_the_record_of_what_reads_very_many_partitions_is_as_small_as_that_of_two(
    instance: dg.Instance,
) -> None:
    sizes = []
    for count in (2, 2000):
        keys = StaticPartitionsDefinition([f"k{number:04}" for number in range(count)])
        with dg.Registry():

            @dg.asset(name=f"many{count}", partitions_def=keys)
            def many() -> None: ...

            @dg.asset(name=f"one{count}", deps=[f"many{count}"])
            def one() -> None: ...

        facts = StoreFacts(Definitions([many, one]).graph, instance.store)
        request = RunRequest(partitions=("*",))
        launch(request, plan_run(request, facts), facts)
        made, _ = instance.store.history.current(facts.graph.targets[dg.AssetKey(f"one{count}")])
        assert made is not None
        sizes.append(len(instance.store.history.line(made)))
    assert max(sizes) < min(sizes) + 100


def test_a_policy_without_partitions_is_a_problem() -> None:
    @dg.asset(backfill_policy=BackfillPolicy.single_run())
    def zones() -> None: ...

    (problem,) = Definitions([zones]).graph.validate()
    assert "has a backfill policy, but no partitions" in problem.message


def test_what_an_asset_reads_of_itself_is_there_before_the_call_that_reads_it(
    instance: dg.Instance,
) -> None:
    before = TimeWindowPartitionMapping(start_offset=-2, end_offset=-2)
    with dg.Registry():

        @dg.asset(
            partitions_def=months("2023-07-01"),
            backfill_policy=BackfillPolicy.single_run(),
            deps=[AssetDep("running", partition_mapping=before)],
        )
        def running() -> None: ...

    graph = Definitions([running]).graph.require_valid()
    facts = StoreFacts(graph, instance.store)
    plan = plan_run(RunRequest(partitions=("*",)), facts)
    assert [step.id for step in plan.steps] == [
        "running@2023-01-01..2023-02-01",
        "running@2023-03-01..2023-04-01",
        "running@2023-05-01..2023-06-01",
    ]
    launch(RunRequest(), plan, facts)
    assert not plan_run(RunRequest(stale=True), StoreFacts(graph, instance.store)).steps


@pytest.mark.parametrize("text", ["*", "red|2023-01-01..red|2023-03-01", "red|2023-02"])
def test_partitions_of_several_dimensions_are_recorded_as_plain_text(
    instance: dg.Instance, text: str
) -> None:
    both = dg.MultiPartitionsDefinition(
        {"color": StaticPartitionsDefinition(["red"]), "month": months()}
    )
    with dg.Registry():

        @dg.asset(partitions_def=both)
        def trips() -> None: ...

        @dg.asset(partitions_def=both, deps=["trips"])
        def cleaned() -> None: ...

    facts = StoreFacts(Definitions([trips, cleaned]).graph, instance.store)
    plan = plan_run(RunRequest(selection=("cleaned",), partitions=(text,)), facts)
    assert {type(one.partition) for step in plan.steps for one in step.outputs} == {str}
    assert not launch(RunRequest(), plan, facts).errors


class Several(dg.PartitionMapping):
    """Reads all partitions, and promises to read one."""

    def upstream_keys(self, key: str | None, downstream: Any, upstream: Any) -> list[str]:
        return list(upstream)

    def always_one(self, downstream: Any, upstream: Any) -> bool:
        return True


class Outside(dg.PartitionMapping):
    """Reads the partition before, by its number, whether there is one or not."""

    def upstream(self, number: int, downstream: Any, upstream: Any) -> tuple[range, ...]:
        return (range(number - 1, number),)


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        (Several(), "Several gave 3 partitions, but its always_one says that it never gives"),
        (Outside(), r"Outside.upstream gave range\(-1, 0\), and the partitions are range\(0, 3\)"),
    ],
)
def test_no_partition_is_taken_for_another_where_a_mapping_of_ones_own_is_wrong(
    instance: dg.Instance, mapping: dg.PartitionMapping, said: str
) -> None:
    @dg.asset(partitions_def=months())
    def trips(context: dg.AssetExecutionContext) -> str:
        return context.partition_key

    @dg.asset(partitions_def=months(), ins={"trips": dg.AssetIn(partition_mapping=mapping)})
    def cleaned(trips): ...  # type: ignore[no-untyped-def]

    with pytest.raises(PartitionsError, match=f"cleaned@2023-01-01 reads trips: {said}"):
        dg.materialize(
            [trips, cleaned], instance=instance, selection="cleaned", partition_key="2023-01"
        )


def test_upstream_partitions_are_told_by_their_state(project: Project) -> None:
    project.run("trips", partitions=("*",))
    project.run("total")
    project.definition = months("2023-05-01")
    project.run("trips", partitions=("2023-04",))
    project.version = "2"
    assert project.why("total") == [
        "it reads other partitions of cleaned: +1",
        "upstream cleaned is missing in 1 of 4 partitions: 2023-04-01",
        "upstream cleaned is stale in 3 of 4 partitions: 2023-01-01..2023-03-01",
    ]


def test_an_upstream_that_gets_partitions_or_loses_them_is_read_otherwise(
    instance: dg.Instance,
) -> None:
    def why(definition: dg.PartitionsDefinition | None, *, run: bool = False) -> list[str]:
        with dg.Registry():

            @dg.asset(partitions_def=definition, code_version="1")
            def paints() -> None: ...

            @dg.asset(code_version="1", deps=["paints"])
            def wall() -> None: ...

        graph = Definitions([paints, wall]).graph.require_valid()
        facts = StoreFacts(graph, instance.store)
        states = facts.states([dg.AssetKey("wall")])[dg.AssetKey("wall")]
        if run:
            request = RunRequest(stale=True)
            launch(request, plan_run(request, facts), facts)
        return [reason.text for reason in states.reasons]

    colors = StaticPartitionsDefinition(["red", "blue"])
    why(None, run=True)
    assert why(colors, run=True)[0] == (
        "it reads paints otherwise: red..blue (2) instead of its one value"
    )
    assert why(None) == ["it reads paints otherwise: its one value instead of red..blue (2)"]
    assert why(None, run=True)
    assert why(None) == []


def test_a_selection_walks_through_an_asset_that_reads_itself(instance: dg.Instance) -> None:
    before = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)

    @dg.asset(partitions_def=months(), ins={"balance": dg.AssetIn(partition_mapping=before)})
    def balance(balance: int | None) -> int:
        return (balance or 0) + 1

    facts = StoreFacts(Definitions([balance]).graph.require_valid(), instance.store)
    for selection, keys in (("balance@2023-02+", MONTHS[1:]), ("+balance@2023-02", MONTHS[:2])):
        found = requested_targets(RunRequest(selection=(selection,)), facts)
        assert [target.text for target in found] == of("balance", keys)


class Factor(dg.Config):
    by: int = 1


def test_partitions_of_different_config_are_not_made_by_one_call(instance: dg.Instance) -> None:
    calls: list[tuple[int, ...]] = []

    def run(version: str, **asked: Any) -> None:
        @dg.asset(
            name="trips",
            partitions_def=months(),
            code_version=version,
            backfill_policy=BackfillPolicy.single_run(),
        )
        def trips(context: dg.AssetExecutionContext, config: Factor) -> None:
            calls.append((len(context.partition_keys), config.by))

        facts = StoreFacts(Definitions([trips]).graph.require_valid(), instance.store)
        request = RunRequest(**asked)
        launch(request, plan_run(request, facts), facts)

    run("1", partitions=("*",))
    run("1", partitions=("2023-03",), config={"trips": {"by": 5}})
    with dg.Registry():
        run("2", stale=True)
    assert calls == [(3, 1), (1, 5), (2, 1), (1, 5)]


def test_a_partition_that_the_same_asset_reads_is_made_by_a_call_before(
    instance: dg.Instance,
) -> None:
    before = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)

    @dg.asset(
        partitions_def=months(),
        code_version="1",
        ins={"balance": dg.AssetIn(partition_mapping=before)},
        backfill_policy=BackfillPolicy.single_run(),
    )
    def balance(
        context: dg.AssetExecutionContext, balance: Mapping[str, int]
    ) -> Iterator[tuple[str, int]]:
        seen.append(dict(balance))
        last = sum(balance.values())
        for key in context.partition_keys:
            last += 1
            yield key, last

    seen: list[dict[str, int]] = []
    dg.materialize([balance], instance=instance, partitions="2023-01")
    run = dg.materialize([balance], instance=instance, partitions="2023-02..2023-03")
    assert seen == [{}, {"2023-01-01": 1}, {"2023-02-01": 2}]
    assert run.value("balance", partition_key="2023-03-01") == 3
    made = run.materialization("balance", partition_key="2023-03-01")
    assert list(made.inputs) == ["balance@2023-02-01"]
    again = StoreFacts(Definitions([balance]).graph, instance.store)
    assert plan_run(RunRequest(stale=True), again).steps == ()


def test_a_run_takes_over_from_another_only_what_read_the_same_partitions(
    project: Project, instance: dg.Instance
) -> None:
    """`total` was made by another run while this one waited, from all partitions of before."""
    project.run(stale=True)
    request, facts = RunRequest(selection=("total",)), project.facts
    plan = plan_run(request, facts)
    project.run("total")
    assert launch(request, plan, facts).record.step_counts == {"unchanged": 1}
    project.definition = months("2023-05-01")
    project.run("cleaned", partitions=("2023-04",))
    facts = project.facts
    plan = plan_run(request, facts)
    project.definition = months()
    project.run("total")
    assert launch(request, plan, facts).record.step_counts == {"success": 1}
    project.definition = months("2023-05-01")
    assert project.steps("total", stale=True) == []


def test_a_failure_is_past_once_a_partition_that_it_read_has_new_data(
    instance: dg.Instance,
) -> None:
    data = "1"

    @dg.asset(partitions_def=months(), code_version="1")
    def trips() -> str:
        return data

    @dg.asset(code_version="1")
    def total(trips: Mapping[str, str]) -> None:
        raise ValueError("too few")

    def state() -> str:
        facts = StoreFacts(Definitions([trips, total]).graph, instance.store)
        return facts.state(dg.AssetKey("total"))

    assets = [trips, total]
    dg.materialize(assets, instance=instance, partitions="*", raise_on_error=False)
    assert state() == "failed"
    data = "2"
    dg.materialize(assets, instance=instance, selection="trips", partition_key="2023-02")
    assert state() == "missing"

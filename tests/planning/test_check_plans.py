"""Plans with checks are the same in a project that has partitions, and in one that has none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assetgraph as dg
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.gates import reasons_of_check
from assetgraph.planning.reason_kinds import Reason, ReasonKind
from assetgraph.planning.request import RunRequest, plan_run
from assetgraph.planning.steps import Plan
from assetgraph.queries.plan_groups import stale_outline, step_groups
from assetgraph.run.launch import launch

TWO = dg.StaticPartitionsDefinition(["a", "b"])


@pytest.fixture(autouse=True)
def apart() -> Iterator[None]:
    with dg.Registry():
        yield


def definitions(data: int, other: int, outcome: str, *, blocking: bool = True) -> list[dg.Asset]:
    """`trips`, its reader `fares`, what reads that, and a check of `trips` that reads `other`."""

    @dg.asset(code_version=str(data))
    def trips() -> int:
        return data

    @dg.asset(code_version=str(other))
    def limits() -> int:
        return other

    @dg.asset(code_version="1")
    def fares(trips: int) -> int:
        return trips

    @dg.asset(code_version="1")
    def report(fares: int) -> int:
        return fares

    @dg.asset_check(
        asset="trips",
        additional_ins={"limits": dg.AssetIn("limits")},
        blocking=blocking,
        code_version=outcome,
    )
    def sane(trips: int, limits: int) -> dg.AssetCheckResult:
        if outcome == "raises":
            raise OSError("down")
        return dg.AssetCheckResult(passed=outcome == "passes")

    @dg.asset_check(asset=fares, code_version="1")
    def small(fares: int) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    return [trips, limits, fares, report, sane, small]


def days() -> dg.Asset:
    @dg.asset(partitions_def=TWO, deps=["trips"], code_version="1")
    def days() -> int:
        return 1

    return days


def said(plan: Plan) -> list[tuple[str, str, list[str], tuple[str, ...]]]:
    """The steps of a plan but those for partitions, with what is said of them."""
    return [
        (step.id, step.cause.value, [one.text for one in step.reasons], step.after)
        for step in plan.steps
        if "@" not in step.id
    ]


@settings(max_examples=30, deadline=None)
@given(
    before=st.lists(
        st.tuples(
            st.integers(0, 1), st.integers(0, 1), st.sampled_from(["passes", "fails", "raises"])
        ),
        min_size=1,
        max_size=3,
    ),
    selection=st.sampled_from([(), ("trips",), ("fares",), ("report",), ("trips:sane",)]),
    blocking=st.booleans(),
)
def test_a_project_with_partitions_has_the_plan_of_one_without(
    before: list[tuple[int, int, str]], selection: tuple[str, ...], blocking: bool
) -> None:
    instance = dg.Instance.ephemeral()
    with dg.Registry():
        for state in before[:-1]:
            own = [*definitions(*state, blocking=blocking), days()]
            facts = StoreFacts(dg.Definitions(own).graph, instance.store)
            request = RunRequest(stale=True)
            launch(request, plan_run(request, facts), facts)
        assets = definitions(*before[-1], blocking=blocking)
        request = RunRequest(selection=selection, stale=True)
        plain = plan_run(request, StoreFacts(dg.Definitions(assets).graph, instance.store))
        facts = StoreFacts(dg.Definitions([*assets, days()]).graph, instance.store)
        plan = plan_run(request, facts)
    assert said(plan) == said(plain)
    outline = stale_outline(request, facts)
    if outline is not None:
        shown = [(one.names, one.cause, one.why) for one in outline.groups]
        groups = step_groups(plan, facts.targets)
        assert shown == [(list(one.names), one.cause, one.why) for one in groups]


def test_a_plan_says_which_partitions_a_check_of_each_holds(instance: dg.Instance) -> None:
    @dg.asset(partitions_def=TWO)
    def trips(context: dg.AssetExecutionContext) -> str:
        return context.partition_key

    @dg.asset_check(asset=trips, partitions_def=TWO, blocking=True)
    def sane(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=context.partition_key == "a")

    @dg.asset(partitions_def=TWO, deps=[trips])
    def fares() -> int:
        return 1

    def facts() -> StoreFacts:
        return StoreFacts(dg.Definitions([trips, sane, fares]).graph, instance.store)

    first = RunRequest(selection=("trips",), partitions=("*",))
    launch(first, plan_run(first, facts()), facts())
    request = RunRequest(stale=True)
    assert stale_outline(request, facts()) is None
    known = facts()
    groups = step_groups(plan_run(request, known), known.targets)
    assert [(one.names[0], "held" in one.why[-1]) for one in groups] == [
        ("fares@a", False), ("fares@b", True),
    ]  # fmt: skip


def test_a_check_of_a_stale_asset_says_that_it_is_why_it_runs(instance: dg.Instance) -> None:
    assets = definitions(1, 1, "passes")
    assert dg.materialize(assets, instance=instance).success
    with dg.Registry():
        facts = StoreFacts(dg.Definitions(definitions(2, 1, "passes")).graph, instance.store)
    found = {step.id: step.reasons for step in plan_run(RunRequest(stale=True), facts).steps}
    assert [one.text for one in found["trips:sane"]] == ["upstream trips is stale"]


def test_a_check_that_has_looked_is_up_to_date_whatever_its_call_still_makes() -> None:
    shared = {"asset": "trips:small", "state": "missing"}
    assert reasons_of_check([Reason(ReasonKind.MADE_TOGETHER, shared)]) == ()

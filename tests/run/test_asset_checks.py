"""Checks of assets in a run, and what a failed blocking one holds in the runs after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assetgraph as dg
from assetgraph.errors import ValueTypeError
from assetgraph.graph.resource_tables import graph_of
from assetgraph.keys import Target, check_key
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.request import RunRequest, plan_run, requested_targets
from assetgraph.records import EventType, Materialization
from assetgraph.run.held_steps import held_step
from assetgraph.run.launch import launch

PASSED = dg.AssetCheckResult(passed=True)
FAILED = dg.AssetCheckResult(passed=False)


@pytest.fixture(autouse=True)
def apart() -> Iterator[None]:
    with dg.Registry():
        yield


def states(result: dg.RunResult) -> dict[str, str]:
    """The last event of each step, without the common beginning."""
    ends = {EventType.STEP_SUCCESS, EventType.STEP_FAILURE, EventType.STEP_SKIPPED}
    ends.add(EventType.STEP_UNCHANGED)
    return {
        str(event.step): event.type.value.removeprefix("STEP_").lower()
        for event in result.events
        if event.type in ends
    }


def pipeline(found: object, **options: Any) -> list[dg.Asset]:
    """`trips`, what reads it, and a check of it that gives or raises `found`."""

    @dg.asset
    def trips() -> list[int]:
        return [1, 2, 3]

    @dg.asset
    def fares(trips: list[int]) -> int:
        return sum(trips)

    @dg.asset
    def apart() -> int:
        return 1

    @dg.asset_check(asset=trips, name="sane", **options)
    def check(rows: list[int]) -> dg.AssetCheckResult:
        assert rows == [1, 2, 3]
        if isinstance(found, Exception):
            raise found
        return found  # type: ignore[return-value]

    return [trips, fares, apart, check]


def test_a_failed_check_stops_nothing_and_its_evaluation_is_recorded() -> None:
    found = dg.AssetCheckResult(passed=False, metadata={"late": 3}, description="too late")
    result = dg.materialize(pipeline(found))
    assert result.success
    assert set(states(result).values()) == {"success"}
    (evaluation,) = result.get_asset_check_evaluations()
    assert evaluation.asset_key == dg.AssetKey("trips")
    assert (evaluation.check_name, evaluation.passed) == ("sane", False)
    assert evaluation.severity is dg.AssetCheckSeverity.ERROR
    assert evaluation.metadata["late"].value == 3
    assert evaluation.description == "too late"
    assert evaluation.partition is None


@pytest.mark.parametrize("executor", ["serial", "threads", "processes"])
def test_a_blocking_check_that_fails_skips_only_what_reads_the_asset(executor: str) -> None:
    result = dg.materialize(
        pipeline(FAILED, blocking=True), raise_on_error=False, executor=executor
    )
    assert not result.success
    expected = {"trips": "success", "apart": "success", "trips:sane": "failure"}
    assert states(result) == {**expected, "fares": "skipped"}
    assert [one.passed for one in result.get_asset_check_evaluations()] == [False]
    assert "1 blocking asset check failed with ERROR severity" in str(result.failures)
    with pytest.raises(dg.DagsterAssetCheckFailedError, match="1 blocking asset check failed"):
        dg.materialize(pipeline(FAILED, blocking=True))


def test_a_blocking_check_holds_nothing_if_it_passes_or_only_warns() -> None:
    warning = dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN)
    for found in (PASSED, warning):
        result = dg.materialize(pipeline(found, blocking=True))
        assert set(states(result).values()) == {"success"}
        order = [event.step for event in result.events if event.type is EventType.STEP_START]
        assert order.index("trips:sane") < order.index("fares")


@pytest.mark.parametrize(("blocking", "reader"), [(False, "success"), (True, "skipped")])
def test_a_check_that_raises_fails_the_run_without_an_evaluation(
    blocking: bool, reader: str
) -> None:
    result = dg.materialize(pipeline(OSError("gone"), blocking=blocking), raise_on_error=False)
    assert not result.success
    assert states(result)["fares"] == reader
    assert result.get_asset_check_evaluations() == []
    assert result.failures["trips:sane"].type == "OSError"


def test_a_check_of_an_asset_that_failed_is_not_executed() -> None:
    @dg.asset
    def trips() -> None:
        raise OSError("down")

    @dg.asset_check(asset="trips")
    def sane() -> dg.AssetCheckResult:
        raise AssertionError("it runs")

    result = dg.materialize([trips, sane], raise_on_error=False)
    assert states(result) == {"trips": "failure", "trips:sane": "skipped"}


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "the check 'trips:sane' returned None"),
        ("yes", "the check 'trips:sane' returned a str"),
        (dg.AssetCheckResult(passed=True, check_name="sana"), "a result of 'sana'"),
        (dg.AssetCheckResult(passed=True, asset_key="fares"), "of the asset 'fares'"),
        ([PASSED], "returned a list"),
    ],
)
def test_what_is_no_result_of_the_check_fails_its_step(returned: object, message: str) -> None:
    with pytest.raises(ValueTypeError) as raised:
        dg.materialize(pipeline(returned))
    assert message in raised.value.message
    assert raised.value.hint


def test_a_function_of_several_checks_gives_a_result_for_each() -> None:
    @dg.asset
    def trips() -> int:
        return 3

    def checks_that_give(*names: str | None) -> dg.AssetChecksDefinition:
        specs = [dg.AssetCheckSpec(name, asset="trips") for name in ("one", "two")]

        @dg.multi_asset_check(specs=specs)
        def several(trips: int) -> Any:
            for name in names:
                yield dg.AssetCheckResult(passed=trips == 3, check_name=name)

        return several

    several = checks_that_give("two", "one")
    result = dg.materialize([trips, several])
    assert states(result)["several"] == "success"
    found = result.get_asset_check_evaluations()
    assert [(one.check_name, one.passed) for one in found] == [("two", True), ("one", True)]
    assert [one.check_name for one in several(4)] == ["two", "one"]
    for names, message in {
        ("one",): "gave no result for 'trips:two'",
        ("one", "one"): "gave two results for 'trips:one'",
        ("one", "three"): "a result of 'three', which is not one of its checks",
        ("one", None): "does not say which check it is of",
    }.items():
        failed = dg.materialize([trips, checks_that_give(*names)], raise_on_error=False)
        assert message in failed.failures["several"].message
        assert not failed.get_asset_check_evaluations()


def test_a_check_called_directly_gives_its_result_as_it_is() -> None:
    @dg.asset_check(asset="trips")
    def sane(context: dg.AssetCheckExecutionContext, rows: list[int]) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=len(rows) > 1, metadata={"rows": len(rows)})

    found = sane(None, [1, 2])
    assert found.passed
    assert found.metadata["rows"].value == 2
    assert found.severity is dg.AssetCheckSeverity.ERROR
    assert found.check_name is None
    assert found.asset_key is None
    assert dg.AssetCheckResult(passed=True).metadata == {}
    with pytest.raises(TypeError, match="passed must be True or False, not a str"):
        dg.AssetCheckResult(passed="yes")  # type: ignore[arg-type]


def test_a_check_of_a_partition_looks_at_that_partition() -> None:
    days = dg.StaticPartitionsDefinition(["mon", "tue"])

    @dg.asset(partitions_def=days)
    def trips(context: dg.AssetExecutionContext) -> str:
        return context.partition_key

    @dg.asset_check(asset=trips, partitions_def=days, blocking=True)
    def is_monday(context: dg.AssetCheckExecutionContext, trips: str) -> dg.AssetCheckResult:
        assert context.asset_key == dg.AssetKey("trips")
        assert context.partition_key == trips
        return dg.AssetCheckResult(passed=trips == "mon")

    @dg.asset_check(asset=trips)
    def on_the_whole(trips: dict[str, str]) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True, metadata={"days": sorted(trips)})

    @dg.asset(partitions_def=days)
    def fares(trips: str) -> str:
        return trips

    result = dg.materialize(
        [trips, fares, is_monday, on_the_whole], partitions="*", raise_on_error=False
    )
    found = {(e.check_name, e.partition): e.passed for e in result.get_asset_check_evaluations()}
    assert found == {
        ("is_monday", "mon"): True, ("is_monday", "tue"): False, ("on_the_whole", None): True,
    }  # fmt: skip
    assert states(result)["fares@mon"] == "success"
    assert states(result)["fares@tue"] == "skipped"


class Project:
    """A pipeline whose data, and whose check, change between runs that share a store."""

    def __init__(self, folder: Path) -> None:
        self.instance = dg.Instance(folder)
        self.data = 1
        self.version = "1"
        self.passes: Callable[[int], bool] = lambda _: False

    def run(self, *selection: Any, **options: Any) -> dict[str, str]:
        @dg.asset(code_version=str(self.data))
        def trips() -> int:
            return self.data

        @dg.asset(code_version="1")
        def fares(trips: int) -> int:
            return trips

        @dg.asset_check(asset=trips, blocking=True, code_version=self.version)
        def sane(trips: int) -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=self.passes(trips))

        assets = [trips, fares, sane]
        found = dg.materialize(
            assets,
            instance=self.instance,
            selection=(selection[0] if len(selection) == 1 else selection) or None,
            raise_on_error=False,
            **options,
        )
        return states(found)


def test_a_failed_blocking_check_holds_its_readers_until_value_or_check_is_another(
    tmp_path: Path,
) -> None:
    project = Project(tmp_path / "store")
    first = {"trips": "success", "trips:sane": "failure", "fares": "skipped"}
    assert project.run() == first
    assert project.run("fares") == {"fares": "failure"}  # held, and nothing else has to run
    assert not list(project.instance.store.history.attempts(Target(dg.AssetKey("fares"))))
    project.data, project.passes = 2, lambda trips: trips == 2
    assert set(project.run().values()) == {"success"}
    project.data = 1
    assert project.run("trips") == {"trips": "success", "trips:sane": "failure"}
    project.version, project.passes = "2", lambda _: True
    assert project.run("fares") == {"trips:sane": "success", "fares": "success"}


def test_a_blocking_check_that_has_not_looked_at_a_value_runs_before_its_reader(
    tmp_path: Path,
) -> None:
    project = Project(tmp_path / "store")
    assert project.run("fares") == {"trips": "success", "trips:sane": "failure", "fares": "skipped"}
    project.data, project.passes = 2, lambda trips: trips == 2
    alone = dg.AssetSelection.assets("trips", "fares").without_checks()
    assert project.run(alone) == {"trips": "success", "trips:sane": "success", "fares": "success"}


def test_a_check_that_raises_takes_back_nothing_that_it_found_of_the_value(tmp_path: Path) -> None:
    project = Project(tmp_path / "store")
    project.passes = lambda _: True
    project.run()
    project.passes = lambda trips: trips < 1 / 0
    assert project.run("trips:sane") == {"trips:sane": "failure"}
    assert project.run("fares") == {"fares": "success"}


@pytest.mark.parametrize(
    ("problem", "make"),
    [
        ("check 'tripss:sane' needs 'tripss' (its asset)", lambda: _check(asset="tripss")),
        ("Did you mean 'trips'?", lambda: _check(asset="tripss")),
        ("different partitions definition", lambda: _check(partitions_def=_days())),
        ("reads 'fares', which waits for it", lambda: _check(ins={"more": "fares"})),
        ("the name 'not ok' of a check is not valid", lambda: _check(name="not ok")),
        ("blocking= takes True or False", lambda: _check(blocking="yes")),
    ],
)
def test_a_wrong_check_is_a_problem_of_the_definitions(
    problem: str, make: Callable[[], dg.AssetChecksDefinition]
) -> None:
    trips, fares, *_ = pipeline(PASSED)
    problems = dg.Definitions([trips, fares], asset_checks=[make()]).graph.validate()
    assert problem in "\n".join(map(str, problems))


def test_two_checks_of_one_name_are_a_problem() -> None:
    trips, *_ = pipeline(PASSED)
    problems = dg.Definitions([trips], asset_checks=[_check(), _check()]).graph.validate()
    assert "check 'trips:sane' is defined twice" in str(problems)


def _days() -> dg.PartitionsDefinition:
    return dg.StaticPartitionsDefinition(["mon"])


def _check(ins: dict[str, str] | None = None, **given: Any) -> dg.AssetChecksDefinition:
    options = {"asset": "trips", "name": "sane", "blocking": True, **given}

    @dg.asset_check(additional_ins=ins, **options)
    def check(trips: object, more: object = None) -> dg.AssetCheckResult:
        return PASSED

    return check


OWN = [
    dg.AssetCheckSpec("sane", asset="trips", blocking=True),
    dg.AssetCheckSpec("small", asset="trips"),
]


def results(sane: bool, *, small: bool = True) -> list[dg.AssetCheckResult]:
    return [
        dg.AssetCheckResult(check_name="small", passed=small, metadata={"rows": 3}),
        dg.AssetCheckResult(check_name="sane", passed=sane),
    ]


def ways_to_give(sane: bool) -> list[dg.Asset]:
    """Functions of an asset that gives the results of its own checks, in each way."""

    @dg.asset(check_specs=OWN, key="trips")
    def returned() -> dg.MaterializeResult:
        return dg.MaterializeResult(value=3, check_results=results(sane))

    @dg.asset(check_specs=OWN, key="trips")
    def yielded() -> Any:
        yield dg.Output(3, metadata={"n": 1})
        yield from results(sane)

    @dg.asset(check_specs=OWN, key="trips")
    def before() -> Any:
        yield from results(sane)
        yield dg.MaterializeResult(value=3)

    @dg.multi_asset(
        specs=[dg.AssetSpec("trips"), dg.AssetSpec("zones")], check_specs=OWN, name="both"
    )
    def both() -> Any:
        yield dg.MaterializeResult(asset_key="trips", value=3, check_results=results(sane))
        yield dg.MaterializeResult(asset_key="zones", value=1)

    return [returned, yielded, before, both]


def test_what_is_found_before_its_asset_is_given_counts_for_it(tmp_path: Path) -> None:
    instance = dg.Instance(tmp_path / "store")
    zones = dg.AssetCheckSpec("known", asset="zones")

    @dg.multi_asset(specs=[dg.AssetSpec("trips"), dg.AssetSpec("zones")], check_specs=[zones])
    def mixed() -> Any:
        yield dg.MaterializeResult(asset_key="trips", value=1)
        yield dg.AssetCheckResult(passed=True)
        yield dg.MaterializeResult(asset_key="zones", value=1)

    for asset in (*ways_to_give(sane=True), mixed):
        dg.materialize([asset], instance=instance)
        facts = StoreFacts(graph_of([asset], {}), instance.store)
        checks = facts.targets.of(facts.graph.checks)
        assert {why for one in checks for why in facts.target_states([one])[one].reasons} == set()


@pytest.mark.parametrize("way", range(4))
def test_a_function_gives_the_results_of_its_assets_own_checks(way: int, tmp_path: Path) -> None:
    @dg.asset
    def fares(trips: int) -> int:
        return trips * 2

    instance = dg.Instance(tmp_path / "store")
    good = [ways_to_give(sane=True)[way], fares]
    result = dg.materialize(good, instance=instance)
    found = {one.check_name: one for one in result.get_asset_check_evaluations()}
    assert {name: one.passed for name, one in found.items()} == {"sane": True, "small": True}
    assert found["small"].metadata["rows"].value == 3
    assert result.value("fares") == 6

    bad = [ways_to_give(sane=False)[way], fares]
    failed = dg.materialize(bad, instance=instance, raise_on_error=False)
    assert failed.value("trips") == 3  # it is materialized, since that is what was looked at
    assert states(failed)["fares"] == "skipped"
    assert "1 blocking asset check failed" in str(failed.failures)
    held = dg.materialize(bad, instance=instance, selection="fares", raise_on_error=False)
    assert "held by the check trips:sane" in held.failures["fares"].message


def test_a_check_of_its_own_without_a_result_fails_the_step() -> None:
    @dg.asset(check_specs=OWN)
    def trips() -> dg.MaterializeResult:
        return dg.MaterializeResult(value=3, check_results=results(sane=True)[:1])

    with pytest.raises(ValueTypeError, match="gave no result for 'trips:sane'"):
        dg.materialize([trips])

    @dg.asset(key="trips")
    def undeclared() -> dg.MaterializeResult:
        return dg.MaterializeResult(value=3, check_results=results(sane=True))

    with pytest.raises(ValueTypeError, match="returned check_results, and has no check_specs"):
        dg.materialize([undeclared])

    @dg.asset(check_specs=[dg.AssetCheckSpec("sane", asset="zones")])
    def rides() -> int:
        return 1

    problems = dg.Definitions([rides]).graph.validate()
    assert "a check of 'zones', which the function does not make" in str(problems)

    with dg.Registry():

        @dg.asset(
            check_specs=OWN,
            partitions_def=_days(),
            backfill_policy=dg.BackfillPolicy.single_run(),
            key="trips",
        )
        def several() -> None: ...

    assert "backfill_policy= of several partitions" in str(
        dg.Definitions([several]).graph.validate()
    )


@pytest.mark.parametrize("sane", [True, False])
def test_what_a_function_found_before_it_failed_counts(tmp_path: Path, sane: bool) -> None:
    @dg.asset(check_specs=OWN, key="trips")
    def breaks() -> Any:
        yield dg.Output(3)
        yield results(sane)[1]
        raise ConnectionError

    instance = dg.Instance(tmp_path / "store")
    dg.materialize([breaks], instance=instance, raise_on_error=False)
    check = Target(check_key(dg.AssetKey("trips"), "sane"))
    (found,) = instance.store.history.attempts(check)
    assert isinstance(found, Materialization)
    assert found.evaluation is not None
    assert found.evaluation.passed == sane
    facts = StoreFacts(dg.Definitions([breaks]).graph, instance.store)
    assert facts.states([dg.AssetKey("trips")])[dg.AssetKey("trips")].state == "failed"


def _breaks(results: list[dg.AssetCheckResult]) -> Iterator[dg.AssetCheckResult]:
    yield from results
    raise RuntimeError("the check broke")


def _twice(results: list[dg.AssetCheckResult]) -> Iterator[dg.AssetCheckResult]:
    yield from results
    yield results[0]


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (_breaks, "check"), (_breaks, "checks"),
        (_twice, "check"), (_twice, "checks"), (_twice, "own"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("passed", [True, False])
def test_a_check_whose_step_breaks_after_its_result_has_found_nothing(
    given: Callable[[list[dg.AssetCheckResult]], Any], where: str, passed: bool, tmp_path: Path
) -> None:
    def each() -> Iterator[dg.AssetCheckResult]:
        names = ["sane"] if where == "check" else ["sane", "small"]
        return given([dg.AssetCheckResult(check_name=one, passed=passed) for one in names])

    def value() -> Any:
        yield dg.MaterializeResult(asset_key="trips", value=3)
        if where == "own":
            found = list(each())
            yield from found[:2]
            yield dg.MaterializeResult(asset_key="zones", value=4)
            yield from found[2:]

    trips = dg.multi_asset(
        specs=[dg.AssetSpec(name) for name in ("trips", "zones") if where == "own" or name < "z"],
        check_specs=OWN if where == "own" else None,
    )(value)
    assets: list[Any] = [trips]
    if where == "check":
        assets.append(dg.asset_check(asset="trips", name="sane", blocking=True)(each))
    elif where == "checks":
        assets.append(dg.multi_asset_check(specs=OWN)(each))

    @dg.asset
    def fares(trips: int) -> int:
        return trips * 2

    assets.append(fares)
    instance = dg.Instance(tmp_path / "store")
    first = dg.materialize(assets, instance=instance, raise_on_error=False)
    assert states(first)["fares"] == "skipped"
    found = {one.check_name for one in first.get_asset_check_evaluations()}
    assert found == ({"small"} if where == "own" else set())  # which was given once
    facts = StoreFacts(dg.Definitions(assets).graph, instance.store)
    made, failed = instance.store.history.current(Target(dg.AssetKey.unchecked("trips:sane")))
    assert made is None
    assert failed is not None
    targets = facts.targets.of(map(dg.AssetKey.unchecked, ["trips", "trips:sane"]))
    shown = [one.state for one in facts.target_states(targets).values()]
    assert shown == ["failed" if where == "own" else "fresh", "failed"]
    request = RunRequest(stale=True)
    assert launch(request, plan_run(request, facts), facts).errors
    dg.materialize(assets, instance=instance, selection="fares", raise_on_error=False)
    assert not list(instance.store.history.attempts(Target(dg.AssetKey("fares"))))


@settings(max_examples=25, deadline=None)
@given(
    operations=st.lists(
        st.tuples(
            st.sampled_from(["all", "trips", "fares", "trips:sane", "stale", "checks"]),
            st.integers(0, 2),  # the data
            st.sampled_from(["even", "big", "none"]),  # what the check asks for
            st.booleans(),  # whether the check breaks down
        ),
        min_size=1,
        max_size=7,
    )
)
def test_nothing_is_ever_made_from_a_value_that_a_blocking_check_has_not_passed(
    operations: list[tuple[str, int, str, bool]],
) -> None:
    rules: dict[str, Callable[[int], bool]] = {
        "even": lambda trips: trips % 2 == 0, "big": lambda trips: trips > 1, "none": lambda _: True,
    }  # fmt: skip
    read: list[tuple[int, str]] = []  # what was made from which value, under which check
    instance = dg.Instance.ephemeral()
    with dg.Registry():
        for what, data, rule, breaks in operations:

            @dg.asset(code_version=str(data))
            def trips(data: int = data) -> int:
                return data

            @dg.asset(code_version="1")
            def fares(trips: int, rule: str = rule) -> int:
                read.append((trips, rule))
                return trips

            @dg.asset_check(asset="trips", blocking=True, code_version=rule)
            def sane(trips: int, rule: str = rule, breaks: bool = breaks) -> dg.AssetCheckResult:
                if breaks:
                    raise OSError("down")
                return dg.AssetCheckResult(passed=rules[rule](trips))

            graph = dg.Definitions([trips, fares, sane]).graph
            request = RunRequest(
                selection=() if what in ("all", "stale", "checks") else (what,),
                stale=what in ("stale", "checks"),
                checks_only=what == "checks",
            )
            facts = StoreFacts(graph, instance.store)
            plan = plan_run(request, facts)
            outcome = launch(request, plan, facts)
            if what in ("all", "stale") and not breaks and rules[rule](data):
                assert not outcome.errors
                assert facts.of(Target(dg.AssetKey("fares"))).has_value
            assert all(rules[rule](value) for value, rule in read), read


def test_checks_are_selected_with_their_asset_or_alone() -> None:
    trips, fares, _, sane = pipeline(PASSED)
    graph = dg.Definitions([trips, fares, sane]).graph
    chosen = {
        "sane": dg.AssetSelection.checks(sane),
        "of trips": dg.AssetSelection.checks_for_assets(trips),
        "trips": dg.AssetSelection.assets(trips),
    }
    found = {name: dg.materialize(graph, selection=one) for name, one in chosen.items()}
    assert {name: set(states(result)) for name, result in found.items()} == {
        "sane": {"trips", "trips:sane"},  # without a store, the value has to be made
        "of trips": {"trips", "trips:sane"},
        "trips": {"trips", "trips:sane"},
    }
    only = dg.AssetSelection.checks(sane) | dg.AssetSelection.assets("fares")
    assert {key.text for key in only.resolve(graph)} == {"trips:sane", "fares"}


CHECKED = {"a": [], "b": ["a"], "c": ["a", "b"], "d": []}
CHECKS = {"a:x": "a", "a:y": "a", "b:x": "b", "d:x": "d"}
NODES = frozenset([*CHECKED, *CHECKS])

Selected = tuple[dg.AssetSelection, frozenset[str]]


def _along(names: frozenset[str]) -> frozenset[str]:
    return names | {check for check, of in CHECKS.items() if of in names}


def _leaves() -> st.SearchStrategy[Selected]:
    one = dg.AssetSelection
    everything = [(one.all(), NODES), (one.all_asset_checks(), frozenset(CHECKS))]
    assets = [(one.assets(name), _along(frozenset([name]))) for name in CHECKED]
    own = [(one.checks_for_assets(n), _along(frozenset([n])) - {n}) for n in CHECKED]
    checks = [(one.from_string(f"key:{name}"), frozenset([name])) for name in CHECKS]
    return st.sampled_from([*everything, *assets, *own, *checks])


def _grown(parts: st.SearchStrategy[Selected]) -> st.SearchStrategy[Selected]:
    def upstream(of: Selected) -> Selected:
        chosen, names = of
        found = {name.partition(":")[0] for name in names}
        for name in sorted(CHECKED, reverse=True):  # what reads another comes behind it by name
            found |= set(CHECKED[name]) if name in found else set()
        return chosen.upstream(), _along(frozenset(found))

    two = st.tuples(parts, parts)
    return st.one_of(
        two.map(lambda p: (p[0][0] | p[1][0], p[0][1] | p[1][1])),
        two.map(lambda p: (p[0][0] & p[1][0], p[0][1] & p[1][1])),
        two.map(lambda p: (p[0][0] - p[1][0], p[0][1] - p[1][1])),
        parts.map(lambda p: (p[0].without_checks(), p[1] - CHECKS.keys())),
        parts.map(upstream),
    )


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> StoreFacts:
    with dg.Registry():
        made = [dg.asset(key=name, deps=deps)(lambda: 1) for name, deps in CHECKED.items()]
        for text, of in CHECKS.items():
            decorate = dg.asset_check(asset=of, name=text.partition(":")[2])
            made.append(decorate(lambda: PASSED))
        store = dg.Instance(tmp_path_factory.mktemp("store")).store
        return StoreFacts(dg.Definitions(made).graph, store)


@given(chosen=st.recursive(_leaves(), _grown, max_leaves=5))
def test_a_selection_takes_checks_along_and_leaves_those_that_it_takes_out(
    checked: StoreFacts, chosen: Selected
) -> None:
    selection, expected = chosen
    listed = {key.text for key in checked.graph.select(selection.text)}
    assert listed == expected - _along(expected & CHECKED.keys()) | expected & CHECKED.keys()
    request = RunRequest(selection=(selection.text,))
    found = {target.text for target in requested_targets(request, checked)}
    assert found == expected, selection.text


def test_a_check_of_all_partitions_stays_where_some_of_them_are_taken_out(tmp_path: Path) -> None:
    days = dg.StaticPartitionsDefinition(["1", "2"])
    trips = dg.asset(key="trips", partitions_def=days)(lambda: 1)
    each = dg.asset_check(asset=trips, name="each", partitions_def=days)(lambda: PASSED)
    whole = dg.asset_check(asset=trips, name="whole")(lambda: PASSED)
    graph = dg.Definitions([trips, each, whole]).graph
    facts = StoreFacts(graph, dg.Instance(tmp_path).store)
    expected = {
        "trips@*": {"trips@1", "trips@2", "trips:each@1", "trips:each@2", "trips:whole"},
        "trips and not trips@1": {"trips@2", "trips:each@2", "trips:whole"},
        "trips@1 and not checks()": {"trips@1"},
        "checks(trips@1)": {"trips:each@1", "trips:whole"},
        "trips@1 and not key:trips:whole": {"trips@1", "trips:each@1"},
    }
    for text, names in expected.items():
        found = requested_targets(RunRequest(selection=(text,)), facts)
        assert {target.text for target in found} == names, text


def test_jobs_and_runs_take_selections_without_checks() -> None:
    trips, fares, _, sane = pipeline(PASSED)
    every = dg.AssetSelection.all()
    jobs = {
        "without": dg.define_asset_job("without", selection=every.without_checks()),
        "but_one": dg.define_asset_job("but_one", selection=every - every.checks(sane)),
        "text": dg.define_asset_job("text", selection="fares or checks(trips)"),
    }
    definitions = dg.Definitions([trips, fares], asset_checks=[sane], jobs=jobs.values())
    found = {name: set(states(definitions.get_job_def(name).execute_in_process())) for name in jobs}
    both = {"trips", "fares"}
    assert found == {"without": both, "but_one": both, "text": {*both, "trips:sane"}}
    for selection in ("* and not checks()", every.without_checks()):
        assert set(states(dg.materialize([trips, fares, sane], selection=selection))) == both


@pytest.mark.parametrize("partition", [None, "b"])
@pytest.mark.parametrize("attempts", [1, 2])
def test_a_value_is_held_and_made_again_if_its_function_never_came_to_its_check(
    tmp_path: Path, partition: str | None, attempts: int
) -> None:
    broken = False
    days = dg.StaticPartitionsDefinition(["a", "b"]) if partition else None

    @dg.multi_asset(
        specs=[dg.AssetSpec(key, partitions_def=days) for key in ("trips", "zones")],
        code_version="1",
        check_specs=OWN[:1],
        retry_policy=dg.RetryPolicy(max_retries=1),
    )
    def made(context: dg.AssetExecutionContext) -> Any:
        yield dg.MaterializeResult(asset_key="trips", value=3)
        if broken and context.retry_number == attempts - 1:
            raise KeyboardInterrupt
        yield dg.AssetCheckResult(passed=True, check_name="sane")
        yield dg.MaterializeResult(asset_key="zones", value=1)
        if broken:
            raise ConnectionError

    @dg.asset(partitions_def=days)
    def fares(trips: int) -> int:
        return trips

    instance = dg.Instance(tmp_path / "store")

    def run(**request: Any) -> dict[str, str]:
        return states(
            dg.materialize(
                [made, fares],
                instance=instance,
                partition_key=partition,
                raise_on_error=False,
                **request,
            )
        )

    assert set(run().values()) == {"success"}
    broken = True
    with pytest.raises(KeyboardInterrupt):
        run(selection="trips")
    broken = False
    facts = StoreFacts(dg.Definitions([made, fares]).graph, instance.store)
    check = check_key(dg.AssetKey("trips"), "sane")
    found = facts.states([check])[check]
    assert (found.counts or {found.state: 1})["stale"] == 1
    end = f"@{partition}" if partition else ""
    assert run(selection="fares") == {f"made{end}": "success", f"fares{end}": "success"}


def test_a_check_is_told_to_look_whatever_its_name_says(tmp_path: Path) -> None:
    @dg.asset
    def trips() -> int:
        return 1

    @dg.asset
    def fares(trips: int) -> int:
        return trips

    @dg.asset_check(asset=trips, blocking=True)
    def failed_rows() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    instance = dg.Instance(tmp_path / "store")
    dg.materialize([trips, fares], instance=instance)
    facts = StoreFacts(graph_of([trips, fares, failed_rows], {}), instance.store)
    plan = plan_run(RunRequest(selection=("fares",), ignore_checks=True), facts)
    held = held_step(plan.steps[0], facts)
    assert held is not None
    assert held.error is not None
    assert held.error.message.endswith(
        "trips:failed_rows, which has not looked at the current value."
    )
    assert held.error.hint == "To let it look: assetgraph materialize trips:failed_rows"

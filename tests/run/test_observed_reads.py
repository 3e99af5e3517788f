"""What a step read without declaring it is recorded with its value and with its failure."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from observing import observe, read_file
from plan_of_assets import plan_of

import assetgraph as dg
from assetgraph.keys import Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.records import ObservedRead, ReadKind, StepState
from assetgraph.run import step
from assetgraph.run.runner import run_plan
from assetgraph.run.step_task import Channel, StepResult, StepTask
from assetgraph.storage.store import Store

ZONES = ObservedRead(ReadKind.FILE, "zones.csv", "d1", (1, 2, 3, 4))


@pytest.fixture
def observing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has every step read `zones.csv`."""
    compute = step.compute_step

    def compute_and_observe(
        task: StepTask, store: Store, channel: Channel, *more: Any
    ) -> StepResult:
        result = compute(task, store, channel, *more)
        result.reads = (ZONES,)
        return result

    monkeypatch.setattr(step, "compute_step", compute_and_observe)


@pytest.mark.usefixtures("observing")
def test_a_value_names_what_its_step_read(instance: dg.Instance) -> None:
    @dg.asset
    def trips() -> int:
        return 1

    @dg.asset
    def fares() -> int:
        return 2

    dg.materialize([trips, fares], instance=instance)
    found = [instance.store.history.known(Target(one.key)) for one in (trips, fares)]
    digests = {made.observed for made in found if made is not None}

    assert [instance.store.reads.of(digest or "") for digest in digests] == [(ZONES,)]


@pytest.mark.usefixtures("observing")
def test_a_failure_names_what_its_step_read(instance: dg.Instance) -> None:
    @dg.asset
    def trips() -> int:
        raise ValueError("no such zone")

    dg.materialize([trips], instance=instance, raise_on_error=False)
    _, failed = instance.store.history.current(Target(trips.key))

    assert failed is not None
    assert instance.store.reads.of(failed.observed or "") == (ZONES,)


def test_a_step_that_read_nothing_leaves_no_table(instance: dg.Instance) -> None:
    @dg.asset
    def trips() -> int:
        return 1

    dg.materialize([trips], instance=instance)
    made = instance.store.history.known(Target(trips.key))

    assert made is not None
    assert made.observed is None
    assert not (Path(instance.store.folder) / "reads.jsonl").exists()


def test_what_a_worker_read_comes_back_with_its_result() -> None:
    result = pickle.loads(pickle.dumps(StepResult(StepState.SUCCESS, [], reads=(ZONES,))))

    assert result.reads == (ZONES,)


@pytest.mark.usefixtures("observing")
def test_a_set_is_written_before_the_record_that_names_it(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.asset
    def trips() -> int:
        return 1

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("assetgraph.storage.histories.TargetLock.append", killed)
    with pytest.raises(KeyboardInterrupt):
        dg.materialize([trips], instance=instance)

    assert list(instance.store.reads.table.load().values()) == [(ZONES,)]
    assert instance.store.history.known(Target(trips.key)) is None


def test_what_another_run_made_is_taken_only_while_what_it_read_is_the_same(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    observe(monkeypatch)

    @dg.asset
    def trips() -> str:
        return read_file("zones.csv")

    Path("zones.csv").write_text("a")
    dg.materialize([trips], instance=instance)
    made = instance.store.history.known(Target(trips.key))
    assert made is not None

    assert step._read_the_same(made, instance.store)
    Path("zones.csv").write_text("b")
    assert not step._read_the_same(made, instance.store)


@pytest.mark.parametrize(("edited", "count"), [(False, "unchanged"), (True, "success")])
def test_a_planned_step_takes_over_another_run_s_value_unless_a_file_changed_since(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch, edited: bool, count: str
) -> None:
    observe(monkeypatch)

    @dg.asset
    def trips() -> str:
        return read_file("zones.csv")

    Path("zones.csv").write_text("a")
    facts = StoreFacts(dg.Definitions(assets=[trips]).graph, instance.store)
    plan = plan_of(facts, [trips.key])
    dg.materialize([trips], instance=instance)
    if edited:
        Path("zones.csv").write_text("b")

    assert run_plan(plan, facts).record.step_counts == {count: 1}


def test_a_value_that_a_step_loads_is_compared_before_another_run_s_value_is_taken_over(
    instance: dg.Instance,
) -> None:
    values = iter((1, 1, 2))

    @dg.asset(code_version="1")
    def rates() -> int:
        return next(values)

    @dg.asset(code_version="1")
    def trips() -> int:
        return 1

    def read_rates(task: StepTask, store: Store, channel: Channel, *more: Any) -> StepResult:
        result = compute(task, store, channel, *more)
        version = store.history.known(Target(rates.key))
        if task.step_id == "trips" and version is not None:
            result.reads = (ObservedRead(ReadKind.ASSET, "rates", version.data_version),)
        return result

    compute = step.compute_step
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, "compute_step", read_rates)
        dg.materialize([rates], instance=instance)
        dg.materialize([trips], instance=instance)
    made = instance.store.history.known(Target(trips.key))
    assert made is not None
    for same in (True, False):
        dg.materialize([rates], instance=instance)
        assert step._read_the_same(made, instance.store) is same


@pytest.mark.usefixtures("observing")
def test_a_step_that_fails_has_its_own_error_though_its_reads_cannot_be_recorded(
    instance: dg.Instance,
) -> None:
    @dg.asset
    def trips() -> str:
        (Path(instance.store.folder) / "reads.jsonl").mkdir(parents=True)
        raise ValueError("no such zone")

    dg.materialize([trips], instance=instance, raise_on_error=False)
    _, failed = instance.store.history.current(Target(trips.key))

    assert failed is not None
    assert failed.error == "ValueError: no such zone"


def test_data_that_a_package_of_the_project_gives_counts(
    project: Callable[..., Any], assetgraph: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = """
        import assetgraph as dg
        import pkgutil
        import tables
        @dg.asset
        def zones():
            return pkgutil.get_data("tables", "zones.txt").decode()
    """
    made = project(
        {"pipeline.py": pipeline, "tables/__init__.py": "A = 1\n", "tables/zones.txt": "1"}
    )
    monkeypatch.chdir(made.root)
    assert assetgraph("materialize", "--all").code == 0
    made.write("tables/zones.txt", "2")

    (planned,) = assetgraph("plan", "--json").json
    assert [reason["kind"] for reason in planned["reasons"]] == ["read_changed"]

"""Two runs that share a store, and steps that turn out not to be needed."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from plan_of_assets import plan_of
from small_assets import asset_named, graph_of, task_of

import assetgraph as dg
from assetgraph.cli.render.run_summary import RunHighlights
from assetgraph.errors import LockedError, StoreError
from assetgraph.keys import Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.request import RunRequest
from assetgraph.queries.run_views import list_runs, run_details, warned_of
from assetgraph.records import Event, EventType, RunRecord, RunStatus, StepState, now
from assetgraph.run.outcome import RunOutcome
from assetgraph.run.run_setup import RunSetup
from assetgraph.run.runner import run_plan
from assetgraph.run.step import lost_step
from assetgraph.storage.file_locks import Lock
from assetgraph.storage.run_folders import new_run_id
from assetgraph.storage.store import Store


class Hears:
    """An observer that calls back on a LOG event with certain words."""

    def __init__(self, words: str, call: Callable[[], None]) -> None:
        self._words = words
        self._call = call

    def event(self, event: Event) -> None:
        if event.type is EventType.LOG and self._words in (event.message or ""):
            self._call()

    def output(self, step: str, stream: str, text: str) -> None: ...

    def progress(self, step: str, done: float, total: float | None, unit: str) -> None: ...


def run(folder: Path, *assets: dg.Asset, stale_only: bool = False, **options: object) -> RunOutcome:
    graph = graph_of(*assets).require_valid()
    state = StoreFacts(graph, Store(folder / ".assetgraph", project_root=folder))
    plan = plan_of(state, graph.order, stale_only=stale_only)
    return run_plan(plan, state, **options)  # type: ignore[arg-type]


class Slow:
    """An asset that runs until it is told to go on, and counts its calls."""

    def __init__(self) -> None:
        self.started, self.go_on = threading.Event(), threading.Event()
        self.calls = 0

        @dg.asset(code_version="1")
        def slow() -> int:
            self.calls += 1
            self.started.set()
            assert self.go_on.wait(20)
            return 5

        self.asset = slow


def beside(
    folder: Path, asset: dg.Asset, **options: object
) -> tuple[threading.Thread, list[RunOutcome]]:
    outcomes: list[RunOutcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(run(folder, asset, **options)))
    thread.start()
    return thread, outcomes


def test_the_second_run_waits_names_the_first_and_takes_its_value(folder: Path) -> None:
    slow = Slow()
    first, _ = beside(folder, slow.asset)
    assert slow.started.wait(20)
    holder = list_runs(Store(folder / ".assetgraph")).runs[0].run_id
    second = run(folder, slow.asset, observer=Hears("waiting for run", slow.go_on.set))
    first.join()
    assert slow.calls == 1
    assert second.record.step_counts == {"unchanged": 1}
    details = run_details(Store(folder / ".assetgraph"), second.record.run_id)
    (said,) = [e for e in details.events if e.type is EventType.LOG]
    assert said.level == "WARNING"
    assert said.step == "slow"
    assert f"waiting for run {holder}" in (said.message or "")
    assert details.steps[0].reason == "another run materialized it"


def test_a_run_that_has_ended_says_in_the_past_what_it_waited_for(folder: Path) -> None:
    slow = Slow()
    first, _ = beside(folder, slow.asset)
    assert slow.started.wait(20)
    second = run(folder, slow.asset, observer=Hears("waiting for run", slow.go_on.set))
    first.join()
    details = run_details(Store(folder / ".assetgraph"), second.record.run_id)
    for ((_, text),) in (warned_of(details), RunHighlights(details.events).warnings):
        assert re.fullmatch(r"waited for run .*, which was materializing slow", text)


def test_the_second_run_materializes_again_when_the_first_had_other_code(folder: Path) -> None:
    slow = Slow()
    other = dg.asset(name="slow", code_version="2")(lambda: 6)
    first, _ = beside(folder, slow.asset)
    assert slow.started.wait(20)
    second = run(folder, other, observer=Hears("waiting for run", slow.go_on.set))
    first.join()
    assert second.record.step_counts == {"success": 1}
    current, _ = Store(folder / ".assetgraph").history.current(Target(other.key))
    assert current is not None
    assert current.run_id == second.record.run_id


@pytest.mark.parametrize("fate", ["made from other data", "lost"])
def test_another_runs_value_is_not_taken_if_it_is_lost_or_made_from_other_data(
    folder: Path, fate: str
) -> None:
    def assets(count: int) -> tuple[dg.Asset, dg.Asset]:
        with dg.Registry():

            @dg.asset(code_version="1")
            def zones() -> int:
                return count

            @dg.asset(code_version="1")
            def names(zones: int) -> str:
                return "x" * 10_000 * zones

        return zones, names

    run(folder, *assets(1))
    graph = graph_of(*assets(1)).require_valid()
    state = StoreFacts(graph, Store(folder / ".assetgraph", project_root=folder))
    plan = plan_of(state, [dg.AssetKey("names")])
    run(folder, *assets(2 if fate == "made from other data" else 1))
    if fate == "lost":
        for file in folder.glob(".assetgraph/values/names/_/*/value.txt"):
            file.unlink()
    assert run_plan(plan, state).record.step_counts == {"success": 1}


def test_a_run_that_may_not_wait_does_not_start(folder: Path) -> None:
    slow = Slow()
    first, _ = beside(folder, slow.asset)
    assert slow.started.wait(20)
    held = rf"'slow' is being materialized by run \S+ \(process {os.getpid()} on \S+\)"
    try:
        with pytest.raises(LockedError, match=held) as caught:
            run(folder, slow.asset, setup=RunSetup(RunRequest(wait=False)))
    finally:
        slow.go_on.set()
        first.join()
    assert caught.value.key == "slow"
    assert len(list_runs(Store(folder / ".assetgraph")).runs) == 1


def test_runs_of_different_assets_do_not_wait_for_each_other(folder: Path) -> None:
    slow = Slow()
    first, outcomes = beside(folder, slow.asset)
    assert slow.started.wait(20)
    try:
        assert run(folder, dg.asset(name="quick")(lambda: 1)).record.step_counts == {"success": 1}
    finally:
        slow.go_on.set()
        first.join()
    assert outcomes[0].record.step_counts == {"success": 1}


def chain(version: str, value: object, calls: list[str]) -> list[dg.Asset]:
    @dg.asset(code_version=version)
    def a() -> object:
        calls.append("a")
        return value

    @dg.asset(code_version="1")
    def b(a: object) -> str:
        calls.append("b")
        return f"b of {a}"

    @dg.asset(code_version="1")
    def c(b: object) -> str:
        calls.append("c")
        return f"c of {b}"

    return [a, b, c]


def test_an_upstream_that_makes_the_same_value_spares_its_downstream(folder: Path) -> None:
    calls: list[str] = []
    run(folder, *chain("1", 5, calls))
    calls.clear()
    outcome = run(folder, *chain("2", 5, calls), stale_only=True)
    assert calls == ["a"]
    assert outcome.record.assets == ("a", "b", "c")
    assert outcome.record.step_counts == {"success": 1, "unchanged": 2}
    details = run_details(Store(folder / ".assetgraph"), outcome.record.run_id)
    assert [step.state.value for step in details.steps] == ["success", "unchanged", "unchanged"]
    assert run(folder, *chain("2", 5, calls), stale_only=True).record.assets == ()


def test_an_upstream_that_makes_a_new_value_runs_its_downstream(folder: Path) -> None:
    calls: list[str] = []
    run(folder, *chain("1", 5, calls))
    calls.clear()
    outcome = run(folder, *chain("2", 6, calls), stale_only=True)
    assert calls == ["a", "b", "c"]
    assert outcome.record.step_counts == {"success": 3}


def test_a_requested_step_always_runs(folder: Path) -> None:
    calls: list[str] = []
    for _ in range(2):
        run(folder, *chain("1", 5, calls))
    assert calls == ["a", "b", "c"] * 2


def test_an_asset_that_is_materialized_for_the_first_time_is_running(folder: Path) -> None:
    store = Store(folder / ".assetgraph")
    store.prepare()
    asset = Slow().asset
    lock = store.lock(Target(asset.key))
    assert lock.acquire()
    assert StoreFacts(graph_of(asset), store).is_running(Target(asset.key))
    lock.release()
    assert not StoreFacts(graph_of(asset), store).is_running(Target(asset.key))


def test_a_stored_value_is_not_pruned_while_a_step_reads_it(folder: Path) -> None:
    store = Store(folder / ".assetgraph", project_root=folder)
    free: list[bool] = []

    def pruning_may_start() -> bool:
        guard = store.reading(Target(numbers.key))
        taken = guard.acquire()
        guard.release()
        return taken

    @dg.asset
    def numbers() -> list[int]:
        return list(range(10_000))

    @dg.asset
    def total(numbers: list[int]) -> int:
        free.append(pruning_may_start())
        return sum(numbers)

    run(folder, numbers, total)
    assert [*free, pruning_may_start()] == [False, True]


def test_a_waiting_run_is_not_taken_for_the_run_that_it_waits_for(folder: Path) -> None:
    slow, store = Slow(), Store(folder / ".assetgraph")
    first, _ = beside(folder, slow.asset)
    assert slow.started.wait(20)
    holder = store.holder(Target(slow.asset.key))
    assert holder == list_runs(store).runs[0].run_id
    seen: list[str] = []
    observer = Hears(
        "waiting for run",
        lambda: (seen.append(store.holder(Target(slow.asset.key))), slow.go_on.set()),
    )
    run(folder, slow.asset, observer=observer)
    first.join()
    assert seen == [holder]
    assert store.holder(Target(slow.asset.key)) == ""


def test_a_reexecution_waits_while_another_one_registers(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.prepare()
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    first = RunRecord(new_run_id(at), RunStatus.STARTED, at)
    store.runs.start(first).close()
    second = msgspec.structs.replace(first, run_id=new_run_id(now()), parent_run_id=first.run_id)
    turn = Lock(f"{store.runs.path(first.run_id)}/reruns")
    assert turn.acquire()
    seen = []

    def wait(_seconds: float) -> None:
        seen.append(store.runs.reruns(first.run_id))
        turn.release()

    monkeypatch.setattr(time, "sleep", wait)
    store.runs.start(second).close()
    assert seen == [[]]
    assert store.runs.reruns(first.run_id) == [second.run_id]


def test_a_history_that_is_deleted_during_a_step_is_started_again(folder: Path) -> None:
    store = Store(folder / ".assetgraph")

    @dg.asset
    def lonely() -> int:
        Path(store.history.path(lonely.key)).unlink()
        return 5

    outcome = run(folder, lonely)
    current, _ = store.history.current(Target(lonely.key))
    assert current is not None
    assert current.run_id == outcome.record.run_id


def test_a_store_that_is_deleted_during_a_step_fails_it_and_is_not_partly_recreated(
    folder: Path,
) -> None:
    store = Store(folder / ".assetgraph")

    @dg.asset
    def destroyer() -> int:
        shutil.rmtree(store.folder)
        return 5

    with pytest.raises(StoreError, match="No such file"):
        run(folder, destroyer)
    assert not os.path.exists(store.folder)


def test_an_asset_that_is_locked_by_no_run_is_reported_as_such(folder: Path) -> None:
    store = Store(folder / ".assetgraph")
    store.prepare()
    lock = store.lock(Target(dg.AssetKey("a")))
    assert lock.acquire()
    assert "'a' is being materialized by another process." in str(
        store.locked(Target(dg.AssetKey("a")), hint="")
    )
    lock.release()


def test_the_first_run_that_started_a_step_is_the_one_to_wait_for(
    folder: Path,
) -> None:
    store = Store(folder / ".assetgraph")
    store.prepare()
    logs = []
    for second, says in enumerate(["STEP_START", "STEP_SUCCESS", "waits", "STEP_START"]):
        at = datetime(2026, 11, 22, 12, 0, second, tzinfo=UTC)
        log = store.runs.start(RunRecord(new_run_id(at), RunStatus.STARTED, at))
        kind = EventType.LOG if says == "waits" else EventType(says)
        data = {"waits_for": "another"} if says == "waits" else {}
        log.append([Event(kind, at, "a", data=data)])
        logs.append(log)
    names = [os.path.basename(log.folder) for log in logs]
    assert store.runs.makers({"a", "b"}) == {"a": names[0]}
    assert store.runs.makers({"a"}, but=names[0]) == {"a": names[3]}
    logs[3].append([Event(EventType.LOG, now(), "a", message="at work")])
    assert store.runs.makers({"a"}) == {"a": names[3]}
    for log in logs:
        log.close()
    assert store.runs.makers({"a"}) == {}


@pytest.mark.parametrize("same", [True, False])
def test_a_value_that_another_run_made_after_a_worker_died_is_no_failure(
    tmp_path: Path, *, same: bool
) -> None:
    a = asset_named("a", code_version="1")
    run(tmp_path, a)
    store = Store(tmp_path / ".assetgraph")
    task = task_of(a, code_version="1" if same else "2")
    assert lost_step(task, store, RuntimeError("its worker died")).state is StepState.FAILURE
    current, failed = store.history.current(Target(a.key))
    assert current is not None
    assert (failed is None) is same

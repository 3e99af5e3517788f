"""The progress of running steps, for other processes that watch the run."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
from plan_of_assets import plan_of

import assetgraph as dg
from assetgraph.errors import StoreError
from assetgraph.planning.facts import StoreFacts
from assetgraph.records import Event, RunRecord
from assetgraph.run.runner import run_plan
from assetgraph.storage import progress_file as progress
from assetgraph.storage.progress_file import ProgressFile, read_progress
from assetgraph.storage.run_folders import RunLog


def test_the_first_report_is_there_at_once_and_the_last_one_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers = []

    class Timer:
        def __init__(self, _wait: float, act: object) -> None:
            self.act = act
            self.daemon = False
            timers.append(self)

        def start(self) -> None: ...

        def cancel(self) -> None: ...

    monkeypatch.setattr(progress.threading, "Timer", Timer)
    monkeypatch.setattr(progress.time, "monotonic", lambda: 100.0)
    file = ProgressFile(str(tmp_path))
    for done in range(1000):
        file.report("loads", done, 1000, "rows")
    assert read_progress(str(tmp_path))["loads"]["done"] == 0
    assert len(timers) == 1

    timers[0].act()
    last = read_progress(str(tmp_path))["loads"]
    assert (last["done"], last["total"], last["unit"]) == (999, 1000, "rows")
    file.close()
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_is_no_number_fails_no_step() -> None:
    @dg.asset
    def odd(context: dg.AssetExecutionContext) -> int:
        context.progress("half")  # type: ignore[arg-type]
        context.progress(float("nan"), float("inf"))
        return 1

    assert dg.materialize([odd]).success


@pytest.mark.parametrize("ends", ["SUCCESS", "FAILURE", "CANCELED"])
def test_the_progress_of_steps_is_deleted_before_the_run_is_recorded_as_ended(
    instance: dg.Instance, ends: str
) -> None:
    @dg.asset
    def loads(context: dg.AssetExecutionContext) -> None:
        context.progress(1, 2)
        if ends == "FAILURE":
            raise ValueError
        if ends == "CANCELED":
            raise KeyboardInterrupt

    seen: dict[str, int] = {}

    class Watcher:
        def event(self, event: Event) -> None:
            seen[event.type] = len(list(Path(instance.store.folder).glob("runs/*/*/progress.json")))

        def output(self, step: str, stream: str, text: str) -> None: ...

        def progress(self, step: str, done: float, total: float | None, unit: str) -> None: ...

    graph = dg.Definitions([loads]).graph
    state = StoreFacts(graph, instance.store)
    stops = pytest.raises(KeyboardInterrupt) if ends == "CANCELED" else nullcontext()
    with stops:
        run_plan(plan_of(state, graph.order), state, observer=Watcher())
    assert seen[f"STEP_{ends}"] == 1
    assert seen[f"RUN_{ends}"] == 0


def test_the_progress_of_steps_is_deleted_before_a_run_ends_that_cannot_record_events(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.asset
    def loads(context: dg.AssetExecutionContext) -> None:
        context.progress(1, 2)
        monkeypatch.setattr(RunLog, "append", full_disk)

    def full_disk(log: RunLog, events: object) -> None:
        raise StoreError("the disk is full")

    seen: list[int] = []
    finish = RunLog.finish

    def watched(log: RunLog, record: RunRecord) -> None:
        seen.append(len(list(Path(log.folder).glob("progress.json"))))
        finish(log, record)

    monkeypatch.setattr(RunLog, "finish", watched)
    graph = dg.Definitions([loads]).graph
    facts = StoreFacts(graph, instance.store)
    with pytest.raises(StoreError):
        run_plan(plan_of(facts, graph.order), facts)
    assert seen == [0]

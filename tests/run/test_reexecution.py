"""Re-executing what is left of a run, and canceling a run from another process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ProjectFolder
from plan_of_assets import plan_of

import assetgraph as dg
from assetgraph.errors import StoreError
from assetgraph.keys import Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.reexecution import rerun_request, steps_left
from assetgraph.planning.request import RunRequest, plan_run
from assetgraph.queries.run_views import run_details
from assetgraph.records import FailedAttempt, RunRecord, RunStatus, now
from assetgraph.run.cancel import cancel_run
from assetgraph.run.launch import launch
from assetgraph.run.run_setup import RunSetup
from assetgraph.run.runner import run_plan
from assetgraph.storage.run_folders import new_run_id
from assetgraph.storage.store import Store


class Limit(dg.Config):
    rows: int = 0


def left_of(store: Store, run_id: str) -> list[str]:
    return list(steps_left(store, store.runs.read(run_id)))


def rerun(store: Store, assets: list[dg.Asset], run_id: str) -> str:
    graph = dg.Definitions(assets).graph
    state = StoreFacts(graph, store)
    left = map(dg.AssetKey, steps_left(store, store.runs.read(run_id)))
    plan = plan_of(state, left)
    setup = RunSetup(RunRequest(root_run_id=run_id, parent_run_id=run_id))
    return run_plan(plan, state, setup=setup).record.run_id


def test_failed_and_skipped_steps_are_left(instance: dg.Instance) -> None:
    broken = [True]

    @dg.asset
    def good() -> int:
        return 1

    @dg.asset
    def bad(good: int) -> int:
        if broken[0]:
            raise ValueError("not yet")
        return good

    @dg.asset
    def below(bad: int) -> int:
        return bad

    assets = [good, bad, below]
    first = dg.materialize(assets, instance=instance, raise_on_error=False).run_id
    assert left_of(instance.store, first) == ["bad", "below"]

    rerun(instance.store, assets, first)
    assert left_of(instance.store, first) == ["bad", "below"]
    broken[0] = False
    last = rerun(instance.store, assets, first)
    assert left_of(instance.store, first) == []
    assert run_details(instance.store, last).record.assets == ("bad", "below")


def test_a_chain_of_reexecutions_repeats_no_step_that_succeeded(instance: dg.Instance) -> None:
    ran: list[str] = []
    broken = {"b", "c", "d"}

    def step(name: str, *upstream: str) -> dg.Asset:
        @dg.asset(name=name, deps=upstream)
        def function() -> None:
            ran.append(name)
            if name in broken:
                broken.remove(name)
                raise ValueError("not yet")

        return function

    assets = [step("a"), step("b", "a"), step("c", "b"), step("d", "c"), step("e")]
    state = StoreFacts(dg.Definitions(assets).graph, instance.store)

    def again(run_id: str) -> str:
        run = instance.store.runs.read(run_id)
        request = rerun_request(instance.store, run, from_failure=True)
        plan = plan_run(request, state)
        ran.clear()
        return run_plan(plan, state, setup=RunSetup(request)).record.run_id

    first = dg.materialize(assets, instance=instance, raise_on_error=False).run_id
    assert sorted(ran) == ["a", "b", "e"]
    second = again(first)
    assert ran == ["b", "c"]
    third = again(second)
    assert ran == ["c", "d"]
    again(first)  # what its re-executions did counts for the first run too
    assert ran == ["d"]
    for run_id in (first, second, third):
        with pytest.raises(dg.AssetGraphError, match="every step of run"):
            again(run_id)


def test_a_step_that_committed_before_its_process_died_is_not_left(folder: Path) -> None:
    code = """
        import os, signal
        import assetgraph as dg
        from assetgraph.run import runner

        @dg.asset
        def done(): return 1

        @dg.asset
        def undone(done): return 2

        # The process dies after the commit, before the run's record says so.
        runner._Run._settle = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        dg.materialize([done, undone], instance=dg.Instance("store"))
    """
    died = python(code, folder)
    assert died.returncode == -signal.SIGKILL
    store = Store(folder / "store")
    details = run_details(store, "latest")
    assert details.record.status is RunStatus.INTERRUPTED
    assert left_of(store, details.record.run_id) == ["undone"]


def test_a_committed_step_counts_whatever_the_clock_says_later(instance: dg.Instance) -> None:
    @dg.asset
    def trips() -> int:
        return 1

    store = instance.store
    run_id = dg.materialize([trips], instance=instance).run_id
    events = Path(store.runs.path(run_id), "events.jsonl")
    events.write_bytes(events.read_bytes().splitlines(keepends=True)[0])  # as if it had died
    store.history.append(
        Target(trips.key), FailedAttempt("20000101-000000-000-0000", now(), "wrong")
    )
    assert left_of(store, run_id) == []


def test_a_run_is_canceled_from_another_process(folder: Path) -> None:
    code = """
        import time
        import assetgraph as dg

        @dg.asset
        def endless():
            print("running", flush=True)
            while True:
                time.sleep(60)

        dg.materialize([endless], instance=dg.Instance("store"))
    """
    process = subprocess.Popen(
        [sys.executable, "-c", dedented(code)], cwd=folder, stdout=-1, env=environment()
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"running\n"
    store = Store(folder / "store")
    run_id = store.runs.find("latest")
    cancel_run(store, run_id)
    process.communicate(timeout=20)
    details = run_details(store, run_id)
    assert details.record.status is RunStatus.CANCELED
    assert details.record.step_counts == {"canceled": 1}
    with pytest.raises(StoreError, match="is not in progress: it is CANCELED"):
        cancel_run(store, run_id)


def test_a_run_on_another_machine_is_not_signaled(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.prepare()
    at, told = now(), []
    monkeypatch.setattr(os, "kill", lambda *signal: told.append(signal))
    record = RunRecord(new_run_id(at), RunStatus.STARTED, at, pid=os.getpid(), host="elsewhere")
    log = store.runs.start(record)
    with pytest.raises(StoreError, match=r"is on elsewhere, not on this machine.* runs cancel"):
        cancel_run(store, record.run_id)
    log.close()
    assert told == []


def test_a_run_that_ignores_interrupts_is_terminated(project: Callable[..., ProjectFolder]) -> None:
    made = project(
        {
            "pipeline.py": """
                import threading
                import assetgraph as dg

                @dg.asset
                def endless():
                    print("here")
                    threading.Event().wait(60)
            """
        }
    )
    code = """
        import os, signal, sys
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does in the background
        os.execv(sys.executable, [sys.executable, "-m", "assetgraph", "materialize", "endless"])
    """
    process = subprocess.Popen(
        [sys.executable, "-c", dedented(code)], cwd=made.root, stderr=-1, env=environment()
    )
    assert process.stderr is not None
    assert process.stderr.readline().endswith(b"endless\n")
    assert process.stderr.readline().endswith(b"here\n")
    store = made.find().open_store()
    cancel_run(store, store.runs.find("latest"))
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert run_details(store, "latest").record.status is RunStatus.CANCELED


def python(code: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", dedented(code)]
    return subprocess.run(command, cwd=folder, timeout=60, check=False, env=environment())


def dedented(code: str) -> str:
    import textwrap

    return textwrap.dedent(code)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def test_a_rerun_gives_no_partition_the_config_of_another(instance: dg.Instance) -> None:
    letters = dg.StaticPartitionsDefinition(["a", "b"])

    def plan_and_run(request: RunRequest, version: str) -> RunRecord:
        @dg.asset(partitions_def=letters, code_version=version)
        def trips(config: Limit) -> None: ...

        facts = StoreFacts(dg.Definitions([trips]).graph, instance.store)
        return launch(request, plan_run(request, facts), facts).record

    for letter, rows in (("a", 1), ("b", 2)):
        config = {"trips": {"rows": rows}}
        plan_and_run(RunRequest(("trips",), partitions=(letter,), config=config), "1")
    run = plan_and_run(RunRequest(("trips",), partitions=("*",), stale=True), "2")
    assert run.config == {"trips@a": {"rows": 1}, "trips@b": {"rows": 2}}

    with pytest.raises(dg.AssetGraphError, match="'trips' ran with different config") as refused:
        rerun_request(instance.store, run)
    assert "--step trips@b" in str(refused.value.hint)
    assert rerun_request(instance.store, run, steps=["trips@b"]).config == {"trips": {"rows": 2}}
    given = {"trips": {"rows": 3}}
    assert rerun_request(instance.store, run, config=given).config == given

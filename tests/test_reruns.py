"""What is left of a run, however it ended, and ending it from another process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import assetgraph as dg
from assetgraph.errors import StoreError
from assetgraph.plan import make_plan
from assetgraph.queries.runs import run_details
from assetgraph.records import FailedAttempt, RunStatus, now
from assetgraph.reruns import cancel_run, rerun_selection
from assetgraph.runner import Launch, run_plan
from assetgraph.state import State
from assetgraph.storage.store import Store


def left_of(store: Store, run_id: str) -> list[str]:
    return [key.text for key in rerun_selection(store, run_details(store, run_id))]


def rerun(store: Store, assets: list[dg.Asset], run_id: str) -> str:
    graph = dg.Definitions(assets).graph
    state = State(graph, store)
    plan = make_plan(graph, state, rerun_selection(store, run_details(store, run_id)))
    launch = Launch(root_run_id=run_id, parent_run_id=run_id)
    return run_plan(plan, state, launch=launch).record.run_id


def test_what_failed_and_what_was_skipped_is_left(instance: dg.Instance) -> None:
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


def test_a_step_that_committed_before_its_process_died_is_not_left(folder: Path) -> None:
    code = """
        import os, signal
        import assetgraph as dg
        from assetgraph import runner

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


def test_what_a_run_made_counts_whatever_the_clock_said_later(instance: dg.Instance) -> None:
    @dg.asset
    def trips() -> int:
        return 1

    store = instance.store
    run_id = dg.materialize([trips], instance=instance).run_id
    events = Path(store.runs.path(run_id), "events.jsonl")
    events.write_bytes(events.read_bytes().splitlines(keepends=True)[0])  # as if it had died
    store.history.append(trips.key, FailedAttempt("20000101-000000-000-0000", now(), "wrong"))
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
    with pytest.raises(StoreError, match="is not under way: it is CANCELED"):
        cancel_run(store, run_id)


def python(code: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", dedented(code)]
    return subprocess.run(command, cwd=folder, timeout=60, check=False, env=environment())


def dedented(code: str) -> str:
    import textwrap

    return textwrap.dedent(code)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

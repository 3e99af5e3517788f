"""When an interrupt may reach a run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

import pytest
from conftest import REPOSITORY

import assetgraph as dg
from assetgraph.process.signals import held_back, let_through
from assetgraph.queries.run_views import list_runs
from assetgraph.records import RunRecord, RunStatus
from assetgraph.storage.run_folders import RunLog, RunStorage


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def test_an_interrupt_waits_until_the_record_is_written() -> None:
    recorded = []

    def record() -> None:
        with held_back():
            interrupt()
            recorded.append("all")

    with pytest.raises(KeyboardInterrupt):
        record()
    assert recorded == ["all"]


def test_an_interrupt_arrives_where_it_is_let_through() -> None:
    recorded = []

    def record() -> None:
        with held_back():
            interrupt()
            recorded.append("before")
            with let_through():
                recorded.append("never")

    with pytest.raises(KeyboardInterrupt):
        record()
    assert recorded == ["before"]


def test_a_second_interrupt_arrives_at_once() -> None:
    recorded = []

    def record() -> None:
        with held_back():
            interrupt()
            recorded.append("after the first")
            interrupt()
            recorded.append("after the second")

    with pytest.raises(KeyboardInterrupt):
        record()
    assert recorded == ["after the first"]


def test_a_step_that_ignores_interrupts_leaves_the_next_interruptible(
    instance: dg.Instance,
) -> None:
    @dg.asset
    def ignores() -> int:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return 1

    @dg.asset
    def interrupted(ignores: int) -> int:
        interrupt()
        return 2

    with pytest.raises(KeyboardInterrupt):
        dg.materialize([ignores, interrupted], instance=instance)
    assert instance.store.runs.read(next(instance.store.runs.ids())).status is RunStatus.CANCELED
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_step_that_catches_an_interrupt_is_the_last(instance: dg.Instance) -> None:
    @dg.asset
    def catches() -> int:
        with suppress(KeyboardInterrupt):
            interrupt()
        return 1

    @dg.asset
    def after(catches: int) -> int:
        return catches

    with pytest.raises(KeyboardInterrupt):
        dg.materialize([catches, after], instance=instance)
    (run,) = list_runs(instance.store).runs
    assert run.status is RunStatus.CANCELED
    assert run.step_counts == {"success": 1, "waiting": 1}


def test_an_interrupt_before_the_first_step_is_recorded_too(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the run would seem to go on for as long as its process lives."""

    @dg.asset
    def first() -> None:
        pass

    start = RunStorage.start

    def interrupted(storage: RunStorage, record: RunRecord) -> RunLog:
        log = start(storage, record)
        signal.raise_signal(signal.SIGINT)
        return log

    monkeypatch.setattr(RunStorage, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        dg.materialize([first], instance=instance)
    (run,) = list_runs(instance.store).runs
    assert run.status is RunStatus.CANCELED


def test_a_signal_in_the_midst_of_a_fork_ends_the_child_as_in_a_plain_program(
    tmp_path: Path,
) -> None:
    """A handler of the run would take it, and a pool that ends its workers would wait for ever."""
    (tmp_path / "pipeline.py").write_text(
        dedent("""
        import os
        import assetgraph as dg

        @dg.asset
        def code_of_child() -> int:
            os.environ["ARMED"] = "yes"
            child = os.fork()
            if child == 0:
                os._exit(0)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        """)
    )
    script = """
    import os, runpy, signal, sys

    def interrupt():
        if "ARMED" in os.environ:
            os.kill(os.getpid(), signal.SIGTERM)

    os.register_at_fork(after_in_child=interrupt)  # it runs before what assetgraph registers
    sys.argv[1:] = ["materialize", "code_of_child", "-m", "pipeline.py", "--store", "store", "-q"]
    runpy.run_module("assetgraph", run_name="__main__")
    """
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    subprocess.run([sys.executable, "-c", dedent(script)], cwd=tmp_path, env=environ, check=True)
    assert dg.load("code_of_child", project=tmp_path / "store") == -signal.SIGTERM

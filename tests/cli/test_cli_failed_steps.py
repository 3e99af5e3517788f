"""What one reads of a step that failed, is tried again, or ended its process."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable

import pytest
from conftest import Answer, ProjectFolder, in_new_process

MODULE = """
import multiprocessing, os
from concurrent.futures import ProcessPoolExecutor
import assetgraph as dg

attempts = []

@dg.asset(retry_policy=dg.RetryPolicy(max_retries=3, delay=0.2))
def flaky() -> int:
    attempts.append(1)
    if len(attempts) < 3:
        raise ValueError("not yet")
    return len(attempts)

@dg.asset
def asks() -> None:
    raise dg.RetryRequested(max_retries=1)

@dg.asset
def chained() -> None:
    try:
        {}["key"]
    except KeyError as error:
        raise ValueError("no such thing") from error

@dg.asset
def handled() -> None:
    try:
        {}["key"]
    except KeyError:
        raise ValueError("another thing")

@dg.asset
def several() -> None:
    raise ExceptionGroup("several", [ValueError(f"number {n}\\nmore") for n in range(12)])

def fold(number):
    raise ValueError("bad fold\\n\\nmore")

@dg.asset
def pooled() -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
        list(pool.map(fold, [1]))

@dg.asset
def mapped() -> None:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        pool.map(fold, [1])

@dg.asset
def fine() -> int:
    return 1

@dg.asset(deps=[fine])
def leaves() -> None:
    os._exit(3)
"""


@pytest.fixture
def made(project: Callable[..., ProjectFolder]) -> ProjectFolder:
    return project({"pipeline.py": MODULE})


def test_an_attempt_that_will_be_repeated_says_which_retry_comes_when(
    made: ProjectFolder, assetgraph: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made.root)
    err = assetgraph("materialize", "flaky", "asks").err
    assert "flaky  retry 1 of 3 in 0.2 s, after ValueError: not yet" in err
    assert "flaky  retry 2 of 3 in 0.2 s, after ValueError: not yet" in err
    assert "asks  retry 1 of 1 at once, after " in err


def test_the_time_of_a_repeated_step_counts_all_attempts(
    made: ProjectFolder, assetgraph: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made.root)
    err = assetgraph("materialize", "flaky").err
    (line,) = (line for line in err.splitlines() if line.startswith("✓ flaky"))
    took = line.split()[-1]
    assert not took.endswith("ms"), took  # two delays of 0.2 s are in it
    assert float(took.removesuffix("s")) >= 0.4


@pytest.mark.parametrize(
    ("asset", "lines"),
    [
        ("chained", ["  caused by KeyError: 'key' (pipeline.py:22)"]),
        ("handled", ["  raised while handling KeyError: 'key' (pipeline.py:29)"]),
        ("pooled", ["  caused by ValueError: bad fold in another process (pipeline.py:38)"]),
        ("mapped", ["  caused by ValueError: bad fold in another process (pipeline.py:38)"]),
        ("several", ["  1. ValueError: number 0", "  10. ValueError: number 9", "  and 2 more"]),
    ],
)
def test_a_failure_names_its_causes_and_members_without_the_trace(
    made: ProjectFolder,
    assetgraph: Callable[..., Answer],
    monkeypatch: pytest.MonkeyPatch,
    asset: str,
    lines: list[str],
) -> None:
    monkeypatch.chdir(made.root)
    err = assetgraph("materialize", asset).err.splitlines()
    assert [line for line in lines if line not in err] == []
    page = assetgraph("runs", "show", "latest").out.splitlines()
    assert [line for line in lines if line not in page] == []
    failures = json.loads(assetgraph("runs", "show", "latest", "--json").out)["steps"]
    assert lines[0].strip() in failures[0]["error"]["causes"]


@pytest.mark.parametrize("command", [["status"], ["plan"], ["materialize", "fine"]])
def test_a_step_that_ends_the_process_of_the_run_is_named_then_and_by_the_next_command(
    made: ProjectFolder,
    assetgraph: Callable[..., Answer],
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
) -> None:
    monkeypatch.chdir(made.root)
    with in_new_process(made.root, "materialize", "leaves") as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "The run is interrupted: a step ended its process with os._exit(3)." in err
    said = assetgraph(*command).err
    assert "was interrupted while it ran leaves: its process died. To continue:" in said
    assert "assetgraph runs rerun" in said
    if command[0] != "materialize":
        logged = assetgraph("runs", "logs", "latest").out
        assert "it ended the process of the run with os._exit(3)" in logged


@pytest.mark.parametrize("executor", ["serial", "threads"])
@pytest.mark.parametrize("pool", ["ThreadPoolExecutor", "ProcessPoolExecutor"])
def test_the_pool_of_a_step_that_was_abandoned_does_not_keep_the_command_alive(
    project: Callable[..., ProjectFolder], executor: str, pool: str
) -> None:
    made = project(
        {"pipeline.py": f"""
            import threading
            from concurrent.futures import {pool}
            import assetgraph as dg

            def endlessly():
                threading.Event().wait()

            @dg.asset(timeout=0.3)
            def endless():
                with {pool}(1) as pool:
                    pool.submit(endlessly).result()
        """}
    )  # fmt: skip
    process = in_new_process(made.root, "materialize", "endless", "--executor", executor)
    told = process.communicate(timeout=60)[1]  # all that hold the stream have ended
    assert process.returncode == 1
    assert "it ran longer than its timeout of 0.3 s" in told


@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_a_child_that_a_step_spawns_does_not_run_the_command_again(
    project: Callable[..., ProjectFolder], executor: str
) -> None:
    runpy.run_module("assetgraph.__main__", run_name="__mp_main__")  # it would exit
    made = project(
        {"pipeline.py": """
            import multiprocessing
            import assetgraph as dg

            @dg.asset
            def pooled():
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    return pool.map(abs, [-1])
        """}
    )  # fmt: skip
    process = in_new_process(made.root, "materialize", "pooled", "--executor", executor)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 0
    assert told.count("▶ pooled") == 1

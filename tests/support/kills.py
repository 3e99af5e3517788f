"""Kills runs and checks what they leave behind.

`python tests/support/kills.py 1000 [SEED]` kills at random moments, `python tests/support/kills.py each` once
before each call that changes the disk.

Each check lists the runs, shows the newest and reads every value; sometimes a complete run follows.
The folder is often a new one, so that kills also hit the creation of a store. Prints what the
kills hit, and exits with 1 at the first failed check.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import assetgraph as dg
from assetgraph.keys import Target
from assetgraph.queries.run_views import list_runs, run_details
from assetgraph.records import Materialization, RunStatus, StepState
from assetgraph.storage.doctor import examine
from assetgraph.storage.store import Store

KILLS_A_STORE = 25
KILLS_A_WHOLE_RUN = 5
LONG = list(range(3000))  # stored as a file, not in its record


@dg.asset
def raw(context) -> list[int]:
    print("raw is made", flush=True)
    context.log.info("of %d numbers", len(LONG))
    return LONG


@dg.asset
def small(raw) -> int:
    return len(raw)


@dg.asset
def long(raw) -> list[int]:
    return [*raw, 0]


@dg.asset
def fails(small) -> None:
    raise ValueError("always")


@dg.asset
def under(fails) -> None: ...


@dg.asset
def last(small, long) -> dict[str, int]:
    return {"small": small, "long": len(long)}


ASSETS = [raw, small, long, fails, under, last]
EXPECTED = {"raw": LONG, "small": 3000, "long": [*LONG, 0], "last": {"small": 3000, "long": 3001}}


def one_run(folder: Path) -> dg.RunResult:
    return dg.materialize(ASSETS, instance=dg.Instance(folder), raise_on_error=False)


def forked(folder: Path, *, forever: bool) -> int:
    """Fork a child that does one run, or runs until it is killed. Returns its process id."""
    pid = os.fork()
    if pid:
        return pid
    silence()
    try:
        one_run(folder)
        while forever:
            one_run(folder)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def silence() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def killed_at(folder: Path, call: int) -> bool:
    """Kill a run before its n-th call that changes the disk. Returns whether it reached that call."""
    pid = os.fork()
    if pid == 0:
        silence()
        left = call

        def counted(real: Callable[..., Any]) -> Callable[..., Any]:
            def either(*args: Any, **options: Any) -> Any:
                nonlocal left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **options)

            return either

        for name in ("open", "write", "pwrite", "ftruncate", "mkdir", "rename", "unlink"):
            setattr(os, name, counted(getattr(os, name)))
        one_run(folder)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert status in (0, signal.SIGKILL), "the run died by itself"
    return status == signal.SIGKILL


def kill_one(folder: Path, delay_s: float) -> None:
    pid = forked(folder, forever=True)
    time.sleep(delay_s)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, "the run died by itself"


def look(folder: Path, hit: Counter[str]) -> None:
    store = Store(folder)
    page = list_runs(store, limit=3)
    assert page.damaged == (), page.damaged
    for record in page.runs:
        hit[record.status.value] += 1
        assert record.status in (RunStatus.FAILURE, RunStatus.INTERRUPTED), record
        details = run_details(store, record.run_id)
        finished = [s.step_id for s in details.steps if s.state is StepState.SUCCESS]
        hit["finished steps of interrupted runs"] += (
            len(finished) if record.status is RunStatus.INTERRUPTED else 0
        )
        assert not [s for s in details.steps if s.state is StepState.RUNNING]
        for name in finished:
            attempts = store.history.newest_first(dg.AssetKey(name))
            made = {a.run_id for a in attempts if isinstance(a, Materialization)}
            assert record.run_id in made, f"{name} of {record.run_id} was lost"
    for name, expected in EXPECTED.items():
        current, _ = store.history.current(Target(dg.AssetKey(name)))
        assert not store.is_running(Target(dg.AssetKey(name)))
        if current is not None:
            assert store.values.load(current.value) == expected, name
    serious = [finding.text for finding in examine(store) if finding.serious]
    assert serious == [], serious


def whole_run(folder: Path) -> None:
    pid = forked(folder, forever=False)
    _, status = os.waitpid(pid, 0)
    assert status == 0, "a new run did not work"
    record = list_runs(Store(folder), limit=1).runs[0]
    assert record.step_counts == {"success": 4, "failure": 1, "skipped": 1}, record


def each_call(home: Path) -> None:
    one_run(home / "first")  # children inherit what it imported
    hit, call = Counter[str](), 1
    while killed_at(home / f"new{call}", call):
        look(home / f"new{call}", hit)
        whole_run(home / f"new{call}")
        call += 1
    hit["calls of a run in a new store"] = call - 1
    whole_run(home / "used")
    call = 1
    while killed_at(home / "used", call):
        look(home / "used", hit)
        call += 1
    hit["calls of a run in a used store"] = call - 1
    whole_run(home / "used")
    report("a kill before each call: nothing was lost", hit)


def random_moments(home: Path, kills: int, seed: int) -> None:
    chance, hit = random.Random(seed), Counter[str]()
    one_run(home / "first")  # children inherit what it imported
    started = time.perf_counter()
    one_run(home / "timed")
    length_s = time.perf_counter() - started
    for number in range(kills):
        folder = home / str(number // KILLS_A_STORE)
        first = number % KILLS_A_STORE == 0
        kill_one(folder, chance.uniform(0, length_s / 2 if first else 1.5 * length_s))
        look(folder, hit)
        if number % KILLS_A_WHOLE_RUN == 0:
            whole_run(folder)
    report(f"{kills} kills, seed {seed}, {length_s * 1000:.0f} ms a run: nothing was lost", hit)


def report(title: str, hit: Counter[str]) -> None:
    print(title)
    for what, count in sorted(hit.items()):
        print(f"  seen: {count} {what}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        if sys.argv[1] == "each":
            each_call(Path(folder))
        else:
            seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6)
            random_moments(Path(folder), int(sys.argv[1]), seed)

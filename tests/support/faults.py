"""A harness that breaks runs at chosen moments and checks what they leave behind.

A `Scenario` is a random graph, an executor and a fault, all drawn from one seed. `play` runs it in
a new process, breaks it there, resumes it in this one, and raises `AssertionError` if

- the store is damaged, or a dead run counts as running;
- a step is recorded as a success without its value, or a current value is incomplete;
- a step that had succeeded ran again;
- the resumed run leads to other values than an undisturbed run.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from plan_of_assets import plan_of

import assetgraph as dg
from assetgraph.errors import AssetGraphError
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.keys import Target, recorded_target
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.plan import Plan
from assetgraph.queries.run_views import run_details
from assetgraph.records import EventType, RunStatus
from assetgraph.run import runner, step
from assetgraph.run.executors import make
from assetgraph.run.outcome import RunOutcome
from assetgraph.run.run_setup import RunSetup
from assetgraph.run.runner import run_plan
from assetgraph.storage.store import Store

# The operations on files, each a moment at which a run can be broken.
OPERATIONS = ("open", "write", "pwrite", "rename", "replace", "ftruncate", "mkdir", "close")
KINDS = ("kill", "torn", "EIO", "ENOSPC", "stop", "raise", "clock")
LONGEST_S = 300  # generous for a busy machine; only a hanging run takes longer
EXIT_FAILED = 10
EXIT_BROKEN = 11
EXIT_BUG = 12


@dataclass(frozen=True)
class Fault:
    """A fault at a process's `moment`-th operation on a file.

    The process is the coordinator or, with `in_worker`, a worker: its operations are counted from
    its first step on. The kinds "raise" and "clock" have no moment.
    """

    kind: str
    moment: int = 0
    in_worker: bool = False


@dataclass(frozen=True)
class Scenario:
    """A run to break, drawn from a seed.

    `edges` are the upstreams of each asset, by number. `big` are the assets with a file as value.
    """

    seed: int
    edges: tuple[tuple[int, ...], ...]
    big: frozenset[int]
    executor: str
    fault: Fault | None

    @classmethod
    def random(cls, seed: int, kinds: Sequence[str] = KINDS) -> Scenario:
        chance = random.Random(seed)
        count = chance.randint(3, 9)
        edges = tuple(
            tuple(sorted(chance.sample(range(i), min(i, chance.randint(0, 3)))))
            for i in range(count)
        )
        executor = chance.choice(["serial", "serial", "threads", "processes"])
        in_worker = executor == "processes" and chance.random() < 0.7
        fault = Fault(chance.choice(kinds), chance.randint(1, 12 * count), in_worker)
        if in_worker:  # a worker's operations are counted from its first step on
            fault = replace(fault, moment=chance.randint(1, 6 * count))
        big = frozenset(i for i in range(count) if chance.random() < 0.5)
        return cls(seed, edges, big, executor, fault)

    def assets(self) -> list[dg.Asset]:
        return [self._asset(i) for i in range(len(self.edges))]

    def expected(self, i: int) -> list[Any]:
        return _value(i, [self.expected(j) for j in self.edges[i]], i in self.big)

    def prepare(self, store: Store) -> None:
        """Put into a store what the runs expect there."""

    def value_of(self, target: Target) -> list[Any]:
        return self.expected(int(target.key.text[1:]))

    def plan(self, state: StoreFacts, *, stale_only: bool, number: int) -> Plan:
        """The plan of the process with a number, of several that run together."""
        return plan_of(state, state.graph.order, stale_only=stale_only)

    def may_run_again(self, name: str) -> bool:
        """Whether a target may be made by several of the runs that go on together."""
        return False

    def is_spared(self, name: str, done: set[str]) -> bool:
        """Whether a target that is among those that are `done` is not made again."""
        return True

    def _asset(self, i: int) -> dg.Asset:
        fault = self.fault if self.fault and self.fault.in_worker else None
        raises = self.fault is not None and self.fault.kind == "raise" and i == self.seed % 3

        def function(**inputs: Any) -> list[Any]:
            return _run_asset(i, inputs, i in self.big, fault, raises)

        names = [f"a{j}" for j in self.edges[i]]
        made: dict[str, Any] = {"function": function, "__name__": "faults"}
        arguments = ", ".join(f"{name}={name}" for name in names)
        exec(f"def a{i}({', '.join(names)}): return function({arguments})", made)
        return dg.asset(code_version="1")(made[f"a{i}"])


def play(scenario: Scenario, folder: Path) -> int:
    """Run, break, check, resume, check again. Returns the exit code of the broken run."""
    [code] = run_broken([scenario], folder)
    store = Store(folder / "store")
    done = check(scenario, store)
    before = ran(folder)
    resume(scenario, folder)
    check(scenario, store)
    after = ran(folder)
    for key in done:
        if not scenario.is_spared(key, done):
            continue
        assert after[key] == before[key], f"{key} had succeeded, and ran again"
    assert_complete(scenario, store)
    return code


def play_together(scenario: Scenario, processes: int, folder: Path) -> None:
    """Several processes materialize all assets of one store at once; a fault breaks half of them."""
    whole = replace(scenario, fault=None)
    crowd = [scenario if i % 2 else whole for i in range(processes)]
    run_broken(crowd, folder, stale_only=False)
    store = Store(folder / "store")
    done = check(whole, store)
    before = ran(folder)
    if scenario.fault is None:
        several = [one for one, count in before.items() if count != 1]
        assert all(map(whole.may_run_again, several)), f"not every one was made once: {before}"
    resume(whole, folder)
    after = ran(folder)
    spared = [key for key in done if whole.is_spared(key, done)]
    assert {key: after[key] for key in spared} == {key: before[key] for key in spared}
    assert_complete(whole, store)


def run_broken(scenarios: Iterable[Scenario], folder: Path, stale_only: bool = True) -> list[int]:
    """Run scenarios at once, each in a new process on one store, and return their exit codes.

    No run starts before all have their plan.
    """
    (folder / "ran").mkdir(parents=True, exist_ok=True)
    scenarios = list(scenarios)
    scenarios[0].prepare(Store(folder / "store"))
    planned = _context().Barrier(len(scenarios))
    children = [
        _context().Process(target=_child, args=(scenario, str(folder), stale_only, planned, number))
        for number, scenario in enumerate(scenarios)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join(LONGEST_S)
        if child.exitcode is None:
            child.kill()
            raise AssertionError("the run hangs")
    codes = [child.exitcode for child in children]
    assert EXIT_BUG not in codes, (folder / "bug").read_text()
    assert {*codes} <= {0, EXIT_FAILED, EXIT_BROKEN, -signal.SIGKILL}, codes
    return codes


def check(scenario: Scenario, store: Store) -> set[str]:
    """Check what must hold at any time. Returns the targets that have a value."""
    state = StoreFacts(graph_of(scenario), store)
    done = set()
    for target in state.targets.of(state.graph.order):
        known = state.of(target)
        attempts = list(store.history.attempts(target))
        assert len({a.run_id for a in attempts}) == len(attempts), (
            f"{target} has two attempts of a run"
        )
        if known.current is not None and known.value == "intact":
            loaded = store.values.load(known.current.value)
            assert loaded == scenario.value_of(target), f"{target} has half a value"
            done.add(name_of(target))
    for run_id in store.runs.ids():
        details = run_details(store, run_id)
        assert details.record.status is not RunStatus.STARTED, f"{run_id} counts as running"
        for event in details.events:
            if event.type is EventType.STEP_SUCCESS:
                assert event.step is not None
                made = map(name_of, map(recorded_target, details.record.targets_of(event.step)))
                assert done.issuperset(made), f"{event.step} succeeded, and lacks a value"
        if details.record.status is RunStatus.SUCCESS:
            assert {s.state.value for s in details.steps} <= {"success", "unchanged"}
    return done


def name_of(target: Target) -> str:
    """What a target is called among those that ran: a file name."""
    return target.key.text if target.partition is None else target.file_name


def resume(scenario: Scenario, folder: Path) -> None:
    os.environ["FAULTS_FOLDER"] = str(folder)
    whole = replace(scenario, fault=None, executor="serial")
    outcome = materialize(whole, folder, stale_only=True)
    assert not outcome.errors


def assert_complete(scenario: Scenario, store: Store) -> None:
    state = StoreFacts(graph_of(scenario), store)
    for target in state.targets.of(state.graph.order):
        known = state.of(target)
        assert known.current is not None, f"{target} is missing after resumption"
        assert store.values.load(known.current.value) == scenario.value_of(target)
    assert not scenario.plan(state, stale_only=True, number=0).steps


def ran(folder: Path) -> Counter[str]:
    """The number of times that each target was computed."""
    return Counter({p.name: p.stat().st_size for p in (folder / "ran").iterdir()})


def materialize(
    scenario: Scenario,
    folder: Path,
    *,
    stale_only: bool,
    planned: Callable[[], object] = lambda: None,
    number: int = 0,
) -> RunOutcome:
    graph = graph_of(scenario)
    state = StoreFacts(graph, Store(folder / "store"))
    plan = scenario.plan(state, stale_only=stale_only, number=number)
    planned()
    jobs = None if scenario.executor == "serial" else 2
    setup = RunSetup(echo=False)
    return run_plan(plan, state, executor=make(scenario.executor, jobs), setup=setup)


def graph_of(scenario: Scenario) -> AssetGraph:
    with dg.Registry():
        return dg.Definitions(scenario.assets()).graph


def _value(i: int, inputs: list[list[Any]], big: bool) -> list[Any]:
    return [i, sum(each[1] for each in inputs) + i, "x" * (20_000 if big else 10)]


def _run_asset(
    i: int, inputs: dict[str, Any], big: bool, fault: Fault | None, raises: bool
) -> list[Any]:
    may_break(fault, raises=raises)
    print(f"asset {i}")
    note_run(f"a{i}")
    return _value(i, list(inputs.values()), big)


def may_break(fault: Fault | None, *, raises: bool) -> None:
    """What the function of an asset does first."""
    folder = os.environ["FAULTS_FOLDER"]
    if fault is not None:
        break_at(fault, once=f"{folder}/broken")
    if raises and not os.path.exists(f"{folder}/broken"):
        open(f"{folder}/broken", "w").close()
        raise RuntimeError("as the scenario says")


def note_run(name: str) -> None:
    """Have it noted that a target was computed once more."""
    with open(f"{os.environ['FAULTS_FOLDER']}/ran/{name}", "a") as file:
        file.write("x")


def _child(scenario: Scenario, folder: str, stale_only: bool, barrier: Any, number: int) -> None:
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - as long as the process
    os.environ["FAULTS_FOLDER"] = folder
    fault = scenario.fault

    def planned() -> None:
        barrier.wait(30)
        if fault is not None and fault.kind == "clock":
            _jump(random.Random(scenario.seed))
        elif fault is not None and not fault.in_worker:
            break_at(fault)

    try:
        outcome = materialize(
            scenario, Path(folder), stale_only=stale_only, planned=planned, number=number
        )
    except (AssetGraphError, OSError):
        os._exit(EXIT_BROKEN)
    except BaseException:
        import traceback

        Path(folder, "bug").write_text(traceback.format_exc())
        os._exit(EXIT_BUG)
    os._exit(EXIT_FAILED if outcome.errors else 0)


def break_at(fault: Fault, once: str | None = None) -> None:
    """Count this process's operations on files from now on, and break at the fault's moment.

    With `once`, break only in the first process that gets there: it creates that file.
    """
    if fault.kind not in ("kill", "torn", "EIO", "ENOSPC", "stop") or hasattr(os, "unbroken"):
        return
    os.unbroken = {name: getattr(os, name) for name in OPERATIONS}  # type: ignore[attr-defined]
    left = [fault.moment]

    def broken(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def operation(*args: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] == 0 and (once is None or _first(once)):
                _break(fault.kind, name, real, args)
            return real(*args, **options)

        return operation

    for name, real in os.unbroken.items():  # type: ignore[attr-defined]
        setattr(os, name, broken(name, real))


def _first(path: str) -> bool:
    try:
        os.unbroken["close"](  # type: ignore[attr-defined]
            os.unbroken["open"](path, os.O_CREAT | os.O_EXCL)  # type: ignore[attr-defined]
        )
    except FileExistsError:
        return False
    return True


def _break(kind: str, name: str, real: Callable[..., Any], args: tuple[Any, ...]) -> None:
    if kind in ("EIO", "ENOSPC"):
        if name != "close":
            number = getattr(errno, kind)
            raise OSError(number, os.strerror(number))
    elif kind == "stop":
        pid = os.getpid()
        command = f"kill -STOP {pid}; kill -CONT {pid}"
        subprocess.run(["sh", "-c", command], check=True, stdin=subprocess.DEVNULL)
    else:
        if kind == "torn" and name in ("write", "pwrite"):
            real(args[0], args[1][: len(args[1]) // 2], *args[2:])
        os.kill(os.getpid(), signal.SIGKILL)


def _jump(chance: random.Random) -> None:
    """Make the clock jump back and forth by hours."""
    from assetgraph.records import now

    def jumping() -> datetime:
        return now() + timedelta(hours=chance.uniform(-30, 30))

    runner.now = step.now = jumping  # type: ignore[attr-defined, assignment]


def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["faults", "partition_faults", "multi_faults"])
    return context

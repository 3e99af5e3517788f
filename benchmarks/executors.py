"""Measure the executors: use of the cores, cost of a step, Dask, memory, steps that print a lot.

    python benchmarks/executors.py [cores] [steps] [dask] [memory] [talk] [--repeat 3]

Each figure is a ratio to a floor measured in the same run, or a difference from one. Each
measurement runs in its own process and a fresh folder, and the best of several counts. Two sides
that are compared take turns, so that other work on the machine affects both.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(Path(__file__).parent))

from steps import source  # noqa: E402 - found only now

STEPS = 1000
BURNS = 60
LOOPS = 30_000_000
LINES = 1_000_000


def cores() -> None:
    bare, ours = in_turns(("bare_cores",), ("run_project", "burn", "processes", "2"))
    print(
        f"use of the cores, -j 2: {ours:.1f} s, two bare processes {bare:.1f} s: "
        f"{bare / ours:.2f} of their speed"
    )


def steps() -> None:
    for executor, jobs in (("serial", "1"), ("threads", "2"), ("processes", "2")):
        took = best("run_project", "layered", executor, jobs)
        print(f"a step, {executor}: {took / STEPS * 1000:.2f} ms")


def dask() -> None:
    for shape in ("wide", "chain", "layered"):
        bare, ours = in_turns(("bare_dask", shape), ("run_project", shape, "dask", "2"))
        print(
            f"a step on Dask, {shape}: {ours / STEPS * 1000:.1f} ms, "
            f"bare Dask {bare / STEPS * 1000:.1f} ms: {ours / bare:.2f} x"
        )


def memory() -> None:
    mine = measure("peak_memory", "1")
    run = measure("peak_memory", "10000")
    print(f"peak memory of 10,000 steps: {(run - mine) / 1024:.0f} MB above one step")


def talk() -> None:
    for executor in ("threads", "processes"):
        quiet, took = in_turns(("beside", "quiet", executor), ("beside", "talk", executor))
        print(
            f"a step while another prints {LINES:,} lines, {executor}: {took:.1f} s, "
            f"alone {quiet:.1f} s"
        )


def beside(what: str, executor: str) -> float:
    """The seconds that the step `beside` took."""
    run_project(what, executor, "2")
    from assetgraph.keys import AssetKey, Target
    from assetgraph.storage.store import Store

    made, _ = Store(".assetgraph").history.current(Target(AssetKey("beside")))
    assert made is not None
    assert made.duration_s is not None
    return made.duration_s


def run_project(what: str, executor: str, jobs: str) -> float:
    """The seconds that a run of all the project's assets takes."""
    write_project(what)
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.plan import make_plan
    from assetgraph.project.settings import find_project
    from assetgraph.run.executors import make
    from assetgraph.run.run_setup import RunSetup
    from assetgraph.run.runner import run_plan

    project = find_project()
    graph = project.load().graph.require_valid()
    state = StoreFacts(graph, project.open_store())
    plan = make_plan(state.targets, state, state.targets.of(graph.order))
    os.sync()
    where = make(executor, int(jobs), project=project, computations=graph.computations)
    end = where.shutdown
    if executor == "dask":  # as in `bare_dask`, starting and stopping workers does not count
        where.check(state.store)
        where.shutdown = lambda: None  # type: ignore[method-assign]
    started = time.perf_counter()
    outcome = run_plan(plan, state, executor=where, setup=RunSetup(echo=False))
    took = time.perf_counter() - started
    end()
    assert not outcome.errors, outcome.errors
    return took


def write_project(what: str) -> None:
    texts: dict[str, Callable[[], str]] = {
        "burn": lambda: "".join(
            f"@dg.asset\ndef b{i}():\n    n = 0\n    for k in range({LOOPS}):\n        n += k\n"
            f"    return n\n\n"
            for i in range(BURNS)
        ),
        "quiet": lambda: BESIDE,
        "talk": lambda: BESIDE + TALK,
    }
    text = texts.get(what, lambda: source(what, STEPS, "@dg.asset"))()
    Path("pipeline.py").write_text("import assetgraph as dg\n\n" + text)
    Path("pyproject.toml").write_text('[tool.assetgraph]\nmodule = "pipeline"\n')


BESIDE = """
@dg.asset
def beside():
    return sum(range(60_000_000))
"""
TALK = f"""
@dg.asset
def talks():
    for i in range({LINES}):
        print("a line of some forty characters,", i)
"""


def bare_cores() -> float:
    """The seconds of two bare processes that share the same work."""
    code = (
        f"for i in range({BURNS // 2}):\n    n = 0\n    for k in range({LOOPS}):\n        n += k\n"
    )
    function = "def f():\n" + "".join(f"    {line}\n" for line in code.splitlines()) + "f()"
    started = time.perf_counter()
    pair = [subprocess.Popen([sys.executable, "-c", function]) for _ in range(2)]
    for process in pair:
        process.wait()
    return time.perf_counter() - started


def bare_dask(shape: str) -> float:
    """The seconds of the same graph submitted by hand at once; its tasks write the same values."""
    from distributed import Client, LocalCluster
    from steps import parents

    folder = os.getcwd()

    def task(i: int, *inputs: int) -> int:
        value = i % 7 + sum(inputs) % 1000003
        Path(folder, f"v{i}").write_text(str(value))
        return value

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster) as client,
    ):
        client.run(os.getpid)
        started = time.perf_counter()
        futures: list[object] = []
        for i in range(STEPS):
            inputs = [futures[p] for p in parents(shape, i)]
            futures.append(client.submit(task, i, *inputs, pure=False))
        client.gather(futures)
        return time.perf_counter() - started


def peak_memory(size: str) -> float:
    """The peak memory in KB of a process that runs `size` steps."""
    import assetgraph as dg

    namespace: dict[str, object] = {"__name__": "pipeline"}
    for text in source("layered", int(size)).split("\n\ndef "):
        # One by one, because the syntax tree of all of them together would be the peak.
        exec("def " + text.strip().removeprefix("def "), namespace)
    dg.materialize(
        [dg.asset(namespace[f"n{i}"]) for i in range(int(size))],  # type: ignore[call-overload]
        instance=dg.Instance(".assetgraph"),
    )
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def best(*arguments: str) -> float:
    return min(measure(*arguments) for _ in range(REPEAT))


def in_turns(*sides: tuple[str, ...]) -> list[float]:
    """The best of each side."""
    rounds = [[measure(*side) for side in sides] for _ in range(REPEAT)]
    return [min(times) for times in zip(*rounds, strict=True)]


def measure(*arguments: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, os.path.abspath(__file__), "--one", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            check=True,
        )
    result: float = json.loads(done.stdout.splitlines()[-1])
    return result


REPEAT = 3
FIGURES = {f.__name__: f for f in (cores, steps, dask, memory, talk)}


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        name, *arguments = sys.argv[2:]
        print(json.dumps(globals()[name](*arguments)))
        return
    global REPEAT
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("figures", nargs="*", metavar="|".join(FIGURES))
    parser.add_argument("--repeat", type=int, default=REPEAT)
    given = parser.parse_args()
    REPEAT = given.repeat
    for name in given.figures or FIGURES:
        FIGURES[name]()


if __name__ == "__main__":
    main()

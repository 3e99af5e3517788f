"""What a step costs: chain, wide and layered graphs, each value stored, everything recorded.

    python benchmarks/steps.py [--sizes 10 100 1000 10000] [--peers] [--repeat 3]

The floor is a bare `graphlib` loop that calls the same functions and stores nothing, and `records`
the same loop that writes as many records of the same form: what JSON and the disk cost, without an
engine. The peers, measured with --peers where they are installed, are doit (its file of
dependencies on disk) and Dagster (a persistent instance); Dagster runs at most 100 assets, as it
takes minutes beyond. Each measurement is a process of its own, in a fresh folder, after a sync of
the file system, and after a run of one step, so that what a tool imports when it first runs counts
in none. Our assets are imported as the command line imports a project's.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

SHAPES = ("chain", "wide", "layered")
LAYER = 10


def parents(shape: str, i: int) -> list[int]:
    """The inputs of asset `i`: the one before, none, or three of the layer before."""
    if shape == "chain":
        return [i - 1] if i else []
    if shape == "wide" or i < LAYER:
        return []
    first = (i // LAYER - 1) * LAYER
    return sorted({first + (i + k) % LAYER for k in (0, 3, 7)})


def source(shape: str, size: int, decorator: str = "") -> str:
    """A module of `size` functions that add up their inputs."""
    lines = []
    for i in range(size):
        names = [f"n{p}" for p in parents(shape, i)]
        body = " + ".join([str(i % 7), *names])
        lines.append(f"{decorator}\ndef n{i}({', '.join(names)}):\n    return ({body}) % 1000003\n")
    return "\n".join(lines)


def first() -> None:
    """What each tool runs before it is measured."""


def run_assetgraph(shape: str, size: int) -> float:
    import time

    import assetgraph as dg
    from assetgraph.code.loading import install

    install(Path.cwd())
    namespace = _module("import assetgraph as dg\n" + source(shape, size, "@dg.asset"))
    assets = [namespace[f"n{i}"] for i in range(size)]
    with tempfile.TemporaryDirectory() as folder:
        dg.materialize([dg.asset(first)], instance=dg.Instance(folder))
    instance = dg.Instance(".assetgraph")
    os.sync()
    start = time.perf_counter()
    dg.materialize(assets, instance=instance)
    return time.perf_counter() - start


def run_graphlib(shape: str, size: int) -> float:
    import time
    from graphlib import TopologicalSorter

    namespace = _module(source(shape, size))
    start = time.perf_counter()
    values: dict[int, int] = {}
    for i in TopologicalSorter({i: parents(shape, i) for i in range(size)}).static_order():
        values[i] = namespace[f"n{i}"](*[values[p] for p in parents(shape, i)])
    return time.perf_counter() - start


def run_records(shape: str, size: int) -> float:
    import fcntl
    import time
    from graphlib import TopologicalSorter

    from assetgraph.records import Event, EventType, Materialization, StoredValue, now
    from assetgraph.storage.atomic_files import encoded, encoded_lines

    namespace = _module(source(shape, size))
    os.makedirs("store/assets")
    os.sync()
    start = time.perf_counter()
    log = os.open("store/events.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    values: dict[int, int] = {}
    for i in TopologicalSorter({i: parents(shape, i) for i in range(size)}).static_order():
        key, read = f"n{i}", [f"n{p}" for p in parents(shape, i)]
        os.write(log, encoded_lines([Event(EventType.STEP_START, now(), key)]))
        history = os.open(f"store/assets/{key}.jsonl", os.O_RDWR | os.O_CREAT | os.O_APPEND)
        fcntl.flock(history, fcntl.LOCK_EX | fcntl.LOCK_NB)
        values[i] = namespace[key](*[values[p] for p in parents(shape, i)])
        made = Materialization(
            run_id="20261122-160837-482-4f2a",
            timestamp=now(),
            value=StoredValue("json", "int", inline=str(values[i])),
            data_version=f"{i:032x}",
            code_version=f"{i:020x}",
            inputs=dict.fromkeys(read, f"{i:032x}"),
            duration_s=0.001,
        )
        os.write(history, encoded(made) + b"\n")
        os.close(history)
        version = {"data_version": made.data_version}
        events = [Event(EventType.LOADED_INPUT, now(), key, data={"upstream": n}) for n in read]
        events.append(Event(EventType.STEP_OUTPUT, now(), key, data={"format": "json"}))
        events.append(Event(EventType.ASSET_MATERIALIZATION, now(), key, data=version))
        events.append(Event(EventType.STEP_SUCCESS, now(), key))
        os.write(log, encoded_lines(events))
    os.close(log)
    return time.perf_counter() - start


def run_doit(shape: str, size: int) -> float:
    import time

    from doit.cmd_base import ModuleTaskLoader  # type: ignore[import-not-found]
    from doit.doit_cmd import DoitMain  # type: ignore[import-not-found]

    functions = _module(source(shape, size))

    def action(i: int) -> None:
        values = [int(Path(f"v{p}").read_text()) for p in parents(shape, i)]
        Path(f"v{i}").write_text(str(functions[f"n{i}"](*values)))

    def task_node():  # type: ignore[no-untyped-def]
        for i in range(size):
            yield {
                "name": str(i),
                "actions": [(action, [i])],
                "file_dep": [f"v{p}" for p in parents(shape, i)],
                "targets": [f"v{i}"],
            }

    def task_first():  # type: ignore[no-untyped-def]
        return {"actions": [first]}

    def run(**tasks: object) -> float:
        start = time.perf_counter()
        loader = ModuleTaskLoader({**tasks, "DOIT_CONFIG": {"verbosity": 0}})
        with open(os.devnull, "w") as quiet:
            sys.stdout, before = quiet, sys.stdout
            code = DoitMain(loader).run([])
            sys.stdout = before
        assert not code
        return time.perf_counter() - start

    run(task_first=task_first)
    os.sync()
    return run(task_node=task_node)


def run_dagster(shape: str, size: int) -> float:
    import logging
    import time

    import dagster  # type: ignore[import-not-found]

    logging.disable(logging.CRITICAL)
    namespace = _module("import dagster as dg\n" + source(shape, size, "@dg.asset"))
    assets = [namespace[f"n{i}"] for i in range(size)]
    folder = os.path.abspath("home")
    os.mkdir(folder)
    os.environ["DAGSTER_HOME"] = folder
    dagster.materialize([dagster.asset(first)])
    os.sync()
    start = time.perf_counter()
    with dagster.DagsterInstance.get() as instance:
        dagster.materialize(assets, instance=instance)
    return time.perf_counter() - start


RUNNERS: dict[str, Callable[[str, int], float]] = {
    "graphlib": run_graphlib,
    "records": run_records,
    "assetgraph": run_assetgraph,
    "doit": run_doit,
    "dagster": run_dagster,
}


def measure(tool: str, shape: str, size: int) -> tuple[float, int]:
    """Seconds of one run in a process of its own, and the bytes that it left on disk."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, os.path.abspath(__file__), "--one", tool, shape, str(size)]
        root = str(Path(__file__).parents[1])
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            check=True,
        )
        stored = sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file())
        stored -= Path(folder, "bench_module.py").stat().st_size
        return json.loads(done.stdout.splitlines()[-1]), stored


def _module(text: str) -> dict[str, Callable[..., int]]:
    Path("bench_module.py").write_text(text)
    sys.path.insert(0, "")
    return vars(__import__("bench_module"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000, 10_000])
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        tool, shape, size = options.one
        print(json.dumps(RUNNERS[tool](shape, int(size))))
        return
    # An installed package is compiled, as the peers are; a checkout may not be.
    compileall.compile_dir(Path(__file__).parents[1] / "assetgraph", quiet=1)
    tools = list(RUNNERS) if options.peers else ["graphlib", "records", "assetgraph"]
    print(f"{'shape':8} {'assets':>6} {'tool':10} {'ms a step':>10} {'bytes a step':>13}")
    for shape in SHAPES:
        for size in options.sizes:
            for tool in tools:
                if (tool == "dagster" and size > 100) or (tool == "doit" and size > 1000):
                    continue
                try:
                    results = [measure(tool, shape, size) for _ in range(options.repeat)]
                except subprocess.CalledProcessError:
                    print(f"{shape:8} {size:6} {tool:10} not installed or failed")
                    continue
                seconds, stored = min(results)
                cost, kept = seconds / size * 1000, stored / size
                print(f"{shape:8} {size:6} {tool:10} {cost:10.3f} {kept:13.0f}")


if __name__ == "__main__":
    main()

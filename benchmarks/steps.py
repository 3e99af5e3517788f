"""What a step costs when every value is stored and everything is recorded.

    python benchmarks/steps.py [--sizes 10 100 1000 10000] [--peers] [--repeat 3]
    python benchmarks/steps.py --pairs 25 [--sizes 1000]

The first command measures four graphs: a chain, assets beside each other, layers of 10, and a
script. It prints the best of several measurements. `graphlib` is a bare loop that calls the same
functions and stores nothing. `records` is the same loop writing as many records of the same form:
the cost of JSON and the disk without an engine. With --peers, doit (its dependency file on disk)
and Dagster (a persistent instance) are measured too, where they are installed. Dagster gets at most
100 assets because more take minutes.

In the first three graphs, assets are imported the way the command line imports a project. The
graph `script` has layers of 31; Python's own `import` loads it in a script that calls
`materialize(defs, instance=Instance(folder))`.

The second command compares assetgraph with doit on layers of 10 and on the script. The two take
turns, as many times as --pairs says, and the spread of the ratios is printed: one pair says little
on a machine that does other work.

Each measurement runs in its own process and a fresh folder, after a sync of the file system. One
step runs before the clock starts, so that the imports of a first run do not count. Set
TMPDIR=/dev/shm to measure on a RAM disk.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

SHAPES = ("chain", "wide", "layered", "script")
LAYER = {"layered": 10, "script": 31}


def parents(shape: str, i: int) -> list[int]:
    """The inputs of asset `i`: the asset before it, none, or three of the layer before."""
    if shape == "chain":
        return [i - 1] if i else []
    if shape == "wide" or i < LAYER[shape]:
        return []
    width = LAYER[shape]
    first = (i // width - 1) * width
    return sorted({first + (i + k) % width for k in (0, 3, 7)})


def source(shape: str, size: int, decorator: str = "") -> str:
    """A module of `size` functions, each adding up its inputs."""
    lines = []
    for i in range(size):
        names = [f"n{p}" for p in parents(shape, i)]
        body = " + ".join([str(i % 7), *names])
        lines.append(f"{decorator}\ndef n{i}({', '.join(names)}):\n    return ({body}) % 1000003\n")
    return "\n".join(lines)


def first() -> None:
    """The step that each tool runs before it is measured."""


def run_assetgraph(shape: str, size: int) -> float:
    import time

    import assetgraph as dg

    if shape != "script":  # import the module as the command line does
        from assetgraph.code.importer import install

        install(Path.cwd())
    namespace = _module("import assetgraph as dg\n" + source(shape, size, "@dg.asset"))
    defs = dg.Definitions([namespace[f"n{i}"] for i in range(size)])
    with tempfile.TemporaryDirectory() as folder:
        dg.materialize([dg.asset(first)], instance=dg.Instance(folder))
    instance = dg.Instance(".assetgraph")
    os.sync()
    start = time.perf_counter()
    dg.materialize(defs, instance=instance)
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
    """The seconds of one run in its own process, and the bytes it left on disk."""
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


def compare(shape: str, size: int, pairs: int) -> None:
    """Print how assetgraph compares with doit over many pairs, of which each goes first in half."""
    times: dict[str, list[float]] = {"assetgraph": [], "doit": []}
    for turn in range(pairs):
        for tool in sorted(times, reverse=bool(turn % 2)):
            times[tool].append(measure(tool, shape, size)[0] / size * 1000)
    ratios = [ours / doits for ours, doits in zip(*times.values(), strict=True)]
    ours, doits = (statistics.median(costs) for costs in times.values())
    lower, middle, upper = statistics.quantiles(ratios, n=4)
    print(f"{shape}, {size} assets, {pairs} pairs, medians: {ours:.3f} ms a step, doit {doits:.3f}")
    print(
        f"  times doit's: median {middle:.2f}, quartiles {lower:.2f} to {upper:.2f}, "
        f"range {min(ratios):.2f} to {max(ratios):.2f}",
        flush=True,
    )


def _module(text: str) -> dict[str, Callable[..., int]]:
    Path("bench_module.py").write_text(text)
    sys.path.insert(0, "")
    return vars(__import__("bench_module"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--pairs", type=int, help="compare with doit in so many pairs, at least 2")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        tool, shape, size = options.one
        print(json.dumps(RUNNERS[tool](shape, int(size))))
        return
    # An installed package has its bytecode, as the peers do; a checkout may not.
    compileall.compile_dir(Path(__file__).parents[1] / "assetgraph", quiet=1)
    if options.pairs:
        for size in options.sizes or [1000]:
            for shape in LAYER:
                compare(shape, size, options.pairs)
        return
    tools = list(RUNNERS) if options.peers else ["graphlib", "records", "assetgraph"]
    print(f"{'shape':8} {'assets':>6} {'tool':10} {'ms a step':>10} {'bytes a step':>13}")
    for shape in SHAPES:
        for size in options.sizes or [10, 100, 1000, 10_000]:
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

"""Measure how long it takes to find that there is nothing to do, for 1000 fresh assets in layers.

    python benchmarks/nothing_to_do.py [--size 1000] [--peers] [--repeat 3]

Every tool runs the graph once. It then checks the graph again in a new process, whose imports do
not count. "cold" is assetgraph without its cache of code versions; in "reading", each asset has
read three files in its body. With --peers, doit, Hamilton (with its cache) and redun are measured
in the same run, where they are installed. redun gets at most 50 tasks, because its time grows
faster than their number; it does not finish 1000 within minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from steps import parents, source


def check_assetgraph(size: int, text: str = "") -> float:
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.request import RunRequest, plan_run
    from assetgraph.project.settings import Project, find_project
    from assetgraph.run.runner import run_plan

    text = text or source("layered", size, "@dg.asset")
    _write("pipeline", "import assetgraph as dg\n" + text)
    Path("pyproject.toml").write_text('[tool.assetgraph]\nmodule = "pipeline"\n')
    project: Project = find_project()
    graph = project.load().graph
    start = time.perf_counter()
    state = StoreFacts(graph.require_valid(), project.open_store())
    plan = plan_run(RunRequest(stale=True), state)
    spent = time.perf_counter() - start
    if plan.steps:
        run_plan(plan, state)
    return spent


def check_reading(size: int) -> float:
    """Every asset has read three files of its own in its body."""
    lines = []
    for line in source("layered", size, "@dg.asset").splitlines():
        lines.append(line)
        if line.startswith("def "):
            name = line[4 : line.index("(")]
            lines.append(f"    for k in range(3): open(f'files/{name}_{{k}}.csv').close()")
    if not os.path.exists("files"):
        os.mkdir("files")
        for i in range(size):
            for k in range(3):
                Path(f"files/n{i}_{k}.csv").write_text(f"{i},{k}\n")
        time.sleep(2.1)  # or their stamps would not be trusted yet
    return check_assetgraph(size, "\n".join(lines))


def check_cold(size: int) -> float:
    shutil.rmtree(".assetgraph/cache", ignore_errors=True)
    return check_assetgraph(size)


def check_doit(size: int) -> float:
    from steps import run_doit

    return run_doit("layered", size)


def check_hamilton(size: int) -> float:
    from hamilton import driver  # type: ignore[import-not-found]

    text = "".join(
        f"def n{i}({', '.join(f'n{p}: int' for p in parents('layered', i))}) -> int:\n"
        f"    return {' + '.join([str(i % 7), *(f'n{p}' for p in parents('layered', i))])}\n\n"
        for i in range(size)
    )
    module = _imported("pipeline", text)
    start = time.perf_counter()
    built = driver.Builder().with_modules(module).with_cache(path="cache").build()
    built.execute([f"n{i}" for i in range(size - 10, size)])
    return time.perf_counter() - start


def check_redun(size: int) -> float:
    from redun import Scheduler  # type: ignore[import-not-found]
    from redun.backends.db import RedunBackendDb  # type: ignore[import-not-found]

    text = "from redun import task\nredun_namespace = 'bench'\n"
    text += source("layered", size, "@task()")
    text += "\n@task()\ndef everything():\n"
    for i in range(size):
        names = ", ".join(f"v{p}" for p in parents("layered", i))
        text += f"    v{i} = n{i}({names})\n"
    text += f"    return [{', '.join(f'v{i}' for i in range(size - 10, size))}]\n"
    module = _imported("pipeline", text)
    start = time.perf_counter()
    backend = RedunBackendDb(db_uri="sqlite:///redun.db")
    backend.load()
    Scheduler(backend=backend).run(module.everything())
    return time.perf_counter() - start


MOST = {"redun": 50}

RUNNERS: dict[str, Callable[[int], float]] = {
    "assetgraph": check_assetgraph,
    "cold": check_cold,
    "reading": check_reading,
    "doit": check_doit,
    "hamilton": check_hamilton,
    "redun": check_redun,
}


def measure(tool: str, size: int, repeat: int) -> float:
    """The seconds of the fastest of `repeat` checks, after one run of everything."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, os.path.abspath(__file__), "--one", tool, "--size", str(size)]
        seconds = []
        for _ in range(repeat + 1):
            done = subprocess.run(
                command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
            )
            seconds.append(json.loads(done.stdout.splitlines()[-1]))
    return min(seconds[1:])


def _write(name: str, text: str) -> None:
    if not Path(f"{name}.py").exists():
        Path(f"{name}.py").write_text(text)


def _imported(name: str, text: str) -> Any:
    _write(name, text)
    sys.path.insert(0, "")
    return __import__(name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(RUNNERS[options.one](options.size)))
        return
    for tool in RUNNERS if options.peers else ("assetgraph", "cold", "reading"):
        size = min(options.size, MOST.get(tool, options.size))
        try:
            seconds = measure(tool, size, options.repeat)
            each = seconds / size * 1000
            print(f"{tool:10} {seconds:8.3f} s for {size} assets, {each:.3f} ms each", flush=True)
        except subprocess.CalledProcessError:
            print(f"{tool:10} not installed, or failed", flush=True)


if __name__ == "__main__":
    main()

"""Measure how long a command takes from start to end, with its output in a pipe.

    python benchmarks/startup.py [--repeat 21] [--peers]

Commands that need no graph are compared with `import click`, and commands that need it with
`import networkx, click`. The project has ten assets that import nothing else. All run in the same
interpreter with compiled bytecode, as in an installation, and take turns; the figures are medians.
`materialize n0` runs a step that does nothing, and may take half a second in all. With --peers,
`dagster asset list`, `dg list defs` and `doit list` are measured on ten tasks, where they are
installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
ASSETS = 10
WITHOUT_GRAPH = ("--help", "runs list", "runs show latest")
WITH_GRAPH = ("list", "lineage", "plan", "check")
RUN = "from assetgraph.cli import main; main()"


@dataclass(frozen=True)
class Case:
    """A command to measure. Its median may be at most `limit` times that of the case `of`, and at
    most `limit_ms` milliseconds."""

    name: str
    command: list[str]
    of: str | None = None
    limit: float | None = None
    limit_ms: int | None = None


def assetgraph(*arguments: str) -> list[str]:
    """Start a command as the installed script does."""
    return [sys.executable, "-c", RUN, *arguments]


def cases(peers: bool) -> list[Case]:
    small = Case("import click", [sys.executable, "-c", "import click"])
    large = Case("import networkx, click", [sys.executable, "-c", "import networkx, click"])
    found = [
        small,
        *(Case(words, assetgraph(*words.split()), small.name, 1.8) for words in WITHOUT_GRAPH),
        large,
        *(Case(words, assetgraph(words), large.name, 1.5) for words in WITH_GRAPH),
        Case("materialize n0", assetgraph("materialize", "n0"), limit_ms=500),
    ]
    if peers and importlib.util.find_spec("dagster"):
        command = [sys.executable, "-m", "dagster", "asset", "list", "-f", "with_dagster.py"]
        found.append(Case("dagster asset list", command))
    dg = shutil.which("dg", path=str(Path(sys.executable).parent))
    if peers and dg:
        found.append(Case("dg list defs", [dg, "list", "defs", "-m", "with_dagster"]))
    if peers and importlib.util.find_spec("doit"):
        found.append(Case("doit list", [sys.executable, "-m", "doit", "list"]))
    return found


def make_project(folder: Path) -> None:
    """Write a project of ten assets, and the same ten for the other tools."""
    chain = [f"def n{i}({f'n{i - 1}' if i else ''}): ..." for i in range(ASSETS)]
    for name, library in (("pipeline", "assetgraph"), ("with_dagster", "dagster")):
        lines = [f"@dg.asset\n{function}\n" for function in chain]
        (folder / f"{name}.py").write_text(f"import {library} as dg\n" + "".join(lines))
    tasks = [f"def task_n{i}():\n    return {{'actions': None}}\n" for i in range(ASSETS)]
    (folder / "dodo.py").write_text("".join(tasks))
    (folder / "pyproject.toml").write_text('[tool.assetgraph]\nmodule = "pipeline"\n')


def measure(found: list[Case], folder: Path, repeat: int) -> dict[str, float]:
    """The median seconds of each case. A first turn, which fills caches, does not count."""
    times: dict[str, list[float]] = {case.name: [] for case in found}
    for turn in range(repeat + 1):
        for case in found:
            start = time.perf_counter()
            run(case.command, folder)
            if turn:
                times[case.name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def run(command: list[str], folder: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
    }
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeat", type=int, default=21)
    parser.add_argument("--peers", action="store_true")
    arguments = parser.parse_args()
    found = cases(arguments.peers)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_project(folder)
        run(assetgraph("materialize", "--all"), folder)
        medians = measure(found, folder, arguments.repeat)
    print(f"{'':24} {'ms':>6}  {'ratio':>5}  {'limit':>5}")
    for case in found:
        row = f"{case.name:24} {medians[case.name] * 1000:6.0f}"
        if case.of:
            row += f"  {medians[case.name] / medians[case.of]:5.2f}  {case.limit:5}"
        elif case.limit_ms:
            row += f"  {'':5}  {case.limit_ms:2} ms"
        print(row)


if __name__ == "__main__":
    main()

"""Measure how long a command takes to find nothing to do in a project of ten large modules.

    python benchmarks/large_projects.py [--sizes 10000 50000] [--repeat 5] [--before OLD]

The figure is the processor time of the whole command `materialize --stale`, from start to end, less
that of the floor: a process that only imports those modules, networkx and click with Python's own
import. All take turns, and the least of all repeats counts. "cold" is without bytecode and without
the store's cache; its floor compiles the modules too. OLD is the folder of another checkout, to
compare with.
"""

from __future__ import annotations

import argparse
import compileall
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from loader import write

ROOT = Path(__file__).parents[1]
MODULES = 10
RUN = "from assetgraph.cli import main; main()"
FLOOR = f"""
import gc, sys
sys.path.insert(0, "")
import click, networkx
import assetgraph.definitions.decorator
gc.disable()
for number in range({MODULES}):
    __import__(f"pipeline.part{{number}}")
"""
STALE = ("-c", RUN, "materialize", "--stale")
Commands = dict[str, tuple[Path, tuple[str, ...]]]


def spent(checkout: Path, arguments: tuple[str, ...], folder: Path) -> float:
    """The processor time of a Python process, in seconds."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{arguments} failed")
    return usage.ru_utime + usage.ru_stime


def forget(folder: Path) -> None:
    shutil.rmtree(folder / ".assetgraph/cache", ignore_errors=True)
    for cache in folder.rglob("__pycache__"):
        shutil.rmtree(cache)


def measure(size: int, repeat: int, commands: Commands) -> None:
    with tempfile.TemporaryDirectory() as place:
        projects = {}
        for name, (checkout, _) in commands.items():
            folder = projects[name] = Path(place, name)
            write(folder, MODULES, size // MODULES)
            settings = '[tool.assetgraph]\nmodule = "pipeline"\n'
            (folder / "pyproject.toml").write_text(settings)
            if name != "floor":
                spent(checkout, ("-c", RUN, "materialize", "--all"), folder)
        for how in ("warm", "cold"):
            times: dict[str, list[float]] = {name: [] for name in commands}
            for number in range(repeat + 1):
                for name, (checkout, arguments) in commands.items():
                    if how == "cold":
                        forget(projects[name])
                    took = spent(checkout, arguments, projects[name])
                    if number or how == "cold":  # else it fills the caches
                        times[name].append(took)
            floor = min(times.pop("floor"))
            print(f"{size} assets, {how}: the floor {floor:.2f} s", flush=True)
            for name, found in times.items():
                beside = min(found) - floor
                print(f"  {name:7}{beside:6.2f} s beside it, {beside / size * 1e6:.0f} µs an asset")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--before", type=Path)
    options = parser.parse_args()
    commands: Commands = {"floor": (ROOT, ("-c", FLOOR)), "now": (ROOT, STALE)}
    if options.before:
        commands["before"] = (options.before.resolve(), STALE)
    for checkout, _ in commands.values():
        compileall.compile_dir(checkout / "assetgraph", quiet=1)
    for size in options.sizes:
        measure(size, options.repeat, commands)


if __name__ == "__main__":
    main()

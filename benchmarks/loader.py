"""Compare our loader with Python's own import of the same modules, all caches warm.

    python benchmarks/loader.py [--repeat 30]

Each import has a process of its own, which imports assetgraph before the clock starts. They take
turns, and the least processor time counts. "bytecode" is our loader with bytecode that Python keeps
beside the modules; "store" is our loader where Python writes none, and the store keeps it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from steps import parents

ROOT = Path(__file__).parents[1]
SHAPES = ((10, 1000), (100, 10))  # modules, and assets in each
GOAL = 1.1
IMPORT = """
import gc, sys, time
import assetgraph.definitions.decorator
from pathlib import Path
from assetgraph.project.load import load_definitions, importer, _cache
sys.path.insert(0, "")
if sys.argv[1] != "python":
    importer.install(".").cache = _cache(Path(".assetgraph"))
names = [f"pipeline.part{number}" for number in range(int(sys.argv[2]))]
gc.disable()
start = time.process_time()
for name in names:
    __import__(name)
print(time.process_time() - start)
"""


def write(folder: Path, modules: int, each: int) -> None:
    """A package of assets in layers; the modules read each other's."""
    (folder / ".assetgraph").mkdir(parents=True)
    (folder / "pipeline").mkdir()
    (folder / "pipeline/__init__.py").touch()
    for module in range(modules):
        lines = ["import assetgraph as dg\n"]
        for i in range(module * each, (module + 1) * each):
            names = [f"n{parent}" for parent in parents("layered", i)]
            body = " + ".join([str(i % 7), *names])
            lines.append(f"@dg.asset\ndef n{i}({', '.join(names)}):\n    return {body}\n")
        (folder / f"pipeline/part{module}.py").write_text("\n".join(lines))


def seconds(how: str, folder: Path, modules: int) -> float:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if how == "store":
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, "-c", IMPORT, how, str(modules)]
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, check=True)
    return float(done.stdout)


def measure(modules: int, each: int, repeat: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        found: dict[str, list[float]] = {"python": [], "bytecode": [], "store": []}
        for how in found:
            write(Path(place, how), modules, each)
        for _ in range(repeat + 1):  # the first round fills the caches
            for how, times in found.items():
                times.append(seconds(how, Path(place, how), modules))
    least = {how: min(times[1:]) for how, times in found.items()}
    print(f"{modules} modules of {each} assets: Python's own import {least['python']:.4f} s")
    for how in ("bytecode", "store"):
        ratio = least[how] / least["python"]
        print(f"  {how:9}{least[how]:.4f} s, {ratio:.2f} x (goal {GOAL} x)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeat", type=int, default=30)
    options = parser.parse_args()
    for modules, each in SHAPES:
        measure(modules, each, options.repeat)


if __name__ == "__main__":
    main()

"""What a function of many assets costs beside as many functions of one.

    python benchmarks/several_outputs.py [--outputs 1000] [--pairs 7]

It prints the time of a run (processor time, and by the clock) and the bytes of the store, of
assets that each return their value, and of one `@multi_asset` that yields as many. The two take
turns, each in a process of its own and a fresh folder. The last line has the middle of the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import assetgraph as dg

Figures = dict[str, float]


def assets(kind: str, count: int) -> list[dg.Asset]:
    def alone(number: int) -> dg.Asset:
        made: dict[str, Any] = {}
        exec(f"def a{number}(): return {list(range(number % 9))}", made)
        return dg.asset(made[f"a{number}"])

    if kind == "assets":
        return [alone(number) for number in range(count)]

    @dg.multi_asset(specs=[dg.AssetSpec(f"a{number}") for number in range(count)])
    def several() -> Any:
        for number in range(count):
            yield dg.Output(list(range(number % 9)), f"a{number}")

    return [several]


def run(kind: str, count: int, folder: Path) -> Figures:
    instance = dg.Instance(folder / "warm")
    dg.materialize(assets(kind, 3), instance=instance)  # the imports of a first run do not count
    made = assets(kind, count)
    instance = dg.Instance(folder / "store")
    os.sync()
    began, processor = time.perf_counter(), time.process_time()
    dg.materialize(made, instance=instance)
    processor_s, clock_s = time.process_time() - processor, time.perf_counter() - began
    files = [path for path in (folder / "store").rglob("*") if path.is_file()]
    return {
        "processor_s": processor_s,
        "clock_s": clock_s,
        "bytes": sum(path.stat().st_size for path in files),
        "blocks": sum(path.stat().st_blocks for path in files) * 512,
    }


def measured(kind: str, count: int) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--child", kind, folder, "--outputs", str(count)]
        ended = subprocess.run(command, check=True, capture_output=True, text=True)
    found: Figures = json.loads(ended.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--outputs", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(run(given.child[0], given.outputs, Path(given.child[1]))))
        return
    ratios: dict[str, list[float]] = {}
    for _ in range(given.pairs):
        alone, several = measured("assets", given.outputs), measured("several", given.outputs)
        for name, one in alone.items():
            ratios.setdefault(name, []).append(several[name] / one)
        print(*(f"{name} {alone[name]:.6g} {several[name]:.6g}" for name in alone), sep="  ")
    print(*(f"{name} × {statistics.median(found):.2f}" for name, found in ratios.items()), sep="  ")


if __name__ == "__main__":
    main()

"""Compare the time to save, load and check values of every kind in two checkouts.

    python benchmarks/values_before_and_after.py OLD NEW [--rounds 3] [--folder /dev/shm/values]

The checkouts take turns, each in a process of its own, and the least time of each counts. The
ratios are those of NEW to OLD; on a RAM disk they are the highest, since there a write costs
nothing beside what assetgraph does itself.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CALLS = 100  # of a small value
WHAT = ("save", "load", "check")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkouts", nargs=2, help="the folders of two checkouts: OLD NEW")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", default="/dev/shm/values", help="where values are written")
    options = parser.parse_args()
    best: list[dict[str, list[float]]] = [{}, {}]
    for _ in range(options.rounds):
        for found, checkout in zip(best, options.checkouts, strict=True):
            for name, times in measured(checkout, options.folder).items():
                found[name] = [min(two) for two in zip(found.get(name, times), times, strict=True)]
    old, new = best
    print(f"{'microseconds, old and new':28}" + "".join(f"{what:>28}" for what in WHAT))
    for name in old:
        pairs = zip(old[name], new[name], strict=True)
        print(f"{name:28}" + "".join(f"{a:11.1f}{b:11.1f}{b / a:6.2f}" for a, b in pairs))


def measured(checkout: str, folder: str) -> dict[str, list[float]]:
    command = [sys.executable, "-P", __file__, "--worker", checkout, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    times: dict[str, list[float]] = json.loads(done.stdout)
    return times


def worker(checkout: str, folder: str) -> None:
    sys.path.insert(0, checkout)
    from assetgraph.storage.value_store import ValueStore

    assert sys.modules["assetgraph"].__file__ == f"{checkout}/assetgraph/__init__.py"
    times = {}
    for name, (value, calls) in examples().items():
        shutil.rmtree(folder, ignore_errors=True)
        Path(folder).mkdir()
        times[name] = least(ValueStore("values", folder), value, calls)
    shutil.rmtree(folder)
    print(json.dumps(times))


def examples() -> dict[str, tuple[Any, int]]:
    """Values, and how often each is saved."""
    import numpy as np
    import pyarrow as pa

    random = np.random.default_rng(0)
    noise = random.bytes(64 << 20)
    numbers = {"id": np.arange(8 << 20), "zone": random.integers(0, 5, 8 << 20)}
    return {
        "a number": (5, CALLS),
        "a record": ({"rows": 3, "columns": ["a", "b"]}, CALLS),
        "5 KB of text": ("x" * 5000, CALLS),
        "a pickled tuple": ((1, 2), CALLS),
        "a table of 3 rows": (pa.table({"a": [1, 2, 3], "b": ["x", "y", None]}), CALLS),
        "64 MB of bytes": (noise, 1),
        "a tuple with 64 MB of bytes": ((noise,), 1),
        "a dict with an array, 64 MB": ({"a": random.normal(size=8 << 20)}, 1),
        "300,000 tuples": ([(number, str(number)) for number in range(300_000)], 1),
        "a table of noise, 64 MB": (pa.table({"a": random.normal(size=8 << 20)}), 1),
        "a table of numbers, 128 MB": (pa.table(numbers), 1),
        "a table of 1000 columns": (
            pa.table({f"c{number}": random.normal(size=200) for number in range(1000)}),
            1,
        ),
        "an Arrow file, 32 MB": (pa.table({"at": pa.array(range(4 << 20), pa.timestamp("s"))}), 1),
    }


def least(values: Any, value: object, calls: int) -> list[float]:
    """The least microseconds of seven rounds to save, load and check the value."""
    from assetgraph.keys import AssetKey, Target

    target = Target(AssetKey("benchmark"))
    found = []
    for round_ in range(7):
        saved = values.save(target, "run", value).stored
        found.append(
            (
                timed(calls, lambda n, r=round_: values.save(target, f"run {r} {n}", value)),
                timed(calls, lambda _, saved=saved: values.load(saved)),
                timed(calls, lambda _, saved=saved: values.check(saved)),
            )
        )
        for run in list(values.runs()):
            values.delete(run.folder)
    return [min(times) for times in zip(*found, strict=True)]


def timed(calls: int, call: Callable[[int], object]) -> float:
    start = time.perf_counter()
    for number in range(calls):
        call(number)
    return (time.perf_counter() - start) / calls * 1e6


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        worker(*sys.argv[2:])
    else:
        main()

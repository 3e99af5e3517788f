"""What it costs to commit to the history of an asset.

    python benchmarks/histories.py [--folder DIR] [--rounds 40]

Microseconds for one line of 700 bytes, the least of many rounds: the append alone by the holder of
the lock on an asset, and on a partition; then with taking and releasing that lock, as a step does.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from assetgraph.keys import AssetKey, Target
from assetgraph.records import Materialization, StoredValue, now
from assetgraph.storage.store import Store

COMMITS = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", help="where the store is")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="histories-", dir=options.folder))
    try:
        for target in (Target(AssetKey("asset")), Target(AssetKey("partitioned"), "2023-03")):
            measure(Store(folder), target, options.rounds)
    finally:
        shutil.rmtree(folder)


def measure(store: Store, target: Target, rounds: int) -> None:
    store.prepare()
    value = StoredValue("json", "list", inline="[" + "1," * 240 + "1]")
    line = Materialization("a run", now(), value, "v", partition=target.partition)
    lock = store.lock(target)

    def step() -> None:
        lock.acquire()
        lock.append(line)
        lock.release()

    lock.acquire()
    alone = microseconds(lambda: lock.append(line), rounds)
    lock.release()
    whole = microseconds(step, rounds)
    print(f"{target}: append {alone:.1f} µs, lock + append + release {whole:.1f} µs")


def microseconds(act: Callable[[], object], rounds: int) -> float:
    """Of one call, in the fastest of `rounds` rounds."""
    least = float("inf")
    for _ in range(rounds):
        begun = time.perf_counter()
        for _ in range(COMMITS):
            act()
        least = min(least, time.perf_counter() - begun)
    return least / COMMITS * 1e6


if __name__ == "__main__":
    main()

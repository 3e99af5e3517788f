"""What it costs to observe what steps read: a step, an opened file, and hashing.

    python benchmarks/observed_reads.py [--steps 300] [--repeat 12]

A step is one of a chain that reads nothing: the least processor time of several runs, before any
step was observed and after it. An open is that of one of 2000 files by a step, beyond the same loop
outside a run; the files are old, so that none is hashed when it is opened. Hashing is that of 256
MB in files of 16 MB, beside blake2b on the same bytes in memory, and beside reading the files and
then hashing those bytes, which is the floor. Reading costs more on a RAM disk than from the cache
of a disk.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import assetgraph as dg
from assetgraph.api import Instance
from assetgraph.run import observed_reads
from assetgraph.storage.formats.digest import digest_of_file
from assetgraph.storage.store import Store

OLD = (1_600_000_000, 1_600_000_000)


def chain(length: int) -> list[Any]:
    assets = []
    for number in range(length):
        names: dict[str, Any] = {}
        upstream = f"a{number - 1}" if number else ""
        exec(f"def a{number}({upstream}): return {number}", names)
        assets.append(dg.asset(names[f"a{number}"]))
    return assets


def step_us(length: int, observe: bool) -> float:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"{folder}/store", project_root=folder, observe_reads=observe)
        assets = chain(length)
        began = time.process_time()
        dg.materialize(assets, instance=Instance._of(store))
        return (time.process_time() - began) / length * 1e6


def open_us(count: int) -> tuple[float, float]:
    """One open of a file outside a run, and what observing adds to it."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number in range(count):
            path = Path(folder, f"{number}.txt")
            path.write_text("x")
            os.utime(path, OLD)
            paths.append(str(path))
        time.sleep(2.1)  # the change of their times is a change too
        plain = loop_us(paths)
        taken: list[float] = []

        @dg.asset
        def reads() -> None:
            taken.append(loop_us(paths))

        store = Store(f"{folder}/store", project_root=folder)
        ended = observed_reads.observed_reads
        try:
            observed_reads.observed_reads = lambda *_: ()  # type: ignore[assignment]
            dg.materialize([reads], instance=Instance._of(store))
        finally:
            observed_reads.observed_reads = ended
        return plain, taken[0] - plain


def loop_us(paths: list[str]) -> float:
    began = time.process_time()
    for path in paths:
        with open(path, "rb"):
            pass
    return (time.process_time() - began) / len(paths) * 1e6


def hashing() -> tuple[float, float, float]:
    """MB a second: of blake2b on bytes in memory, of reading files, and of hashing files."""
    data = os.urandom(1 << 24)
    buffer = bytearray(1 << 20)
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{number}" for number in range(16)]
        for path in paths:
            Path(path).write_bytes(data)
        plain, read, files = [], [], []
        for _ in range(5):
            plain.append(seconds(lambda _: blake2b(data, digest_size=16).hexdigest(), paths))
            read.append(seconds(lambda path: read_whole(path, buffer), paths))
            files.append(seconds(digest_of_file, paths))
    size = len(paths) * len(data) / 1e6
    return size / min(plain), size / min(read), size / min(files)


def seconds(does: Callable[[str], object], paths: list[str]) -> float:
    began = time.perf_counter()
    for path in paths:
        does(path)
    return time.perf_counter() - began


def read_whole(path: str, buffer: bytearray) -> None:
    with open(path, "rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--repeat", type=int, default=12)
    options = parser.parse_args()
    step_us(50, False)
    before = [step_us(options.steps, False) for _ in range(options.repeat)]
    step_us(50, True)  # from here on, Python reports to the hook
    after = [step_us(options.steps, True) for _ in range(options.repeat)]
    ratio = min(after) / min(before)
    print(f"a step: {min(before):.0f} µs, observed {min(after):.0f} µs: {ratio:.3f}")
    plain, more = min((open_us(2000) for _ in range(3)), key=lambda pair: pair[1])
    print(f"an open: {plain:.1f} µs, observed {more:.1f} µs more")
    memory, read, files = hashing()
    floor = 1 / (1 / memory + 1 / read)
    print(f"blake2b: {memory:.0f} MB/s, reading: {read:.0f} MB/s, one after the other: {floor:.0f}")
    print(f"files: {files:.0f} MB/s: {files / memory:.2f} of blake2b, {files / floor:.2f} of both")


if __name__ == "__main__":
    main()

"""Measure the cost of storing values: the time of small ones, the speed of large ones, and the
memory of a stream.

    python benchmarks/values.py [--gb 1] [--folder DIR] [small] [large] [stream]

A large value is compared with its bounds: the hash alone over memory, a bare write of the same
bytes, and pyarrow's own writer for the same table. A stream is written, and then read as a reader
and as a dataset, each in its own process. The memory is the peak beyond that of the imports.
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
from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq

from assetgraph.keys import AssetKey, Target
from assetgraph.records import StoredValue
from assetgraph.storage.formats.arrow.content_hash import ArrowHash
from assetgraph.storage.formats.arrow.table_writer import PARQUET
from assetgraph.storage.value_store import ValueStore

TARGET = Target(AssetKey("benchmark"))
ROWS = 200_000
CHUNK = 64 << 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gb", type=float, default=1.0, help="the size of a large value in GB")
    parser.add_argument("--folder", help="where to write: a folder on the disk to measure")
    parser.add_argument("parts", nargs="*", default=["small", "large", "stream"])
    options = parser.parse_args()
    for part in options.parts:
        folder = Path(tempfile.mkdtemp(prefix="values-", dir=options.folder))
        try:
            PARTS[part](folder, options.gb)
        finally:
            shutil.rmtree(folder)


def small(folder: Path, _: float) -> None:
    """Print the microseconds to save, check and load small values."""
    values = ValueStore("values", folder)
    examples = {
        "a number": 5,
        "a record": {"rows": 3, "columns": ["a", "b"], "source": "TLC"},
        "50 records": [{"id": i, "fare": i * 1.5} for i in range(50)],
        "5 KB of text, a file": "x" * 5000,
        "a pickled tuple, a file": (1, 2),
        "a table of 3 rows, a file": pa.table({"a": [1, 2, 3], "b": ["x", "y", None]}),
    }
    for name, value in examples.items():
        stored = values.save(TARGET, "run", value).stored
        numbers = count()
        save = microseconds(lambda v=value, n=numbers: values.save(TARGET, f"run {next(n)}", v))
        check = microseconds(lambda stored=stored: values.check(stored))
        load = microseconds(lambda stored=stored: values.load(stored))
        print(f"{name:26} save {save:7.1f} us   check {check:5.2f} us   load {load:7.1f} us")


def large(folder: Path, gb: float) -> None:
    """Print the megabytes a second of large values and of their bounds."""
    size = int(gb * 1e9)
    block = os.urandom(CHUNK)
    values = ValueStore("values", folder)
    file = folder / "raw"

    def write() -> None:
        with file.open("wb") as sink:
            for _ in range(-(-size // CHUNK)):
                sink.write(block)
            sink.flush()
            os.fsync(sink.fileno())

    speed("disk: write and fsync", size, write)
    speed("hash alone: blake2b in memory", CHUNK * 8, lambda: [blake2b(block) for _ in range(8)])
    speed("a returned path", size, lambda: values.save(TARGET, "path", file))
    file.unlink()
    data = block * max(1, size // CHUNK)
    speed("bytes", len(data), lambda: values.save(TARGET, "bytes", data))
    speed("a pickle", len(data), lambda: values.save(TARGET, "pickle", (data,)))
    table = pa.Table.from_batches([numbered_batch(i) for i in range(10)])
    speed("hash alone: a table in memory", table.nbytes, lambda: hash_of(table))
    speed(
        "pyarrow alone: the same table as Parquet",
        table.nbytes,
        lambda: pq.write_table(table, folder / "bare.parquet", **PARQUET),
    )
    speed("a table", table.nbytes, lambda: values.save(TARGET, "table", table))


def stream(folder: Path, gb: float) -> None:
    written = in_process("write", folder, gb)
    stored = msgspec.convert(written["stored"], StoredValue)
    print(
        f"stream of {written['bytes'] / 1e9:.1f} GB in {written['batches']} batches: "
        f"{written['bytes'] / written['seconds'] / 1e6:.0f} MB/s, file of "
        f"{(stored.size or 0) / 1e9:.2f} GB, {written['memory_mb']:.0f} MB of memory"
    )
    for kind in ("reader", "dataset"):
        read = in_process(kind, folder, gb, json.dumps(written["stored"]))
        print(
            f"  read as a {kind}: {read['bytes'] / read['seconds'] / 1e6:.0f} MB/s, "
            f"{read['memory_mb']:.0f} MB of memory"
        )


def in_process(what: str, folder: Path, gb: float, stored: str = "null") -> Any:
    command = [sys.executable, __file__, "--worker", what, str(folder), str(gb), stored]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def worker(what: str, folder: str, gb: str, stored: str) -> None:
    values = ValueStore("values", folder)
    batches = max(1, int(float(gb) * 1e9 / numbered_batch(0).nbytes))
    before = peak_mb()
    start = time.perf_counter()
    if what == "write":
        saved = values.save(TARGET, "stream", (numbered_batch(i) for i in range(batches)))
        result = {
            "stored": msgspec.to_builtins(saved.stored),
            "batches": batches,
            "bytes": batches * numbered_batch(0).nbytes,
        }
    else:
        result = {"bytes": read_bytes(values, what, msgspec.json.decode(stored, type=StoredValue))}
    result["seconds"] = time.perf_counter() - start
    result["memory_mb"] = peak_mb() - before
    print(json.dumps(result))


def read_bytes(values: ValueStore, what: str, stored: StoredValue) -> int:
    kinds = {"reader": pa.RecordBatchReader, "dataset": pyarrow.dataset.Dataset}
    loaded: Any = values.load(stored, kinds[what])
    batches: Iterator[pa.RecordBatch] = loaded.to_batches() if what == "dataset" else loaded
    return sum(batch.nbytes for batch in batches)


def numbered_batch(number: int) -> pa.RecordBatch:
    """A batch of 9 MB that is similar to taxi trips: ids, amounts, zones, times, names."""
    import numpy as np

    random = np.random.default_rng(number)
    return pa.record_batch(
        {
            "id": np.arange(number * ROWS, (number + 1) * ROWS),
            "amount": random.normal(20, 5, ROWS).round(2),
            "zone": random.integers(1, 266, ROWS),
            "at": pa.array(random.integers(0, 10**6, ROWS), pa.timestamp("us")),
            "payment": random.integers(0, 6, ROWS).astype("int32"),
            "name": np.array(["cash", "credit card", "dispute"])[random.integers(0, 3, ROWS)],
        }
    )


def hash_of(table: pa.Table) -> str:
    digest = ArrowHash(table.schema)
    digest.update(table)
    return digest.hexdigest("table")


def microseconds(call: Callable[[], object]) -> float:
    """The best of five rounds."""
    rounds = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(200):
            call()
        rounds.append((time.perf_counter() - start) / 200 * 1e6)
    return min(rounds)


def speed(name: str, size: int, call: Callable[[], object]) -> None:
    start = time.perf_counter()
    call()
    print(f"{name:42} {size / (time.perf_counter() - start) / 1e6:7.0f} MB/s")


def peak_mb() -> float:
    """The peak memory of this process. The peak that `getrusage` reports includes its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


PARTS = {"small": small, "large": large, "stream": stream}

if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        worker(*sys.argv[2:])
    else:
        main()

"""A stream is written, hashed and read with only a few batches in memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from assetgraph.keys import AssetKey, Target
from assetgraph.storage.formats.arrow.table_writer import GROUP_BYTES
from assetgraph.storage.value_store import ValueStore

TARGET = Target(AssetKey("trips"))
TABLE = pa.table({"a": range(10), "b": list("abcdefghij")})

STREAM = """
import json
import pyarrow as pa, pyarrow.compute as pc, pyarrow.dataset
from assetgraph.keys import AssetKey, Target
from assetgraph.storage.value_store import ValueStore

BATCHES = 60
def batches():
    for _ in range(BATCHES):
        yield pa.record_batch({"x": pc.random(1_000_000)})

def peak():
    return pa.default_memory_pool().max_memory()

values = ValueStore("values", ".")
found = {}
stored = values.save(Target(AssetKey("stream")), "run", batches()).stored
found["written"] = peak()
found["reader"] = sum(batch.num_rows for batch in values.load(stored)), peak()
dataset = values.load(stored, pyarrow.dataset.Dataset)
found["dataset"] = sum(batch.num_rows for batch in dataset.to_batches()), peak()
print(json.dumps(found))
"""


@pytest.fixture
def values(folder: Path) -> ValueStore:
    return ValueStore("values", folder)


def test_a_stream_needs_the_memory_of_a_few_batches(folder: Path) -> None:
    repository = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", STREAM],
        env={"PYTHONPATH": str(repository)},
        capture_output=True,
        check=True,
    )
    found = json.loads(done.stdout)
    whole = 60 * 8_000_000
    assert found["reader"][0] == found["dataset"][0] == 60_000_000
    assert found["written"] < whole / 4
    assert found["reader"][1] < whole / 4
    # A scan reads ahead on every core, and further where they are slow to take what was read.
    assert found["dataset"][1] < whole / 2


def test_a_stream_and_the_table_of_its_batches_are_the_same_data(values: ValueStore) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield from TABLE.to_batches(max_chunksize=3)

    saved = values.save(TARGET, "run", batches())
    assert saved.data_version == values.save(TARGET, "run", TABLE.to_reader()).data_version
    assert saved.data_version == values.save(TARGET, "run", iter([TABLE])).data_version
    assert saved.metadata["rows"] == 10
    assert saved.metadata["columns"]["value"] == [
        {"name": "a", "type": "int64"},
        {"name": "b", "type": "string"},
    ]


def test_what_the_data_comes_back_as_counts_in_its_version(values: ValueStore) -> None:
    frame = pl.DataFrame({"a": [1]})
    returned = [pa.table({"a": [1]}), pa.record_batch({"a": [1]}), frame, frame.lazy()]
    versions = {values.save(TARGET, "run", value).data_version for value in returned}
    assert len(versions) == 4


def test_small_batches_are_joined_and_large_ones_cut(values: ValueStore, folder: Path) -> None:
    import pyarrow.parquet as pq

    def row_groups(value: object) -> list[int]:
        path = folder / "values" / str(values.save(TARGET, "run", value).stored.path)
        with pq.ParquetFile(path) as file:
            return [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]

    assert row_groups(TABLE.slice(i, 1) for i in range(10)) == [10]
    rows = GROUP_BYTES // 8
    large = pa.table({"x": pa.array(range(3), pa.int64()).take(pa.array([0] * (2 * rows)))})
    assert row_groups(iter(large.combine_chunks().to_batches())) == [2**20, 2**20] * 4


def test_pieces_of_frames_are_a_stream_too(values: ValueStore, folder: Path) -> None:
    (folder / "trips.csv").write_text("a,b\n1,x\n2,y\n3,z\n")
    with pd.read_csv("trips.csv", chunksize=2) as pieces:
        stored = values.save(TARGET, "run", pieces).stored
    assert isinstance(values.load(stored), pa.RecordBatchReader)
    loaded = values.load(stored, pd.DataFrame)
    assert list(loaded["a"]) == [1, 2, 3]
    assert list(loaded["b"]) == ["x", "y", "z"]

    stored = values.save(TARGET, "run", (pl.DataFrame({"a": [i]}) for i in range(3))).stored
    assert pl.DataFrame({"a": [0, 1, 2]}).equals(values.load(stored, pl.DataFrame))


def test_categories_that_differ_from_batch_to_batch_are_kept(values: ValueStore) -> None:
    parts = [pa.table({"a": pa.array(items).dictionary_encode()}) for items in (["x"], ["y", "x"])]
    stored = values.save(TARGET, "run", iter(parts)).stored
    loaded = values.load(stored, pa.Table)
    assert loaded.column("a").to_pylist() == ["x", "y", "x"]
    assert loaded.schema == parts[0].schema


def test_a_stream_of_empty_batches_keeps_its_columns(values: ValueStore) -> None:
    stored = values.save(TARGET, "run", iter([TABLE.slice(0, 0)])).stored
    loaded = values.load(stored, pa.Table)
    assert (loaded.num_rows, loaded.schema) == (0, TABLE.schema)

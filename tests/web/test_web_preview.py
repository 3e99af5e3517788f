"""What the page shows of a value."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from assetgraph.keys import AssetKey, Target
from assetgraph.queries.value_preview import preview
from assetgraph.storage.store import Store


@pytest.mark.parametrize(("unit", "expected"), [("us", "parquet"), ("s", "arrow")])
def test_a_table_is_shown_however_it_is_stored(folder: Path, unit: Any, expected: str) -> None:
    store = Store(folder / ".assetgraph", project_root=folder)
    table = pa.table({"at": pa.array([1], pa.timestamp(unit))})
    stored = store.values.save(Target(AssetKey("trips")), "run", table).stored
    assert stored.format == expected
    shown = preview(store, stored)
    assert shown["kind"] == "table"
    assert [column["name"] for column in shown["columns"]] == ["at"]
    assert len(shown["rows"]) == 1


def _written(table: pa.Table, file: Path) -> Path:
    if file.suffix == ".parquet":
        pq.write_table(table, file)
    elif file.suffix == ".csv":
        pa.csv.write_csv(table, file)
    else:
        raise AssertionError(file)
    return file


WIDE = pa.table({f"c{n}": [n, n, n] for n in range(20_000)})


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_of_a_wide_file_the_first_columns_are_shown_within_a_second(
    folder: Path, suffix: str
) -> None:
    store = Store(folder / ".assetgraph", project_root=folder)
    file = _written(WIDE, folder / f"wide{suffix}")
    stored = store.values.save(Target(AssetKey("wide")), "run", file).stored
    begun = time.process_time()
    shown = preview(store, stored)

    assert time.process_time() - begun < 5
    assert len(shown["columns"]) == len(shown["rows"][0]) == 200
    assert shown["rows"][2][:3] == [0, 1, 2] or shown["rows"][2][:3] == ["0", "1", "2"]
    assert shown["note"] == "The first 200 of 20,000 columns."


@pytest.mark.parametrize("unit", ["us", "s"])  # Parquet, and an Arrow file
def test_of_a_wide_value_the_first_columns_are_shown_within_a_second(
    folder: Path, unit: Any
) -> None:
    store = Store(folder / ".assetgraph", project_root=folder)
    table = WIDE.add_column(0, "at", pa.array([1, 2, 3], pa.timestamp(unit)))
    stored = store.values.save(Target(AssetKey("wide")), "run", table).stored
    begun = time.process_time()
    shown = preview(store, stored)

    assert time.process_time() - begun < 5
    assert [column["name"] for column in shown["columns"]][:2] == ["at", "c0"]
    assert len(shown["rows"]) == 3
    assert shown["note"] == "The first 200 of 20,001 columns."


@pytest.mark.parametrize(
    "cell",
    [list(range(3_000_000)), "x" * 30_000_000, b"x" * 30_000_000],
    ids=["list", "str", "bytes"],
)
@pytest.mark.parametrize("unit", ["us", "s"])
def test_a_cell_as_large_as_a_table_is_cut_before_it_is_read(
    folder: Path, cell: Any, unit: Any
) -> None:
    store = Store(folder / ".assetgraph", project_root=folder)
    table = pa.table({"at": pa.array([1], pa.timestamp(unit)), "cell": [cell]})
    stored = store.values.save(Target(AssetKey("big")), "run", table).stored
    begun = time.process_time()
    shown = preview(store, stored)

    assert time.process_time() - begun < 5
    assert len(shown["rows"][0][1]) <= 200


@pytest.mark.parametrize("unit", ["us", "s"])
@pytest.mark.parametrize("rows", [0, 50, 51, 200_000])
def test_the_first_fifty_rows_are_shown_however_many_there_are(
    folder: Path, rows: int, unit: Any
) -> None:
    store = Store(folder / ".assetgraph", project_root=folder)
    ints = pa.array(range(rows), pa.int64())
    table = pa.table([ints.cast(pa.timestamp(unit)), ints, ints], ["a.b", "a", "a.b.c"])
    stored = store.values.save(Target(AssetKey("rows")), "run", table).stored
    shown = preview(store, stored)

    assert len(shown["rows"]) == min(rows, 50)
    assert [row[1] for row in shown["rows"]] == list(range(min(rows, 50)))
    assert [column["name"] for column in shown["columns"]] == ["a.b", "a", "a.b.c"]
    assert shown.get("note") == ("The first 50 rows." if rows > 50 else None)

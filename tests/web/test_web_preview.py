"""What the page shows of a value."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from assetgraph.cli.render.value_head import value_lines
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


PLAIN = "a,b\n1,x\n"
CSV = {
    "plain": (PLAIN.encode(), ["a", "b"], [["1", "x"]]),
    "with a byte-order mark": (PLAIN.encode("utf-8-sig"), ["a", "b"], [["1", "x"]]),
    "in UTF-16, as Excel writes it": (
        "a\tb\n1\tx\n".encode("utf-16"), ["a", "b"], [["1", "x"]],
    ),
    "with semicolons and decimal commas": (b"a;b\n1;2,5\n3;4\n", ["a", "b"], [["1", "2,5"], ["3", "4"]]),
    "with a decimal comma in each cell": (b"a;b\n1,5;2,5\n", ["a", "b"], [["1,5", "2,5"]]),
    "with semicolons in a text": (b"a,b\n1,x;y\n", ["a", "b"], [["1", "x;y"]]),
    "with tabs": (b"a\tb\n1\tx, y\n", ["a", "b"], [["1", "x, y"]]),
    "with bars": (b"a|b|c\n1|x, y|2\n", ["a", "b", "c"], [["1", "x, y", "2"]]),
    "of one column": (b"a\n1,2\n", ["a", ""], [["1", "2"]]),
    "with blank lines": (b"\na,b\n\n1,x\n\n", ["a", "b"], [["1", "x"]]),
    "with longer and shorter rows": (
        b"a,b\n1\n1,2,3\n", ["a", "b", ""], [["1", None, None], ["1", "2", "3"]],
    ),
    "with a line break in a cell": (b'a,b\n"1\n2",x\n', ["a", "b"], [["1\n2", "x"]]),
    "in Windows-1252": ("ä,b\n1,ß\n".encode("cp1252"), ["ä", "b"], [["1", "ß"]]),
    "of Macintosh lines": (b"a,b\r1,x\r", ["a", "b"], [["1", "x"]]),
    "of quotes that never end": (b'a,b\n1,"x\n', ["a", "b"], [["1", "x\n"]]),
}  # fmt: skip


@pytest.mark.parametrize("which", CSV)
def test_a_csv_file_is_shown_with_every_cell_in_its_column(folder: Path, which: str) -> None:
    data, columns, rows = CSV[which]
    store = Store(folder / ".assetgraph", project_root=folder)
    (folder / "data.csv").write_bytes(data)
    stored = store.values.save(Target(AssetKey("file")), "run", Path("data.csv")).stored
    shown = preview(store, stored)
    assert [column["name"] for column in shown["columns"]] == columns
    assert shown["rows"] == rows
    assert ("Windows-1252" in shown.get("note", "")) == (which == "in Windows-1252")
    value_lines(shown, 10, 100)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt", ".xlsx"])
def test_an_empty_file_is_said_to_be_empty(folder: Path, suffix: str) -> None:
    store = Store(folder / ".assetgraph", project_root=folder)
    file = folder / f"data{suffix}"
    file.touch()
    stored = store.values.save(Target(AssetKey("file")), "run", file).stored
    assert preview(store, stored) == {"kind": "none", "note": "The file is empty."}

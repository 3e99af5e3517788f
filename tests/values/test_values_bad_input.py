"""Values that cannot be stored, and damaged ones. Each error is one sentence and leaves nothing behind."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import os
import sys
import threading
import types
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest

from assetgraph.definitions.metadata import MaterializeResult
from assetgraph.errors import NoValueError, StoreError, ValueTypeError
from assetgraph.keys import AssetKey, Target
from assetgraph.records import StoredValue
from assetgraph.storage.value_places import LocalPlace
from assetgraph.storage.value_store import ValueStore

TARGET = Target(AssetKey("trips"))
TABLE = pa.table({"a": [1, 2], "b": ["x", "y"]})


@pytest.fixture
def values(folder: Path) -> ValueStore:
    return ValueStore("values", folder)


async def later() -> int:
    return 1


async def batches_later() -> AsyncIterator[pa.Table]:
    yield TABLE


def opened() -> Any:
    return Path(os.devnull).open()


def of_numbers() -> Iterator[int]:
    yield 1


def of_two_kinds() -> Iterator[pa.Table]:
    yield TABLE
    yield TABLE.select(["a"])


def of_a_table_and_a_number() -> Iterator[Any]:
    yield TABLE
    yield 7


def yielded_result() -> Iterator[Any]:
    yield MaterializeResult(value=5)


def table_then_result() -> Iterator[Any]:
    yield TABLE
    yield MaterializeResult(metadata={"rows": 2})


UNSTORABLE: dict[str, tuple[Callable[[], Any], str, str]] = {
    "a lock": (threading.Lock, "returned a _thread.lock", "Return plain data, a table, or the"),
    "a lock within": (lambda: [threading.Lock()], "which cannot be stored", "Return plain data"),
    "a lambda": (lambda: lambda: 1, "returned a function", "Return plain data"),
    "a module": (lambda: sys, "returned a module", "Return plain data"),
    "an open file": (opened, "_io.TextIOWrapper", "Close the file and return"),
    "numbers": (of_numbers, "whose first item is an int: 1", "Return a list instead"),
    "a map": (lambda: map(str, [1]), "whose first item is a str: '1'", "Return a list instead"),
    "a result": (yielded_result, "whose first item is a", "Write `return MaterializeResult(…)`"),
    "a result later": (table_then_result, "item 2 is a", "with the iterator of tables in it"),
    "nothing": (lambda: iter([]), "an empty iterator", "Yield at least one"),
    "two kinds": (of_two_kinds, "item 2 is a table with columns a: int64", "the same columns"),
    "a number later": (of_a_table_and_a_number, "item 2 is an int: 7", "the same columns"),
    "mixed pandas": (
        lambda: iter([pd.DataFrame({"m": [1, "x"]})]),
        "which Arrow cannot take",
        "one type",
    ),
    "a number of more than 64 bits": (
        lambda: iter([pd.DataFrame({"m": [2**70]})]),
        "which Arrow cannot take",
        "one type that Arrow has",
    ),
    "one name twice": (
        lambda: iter([pd.DataFrame([[1, 2]], columns=["a", "a"])]),
        "which Arrow cannot take",
        "a name of its own",
    ),
    "objects in polars": (
        lambda: pl.DataFrame({"o": pl.Series([object()], dtype=pl.Object)}),
        "column 'o' holds Python objects",
        "Cast the column",
    ),
    "nulls in a column that allows none": (
        lambda: pa.table({"a": [1, None]}, schema=pa.schema([pa.field("a", "int64", False)])),
        "column 'a' holds nulls but is declared not to",
        "Fill the nulls",
    ),
}


@pytest.mark.parametrize(("make", "message", "hint"), UNSTORABLE.values(), ids=UNSTORABLE.keys())
def test_what_cannot_be_stored_is_named_with_what_to_return_instead(
    values: ValueStore, make: Callable[[], Any], message: str, hint: str
) -> None:
    returned = make()
    with pytest.raises(ValueTypeError) as raised:
        values.save(TARGET, "run", returned)
    assert str(raised.value).startswith("asset 'trips' returned a")
    assert message in raised.value.message
    assert hint in str(raised.value.hint)
    assert left_behind(values) == []
    if hasattr(returned, "close"):
        returned.close()


@pytest.mark.parametrize("make", [later, batches_later])
def test_what_has_not_run_yet_is_not_a_value(values: ValueStore, make: Callable[[], Any]) -> None:
    returned = make()
    advice = "Collect what it yields" if make is batches_later else "asyncio.run"
    with pytest.raises(ValueTypeError, match=rf"has not run yet.* {advice}"):
        values.save(TARGET, "run", returned)
    if hasattr(returned, "close"):
        returned.close()


@pytest.mark.parametrize("error", [ZeroDivisionError("mine"), OSError("mine"), KeyboardInterrupt()])
def test_what_a_generator_raises_midway_passes_through_and_leaves_nothing(
    values: ValueStore, error: BaseException
) -> None:
    def batches() -> Iterator[pa.Table]:
        yield TABLE
        raise error

    with pytest.raises(type(error)) as raised:
        values.save(TARGET, "run", batches())
    assert raised.value is error
    assert left_behind(values) == []


def test_what_a_reader_raises_midway_passes_through(values: ValueStore) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield from TABLE.to_batches()
        raise ZeroDivisionError("mine")

    reader = pa.RecordBatchReader.from_batches(TABLE.schema, batches())
    with pytest.raises(ZeroDivisionError, match=r"mine"):
        values.save(TARGET, "run", reader)
    assert left_behind(values) == []


def test_a_value_is_not_seen_before_it_is_whole(values: ValueStore) -> None:
    seen: list[list[str]] = []

    def batches() -> Iterator[pa.Table]:
        for _ in range(3):
            yield TABLE
            seen.append([name for name in left_behind(values) if not name.endswith(".tmp")])

    values.save(TARGET, "run", batches())
    assert seen == [[], [], []]
    assert left_behind(values) == ["value.parquet"]


@pytest.mark.parametrize("value", ["x" * 5000, (1, 2), TABLE], ids=["text", "pickle", "table"])
def test_a_value_that_is_gone_or_cut_is_reported_and_cannot_be_loaded(
    values: ValueStore, folder: Path, value: object
) -> None:
    stored = values.save(TARGET, "run", value).stored
    file = folder / "values" / str(stored.path)

    file.write_bytes(file.read_bytes()[:-1])
    assert values.check(stored) == "damaged"
    with pytest.raises(NoValueError, match=r"is damaged: it has \d+ bytes.*Materialize its asset"):
        values.load(stored)

    file.unlink()
    assert values.check(stored) == "gone"
    with pytest.raises(NoValueError, match=r"is gone.*Materialize its asset"):
        values.load(stored)

    (folder / "values").rename(folder / "moved")
    assert values.check(stored) == "gone"


@pytest.mark.parametrize("annotation", [pa.Table, pa.RecordBatchReader, pa.dataset.Dataset])
@pytest.mark.parametrize("seconds", [False, True], ids=["parquet", "arrow"])
def test_a_file_of_the_right_size_that_is_not_a_table_is_an_error(
    values: ValueStore, folder: Path, annotation: type, seconds: bool
) -> None:
    table = TABLE
    if seconds:
        table = pa.table({"at": pa.array([1], pa.timestamp("s"))})
    stored = values.save(TARGET, "run", table).stored
    (folder / "values" / str(stored.path)).write_bytes(b"x" * int(stored.size or 0))
    with pytest.raises(NoValueError, match=r"is damaged: its content is .*Materialize its asset"):
        values.load(stored, annotation)
    of_the_first_version = msgspec.structs.replace(stored, checksum=None, stamp=None)
    with pytest.raises(NoValueError, match=r"cannot be read: .*Materialize its asset"):
        values.load(of_the_first_version, annotation)


def test_a_folder_where_nothing_can_be_written_is_named(folder: Path) -> None:
    (folder / "values").write_text("a file")
    values = ValueStore("values", folder)
    for value in ("x" * 5000, (1, 2), TABLE):
        with pytest.raises(StoreError, match=r"values"):
            values.save(TARGET, "run", value)


def test_a_full_disk_is_named(values: ValueStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def on_a_full_disk(self: LocalPlace, path: str) -> contextlib.nullcontext[str]:
        return contextlib.nullcontext("/dev/full")

    monkeypatch.setattr(LocalPlace, "staged", on_a_full_disk)
    for value in ((1, 2), TABLE, TABLE.select([])):
        with pytest.raises(StoreError, match="the disk is full"):
            values.save(TARGET, "run", value)


def test_a_storage_of_an_unknown_kind_is_refused(folder: Path) -> None:
    with pytest.raises(StoreError, match=r"'ftp://x'.*s3://bucket/prefix"):
        ValueStore("ftp://x", folder).save(TARGET, "run", (1, 2))


def test_a_value_of_the_wrong_type_for_its_parameter_is_named(values: ValueStore) -> None:
    stored = values.save(TARGET, "run", 2).stored
    assert values.load(stored, int) == 2
    with pytest.raises(ValueTypeError, match=r"cannot be loaded as `str`: it is an int: 2"):
        values.load(stored, str)
    with pytest.raises(ValueTypeError, match=r"cannot be loaded as `pd.DataFrame`"):
        values.load(stored, "pd.DataFrame")
    with pytest.raises(ValueTypeError, match=r"cannot be loaded as `int`"):
        values.load(values.save(TARGET, "run", TABLE).stored, int)
    with pytest.raises(ValueTypeError, match=r"cannot be loaded as `int`"):
        values.adapt("x", int)


@pytest.mark.parametrize(
    ("text", "library"),
    [("pd.DataFrame", "pandas"), ("pl.LazyFrame", "polars"), ("duckdb.DuckDBPyRelation", "duckdb")],
)
def test_a_library_that_is_not_installed_is_named_with_its_command(
    values: ValueStore, monkeypatch: pytest.MonkeyPatch, text: str, library: str
) -> None:
    stored = values.save(TARGET, "run", TABLE).stored
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ValueTypeError, match=f"{library}.* pip install {library}"):
        values.load(stored, text)


def test_a_pickle_is_unreadable_when_a_class_of_the_project_is_gone(
    values: ValueStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("project_module")
    exec("class Tax:\n    rate = 2", module.__dict__)
    monkeypatch.setitem(sys.modules, "project_module", module)
    versions = {"Tax": "v1"}

    def version_of(item: Any) -> str | None:
        return versions.get(item.__name__)

    saved = values.save(TARGET, "run", [module.Tax()], class_version=version_of)
    assert saved.stored.classes == ("project_module:Tax",)
    assert values.check(saved.stored) == "intact"

    versions["Tax"] = "v2"
    again = values.save(TARGET, "run", [module.Tax()], class_version=version_of)
    assert again.data_version != saved.data_version

    del module.Tax
    assert values.check(saved.stored) == "unreadable"
    with pytest.raises(NoValueError, match=r"cannot be read back: AttributeError.*bring back"):
        values.load(saved.stored)

    monkeypatch.delitem(sys.modules, "project_module")
    assert values.check(saved.stored) == "unreadable"
    with pytest.raises(NoValueError, match=r"cannot be read back: ModuleNotFoundError"):
        values.load(saved.stored)


@dataclasses.dataclass
class Node:
    tags: set[str]


def test_a_function_that_a_pickle_names_counts_too(values: ValueStore) -> None:
    saved = values.save(TARGET, "run", (left_behind,), class_version=lambda item: item.__name__)
    assert saved.stored.classes == (f"{__name__}:left_behind",)


def test_classes_of_libraries_are_not_recorded(values: ValueStore) -> None:
    saved = values.save(TARGET, "run", Node({"x"}), class_version=lambda item: None)
    assert saved.stored.classes == ()


def test_a_value_of_an_io_manager_is_not_ours_to_load(values: ValueStore) -> None:
    stored = StoredValue("custom", "int")
    assert values.check(stored) == "intact"
    with pytest.raises(NoValueError, match=r"needs the IO manager"):
        values.load(stored)


def left_behind(values: ValueStore) -> list[str]:
    return [name for _, _, names in os.walk(values.root) for name in names]


def test_a_frame_that_no_table_holds_is_refused_as_a_table(values: ValueStore) -> None:
    stored = values.save(TARGET, "run", pd.DataFrame({"a": [2**70]})).stored
    with pytest.raises(ValueTypeError, match=r"does not convert to a table.*ask for a pd"):
        values.load(stored, pa.Table)


@pytest.mark.parametrize("kind", [pa.Table, pl.DataFrame, duckdb.DuckDBPyRelation])
def test_a_column_of_several_types_is_named_where_a_table_is_asked_for(
    values: ValueStore, kind: type
) -> None:
    frame = pd.DataFrame(
        {"order": range(5), "note": ["a", 1, None, datetime.date(2024, 1, 1), "b"]}
    )
    stored = values.save(TARGET, "run", frame.set_index("order")).stored
    with pytest.raises(
        ValueTypeError,
        match=r"a pandas\.DataFrame that does not convert to a table: column 'note' has values of "
        r"the types str, (int and date|date and int)\. Give column 'note' one type",
    ):
        values.load(stored, kind)
    assert values.load(stored).equals(frame.set_index("order"))


@pytest.mark.parametrize(
    "value",
    [
        pd.DataFrame({f"column {n}": range(9) for n in range(9)}),
        pd.Series(range(9)),
        np.zeros((99, 99)),
        pl.DataFrame({"a": range(9)}),
        pa.table({"a": range(9)}),
    ],
    ids=lambda value: type(value).__module__,
)
def test_an_error_names_the_type_of_a_table_and_not_some_of_its_cells(
    values: ValueStore, value: object
) -> None:
    stored = values.save(TARGET, "run", value).stored
    with pytest.raises(ValueTypeError, match=r"it is an? [\w.]+\. Ask for [\w.]+, or change"):
        values.load(stored, dict)


def test_a_table_that_pandas_cannot_hold_is_refused_with_a_sentence(values: ValueStore) -> None:
    kind = pa.struct([("views", pa.list_(pa.string_view())), ("nothing", pa.null())])
    table = pa.table({"c": pa.array([{"views": ["a"], "nothing": None}], kind)})
    stored = values.save(Target(AssetKey("nested")), "run", table).stored
    with pytest.raises(ValueTypeError, match=r"does not convert to a pandas\.DataFrame"):
        values.load(stored, pd.DataFrame)

"""Where values are stored, what is in the record, data versions, listing and deleting."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa
import pytest

from assetgraph.keys import AssetKey, Target
from assetgraph.records import StoredValue
from assetgraph.storage.formats.plain import INLINE_BYTES
from assetgraph.storage.value_places import ObjectPlace
from assetgraph.storage.value_store import StoredRun, ValueStore

TARGET = Target(AssetKey("ingested/trips"))
TABLE = pa.table({"a": [1, 2]})


def test_a_value_is_stored_under_its_key_its_partition_and_its_run(values: ValueStore) -> None:
    stored = values.save(TARGET, "run-1", (1, 2)).stored
    assert stored.path == "ingested,trips/_/run-1/value.pickle"
    suffixes = {"x" * 5000: "txt", b"x" * 5000: "bin", "table": "parquet"}
    for value, suffix in suffixes.items():
        saved = values.save(TARGET, "run-1", TABLE if value == "table" else value)
        assert str(saved.stored.path).endswith(f"/run-1/value.{suffix}")
    assert str(values.save(TARGET, "r", list(range(5000))).stored.path).endswith("value.json")


@pytest.mark.parametrize(
    ("partition", "name"),
    [
        ("2023-03", "2023-03"),
        ("_", "%5F"),
        (".", "%2E"),
        ("..", "%2E."),
        ("a/b=ü", "a%2Fb%3D%C3%BC"),
        ("", "%"),
    ],
)
def test_a_partition_is_one_name_that_no_other_has(
    values: ValueStore, partition: str, name: str
) -> None:
    stored = values.save(Target(TARGET.key, partition), "run", (1,)).stored
    assert stored.path == f"ingested,trips/{name}/run/value.pickle"
    assert values.load(stored) == (1,)


def test_a_small_value_is_in_its_record_and_no_file_is_written(
    values: ValueStore, folder: Path
) -> None:
    for value in ("x" * INLINE_BYTES, b"\xff" * INLINE_BYTES, {"a": [1, None, "é"]}, 2**63, None):
        stored = values.save(TARGET, "run", value).stored
        line = msgspec.json.encode(stored)
        assert values.load(msgspec.json.decode(line, type=StoredValue)) == value
    assert not (folder / "values").exists()
    assert values.save(TARGET, "run", "x" * (INLINE_BYTES + 1)).stored.path is not None


def test_none_has_the_version_of_its_run(values: ValueStore) -> None:
    assert values.save(TARGET, "run-7", None).data_version == "run-7"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, "1"),
        ("x", b"x"),
        ([1], (1,)),
        (1, 1.0),
        (1, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({1, 2}, frozenset({1, 2})),
        (Decimal("1.0"), Decimal("1.00")),
        ("[1]", [1]),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1]}, index=[7])),
    ],
    ids=str,
)
def test_values_that_a_consumer_can_tell_apart_have_other_versions(
    values: ValueStore, one: Any, other: Any
) -> None:
    assert version(values, one) != version(values, other)


@pytest.mark.parametrize(
    "make", [lambda: {"a": [1.5, "x"]}, lambda: ({"x", "y"}, b"z"), lambda: TABLE]
)
def test_the_same_content_has_the_same_version(values: ValueStore, make: Any) -> None:
    assert version(values, make()) == version(values, make())


def test_versions_are_the_same_in_every_process(folder: Path) -> None:
    code = """
import dataclasses, json, pyarrow as pa
from assetgraph.keys import AssetKey, Target
from assetgraph.storage.value_store import ValueStore
values = ValueStore("values", ".")
examples = [{"b": 1, "a": [2]}, ("x", {"p", "q", "r"}, {1: frozenset("abc")}), pa.table({"a": [1]})]
print(json.dumps([values.save(Target(AssetKey("a")), "run", value).data_version for value in examples]))
"""
    found = set()
    for seed in ("1", "2"):
        env = {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=env, capture_output=True, check=True)
        found.add(tuple(json.loads(done.stdout)))
    assert len(found) == 1


def test_what_is_stored_is_listed_with_its_size_and_can_be_deleted(
    values: ValueStore, folder: Path
) -> None:
    assert list(values.runs()) == []
    for run_id in ("run-1", "run-2"):
        values.save(TARGET, run_id, "x" * 5000)
    values.save(Target(AssetKey("zones"), "2023"), "run-1", b"x" * 6000)
    assert list(values.runs()) == [
        StoredRun("ingested/trips", "_", "run-1", "ingested,trips/_/run-1", 5000),
        StoredRun("ingested/trips", "_", "run-2", "ingested,trips/_/run-2", 5000),
        StoredRun("zones", "2023", "run-1", "zones/2023/run-1", 6000),
    ]
    values.delete("ingested,trips/_/run-1")
    values.delete("ingested,trips/_/run-1")
    assert [run.run_id for run in values.runs()] == ["run-2", "run-1"]


def test_what_a_dead_process_left_is_listed_too(values: ValueStore, folder: Path) -> None:
    left = folder / "values" / "trips" / "_" / "run" / "value.parquet.7.tmp"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"x" * 10)
    assert list(values.runs()) == [StoredRun("trips", "_", "run", "trips/_/run", 10)]


def test_only_what_cannot_change_may_be_shared() -> None:
    batch = TABLE.to_batches()[0]
    for value in (None, True, 1, 1.5, 1j, "x", b"x", Path("x"), TABLE, batch):
        assert ValueStore.is_immutable(value)

    class Text(str):
        __slots__ = ()

    for value in ([], {}, (), bytearray(), Text("x"), TABLE.to_reader(), pd.DataFrame(), object()):
        assert not ValueStore.is_immutable(value)


def test_an_older_value_can_be_read_when_a_newer_one_is_there(values: ValueStore) -> None:
    old = values.save(TARGET, "run-1", (1,)).stored
    new = values.save(TARGET, "run-2", (2,)).stored
    assert (values.load(old), values.load(new)) == ((1,), (2,))


def test_nothing_heavy_is_imported_for_a_small_value(folder: Path) -> None:
    code = """
import sys
from assetgraph.keys import AssetKey, Target
from assetgraph.storage.value_store import ValueStore
values = ValueStore("values", ".")
for value in (None, 1, "x", {"a": [1.5]}, b"x", "x" * 5000):
    stored = values.save(Target(AssetKey("a")), "run", value).stored
    assert values.check(stored) == "intact"
    assert values.load(stored, type(value)) == value
print([m for m in ("pyarrow", "pandas", "numpy", "pickle", "asyncio") if m in sys.modules])
values.save(Target(AssetKey("a")), "run", (1, 2))
print([m for m in ("pyarrow", "pandas", "numpy") if m in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[:2] == ["[]", "[]"]


def test_google_cloud_storage_is_addressed_by_its_url() -> None:
    place = ObjectPlace("gs://anonymous@bucket/prefix/")
    assert place.full_path("key/_/run/value.json") == "bucket/prefix/key/_/run/value.json"


@pytest.fixture
def values(folder: Path) -> ValueStore:
    return ValueStore("values", folder)


def version(values: ValueStore, value: Any) -> str:
    return values.save(TARGET, os.urandom(4).hex(), value).data_version

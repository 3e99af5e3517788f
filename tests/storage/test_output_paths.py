"""Which asset made a file."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assetgraph as dg
from assetgraph.keys import AssetKey, Target
from assetgraph.records import Materialization, StoredValue, now
from assetgraph.storage.store import Store


@dg.asset
def export() -> Path:
    path = Path(Path("wanted").read_text())
    path.write_text("made")
    return path


@dg.asset
def table() -> str:
    return "x" * 10_000


def test_the_maker_of_a_file_is_known_by_the_last_path_that_it_returned(
    instance: dg.Instance, folder: Path
) -> None:
    for name in ("first.csv", "second.csv"):
        Path("wanted").write_text(name)
        dg.materialize([export], instance=instance)
    made = Store(instance.store.folder).outputs()

    assert made.maker("second.csv") == made.maker(f"{folder}/second.csv") == export.key
    assert made.maker("first.csv") is None
    assert not made.is_output("second.csv.bak")


def test_a_file_in_the_store_s_values_belongs_to_its_asset(
    instance: dg.Instance, folder: Path
) -> None:
    dg.materialize([table], instance=instance)
    (value,) = folder.glob(".assetgraph/values/table/**/value.*")

    assert instance.store.outputs().maker(str(value)) == table.key


def test_what_is_made_in_a_run_counts_at_once(instance: dg.Instance, folder: Path) -> None:
    Path("wanted").write_text("first.csv")
    outputs = instance.store.outputs()
    assert outputs.maker("first.csv") is None
    dg.materialize([export], instance=instance)
    made = instance.store.history.known(Target(export.key))
    assert made is not None
    assert outputs.maker("first.csv") is None
    outputs.add(AssetKey("export"), made)

    assert outputs.maker("first.csv") == export.key


KEYS = (AssetKey("a"), AssetKey("b"))
PATHS = ("one.csv", "two.csv", "three.csv", None)


def made_at(path: str | None, partition: str | None) -> Materialization:
    value = StoredValue("path", path=path) if path else StoredValue("json", inline="1")
    return Materialization("1", now(), value, "v", partition=partition)


def makers_by_reading_all(store: Store) -> dict[str, AssetKey]:
    found = {}
    for key in KEYS:
        seen = set()
        for attempt in store.history.readable(key):
            if isinstance(attempt, Materialization) and attempt.partition not in seen:
                seen.add(attempt.partition)
                if attempt.value.path is not None:
                    found[attempt.value.path] = key
    return found


STEP = st.tuples(
    st.sampled_from(["make", "make", "make", "wipe", "empty", "delete", "damage"]),
    st.sampled_from(KEYS),
    st.sampled_from(["p", "q"]),
    st.sampled_from(PATHS),
)


@settings(max_examples=60)
@given(partitioned=st.booleans(), steps=st.lists(STEP, max_size=12))
def test_the_makers_of_files_are_those_of_the_current_values(
    partitioned: bool, steps: list[tuple[str, AssetKey, str, str | None]]
) -> None:
    with TemporaryDirectory() as folder:
        store = Store(f"{folder}/store", project_root=folder, ephemeral=True)
        store.prepare()
        for what, key, name, path in steps:
            partition = name if partitioned or key == KEYS[1] else None
            history = Path(store.history.path(key))
            if what == "make":
                store.history.append(Target(key, partition), made_at(path, partition))
            elif history.exists():
                if what == "wipe" and partition is not None:
                    store.history.wipe_partitions(key, [partition])
                elif what == "empty":
                    store.history.empty(key)
                elif what == "delete":
                    history.unlink()
                elif what == "damage":
                    with history.open("ab") as file:
                        file.write(b"damaged\n")
            outputs, expected = store.outputs(), makers_by_reading_all(store)
            for one in filter(None, PATHS):
                assert outputs.maker(one) == expected.get(one)


def test_another_partition_among_thousands_is_all_that_is_read(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = instance.store
    store.prepare()
    key = KEYS[0]
    with Path(store.history.path(key)).open("ab") as file:
        for number in range(2000):
            file.write(store.history.line(made_at(f"{number}.csv", f"{number}")))
    assert store.outputs().maker("1999.csv") == key
    store.history.append(Target(key, "new"), made_at("new.csv", "new"))
    pread, read = os.pread, []

    def counted(fd: int, size: int, offset: int) -> bytes:
        data = pread(fd, size, offset)
        read.append(len(data))
        return data

    monkeypatch.setattr(os, "pread", counted)
    outputs = store.outputs()
    assert outputs.maker("new.csv") == outputs.maker("7.csv") == key
    assert sum(read) < 2000

"""Dynamic partitions: added in order, once, all or none, whoever else adds and whoever dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import assetgraph as dg
from assetgraph.errors import DamagedStoreError, PartitionsError, StoreFormatError
from assetgraph.keys import AssetKey, Target
from assetgraph.records import FailedAttempt, Materialization, StoredValue, now
from assetgraph.storage.doctor import examine
from assetgraph.storage.dynamic_partitions import DynamicPartitions
from assetgraph.storage.store import Store


@pytest.fixture
def partitions(store: Store) -> DynamicPartitions:
    return store.dynamic_partitions


def as_another(store: Store) -> DynamicPartitions:
    """The partitions as another process sees them."""
    return Store(store.folder).dynamic_partitions


def file_of(store: Store, name: str = "colors") -> Path:
    return Path(store.folder, "partitions", f"{name}.jsonl")


def test_keys_are_kept_in_the_order_of_their_addition(partitions: DynamicPartitions) -> None:
    assert partitions.get("colors") == []
    assert partitions.add("colors", ["b", "a"]) == ["b", "a"]
    assert partitions.add("colors", ["a", "c", "c"]) == ["c"]
    assert partitions.get("colors") == ["b", "a", "c"]
    assert partitions.delete("colors", ["a", "none such"]) == ["a"]
    assert partitions.get("colors") == ["b", "c"]
    assert partitions.add("colors", ["a"]) == ["a"]
    assert partitions.get("colors") == ["b", "c", "a"]
    assert partitions.get("sizes") == []
    assert partitions.delete("sizes", ["a"]) == []
    assert partitions.names() == ["colors"]


def test_nothing_is_written_where_nothing_changes(store: Store) -> None:
    assert store.dynamic_partitions.add("colors", []) == []
    assert store.dynamic_partitions.delete("colors", ["a"]) == []
    assert not Path(store.folder).exists()
    store.dynamic_partitions.add("colors", ["a"])
    before = file_of(store).read_bytes()
    assert store.dynamic_partitions.add("colors", ["a"]) == []
    assert store.dynamic_partitions.delete("colors", ["b"]) == []
    assert file_of(store).read_bytes() == before
    assert json.loads(Path(store.folder, "store.json").read_text()) == {"format": 1}


@given(
    changes=st.lists(
        st.tuples(st.booleans(), st.booleans(), st.lists(st.sampled_from("abcdef"), max_size=3))
    )
)
def test_every_process_sees_the_same(
    changes: list[tuple[bool, bool, list[str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    one, two = store.dynamic_partitions, as_another(store)
    expected: list[str] = []
    for adds, by_two, keys in changes:
        by = two if by_two else one
        wanted = list(dict.fromkeys(keys))
        if adds:
            assert by.add("n", keys) == [key for key in wanted if key not in expected]
            expected += [key for key in wanted if key not in expected]
        else:
            assert by.delete("n", keys) == [key for key in wanted if key in expected]
            expected = [key for key in expected if key not in keys]
        assert one.get("n") == two.get("n") == expected


HOSTILE = [
    "/etc/x",
    "./x",
    "a/b",
    "한국",
    "x" * 200,
    "_",
    "a|b",
    "%",
    ".",
    "store.json",
    "a b",
    "ä",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_may_be_a_name_and_a_key(store: Store, text: str) -> None:
    store.dynamic_partitions.add(text, [text, "b"])
    store.dynamic_partitions.add("other", ["c"])
    found = as_another(store)
    assert found.get(text) == [text, "b"]
    assert found.names() == sorted([text, "other"])
    assert found.delete(text, [text]) == [text]
    assert found.get("other") == ["c"]
    assert {path.parent.name for path in Path(store.folder).rglob("*.jsonl")} == {"partitions"}


@pytest.mark.parametrize("key", ["", " a", "a\nb", "x" * 300, "../x", "*", "\udcff", 3, None])
def test_what_cannot_be_a_key_is_refused_and_nothing_is_added(store: Store, key: str) -> None:
    store.dynamic_partitions.add("colors", ["a"])
    with pytest.raises(PartitionsError, match="partition key"):
        store.dynamic_partitions.add("colors", ["b", key])
    assert store.dynamic_partitions.get("colors") == ["a"]
    with pytest.raises(PartitionsError, match="name of a definition"):
        store.dynamic_partitions.add(key, ["a"])


def test_a_text_is_no_list_of_keys(partitions: DynamicPartitions) -> None:
    for change in (partitions.add, partitions.delete):
        with pytest.raises(PartitionsError, match=r"'red' is not a list .* Give it as a list"):
            change("colors", "red")


ADDING = """
import sys
from assetgraph.storage.store import Store
partitions = Store(sys.argv[1]).dynamic_partitions
print("ready", flush=True)
sys.stdin.readline()
for number in range(200):
    partitions.add("n", [f"{sys.argv[2]}{number}", f"both {number}"])
"""


def start(store: Store, code: str, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, store.folder, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_processes_and_threads_that_add_at_once_lose_nothing(store: Store) -> None:
    processes = [start(store, ADDING, name) for name in "pq"]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    def add(name: str) -> None:
        for number in range(100):
            store.dynamic_partitions.add("n", [f"{name}{number}"])

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(add, "xyz"))
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    found = store.dynamic_partitions.get("n")
    assert len(found) == len(set(found)) == 2 * 200 + 200 + 3 * 100
    assert [key for key in found if key[0] == "x"] == [f"x{number}" for number in range(100)]


DYING = """
import os, signal, sys
write, count = os.write, [0]

def cut(fd, data):
    count[0] += 1
    if count[0] == int(sys.argv[3]):
        write(fd, data[: len(data) * int(sys.argv[4]) // 4])
        os.kill(os.getpid(), signal.SIGKILL)
    return write(fd, data)

os.write = cut
"""


@pytest.mark.parametrize("part", range(5))
@pytest.mark.parametrize("number", [1, 2])
def test_a_process_that_dies_adds_all_keys_of_a_call_or_none(
    store: Store, number: int, part: int
) -> None:
    store.prepare()
    process = start(store, DYING + ADDING, "p", str(number), str(part))
    process.communicate("go\n")
    assert process.returncode == -signal.SIGKILL
    both = ["p0", "both 0", "p1", "both 1"]
    whole = 2 * (number - 1) + (2 if part == 4 else 0)
    # The first line of a file and its first keys are two lines.
    assert as_another(store).get("n") == both[:whole]
    assert store.dynamic_partitions.add("n", ["last"]) == ["last"]
    assert as_another(store).get("n") == [*both[:whole], "last"]


def test_a_damaged_line_is_named(store: Store) -> None:
    store.dynamic_partitions.add("colors", ["a"])
    store.dynamic_partitions.add("colors", ["b"])
    file = file_of(store)
    file.write_bytes(file.read_bytes().replace(b'"a"', b"a"))
    for partitions in (store.dynamic_partitions, as_another(store)):
        for act in (lambda: partitions.get("colors"), lambda: partitions.add("colors", ["c"])):  # noqa: B023
            with pytest.raises(DamagedStoreError, match=f"line 2 of {file} is damaged"):
                act()
    file.write_bytes(file.read_bytes().replace(b"[a]", b'["a"]'))
    assert store.dynamic_partitions.get("colors") == ["a", "b"]


def test_a_file_without_its_first_line_is_damaged(store: Store) -> None:
    store.dynamic_partitions.add("colors", ["a"])
    file = file_of(store)
    file.write_bytes(file.read_bytes().partition(b"\n")[2])
    with pytest.raises(DamagedStoreError, match=f"line 1 of {file} is damaged"):
        as_another(store).get("colors")


def test_a_file_of_a_later_format_is_left_alone(store: Store) -> None:
    store.dynamic_partitions.add("colors", ["a"])
    file = file_of(store)
    future = file.read_bytes().replace(b'"format":1', b'"format":2')
    file.write_bytes(future)
    with pytest.raises(StoreFormatError, match="has format 2"):
        as_another(store).add("colors", ["b"])
    assert file.read_bytes() == future


def test_an_emptied_or_deleted_file_has_no_keys(store: Store) -> None:
    for forget in (lambda: os.truncate(file_of(store), 0), lambda: file_of(store).unlink()):
        store.dynamic_partitions.add("colors", ["a"])
        forget()
        assert store.dynamic_partitions.get("colors") == []
        assert store.dynamic_partitions.names() == []
        assert store.dynamic_partitions.add("colors", ["b"]) == ["b"]
        assert as_another(store).get("colors") == ["b"]
        store.dynamic_partitions.delete("colors", ["b"])


def test_the_instance_has_them_by_dagster_s_names(instance: dg.Instance) -> None:
    instance.add_dynamic_partitions("colors", ["b", "a"])
    instance.add_dynamic_partitions(partitions_def_name="colors", partition_keys=["a", "c"])
    assert instance.get_dynamic_partitions("colors") == ["b", "a", "c"]
    assert instance.has_dynamic_partition("colors", "a")
    instance.delete_dynamic_partition("colors", "a")
    instance.delete_dynamic_partition("colors", "a")
    assert not instance.has_dynamic_partition("colors", "a")
    assert instance.get_dynamic_partitions("colors") == ["b", "c"]


def test_the_materialized_partitions_of_an_asset(instance: dg.Instance) -> None:
    store, key = instance.store, AssetKey("trips")
    store.prepare()
    assert instance.get_materialized_partitions("trips") == set()
    for partition in (None, "a", "b"):
        made = Materialization("1", now(), StoredValue("none"), "v", partition=partition)
        store.history.append(Target(key, partition), made)
    store.history.append(Target(key, "c"), FailedAttempt("1", now(), "no", partition="c"))
    assert instance.get_materialized_partitions("trips") == {"a", "b"}
    assert instance.get_materialized_partitions(key) == {"a", "b"}


def test_the_doctor_repairs_a_cut_line_and_says_which_file_is_damaged(store: Store) -> None:
    store.prepare()
    store.dynamic_partitions.add("colors", ["a"])
    store.dynamic_partitions.add("sizes", ["s"])
    assert list(examine(store)) == []
    with file_of(store).open("ab") as file:
        file.write(b'{"added":["b')
    (cut,) = examine(store)
    assert not cut.serious
    assert cut.repair is not None
    assert cut.repair()
    assert list(examine(store)) == []
    file_of(store, "sizes").write_text('{"format":1,"name":"sizes"}\nno\n')
    (damage,) = examine(store)
    assert damage.serious
    assert f"line 2 of {file_of(store, 'sizes')} is damaged" in damage.text

"""Some partitions of an asset are wiped, the others stay, and each keeps its own last values."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from assetgraph import StaticPartitionsDefinition, asset
from assetgraph.errors import LockedError
from assetgraph.graph.definitions import Definitions
from assetgraph.keys import AssetKey, Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.records import Materialization, now
from assetgraph.storage.asset_records import wipe, wipe_partitions
from assetgraph.storage.doctor import examine
from assetgraph.storage.retention import drop_old_values, find_prunable, prune
from assetgraph.storage.store import Store

KEY = AssetKey("trips")
LONG = "2023-03-01 at the corner of " + "x" * 300
NAMES = ("a", "b/c", LONG, "한국")


def target(partition: str) -> Target:
    return Target(KEY, partition)


def make(store: Store, partition: str | None, run_id: str) -> Path:
    """Store and record a value of a partition; its folder."""
    one = Target(KEY, partition)
    saved = store.values.save(one, run_id, "x" * 10_000)
    made = Materialization(run_id, now(), saved.stored, saved.data_version, partition=partition)
    store.history.append(one, made)
    assert saved.stored.path is not None
    return Path(store.storage, saved.stored.path).parent


@pytest.fixture
def prepared(store: Store) -> Store:
    store.prepare()
    return store


def test_wiped_partitions_are_gone_with_their_values_and_the_others_stay(prepared: Store) -> None:
    folders = {name: make(prepared, name, "1") for name in NAMES}
    wipe_partitions(prepared, [target("a"), target(LONG)])
    assert prepared.history.partitions(KEY) == {"b/c": True, "한국": True}
    assert {name for name, folder in folders.items() if folder.exists()} == {"b/c", "한국"}
    assert prepared.history.current(target("a")) == (None, None)
    assert [item for item in find_prunable(prepared) if item.kind != "lock"] == []
    assert list(examine(prepared, deep=True)) == []
    make(prepared, LONG, "2")
    assert prepared.history.partitions(KEY) == {LONG: True, "b/c": True, "한국": True}
    wipe(prepared, [KEY])
    assert prepared.history.partitions(KEY) == {}
    assert list(Path(prepared.storage).rglob("value*")) == []


@pytest.mark.parametrize("how", ["made", "read"])
def test_nothing_is_wiped_while_one_of_the_partitions_is_in_use(prepared: Store, how: str) -> None:
    folders = [make(prepared, name, "1") for name in ("a", "b")]
    lock = (
        prepared.lock(target("b")) if how == "made" else prepared.reading(target("b"), shared=True)
    )
    assert lock.acquire()
    for act in (
        lambda: wipe_partitions(prepared, [target("a"), target("b")]),
        lambda: wipe(prepared, [KEY]),
    ):
        with pytest.raises(LockedError, match="'trips@b'"):
            act()
    assert prepared.history.partitions(KEY) == {"a": True, "b": True}
    assert all(folder.exists() for folder in folders)
    assert not prepared.running([target("a")]) | prepared.being_read([target("a")])
    wipe_partitions(prepared, [target("a")])
    assert prepared.history.partitions(KEY) == {"b": True}
    lock.release()


APPENDING = """
import sys
from assetgraph.keys import AssetKey, Target
from assetgraph.records import Materialization, StoredValue, now
from assetgraph.storage.store import Store
store, target = Store(sys.argv[1]), Target(AssetKey("trips"), sys.argv[2])
lock = store.lock(target)
assert lock.acquire()
print("ready", flush=True)
sys.stdin.readline()
for number in range(500):
    value = StoredValue("json", inline="1")
    lock.append(Materialization(str(number), now(), value, "v", partition=target.partition))
    assert store.history.known(target).run_id == str(number)
"""


def test_wiping_one_partition_costs_a_process_that_commits_another_nothing(
    prepared: Store,
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", APPENDING, prepared.folder, "b"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("go\n")
    process.stdin.flush()
    rounds = 0
    while process.poll() is None:
        make(prepared, "a", str(rounds))
        wipe_partitions(prepared, [target("a")])
        assert "a" not in prepared.history.partitions(KEY)
        rounds += 1
    process.communicate()
    assert process.returncode == 0
    assert rounds
    assert len(list(prepared.history.attempts(target("b")))) == 500


def test_orphaned_partitions_are_those_that_no_longer_exist(prepared: Store) -> None:
    def orphaned(name: str, *partitions: str) -> list[str]:
        some = StaticPartitionsDefinition(partitions) if partitions else None
        made_by = asset(name=name, partitions_def=some)(lambda: 1)
        return list(StoreFacts(Definitions([made_by]).graph, prepared).orphaned(AssetKey(name)))

    for name in (None, *NAMES):
        make(prepared, name, "1")
    assert orphaned(KEY.text, "a", "한국", "2023") == ["b/c", LONG]
    wipe_partitions(prepared, [target(LONG)])
    assert orphaned(KEY.text, "a") == ["b/c", "한국"]
    assert orphaned(KEY.text) == ["a", "b/c", "한국"]
    assert orphaned("other") == []


@pytest.mark.parametrize("at_once", [False, True])
def test_each_partition_keeps_its_last_values(prepared: Store, at_once: bool) -> None:
    folders: dict[str | None, list[Path]] = {name: [] for name in (None, *NAMES)}
    for number in range(4):
        for name, made in folders.items():
            made.append(make(prepared, name, f"{number}"))
            if at_once:
                drop_old_values(prepared, Target(KEY, name))
    if not at_once:
        values = [item for item in find_prunable(prepared) if item.kind == "value"]
        assert len(values) == 2 * len(folders)
        assert all(prune(prepared, item) for item in values)
    for made in folders.values():
        assert [folder.exists() for folder in made] == [False, False, True, True]


def test_a_value_that_is_being_read_outlives_its_replacement(prepared: Store) -> None:
    old = make(prepared, "a", "1")
    for number in range(2, 4):
        make(prepared, "a", f"{number}")
    (guard,) = prepared.reading_all([target("b"), target("a")], shared=True)
    assert guard.acquire()
    drop_old_values(prepared, target("a"))
    assert old.exists()
    assert [item for item in find_prunable(prepared) if item.kind == "value"] == []
    guard.release()
    drop_old_values(prepared, target("a"))
    assert not old.exists()


def test_a_lost_history_of_partitions_is_said_and_their_values_stay(prepared: Store) -> None:
    lock = prepared.lock(target("a"))
    assert lock.acquire()
    assert not prepared.history.is_missing(KEY)  # before any value
    lock.release()
    folder = make(prepared, "a", "1")
    Path(prepared.history.path(KEY)).unlink()
    assert [item for item in find_prunable(prepared) if item.kind != "lock"] == []
    (finding,) = examine(prepared)
    assert finding.serious
    assert "trips.jsonl is missing" in finding.text
    assert list(prepared.values.kept_of([KEY, AssetKey("other")])) == [KEY]
    assert "is missing, though it has values" in prepared.no_value(KEY).message
    assert folder.exists()

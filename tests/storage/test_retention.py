"""What a store deletes, while other processes are at work in it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from conftest import Answer, ProjectFolder

import assetgraph as dg
from assetgraph.errors import StoreError, UnknownRunError
from assetgraph.keys import AssetKey, Target
from assetgraph.records import Materialization, RunRecord, RunStatus, now
from assetgraph.storage.file_locks import Lock, prune_lock
from assetgraph.storage.retention import (
    Prunable,
    drop_old_runs,
    drop_old_values,
    find_prunable,
    prune,
)
from assetgraph.storage.run_folders import RunStorage, new_run_id
from assetgraph.storage.store import Store

KEY = AssetKey("trips")
locks = sys.modules[Lock.__module__]  # this very module: another test may import it anew


@dg.asset
def quick() -> int:
    return 1


def runs(store: Store, count: int) -> list[str]:
    """The ids of that many runs, newest first."""
    instance = dg.Instance(store.folder)
    for _ in range(count):
        dg.materialize([quick], instance=instance)
    return list(store.runs.ids())


def keeping_one(store: Store) -> Store:
    return Store(store.folder, keep_runs=1)


def test_runs_beyond_the_limit_are_deleted(store: Store) -> None:
    newest, *_ = runs(store, 3)
    drop_old_runs(keeping_one(store))
    assert list(store.runs.ids()) == [newest]


def test_an_old_run_that_goes_on_stays_and_those_beside_it_are_deleted(store: Store) -> None:
    newest, *_, living = runs(store, 4)
    lock = Lock(f"{store.runs.path(living)}/lock")
    assert lock.acquire()
    drop_old_runs(keeping_one(store))
    assert list(store.runs.ids()) == [newest, living]
    assert not [item for item in find_prunable(keeping_one(store)) if item.kind == "run"]
    lock.release()
    drop_old_runs(keeping_one(store))
    assert list(store.runs.ids()) == [newest]


def saved(store: Store, run_id: str, partition: str | None) -> str:
    """The folder of a value that the run made of a partition, and recorded."""
    value = store.values.save(Target(KEY, partition), run_id, b"x" * 10_000).stored
    store.history.append(
        Target(KEY, partition), Materialization(run_id, now(), value, "v", partition=partition)
    )
    assert value.path
    return value.path.rpartition("/")[0]


def test_the_values_of_one_partition_replace_none_of_another(store: Store) -> None:
    store.prepare()
    partitions = ("2023/04", None, "")
    folders = [[saved(store, f"run-{n}", part) for part in partitions] for n in range(3)]

    drop_old_values(store, Target(KEY, "2023/04"))

    left = [value.folder for value in store.values.runs()]
    assert set(left) == {f for row in folders for f in row} - {folders[0][0]}
    items = [item for item in find_prunable(store) if item.kind != "lock"]
    assert {item.path for item in items} == set(folders[0][1:])
    assert {item.kind for item in items} == {"value"}
    assert all(prune(store, item) for item in items)
    assert {value.folder for value in store.values.runs()} == {
        f for row in folders[1:] for f in row
    }


def test_a_run_that_another_process_is_deleting_is_not_an_error(store: Store) -> None:
    _, older, oldest = runs(store, 3)
    items = find_prunable(keeping_one(store))
    assert next(items).name == older
    shutil.rmtree(store.runs.path(oldest))
    gone = next(items)
    assert (gone.name, gone.size) == (oldest, 0)
    assert prune(store, gone)


def test_a_run_that_is_done_does_not_fail_because_old_ones_cannot_be_deleted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs(store, 1)

    def denied(_runs: RunStorage, run_id: str) -> None:
        raise StoreError(f"cannot delete {run_id}")

    monkeypatch.setattr(RunStorage, "delete", denied)
    instance = dg.Instance(store.folder)
    instance.store.keep_runs = 1
    result = dg.materialize([quick], instance=instance)
    assert result.success
    assert store.runs.read(result.run_id).status is RunStatus.SUCCESS


def test_a_run_whose_record_is_removed_before_it_is_summed_up_still_succeeds(
    project: Callable[..., ProjectFolder],
    assetgraph: Callable[..., Answer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = project({"pipeline.py": "import assetgraph as dg\n@dg.asset\ndef quick(): return 1\n"})
    monkeypatch.chdir(made.root)

    def removed(_store: Store, run_id: str) -> None:
        raise UnknownRunError(f"there is no run {run_id!r}")

    monkeypatch.setattr("assetgraph.queries.run_views.run_details", removed)
    answer = assetgraph("materialize", "quick", "--json")
    assert answer.code == 0
    assert answer.json["status"] == "SUCCESS"
    assert "succeeded in" in answer.err


def test_after_a_clock_was_set_back_the_last_made_runs_are_kept_and_the_last_is_latest(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance.store.keep_runs = 2
    made = []
    for days in (0, -30, -60, -60, 20, 10):
        clock = now() + timedelta(days=days)
        monkeypatch.setattr("assetgraph.run.run_setup.now", lambda clock=clock: clock)
        result = dg.materialize([quick], instance=instance)
        assert result.success
        assert result.outcome.record.started_at == clock
        made.append(result.run_id)
        assert list(instance.store.runs.ids()) == made[:-3:-1]
        assert instance.store.runs.find("latest") == result.run_id


def test_a_value_that_became_current_since_it_was_found_stays(store: Store) -> None:
    store.prepare()
    Path(store.history.path(KEY)).touch()  # as a step does before it stores a value
    saved = store.values.save(Target(KEY), "20261122-160837-482-4f2a", b"x" * 10_000)
    (orphan,) = find_prunable(store)
    assert orphan.kind == "orphan"
    store.history.append(
        Target(KEY),
        Materialization("20261122-160837-482-4f2a", now(), saved.stored, saved.data_version),
    )
    assert not prune(store, orphan)
    assert store.values.check(saved.stored) == "intact"
    assert list(find_prunable(store)) == []


@pytest.mark.parametrize("use", ["lock", "reading"])
def test_a_value_whose_asset_is_in_use_stays(store: Store, use: str) -> None:
    store.prepare()
    Path(store.history.path(KEY)).touch()  # as a step does before it stores a value
    saved = store.values.save(Target(KEY), "20261122-160837-482-4f2a", b"x" * 10_000)
    (orphan,) = find_prunable(store)
    user = store.lock(Target(KEY)) if use == "lock" else store.reading(Target(KEY), shared=True)
    assert user.acquire()
    assert list(find_prunable(store)) == []
    assert not prune(store, orphan)
    user.release()
    assert prune(store, orphan)
    assert not Path(store.folder, "values", str(saved.stored.path)).exists()


def test_an_old_value_that_is_being_read_outlives_the_next(store: Store) -> None:
    store.prepare()
    folders = {saved(store, f"run-{n}", None) for n in range(3)}
    reader = store.reading(Target(KEY), shared=True)
    assert reader.acquire()
    drop_old_values(store, Target(KEY))
    assert {value.folder for value in store.values.runs()} == folders
    reader.release()
    drop_old_values(store, Target(KEY))
    assert len(list(store.values.runs())) == store.keep_values


def test_a_run_that_has_just_begun_is_not_a_leftover(store: Store) -> None:
    store.prepare()
    begun = Path(store.runs.path("20261122-160837-482-4f2a")).with_name(".20261122-160837-482-4f2a")
    begun.mkdir(parents=True)
    (leftover,) = find_prunable(store)
    beginning = store.runs.beginning(shared=True)
    assert beginning.acquire()
    assert not prune(store, leftover)
    assert begun.exists()
    beginning.release()
    assert prune(store, leftover)
    assert not begun.exists()


def test_a_file_that_a_dead_run_was_writing_goes_and_that_of_a_living_one_stays(
    store: Store,
) -> None:
    store.prepare()
    at = now()
    log = store.runs.start(RunRecord(new_run_id(at), RunStatus.STARTED, at))
    half = Path(log.folder, "run.json.99.tmp")
    half.write_text("{")
    assert list(find_prunable(store)) == []
    log.close()
    (leftover,) = find_prunable(store)
    living = Lock(f"{log.folder}/lock")
    assert living.acquire()
    assert not prune(store, leftover)
    living.release()
    assert prune(store, leftover)
    assert not half.exists()
    assert Path(log.folder, "run.json").exists()


@pytest.fixture
def lock_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that cannot lock bytes, so that each partition has a file."""
    monkeypatch.setattr("assetgraph.storage.partition_locks.has_range_locks", lambda: False)


LONG = "2023-03-01 at the corner of " + "x" * 300


@pytest.mark.usefixtures("lock_files")
@pytest.mark.parametrize("partition", ["2023-03-01", LONG, "", "_", "a/b"])
def test_the_lock_files_of_a_partition_are_pruned_and_those_of_an_asset_stay(
    store: Store, partition: str
) -> None:
    store.prepare()
    key = AssetKey("k" * 190)
    part, whole = Target(key, partition), Target(key)
    for target in (part, whole):
        for lock in (store.lock(target), store.reading(target)):
            assert lock.acquire()
            lock.release()
    locks = Path(store.folder, "locks")
    assert len(list(locks.iterdir())) == 3

    items = list(find_prunable(store))

    assert {item.kind for item in items} == {"lock"}
    assert all(prune(store, item) for item in items)
    assert [file.name for file in locks.iterdir()] == [f"{key.text}=_.read"]
    assert list(find_prunable(store)) == []


@pytest.mark.usefixtures("lock_files")
@pytest.mark.parametrize("reads", [False, True])
def test_a_lock_that_is_held_is_not_pruned(store: Store, reads: bool) -> None:
    store.prepare()
    target = Target(KEY, "2023")
    lock: Lock = store.reading(target, shared=True) if reads else store.lock(target)
    assert lock.acquire()
    assert not prune_lock(lock.path)
    (item,) = list(find_prunable(store)) or [Prunable("lock", "", lock.path, 0)]
    assert not prune(store, item)
    assert Path(lock.path).exists()
    lock.release()
    assert prune(store, item)


@pytest.mark.usefixtures("lock_files")
def test_nobody_holds_the_lock_of_a_pruned_file(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.prepare()
    target = Target(KEY, "2023")
    slow, other = store.lock(target), store.lock(target)
    opened = locks.open_lock
    pruned: list[bool] = []

    def pruned_since(path: str) -> int:
        fd = opened(path)
        if not pruned:  # the first to open it is overtaken by a prune
            pruned.append(True)
            assert prune_lock(path)
        return fd

    monkeypatch.setattr(locks, "open_lock", pruned_since)
    assert slow.acquire()
    assert not other.acquire()
    assert store.is_running(target)
    slow.release()
    assert other.acquire()
    other.release()


@pytest.mark.usefixtures("lock_files")
def test_a_lock_excludes_others_while_its_file_is_pruned_again_and_again(store: Store) -> None:
    store.prepare()
    target, at_work, met = Target(KEY, "2023"), [0], []

    def works() -> None:
        for _ in range(150):
            lock = store.lock(target)
            if lock.acquire():
                at_work[0] += 1
                met.append(at_work[0])
                at_work[0] -= 1
                lock.release()

    workers = [Thread(target=works) for _ in range(3)]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        prune_lock(store.lock(target).path)
    assert set(met) == {1}


def test_the_values_of_a_partition_with_a_long_name_replace_none_of_another(store: Store) -> None:
    store.prepare()
    partitions = (LONG, LONG + "y", None, "년" * 100)
    folders = [[saved(store, f"run-{n}", part) for part in partitions] for n in range(4)]

    found = {item.path for item in find_prunable(store)}
    assert found == {path for row in folders[:2] for path in row}

    for part in partitions:
        drop_old_values(store, Target(KEY, part))
    assert {run.folder for run in store.values.runs()} == {
        path for row in folders[2:] for path in row
    }


def test_a_value_that_was_never_recorded_is_kept_while_nobody_can_tell_its_partition(
    store: Store,
) -> None:
    store.prepare()
    value = store.values.save(Target(KEY, LONG), "run-1", b"x" * 10_000).stored
    assert value.path
    assert list(find_prunable(store)) == []
    saved(store, "run-2", LONG)
    (item,) = find_prunable(store)
    assert (item.kind, item.path) == ("orphan", value.path.rpartition("/")[0])

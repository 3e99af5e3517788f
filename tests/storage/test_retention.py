"""What a store deletes, while other processes are at work in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import Answer, ProjectFolder

import assetgraph as dg
from assetgraph.errors import StoreError, UnknownRunError
from assetgraph.keys import AssetKey, Target
from assetgraph.records import Materialization, RunRecord, RunStatus, now
from assetgraph.storage.locks import Lock
from assetgraph.storage.retention import drop_old_runs, drop_old_values, find_prunable, prune
from assetgraph.storage.run_folders import RunStorage, new_run_id
from assetgraph.storage.store import Store

KEY = AssetKey("trips")


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
    items = list(find_prunable(store))
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

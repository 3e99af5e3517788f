"""The records of runs: ids, the folder of a run, finding, listing and deleting runs."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_assets import asset_named

from assetgraph import AssetExecutionContext, Instance, asset, materialize
from assetgraph.errors import DamagedStoreError, StoreError, UnknownRunError
from assetgraph.keys import Target
from assetgraph.queries.event_text import event_text
from assetgraph.queries.run_filter import RunFilter
from assetgraph.queries.run_views import list_runs, run_details
from assetgraph.records import Event, EventType, RunRecord, RunStatus, StepState, now
from assetgraph.run.executors import make
from assetgraph.storage.retention import drop_old_runs
from assetgraph.storage.run_folders import RunLog, new_run_id
from assetgraph.storage.store import Store

START = datetime(2026, 11, 22, 16, 8, 37, 482_913, tzinfo=UTC)


def begin(store: Store, started_at: datetime = START, **fields: object) -> RunLog:
    """A run in progress: its lock is held."""
    store.prepare()
    fields = {"run_id": new_run_id(started_at), "started_at": started_at, **fields}
    record = RunRecord(status=RunStatus.STARTED, **fields)  # type: ignore[arg-type]
    return store.runs.start(record)


def run(store: Store, started_at: datetime = START, **fields: object) -> str:
    """A run that succeeded."""
    log = begin(store, started_at, **fields)
    run_id = os.path.basename(log.folder)
    record = store.runs.read(run_id)
    log.finish(
        msgspec.structs.replace(
            record, status=RunStatus.SUCCESS, ended_at=started_at + timedelta(seconds=2)
        )
    )
    log.close()
    return run_id


def test_a_run_id_says_its_time_and_sorts_by_it() -> None:
    assert new_run_id(START)[:-4] == "20261122-160837-482-"
    ids = [new_run_id(START + timedelta(milliseconds=n * 7)) for n in range(300)]
    assert ids == sorted(ids)
    assert len({new_run_id(START) for _ in range(50)}) > 40


@given(
    st.lists(
        st.one_of(
            st.timedeltas(timedelta(days=-900), timedelta(days=900)),
            st.timedeltas(timedelta(milliseconds=-3), timedelta(milliseconds=3)),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_the_clock_says_the_run_that_was_made_last_is_the_latest(
    jumps: list[timedelta],
) -> None:
    with TemporaryDirectory() as folder:
        store = Store(folder, keep_runs=3)
        store.prepare()
        clock, made = START, []
        for jump in jumps:
            clock += jump
            run_id = store.runs.new_id(clock)
            store.runs.start(RunRecord(run_id, RunStatus.SUCCESS, clock)).close()
            made.append(run_id)
            drop_old_runs(store)
            assert list(store.runs.ids()) == made[:-4:-1]
            assert store.runs.find("latest") == run_id
            assert [run.run_id for run in list_runs(store).runs] == made[:-4:-1]


def test_an_id_is_the_time_as_long_as_the_clock_goes_on(store: Store) -> None:
    first = run(store, run_id=store.runs.new_id(START))
    assert first.startswith("20261122-160837-482-")
    assert store.runs.new_id(START).startswith("20261122-160837-483-")
    assert store.runs.new_id(START - timedelta(days=400)).startswith("20261122-160837-483-")
    later = START + timedelta(milliseconds=1)
    assert store.runs.new_id(later).startswith("20261122-160837-483-")
    Path(store.folder, "runs", "9999-99-99", "99999999-999999-999-ffff").mkdir(parents=True)
    assert store.runs.new_id(START).startswith("20261122-160837-482-")


def test_a_run_lies_in_a_folder_of_its_day(store: Store) -> None:
    run_id = run(store)
    folder = Path(store.folder, "runs", "2026-11-22", run_id)
    assert sorted(os.listdir(folder)) == ["events.jsonl", "lock", "logs", "run.json"]
    assert store.runs.read(run_id).duration_s == 2.0


def test_a_run_is_seen_whole_from_its_first_moment(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    rename = os.rename

    def watched(old: str, new: str) -> None:
        seen.append(list(store.runs.ids()))
        rename(old, new)
        seen.append([store.runs.read(run_id).status for run_id in store.runs.ids()])

    store.prepare()
    monkeypatch.setattr(os, "rename", watched)
    log = begin(store)
    monkeypatch.undo()
    assert all(look in ([], [RunStatus.STARTED]) for look in seen)
    assert seen[-1] == [RunStatus.STARTED]
    log.close()


def test_a_run_is_under_way_while_its_lock_is_held_and_interrupted_after(store: Store) -> None:
    log = begin(store)
    (run_id,) = store.runs.ids()
    assert store.runs.read(run_id).status is RunStatus.STARTED
    log.close()
    assert store.runs.read(run_id).status is RunStatus.INTERRUPTED
    recorded = Path(store.runs.path(run_id), "run.json").read_text()
    assert '"STARTED"' in recorded


def test_an_interrupted_run_was_last_heard_of_when_it_last_recorded_or_printed_something(
    store: Store,
) -> None:
    log = begin(store, now(), assets=("a",))
    folder = Path(log.folder)
    begun = datetime.fromtimestamp((folder / "run.json").stat().st_mtime, UTC)
    log.append([Event(EventType.STEP_START, begun, "a")])
    log.close()
    assert run_details(store, "latest").last_heard_at == begun

    (folder / "progress.json").write_text(json.dumps({"a": {"at": begun.timestamp() + 10}}))
    assert run_details(store, "latest").last_heard_at == begun + timedelta(seconds=10)

    printed = folder / "logs/a.1.out"
    printed.write_text("x")
    os.utime(printed, (0, begun.timestamp() + 20))
    details = run_details(store, "latest")
    assert details.last_heard_at == begun + timedelta(seconds=20)
    (step,) = details.steps
    assert (step.state, step.duration_s) == (StepState.CANCELED, 20)

    os.utime(folder / "run.json", (0, begun.timestamp() + 3600))  # all of it was copied later
    assert run_details(store, "latest").last_heard_at == begun + timedelta(seconds=10)


def test_events_are_read_in_the_order_they_were_appended(store: Store) -> None:
    log = begin(store)
    events = [Event(EventType.LOG, now(), "a", message=str(n)) for n in range(5)]
    log.append(events[:2])
    log.append(events[2:])
    (run_id,) = store.runs.ids()
    assert list(store.runs.events(run_id)) == events
    log.close()


def test_output_files_are_listed_by_step_attempt_and_stream(store: Store) -> None:
    log = begin(store)
    for step_id, attempt, stream in [
        ("a.b/c", 1, "out"),
        ("a.b/c", 1, "err"),
        ("z", 12, "out"),
        ("z@2023/1.out", 2, "out"),
    ]:
        Path(f"{log.log_path(step_id, attempt)}.{stream}").write_text("x")
    (run_id,) = store.runs.ids()
    assert [found[:3] for found in store.runs.outputs(run_id)] == [
        ("a.b/c", 1, "err"),
        ("a.b/c", 1, "out"),
        ("z", 12, "out"),
        ("z@2023/1.out", 2, "out"),
    ]
    log.close()


def test_runs_are_listed_newest_first_across_days_by_pages(store: Store) -> None:
    ids = [run(store, START + timedelta(hours=5 * n)) for n in range(12)]
    newest_first = ids[::-1]
    assert list(store.runs.ids()) == newest_first
    pages, before = [], None
    while True:
        page = list_runs(store, limit=5, before=before)
        pages.append([record.run_id for record in page.runs])
        before = page.following
        if before is None:
            break
    assert pages == [newest_first[:5], newest_first[5:10], newest_first[10:]]


def test_a_page_is_read_without_the_rest_of_the_history(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(6):
        run(store, START + timedelta(days=n))
    listed = []
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: (listed.append(path), listdir(path))[1])
    assert len(list_runs(store, limit=2).runs) == 2
    assert len(listed) <= 4


def test_runs_are_listed_by_status(store: Store) -> None:
    good = run(store)
    begin(store, START + timedelta(seconds=5)).close()
    page = list_runs(store, only=RunFilter(frozenset({RunStatus.SUCCESS})))
    assert [record.run_id for record in page.runs] == [good]
    assert len(list_runs(store, only=RunFilter(frozenset({RunStatus.INTERRUPTED}))).runs) == 1


def test_a_damaged_run_is_named_and_hides_no_other(store: Store) -> None:
    ids = [run(store, START + timedelta(seconds=n)) for n in range(4)]
    Path(store.runs.path(ids[1]), "run.json").write_text("{")
    Path(store.runs.path(ids[2]), "run.json").unlink()
    page = list_runs(store)
    assert [record.run_id for record in page.runs] == [ids[3], ids[0]]
    missing, damaged = page.damaged
    assert f"the run {ids[2]} has no run.json" in missing
    assert f"assetgraph runs delete {ids[2]}" in missing
    assert "run.json is damaged" in damaged
    with pytest.raises(StoreError, match=r"has no run\.json"):
        store.runs.read(ids[2])
    with pytest.raises(DamagedStoreError, match="is damaged"):
        store.runs.read(ids[1])
    store.runs.delete(ids[2])
    assert list(store.runs.ids()) == [ids[3], ids[1], ids[0]]


def test_files_that_are_not_runs_are_ignored(store: Store) -> None:
    run_id = run(store)
    runs = Path(store.folder, "runs")
    (runs / "Thumbs.db").write_text("")
    (runs / "notes").mkdir()
    (runs / "2026-11-22" / "readme.txt").write_text("")
    assert list(store.runs.ids()) == [run_id]


def test_a_run_is_found_by_its_id_a_unique_part_of_it_or_latest(store: Store) -> None:
    old, new = run(store), run(store, START + timedelta(days=1))
    assert store.runs.find(old) == old
    assert store.runs.find("latest") == new
    assert store.runs.find(old[4:17]) == old
    with pytest.raises(
        UnknownRunError, match=r"'2026' is part of 2 run ids: .*Type more of the id"
    ):
        store.runs.find("2026")
    for text in ("1999", "", "../..", "latest2"):
        with pytest.raises(UnknownRunError, match="assetgraph runs list"):
            store.runs.find(text)


def test_a_store_without_runs_says_how_to_start_one(store: Store) -> None:
    with pytest.raises(UnknownRunError, match="assetgraph materialize --all"):
        store.runs.find("latest")


def test_a_run_that_is_gone_is_unknown(store: Store) -> None:
    with pytest.raises(UnknownRunError, match="there is no run"):
        store.runs.read(new_run_id(START))


def test_a_run_knows_what_re_executed_it(store: Store) -> None:
    root = run(store)
    first = run(store, START + timedelta(seconds=5), root_run_id=root, parent_run_id=root)
    second = run(store, START + timedelta(seconds=9), root_run_id=root, parent_run_id=first)
    assert store.runs.reruns(root) == [first, second]
    assert store.runs.reruns(first) == [second]
    assert store.runs.reruns(second) == []


def test_a_run_whose_root_was_deleted_still_starts(store: Store) -> None:
    root = run(store)
    store.runs.delete(root)
    again = run(store, START + timedelta(seconds=5), root_run_id=root, parent_run_id=root)
    assert store.runs.read(again).root_run_id == root
    assert list(store.runs.ids()) == [again]


def test_a_run_under_way_is_not_deleted(store: Store) -> None:
    log = begin(store)
    (run_id,) = store.runs.ids()
    with pytest.raises(StoreError, match="is in progress"):
        store.runs.delete(run_id)
    log.close()
    store.runs.delete(run_id)
    assert os.listdir(f"{store.folder}/runs") == []


def test_a_run_that_is_only_partly_created_or_deleted_is_not_seen(store: Store) -> None:
    run_id = run(store)
    folder = Path(store.runs.path(run_id))
    folder.rename(folder.with_name("." + folder.name))
    assert list(store.runs.ids()) == []


@pytest.mark.parametrize("lasting", [False, True])
def test_a_run_that_its_store_ends_says_so_and_leaves_no_step_running(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, lasting: bool
) -> None:
    """With `lasting`, the events take nothing more from then on."""
    made, middle, late = asset_named("made"), asset_named("middle", "made"), asset_named("late")
    append, full = RunLog.append, []

    def fill_up(log: RunLog, events: Iterable[Event]) -> None:
        events = tuple(events)
        if any(e.type is EventType.STEP_SUCCESS and e.step == "middle" for e in events):
            full.append(True)
        if full and (lasting or len(full) == 1):
            full.append(True)
            raise StoreError("cannot write events.jsonl: the disk is full.")
        append(log, events)

    monkeypatch.setattr(RunLog, "append", fill_up)
    with pytest.raises(StoreError, match="the disk is full"):
        materialize([made, middle, late], instance=instance, selection=["made", "middle"])
    details = run_details(instance.store, "latest")
    assert details.record.status is RunStatus.FAILURE
    assert details.record.step_counts == {"success": 1, "canceled": 1}
    assert [(step.step_id, step.state.value) for step in details.steps] == [
        ("made", "success"), ("middle", "canceled"),
    ]  # fmt: skip
    if lasting:
        assert details.steps[1].reason == "the run ended before it was recorded"
    else:
        ended = details.events[-1]
        assert ended.type is EventType.RUN_FAILURE
        assert event_text(ended) == "The run ended: cannot write events.jsonl: the disk is full."


def test_a_thread_that_outlives_a_run_ended_by_its_store_commits_nothing(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, begun = threading.Event(), threading.Event()

    @asset
    def slow(context: AssetExecutionContext) -> int:
        begun.set()
        go_on.wait()
        context.log.info("too late")
        print("too late")
        return 1

    @asset
    def quick() -> int:
        begun.wait()
        return 2

    append = RunLog.append

    def fill_up(log: RunLog, events: Iterable[Event]) -> None:
        events = tuple(events)
        if any(e.type is EventType.STEP_SUCCESS and e.step == "quick" for e in events):
            raise StoreError("cannot write events.jsonl: the disk is full.")
        append(log, events)

    monkeypatch.setattr(RunLog, "append", fill_up)
    with pytest.raises(StoreError, match="the disk is full"):
        materialize([slow, quick], instance=instance, executor=make("threads", 2))
    go_on.set()
    lock = instance.store.lock(Target(slow.key))
    assert lock.wait(until=lambda: True)
    lock.release()
    assert instance.store.history.current(Target(slow.key)) == (None, None)
    details = run_details(instance.store, "latest")
    assert details.events[-1].type is EventType.RUN_FAILURE
    assert list(instance.store.runs.outputs(details.record.run_id)) == []


def test_an_error_names_the_events_where_they_lie(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = begin(store)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(StoreError, match=f"cannot write {log.folder}/events.jsonl"):
            log.append([Event(EventType.RUN_START, now())])
    log.close()


@pytest.mark.parametrize("call", ["mkdir", "open", "write", "rename"])
def test_a_run_that_the_disk_has_no_room_for_leaves_nothing_behind(
    store: Store, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    run(store)
    before = sorted(Path(store.folder).rglob("*"))
    real = getattr(os, call)

    def full(path: object, *rest: object, **options: object) -> object:
        reads = call == "open" and not int(str(rest[0])) & os.O_CREAT
        if not reads and (isinstance(path, int) or "/." in str(path).removeprefix(store.folder)):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, *rest, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(StoreError, match="the disk is full"):
            begin(store, START + timedelta(seconds=1))
    assert sorted(Path(store.folder).rglob("*")) == before
    assert run(store, START + timedelta(seconds=1))


def test_a_step_of_a_long_partition_has_a_log_of_its_own(store: Store) -> None:
    key, start = "k" * 190, "2023-03-01 at " + "x" * 200
    ids = [f"{key}@{start}", f"{key}@{start}y", f"{key}@short", "trips"]
    log = begin(store, assets=(key, "trips"), steps=tuple(ids))
    for step_id in ids:
        for suffix in ("out", "err"):
            Path(f"{log.log_path(step_id, 1_234_567)}.{suffix}").write_text(step_id)
    run_id = os.path.basename(log.folder)
    found = [(step_id, Path(path).read_text()) for step_id, *_, path in store.runs.outputs(run_id)]
    assert sorted(found) == sorted((step_id, step_id) for step_id in ids * 2)
    log.close()

"""What the page learns by reading the store while runs write it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

import assetgraph as dg
from assetgraph import Instance
from assetgraph.keys import AssetKey
from assetgraph.queries.run_tail import RunTail
from assetgraph.queries.store_watcher import StoreWatcher
from assetgraph.records import Event, EventType, RunRecord, RunStatus, StepState, now
from assetgraph.storage.run_folders import RunLog, new_run_id
from assetgraph.storage.store import Store

WATCHER = sys.modules[StoreWatcher.__module__]  # this very module: another test may import it anew
TAIL = sys.modules[RunTail.__module__]


@pytest.fixture
def watcher(store: Store) -> StoreWatcher:
    store.prepare()
    watcher = StoreWatcher(store)
    watcher.start()
    return watcher


@pytest.fixture
def begin(store: Store) -> Callable[..., RunLog]:
    """Starts a run as a runner does, and leaves it living."""
    logs: list[RunLog] = []

    def start(*assets: str) -> RunLog:
        at = now()
        record = RunRecord(new_run_id(at), RunStatus.STARTED, at, assets=assets, pid=os.getpid())
        store.prepare()
        logs.append(store.runs.start(record))
        return logs[-1]

    return start


def tell(log: RunLog, kind: EventType, step: str | None = None) -> None:
    log.append([Event(kind, now(), step)])


def run_id(log: RunLog) -> str:
    return Path(log.folder).name


def test_a_run_that_begins_elsewhere_is_found_with_its_steps(
    watcher: StoreWatcher, begin: Callable[..., RunLog]
) -> None:
    log = begin("trips", "fares")
    tell(log, EventType.STEP_START, "trips")

    changes = watcher.look()

    assert list(changes.runs) == [run_id(log)]
    assert changes.steps[run_id(log)]["trips"].state is StepState.RUNNING
    assert watcher.running() == {AssetKey("trips"): run_id(log)}
    assert watcher.live[run_id(log)].step_counts == {"running": 1, "waiting": 1}


def test_a_step_of_a_partition_belongs_to_its_asset(
    watcher: StoreWatcher, begin: Callable[..., RunLog]
) -> None:
    log = begin("trips@2023-03")
    tell(log, EventType.STEP_START, "trips@2023-03")

    changes = watcher.look()

    assert changes.assets == {AssetKey("trips")}
    assert watcher.running() == {AssetKey("trips"): run_id(log)}


def test_only_what_was_appended_since_the_last_look_is_news(
    watcher: StoreWatcher, begin: Callable[..., RunLog]
) -> None:
    log = begin("trips", "fares")
    tell(log, EventType.STEP_START, "trips")
    watcher.look()
    assert not watcher.look()

    tell(log, EventType.STEP_SUCCESS, "trips")
    changes = watcher.look()

    assert {key: step.state for key, step in changes.steps[run_id(log)].items()} == {
        "trips": StepState.SUCCESS
    }
    assert changes.assets == {AssetKey("trips")}


def test_a_line_that_is_still_being_written_is_left_for_the_next_look(
    watcher: StoreWatcher, begin: Callable[..., RunLog]
) -> None:
    log = begin("trips")
    watcher.look()
    line = msgspec.json.encode(Event(EventType.STEP_START, now(), "trips")) + b"\n"
    with open(f"{log.folder}/events.jsonl", "ab", buffering=0) as file:
        file.write(line[:20])
        assert run_id(log) not in watcher.look().steps
        file.write(line[20:])
        assert watcher.look().steps[run_id(log)]["trips"].state is StepState.RUNNING


def test_a_damaged_line_does_not_stop_the_rest(
    watcher: StoreWatcher, begin: Callable[..., RunLog]
) -> None:
    log = begin("trips")
    watcher.look()
    with open(f"{log.folder}/events.jsonl", "ab") as file:
        file.write(b"{broken\n\xff\xfe\n")
    tell(log, EventType.STEP_START, "trips")

    assert watcher.look().steps[run_id(log)]["trips"].state is StepState.RUNNING


def test_a_run_whose_process_dies_is_interrupted(
    watcher: StoreWatcher, begin: Callable[..., RunLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = begin("trips")
    tell(log, EventType.STEP_START, "trips")
    watcher.look()
    monkeypatch.setattr(TAIL, "LIVENESS_INTERVAL_S", 0)

    log.close()  # the kernel drops the lock of a process that dies
    changes = watcher.look()

    assert changes.runs[run_id(log)].status is RunStatus.INTERRUPTED
    assert AssetKey("trips") in changes.assets
    assert not watcher.live
    assert not watcher.running()


def test_a_run_that_was_under_way_before_the_page_started_is_followed(
    store: Store, begin: Callable[..., RunLog]
) -> None:
    log = begin("trips")
    tell(log, EventType.STEP_START, "trips")

    watcher = StoreWatcher(store)
    watcher.start()

    assert watcher.running() == {AssetKey("trips"): run_id(log)}
    assert watcher.live[run_id(log)].events == 1


def test_a_whole_run_in_this_process_is_seen_to_its_end(
    watcher: StoreWatcher, instance: Instance
) -> None:
    @dg.asset
    def trips() -> int:
        return 1

    result = dg.materialize([trips], instance=instance)
    changes = watcher.look()

    assert changes.runs[result.run_id].status is RunStatus.SUCCESS
    assert changes.assets == {AssetKey("trips")}
    assert not watcher.live


def test_a_run_that_is_deleted_is_gone(
    watcher: StoreWatcher, store: Store, begin: Callable[..., RunLog]
) -> None:
    log = begin("trips")
    watcher.look()
    log.close()
    store.runs.delete(run_id(log))

    assert watcher.look().gone == [run_id(log)]
    assert not watcher.look().gone


def test_a_history_that_changes_without_a_run_is_found(
    watcher: StoreWatcher, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WATCHER, "HISTORY_INTERVAL_S", 0)
    Path(f"{store.folder}/assets/manhattan,stats.jsonl").write_bytes(b"{}\n")

    assert watcher.look().assets == {AssetKey("manhattan/stats")}


def test_a_store_that_does_not_exist_yet_is_quiet_until_its_first_run(
    folder: Path, begin: Callable[..., RunLog], store: Store
) -> None:
    watcher = StoreWatcher(store)
    watcher.start()
    assert not watcher.look()

    log = begin("trips")

    assert list(watcher.look().runs) == [run_id(log)]


def test_a_step_of_two_outputs_and_one_of_a_partition_are_seen_as_their_assets(
    watcher: StoreWatcher, store: Store
) -> None:
    at = now()
    record = RunRecord(
        new_run_id(at),
        RunStatus.STARTED,
        at,
        assets=("evens", "odds", "trips"),
        steps=("split", "trips@2023-03-01"),
        outputs={"split": ("evens", "odds")},
        pid=os.getpid(),
    )
    log = store.runs.start(record)
    watcher.look()
    evens, odds, trips = map(AssetKey, record.assets)

    tell(log, EventType.STEP_START, "split")
    assert watcher.look().assets == {evens, odds}
    assert watcher.running() == dict.fromkeys((evens, odds), record.run_id)

    tell(log, EventType.STEP_START, "trips@2023-03-01")
    assert watcher.look().assets == {trips}
    assert watcher.running() == dict.fromkeys((evens, odds, trips), record.run_id)

    tell(log, EventType.RUN_SUCCESS)
    log.finish(msgspec.structs.replace(record, status=RunStatus.SUCCESS))
    log.close()
    assert watcher.look().assets == {evens, odds, trips}
    assert watcher.running() == {}

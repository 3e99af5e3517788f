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
from assetgraph.queries.store_watcher import Follower
from assetgraph.records import Event, EventType, RunRecord, RunStatus, StepState, now
from assetgraph.storage.run_folders import RunLog, new_run_id
from assetgraph.storage.store import Store

FOLLOW = sys.modules[Follower.__module__]  # the very module: another test may import it anew
TAIL = sys.modules[RunTail.__module__]


@pytest.fixture
def follower(store: Store) -> Follower:
    store.prepare()
    follower = Follower(store)
    follower.start()
    return follower


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
    follower: Follower, begin: Callable[..., RunLog]
) -> None:
    log = begin("trips", "fares")
    tell(log, EventType.STEP_START, "trips")

    news = follower.look()

    assert list(news.runs) == [run_id(log)]
    assert news.steps[run_id(log)]["trips"].state is StepState.RUNNING
    assert follower.running() == {AssetKey("trips"): run_id(log)}
    assert follower.live[run_id(log)].step_counts == {"running": 1, "waiting": 1}


def test_only_what_was_appended_since_the_last_look_is_news(
    follower: Follower, begin: Callable[..., RunLog]
) -> None:
    log = begin("trips", "fares")
    tell(log, EventType.STEP_START, "trips")
    follower.look()
    assert not follower.look()

    tell(log, EventType.STEP_SUCCESS, "trips")
    news = follower.look()

    assert {key: step.state for key, step in news.steps[run_id(log)].items()} == {
        "trips": StepState.SUCCESS
    }
    assert news.assets == {AssetKey("trips")}


def test_a_line_that_is_still_being_written_is_left_for_the_next_look(
    follower: Follower, begin: Callable[..., RunLog]
) -> None:
    log = begin("trips")
    follower.look()
    line = msgspec.json.encode(Event(EventType.STEP_START, now(), "trips")) + b"\n"
    with open(f"{log.folder}/events.jsonl", "ab", buffering=0) as file:
        file.write(line[:20])
        assert run_id(log) not in follower.look().steps
        file.write(line[20:])
        assert follower.look().steps[run_id(log)]["trips"].state is StepState.RUNNING


def test_a_damaged_line_does_not_stop_the_rest(
    follower: Follower, begin: Callable[..., RunLog]
) -> None:
    log = begin("trips")
    follower.look()
    with open(f"{log.folder}/events.jsonl", "ab") as file:
        file.write(b"{broken\n\xff\xfe\n")
    tell(log, EventType.STEP_START, "trips")

    assert follower.look().steps[run_id(log)]["trips"].state is StepState.RUNNING


def test_a_run_whose_process_dies_is_interrupted(
    follower: Follower, begin: Callable[..., RunLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = begin("trips")
    tell(log, EventType.STEP_START, "trips")
    follower.look()
    monkeypatch.setattr(TAIL, "LIVENESS_INTERVAL_S", 0)

    log.close()  # the kernel drops the lock of a process that dies
    news = follower.look()

    assert news.runs[run_id(log)].status is RunStatus.INTERRUPTED
    assert AssetKey("trips") in news.assets
    assert not follower.live
    assert not follower.running()


def test_a_run_that_was_under_way_before_the_page_started_is_followed(
    store: Store, begin: Callable[..., RunLog]
) -> None:
    log = begin("trips")
    tell(log, EventType.STEP_START, "trips")

    follower = Follower(store)
    follower.start()

    assert follower.running() == {AssetKey("trips"): run_id(log)}
    assert follower.live[run_id(log)].events == 1


def test_a_whole_run_in_this_process_is_seen_to_its_end(
    follower: Follower, instance: Instance
) -> None:
    @dg.asset
    def trips() -> int:
        return 1

    result = dg.materialize([trips], instance=instance)
    news = follower.look()

    assert news.runs[result.run_id].status is RunStatus.SUCCESS
    assert news.assets == {AssetKey("trips")}
    assert not follower.live


def test_a_run_that_is_deleted_is_gone(
    follower: Follower, store: Store, begin: Callable[..., RunLog]
) -> None:
    log = begin("trips")
    follower.look()
    log.close()
    store.runs.delete(run_id(log))

    assert follower.look().gone == [run_id(log)]
    assert not follower.look().gone


def test_a_history_that_changes_without_a_run_is_found(
    follower: Follower, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FOLLOW, "HISTORY_INTERVAL_S", 0)
    Path(f"{store.folder}/assets/manhattan,stats.jsonl").write_bytes(b"{}\n")

    assert follower.look().assets == {AssetKey("manhattan/stats")}


def test_a_store_that_does_not_exist_yet_is_quiet_until_its_first_run(
    folder: Path, begin: Callable[..., RunLog], store: Store
) -> None:
    follower = Follower(store)
    follower.start()
    assert not follower.look()

    log = begin("trips")

    assert list(follower.look().runs) == [run_id(log)]

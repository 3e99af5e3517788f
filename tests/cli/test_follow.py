"""A run followed from another process: `runs logs --follow`."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Answer, in_new_process

import assetgraph as dg
from assetgraph.errors import DamagedStoreError
from assetgraph.queries.run_tail import RunTail, follow_run
from assetgraph.queries.run_views import StepLog
from assetgraph.records import Event, EventType, RunRecord, RunStatus, now
from assetgraph.storage.run_folders import RunLog, new_run_id
from assetgraph.storage.store import Store


@pytest.fixture
def log(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunLog]:
    """A run that this process has in progress."""
    monkeypatch.setattr(sys.modules[RunTail.__module__], "LIVENESS_INTERVAL_S", 0)
    at = now()
    record = RunRecord(
        new_run_id(at), RunStatus.STARTED, at, assets=("trips", "fares"), pid=os.getpid()
    )
    store.prepare()
    log = store.runs.start(record)
    yield log
    if log._lock.held:
        log.close()


def say(log: RunLog, kind: EventType, step: str | None = None, message: str | None = None) -> None:
    log.append([Event(kind, now(), step, message=message)])


def show(log: RunLog, text: str, name: str = "trips.1.out") -> None:
    with open(f"{log.folder}/logs/{name}", "a", encoding="utf-8") as file:
        file.write(text)


def seen(item: Event | StepLog) -> str:
    return f"{item.step_id}: {item.text}" if isinstance(item, StepLog) else item.type.value


def follow(store: Store, log: RunLog, *turns: Callable[[], None], keys: tuple[str, ...] = ()):
    """What is seen in each look, with `turns` what happens between them."""
    left, looks = list(turns), [[]]

    def pause(_seconds: float) -> None:
        left.pop(0)()
        looks.append([])

    for item in follow_run(store, Path(log.folder).name, keys, pause=pause):
        looks[-1].append(seen(item))
    assert not left
    return looks


def test_a_run_is_followed_as_it_comes_until_it_ends(store: Store, log: RunLog) -> None:
    say(log, EventType.RUN_START)

    def first() -> None:
        say(log, EventType.STEP_START, "trips")
        show(log, "reading\n")

    def second() -> None:
        show(log, "read\n")
        say(log, EventType.STEP_SUCCESS, "trips")

    assert follow(store, log, first, second, log.close) == [
        ["RUN_START"],
        ["STEP_START", "trips: reading\n"],
        ["trips: read\n", "STEP_SUCCESS"],
        [],
    ]


def test_what_a_run_wrote_last_is_told_before_it_counts_as_ended(store: Store, log: RunLog) -> None:
    def end() -> None:
        show(log, "the end\n")
        say(log, EventType.RUN_CANCELED)
        log.close()

    assert follow(store, log, end) == [[], ["RUN_CANCELED", "trips: the end\n"]]


def test_a_character_that_comes_in_two_pieces_is_one(store: Store, log: RunLog) -> None:
    path = f"{log.folder}/logs/trips.1.out"
    halves = "é".encode()
    Path(path).write_bytes(halves[:1])

    def rest() -> None:
        with open(path, "ab") as file:
            file.write(halves[1:])

    assert follow(store, log, rest, log.close) == [[], ["trips: é"], []]


def test_only_the_named_steps_are_followed(store: Store, log: RunLog) -> None:
    for key in ("trips", "fares"):
        say(log, EventType.STEP_START, key)
        show(log, "hello\n", f"{key}.1.out")
    looks = follow(store, log, log.close, keys=("fares",))
    assert looks == [["STEP_START", "fares: hello\n"], []]


def test_a_damaged_line_is_named(store: Store, log: RunLog) -> None:
    say(log, EventType.RUN_START)
    with open(f"{log.folder}/events.jsonl", "ab") as file:
        file.write(b"{broken\n")
    with pytest.raises(DamagedStoreError, match=r"line 2 of .*events\.jsonl is damaged"):
        follow(store, log)


def test_a_pipe_gets_each_line_at_once_and_the_end_when_the_process_dies(
    folder: Path, log: RunLog
) -> None:
    say(log, EventType.STEP_START, "trips")
    process = in_new_process(folder, "runs", "logs", "latest", "-f", "--store", ".assetgraph")
    assert process.stdout
    assert process.stdout.readline() == "▶ trips\n"
    show(log, "reading\n")
    assert process.stdout.readline() == "  trips │ reading\n"
    say(log, EventType.LOG, "trips", "nearly")
    assert process.stdout.readline() == "  trips │ nearly\n"
    log.close()  # as the kernel does when the process of the run dies
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert "was interrupted: its process died" in err
    assert "assetgraph runs rerun" in err


def test_an_interrupt_ends_the_following_and_not_the_run(folder: Path, log: RunLog) -> None:
    say(log, EventType.STEP_START, "trips")
    process = in_new_process(folder, "runs", "logs", "latest", "--follow", "--store", ".assetgraph")
    assert process.stdout
    assert process.stdout.readline() == "▶ trips\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 130


def test_a_run_that_is_over_is_told_from_start_to_end(
    instance: dg.Instance, assetgraph: Callable[..., Answer]
) -> None:
    @dg.asset
    def trips(context: dg.AssetExecutionContext) -> int:
        print("reading")
        context.log.info("looking")
        return 1

    dg.materialize([trips], instance=instance)
    told = assetgraph("runs", "logs", "latest", "-f", "--store", ".assetgraph")
    assert told.code == 0
    assert told.out.splitlines()[:3] == ["▶ trips", "  trips │ reading", "  trips │ looking"]
    assert "succeeded in" in told.err

    lines = assetgraph("runs", "logs", "latest", "-f", "--json", "--store", ".assetgraph").out
    items = [json.loads(line) for line in lines.splitlines()]
    assert items[0]["type"] == "RUN_START"
    assert {
        "key": "trips",
        "partition": None,
        "step": "trips",
        "targets": [{"key": "trips", "partition": None}],
        "attempt": 1,
        "stream": "out",
        "text": "reading\n",
    } in items
    assert items[-1]["type"] == "RUN_SUCCESS"

"""Histories: several writers append to one file, and no line is lost."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assetgraph.errors import StoreError
from assetgraph.keys import AssetKey, Target
from assetgraph.records import Materialization, StoredValue, now
from assetgraph.storage.cut_lines import has_cut_line, remove_cut_line
from assetgraph.storage.file_locks import POLL_S, Lock
from assetgraph.storage.histories import TargetLock
from assetgraph.storage.store import Store

HERE = Path(__file__).parent
KEY = AssetKey("trips")
COMMITS = 1500
LONG = "x" * 40_000
HISTORIES = sys.modules[TargetLock.__module__]  # this very module: another test may import it anew

WRITER = """
import sys
from test_histories import COMMITS, committed, LONG, KEY, Target, Store
store, target = Store(sys.argv[1]), Target(KEY, sys.argv[2])
lock = store.lock(target)
assert lock.acquire()
print("ready", flush=True)
sys.stdin.readline()
for number in range(COMMITS):
    lock.append(committed(target, f"{target.partition} {number}", LONG))
lock.release()
"""


def committed(target: Target, run_id: str, inline: str = "1") -> Materialization:
    value = StoredValue("json", inline=inline)
    return Materialization(run_id, now(), value, "v", partition=target.partition)


def run_ids(store: Store) -> list[str]:
    return sorted(attempt.run_id for attempt in store.history.newest_first(KEY))


def start_writer(code: str, *arguments: str) -> subprocess.Popen[str]:
    """A process that runs `code`, which prints "ready" and then waits for a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=HERE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def let_go(*writers: subprocess.Popen[str]) -> list[int]:
    """Have all of `writers` begin at once; their exit codes once all have ended."""
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate()
    return [writer.returncode for writer in writers]


def written(partition: str, commits: int = COMMITS) -> list[str]:
    return [f"{partition} {number}" for number in range(commits)]


def test_two_processes_that_commit_partitions_of_one_asset_lose_nothing(store: Store) -> None:
    store.prepare()
    writers = [start_writer(WRITER, store.folder, partition) for partition in ("a", "b")]
    assert let_go(*writers) == [0, 0]
    assert run_ids(store) == sorted(written("a") + written("b"))


def test_a_writer_killed_in_the_middle_of_a_line_costs_another_nothing(store: Store) -> None:
    store.prepare()
    dying = """
import os, signal
write, done = os.write, []

def cut(fd, data):
    if len(data) > len(LONG):
        done.append(fd)
        if len(done) > 100:
            write(fd, data[:20_000])
            os.kill(os.getpid(), signal.SIGKILL)
    return write(fd, data)

os.write = cut
"""
    start = WRITER.index("for number")
    victim = start_writer(WRITER[:start] + dying + WRITER[start:], store.folder, "a")
    survivor = start_writer(WRITER, store.folder, "b")
    assert let_go(victim, survivor) == [-signal.SIGKILL, 0]
    store.history.append(Target(KEY, "a"), committed(Target(KEY, "a"), "last"))
    assert run_ids(store) == sorted([*written("a", 100), *written("b"), "last"])


def test_threads_that_commit_partitions_of_one_asset_lose_nothing(store: Store) -> None:
    store.prepare()
    barrier = threading.Barrier(4)

    def commit(target: Target) -> None:
        lock = store.lock(target)
        assert lock.acquire()
        barrier.wait()
        for number in range(200):
            lock.append(committed(target, f"{target.partition} {number}", LONG))
        lock.release()

    run_threads(commit, [Target(KEY, partition) for partition in "abcd"])
    assert run_ids(store) == sorted(line for name in "abcd" for line in written(name, 200))


def test_threads_append_through_the_descriptor_that_holds_the_lock(store: Store) -> None:
    store.prepare()
    whole = Target(KEY)
    lock = store.lock(whole)
    assert lock.acquire()
    barrier = threading.Barrier(4)

    def commit(target: Target) -> None:
        barrier.wait()
        for number in range(200):
            attempt = committed(target, f"{target.partition} {number}", LONG)
            if target.partition is None:
                lock.append(attempt)
            else:
                store.history.append(target, attempt)

    run_threads(commit, [whole, *(Target(KEY, partition) for partition in "abc")])
    assert lock.held
    lock.release()
    names = ("None", "a", "b", "c")
    assert run_ids(store) == sorted(line for name in names for line in written(name, 200))


# Each thread takes the lock on one of a few partitions, again and again, and records how many
# attempts at it there were before. `sys.argv` has the store, the attempts of each thread, and "say"
# to print a line after each.
COUNTING = """
import sys
from concurrent.futures import ThreadPoolExecutor
from random import Random
from test_histories import KEY, Target, Store, committed
store, attempts = Store(sys.argv[1]), int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()

def count(seed):
    random = Random(seed)
    for _ in range(attempts):
        target = Target(KEY, random.choice("abcd"))
        lock = store.lock(target)
        while not lock.acquire():
            pass
        current = store.history.known(target)
        known = len(list(store.history.attempts(target)))
        assert (current is None) == (known == 0) and (known == 0 or current.run_id == str(known - 1))
        lock.append(committed(target, str(known)))
        lock.release()
        if sys.argv[3:]:
            print(known, flush=True)

with ThreadPoolExecutor(3) as threads:
    list(threads.map(count, range(3)))
"""


def numbers_of(store: Store, partition: str) -> list[int]:
    attempts = store.history.attempts(Target(KEY, partition))
    return [int(attempt.run_id) for attempt in attempts][::-1]


def test_processes_and_threads_that_take_turns_at_partitions_lose_nothing(store: Store) -> None:
    store.prepare()
    writers = [start_writer(COUNTING, store.folder, "25") for _ in range(3)]
    assert let_go(*writers) == [0, 0, 0]
    found = [numbers_of(store, partition) for partition in "abcd"]
    assert sum(map(len, found)) == 3 * 3 * 25
    assert all(numbers == list(range(len(numbers))) for numbers in found)


def test_processes_that_are_killed_at_their_commits_leave_whole_lines_and_no_lock(
    store: Store,
) -> None:
    store.prepare()
    targets = [Target(KEY, partition) for partition in "abcd"]
    for commits in (1, 5, 20):
        writers = [start_writer(COUNTING, store.folder, "1000", "say") for _ in range(2)]
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()
        for writer in writers:
            assert writer.stdout is not None
            for _ in range(commits):
                writer.stdout.readline()
            writer.kill()
            writer.communicate()
        assert not store.running(targets)
        found = [numbers_of(store, target.partition or "") for target in targets]
        assert sum(map(len, found)) >= 2 * commits
        assert all(numbers == list(range(len(numbers))) for numbers in found)


def test_a_commit_waits_for_another_process_that_holds_the_history(store: Store) -> None:
    store.prepare()
    code = """
import sys
from test_histories import KEY, Target, Store, committed
store, target = Store(sys.argv[1]), Target(KEY)
lock = store.lock(target)
assert lock.acquire()
print("ready", flush=True)
sys.stdin.readline()
lock.append(committed(target, "the holder"))
"""
    holder = start_writer(code, store.folder)
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 20:
            let_go(holder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assetgraph.storage.histories.time.sleep", pause)
        store.history.append(Target(KEY, "a"), committed(Target(KEY, "a"), "after it"))
    assert max(pauses) == POLL_S
    newest = [attempt.run_id for attempt in store.history.newest_first(KEY)]
    assert newest == ["after it", "the holder"]


def test_a_cut_line_is_repaired_only_under_the_lock_on_its_history(store: Store) -> None:
    store.prepare()
    store.history.append(Target(KEY, "a"), committed(Target(KEY, "a"), "whole"))
    path = store.history.path(KEY)
    whole = Path(path).read_bytes()
    with open(path, "ab") as file:
        file.write(b'{"cut')
    writer = Lock(path)
    assert writer.acquire()
    assert not has_cut_line(path)
    assert not remove_cut_line(path)
    assert Path(path).read_bytes() != whole
    writer.release()
    assert has_cut_line(path)
    assert remove_cut_line(path)
    assert not has_cut_line(path)
    assert Path(path).read_bytes() == whole


def test_a_forked_child_appends_through_a_descriptor_of_its_own(store: Store) -> None:
    store.prepare()
    code = """
import os, sys
from test_histories import KEY, Target, Store, committed
store, target = Store(sys.argv[1]), Target(KEY)
lock = store.lock(target)
assert lock.acquire()
child = os.fork()
if child == 0:
    assert not lock.held
    store.history.append(target, committed(target, "child"))
    os._exit(0)
lock.append(committed(target, "parent"))
lock.release()
assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-c", code, store.folder], check=True, cwd=HERE)
    assert run_ids(store) == ["child", "parent"]


def test_a_history_that_was_deleted_under_its_lock_begins_again(store: Store) -> None:
    store.prepare()
    whole = Target(KEY)
    lock = store.lock(whole)
    assert lock.acquire()
    Path(store.history.path(KEY)).unlink()
    lock.append(committed(whole, "1"))
    store.history.append(whole, committed(whole, "2"))
    lock.release()
    assert run_ids(store) == ["1", "2"]


@pytest.mark.parametrize("partition", [None, "a"])
def test_a_step_whose_store_was_deleted_commits_nothing(
    store: Store, partition: str | None
) -> None:
    store.prepare()
    target = Target(KEY, partition)
    lock = store.lock(target)
    assert lock.acquire()
    shutil.rmtree(store.folder)
    with pytest.raises(StoreError, match=r"its store was deleted during the step"):
        lock.append(committed(target, "1"))
    assert not Path(store.folder).exists()
    lock.release()


def run_threads(act: Callable[[Target], None], targets: list[Target]) -> None:
    with ThreadPoolExecutor(len(targets)) as threads:
        list(threads.map(act, targets))


@pytest.mark.parametrize("recorded", ["2023", ""])
def test_a_partition_that_is_being_committed_is_no_materialization_of_the_asset(
    store: Store, monkeypatch: pytest.MonkeyPatch, recorded: str
) -> None:
    store.prepare()
    whole = Target(KEY)
    if recorded:
        store.history.append(Target(KEY, recorded), committed(Target(KEY, recorded), "first"))
    commit = Lock(store.history.path(KEY))

    def end(_: float) -> None:
        commit.release()

    monkeypatch.setattr(HISTORIES.time, "sleep", end)
    assert commit.acquire()
    assert not store.is_running(whole)
    assert commit.acquire()
    lock = store.lock(whole)
    assert lock.acquire()
    lock.release()


def test_an_asset_without_partitions_is_seen_at_work_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.prepare()
    whole = Target(KEY)
    store.history.append(whole, committed(whole, "first"))
    held = store.lock(whole)
    assert held.acquire()
    waits: list[float] = []
    monkeypatch.setattr(HISTORIES.time, "sleep", waits.append)
    assert store.is_running(whole)
    assert not store.lock(whole).acquire()
    assert waits == []
    held.release()

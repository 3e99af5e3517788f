"""Locks on partitions: one holder at a time, which ends with its process, and no file each."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assetgraph.errors import StoreError
from assetgraph.keys import AssetKey, Target
from assetgraph.storage.range_locks import LockedBytes, RangeFile, RangeLock
from assetgraph.storage.store import Store

KEY = AssetKey("trips")
A, B, C = (Target(KEY, partition) for partition in ("a", "b", "c"))


@pytest.fixture
def prepared(store: Store) -> Store:
    store.prepare()
    return store


@pytest.fixture(params=["bytes of one file", "files"])
def locking(
    prepared: Store, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Store:
    """A store, on a system that can lock bytes, and on one that cannot."""
    if request.param == "files":
        monkeypatch.setattr("assetgraph.storage.partition_locks.has_range_locks", lambda: False)
    return prepared


def test_a_second_taker_is_refused_until_the_first_lets_go(locking: Store) -> None:
    first, second = locking.lock(A), locking.lock(A)
    assert first.acquire()
    assert first.held
    assert not second.acquire()
    assert not second.held
    assert second.is_taken()
    first.release()
    first.release()
    assert not first.held
    assert not second.is_taken()
    assert second.acquire()
    first.release()
    assert locking.is_running(A)
    second.release()


def test_a_lock_on_a_partition_is_on_nothing_else(locking: Store) -> None:
    lock = locking.lock(A)
    assert lock.acquire()
    assert locking.running([A, B, C, Target(KEY), Target(AssetKey("other"), "a")]) == {A}
    assert not locking.being_read([A])
    for other in (locking.reading(A), locking.lock(B), locking.lock(Target(KEY))):
        assert other.acquire()
        other.release()
    lock.release()


def test_shared_readers_keep_out_only_an_exclusive_one(locking: Store) -> None:
    one, two = locking.reading(A, shared=True), locking.reading(A, shared=True)
    assert one.acquire()
    assert two.acquire()
    assert locking.being_read([A, B]) == {A}
    assert not locking.is_running(A)
    assert not locking.reading(A).acquire()
    one.release()
    assert not locking.reading(A).acquire()
    two.release()
    whole = locking.reading(A)
    assert whole.acquire()
    assert not locking.reading(A, shared=True).acquire()
    whole.release()


def test_waiting_ends_with_the_lock_or_when_told(locking: Store) -> None:
    first, second = locking.lock(A), locking.lock(A)
    assert first.acquire()
    assert not second.wait(until=lambda: False)
    threading.Timer(0.01, first.release).start()
    assert second.wait(until=lambda: True)
    second.release()


def test_all_locks_of_a_step_come_in_one_order(locking: Store) -> None:
    other = Target(AssetKey("other"), "b")
    locks = locking.locks([C, Target(KEY), other, A])
    assert list(locks) == [other, Target(KEY), A, C]
    assert all(lock.acquire() for lock in locks.values())
    assert locking.running([*locks, B]) == set(locks)
    locks[A].release()
    assert locking.running(locks) == {other, Target(KEY), C}
    for lock in locks.values():
        lock.release()
    assert not locking.running(locks)


HOLDER = """
import sys
from assetgraph.keys import AssetKey, Target
from assetgraph.storage.store import Store
store = Store(sys.argv[1])
targets = [Target(AssetKey("trips"), partition) for partition in sys.argv[2:]]
locks = [*store.locks(targets).values(), *store.reading_all(targets, shared=True)]
assert all(lock.acquire() for lock in locks)
print("taken", flush=True)
sys.stdin.read()
"""


def test_a_dead_process_holds_nothing(prepared: Store) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, prepared.folder, "a", "b"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "taken\n"
    assert prepared.running([A, B, C]) == prepared.being_read([A, B, C]) == {A, B}
    assert not prepared.lock(A).acquire()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not prepared.running([A, B, C]) | prepared.being_read([A, B, C])
    lock = prepared.lock(A)
    assert lock.acquire()
    lock.release()


FORKING = """
import os, sys
from assetgraph.keys import AssetKey, Target
from assetgraph.storage.store import Store
store, target = Store(sys.argv[1]), Target(AssetKey("trips"), "a")
lock, guard = store.lock(target), store.reading(target, shared=True)
assert lock.acquire() and guard.acquire()
to_parent, to_child = os.pipe(), os.pipe()
if os.fork() == 0:
    os.close(to_child[1])
    mine = store.lock(target)
    os.write(to_parent[1], b"%d%d%d" % (lock.held, guard.held, mine.acquire()))
    os.read(to_child[0], 1)
    os._exit(0)
print(os.read(to_parent[0], 3), store.is_running(target))
lock.release(); guard.release()
print(store.running([target]) | store.being_read([target]))
"""


def test_a_forked_child_does_not_keep_the_lock(prepared: Store) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKING, prepared.folder], capture_output=True, text=True, check=True
    )
    assert done.stdout == "b'000' True\nset()\n"


def test_a_program_that_a_step_starts_does_not_keep_the_lock(prepared: Store) -> None:
    lock = prepared.lock(A)
    assert lock.acquire()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False) as child:
        lock.release()
        assert not prepared.is_running(A)
        assert child.stdin is not None
        child.stdin.close()


def test_threads_exclude_each_other(locking: Store) -> None:
    at_work, most = [0], []

    def work(_: int) -> None:
        for _ in range(50):
            lock = locking.lock(A)
            while not lock.acquire():
                pass
            at_work[0] += 1
            most.append(at_work[0])
            at_work[0] -= 1
            lock.release()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    assert set(most) == {1}


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_step_of_thousands_of_partitions_needs_one_descriptor_and_one_file(
    prepared: Store,
) -> None:
    before = open_descriptors()
    targets = [Target(KEY, f"{number}") for number in range(3000)]
    locks = prepared.locks(targets)
    assert all(lock.acquire() for lock in locks.values())
    (guard,) = prepared.reading_all(targets, shared=True)
    assert guard.acquire()
    assert open_descriptors() == before + 2
    assert os.listdir(f"{prepared.folder}/locks") == ["trips.partitions"]
    assert prepared.running([*targets, A]) == set(targets)
    assert prepared.being_read(targets) == set(targets)
    assert not prepared.reading(targets[7]).acquire()
    for lock in (*locks.values(), guard):
        lock.release()
    assert open_descriptors() == before
    assert not prepared.running(targets) | prepared.being_read(targets)


def test_asking_about_one_partition_does_not_look_at_all_others(
    prepared: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks = prepared.locks([Target(KEY, f"{number}") for number in range(50)])
    assert all(lock.acquire() for lock in locks.values())
    control, asked = fcntl.fcntl, []

    def counted(fd: int, command: int, argument: bytes) -> bytes:
        asked.append(command)
        return control(fd, command, argument)

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "fcntl", counted)
        assert prepared.is_running(Target(KEY, "7"))
        assert not prepared.is_running(A)
    assert len(asked) == 2
    for lock in locks.values():
        lock.release()


def test_a_step_of_very_many_partitions_locks_all_of_the_asset(
    prepared: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assetgraph.storage.partition_locks._MANY_MADE", 2)
    locks = prepared.locks([C, A, B])
    assert all(lock.acquire() for lock in locks.values())
    assert all(lock.held for lock in locks.values())
    another = prepared.lock(Target(KEY, "d"))
    assert not another.acquire()
    assert prepared.is_running(A)
    for lock in locks.values():
        lock.release()
    assert another.acquire()
    assert not any(lock.acquire() for lock in list(prepared.locks([C, A, B]).values())[:1])
    another.release()


def test_a_guard_on_some_partitions_is_on_no_other(prepared: Store) -> None:
    (guard,) = prepared.reading_all([A, C], shared=True)
    assert guard.acquire()
    assert prepared.being_read([A, B, C]) == {A, C}
    other = prepared.reading(B)
    assert other.acquire()
    other.release()
    assert not prepared.reading_all([B, A])[0].acquire()
    assert prepared.being_read([A, B, C]) == {A, C}  # what was taken of it was given back
    guard.release()


OVERLAPPING = """
import sys
from random import Random
from assetgraph.keys import AssetKey, Target
from assetgraph.storage.store import Store
store, random = Store(sys.argv[1]), Random(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(60):
    chosen = [Target(AssetKey("trips"), one) for one in random.sample("abcdef", 4)]
    locks = store.locks(chosen).values()
    assert len(locks) == 4
    assert all(lock.wait(lambda: True) for lock in locks)
    for lock in locks:
        lock.release()
"""


def test_two_processes_with_overlapping_partitions_never_wait_for_each_other(
    prepared: Store,
) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", OVERLAPPING, prepared.folder, seed],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in "12"
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        worker.communicate(timeout=60)
        assert worker.returncode == 0


def test_asking_finds_every_locked_byte_and_nothing_else(tmp_path: Path) -> None:
    path, end = str(tmp_path / "file"), 1 << 62
    bytes_ = [0, 1, 2, 7, end // 3, end - 1]
    locks = [RangeLock(RangeFile(path), [(byte, 1)], shared=byte == 7) for byte in bytes_]
    assert all(lock.acquire() for lock in locks)
    exclusive, any_way = LockedBytes(path, (0, end)), LockedBytes(path, (0, end), shared=True)
    for byte in [*bytes_, 3, 6, 8, end // 3 - 1, end // 3 + 1, end - 2]:
        assert (byte in any_way) == (byte in bytes_)
        assert (byte in exclusive) == (byte in bytes_ and byte != 7)
    assert not LockedBytes(path, (end, end))
    assert not LockedBytes(str(tmp_path / "missing"), (0, end))
    for lock in locks:
        lock.release()


@pytest.mark.parametrize("name", ["../x", "a/b", "한국", "", "_", "x" * 300])
def test_any_text_can_be_locked(locking: Store, name: str) -> None:
    target = Target(KEY, name)
    lock = locking.lock(target)
    assert lock.acquire()
    assert locking.running([target, A]) == {target}
    lock.release()


def test_the_error_for_a_file_system_without_locks_says_what_to_do(
    prepared: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(fd: int, command: int, argument: bytes) -> bytes:
        raise OSError(errno.ENOLCK, "No locks available")

    lock = prepared.lock(A)
    monkeypatch.setattr(fcntl, "fcntl", no_locks)
    with pytest.raises(StoreError, match=r"its file system has no locks.*Keep the store on"):
        lock.acquire()
    assert not lock.held

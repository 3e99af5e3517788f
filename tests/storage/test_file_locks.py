"""Locks: one holder at a time, which ends with its process, and no child process inherits."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from assetgraph.errors import StoreError
from assetgraph.storage.file_locks import Lock, is_held


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "lock")


def test_a_second_taker_is_refused_until_the_first_lets_go(path: str) -> None:
    first, second = Lock(path), Lock(path)
    assert first.acquire()
    assert not second.acquire()
    assert is_held(path)
    first.release()
    assert not is_held(path)
    assert second.acquire()
    second.release()


def test_a_lock_that_nobody_ever_took_is_free(path: str) -> None:
    assert not is_held(path)
    assert not os.path.exists(path)


def test_releasing_twice_does_no_harm(path: str) -> None:
    first, second = Lock(path), Lock(path)
    first.acquire()
    first.release()
    second.acquire()
    first.release()
    assert is_held(path)
    second.release()


def test_shared_locks_keep_out_only_an_exclusive_one(path: str) -> None:
    one, two, whole = Lock(path, shared=True), Lock(path, shared=True), Lock(path)
    assert one.acquire()
    assert two.acquire()
    assert not whole.acquire()
    assert not is_held(path)
    assert is_held(path, shared=True)
    one.release()
    two.release()
    assert not is_held(path, shared=True)
    assert whole.acquire()
    whole.release()


def test_waiting_ends_with_the_lock_or_when_told(path: str) -> None:
    first, second = Lock(path), Lock(path)
    first.acquire()
    asked = []

    def until() -> bool:
        asked.append(1)
        return len(asked) < 2

    assert not second.wait(until=until)
    assert len(asked) == 2
    threading.Timer(0.01, first.release).start()
    assert second.wait(until=lambda: True)
    second.release()


def test_asking_whether_a_lock_is_held_never_prevents_taking_it(path: str) -> None:
    Path(path).touch()
    lock, ended = Lock(path), threading.Event()

    def ask() -> None:
        while not ended.is_set():
            is_held(path)

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    try:
        for _ in range(300):
            assert lock.acquire()
            lock.release()
    finally:
        ended.set()
        for asker in askers:
            asker.join()


def test_an_asker_is_not_mistaken_for_a_holder(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asker = os.open(path, os.O_RDONLY | os.O_CREAT)
    fcntl.flock(asker, fcntl.LOCK_SH)  # what `is_held` does, caught in the middle
    monkeypatch.setattr(time, "sleep", lambda _seconds: fcntl.flock(asker, fcntl.LOCK_UN))
    lock = Lock(path)
    assert lock.acquire()
    lock.release()
    os.close(asker)


def test_a_dead_process_holds_nothing(path: str) -> None:
    code = (
        "import sys\n"
        "from assetgraph.storage.file_locks import Lock\n"
        "lock = Lock(sys.argv[1]); lock.acquire(); print('taken', flush=True)\n"
        "sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "taken\n"
    assert is_held(path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not is_held(path)


FORKING = """
import os, sys
from assetgraph.storage.file_locks import Lock, is_held
lock = Lock(sys.argv[1])
lock.acquire()
to_parent, to_child = os.pipe(), os.pipe()
if os.fork() == 0:
    os.close(to_child[1])
    os.write(to_parent[1], b"forked")
    os.read(to_child[0], 1)
    os._exit(0)
os.read(to_parent[0], 6)
lock.release()
print("held" if is_held(sys.argv[1]) else "free")
"""


def test_a_forked_child_does_not_keep_the_lock(path: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKING, path], capture_output=True, text=True, check=True
    )
    assert done.stdout == "free\n"


def test_a_program_that_a_step_starts_does_not_keep_the_lock(path: str) -> None:
    lock = Lock(path)
    lock.acquire()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False) as child:
        lock.release()
        assert not is_held(path)
        assert child.stdin is not None
        child.stdin.close()


def test_the_error_for_a_file_system_without_locks_says_what_to_do(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(fd: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(
        StoreError, match=r"its file system has no locks.*Keep the store on a local"
    ):
        Lock(path).acquire()


def test_a_lock_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot open the lock"):
        Lock(str(tmp_path / "missing" / "lock")).acquire()

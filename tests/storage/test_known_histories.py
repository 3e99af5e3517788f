"""The cache of last lines: whatever is in it, the last attempt is what the history says."""

from __future__ import annotations

import errno
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from assetgraph.keys import AssetKey, Target
from assetgraph.records import FailedAttempt, Materialization, StoredValue, now
from assetgraph.storage import atomic_files, known_histories
from assetgraph.storage.asset_records import rename, wipe
from assetgraph.storage.known_histories import KnownHistories
from assetgraph.storage.store import Store

KEYS = [AssetKey(name) for name in ("a", "b/c", "größe", "d")]


@pytest.fixture(autouse=True)
def worth_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_histories, "_FEW", 0)
    monkeypatch.setattr(known_histories, "_WORTH_WRITING", 1)
    monkeypatch.setattr(known_histories, "_SETTLED_NS", -(10**12))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(tmp_path / "store")
    found.prepare()
    for number, key in enumerate(KEYS):
        append(found, made(number), key)
    return found


def made(number: int, partition: str | None = None) -> Materialization:
    value = StoredValue("json", inline="1" * (number + 1))  # each line has a length of its own
    return Materialization(str(number), now(), value, "v", inputs={"a": "v"}, partition=partition)


def append(store: Store, attempt: Materialization | FailedAttempt, key: AssetKey) -> None:
    store.history.append(Target(key, attempt.partition), attempt)


def opened(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The histories that are read from now on."""
    read: list[str] = []
    real = known_histories._read

    def noted(path: str) -> known_histories._Kept:
        read.append(path)
        return real(path)

    monkeypatch.setattr(known_histories, "_read", noted)
    return read


def look(store: Store) -> None:
    """Compare what another process finds by the cache with the histories, and save it."""
    known = KnownHistories(store.history, f"{store.folder}/cache")
    for target in map(Target, KEYS):
        assert known.current(target) == store.history.current(target)
    known.save()


def test_only_what_changed_since_is_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    look(store)
    read = opened(store, monkeypatch)
    look(store)
    assert read == []
    append(store, made(9), KEYS[1])
    look(store)
    assert read == [store.history.path(KEYS[1])]
    look(store)
    assert len(read) == 1


def test_what_changed_within_the_last_seconds_is_not_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_histories, "_SETTLED_NS", 10**12)
    look(store)
    assert not Path(store.folder, "cache/histories").exists()


def test_whatever_happens_to_a_history_is_seen(store: Store) -> None:
    rng, numbers = random.Random(15), iter(range(10, 500))
    for _ in range(150):
        key = rng.choice(KEYS)
        path = Path(store.history.path(key))
        act = rng.choice(("made", "failed", "partition", "wipe", "cut", "damage", "gone", "copy"))
        if act == "made":
            append(store, made(next(numbers)), key)
        elif act == "failed":
            append(store, FailedAttempt(str(next(numbers)), now(), "no"), key)
        elif act == "partition":
            append(store, made(next(numbers), "2023"), key)
        elif act == "wipe":
            wipe(store, [key])
            append(store, made(next(numbers)), key)
        elif act == "cut":
            path.write_bytes(path.read_bytes() + b'{"type":"materialization","run_id":"cut')
        elif act == "gone":
            path.unlink(missing_ok=True)
            append(store, made(next(numbers)), key)
        elif act == "copy":  # a restored backup: the same content in another file
            shutil.copy2(path, f"{path}.new")
            os.replace(f"{path}.new", path)
        elif act == "damage":
            known = KnownHistories(store.history, f"{store.folder}/cache")
            path.write_bytes(path.read_bytes() + b"garbage\n")
            with pytest.raises(known_histories.StoreError, match="damaged"):
                known.current(Target(key))
            path.write_bytes(path.read_bytes().removesuffix(b"garbage\n"))
            append(store, made(next(numbers)), key)
        look(store)


def test_inputs_are_called_by_their_present_names(store: Store) -> None:
    look(store)
    rename(store, AssetKey("a"), AssetKey("e"))
    known = KnownHistories(store.history, f"{store.folder}/cache")
    found, _ = known.current(Target(AssetKey("d")))
    assert found is not None
    assert found.inputs == {"e": "v"}
    assert known.current(Target(AssetKey("e"))) == store.history.current(Target(AssetKey("e")))
    assert store.history.without([*KEYS, AssetKey("e")]) == {AssetKey("a")}


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda kept: b"",
    "cut in the header": lambda kept: kept[:20],
    "cut": lambda kept: kept[:-3],
    "a flipped bit": lambda kept: kept[:-9] + bytes([kept[-9] ^ 1]) + kept[-8:],
    "of another version": lambda kept: kept.replace(b"histories 1", b"histories 2"),
    "garbage": lambda kept: bytes(range(256)) * 9,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_cache_is_written_anew(
    store: Store, monkeypatch: pytest.MonkeyPatch, damage: Callable[[bytes], bytes]
) -> None:
    look(store)
    cache = Path(store.folder, "cache/histories")
    whole = cache.read_bytes()
    cache.write_bytes(damage(whole))
    look(store)
    assert cache.read_bytes() == whole


def test_the_cache_of_another_store_says_nothing(store: Store, tmp_path: Path) -> None:
    look(store)
    other = Store(tmp_path / "other")
    other.prepare()
    for number, key in enumerate(KEYS):
        append(other, made(number + 20), key)
    shutil.copytree(f"{store.folder}/cache", f"{other.folder}/cache")
    look(other)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_full_or_read_only_disk_does_without(
    store: Store, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def no_write(fd: int, data: bytes) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(atomic_files, "_write_all", no_write)
    look(store)
    assert os.listdir(f"{store.folder}/cache") == []

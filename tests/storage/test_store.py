"""The store's folder: created completely, refused where it cannot be, never overwritten."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from small_assets import asset_named

from assetgraph import AssetKey, Instance, materialize
from assetgraph.errors import DamagedStoreError, StoreError, StoreFormatError
from assetgraph.keys import Target
from assetgraph.records import FailedAttempt, Materialization, StoredValue, now
from assetgraph.storage.atomic_files import require_known_format
from assetgraph.storage.store import Store

OWN_NAMES = [
    "store.json",
    "runs",
    "assets",
    "locks",
    "values",
    "code",
    "cache",
    "lock",
    "events.jsonl",
]


def made(run_id: str) -> Materialization:
    return Materialization(run_id, now(), StoredValue("json", inline="1"), f"version of {run_id}")


def failed(run_id: str) -> FailedAttempt:
    return FailedAttempt(run_id, now(), "ValueError: no")


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_looking_at_a_store_creates_nothing(folder: Path) -> None:
    store = Store(folder / "records")
    assert list(store.runs.ids()) == []
    assert store.history.current(Target(AssetKey("a"))) == (None, None)
    assert not store.is_running(Target(AssetKey("a")))
    assert tree(folder) == set()


def test_a_prepared_store_says_its_format_and_keeps_out_of_the_repository(folder: Path) -> None:
    Store(folder / "records").prepare()
    assert json.loads((folder / "records/store.json").read_text()) == {"format": 1}
    assert (folder / "records/.gitignore").read_text() == "*\n"
    assert tree(folder / "records") == {"store.json", ".gitignore", "runs", "assets", "locks"}


def test_a_store_in_a_folder_that_is_in_use_leaves_what_is_there(folder: Path) -> None:
    (folder / ".gitignore").write_text("*.log\n")
    Store(folder).prepare()
    assert (folder / ".gitignore").read_text() == "*.log\n"


def test_a_death_at_any_moment_of_creating_a_store_leaves_one_that_can_be_created(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call that changes the disk is once the last one."""

    class Death(BaseException):
        pass

    steps = 0

    def until(real: Callable[..., object], last: int) -> Callable[..., object]:
        def call(*args: object, **options: object) -> object:
            nonlocal steps
            steps += 1
            if steps > last:
                raise Death
            return real(*args, **options)

        return call

    for last in range(30):
        steps, store = 0, folder / str(last)
        with monkeypatch.context() as patch:
            for name in ("mkdir", "write", "rename", "open"):
                patch.setattr(os, name, until(getattr(os, name), last))
            try:
                Store(store).prepare()
            except Death:
                pass
        Store(store).prepare()
        Store(store)
        if steps <= last:
            break
    assert 5 < last < 29


def test_a_store_whose_empty_folders_were_lost_is_whole_again(folder: Path) -> None:
    instance = Instance(folder / "records")
    materialize([asset_named("a")], instance=instance)
    for name in os.listdir(folder / "records/locks"):
        os.unlink(folder / "records/locks" / name)
    (folder / "records/locks").rmdir()
    assert materialize([asset_named("a")], instance=Instance(folder / "records")).success


def test_a_file_in_place_of_a_store_is_named(folder: Path) -> None:
    (folder / "records").write_text("mine")
    with pytest.raises(StoreError, match=r"it is a file\. Move it away, or choose another"):
        Store(folder / "records")
    assert (folder / "records").read_text() == "mine"


def test_a_store_of_a_later_format_is_left_alone(folder: Path) -> None:
    Store(folder / "records").prepare()
    future = '{"format": 3}'
    (folder / "records/store.json").write_text(future)
    with pytest.raises(StoreFormatError, match=r"has format 3.*Upgrade assetgraph"):
        Store(folder / "records")
    assert (folder / "records/store.json").read_text() == future


def format_of(store: Store) -> int:
    found: int = json.loads(Path(store.folder, "store.json").read_text())["format"]
    return found


MARCH = Target(AssetKey("a"), "2023-03")
OF_MARCH = Materialization(
    "1", now(), StoredValue("json", inline="1"), "v", partition=MARCH.partition
)


@pytest.mark.parametrize("how", ["prepare", "append", "lock", "wipe"])
def test_the_first_record_of_a_partition_raises_the_format_before_it(
    store: Store, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    store.prepare()
    store.history.append(Target(MARCH.key), made("1"))
    assert format_of(store) == format_of(Store(store.folder)) == 1
    path, sizes = Path(store.history.path(MARCH.key)), []
    before = path.stat().st_size
    rename = os.rename

    def renamed(old: str, new: str) -> None:
        sizes.append(path.stat().st_size)
        rename(old, new)

    monkeypatch.setattr(os, "rename", renamed)
    for _ in range(2):
        if how == "prepare":
            store.prepare(partitions=True)
        elif how == "append":
            store.history.append(MARCH, OF_MARCH)
        elif how == "lock":
            lock = store.lock(MARCH)
            assert lock.acquire()
            lock.append(OF_MARCH)
            lock.release()
        else:
            store.history.wipe_partitions(MARCH.key, ["2023-03"])
    assert sizes == [before]  # written once, before any record
    assert format_of(store) == 2
    assert Store(store.folder).exists
    store.prepare()
    assert format_of(store) == 2


def test_the_version_of_before_refuses_a_store_with_partitions(store: Store) -> None:
    store.prepare(partitions=True)
    with pytest.raises(StoreFormatError) as caught:
        require_known_format(f"the store {store.folder}", format_of(store), 1)
    assert caught.value.message == (
        f"the store {store.folder} has format 2, written by a later assetgraph; "
        "this one knows format 1."
    )


def test_a_format_that_another_process_took_back_is_raised_again(store: Store) -> None:
    store.prepare(partitions=True)
    Path(store.folder, "store.json").unlink()
    Path(store.folder, "store.json").write_text('{"format": 1}')
    store.history.append(MARCH, OF_MARCH)
    assert format_of(store) == 2


@pytest.mark.parametrize("partition", [None, "2023-03"])
def test_a_lost_format_is_written_as_the_records_need_it(
    store: Store, partition: str | None
) -> None:
    store.prepare()
    target = Target(MARCH.key, partition)
    store.history.append(target, msgspec.structs.replace(OF_MARCH, partition=partition))
    Path(store.folder, "store.json").unlink()
    with pytest.raises(DamagedStoreError) as caught:
        Store(store.folder)
    assert caught.value.hint is not None
    assert f'{{"format":{1 if partition is None else 2}}}' in caught.value.hint


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": "one"}', "{}", "\udcff"])
def test_a_store_that_does_not_say_its_format_is_damaged(folder: Path, damage: str) -> None:
    Store(folder / "records").prepare()
    file = folder / "records/store.json"
    file.write_bytes(damage.encode(errors="surrogateescape"))
    with pytest.raises(DamagedStoreError, match=f"{file} is damaged"):
        Store(folder / "records")
    assert file.read_bytes() == damage.encode(errors="surrogateescape")


def test_records_without_a_format_are_not_taken_for_a_store(folder: Path) -> None:
    Store(folder / "records").prepare()
    (folder / "records/store.json").unlink()
    with pytest.raises(DamagedStoreError, match="missing from a store that has records"):
        Store(folder / "records")


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_a_store_that_cannot_be_written_stops_a_run_before_it_starts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """As root sees a read-only folder, who may write everywhere else."""
    called = []
    trips = asset_named("trips")
    object.__setattr__(trips, "function", lambda: called.append(1))
    real = os.open

    def read_only(path: str, flags: int, *rest: int) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR) and str(path).startswith(str(folder)):
            raise OSError(code, os.strerror(code))
        return real(path, flags, *rest)

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(StoreError, match=r"cannot write .*records/.*Choose another|choose another"):
        materialize([trips], instance=Instance(folder / "records"))
    assert not called


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_read_only_folder_stops_a_run_and_can_still_be_read(folder: Path) -> None:
    instance = Instance(folder / "records")
    result = materialize([asset_named("a")], instance=instance)
    os.chmod(folder / "records/runs", 0o500)
    os.chmod(folder / "records/locks", 0o500)
    try:
        with pytest.raises(StoreError, match="permission denied"):
            materialize([asset_named("b")], instance=instance)
        assert list(Store(folder / "records").runs.ids()) == [result.run_id]
    finally:
        os.chmod(folder / "records/runs", 0o700)
        os.chmod(folder / "records/locks", 0o700)


def test_names_that_the_store_uses_itself_are_assets_like_any_other(instance: Instance) -> None:
    assets = [asset_named(name) for name in OWN_NAMES]
    result = materialize(assets, instance=instance)
    assert result.success
    assert [result.value(name) for name in OWN_NAMES] == [[]] * len(OWN_NAMES)
    again = Store(instance.store.folder)
    assert list(again.runs.ids()) == [result.run_id]
    assert again.history.keys() == sorted(OWN_NAMES)


def test_a_key_beside_a_longer_one_that_starts_with_it(store: Store) -> None:
    for text in ("a", "a/b", "a.b", "a/b/c"):
        store.history.append(Target(AssetKey(text)), made(text))
    for text in ("a", "a/b", "a.b", "a/b/c"):
        current, _ = store.history.current(Target(AssetKey(text)))
        assert current is not None
        assert current.run_id == text
    assert store.history.keys() == ["a", "a.b", "a/b", "a/b/c"]


def test_the_longest_key_fits_everywhere(instance: Instance) -> None:
    for name in ("k" * 200, "운" * 66):
        long = asset_named(name)
        printing = asset_named("x")
        object.__setattr__(long, "function", lambda: print("hello"))
        assert materialize([long, printing], instance=instance).success
    assert not [n for n in os.listdir(instance.store.folder) if n.endswith(".tmp")]


def test_the_current_value_is_that_of_the_last_success(store: Store) -> None:
    key = AssetKey("a")
    store.history.append(Target(key), made("1"))
    assert store.history.current(Target(key))[0] == next(store.history.newest_first(key))
    assert store.history.current(Target(key))[1] is None
    store.history.append(Target(key), failed("2"))
    store.history.append(Target(key), failed("3"))
    current, failure = store.history.current(Target(key))
    assert (current and current.run_id, failure and failure.run_id) == ("1", "3")
    store.history.append(Target(key), made("4"))
    current, failure = store.history.current(Target(key))
    assert (current and current.run_id, failure) == ("4", None)


def test_an_asset_that_only_failed_has_no_value(store: Store) -> None:
    store.history.append(Target(AssetKey("a")), failed("1"))
    current, failure = store.history.current(Target(AssetKey("a")))
    assert current is None
    assert failure is not None


def test_a_history_survives_a_death_at_every_byte_of_its_last_line(store: Store) -> None:
    key = AssetKey("a")
    store.history.append(Target(key), made("1"))
    path = Path(store.history.path(key))
    first = path.read_bytes()
    store.history.append(Target(key), made("2"))
    both = path.read_bytes()
    for size in range(len(first), len(both)):
        path.write_bytes(both[:size])
        current, _ = store.history.current(Target(key))
        assert current is not None
        assert current.run_id == "1"
    store.history.append(Target(key), made("3"))
    assert [attempt.run_id for attempt in store.history.newest_first(key)] == ["3", "1"]


def test_a_damaged_line_of_a_history_is_named_when_it_is_reached(store: Store) -> None:
    key = AssetKey("a")
    for run in range(3):
        store.history.append(Target(key), made(str(run)))
    path = Path(store.history.path(key))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"garbage\n" + lines[2])
    current, _ = store.history.current(Target(key))
    assert current is not None
    assert current.run_id == "2"
    with pytest.raises(DamagedStoreError, match=f"line 2 of {path}"):
        list(store.history.newest_first(key))
    path.write_bytes(lines[0] + lines[1] + b"garbage\n")
    with pytest.raises(DamagedStoreError, match=f"line 3 of {path}"):
        store.history.current(Target(key))


def test_a_partition_has_its_own_lock_in_the_file_of_its_asset(store: Store) -> None:
    store.prepare()
    key = AssetKey("a/b")
    lock = store.lock(Target(key, "2023-03/x"))
    assert lock.acquire()
    assert store.is_running(Target(key, "2023-03/x"))
    assert not store.is_running(Target(key))
    assert not store.is_running(Target(key, "_"))
    lock.release()
    assert os.listdir(f"{store.folder}/locks") == ["a,b.partitions"]


def test_every_partition_has_a_lock_and_a_reading_lock_of_its_own(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.prepare()
    monkeypatch.setattr("assetgraph.storage.partition_locks.has_range_locks", lambda: False)
    key = AssetKey("a")
    targets = [Target(key, name) for name in (None, "x", "x.read", "x.lock", "_", "")]
    paths = [lock(target).path for lock in (store.lock, store.reading) for target in targets]
    assert len(set(paths)) == len(paths)


def test_the_current_record_of_a_partition_is_its_own_last_one(store: Store) -> None:
    store.prepare()
    key = AssetKey("a")
    march, whole = Target(key, "2023-03"), Target(key)
    store.history.append(march, msgspec.structs.replace(made("1"), partition="2023-03"))
    store.history.append(whole, made("2"))
    store.history.append(whole, failed("3"))
    current, failure = store.history.current(march)
    assert current is not None
    assert (current.run_id, failure) == ("1", None)
    current, failure = store.history.current(whole)
    assert current is not None
    assert failure is not None
    assert (current.run_id, failure.run_id) == ("2", "3")
    assert store.history.current(Target(key, "2023-04")) == (None, None)

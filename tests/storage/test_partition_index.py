"""The index of a history says of each partition what reading the whole history says."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetgraph.definitions.partitions.keys import ListedKeys
from assetgraph.errors import DamagedStoreError
from assetgraph.keys import AssetKey, Target
from assetgraph.records import FailedAttempt, Materialization, StoredValue, now
from assetgraph.storage import partition_index
from assetgraph.storage.asset_records import wipe_partitions
from assetgraph.storage.histories import Attempt
from assetgraph.storage.partition_rows import FAILED, MADE, version_bytes
from assetgraph.storage.row_file import DamagedIndexError
from assetgraph.storage.store import Store

EXAMPLES = int(os.environ.get("ASSETGRAPH_EXAMPLES", "60"))
KEY = AssetKey("trips")
PARTITIONS = (None, "a", "b", "2023-03|미국", "")


def made(partition: str | None, run_id: str = "1", version: str = "v") -> Materialization:
    return Materialization(
        run_id, now(), StoredValue("json", inline="1"), version, partition=partition
    )


def failed(partition: str | None, run_id: str = "1") -> FailedAttempt:
    return FailedAttempt(run_id, now(), "ValueError: no", partition=partition)


def append(store: Store, attempt: Attempt) -> None:
    store.history.append(Target(KEY, attempt.partition), attempt)


def path_of(store: Store) -> Path:
    return Path(store.history.path(KEY))


@pytest.fixture
def prepared(store: Store) -> Store:
    store.prepare()
    return store


# What each reader says, as far as it can: the oracle reads the whole history.


def newest_first(store: Store, partition: str | None) -> Iterator[Attempt | int]:
    """The attempts at a partition; a line that cannot be read is its number, and the last."""
    path = path_of(store)
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    for number in range(len(lines), 0, -1):
        try:
            line = json.loads(lines[number - 1])
        except ValueError:
            yield number
            return
        if partition in line.get("partitions", ()):
            return
        if line["type"] != "wiped" and line.get("partition") == partition:
            yield msgspec.convert(line, Attempt)


def current_by_reading_all(store: Store, partition: str | None) -> object:
    failure = None
    for attempt in newest_first(store, partition):
        if isinstance(attempt, int):
            return attempt
        if isinstance(attempt, Materialization):
            return attempt, failure
        failure = failure or attempt
    return None, failure


def current_by_index(store: Store, partition: str | None) -> object:
    try:
        return store.history.current(Target(KEY, partition))
    except DamagedStoreError as error:
        return error.line


def recorded_by_reading_all(store: Store) -> dict[str | None, bool]:
    found: dict[str | None, bool] = {}
    for attempt in store.history.newest_first(KEY):
        found[attempt.partition] = found.get(attempt.partition, False) or isinstance(
            attempt, Materialization
        )
    return found


def versions_by_reading_all(store: Store) -> dict[str | None, str]:
    found: dict[str | None, str] = {}
    for attempt in store.history.newest_first(KEY):
        if isinstance(attempt, Materialization):
            found.setdefault(attempt.partition, attempt.data_version)
    return found


def overwrite(path: Path, place: float) -> None:
    """Damage a line in the middle of a file, and nothing else."""
    lines = path.read_bytes().splitlines(keepends=True)
    if lines:
        number = int(place * (len(lines) - 1))
        lines[number] = lines[number].replace(b'"run_id"', b'"run_id', 1)
        path.write_bytes(b"".join(lines))


def cut(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b'{"type":"materialization","run_id":"cut')


def replace(path: Path) -> None:
    """Put another file in its place, without its first line."""
    rest = path.read_bytes().partition(b"\n")[2]
    shutil.copy(path, f"{path}.new")
    Path(f"{path}.new").write_bytes(rest)
    os.replace(f"{path}.new", path)


def act(name: str, partition: str | None, number: int, store: Store) -> None:
    path = path_of(store)
    if name == "make":
        append(store, made(partition, str(number), f"v{number}"))
    elif name == "fail":
        append(store, failed(partition, str(number)))
    elif name == "wipe" and partition is not None:
        store.history.wipe_partitions(KEY, [partition, "b"])
    elif path.exists():
        {
            "wipe": lambda: store.history.empty(KEY),
            "cut": lambda: cut(path),
            "replace": lambda: replace(path),
            "damage": lambda: overwrite(path, number % 7 / 7),
            "delete": path.unlink,
            "touch": lambda: os.utime(path, (number, number)),
        }[name]()


STEPS = ["make", "make", "make", "fail", "wipe", "cut", "replace", "damage", "delete", "touch"]
HISTORY = st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(PARTITIONS), st.booleans()))


@settings(max_examples=60)
@given(history=HISTORY)
def test_the_index_says_what_reading_the_whole_history_says(
    history: list[tuple[str, str | None, bool]],
) -> None:
    with TemporaryDirectory() as folder:
        store = Store(f"{folder}/store", ephemeral=True)
        other = Store(f"{folder}/store", ephemeral=True)  # as of another process
        store.prepare()
        agrees_after_each(history, store, other)


def agrees_after_each(
    history: list[tuple[str, str | None, bool]], store: Store, other: Store
) -> None:
    for number, (name, partition, by_other) in enumerate(history):
        act(name, partition, number, other if by_other else store)
        says_the_same(store, [])
        if current_by_reading_all(store, "none such") == (None, None):  # no damage
            position = store.history.position(KEY)
            assert store.history.versions_at(KEY, position) == versions_by_reading_all(store)


class Numbers:
    """The numbers of some partitions."""

    def __init__(self, names: list[str]) -> None:
        self.keys = ListedKeys(None, names)

    def number(self, key: str) -> int | None:
        return self.keys.number(key)

    def expect(self, count: int) -> None:
        pass


NUMBERED = [["a", "b"], ["a", "b", ""], ["b", "2023-03|미국", "a"], []]
DONE_TO_AN_INDEX = ["keep", "keep", "keep", "keep", "spoil", "cut it", "save", "put back", "number"]


def do_to_index(name: str, number: int, store: Store) -> None:
    """What happens to the index of a history."""
    kept = Path(store.folder, "cache/partitions/trips.rows")
    saved = kept.with_suffix(".saved")
    if name == "keep":
        store.history.index(KEY).keep()
    elif name == "number":
        store.history.index(KEY).number_by(Numbers(NUMBERED[number % len(NUMBERED)]))
    elif name == "put back" and saved.exists():
        shutil.copy(saved, kept)
    elif kept.exists() and kept.stat().st_size:
        data = bytearray(kept.read_bytes())
        if name == "spoil":
            data[number * 7919 % len(data)] ^= 1
        elif name == "cut it":
            del data[number * 7919 % len(data) :]
        target = saved if name == "save" else kept
        target.with_suffix(".new").write_bytes(data)
        target.with_suffix(".new").replace(target)


def rows_agree(store: Store, names: list[str]) -> None:
    """The columns say what reading the whole history says."""
    rows = store.history.index(KEY).rows()
    if rows is None:
        assert isinstance(current_by_reading_all(store, "none such"), int)  # it is damaged
        return
    try:
        status, versions = rows.column("status"), rows.column("versions")
    except DamagedIndexError:
        store.history.index(KEY).distrust()
        rows_agree(store, names)
        return
    for number, name in enumerate(names):
        current = current_by_reading_all(store, name)
        assert isinstance(current, tuple)
        found = status[number] if number < len(status) else 0
        assert (bool(found & MADE), bool(found & FAILED)) == tuple(map(bool, current))
        if current[0] is not None:
            version = versions[number * 16 : number * 16 + 16]
            assert version == version_bytes(current[0].data_version)


@settings(max_examples=EXAMPLES)
@given(
    history=st.lists(
        st.tuples(
            st.sampled_from([*STEPS, *DONE_TO_AN_INDEX]),
            st.sampled_from(PARTITIONS),
            st.booleans(),
        ),
        min_size=10,
    )
)
def test_a_kept_index_says_what_reading_the_whole_history_says(
    history: list[tuple[str, str | None, bool]],
) -> None:
    with TemporaryDirectory() as folder, mock.patch.object(partition_index, "WORTH_KEEPING", 0):
        Store(f"{folder}/store", ephemeral=True).prepare()
        stores: list[Store] = []
        names = NUMBERED[0]
        for number, (name, partition, anew) in enumerate(history):
            if anew or not stores:  # as of another process
                stores.append(Store(f"{folder}/store", ephemeral=True))
                stores[-1].history.index(KEY).number_by(Numbers(names))
            if name == "number":
                names = NUMBERED[number % len(NUMBERED)]
            if name in DONE_TO_AN_INDEX:
                do_to_index(name, number, stores[-1])
            else:
                act(name, partition, number, stores[0])
            says_the_same(stores[-1], names)
            rows_agree(stores[-1], names)


def says_the_same(store: Store, names: list[str]) -> None:
    for one in PARTITIONS:
        assert current_by_index(store, one) == current_by_reading_all(store, one)
        known = [item for item in newest_first(store, one) if not isinstance(item, int)]
        assert list(store.history.readable(Target(KEY, one))) == known
    if current_by_reading_all(store, "none such") == (None, None):  # no damage
        recorded = recorded_by_reading_all(store)
        assert store.history.partitions(KEY) == recorded
        unnumbered = set(recorded).difference([None, *names])
        assert set(store.history.index(KEY).unnumbered()) == unnumbered


def test_the_versions_at_a_position_are_those_of_that_moment(prepared: Store) -> None:
    moments = []
    for number, partition in enumerate(["a", "b", None, "a", "c", "b"]):
        append(prepared, made(partition, str(number), f"v{number}"))
        append(prepared, failed("a"))
        moments.append((prepared.history.position(KEY), versions_by_reading_all(prepared)))
    prepared.history.wipe_partitions(KEY, ["a", "b"])
    moments.append((prepared.history.position(KEY), versions_by_reading_all(prepared)))
    cut(path_of(prepared))
    for position, versions in moments:
        assert prepared.history.versions_at(KEY, position) == versions
    assert prepared.history.position(KEY) == moments[-1][0]
    assert moments[-1][1] == {None: "v2", "c": "v4"}


def test_no_version_is_known_of_a_history_that_was_begun_anew(prepared: Store) -> None:
    for number in range(20):
        append(prepared, made("a", str(number)))
    position = prepared.history.position(KEY)
    prepared.history.empty(KEY)
    append(prepared, made("a", "a longer id than before"))
    assert prepared.history.versions_at(KEY, position) == {}
    while prepared.history.position(KEY) <= position:
        append(prepared, made("a", "a longer id than before"))
    assert prepared.history.versions_at(KEY, position) == {}
    assert prepared.history.versions_at(KEY, 0) == {}


class Read:
    """How many bytes are read by `os.pread`."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._pread, self.size = os.pread, 0
        patch.setattr(os, "pread", self._counted)

    def _counted(self, fd: int, size: int, offset: int) -> bytes:
        data = self._pread(fd, size, offset)
        self.size += len(data)
        return data

    def during(self, act: Callable[[], object]) -> int:
        self.size = 0
        act()
        return self.size


def test_an_attempt_among_thousands_of_partitions_reads_no_more_than_among_two(
    prepared: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        append(prepared, made(f"{number}"))
    with path_of(prepared).open("ab") as file:
        file.writelines(prepared.history.line(made(f"{number}")) for number in range(2, 3000))
    read = Read(monkeypatch)
    target, line = Target(KEY, "1"), len(prepared.history.line(made("1")))
    assert read.during(lambda: prepared.history.current(target)) > 2900 * line
    for number in range(3):

        def step() -> None:
            lock = prepared.lock(target)
            assert lock.acquire()
            assert prepared.history.current(target)[0] is not None
            lock.append(made("1", f"run {number}"))  # noqa: B023
            assert prepared.history.known(target).run_id == f"run {number}"  # type: ignore[union-attr]  # noqa: B023
            lock.release()

        assert read.during(step) < 10 * line + 2000


def test_a_target_of_the_asset_itself_is_found_behind_thousands_of_partitions(
    prepared: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(prepared, made(None, "whole"))
    append(prepared, failed(None, "whole, failed"))
    with path_of(prepared).open("ab") as file:
        file.writelines(prepared.history.line(made(f"{number}")) for number in range(3000))
    current, failure = prepared.history.current(Target(KEY))
    assert current is not None
    assert failure is not None
    assert (current.run_id, failure.run_id) == ("whole", "whole, failed")
    read = Read(monkeypatch)
    assert read.during(lambda: prepared.history.current(Target(KEY))) < 10_000


def test_an_asset_without_partitions_has_no_index(prepared: Store) -> None:
    for number in range(3):
        append(prepared, made(None, str(number)))
    prepared.history.current(Target(KEY))
    list(prepared.history.attempts(Target(KEY)))
    assert not prepared.history._indexes


def test_threads_share_an_index_while_others_append(prepared: Store) -> None:
    partitions = [f"{number}" for number in range(4)]

    def append_and_ask(partition: str) -> None:
        target = Target(KEY, partition)
        for number in range(100):
            append(prepared, made(partition, f"{number}"))
            for one in partitions:
                prepared.history.current(Target(KEY, one))
            current = prepared.history.known(target)
            assert current is not None
            assert current.run_id == f"{number}"

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(append_and_ask, partitions))


def test_a_partition_is_told_by_its_asset_s_present_name(prepared: Store) -> None:
    from assetgraph.storage.asset_records import rename

    append(prepared, made("a", "1"))
    rename(prepared, KEY, AssetKey("rides"))
    rides = Target(AssetKey("rides"), "a")
    prepared.history.append(rides, made("a", "2"))
    reading = Materialization(
        "3", now(), StoredValue("json", inline="1"), "v", inputs={"rides@a": "v"}, partition="b"
    )
    prepared.history.append(Target(AssetKey("rides"), "b"), reading)
    assert [one.run_id for one in prepared.history.attempts(rides)] == ["2", "1"]
    assert prepared.history.current(rides._replace(partition="b"))[0] == reading
    assert prepared.history.partitions(KEY) == {}


def test_a_wiped_partition_begins_anew_and_the_others_stay(prepared: Store) -> None:
    for partition in ("a", "b", "c"):
        append(prepared, made(partition, "old"))
    whole = path_of(prepared).read_bytes()
    wipe_partitions(prepared, [Target(KEY, "a"), Target(KEY, "b")])
    assert prepared.history.partitions(KEY) == {"c": True}
    assert [one.partition for one in prepared.history.newest_first(KEY)] == ["c"]
    append(prepared, made("b", "new"))
    assert [one.run_id for one in prepared.history.attempts(Target(KEY, "b"))] == ["new"]
    assert prepared.history.current(Target(KEY, "a")) == (None, None)
    assert path_of(prepared).read_bytes().startswith(whole)  # positions keep their meaning


def test_a_line_that_cannot_be_decoded_is_named_with_its_number(prepared: Store) -> None:
    for partition in ("a", "b", "c"):
        append(prepared, made(partition))
    path = path_of(prepared)
    path.write_bytes(path.read_bytes().replace(b'"data_version":"v"', b'"data_version":1', 2))
    for partition, line in (("a", 1), ("b", 2)):
        with pytest.raises(DamagedStoreError, match=rf"line {line} of {path} is damaged"):
            prepared.history.current(Target(KEY, partition))
    assert prepared.history.current(Target(KEY, "c"))[0] is not None


def test_lines_of_this_process_and_of_others_are_known_in_any_order(tmp_path: Path) -> None:
    Store(tmp_path / "store").prepare()
    own, other = Store(tmp_path / "store"), Store(tmp_path / "store")
    chance = random.Random(3)
    for number in range(80):
        partition = chance.choice(PARTITIONS[1:])
        append(chance.choice([own, own, other]), made(partition, run_id=str(number)))
        if chance.random() < 0.7:
            current, _ = chance.choice([own, other]).history.current(Target(KEY, partition))
            assert current is not None
            assert current.run_id == str(number)
    fresh = Store(tmp_path / "store").history
    assert own.history.position(KEY) == fresh.position(KEY)
    for partition in PARTITIONS[1:]:
        target = Target(KEY, partition)
        assert list(own.history.attempts(target)) == list(fresh.attempts(target))

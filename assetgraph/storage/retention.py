"""Deleting what a store no longer needs: values that newer ones replaced, runs beyond the project's
limit, what a dead process left unfinished, the files of partitions' locks, and what replaced values
were made from.

An asset's current value, a value that a step may be reading, and a run in progress always stay.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

import msgspec

from assetgraph.errors import StoreError
from assetgraph.keys import AssetKey, Target, is_cut_name, partition_file_name, partition_of
from assetgraph.records import Materialization, StoredValue
from assetgraph.storage.atomic_files import names_in, store_error
from assetgraph.storage.file_locks import is_held, prune_lock
from assetgraph.storage.formats.format_registry import location_of

if TYPE_CHECKING:
    from assetgraph.storage.store import Store
    from assetgraph.storage.value_store import StoredRun


_LARGE_TABLE = 4_000_000  # bytes: below, reading it takes no time that matters


class Prunable(msgspec.Struct, frozen=True):
    """One thing that can be deleted: an old value, a value that was never committed, an old run,
    what a process that died left behind, the file of a partition's lock, or in the table of what
    steps read, the sets of replaced values.

    `name` is the text of a target, a run id, or the name of a file; `path` says where it is; `size`
    is in bytes.
    """

    kind: Literal["value", "orphan", "run", "leftover", "lock", "reads"]
    name: str
    path: str
    size: int
    target: Target | None = None  # of a value


def drop_old_values(store: Store, target: Target) -> None:
    """Delete the values of `target` that newer ones replaced, up to the first that is already gone.
    The caller holds the lock on `target`."""
    guard = store.reading(target)
    for value in islice(_stored(store, target), store.keep_values, None):
        if not store.values.is_there(value) or not guard.acquire():
            return
        try:
            store.values.delete(_folder(value))
        finally:
            guard.release()


def drop_old_runs(store: Store) -> None:
    """Delete the oldest runs beyond the store's limit, if it has one. Raises `StoreError`."""
    for run_id in _old_run_ids(store):
        store.runs.delete(run_id)


def drop_old_reads(store: Store) -> None:
    """Delete the sets of replaced values once the table of what steps read has grown large, and to
    twice the size that it had after the last time. Raises `StoreError`."""
    size = _file_size(store.reads_path)
    if size > _LARGE_TABLE and size > 2 * store.reads.table.first_line_now().get("kept", 0):
        _drop_reads(store)


def find_prunable(store: Store) -> Iterator[Prunable]:
    """Everything that may be deleted now, values first."""
    yield from _values(store)
    yield from _old_runs(store)
    yield from _leftovers(store)
    yield from _free_locks(store)
    yield from _unnamed_reads(store)


def prune(store: Store, item: Prunable) -> bool:
    """Delete `item`; False if it is in use, or needed again. Raises `StoreError`."""
    if item.target is not None:
        return _drop_value(store, item.target, item.path)
    if item.kind == "leftover":
        return _drop_leftover(store, item)
    if item.kind == "lock":
        return prune_lock(item.path)
    if item.kind == "reads":
        return _drop_reads(store)
    store.runs.delete(item.name)
    return True


def _drop_value(store: Store, target: Target, folder: str) -> bool:
    """Delete under the locks of the target: the value may be the current one by now."""
    store.prepare()  # the folder of locks may not exist yet
    lock, guard = store.lock(target), store.reading(target)
    try:
        if not (lock.acquire() and guard.acquire()):
            return False
        kept = islice(_stored(store, target), store.keep_values)
        if folder in map(_folder, kept):
            return False
        store.values.delete(folder)
        return True
    finally:
        guard.release()
        lock.release()


def _drop_leftover(store: Store, item: Prunable) -> bool:
    """Delete while no run begins: a folder that a new run is creating looks like a leftover."""
    store.prepare()  # the folder of locks may not exist yet
    beginning = store.runs.beginning()
    if not beginning.acquire():
        return False
    try:
        folder = item.path if os.path.isdir(item.path) else os.path.dirname(item.path)
        if is_held(f"{folder}/lock"):
            return False
        _delete(item.path)
        return True
    finally:
        beginning.release()


def _delete(path: str) -> None:
    from shutil import rmtree  # a slow import that a run does not need

    try:
        if os.path.isdir(path):
            rmtree(path)
        else:
            os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise store_error(error, "delete", path) from error


def _old_run_ids(store: Store) -> Iterator[str]:
    if store.keep_runs is None:
        return
    for run_id in islice(store.runs.ids(), store.keep_runs, None):
        if not is_held(f"{store.runs.path(run_id)}/lock"):
            yield run_id


def _old_runs(store: Store) -> Iterator[Prunable]:
    for run_id in _old_run_ids(store):
        path = store.runs.path(run_id)
        yield Prunable("run", run_id, path, _size(path))


def _values(store: Store) -> Iterator[Prunable]:
    for text, group in groupby(store.values.runs(), key=attrgetter("key")):
        key = AssetKey.unchecked(text)
        if store.history.is_missing(key):
            continue  # it may come back: a step makes it before it stores a value
        stored: dict[Target, list[StoredRun]] = {}
        for run, target in with_targets(store, key, list(group)):
            if target is not None:
                stored.setdefault(target, []).append(run)
        # Check the locks before reading the history: with no lock held, a value that was stored
        # before this check is in the history by now, or will never be recorded.
        in_use = store.running(stored) | store.being_read(stored)
        for target, found in stored.items():
            if target not in in_use:
                yield from _prunable_values(store, target, found)


def _prunable_values(
    store: Store, target: Target, stored: Iterable[StoredRun]
) -> Iterator[Prunable]:
    try:
        kept, recorded = _kept_and_recorded(store, target)
    except StoreError:
        return  # a damaged history does not say which values are in use
    for run in stored:
        if run.folder not in kept:
            kind: Literal["value", "orphan"] = "value" if run.folder in recorded else "orphan"
            yield Prunable(kind, target.text, run.folder, run.size, target)


def with_targets(
    store: Store, key: AssetKey, runs: Sequence[StoredRun]
) -> Iterator[tuple[StoredRun, Target | None]]:
    """What runs stored of an asset, each with the target; None if the name of its partition was cut
    and no attempt at it is recorded: its next attempt tells whose values these are."""
    recorded: Iterable[str | None] = ()
    if any(is_cut_name(run.partition_name) for run in runs):
        recorded = store.history.partitions(key)
    cut = {partition_file_name(partition): partition for partition in recorded}
    for run in runs:
        if not is_cut_name(run.partition_name):
            yield run, Target(key, partition_of(run.partition_name))
        else:
            partition = cut.get(run.partition_name)
            yield run, None if partition is None else Target(key, partition)


def _kept_and_recorded(store: Store, target: Target) -> tuple[set[str], set[str]]:
    folders = [_folder(value) for value in _stored(store, target)]
    return set(folders[: store.keep_values]), set(folders)


def _stored(store: Store, target: Target) -> Iterator[StoredValue]:
    """The recorded values of `target` that have a folder of their own, newest first."""
    last = None
    for attempt in store.history.attempts(target):
        if isinstance(attempt, Materialization) and has_folder(attempt.value):
            if attempt.value.path != last:  # a record that accepts code repeats the value before it
                yield attempt.value
            last = attempt.value.path


def has_folder(value: StoredValue) -> bool:
    """Whether the value is in a folder that its run created for it."""
    return value.path is not None and location_of(value) == "storage"


def _folder(value: StoredValue) -> str:
    return (value.path or "").rpartition("/")[0]


def _leftovers(store: Store) -> Iterator[Prunable]:
    """Temporary files, and hidden folders of runs that were being created or deleted."""
    for folder, folders, files in os.walk(f"{store.folder}/runs"):
        for name in [n for n in folders if n.startswith(".")]:
            path = f"{folder}/{name}"
            folders.remove(name)
            if not is_held(f"{path}/lock"):
                yield Prunable("leftover", name[1:], path, _size(path))
        for name in files:
            if name.endswith(".tmp") and not is_held(f"{folder}/lock"):
                yield Prunable("leftover", name, f"{folder}/{name}", _size(f"{folder}/{name}"))


def _free_locks(store: Store) -> Iterator[Prunable]:
    """The files of the locks on partitions, which would pile up. Those of assets stay."""
    folder = f"{store.folder}/locks"
    for name in sorted(names_in(folder)):
        stem, _, suffix = name.rpartition(".")
        path = f"{folder}/{name}"
        if suffix in ("lock", "read") and not stem.endswith("=_") and not is_held(path):
            yield Prunable("lock", name, path, _size(path))


def named_reads(store: Store) -> Iterator[tuple[Target, str]]:
    """The sets that the current value of each target, or a later failure, was made from. A history
    that cannot be read has those of its readable lines."""
    for text in sorted(store.history.touched()):
        key, seen = AssetKey.unchecked(text), set()
        for attempt in store.history.readable(key):
            if attempt.partition in seen:
                continue
            if attempt.observed is not None:
                yield Target(key, attempt.partition), attempt.observed
            if isinstance(attempt, Materialization):
                seen.add(attempt.partition)
                if attempt.partition is None:
                    break


def _unnamed_reads(store: Store) -> Iterator[Prunable]:
    recorded = store.reads.table.load()
    size = store.reads.size(recorded.keys() - {one for _, one in named_reads(store)})
    if size:
        path = store.reads.table.path
        yield Prunable("reads", os.path.basename(path), path, size)


def _drop_reads(store: Store) -> bool:
    """Delete while no run is under way: a step records a set before the record that names it."""
    store.prepare()  # the folder of locks may not exist yet
    beginning = store.runs.beginning()
    if not beginning.acquire():
        return False
    try:
        if any(store.runs.under_way()):
            return False
        named = {one for _, one in named_reads(store)}
        table = store.reads.table
        recorded = table.load()
        kept = {key: recorded[key] for key in recorded if key in named}
        table.first_line["kept"] = store.reads.size(kept)
        table.keep(kept)
        return True
    finally:
        beginning.release()


def _size(path: str) -> int:
    """The size of a file or folder in bytes, as far as another process has not deleted it."""
    if not os.path.isdir(path):
        return _file_size(path)
    return sum(
        _file_size(f"{folder}/{name}") for folder, _, names in os.walk(path) for name in names
    )


def _file_size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0

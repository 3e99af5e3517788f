"""What a store may forget: values that newer ones replaced, runs beyond the project's limit, and
what a dead process left half-made.

Never forgotten: an asset's current value, a value whose asset a step is reading, a run under way.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal

from assetgraph.keys import AssetKey
from assetgraph.records import Materialization, StoredValue
from assetgraph.storage.files import store_error
from assetgraph.storage.locks import is_held

if TYPE_CHECKING:
    from assetgraph.storage.store import Store


@dataclass(frozen=True, slots=True)
class Prunable:
    """One thing that may go: an old value, a value that was never committed, an old run, or the
    leftovers of a process that died. `name` is a key or a run id; `path` where it lies."""

    kind: Literal["value", "orphan", "run", "leftover"]
    name: str
    path: str
    size: int


def drop_old_values(store: Store, key: AssetKey, partition: str | None = None) -> None:
    """Delete the values of `key` that newer ones replaced, up to the first that is gone already.
    The caller holds the asset's lock."""
    guard = store.reading(key, partition)
    for value in islice(_stored(store, key), store.keep_values, None):
        if store.values.check(value) == "gone" or not guard.acquire():
            return
        try:
            store.values.delete(_folder(value))
        finally:
            guard.release()


def drop_old_runs(store: Store) -> None:
    """Delete the runs beyond the store's limit, if it has one."""
    for item in _old_runs(store):
        store.runs.delete(item.name)


def find_prunable(store: Store) -> Iterator[Prunable]:
    """Everything that may go now, values first."""
    yield from _values(store)
    yield from _old_runs(store)
    yield from _leftovers(store)


def prune(store: Store, item: Prunable) -> None:
    """Raises `StoreError`."""
    if item.kind in ("value", "orphan"):
        store.values.delete(item.path)
    elif item.kind == "run":
        store.runs.delete(item.name)
    else:
        try:
            if os.path.isdir(item.path):
                shutil.rmtree(item.path)
            else:
                os.unlink(item.path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise store_error(error, "delete", item.path) from error


def _old_runs(store: Store) -> Iterator[Prunable]:
    if store.keep_runs is None:
        return
    for run_id in islice(store.runs.ids(), store.keep_runs, None):
        path = store.runs.path(run_id)
        if not is_held(f"{path}/lock"):
            yield Prunable("run", run_id, path, _size(path))


def _values(store: Store) -> Iterator[Prunable]:
    known: dict[str, tuple[set[str], set[str]]] = {}
    for stored in store.values.runs():
        key = AssetKey.unchecked(stored.key.split("/"))
        if stored.key not in known:
            known[stored.key] = _kept_and_recorded(store, key)
        kept, recorded = known[stored.key]
        if (
            stored.folder in kept
            or store.is_running(key)
            or is_held(store.reading(key).path, shared=True)
        ):
            continue
        kind: Literal["value", "orphan"] = "value" if stored.folder in recorded else "orphan"
        yield Prunable(kind, stored.key, stored.folder, stored.size)


def _kept_and_recorded(store: Store, key: AssetKey) -> tuple[set[str], set[str]]:
    folders = [_folder(value) for value in _stored(store, key)]
    return set(folders[: store.keep_values]), set(folders)


def _stored(store: Store, key: AssetKey) -> Iterator[StoredValue]:
    """Each value in an asset's history that has a folder of its own, newest first."""
    last = None
    for attempt in store.history.newest_first(key):
        if isinstance(attempt, Materialization) and has_folder(attempt.value):
            if attempt.value.path != last:  # an accepted one repeats the one before
                yield attempt.value
            last = attempt.value.path


def has_folder(value: StoredValue) -> bool:
    """Whether the value lies in a folder that its run made for it."""
    return value.path is not None and value.format not in ("path", "custom")


def _folder(value: StoredValue) -> str:
    return (value.path or "").rpartition("/")[0]


def _leftovers(store: Store) -> Iterator[Prunable]:
    """Run folders that never appeared or were being deleted, and temporary files."""
    for folder, folders, files in os.walk(f"{store.folder}/runs"):
        for name in [n for n in folders if n.startswith(".")]:
            path = f"{folder}/{name}"
            folders.remove(name)
            if not is_held(f"{path}/lock"):
                yield Prunable("leftover", name[1:], path, _size(path))
        for name in files:
            if name.endswith(".tmp") and not is_held(f"{folder}/lock"):
                yield Prunable("leftover", name, f"{folder}/{name}", _size(f"{folder}/{name}"))


def _size(path: str) -> int:
    if not os.path.isdir(path):
        return os.stat(path).st_size
    return sum(
        os.lstat(f"{folder}/{name}").st_size for folder, _, names in os.walk(path) for name in names
    )

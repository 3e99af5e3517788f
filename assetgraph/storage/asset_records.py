"""Renaming assets, and deleting all that a store has of them.

Both ask for the locks first, so that neither happens under a step.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, NamedTuple

from assetgraph.errors import AssetGraphError, DamagedStoreError, LockedError
from assetgraph.hints import command
from assetgraph.keys import AssetKey, Target, checked_asset, partitions_by_asset, recorded_target
from assetgraph.records import Materialization, now
from assetgraph.storage.asset_names import Renaming
from assetgraph.storage.atomic_files import append_line, encoded, sync_file_system
from assetgraph.storage.file_locks import Lock
from assetgraph.storage.formats.format_registry import location_of
from assetgraph.storage.retention import with_targets
from assetgraph.text import did_you_mean

if TYPE_CHECKING:
    from assetgraph.storage.histories import Attempt
    from assetgraph.storage.store import Store


class AssetRecords(NamedTuple):
    """What a store has of one asset, or of some of its `partitions`: the attempts in its history,
    its values, and the size of all that in bytes. `elsewhere` says whether its current value is
    where the store deletes nothing: a file of the project, or what an IO manager stored."""

    key: AssetKey
    attempts: int
    values: int
    size: int
    elsewhere: bool
    partitions: tuple[str, ...] = ()

    @property
    def targets(self) -> list[Target]:
        return [Target(self.key, partition) for partition in self.partitions]


def rename(
    store: Store, old: AssetKey, new: AssetKey, *, defined: Collection[AssetKey] = ()
) -> None:
    """Record that the asset `old` is called `new` from now on. `defined` are the assets that the
    project defines.

    Raises `AssetGraphError` if `old` is still defined or has no history, or `new` has one, and
    `LockedError` if a run is at work on either. Then nothing was recorded.
    """
    if old == new:
        raise AssetGraphError(f"{old.text!r} has that name already.")
    if old in defined:
        raise AssetGraphError(
            f"{old.text!r} is still defined.",
            hint=f"Rename it in the code first, to {new.text!r}. Then type this again.",
        )
    require_history(store, old)
    store.prepare()  # the folder of locks may not exist yet
    with ExitStack() as held:
        beginning = store.runs.beginning()  # no run begins meanwhile: it may be one of either
        beginning.wait(lambda: True)
        held.callback(beginning.release)
        file = Lock(store.names.path)
        file.wait(lambda: True)
        held.callback(file.release)
        store.names.refresh()  # another process may have renamed it while this one waited
        require_history(store, old)
        if store.history.is_there(new):
            raise AssetGraphError(
                f"{new.text!r} has a history of its own, and one asset cannot have two.",
                hint=f"To delete it: {command('wipe', new.text)}",
            )
        for key in (old, new):
            _require_no_run(store, key)
        held.enter_context(_locked(store, Target(old)))
        if store.is_running(Target(new)):
            raise store.locked(Target(new), hint="Rename it once that run has ended.")
        _record_renaming(store, old, new)
        store.names.refresh()
    sync_file_system(store.folder)


def _record_renaming(store: Store, old: AssetKey, new: AssetKey) -> None:
    """Record the new name of an asset, and those of its checks."""
    keys = map(AssetKey.unchecked, store.history.keys())
    checks = [key.text for key in keys if checked_asset(key) is old]
    for before in (old.text, *checks):
        after = new.text + before[len(old.text) :]
        append_line(store.names.path, encoded(Renaming(before, after, now())) + b"\n")


def records_of(store: Store, keys: Iterable[AssetKey]) -> list[AssetRecords]:
    """What the store has of each of the assets of which it has anything."""
    sizes: dict[str, list[int]] = {}
    for run in store.values.runs():
        sizes.setdefault(run.key, []).append(run.size)
    found = []
    for key in keys:
        attempts, elsewhere = 0, None
        for attempt in _attempts(store, key):
            attempts += 1
            if elsewhere is None and isinstance(attempt, Materialization):
                elsewhere = _is_elsewhere(attempt)
        values = sizes.get(key.text, [])
        if attempts or values or _file_size(store.history.path(key)):
            size = sum(values) + _file_size(store.history.path(key))
            found.append(AssetRecords(key, attempts, len(values), size, bool(elsewhere)))
    return found


def records_of_partitions(store: Store, targets: Iterable[Target]) -> list[AssetRecords]:
    """What the store has of some partitions, for each asset of which it has anything. The lines of
    a history stay until the whole asset is wiped, so only values count as bytes."""
    found = []
    for key, asked in partitions_by_asset(targets).items():
        wanted = dict.fromkeys(asked)
        runs = with_targets(store, key, tuple(store.values.runs(key)))
        kept = [(run, to.partition) for run, to in runs if to and to.partition in wanted]
        recorded = store.history.partitions(key).keys() | {partition for _, partition in kept}
        partitions = tuple(partition for partition in wanted if partition in recorded)
        if not partitions:
            continue
        attempts, elsewhere = 0, False
        for partition in partitions:
            past = list(store.history.readable(Target(key, partition)))
            attempts += len(past)
            made = next((one for one in past if isinstance(one, Materialization)), None)
            elsewhere |= made is not None and _is_elsewhere(made)
        size = sum(run.size for run, _ in kept)
        found.append(AssetRecords(key, attempts, len(kept), size, elsewhere, partitions))
    return found


def _is_elsewhere(made: Materialization) -> bool:
    return location_of(made.value) in ("project", "io_manager")


def wipe(store: Store, keys: Sequence[AssetKey]) -> None:
    """Delete the histories and the values of assets.

    Raises `LockedError` if a run materializes one of them, or reads its value; then nothing was
    deleted. If the process dies, values without a record are left, which `prune` deletes.
    """
    store.prepare()  # the folder of locks may not exist yet
    with ExitStack() as held:
        _lock_all(store, [target for key in keys for target in _targets(store, key)], held)
        for key in keys:
            store.history.empty(key)
            store.values.delete_all(key)


def wipe_partitions(store: Store, targets: Collection[Target]) -> None:
    """Delete what is recorded and stored of some partitions, as `wipe` does of whole assets.

    A line of the history says that what is before it does not count: the lines of other partitions
    stay where they are, and other processes may append to it meanwhile.
    """
    store.prepare()  # the folder of locks may not exist yet
    with ExitStack() as held:
        _lock_all(store, targets, held)
        for key, partitions in partitions_by_asset(targets).items():
            store.history.wipe_partitions(key, partitions)
            store.values.delete_all(key, partitions)


def orphaned(store: Store, defined: Collection[AssetKey]) -> Iterator[AssetKey]:
    """The assets with a history that the project does not define."""
    for text in sorted(store.history.touched()):
        key = AssetKey.unchecked(text)
        if key not in defined and _file_size(store.history.path(key)):
            yield key


def require_history(store: Store, key: AssetKey) -> None:
    """Raise `AssetGraphError` if the store has no history of an asset; it says what the asset is
    called now, or what has a similar name."""
    if store.history.is_there(key):
        return
    present = store.names.present_name(key)
    if present != key:
        raise AssetGraphError(f"{key.text!r} was renamed to {present.text!r}.")
    known = store.history.keys()
    having = f"These have one: {', '.join(known[:5])}{', …' if len(known) > 5 else ''}."
    raise AssetGraphError(
        f"{key.text!r} has no history in this store.",
        hint=did_you_mean(key.text, known)
        or (
            having if known else f"Nothing has one yet. To begin: {command('materialize', '--all')}"
        ),
    )


def _require_no_run(store: Store, key: AssetKey) -> None:
    """Raise `LockedError` if a run under way is to materialize an asset."""
    for run in store.runs.under_way():
        targets = (text for step_id in run.step_ids for text in run.targets_of(step_id))
        if any(recorded_target(text).key == key for text in targets):
            raise LockedError(
                f"the run {run.run_id} is to materialize {key.text!r}.",
                key=key.text,
                holder=run.run_id,
                hint="Rename it once that run has ended.",
            )


def _locked(store: Store, target: Target) -> ExitStack:
    """The lock on a target, until the context ends. Raises `LockedError` if another holds it."""
    lock, context = store.lock(target), ExitStack()
    if not lock.acquire():
        raise store.locked(target, hint="Type this again once that run has ended.")
    context.callback(lock.release)
    return context


def _lock_all(store: Store, targets: Collection[Target], held: ExitStack) -> None:
    """Hold the locks on targets, and on reading their values, until the context ends."""
    for target, lock in store.locks(targets).items():
        if not lock.acquire():
            raise store.locked(target, hint="Type this again once that run has ended.")
        held.callback(lock.release)
    for guard in store.reading_all(targets):
        if not guard.acquire():
            held.close()  # or these would count as readers
            read = store.being_read(targets)
            first = min(read or targets, key=lambda target: target.text)
            raise LockedError(
                f"a step is reading the value of {first.text!r}.",
                key=first.key.text,
                holder="",
                hint="Wipe it once that run has ended.",
            )
        held.callback(guard.release)


def _targets(store: Store, key: AssetKey) -> list[Target]:
    """The asset itself, and each of its partitions that has a record or a value."""
    runs = with_targets(store, key, tuple(store.values.runs(key)))
    stored = (target for _, target in runs if target is not None)
    found = {*store.history.partitions(key), *(target.partition for target in stored)}
    partitions = sorted(partition for partition in found if partition is not None)
    return [Target(key), *(Target(key, partition) for partition in partitions)]


def _attempts(store: Store, key: AssetKey) -> Iterator[Attempt]:
    """The attempts at an asset, newest first, up to a damaged line: such a history can be wiped."""
    with suppress(DamagedStoreError):
        yield from store.history.newest_first(key)


def _file_size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0

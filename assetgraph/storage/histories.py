"""The history of each asset: `assets/<key>.jsonl`, one line for each attempt, the newest last.

Appending its line commits a materialization. Every append holds a lock on the history itself: two
partitions of an asset may be committed at once, and each writer removes a cut last line first. A
step of an asset without partitions holds that lock from its start to its end.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import islice
from threading import Lock as Mutex
from typing import TYPE_CHECKING, TypeVar

import msgspec

from assetgraph.errors import StoreError
from assetgraph.keys import AssetKey, Target, key_text, recorded_target
from assetgraph.records import (
    FailedAttempt,
    Materialization,
    PartitionsWiped,
    StoredValue,
    now,
)
from assetgraph.storage.atomic_files import (
    append_to,
    encoded,
    make_folder,
    names_in,
    read_last,
    store_error,
)
from assetgraph.storage.file_locks import (
    POLL_S,
    Lock,
    held_locks,
    is_held,
    open_lock,
)

if TYPE_CHECKING:
    from assetgraph.storage.asset_names import AssetNames
    from assetgraph.storage.partition_index import PartitionIndex

Attempt = Materialization | FailedAttempt
Made = TypeVar("Made", Materialization, FailedAttempt, Attempt)
Recorded = Attempt | PartitionsWiped  # what a line of a history may be

_SHORT_POLL_S = 0.0002  # a line is appended in less
_FEW_TRIES = 3
_MANY_TRIES = 100  # where partitions are committed, perhaps one after the other


class AssetHistory:
    """The attempts at every asset of a store, in the folder `folder`.

    The files, and the inputs in their lines, are called by identities. Everyone else speaks of
    assets by their present names.

    All partitions of an asset share its history, and an index says where the lines of each are.
    `allow_partitions` is called before a line about a partition is written. Long indexes are kept
    in the folder `indexes`. `is_plain` says whether all that can be known of a stored value is in
    its record.
    """

    def __init__(
        self,
        folder: str,
        names: AssetNames,
        allow_partitions: Callable[[], None],
        *,
        indexes: str,
        is_plain: Callable[[StoredValue], bool],
    ) -> None:
        self.folder = folder
        self._names = names
        self._allow_partitions = allow_partitions
        self._kept_indexes = indexes
        self._is_plain = is_plain
        self._indexes: dict[str, PartitionIndex] = {}

    def append(self, target: Target, attempt: Attempt) -> None:
        """Record an attempt at `target`. Raises `StoreError`; then nothing was committed.

        The caller holds the lock on `target`, or has given up the thread of this process that holds
        it.
        """
        assert attempt.partition == target.partition
        path, line = self.path(target.key), self.line(attempt)
        try:
            self.append_line(path, line)
        except StoreError:
            if os.path.isdir(self.folder):
                raise
            make_folder(self.folder)
            self.append_line(path, line)

    def append_line(self, path: str, line: bytes) -> None:
        """Append a line to the history at `path`. Raises `StoreError`."""
        info = _append(path, line)
        index = self._indexes.get(path)
        if index is not None and info is not None:
            index.wrote(line, info)

    def newest_first(self, key: AssetKey) -> Iterator[Attempt]:
        """The attempts at an asset and its partitions. Raises `DamagedStoreError` at a line that
        cannot be read."""
        return self._named(_without_wiped(read_last(self.path(key), Recorded)))

    def attempts(self, target: Target, *, to_materialization: bool = False) -> Iterator[Attempt]:
        """The attempts at `target`, newest first, or those to its last materialization. Raises
        `DamagedStoreError`."""
        if target.partition is None:
            return self._named(self._of_asset(target.key, to_materialization))
        index = self.index(target.key)
        return self._named(index.attempts(target.partition, to_materialization))

    def current(self, target: Target) -> tuple[Materialization | None, FailedAttempt | None]:
        """The last materialization of `target`, and its last failure where that came later."""
        failed = None
        for attempt in self.attempts(target, to_materialization=True):
            if isinstance(attempt, Materialization):
                return attempt, failed
            failed = failed or attempt
        return None, failed

    def partitions(self, key: AssetKey) -> Mapping[str | None, bool]:
        """Each partition of an asset with a record that can be read, or None for the asset itself,
        and whether it has a materialization."""
        return self.index(key).partitions()

    def position(self, key: AssetKey) -> int:
        """The size of an asset's history in bytes, up to the end of its last whole line."""
        return self.index(key).position()

    def versions_at(self, key: AssetKey, position: int) -> Mapping[str | None, str]:
        """The data version that each partition of an asset had when its history ended at
        `position`. None has one if the history was deleted since, and begun anew."""
        return self.index(key).versions_at(position)

    def index(self, key: AssetKey) -> PartitionIndex:
        """Where the lines about each partition of an asset are. Assets are called by their
        identities there."""
        path = self.path(key)
        found = self._indexes.get(path)
        if found is None:
            from assetgraph.storage.partition_index import PartitionIndex

            kept = f"{self._kept_indexes}/{os.path.basename(path).removesuffix('.jsonl')}.rows"
            found = self._indexes.setdefault(path, PartitionIndex(path, kept, self._is_plain))
        return found

    def known(self, target: Target) -> Materialization | None:
        """The last materialization of `target`; None also if the history is damaged."""
        try:
            return self.current(target)[0]
        except StoreError:
            return None

    def readable(self, of: AssetKey | Target) -> Iterator[Attempt]:
        """The attempts at a target, or at an asset and its partitions, newest first, up to a line
        that cannot be read."""
        try:
            yield from self.attempts(of) if isinstance(of, Target) else self.newest_first(of)
        except StoreError:
            return  # the asset's state says so

    def wipe_partitions(self, key: AssetKey, partitions: Iterable[str]) -> None:
        """Have what is recorded of some partitions not count any more. The caller holds the locks
        on them. Raises `StoreError`; then nothing was wiped."""
        self._allow_partitions()
        _append(self.path(key), encoded(PartitionsWiped(now(), tuple(partitions))) + b"\n")

    def keys(self) -> list[str]:
        """The texts of all keys that have a history with any line."""
        return sorted(key.text for path, key in self.files() if _size(path))

    def touched(self) -> set[str]:
        """The texts of all keys that have a history, also of those where it is empty. A listing,
        which costs less than `keys`."""
        return {key.text for _, key in self.files()}

    def without(self, keys: Iterable[AssetKey]) -> set[AssetKey]:
        """Those of `keys` that have no history, by the same listing."""
        there = set(names_in(self.folder))
        begin = len(self.folder) + 1
        found = {key for key in keys if self.path(key)[begin:] not in there}
        if all(key.file_name.isascii() for key in found):
            return found
        touched = self.touched()  # a file system may list other bytes for the same letters
        return {key for key in found if key.text not in touched}

    def is_there(self, key: AssetKey) -> bool:
        """Whether there is any attempt at an asset. Raises `DamagedStoreError`."""
        return next(self.newest_first(key), None) is not None

    def begin(self, key: AssetKey) -> None:
        """Create the history of an asset if it is missing. Raises `StoreError`."""
        path = self.path(key)
        if not os.access(path, os.F_OK):  # in half the time of `os.path.exists`
            make_folder(self.folder)
            os.close(open_lock(path))

    def empty(self, key: AssetKey) -> None:
        """Delete all lines of the history of an asset, whose lock the caller holds. The empty file
        says that nothing is lost. Raises `StoreError`."""
        path = self.path(key)
        try:
            os.truncate(path, 0)
        except OSError as error:
            raise store_error(error, "write", path) from error

    def is_missing(self, key: AssetKey) -> bool:
        """Whether the asset has no history, not even an empty one: no step of it ever began, or
        somebody took the file away."""
        return not os.path.exists(self.path(key))

    def files(self) -> Iterator[tuple[str, AssetKey]]:
        """The path of each history, with its asset."""
        for name in names_in(self.folder):
            if name.endswith(".jsonl"):
                yield f"{self.folder}/{name}", self.key_of(name)

    def key_of(self, file_name: str) -> AssetKey:
        """The present name of the asset with the history in this file."""
        return self._names.name(AssetKey.unchecked(key_text(file_name.removesuffix(".jsonl"))))

    def _of_asset(self, key: AssetKey, to_materialization: bool) -> Iterator[Attempt]:
        """The attempts at the asset itself, newest first."""
        for count, line in enumerate(read_last(self.path(key), Recorded)):
            if isinstance(line, PartitionsWiped) or line.partition is not None:
                # Perhaps there are thousands of these: the index knows where the others are.
                known = self.index(key).attempts(None, to_materialization)
                yield from islice(known, count, None)
                return
            yield line

    def _named(self, attempts: Iterable[Attempt]) -> Iterator[Attempt]:
        return map(self.named, attempts) if self._names.renamings else iter(attempts)

    def named(self, attempt: Made) -> Made:
        """The attempt with its inputs called by their present names."""
        return _with_inputs(attempt, self._names.name) if self._names.renamings else attempt

    def path(self, key: AssetKey) -> str:
        if self._names.renamings:
            key = self._names.identity(key)
        return f"{self.folder}/{key.file_name}.jsonl"

    def line(self, attempt: Attempt) -> bytes:
        """The line that records an attempt, which the store's format allows from now on."""
        if attempt.partition is not None:
            self._allow_partitions()
        if self._names.renamings:
            attempt = _with_inputs(attempt, self._names.identity)
        return encoded(attempt) + b"\n"


class TargetLock(Lock):
    """The lock on materializing `target`, whose holder commits to the asset's history.

    The file that it locks, at `path`, is the history, or for a partition one of its own.
    """

    def __init__(self, history: AssetHistory, target: Target, path: str) -> None:
        self._is_history = target.partition is None
        Lock.__init__(self, path, may_be_pruned=not self._is_history)
        self._history = history
        self.target = target
        self._mutex = Mutex()

    def acquire(self) -> bool:
        if Lock.acquire(self) or self._in_a_moment(partial(Lock.acquire, self)):
            if not self._is_history:
                self._begin()
            return True
        return False

    def _begin(self) -> None:
        """Have the asset's history exist before a value is stored: that it is missing then means
        that somebody took it away."""
        try:
            self._history.begin(self.target.key)
        except BaseException:
            self.release()
            raise

    def is_taken(self) -> bool:
        """Whether a living process is materializing the target."""
        return is_held(self.path) and not self._in_a_moment(lambda: not is_held(self.path))

    def release(self) -> None:
        with self._mutex:
            Lock.release(self)

    def append(self, attempt: Attempt) -> None:
        """Commit an attempt. Raises `StoreError`; then nothing was committed."""
        assert attempt.partition == self.target.partition
        line = self._history.line(attempt)
        if self._is_history and self.write(line):
            return
        try:
            self._history.append_line(self._history.path(self.target.key), line)
        except StoreError:
            if not os.path.isdir(os.path.dirname(self.path)):
                message = f"cannot write {self.path}: its store was deleted during the step."
                raise StoreError(message) from None
            self._history.append(self.target, attempt)

    def write(self, line: bytes) -> bool:
        """Append a line to the history through the descriptor that locks it. Returns False if the
        lock was released, or the file deleted."""
        with self._mutex:
            return self._fd is not None and append_to(self._fd, self.path, line)

    def found_empty(self) -> bool:
        """Whether the asset has no history yet. Always False for a partition."""
        return self._fd is not None and self._is_history and os.lseek(self._fd, 0, os.SEEK_END) == 0

    def _in_a_moment(self, succeeds: Callable[[], bool]) -> bool:
        """Whether `succeeds` does, as long as the lock may be held by what is no materialization:
        the commit of a partition locks the history, and pruning locks the file of a partition."""
        for _ in range(self._tries()):
            time.sleep(_SHORT_POLL_S)
            if succeeds():
                return True
        return False

    def _tries(self) -> int:
        newest = None
        if self._is_history:
            with suppress(StoreError):  # a damaged history
                newest = next(self._history.newest_first(self.target.key), None)
        if newest is None:
            return _FEW_TRIES
        return 0 if newest.partition is None else _MANY_TRIES


def _without_wiped(lines: Iterable[Recorded]) -> Iterator[Attempt]:
    """The attempts of `lines`, newest first, that count."""
    wiped: set[str | None] = set()
    for line in lines:
        if isinstance(line, PartitionsWiped):
            wiped.update(line.partitions)
        elif line.partition not in wiped:
            yield line


def _with_inputs(attempt: Made, called: Callable[[AssetKey], AssetKey]) -> Made:
    """The attempt with its inputs called as `called` calls their assets."""
    inputs = {}
    for text, version in attempt.inputs.items():
        target = recorded_target(text)
        inputs[Target(called(target.key), target.partition).text] = version
    read = {
        called(AssetKey.unchecked(name)).text: one for name, one in attempt.partitions_read.items()
    }
    return msgspec.structs.replace(attempt, inputs=inputs, partitions_read=read)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _append(path: str, line: bytes) -> os.stat_result | None:
    """Append one line to the history at `path`, under a lock on that file. Returns how the file is
    then, unless somebody else holds the lock."""
    lock, pause_s = Lock(path), _SHORT_POLL_S
    while True:
        # If this process holds the lock, a second descriptor would have to wait, like that of
        # another process: forever, if the thread that holds it is stuck.
        for holder in held_locks(path):
            if isinstance(holder, TargetLock) and holder.write(line):
                return None
        if lock.acquire():
            try:
                if append_to(lock.fileno(), path, line):
                    return os.fstat(lock.fileno())
                # The file was deleted before it was locked: try again.
            finally:
                lock.release()
        else:
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, POLL_S)

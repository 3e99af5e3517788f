"""The locks on the partitions of an asset: on materializing each, and on reading its value.

All are on bytes of one file an asset. The byte of a partition is a hash of it, and another one,
`_BYTES` behind it, is for those who read its value. Where the system has no such locks, each
partition has a file for either.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence, Set
from hashlib import blake2b
from typing import TYPE_CHECKING

from assetgraph.keys import Target
from assetgraph.storage.file_locks import Lock, is_held
from assetgraph.storage.histories import TargetLock
from assetgraph.storage.range_locks import LockedBytes, Range, RangeFile, RangeLock, has_range_locks

if TYPE_CHECKING:
    from assetgraph.keys import AssetKey
    from assetgraph.storage.histories import AssetHistory

_BYTES = 1 << 62
_MATERIALIZING = (0, _BYTES)
_READING = (_BYTES, _BYTES)
# The kernel looks through all locks on a file for each that it adds.
_MANY_READ = 1000
_MANY_MADE = 5000
_empty = blake2b(digest_size=8)


class PartitionLocks(ABC):
    """The locks on the partitions of the asset `key`, in the folder `folder`.

    The files of locks are called after `identity`.
    """

    def __init__(
        self, history: AssetHistory, key: AssetKey, folder: str, identity: AssetKey
    ) -> None:
        self._history = history
        self._key = key
        self._folder = folder
        self._identity = identity

    @abstractmethod
    def locks(self, partitions: Sequence[str]) -> Sequence[TargetLock]:
        """The lock on materializing each of `partitions`, for one step. With very many, the first
        that it takes may be on all partitions of the asset."""

    @abstractmethod
    def reading(self, partitions: Collection[str], *, shared: bool) -> Sequence[Lock]:
        """What a step holds (shared) while it reads the values of `partitions`, so that none is
        pruned. Of very many, it may be the lock on reading any partition."""

    @abstractmethod
    def running(self, partitions: Collection[str]) -> Set[str]:
        """Those of `partitions` that a living process is materializing."""

    @abstractmethod
    def read(self, partitions: Collection[str]) -> Set[str]:
        """Those of `partitions` whose values a step may be reading."""


class PartitionLock(RangeLock, TargetLock):
    """The lock on materializing one partition: on a byte of the file of its asset."""

    def __init__(
        self, history: AssetHistory, target: Target, file: RangeFile, ranges: Sequence[Range]
    ) -> None:
        TargetLock.__init__(self, history, target, file.path)
        self._be_on(file, ranges)

    def acquire(self) -> bool:
        if RangeLock.acquire(self):
            self._begin()
            return True
        return False

    def is_taken(self) -> bool:
        return bool(LockedBytes(self.path, (_byte(self.target.partition or ""), 1)))


class LocksOnBytes(PartitionLocks):
    def locks(self, partitions: Sequence[str]) -> Sequence[TargetLock]:
        file, whole, found = RangeFile(self._path), len(partitions) > _MANY_MADE, []
        for one in partitions:
            ranges: list[Range] = [] if whole else [(_byte(one), 1)]
            found.append(PartitionLock(self._history, Target(self._key, one), file, ranges))
        if whole:
            found[0].ranges = [_MATERIALIZING]
        return found

    def reading(self, partitions: Collection[str], *, shared: bool) -> Sequence[Lock]:
        ranges = [(_BYTES + _byte(partition), 1) for partition in partitions]
        if len(ranges) > _MANY_READ:
            ranges = [_READING]
        return [RangeLock(RangeFile(self._path), ranges, shared=shared)]

    def running(self, partitions: Collection[str]) -> Set[str]:
        return self._locked(partitions, _MATERIALIZING, shared=False)

    def read(self, partitions: Collection[str]) -> Set[str]:
        return self._locked(partitions, _READING, shared=True)

    def _locked(self, partitions: Collection[str], within: Range, *, shared: bool) -> Set[str]:
        first, _ = within
        if len(partitions) == 1:  # do not look at what may be thousands of others
            within = first + _byte(next(iter(partitions))), 1
        locked = LockedBytes(self._path, within, shared=shared)
        return {one for one in partitions if first + _byte(one) in locked} if locked else set()

    @property
    def _path(self) -> str:
        return f"{self._folder}/{self._identity.file_name}.partitions"


class LocksOnFiles(PartitionLocks):
    def locks(self, partitions: Sequence[str]) -> Sequence[TargetLock]:
        return [
            TargetLock(self._history, Target(self._key, one), self._path(one, "lock"))
            for one in partitions
        ]

    def reading(self, partitions: Collection[str], *, shared: bool) -> Sequence[Lock]:
        paths = [self._path(one, "read") for one in partitions]
        return [Lock(path, shared=shared, may_be_pruned=True) for path in paths]

    def running(self, partitions: Collection[str]) -> Set[str]:
        return {
            one
            for one in partitions
            if is_held(self._path(one, "lock")) and self.locks([one])[0].is_taken()
        }

    def read(self, partitions: Collection[str]) -> Set[str]:
        return {one for one in partitions if is_held(self._path(one, "read"), shared=True)}

    def _path(self, partition: str, suffix: str) -> str:
        return f"{self._folder}/{Target(self._identity, partition).file_name}.{suffix}"


def partition_locks(
    history: AssetHistory, key: AssetKey, folder: str, identity: AssetKey
) -> PartitionLocks:
    """The locks on the partitions of an asset, as this system has them."""
    kind = LocksOnBytes if has_range_locks() else LocksOnFiles
    return kind(history, key, folder, identity)


def _byte(partition: str) -> int:
    digest = _empty.copy()  # in half the time that a new one takes
    digest.update(partition.encode("utf-8", "surrogatepass"))
    return int.from_bytes(digest.digest(), "big") >> 2

"""What of the things that steps read is no longer as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import msgspec

from assetgraph.errors import StoreError, StoreFormatError
from assetgraph.keys import Target, recorded_target
from assetgraph.records import ObservedRead, ReadKind
from assetgraph.storage.present_reads import COMPARABLE, salt_in

if TYPE_CHECKING:
    from assetgraph.storage.store import Store

How = Literal["changed", "gone", "appeared", "unreadable"]


_OF_PATHS = COMPARABLE - {ReadKind.VARIABLE}


class ReadChange(msgspec.Struct, frozen=True):
    """One thing that a step read, and how it differs now. `why` says why it is unreadable."""

    kind: ReadKind
    name: str
    how: How
    why: str = ""


Changes = tuple[ReadChange, ...]


class ReadChanges:
    """Compares the sets of a store with what is there now. Each thing is looked at once, until it
    is forgotten.

    `version_of` gives the data version of a target as it is now, or "" if it has no value.
    """

    def __init__(self, store: Store, version_of: Callable[[Target], str]) -> None:
        self._store = store
        self._version_of = version_of
        self._present = store.present_reads()
        self._looks: dict[tuple[ReadKind, str], ObservedRead] = {}
        self._stamps: dict[str, tuple[int, ...] | None] = {}
        self._changes: dict[str, Changes | None] = {}

    def of(self, observed: str | None) -> Changes | None:
        """What changed of the set with this digest; None if the store lost the set."""
        if observed is None:
            return ()
        if observed not in self._changes:
            reads = self.recorded(observed)
            self._changes[observed] = (
                None if reads is None else tuple(filter(None, map(self._change, reads)))
            )
        return self._changes[observed]

    def recorded(self, observed: str) -> tuple[ObservedRead, ...] | None:
        """The set with this digest; None if the store lost it, or its table cannot be read."""
        try:
            return self._store.reads.of(observed)
        except StoreFormatError:
            raise
        except StoreError:
            return None  # `doctor` says why

    def now(self, read: ObservedRead) -> ObservedRead:
        """What is there now of something that was read; itself where that cannot be compared."""
        if read.kind is ReadKind.ASSET:
            version = self._version_of(recorded_target(read.name))
            return ObservedRead(read.kind, read.name, version)
        if read.kind not in COMPARABLE:
            return read
        if read.kind is ReadKind.VARIABLE:
            salt = salt_in(read.digest) if read.digest else self._store.reads.salt
            return self._present.look(read.kind, read.name, salt)
        key = read.kind, read.name
        if key not in self._looks:
            self._looks[key] = self._present.look(read.kind, read.name)
        return self._looks[key]

    def accepted(self, observed: str | None) -> str | None:
        """The digest of the set with everything in it as it is now, which is recorded. Raises
        `StoreError`."""
        changes = self.of(observed)
        if not changes or observed is None:
            return observed
        reads = self.recorded(observed) or ()
        changed = {(change.kind, change.name) for change in changes}
        return self._store.reads.record(
            [self.now(read) if (read.kind, read.name) in changed else read for read in reads]
        )

    def forget(self, observed: str | None) -> None:
        """Look again at the things of a set when they are next asked for."""
        if observed is None or self._changes.pop(observed, None) is None:
            return
        for read in self.recorded(observed) or ():
            if read.kind in (ReadKind.FOLDER, ReadKind.PATTERN):
                self._present = self._store.present_reads()  # assets may have made other files
            self._looks.pop((read.kind, read.name), None)
            self._stamps.pop(read.name, None)

    def _change(self, read: ObservedRead) -> ReadChange | None:
        if read.kind in _OF_PATHS and read.name in self._store.ignored_reads:
            return None  # by a pattern that was added since
        if read.stamp is not None and read.stamp == self._stamp(read.name):
            return None
        now = self.now(read)
        if now is read or _compared(now) == _compared(read):
            return None
        if not now.digest and now.note:
            return ReadChange(read.kind, read.name, "unreadable", now.note)
        how: How = "changed"
        if not now.digest:
            how = "gone"
        elif not read.digest and not read.note:
            how = "appeared"
        return ReadChange(read.kind, read.name, how)

    def _stamp(self, name: str) -> tuple[int, ...] | None:
        if name not in self._stamps:
            try:
                self._stamps[name] = self._present.stamp(name)
            except (OSError, ValueError):
                self._stamps[name] = None  # the look says why
        return self._stamps[name]


def _compared(read: ObservedRead) -> tuple[str, str]:
    """What is compared of something that was read: where there is no digest, why there is none."""
    return read.digest, "" if read.digest else read.note

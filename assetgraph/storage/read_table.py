"""What steps read without declaring it: sets of `ObservedRead`, each a line of `reads.jsonl`.

A record names its set by the digest. Outputs, partitions and runs that read the same share one set,
whose stamps are those of the first. Assets are called by their identities in it. A set whose line
was lost is not known any more: what it stood for may have changed.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

import msgspec

from assetgraph.keys import AssetKey, Target, recorded_target
from assetgraph.records import ObservedRead, ReadKind
from assetgraph.storage.asset_names import AssetNames
from assetgraph.storage.atomic_files import encoded
from assetgraph.storage.formats.digest import hasher
from assetgraph.storage.keyed_files import LineTable

Reads = tuple[ObservedRead, ...]


class ReadTable:
    """The sets in the file at `path`. `salt` is that of the process that this one works for."""

    def __init__(self, path: str, names: AssetNames, salt: int | None = None) -> None:
        self.table: LineTable[Reads] = LineTable(path, Reads)
        self._names = names
        self._salt = salt

    def record(self, reads: Sequence[ObservedRead]) -> str:
        """Record a set unless it is recorded already, and return its digest. Raises
        `StoreError`."""
        found = sorted({_renamed(read, self._names.identity) for read in reads}, key=_order)
        digest = hasher("reads")
        for read in found:
            text = f"{read.kind}\0{read.name}\0{read.digest}\0{read.note}\0\0"
            digest.update(text.encode("utf-8", "surrogateescape"))
        key = digest.hexdigest()
        self.table.first_line["salt"] = self.salt
        self.table.add({key: tuple(map(_with_marks, found))})
        return key

    def of(self, digest: str) -> Reads | None:
        """The set with this digest; None if its line was lost. Raises `StoreError`."""
        found = self.table.get(digest)
        if found is None:
            return None
        if any("\0" in read.name for read in found):
            found = tuple(map(_without_marks, found))
        if not self._names.renamings:
            return found
        return tuple([_renamed(read, self._names.name) for read in found])

    def size(self, digests: Iterable[str]) -> int:
        """How many bytes the lines of these sets take."""
        recorded = self.table.load()
        return sum(len(encoded((one, recorded[one]))) + 1 for one in digests)

    @cached_property
    def salt(self) -> int:
        """A random number of this store, for the digests of variables."""
        if self._salt is not None:
            return self._salt
        self.table.load()
        return self.table.first_line.setdefault("salt", secrets.randbits(63))


def _renamed(read: ObservedRead, called: Callable[[AssetKey], AssetKey]) -> ObservedRead:
    if read.kind is not ReadKind.ASSET:
        return read
    target = recorded_target(read.name)
    return msgspec.structs.replace(read, name=Target(called(target.key), target.partition).text)


# JSON is UTF-8, and a name of a file may be any bytes: each that is no text stands after a NUL.
def _with_marks(read: ObservedRead) -> ObservedRead:
    if read.name.isascii():
        return read
    name = re.sub("[\udc80-\udcff]", lambda found: f"\0{ord(found[0]) - 0xDC00:x}", read.name)
    return msgspec.structs.replace(read, name=name)


def _without_marks(read: ObservedRead) -> ObservedRead:
    name = re.sub("\0(..)", lambda found: chr(0xDC00 + int(found[1], 16)), read.name)
    return msgspec.structs.replace(read, name=name)


def _order(read: ObservedRead) -> tuple[str, str, str, str]:
    return read.kind, read.name, read.digest, read.note

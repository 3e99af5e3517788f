"""`DynamicPartitions`: the keys that were added to the dynamic partitions of a name.

Each name has a file of lines, `partitions/<name>.jsonl`. Its first line says which name it is, and
each further one which keys were added or deleted at once. Whoever appends holds a lock on the file,
so that the death of a process leaves all keys of a call or none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock as Mutex

import msgspec

from assetgraph.definitions.partitions.keys import checked_partitions, partition_problem
from assetgraph.errors import PartitionsError
from assetgraph.keys import partition_file_name
from assetgraph.records import decoder
from assetgraph.storage.atomic_files import (
    append_to,
    decoded,
    encoded,
    make_folder,
    names_in,
    opened,
    require_known_format,
    store_error,
)
from assetgraph.storage.file_locks import POLL_S, Lock
from assetgraph.storage.growing_file import GrowingFile

_FORMAT = 1
_SUFFIX = ".jsonl"
_AS_LIST = 'Give it as a list: ["2023-01", "2023-02"].'
_SHORT_POLL_S = 0.0002  # a line is appended in less


class _Head(msgspec.Struct, frozen=True):
    """The first line of a file."""

    format: int
    name: str


class _Change(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Every other line."""

    added: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()


class DynamicPartitions:
    """The dynamic partitions of a store, in the folder `folder`. `prepare` creates the store."""

    def __init__(self, folder: str, prepare: Callable[[], None]) -> None:
        self._folder = folder
        self._prepare = prepare
        self._files: dict[str, _KeysFile] = {}

    def names(self) -> list[str]:
        """The names that any key was ever added to. Raises `DamagedStoreError`."""
        return sorted(name for name in map(_name_in, self.paths()) if name is not None)

    def paths(self) -> list[str]:
        """The files, one for each name."""
        names = sorted(names_in(self._folder))
        return [f"{self._folder}/{name}" for name in names if name.endswith(_SUFFIX)]

    def get(self, name: str) -> list[str]:
        """The keys, in the order of their addition. Raises `DamagedStoreError`."""
        return self._file(name).keys()

    def get_dynamic_partitions(self, partitions_def_name: str) -> list[str]:
        """As definitions ask for them."""
        return self.get(partitions_def_name)

    def add(self, name: str, keys: Iterable[str]) -> list[str]:
        """Add keys, all or none, and return those that were not there.

        Raises `PartitionsError` for a key that cannot be one, and `StoreError`; then nothing was
        added.
        """
        file = self._file(name)
        wanted = checked_partitions(_once_each(keys))
        if not wanted:
            return []
        self._prepare()
        make_folder(self._folder)
        return file.change(added=wanted)

    def delete(self, name: str, keys: Iterable[str]) -> list[str]:
        """Delete keys, all or none, and return those that were there. Raises `StoreError`."""
        file, unwanted = self._file(name), _once_each(keys)
        if not file.keys():
            return []
        return file.change(deleted=unwanted)

    def _file(self, name: str) -> _KeysFile:
        known = self._files.get(name)
        if known is None:
            problem = partition_problem(name)
            if problem:
                raise PartitionsError(
                    f"{problem.replace('partition key', 'name of a definition')}."
                )
            path = f"{self._folder}/{partition_file_name(name)}{_SUFFIX}"
            known = self._files.setdefault(name, _KeysFile(path, name))
        return known


class _KeysFile:
    """The file at `path` with the keys of `name`. Threads may share it."""

    def __init__(self, path: str, name: str) -> None:
        self._path = path
        self._name = name
        self._mutex = Mutex()
        self._file = GrowingFile()
        self._forget()

    def keys(self) -> list[str]:
        with self._mutex:
            return list(self._read())

    def change(self, *, added: Iterable[str] = (), deleted: Iterable[str] = ()) -> list[str]:
        """Append those that are not there yet, or those that are; return them."""
        lock, pause_s = Lock(self._path), _SHORT_POLL_S
        while True:
            if lock.acquire():
                try:
                    known = set(self.keys())
                    change = _Change(
                        tuple(key for key in added if key not in known),
                        tuple(key for key in deleted if key in known),
                    )
                    if change == _Change() or self._append(lock.fileno(), change):
                        return [*change.added, *change.deleted]
                    # If not, the file was deleted before it was locked: try again.
                finally:
                    lock.release()
            else:
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, POLL_S)

    def _append(self, fd: int, change: _Change) -> bool:
        line = encoded(change) + b"\n"
        if not self._file.covered:
            line = encoded(_Head(_FORMAT, self._name)) + b"\n" + line
        return append_to(fd, self._path, line)

    def _read(self) -> Mapping[str, None]:
        try:
            with opened(self._path) as file:
                for lines in self._file.appended(file.fileno(), self._forget):
                    self._take(lines)
        except FileNotFoundError:
            self._forget()
        except OSError as error:
            raise store_error(error, "read", self._path) from error
        except BaseException:  # damage, or an interrupt: half of some lines was taken in
            self._forget()
            raise
        return self._keys

    def _take(self, lines: Sequence[bytes]) -> None:
        for number, line in enumerate(lines, self._lines + 1):
            if number == 1:
                _require_head(line, self._path)
                continue
            change: _Change = decoded(decoder(_Change), line, self._path, number)
            self._keys.update(dict.fromkeys(change.added))
            for key in change.deleted:
                self._keys.pop(key, None)
        self._lines += len(lines)

    def _forget(self) -> None:
        self._file.forget()
        self._lines = 0
        self._keys: dict[str, None] = {}  # in the order of their addition


def _require_head(line: bytes, path: str) -> _Head:
    """The first line of a file. Raises `DamagedStoreError` and `StoreFormatError`."""
    head: _Head = decoded(decoder(_Head), line, path, 1)
    require_known_format(path, head.format, _FORMAT)
    return head


def _name_in(path: str) -> str | None:
    """The name whose keys a file has; None if nothing was written to it yet."""
    try:
        with opened(path) as file:
            line = file.readline()
    except FileNotFoundError:
        return None
    return _require_head(line, path).name if line.endswith(b"\n") else None


def _once_each(keys: Iterable[str]) -> tuple[str, ...]:
    if isinstance(keys, str) or not isinstance(keys, Iterable):
        raise PartitionsError(f"{keys!r} is not a list of partition keys.", hint=_AS_LIST)
    found = tuple(keys)
    for key in found:
        problem = partition_problem(key)
        if problem:
            raise PartitionsError(f"{problem}.")
    return tuple(dict.fromkeys(found))

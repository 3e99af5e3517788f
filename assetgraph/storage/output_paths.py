"""`OutputPaths`: which asset made a file that a step reads or finds in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from threading import Lock as Mutex
from typing import TYPE_CHECKING, Literal

import msgspec

from assetgraph.keys import AssetKey, Target
from assetgraph.records import Materialization, StoredValue, decoder
from assetgraph.storage.atomic_files import opened
from assetgraph.storage.formats.format_registry import location_of
from assetgraph.storage.growing_file import GrowingFile

if TYPE_CHECKING:
    from assetgraph.storage.histories import AssetHistory, Attempt

Makers = dict[str, Mapping[str, int]]  # by path, the histories that have it, and how often each


class OutputPaths:
    """The files and folders that assets returned, as of the first question, and the files in the
    value storage `values`. Other paths that are not absolute are in the project's folder.

    `returned` has what was read of the histories before; what was `made` counts as well.
    """

    def __init__(
        self,
        history: AssetHistory,
        values: str,
        returned: ReturnedPaths,
        made: Mapping[Target, Materialization],
    ) -> None:
        self._history = history
        self._returned = returned
        self._made = made
        self._values = f"{returned.full(values)}/"

    def is_output(self, path: str) -> bool:
        return self.maker(path) is not None

    def maker(self, path: str) -> AssetKey | None:
        """The asset that made a file, or the folder that it is in."""
        path = self._returned.full(path)
        if path.startswith(self._values):
            return self._history.key_of(path.removeprefix(self._values).partition("/")[0])
        while self._makers and len(path) > 1:
            if path in self._makers:
                made_by = map(self._history.key_of, map(os.path.basename, self._makers[path]))
                return max(made_by, key=lambda key: key.text)
            path = os.path.dirname(path)
        return None

    def add(self, key: AssetKey, made: Materialization) -> None:
        """Count what was made just now."""
        self._add(self._makers, key, made)

    def _add(self, makers: Makers, key: AssetKey, made: Materialization) -> None:
        path = _returned_path(made.value)
        if path is not None:
            makers[self._returned.full(path)] = {self._history.path(key): 1}

    @cached_property
    def _makers(self) -> Makers:
        makers = self._returned.makers(self._history)
        for target, made in self._made.items():
            self._add(makers, target.key, made)
        return makers


class ReturnedPaths:
    """The paths of the current values of all assets and partitions, in the project's folder `root`.

    Of a history that grew, only what was appended is read.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._mutex = Mutex()
        self._found: dict[str, _OfHistory] = {}
        self._makers: Makers = {}

    def full(self, path: str) -> str:
        return os.path.normpath(os.path.join(self._root, path))

    def makers(self, history: AssetHistory) -> Makers:
        """The histories that each path is in, as of now."""
        with self._mutex:
            there = dict(history.files())
            for path in self._found.keys() - there.keys():
                self._forget(path)
            for path, key in there.items():
                try:
                    info = os.stat(path)
                except OSError:
                    self._forget(path)
                    continue
                known, stamp = self._found.get(path), (info.st_size, info.st_mtime_ns)
                if known is None or known.stamp != stamp:
                    self._refresh(path, stamp, history.readable(key))
            return dict(self._makers)

    def _refresh(self, path: str, stamp: tuple[int, int], attempts: Iterable[Attempt]) -> None:
        of = self._found.setdefault(path, _OfHistory())
        try:
            if of.file is None:
                self._read_newest(path, of, attempts)
            if of.file is not None:
                self._read_appended(path, of, of.file)
        except BaseException:  # an interrupt, say: half of it was taken in
            self._forget(path)
            raise
        of.stamp = stamp

    def _read_newest(self, path: str, of: _OfHistory, attempts: Iterable[Attempt]) -> None:
        """Read the last materialization of an asset, or find that it has partitions."""
        current = None
        for attempt in attempts:
            if attempt.partition is not None:
                of.file = GrowingFile()
                return
            if isinstance(attempt, Materialization):
                current = _returned_path(attempt.value)
                break
        self._put(path, of, None, current)

    def _read_appended(self, path: str, of: _OfHistory, file: GrowingFile) -> None:
        """Read what was appended to the history of an asset with partitions."""
        with suppress(FileNotFoundError), opened(path) as found:
            for lines in file.appended(found.fileno(), lambda: self._clear(path, of)):
                for text in lines:
                    try:
                        line = decoder(_Line).decode(text)
                    except (msgspec.DecodeError, UnicodeDecodeError):
                        self._clear(path, of)  # what is before it is not known
                        continue
                    for partition in line.partitions:
                        self._put(path, of, partition, None)
                    if line.type == "materialization":
                        self._put(path, of, line.partition, _returned_path(line.value))

    def _put(self, path: str, of: _OfHistory, partition: str | None, returned: str | None) -> None:
        """Have a history say that the value of a partition is at the path `returned`."""
        old, new = of.paths.pop(partition, None), returned and self.full(returned)
        if new is None and old is None:
            return
        if old != new:
            self._count(old, path, -1)
            self._count(new, path, 1)
        if new is not None:
            of.paths[partition] = new

    def _count(self, returned: str | None, path: str, more: int) -> None:
        if returned is None:
            return
        if more > 0 and returned not in self._makers:
            self._makers[returned] = {path: 1}
        else:
            counts = dict(self._makers.pop(returned, {}))
            counts[path] = counts.get(path, 0) + more
            if not counts[path]:
                del counts[path]
            if counts:
                self._makers[returned] = counts

    def _clear(self, path: str, of: _OfHistory) -> None:
        for partition in tuple(of.paths):
            self._put(path, of, partition, None)

    def _forget(self, path: str) -> None:
        if path in self._found:
            self._clear(path, self._found.pop(path))


class _OfHistory:
    """What was read of one history: the stamp that it had then, and the path by partition. The
    `file` is None for an asset without partitions, whose history is read from its end."""

    def __init__(self) -> None:
        self.stamp: tuple[int, int] | None = None
        self.paths: dict[str | None, str] = {}
        self.file: GrowingFile | None = None


class _Line(msgspec.Struct):
    """As much of a line of a history as says where a value is."""

    type: Literal["materialization", "failure", "wiped"]
    partition: str | None = None
    value: StoredValue = StoredValue("none")
    partitions: tuple[str, ...] = ()


def _returned_path(value: StoredValue) -> str | None:
    return value.path if value.path is not None and location_of(value) == "project" else None

"""`OutputPaths`: which asset made a file that a step reads or finds in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from assetgraph.keys import AssetKey
from assetgraph.records import Materialization
from assetgraph.storage.formats.format_registry import location_of

if TYPE_CHECKING:
    from assetgraph.storage.histories import AssetHistory

Known = dict[str, tuple[tuple[int, int], tuple[str, ...]]]  # stamp and paths, by history


class OutputPaths:
    """The files and folders that assets returned, as of the first question, and the files in the
    value storage `values`. Other paths that are not absolute are in the project's folder, `root`.

    `known` has what was read of the histories before: only those that grew since are read again.
    """

    def __init__(self, history: AssetHistory, root: str, values: str, known: Known) -> None:
        self._history = history
        self._root = root
        self._values = f"{os.path.join(root, values)}/"
        self._known = known

    def is_output(self, path: str) -> bool:
        return self.maker(path) is not None

    def maker(self, path: str) -> AssetKey | None:
        """The asset that made a file, or the folder that it is in."""
        path = self._full(path)
        if path.startswith(self._values):
            return self._history.key_of(path.removeprefix(self._values).partition("/")[0])
        while self._makers and len(path) > 1:
            if path in self._makers:
                return self._makers[path]
            path = os.path.dirname(path)
        return None

    def add(self, key: AssetKey, made: Materialization) -> None:
        """Count what was made just now."""
        path = _returned_path(made)
        if path is not None:
            self._makers[self._full(path)] = key

    @cached_property
    def _makers(self) -> dict[str, AssetKey]:
        makers = {}
        for text in sorted(self._history.touched()):
            key = AssetKey.unchecked(text)
            for path in self._returned(key):
                makers[self._full(path)] = key
        return makers

    def _returned(self, key: AssetKey) -> tuple[str, ...]:
        path = self._history.path(key)
        try:
            info = os.stat(path)
        except OSError:
            return ()
        stamp = info.st_size, info.st_mtime_ns
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            known = self._known[path] = (stamp, tuple(self._read(key)))
        return known[1]

    def _read(self, key: AssetKey) -> Iterator[str]:
        """The path of the current value, or of each partition's."""
        seen = set()
        for attempt in self._history.readable(key):
            if isinstance(attempt, Materialization) and attempt.partition not in seen:
                seen.add(attempt.partition)
                path = _returned_path(attempt)
                if path is not None:
                    yield path
                if attempt.partition is None:
                    return

    def _full(self, path: str) -> str:
        return os.path.normpath(os.path.join(self._root, path))


def _returned_path(made: Materialization) -> str | None:
    value = made.value
    return value.path if value.path is not None and location_of(value) == "project" else None

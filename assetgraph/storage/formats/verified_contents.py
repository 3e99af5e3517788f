"""Files whose content was read: those of a store that was copied or restored from a backup, which
were found to be as they were written, and those that something else writes.

They are remembered in the folder `verified` of the store's cache, one small file for each, so that
the content is read once and not at every `status`. A cache that cannot be written, as in a
read-only store, only means that each process reads the content once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

from assetgraph.errors import StoreError
from assetgraph.storage.atomic_files import write_whole
from assetgraph.storage.formats.digest import DIGEST_BYTES, digest_of, digest_of_file
from assetgraph.storage.value_places import Look

READ_UP_TO = 1 << 30  # bytes
_SETTLED_NS = 2_000_000_000


class VerifiedContents:
    """What was found in files, by their names and stamps. `cache` is the store's folder for caches;
    None remembers for this process only."""

    def __init__(self, cache: str | None) -> None:
        self._cache = cache
        self._found: dict[tuple[str, Look], str] = {}

    def matches(self, name: str, seen: Look, recorded: str, digest: Callable[[], str]) -> bool:
        """Whether the file `name`, which now looks as `seen`, has the content with the digest
        `recorded`. Calls `digest` for that of its present content if it is not known.

        The look came before the content was read: if a writer came between them, the stamp differs
        the next time.
        """
        known = self._found.get((name, seen))
        if known is None and self._remembered(name) == _line(seen, recorded):
            known = self._found[name, seen] = recorded
        if known is None:
            known = self._found[name, seen] = digest()
            if known == recorded:
                self._remember(name, _line(seen, recorded))
        return known == recorded

    def digest(self, name: str, seen: Look, digest: Callable[[], str]) -> str:
        """The digest of the content of a file, read once for each look."""
        if (name, seen) not in self._found:
            self._found[name, seen] = digest()
        return self._found[name, seen]

    def content(self, name: str, seen: Look, digest: Callable[[], str]) -> str:
        """The digest of the content of a file, read once for each look, by whichever process comes
        first. For files whose stamp is to be trusted."""
        known = self._found.get((name, seen))
        if known is None:
            before, _, recorded = self._remembered(name).rstrip("\n").rpartition(" ")
            if before == f"{seen.size} {seen.stamp}" and len(recorded) == 2 * DIGEST_BYTES:
                known = recorded
            else:
                known = digest()
                self._remember(name, _line(seen, known))
            self._found[name, seen] = known
        return known

    def of_file(self, path: str, info: os.stat_result) -> str:
        """The digest of the content of a file, which something else may write, with this status.
        Raises `OSError`.

        A file that changed within the last seconds is read each time, since its stamp may stay the
        same over another change. Of one of more than a gigabyte only size and time count.
        """
        if info.st_size > READ_UP_TO:
            return digest_of("stamp", f"{info.st_size} {info.st_mtime_ns}".encode())
        if time.time_ns() - max(info.st_mtime_ns, info.st_ctime_ns) < _SETTLED_NS:
            return digest_of_file(path)
        seen = Look(info.st_size, info.st_mtime_ns + info.st_ctime_ns)
        return self.content(path, seen, lambda: digest_of_file(path))

    def forget(self, name: str) -> None:
        """Remove what is remembered of a file that was deleted."""
        if self._cache is not None:
            with suppress(OSError):
                os.unlink(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._cache}/verified/{digest_of('name', name.encode('utf-8', 'replace'))}"

    def _remembered(self, name: str) -> str:
        if self._cache is None:
            return ""
        try:
            with open(self._path(name), encoding="ascii", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def _remember(self, name: str, line: str) -> None:
        if self._cache is None:
            return
        # Only below a store that is there: a worker on another machine must not create one.
        for folder in (self._cache, f"{self._cache}/verified"):
            with suppress(OSError):
                os.mkdir(folder)
        with suppress(StoreError):
            write_whole(self._path(name), line.encode())


def _line(seen: Look, digest: str) -> str:
    return f"{seen.size} {seen.stamp} {digest}\n"

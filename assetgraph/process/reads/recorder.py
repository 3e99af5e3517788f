"""`Recorder`: what one step has read, looked for and written so far.

It keeps little more than paths and stamps: files are read again, for their digests, when the step
has ended.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from glob import glob
from types import FrameType
from typing import Any, NamedTuple

from assetgraph.process.reads.callers import Caller, caller, names
from assetgraph.process.reads.rules import INSIDE, NEVER, TEMPORARY, Keeper, Place, Rules

MOST_FILES = 10_000  # from here on, only their folders are kept
_UNSETTLED_NS = 2_000_000_000  # another change may leave the stamp of such a file as it is
_READ_AT_ONCE = 1 << 24  # bytes
_status = os.stat  # which is another function while steps run

Stamp = tuple[int, int, int, int]

# What functions that keep what they read have read in this process: see `run/kept_reads.py`.
kept_so_far: dict[Keeper, dict[tuple[Any, str], Any]] = {}
# The recorders, by their ids, of steps that have called such functions and are not recorded yet.
keeping: dict[int, Recorder] = {}


@dataclass(slots=True)
class FileRead:
    """A file when the step first opened it. `digest` is that of its content if it had just changed,
    so that its stamp says little. `by_program` says that only another program was told to read it,
    or a database."""

    stamp: Stamp
    digest: str | None = None
    by_program: bool = False


class Looked(NamedTuple):
    """What the project found out about a path without opening it. `size` and `mtime` in
    nanoseconds are those that it asked for, or None if only whether it is there."""

    present: bool
    status: tuple[int, int] | None = None


_ABSENT = Looked(False)


class Recorder:
    """What one step does, as the hooks of its process tell it. Its methods never raise."""

    def __init__(self, rules: Rules, started_ns: int) -> None:
        self.rules = rules
        self.started_ns = started_ns
        self.files: dict[str, FileRead] = {}
        self.folders_of_many: dict[str, int] = {}
        self.listings: dict[str, frozenset[str]] = {}
        self.patterns: dict[str, frozenset[str]] = {}
        self.looked: dict[str, Looked] = {}
        self.written: set[str] = set()
        self.read_before: set[str] = set()  # of those written
        self.removed: set[str] = set()
        self.variables: dict[str, str | None] = {}
        self.own_variables: set[str] = set()  # that the step has set
        self.copying: tuple[int, int] | None = None  # the frame that copies all, and where
        self.assets: dict[str, str] = {}  # data versions, by the texts of targets
        self.used: dict[tuple[str, str], str] = {}  # notes, by what and its name
        # What functions that keep what they read have read: parts of this and keys in them.
        self.kept: dict[Keeper, set[tuple[str, str]]] = {}
        self.children_fd = -1  # a file that forked children write to

    def has_any(self) -> bool:
        """Whether the step did anything that is recorded."""
        return bool(
            self.files or self.variables or self.looked or self.listings or self.patterns
            or self.used or self.assets or self.read_before or self.children_fd >= 0
        )  # fmt: skip

    def opened(self, path: object, *, by_program: bool = False) -> None:
        """A file is opened for reading."""
        full = full_path(path)
        if full is None or (place := self.rules.place(full)) is NEVER:
            return
        if full in self.files or full in self.written:
            return
        who = caller(self.rules)
        if who is not None:
            self._read(full, place, who, by_program)

    def writes(self, path: object, *, reads: bool = False) -> None:
        """A file is opened for writing; with `reads`, for both."""
        full = full_path(path)
        if full is None or self.rules.place(full) is NEVER:
            return
        if full in self.files or (reads and full not in self.written and is_there(full)):
            self.read_before.add(full)
        self.written.add(full)

    def removes(self, path: object) -> None:
        full = full_path(path)
        if full is not None and self.rules.place(full) is not NEVER:
            self.removed.add(full)
            self.written.add(full)

    def _read(self, path: str, place: Place, who: Caller, by_program: bool) -> None:
        if place is not INSIDE and not names(who, path):
            return
        try:
            info = _status(path)
        except (FileNotFoundError, NotADirectoryError):
            if by_program:
                self.written.add(path)  # a database, which connecting to it makes
            elif place is not TEMPORARY and who.project is not None and names(who, path):
                self.looked[path] = _ABSENT
            return
        except (OSError, ValueError):
            return
        if stat.S_ISDIR(info.st_mode):
            return
        changed_ns = max(info.st_mtime_ns, info.st_ctime_ns)
        if place is TEMPORARY and changed_ns >= self.started_ns:
            return
        if len(self.files) >= MOST_FILES:
            folder = os.path.dirname(path)
            self.folders_of_many[folder] = self.folders_of_many.get(folder, 0) + 1
            return
        found = FileRead(stamp_of(info), by_program=by_program)
        self.files[path] = found
        self._keep("files", path, who.project)
        if (
            time.time_ns() - changed_ns < _UNSETTLED_NS
            and stat.S_ISREG(info.st_mode)
            and info.st_size <= _READ_AT_ONCE
        ):
            with quiet(), suppress(OSError):
                found.digest = self.rules.digest_of_file(path)

    def lists(self, path: object) -> None:
        """The names in a folder are read."""
        full = full_path("." if path is None else path)
        if full is None or full in self.listings:
            return
        place = self.rules.place_of_folder(full)
        if place in (NEVER, TEMPORARY):
            return
        who = caller(self.rules)
        if who is None or (place is not INSIDE and not names(who, full)):
            return
        try:
            with quiet():
                self.listings[full] = frozenset(os.listdir(full))
            self._keep("listings", full, who.project)
        except (FileNotFoundError, NotADirectoryError):
            if who.project is not None and names(who, full):
                self.looked[full] = _ABSENT
        except OSError:
            pass

    def matches(self, pattern: str) -> None:
        """The names that a pattern has are read."""
        full = full_path(pattern)
        if full is None or full in self.patterns:
            return
        start = full.split("*", 1)[0].split("?", 1)[0].split("[", 1)[0]
        place = self.rules.place(start + "x")
        if place in (NEVER, TEMPORARY):
            return
        who = caller(self.rules)
        if who is None or (place is not INSIDE and who.project is None):
            return
        with quiet(), suppress(OSError):
            self.patterns[full] = frozenset(glob(full, recursive=True))
            self._keep("patterns", full, who.project)

    def looks(self, path: object, status: os.stat_result | None, *, closely: bool) -> None:
        """The project asks whether a path is there, or, with `closely`, for its size or times."""
        full = full_path(path)
        if full is None or full in self.written:
            return
        place = self.rules.place(full)
        if place in (NEVER, TEMPORARY) or full in self.rules.roots:
            return
        # The last answer counts: a step may wait for a file.
        if status is None:
            self.looked[full] = _ABSENT
        elif closely and stat.S_ISREG(status.st_mode):
            self.looked[full] = Looked(True, (status.st_size, status.st_mtime_ns))
        elif not self.looked.get(full, _ABSENT).present:
            self.looked[full] = Looked(True)

    def variable(self, name: str, value: str | None, project: FrameType | None) -> None:
        """The project reads an environment variable by its name."""
        self.variables[name] = value
        self._keep("variables", name, project)

    def _keep(self, part: str, key: str, project: FrameType | None) -> None:
        """Note which functions, from a frame of the project upward, keep what was read."""
        if project is None:
            return
        from assetgraph.process.reads.keepers import keepers

        for keeper in keepers(self.rules, project):
            self.kept.setdefault(keeper, set()).add((part, key))
            keeping[id(self)] = self

    def uses(self, what: str, name: str, note: str = "") -> None:
        """The step uses something that cannot be compared, such as a host."""
        if len(self.used) < MOST_FILES:
            self.used.setdefault((what, name), note)


silent: set[int] = set()  # the threads that read for a recorder now


@contextmanager
def quiet() -> Iterator[None]:
    """Record nothing of what this thread reads until the block ends."""
    thread = threading.get_ident()
    before = thread in silent
    silent.add(thread)
    try:
        yield
    finally:
        if not before:
            silent.discard(thread)


def is_there(path: str) -> bool:
    try:
        _status(path)
    except (OSError, ValueError):
        return False
    return True


def is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(_status(path).st_mode)
    except (OSError, ValueError):
        return False


def full_path(path: object) -> str | None:
    """A path as absolute text without `..`; None for a descriptor."""
    if type(path) is str and path[:1] == "/" and not ("/." in path or "//" in path):
        return path.rstrip("/") or path  # as most are
    try:
        text = os.fsdecode(path)  # type: ignore[arg-type]
        return os.path.abspath(text) if text and "\0" not in text else None
    except (TypeError, ValueError, OSError):
        return None


def stamp_of(info: os.stat_result) -> Stamp:
    """What changes when a file may have changed: its size, times and inode."""
    return info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino

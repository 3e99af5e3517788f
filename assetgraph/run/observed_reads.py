"""What a step read without declaring it, as records: made when the step has ended, from what its
recorder noted."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from glob import glob
from typing import TYPE_CHECKING

import msgspec

from assetgraph.definitions.external import is_pattern
from assetgraph.process.reads.forks import take_from_children
from assetgraph.process.reads.recorder import FileRead, Looked, Recorder, keeping, kept_so_far
from assetgraph.records import ObservedRead, ReadKind
from assetgraph.run.kept_reads import keep, kept_for, take_from_steps_under_way
from assetgraph.storage.formats.digest import digest_of
from assetgraph.storage.formats.format_registry import location_of
from assetgraph.storage.present_reads import PRESENT, status_digest, variable_digest

if TYPE_CHECKING:
    from assetgraph.keys import Target
    from assetgraph.records import Materialization
    from assetgraph.run.step_task import StepTask
    from assetgraph.storage.present_reads import PresentReads
    from assetgraph.storage.store import Store

CHANGED = "it changed while the step ran"
GONE = "it was gone when the step ended"
WRITTEN = "the step writes it too, so it is not compared"
PERHAPS_WRITTEN = "a program or database of the step may have written it, so it is not compared"
MANY = "the step read many of its files: their names, sizes and times are compared"
_MOST_FILES = 1_000  # that are recorded one by one, if a folder has many of them
_MANY = 100
_WRITTEN = ReadKind.WRITTEN
_SETTLED_NS = 2_000_000_000
_FINE_NS = 100_000_000  # enough where a file system keeps parts of milliseconds
_MOST_KNOWN = 100_000

_Stamp = tuple[int, ...]
_known: dict[tuple[str, _Stamp], ObservedRead] = {}  # so that a file is hashed once a run


def observed_reads(
    recorder: Recorder, task: StepTask, store: Store, made: Mapping[Target, Materialization]
) -> tuple[ObservedRead, ...]:
    """What the step of `task`, which has `made` these values, read."""
    take_from_children(recorder)
    take_from_steps_under_way(recorder, task, store)
    try:
        found = list(_Ended(recorder, task, store, made).all())
        keep(recorder, found)
    finally:
        keeping.pop(id(recorder), None)
    if kept_so_far:
        found += kept_for(task, store, found)
    return tuple(found)


class _Ended:
    """The reads of a step that has ended."""

    def __init__(
        self,
        recorder: Recorder,
        task: StepTask,
        store: Store,
        made: Mapping[Target, Materialization],
    ) -> None:
        self._recorder = recorder
        self._rules = recorder.rules
        self._store = store
        self._task = task
        self._present = store.present_reads(made)
        self._declared = _declared(task, store)

    def all(self) -> Iterator[ObservedRead]:
        recorder = self._recorder
        many = self._folders_of_many()
        found = [self._all_files(folder) for folder in sorted(many)]
        found += [
            self._file(path, read)
            for path, read in recorder.files.items()
            if os.path.dirname(path) not in many and self._counts(path)
        ]
        found += [self._written(path) for path in sorted(recorder.read_before)]
        for kind, listings in (
            (ReadKind.FOLDER, recorder.listings),
            (ReadKind.PATTERN, recorder.patterns),
        ):
            found += [
                self._listed(kind, *item) for item in listings.items() if self._counts(item[0])
            ]
        for path, looked in recorder.looked.items():
            if self._counts(path) and path not in recorder.files and path not in recorder.listings:
                found.append(self._looked(path, looked))
        yield from (one for one in found if one is not None)
        for name, value in recorder.variables.items():
            digest = variable_digest(name, value, self._store.reads.salt)
            yield ObservedRead(ReadKind.VARIABLE, name, digest)
        declared = {source.target.text for source in self._task.inputs}
        for text, version in recorder.assets.items():
            if text not in declared:
                yield ObservedRead(ReadKind.ASSET, text, version)
        for (what, name), note in recorder.used.items():
            yield ObservedRead(ReadKind(what), name, note=note)

    def _folders_of_many(self) -> set[str]:
        """The folders of which the step read so many files that they count together."""
        files = self._recorder.files
        if len(files) <= _MOST_FILES:
            return set()
        counts = Counter(map(os.path.dirname, files))
        together = {folder for folder, count in counts.items() if count >= _MANY}
        return together.union(self._recorder.folders_of_many)  # these have files that are not known

    def _all_files(self, folder: str) -> ObservedRead | None:
        if not self._counts(folder):
            return None
        found = self._present.look(ReadKind.FILES, self._rules.name(folder))
        own, began = self._recorder.written, self._recorder.started_ns
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.path not in own and entry.stat().st_ctime_ns >= began:
                    digest = digest_of("before", f"{folder} {began}".encode())
                    return msgspec.structs.replace(found, digest=digest, note=CHANGED)
        return msgspec.structs.replace(found, note=found.note or MANY)

    def _counts(self, path: str) -> bool:
        name = self._rules.name(path)
        ignored = name in self._store.ignored_reads
        return not ignored and not any(declares(path) for declares in self._declared)

    def _file(self, path: str, read: FileRead) -> ObservedRead | None:
        """What a file was, for the step: None for one that the step has written."""
        if path in self._recorder.written:
            return None
        name = self._rules.name(path)
        now = _content(self._present, path, name, read.stamp)
        if read.by_program and now.stamp != read.stamp:
            return ObservedRead(_WRITTEN, name, note=PERHAPS_WRITTEN)
        if now.stamp is None:  # it cannot be compared, or is gone
            return now if now.note else _unlike(name, read, GONE)
        if now.stamp != read.stamp or (read.digest is not None and now.digest != read.digest):
            return _unlike(name, read, CHANGED)
        if not _is_settled(read.stamp):
            return msgspec.structs.replace(now, stamp=None)
        return now

    def _written(self, path: str) -> ObservedRead | None:
        if not self._counts(path):
            return None
        return ObservedRead(_WRITTEN, self._rules.name(path), note=WRITTEN)

    def _listed(self, kind: ReadKind, path: str, names: frozenset[str]) -> ObservedRead:
        """What a folder held, or a pattern had. What the step itself made there since counts."""
        now = self._present.look(kind, self._rules.name(path))
        present = _names_now(kind, path)
        own = self._recorder.written
        prefix = f"{path}/" if kind is ReadKind.FOLDER else ""
        others = {
            full
            for full in (prefix + name for name in present ^ names)
            if full not in own and not self._present.passes_over(full)
        }
        if not others:
            return msgspec.structs.replace(now, stamp=None) if _is_recent(now.stamp) else now
        digest = digest_of("before", "\0".join(sorted(names)).encode("utf-8", "surrogateescape"))
        return ObservedRead(kind, now.name, digest, note=CHANGED)

    def _looked(self, path: str, looked: Looked) -> ObservedRead | None:
        if path in self._recorder.written:
            return None
        name = self._rules.name(path)
        if looked.status is not None:
            return ObservedRead(ReadKind.STATUS, name, status_digest(*looked.status))
        return ObservedRead(ReadKind.EXISTENCE, name, PRESENT if looked.present else "")


def _unlike(name: str, read: FileRead, note: str) -> ObservedRead:
    """The record of a file that is not known to have been, when it was read, what it is now. Its
    digest is that of no content, unless the content was hashed at once."""
    digest = read.digest or digest_of("stamp before", repr(read.stamp).encode())
    return ObservedRead(ReadKind.FILE, name, digest, note=note)


def _content(present: PresentReads, path: str, name: str, stamp: _Stamp) -> ObservedRead:
    """The file as it is now, hashed once for each stamp that can be trusted."""
    known = _known.get((path, stamp))
    if known is not None and present.stamp(name) == stamp:
        return known
    before_ns = time.time_ns()
    found = present.look(ReadKind.FILE, name)
    if found.stamp is not None and _is_settled(found.stamp, before_ns):
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[path, found.stamp] = found
    return found


def _is_settled(stamp: _Stamp, now_ns: int | None = None) -> bool:
    """Whether another change would change the stamp too. Some file systems keep whole seconds."""
    changed_ns = max(stamp[1], stamp[2])
    age_ns = (now_ns or time.time_ns()) - changed_ns
    return age_ns > (_FINE_NS if changed_ns % 1_000_000 else _SETTLED_NS)


def _is_recent(stamp: _Stamp | None) -> bool:
    return stamp is not None and not _is_settled(stamp)


def _names_now(kind: ReadKind, path: str) -> frozenset[str]:
    try:
        found = os.listdir(path) if kind is ReadKind.FOLDER else glob(path, recursive=True)
        return frozenset(found)
    except OSError:
        return frozenset()


def _declared(task: StepTask, store: Store) -> list[Callable[[str], bool]]:
    """Whether a path belongs to a declared input of the step, as one function for each of them."""
    return [
        _belongs(os.path.join(store.project_root, source.stored.path))
        for source in task.inputs
        if source.stored.path is not None and location_of(source.stored) == "project"
    ]


def _belongs(source: str) -> Callable[[str], bool]:
    source = os.path.normpath(source)
    if is_pattern(source):
        matches = frozenset(glob(source, recursive=True))
        return lambda path: path in matches or path == source
    return lambda path: path == source or path.startswith(source + "/")

"""The record of runs: a folder a run, in a folder a day, newest found without reading the rest."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from assetgraph.errors import StoreError, UnknownRunError
from assetgraph.hints import command
from assetgraph.keys import key_text
from assetgraph.records import STATE_AFTER, Event, EventType, RunRecord, RunStatus, StepState
from assetgraph.storage.atomic_files import (
    AppendFile,
    append_line,
    encoded,
    encoded_lines,
    make_folder,
    names_in,
    read_last,
    read_lines,
    read_record,
    store_error,
    write_whole,
)
from assetgraph.storage.locks import Lock, is_held
from assetgraph.storage.progress_file import ProgressFile, read_progress

if TYPE_CHECKING:
    from assetgraph.keys import AssetKey

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_RECENT = 1000  # how many runs are looked at for one that is under way
_SAME_TIME_S = 60
_RUN_ID = re.compile(r"\d{8}-\d{6}-\d{3}-[0-9a-f]{4}")


def new_run_id(started_at: datetime) -> str:
    """An id that sorts by time to the millisecond: `20261122-160837-482-4f2a`, in UTC."""
    return f"{started_at:%Y%m%d-%H%M%S}-{started_at.microsecond // 1000:03d}-{os.urandom(2).hex()}"


class RunLog:
    """The folder of one living run, which only its runner writes.

    The folder appears whole, with its lock held and its summary written, so that no reader ever
    sees a run without them. Safe to append to from several threads.
    """

    def __init__(self, folder: str, record: RunRecord) -> None:
        self.folder = folder
        day, name = os.path.split(folder)
        make_folder(day)
        hidden = f"{day}/.{name}"
        self._lock = Lock(f"{hidden}/lock")
        self._turn = threading.Lock()
        self._closed = False
        self._progress = ProgressFile(folder)
        try:
            make_folder(f"{hidden}/logs")
            if not self._lock.acquire():  # pragma: no cover - the id is random
                raise StoreError(f"another process is making the run {name}")
            write_whole(f"{hidden}/run.json", encoded(record))
            self._events = AppendFile(f"{hidden}/events.jsonl")
            try:
                os.rename(hidden, folder)
            except OSError as error:
                self._events.close()
                raise store_error(error, "make", folder) from error
            self._events.path = f"{folder}/events.jsonl"
        except BaseException:  # a full disk, say: what nobody has seen yet is no run
            from shutil import rmtree

            self._lock.release()
            if not is_held(self._lock.path):
                rmtree(hidden, ignore_errors=True)
            raise

    def append(self, events: Sequence[Event]) -> None:
        """Raises `StoreError` when the disk takes no more."""
        lines = encoded_lines(events)
        with self._turn:
            if not self._closed:  # a thread that was given up may outlive the run
                self._events.append(lines)

    def progress(self, step: str, done: float, total: float | None, unit: str) -> None:
        """Show how far a step is to whoever watches the run from another process."""
        self._progress.report(step, done, total, unit)

    def end_progress(self) -> None:
        """Delete `progress.json` and keep it deleted, whatever a thread that was given up still
        reports."""
        self._progress.close()

    def finish(self, record: RunRecord) -> None:
        """Replace the run's summary."""
        write_whole(f"{self.folder}/run.json", encoded(record))

    def log_path(self, key: AssetKey, attempt: int) -> str:
        """Where a step's output goes, but for the ending: `.out` or `.err`."""
        return f"{self.folder}/logs/{key.file_name}.{attempt}"

    def close(self) -> None:
        self._progress.close()
        with self._turn:
            self._closed = True  # the file's number will be another's
            self._events.close()
        self._lock.release()


class RunStorage:
    """The runs of a store, in the folder `folder`."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def beginning(self, *, shared: bool = False) -> Lock:
        """Held (shared) while a run's folder is made: it has no lock of its own in its first
        moment, when it looks as if its maker had died."""
        return Lock(f"{os.path.dirname(self._folder)}/locks/begin", shared=shared)

    def start(self, record: RunRecord) -> RunLog:
        beginning = self.beginning(shared=True)
        beginning.wait(lambda: True)
        try:
            log = RunLog(self.path(record.run_id), record)
        finally:
            beginning.release()
        for repeated in {record.parent_run_id, record.root_run_id}:
            if repeated is not None and self._exists(repeated):
                self._note_rerun(repeated, record.run_id)
        return log

    def _note_rerun(self, repeated: str, run_id: str) -> None:
        """Under a lock on the file: a run may be repeated by several at once."""
        turn = Lock(f"{self.path(repeated)}/reruns")
        turn.wait(lambda: True)
        try:
            append_line(turn.path, run_id.encode() + b"\n")
        finally:
            turn.release()

    def path(self, run_id: str) -> str:
        return f"{self._folder}/{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}/{run_id}"

    def ids(self, *, before: str | None = None) -> Iterator[str]:
        """The ids of all runs, newest first; of those before the run `before`, where given. A
        day's folder is read when it is reached."""
        days = [name for name in names_in(self._folder) if _DAY.fullmatch(name)]
        for day in sorted(days, reverse=True):
            if before and day.replace("-", "") > before[:8]:
                continue
            names = sorted(names_in(f"{self._folder}/{day}"), reverse=True)
            yield from (n for n in names if _RUN_ID.fullmatch(n) and (not before or n < before))

    def read(self, run_id: str) -> RunRecord:
        """The run's summary, its status INTERRUPTED where its process died.

        Raises `UnknownRunError` and `DamagedStoreError`.
        """
        folder = self.path(run_id)
        try:
            record = read_record(f"{folder}/run.json", RunRecord)
            if record.status is RunStatus.STARTED and not is_held(f"{folder}/lock"):
                # It may have ended between the two looks.
                record = read_record(f"{folder}/run.json", RunRecord)
                if record.status is RunStatus.STARTED:
                    return msgspec.structs.replace(record, status=RunStatus.INTERRUPTED)
        except FileNotFoundError as error:
            if os.path.isdir(folder):
                raise StoreError(
                    f"the run {run_id} has no run.json.",
                    hint=f"Remove it with: {command('runs', 'delete', run_id)}",
                ) from error
            raise UnknownRunError(f"there is no run {run_id!r}") from error
        return record

    def find(self, text: str) -> str:
        """The id that `text` names: an id, a unique part of one, or `latest`.

        Raises `UnknownRunError`.
        """
        if _RUN_ID.fullmatch(text) and self._exists(text):
            return text
        if text == "latest":
            newest = next(self.ids(), None)
            if newest is None:
                raise UnknownRunError(
                    "there are no runs yet.",
                    hint=f"Make one with: {command('materialize', '--all')}",
                )
            return newest
        matching = [run_id for run_id in self.ids() if text and text in run_id]
        if not matching:
            raise UnknownRunError(
                f"no run's id contains {text!r}.",
                hint=f"See them with: {command('runs', 'list')}",
            )
        if len(matching) > 1:
            some = ", ".join(matching[:3]) + (", …" if len(matching) > 3 else "")
            raise UnknownRunError(
                f"{text!r} is part of {len(matching)} run ids: {some}.", hint="Give more of it."
            )
        return matching[0]

    def events(self, run_id: str) -> Iterator[Event]:
        """The run's events in the order they were recorded."""
        path = f"{self.path(run_id)}/events.jsonl"
        try:
            yield from read_lines(path, Event)
        except FileNotFoundError:
            return

    def makers(self, steps: Collection[str], *, but: str = "") -> dict[str, str]:
        """The run under way, other than `but`, that holds the asset of each of `steps`, as far as
        events tell: of several that have begun a step, and do not say that they wait, the first."""
        begun: dict[str, list[tuple[bool, datetime, str]]] = {}
        for run_id in islice(self.ids(), _RECENT) if steps else ():
            folder = self.path(run_id)
            if run_id != but and is_held(f"{folder}/lock"):
                events = read_last(f"{folder}/events.jsonl", Event)
                for step, last in _last_of(events, steps).items():
                    if _works(last):
                        may_wait = last.type in (EventType.STEP_START, EventType.STEP_RESTARTED)
                        begun.setdefault(step, []).append((may_wait, last.timestamp, run_id))
        return {step: min(runs)[2] for step, runs in begun.items()}

    def outputs(self, run_id: str) -> Iterator[tuple[str, int, str, str]]:
        """Each file of what the steps printed: key, attempt, stream ("out" or "err"), path."""
        folder = f"{self.path(run_id)}/logs"
        for name in sorted(names_in(folder)):
            key, _, rest = name.rpartition(".")[0].rpartition(".")
            if key and rest.isdigit():
                stream = name.rpartition(".")[2]
                yield key_text(key), int(rest), stream, f"{folder}/{name}"

    def last_heard(self, record: RunRecord, recorded: datetime) -> datetime:
        """The last sign of life of a run whose last event is of `recorded`: what its steps printed,
        or how far they said they were, may be later. The times of a copy's files say nothing."""
        folder = self.path(record.run_id)
        times = [recorded.timestamp(), *(step["at"] for step in read_progress(folder).values())]
        try:
            begun = os.stat(f"{folder}/run.json").st_mtime
            if abs(begun - record.started_at.timestamp()) < _SAME_TIME_S:
                times += [os.stat(path).st_mtime for *_, path in self.outputs(record.run_id)]
        except OSError:
            pass  # it is being deleted
        return datetime.fromtimestamp(max(times), UTC)

    def reruns(self, run_id: str) -> list[str]:
        """The ids of the runs that re-executed this one and are still there, oldest first."""
        try:
            with open(f"{self.path(run_id)}/reruns", encoding="ascii", errors="replace") as file:
                ids = [line.rstrip() for line in file if line.endswith("\n")]
        except FileNotFoundError:
            return []
        return [rerun for rerun in ids if _RUN_ID.fullmatch(rerun) and self._exists(rerun)]

    def _exists(self, run_id: str) -> bool:
        return os.path.isdir(self.path(run_id))

    def delete(self, run_id: str) -> None:
        """Remove the run's record, if it is still there. Raises `StoreError` for a run that is
        under way."""
        folder = self.path(run_id)
        if is_held(f"{folder}/lock"):
            raise StoreError(f"the run {run_id} is under way.", hint="Cancel it first.")
        from shutil import rmtree  # a list of runs does without it

        hidden = f"{os.path.dirname(folder)}/.{run_id}"
        try:
            os.rename(folder, hidden)
            rmtree(hidden)
        except FileNotFoundError:
            pass  # another process deletes it too
        except OSError as error:
            raise store_error(error, "delete", folder) from error
        _remove_if_empty(os.path.dirname(folder))


def _last_of(newest_first: Iterator[Event], steps: Collection[str]) -> dict[str, Event]:
    """The last event of each of `steps` that has one."""
    found: dict[str, Event] = {}
    for event in newest_first:
        if event.step is not None and event.step in steps:
            found.setdefault(event.step, event)
            if len(found) == len(steps):
                break
    return found


def _works(last: Event) -> bool:
    """Whether a step whose last event this is works on: it has not ended, and does not wait."""
    state = STATE_AFTER.get(last.type, StepState.RUNNING)
    return state is StepState.RUNNING and "waits_for" not in last.data


def _remove_if_empty(folder: str) -> None:
    try:
        os.rmdir(folder)
    except OSError:
        pass

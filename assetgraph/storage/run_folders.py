"""The records of runs: one folder for each run, in one folder for each day.

The newest runs are found without reading the others.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from assetgraph.errors import StoreError, UnknownRunError
from assetgraph.hints import command
from assetgraph.keys import is_cut_name, step_file_name, step_of_file_name
from assetgraph.records import STATE_AFTER, Event, EventType, RunRecord, RunStatus, StepState, now
from assetgraph.storage.asset_names import AssetNames
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
from assetgraph.storage.file_locks import POLL_S, Lock, is_held

if TYPE_CHECKING:
    from assetgraph.storage.progress_file import ProgressFile

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_RECENT = 1000  # a run in progress is looked for among this many of the newest runs
_SAME_TIME_S = 60
_TIME_CHARS = 19
_ENDING_S = 1.0  # for the process of an ended run to give up its lock
_RUN_ID = re.compile(r"\d{8}-\d{6}-\d{3}-[0-9a-f]{4}")


def new_run_id(started_at: datetime | None = None) -> str:
    """A run id such as `20261122-160837-482-4f2a`: ids sort by start time in UTC, to the
    millisecond."""
    started_at = started_at or now()
    return f"{started_at:%Y%m%d-%H%M%S}-{started_at.microsecond // 1000:03d}-{os.urandom(2).hex()}"


def _time_of(run_id: str) -> datetime:
    return datetime.strptime(f"{run_id[:_TIME_CHARS]}+0000", "%Y%m%d-%H%M%S-%f%z")


class RunLog:
    """The folder of a run in progress, which only its runner writes.

    The folder appears with its lock held and its summary written, so no reader ever sees a run
    without them. Several threads may append to it.
    """

    def __init__(self, folder: str, record: RunRecord) -> None:
        self.folder = folder
        day, name = os.path.split(folder)
        make_folder(day)
        hidden = f"{day}/.{name}"
        self._lock = Lock(f"{hidden}/lock")
        self._mutex = threading.Lock()
        self._closed = False
        self._progress: ProgressFile | None = None
        self._progress_ended = False
        try:
            make_folder(f"{hidden}/logs")
            if not self._lock.acquire():  # pragma: no cover - the id is random
                raise StoreError(f"another process is creating the run {name}")
            write_whole(f"{hidden}/run.json", encoded(record))
            self._events = AppendFile(f"{hidden}/events.jsonl")
            try:
                os.rename(hidden, folder)
            except OSError as error:
                self._events.close()
                raise store_error(error, "create", folder) from error
            self._events.path = f"{folder}/events.jsonl"
        except BaseException:  # such as a full disk: no reader has seen the run yet, so remove it
            from shutil import rmtree

            self._lock.release()
            if not is_held(self._lock.path):
                rmtree(hidden, ignore_errors=True)
            raise

    def append(self, events: Sequence[Event]) -> None:
        """Append events. Raises `StoreError`, for example when the disk is full."""
        lines = encoded_lines(events)
        with self._mutex:
            if not self._closed:  # an abandoned thread may outlive the run
                self._events.append(lines)

    def progress(self, step: str, done: float, total: float | None, unit: str) -> None:
        """Show the progress of a step to other processes that watch the run."""
        with self._mutex:
            if self._progress is None and not self._progress_ended:
                from assetgraph.storage.progress_file import ProgressFile  # few steps report it

                self._progress = ProgressFile(self.folder)
        if self._progress is not None:
            self._progress.report(step, done, total, unit)

    def end_progress(self) -> None:
        """Delete `progress.json`, and ignore what an abandoned thread still reports."""
        with self._mutex:
            self._progress_ended = True
        if self._progress is not None:
            self._progress.close()

    def finish(self, record: RunRecord) -> None:
        """Replace the run's summary."""
        write_whole(f"{self.folder}/run.json", encoded(record))

    def log_path(self, step_id: str, attempt: int) -> str:
        """Where a step's output goes, without the suffix `.out` or `.err`."""
        return f"{self.folder}/logs/{step_file_name(step_id)}.{attempt}"

    def close(self) -> None:
        self.end_progress()
        with self._mutex:
            self._closed = True  # another file may get the same descriptor
            self._events.close()
        self._lock.release()


class RunStorage:
    """The runs of a store, in the folder `folder`."""

    def __init__(self, folder: str, names: AssetNames | None = None) -> None:
        self._folder = folder
        self._names = names

    def beginning(self, *, shared: bool = False) -> Lock:
        """The lock that is held (shared) while a run's folder is created.

        A new folder has no lock of its own yet, so it looks like the leftover of a dead process.
        """
        return Lock(f"{os.path.dirname(self._folder)}/locks/begin", shared=shared)

    def start(self, record: RunRecord) -> RunLog:
        """Create the folder of a run, and note it in the runs that it re-executes.

        Raises `StoreError` if there are other names by now than the run was planned with: its steps
        would write to the wrong histories.
        """
        beginning = self.beginning(shared=True)
        beginning.wait(lambda: True)
        try:
            if self._names is not None and not self._names.is_current:
                raise StoreError(
                    "an asset was renamed while the run was planned.", hint="Type it again."
                )
            log = RunLog(self.path(record.run_id), record)
        finally:
            beginning.release()
        for repeated in {record.parent_run_id, record.root_run_id}:
            if repeated is not None and self.exists(repeated):
                self._note_rerun(repeated, record.run_id)
        return log

    def _note_rerun(self, repeated: str, run_id: str) -> None:
        """Append an id under a lock on the file: several runs may re-execute one at once."""
        lock = Lock(f"{self.path(repeated)}/reruns")
        lock.wait(lambda: True)
        try:
            append_line(lock.path, run_id.encode() + b"\n")
        finally:
            lock.release()

    def new_id(self, started_at: datetime) -> str:
        """A run id that sorts after all that the store has, whatever the clock says.

        After a clock was set back, the id is a millisecond after the newest one. So the newest run
        is always the one that was made last.
        """
        if not any(day >= f"{started_at:%Y-%m-%d}" for day in self._days()):
            return new_run_id(started_at)
        newest, run_id = next(self.ids(), ""), new_run_id(started_at)
        if newest[:_TIME_CHARS] < run_id[:_TIME_CHARS]:
            return run_id
        try:
            return new_run_id(_time_of(newest) + timedelta(milliseconds=1))
        except (ValueError, OverflowError):  # the name of a folder, but no time
            return run_id

    def _days(self) -> list[str]:
        return [name for name in names_in(self._folder) if _DAY.fullmatch(name)]

    def path(self, run_id: str) -> str:
        return f"{self._folder}/{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}/{run_id}"

    def ids(self, *, before: str | None = None) -> Iterator[str]:
        """The ids of all runs, or of those before the run `before`, newest first. The folder of a
        day is read only when it is reached."""
        for day in sorted(self._days(), reverse=True):
            if before and day.replace("-", "") > before[:8]:
                continue
            names = sorted(names_in(f"{self._folder}/{day}"), reverse=True)
            yield from (n for n in names if _RUN_ID.fullmatch(n) and (not before or n < before))

    def read(self, run_id: str) -> RunRecord:
        """The run's summary, with the status INTERRUPTED if its process died.

        Raises `UnknownRunError` and `DamagedStoreError`.
        """
        folder = self.path(run_id)
        try:
            record = read_record(f"{folder}/run.json", RunRecord)
            if record.status is RunStatus.STARTED and not is_held(f"{folder}/lock"):
                # It may have ended since it was read.
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
        """The run id that `text` stands for: an id, a unique part of one, or `latest`.

        Raises `UnknownRunError`.
        """
        if _RUN_ID.fullmatch(text) and self.exists(text):
            return text
        if text == "latest":
            newest = next(self.ids(), None)
            if newest is None:
                raise UnknownRunError(
                    "there are no runs yet.",
                    hint=f"Start one with: {command('materialize', '--all')}",
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
                f"{text!r} is part of {len(matching)} run ids: {some}.", hint="Type more of the id."
            )
        return matching[0]

    def under_way(self) -> Iterator[RunRecord]:
        """The runs that living processes execute, newest first."""
        for run_id in islice(self.ids(), _RECENT):
            if is_held(f"{self.path(run_id)}/lock"):
                with suppress(UnknownRunError):  # it was deleted just now
                    yield self.read(run_id)

    def events(self, run_id: str) -> Iterator[Event]:
        """The run's events in the order they were recorded."""
        path = f"{self.path(run_id)}/events.jsonl"
        try:
            yield from read_lines(path, Event)
        except FileNotFoundError:
            return

    def makers(self, targets: Collection[str], *, but: str = "") -> dict[str, str]:
        """For each of `targets`, the run in progress (other than `but`) that holds its lock, as far
        as the events show: the first run that began its step and does not wait for another."""
        begun: dict[str, list[tuple[bool, datetime, str]]] = {}
        for run_id in islice(self.ids(), _RECENT) if targets else ():
            folder = self.path(run_id)
            try:
                if run_id == but or not is_held(f"{folder}/lock"):
                    continue
                steps = read_record(f"{folder}/run.json", RunRecord).steps_of(targets)
                lasts = _last_of(read_last(f"{folder}/events.jsonl", Event), steps)
            except (FileNotFoundError, StoreError):
                continue  # it was deleted since it was listed, or cannot be read
            for step, last in lasts.items():
                may_wait = last.type in (EventType.STEP_START, EventType.STEP_RESTARTED)
                for target in _held(last, steps[step]):
                    begun.setdefault(target, []).append((may_wait, last.timestamp, run_id))
        return {target: min(runs)[2] for target, runs in begun.items()}

    def outputs(self, run_id: str) -> Iterator[tuple[str, int, str, str]]:
        """Each file of steps' output: step id, attempt, stream ("out" or "err"), path."""
        folder = f"{self.path(run_id)}/logs"
        names = sorted(names_in(folder))
        ids: dict[str, str] = {}
        if any(map(is_cut_name, names)):
            ids = {step_file_name(step_id): step_id for step_id in self.read(run_id).step_ids}
        for name in names:
            step, _, rest = name.rpartition(".")[0].rpartition(".")
            if step and rest.isdigit():
                stream = name.rpartition(".")[2]
                step_id = ids.get(step) or step_of_file_name(step)
                yield step_id, int(rest), stream, f"{folder}/{name}"

    def last_heard(self, record: RunRecord, recorded: datetime) -> datetime:
        """When a run whose last event came at `recorded` last recorded something: its steps may
        have printed something or reported progress later. The file times of a copied store are
        ignored."""
        from assetgraph.storage.progress_file import read_progress

        folder = self.path(record.run_id)
        times = [recorded.timestamp(), *(step["at"] for step in read_progress(folder).values())]
        try:
            begun = os.stat(f"{folder}/run.json").st_mtime
            if abs(begun - record.started_at.timestamp()) < _SAME_TIME_S:
                times += [os.stat(path).st_mtime for *_, path in self.outputs(record.run_id)]
        except OSError:
            pass  # the run is being deleted
        return datetime.fromtimestamp(max(times), UTC)

    def reruns(self, run_id: str) -> list[str]:
        """The ids of the runs that re-executed this one and still exist, oldest first."""
        try:
            with open(f"{self.path(run_id)}/reruns", encoding="ascii", errors="replace") as file:
                ids = [line.rstrip() for line in file if line.endswith("\n")]
        except FileNotFoundError:
            return []
        return [rerun for rerun in ids if _RUN_ID.fullmatch(rerun) and self.exists(rerun)]

    def exists(self, run_id: str) -> bool:
        return os.path.isdir(self.path(run_id))

    def delete(self, run_id: str) -> None:
        """Delete a run's folder if it still exists. Raises `StoreError` for a run in progress."""
        folder = self.path(run_id)
        until = time.monotonic() + _ENDING_S
        while is_held(f"{folder}/lock"):
            if time.monotonic() > until or not self._has_ended(run_id):
                raise StoreError(f"the run {run_id} is in progress.", hint="Cancel it first.")
            time.sleep(POLL_S)
        from shutil import rmtree  # a slow import that listing runs does not need

        hidden = f"{os.path.dirname(folder)}/.{run_id}"
        try:
            os.rename(folder, hidden)
            rmtree(hidden)
        except FileNotFoundError:
            pass  # another process is deleting it too
        except OSError as error:
            raise store_error(error, "delete", folder) from error
        _remove_if_empty(os.path.dirname(folder))

    def _has_ended(self, run_id: str) -> bool:
        """Whether the run is recorded as ended: its process then gives up the lock in a moment."""
        try:
            return self.read(run_id).status is not RunStatus.STARTED
        except (StoreError, UnknownRunError):
            return False


def _last_of(newest_first: Iterator[Event], steps: Collection[str]) -> dict[str, Event]:
    """The last event of each of `steps` that has one."""
    found: dict[str, Event] = {}
    for event in newest_first:
        if event.step is not None and event.step in steps:
            found.setdefault(event.step, event)
            if len(found) == len(steps):
                break
    return found


def _held(last: Event, targets: Iterable[str]) -> Iterable[str]:
    """Those of `targets` that their step holds after its event `last`: all while it works. While it
    waits for one, it holds those before that one by name, since it takes the locks in that order.
    """
    if STATE_AFTER.get(last.type, StepState.RUNNING) is not StepState.RUNNING:
        return ()
    if "waits_for" in last.data:
        return [target for target in targets if last.target is not None and target < last.target]
    return targets


def _remove_if_empty(folder: str) -> None:
    try:
        os.rmdir(folder)
    except OSError:
        pass

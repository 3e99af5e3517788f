"""`StoreWatcher`: notices what any process writes to the store.

No process announces its runs, so the watcher polls. It looks for new folders of runs, for new
events of the runs that are in progress, and every two seconds for histories that changed without a
run. A look at a quiet store costs a few `stat` calls.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.errors import StoreError, UnknownRunError
from assetgraph.keys import AssetKey, recorded_target
from assetgraph.queries.run_tail import RunTail
from assetgraph.records import Event, RunRecord, RunStatus, StepRecord, StepState, decoder
from assetgraph.storage.progress_file import progress_stamp, read_progress
from assetgraph.storage.step_states import step_after, waiting_steps

if TYPE_CHECKING:
    from assetgraph.storage.store import Store

HISTORY_INTERVAL_S = 2.0
_SEARCHED_FOR_LIVING = 500
_WATCHED_DAYS = 2  # a run may go on past midnight (UTC)
_RECENT_NS = 100_000_000
_decode = decoder(Event).decode


@dataclass(slots=True)
class LiveRun:
    """A run that is in progress, as of the last look. `running` are those of its `steps` that run
    now, and `counted` says how many are in each state."""

    tail: RunTail
    steps: dict[str, StepRecord]
    running: dict[str, StepRecord] = field(default_factory=dict)
    events: int = 0
    progress: dict[str, Any] = field(default_factory=dict)
    progress_stamp: int = 0
    counted: Counter[StepState] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.counted.update(step.state for step in self.steps.values())

    @property
    def record(self) -> RunRecord:
        return self.tail.record

    def move(self, step: StepRecord) -> None:
        """Take a step as it is now."""
        self.counted[self.steps[step.step_id].state] -= 1
        self.counted[step.state] += 1
        self.steps[step.step_id] = step
        if step.state is StepState.RUNNING:
            self.running[step.step_id] = step
        else:
            self.running.pop(step.step_id, None)

    @property
    def step_counts(self) -> dict[str, int]:
        return {state.value: count for state, count in self.counted.items() if count}


@dataclass(slots=True)
class Changes:
    """What changed between two looks.

    `runs` started, moved on or ended; `gone` were deleted. `steps` has the steps that changed, by
    run, and `progress` the progress of a run's steps. `assets` are those whose history or step
    changed.
    """

    runs: dict[str, RunRecord] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    steps: dict[str, dict[str, StepRecord]] = field(default_factory=dict)
    assets: set[AssetKey] = field(default_factory=set)
    progress: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.runs or self.gone or self.steps or self.assets or self.progress)


class StoreWatcher:
    """Finds changes on each call of `look`. Not safe for use by several threads at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._runs_folder = f"{store.folder}/runs"
        self._assets_folder = f"{store.folder}/assets"
        self._stamps: dict[str, int] = {}
        self._days: list[str] = []
        self._known: dict[str, set[str]] = {}
        self._histories: dict[str, tuple[int, int]] = {}
        self._histories_read_at = 0.0
        self.live: dict[str, LiveRun] = {}

    def start(self) -> None:
        """Take the store as it is as the starting point, and find the runs that are in progress."""
        self._store.names.refresh()
        self._histories = dict(self._scan_histories())
        self._find_runs(Changes(), known=True)
        for run_id in islice(self._store.runs.ids(), _SEARCHED_FOR_LIVING):
            self._begin(run_id, Changes())
        self.look()

    def look(self) -> Changes:
        """What changed since the last look."""
        changes = Changes()
        self._find_runs(changes)
        for run_id in tuple(self.live):
            self._read_on(self.live[run_id], changes)
        if time.monotonic() - self._histories_read_at > HISTORY_INTERVAL_S:
            self._find_histories(changes)
        return changes

    def running(self) -> Mapping[AssetKey, str]:
        """The assets that a run is materializing, with the run's id."""
        return {
            recorded_target(text).key: run_id
            for run_id, run in self.live.items()
            for step in run.running.values()
            for text in step.targets
        }

    def _find_runs(self, changes: Changes, *, known: bool = False) -> None:
        if self._changed(self._runs_folder):
            days = sorted(_names(self._runs_folder))
            self._days = days[-_WATCHED_DAYS:]
            for day in self._known.keys() - set(days):
                self._compare(day, set(), changes, known)
        for day in self._days:
            folder = f"{self._runs_folder}/{day}"
            if self._changed(folder):
                present = {name for name in _names(folder) if not name.startswith(".")}
                self._compare(day, present, changes, known)

    def _compare(self, day: str, present: set[str], changes: Changes, known: bool) -> None:
        before = self._known.get(day, set())
        self._known[day] = present
        for run_id in () if known else sorted(present - before):
            self._begin(run_id, changes)
        for run_id in sorted(before - present):
            self._end(run_id, changes)

    def _begin(self, run_id: str, changes: Changes) -> None:
        try:
            record = self._store.runs.read(run_id)
        except (UnknownRunError, StoreError):
            return
        changes.runs[run_id] = record
        if record.status is RunStatus.STARTED:
            self.live[run_id] = LiveRun(RunTail(self._store, record), waiting_steps(record))
        else:
            changes.assets |= _assets_of(record)

    def _end(self, run_id: str, changes: Changes) -> None:
        """The run was deleted."""
        changes.gone.append(run_id)
        run = self.live.pop(run_id, None)
        changes.assets |= _assets_of(run.record) if run else set()

    def _read_on(self, run: LiveRun, changes: Changes) -> None:
        run_id = run.record.run_id
        try:
            lines = run.tail.look()
        except (UnknownRunError, StoreError):
            self._end(run_id, changes)
            return
        if lines:
            self._take(run, lines, changes)
        self._read_progress(run, changes)
        if run.record.status is not RunStatus.STARTED:
            changes.runs[run_id] = run.record
            changes.assets |= _assets_of(run.record)
            del self.live[run_id]

    def _take(self, run: LiveRun, lines: list[bytes], changes: Changes) -> None:
        run_id = run.record.run_id
        moved = changes.steps.setdefault(run_id, {})
        for line in lines:
            run.events += 1
            step = _moved(run, line)
            if step is not None:
                moved[step.step_id] = step
                run.move(step)
                changes.assets |= {recorded_target(text).key for text in step.targets}
        if moved:
            changes.runs[run_id] = run.record

    def _read_progress(self, run: LiveRun, changes: Changes) -> None:
        folder = self._store.runs.path(run.record.run_id)
        stamp = progress_stamp(folder)
        if stamp != run.progress_stamp:
            run.progress_stamp = stamp
            run.progress = changes.progress[run.record.run_id] = read_progress(folder)

    def _find_histories(self, changes: Changes) -> None:
        found = dict(self._scan_histories())
        for name in found.keys() | self._histories.keys():
            if found.get(name) != self._histories.get(name):
                changes.assets.add(self._store.history.key_of(name))
        self._histories = found
        if self._store.names.refresh():
            for one in self._store.names.renamings:
                changes.assets |= {AssetKey.unchecked(one.old), AssetKey.unchecked(one.new)}

    def _scan_histories(self) -> Iterator[tuple[str, tuple[int, int]]]:
        self._histories_read_at = time.monotonic()
        try:
            with os.scandir(self._assets_folder) as entries:
                for entry in entries:
                    if entry.name.endswith(".jsonl"):
                        stat = entry.stat()
                        yield entry.name, (stat.st_size, stat.st_mtime_ns)
        except OSError:
            return

    def _changed(self, folder: str) -> bool:
        try:
            stamp = os.stat(folder).st_mtime_ns
        except OSError:
            stamp = 0
        changed = stamp != self._stamps.get(folder)
        # Stamps are some milliseconds coarse: a folder may change twice with the same stamp, so a
        # recent stamp is not trusted.
        recent = time.time_ns() - stamp < _RECENT_NS
        self._stamps[folder] = -1 if recent else stamp
        return changed


def _assets_of(record: RunRecord) -> set[AssetKey]:
    return {AssetKey.unchecked(asset) for asset in record.assets}


def _moved(run: LiveRun, line: bytes) -> StepRecord | None:
    """The step after the event in `line`, or None if the event does not change a step."""
    try:
        event = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None  # the page of the run reports the damage
    step = run.steps.get(event.step or "")
    after = step and step_after(step, event)
    return after if after is not step else None


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []

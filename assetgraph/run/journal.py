"""`Journal`: writes the record of one run, its events and its summary."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.errors import StoreError
from assetgraph.records import Event, EventType, RunRecord, RunStatus, StepState, now
from assetgraph.run.channel import Observer, RunChannel
from assetgraph.storage.atomic_files import sync_file_system
from assetgraph.text import failure_line

if TYPE_CHECKING:
    from datetime import datetime

    from assetgraph.records import ErrorInfo
    from assetgraph.storage.store import Store

SYNC_INTERVAL_S = 5.0
_LAST_EVENT = {
    RunStatus.SUCCESS: EventType.RUN_SUCCESS,
    RunStatus.FAILURE: EventType.RUN_FAILURE,
    RunStatus.CANCELED: EventType.RUN_CANCELED,
}


class Journal:
    """Writes the record of a live run. Only the runner of that run uses it.

    `states` and `errors` belong to the runner; the summary is made from them at the end. Methods
    raise `StoreError` when the store cannot be written.
    """

    def __init__(
        self,
        store: Store,
        record: RunRecord,
        observer: Observer | None,
        *,
        echo: bool,
        states: dict[str, StepState],
        errors: Mapping[str, ErrorInfo],
    ) -> None:
        self.record = record
        self._store = store
        self._states = states
        self._errors = errors
        self._log = store.runs.start(record)
        self.channel = RunChannel(self._log, observer, echo=echo)
        self._held: list[Event] = []
        self._synced = time.monotonic()
        self._unsynced = False

    def begin(self) -> None:
        self.emit(EventType.RUN_START, run_id=self.record.run_id)
        for warning in self.record.warnings:
            self.emit(EventType.LOG, level="WARNING", message=warning)

    def emit(
        self,
        kind: EventType,
        step_id: str | None = None,
        *,
        level: str = "INFO",
        message: str | None = None,
        **data: Any,
    ) -> Event:
        """Record an event, after the held ones."""
        event = Event(kind, now(), step_id, level, message, data)
        self._held.append(event)
        self.write()
        return event

    def hold(self, events: Iterable[Event]) -> None:
        """Hold the last events of a step until the next event, or until the runner waits. So the
        end of a step and the start of the next one take a single write."""
        self._held += events
        self._unsynced = True

    def write(self) -> None:
        """Record the held events."""
        if self._held:
            self.channel.events(self._held)
            self._held = []

    @property
    def sync_at(self) -> float | None:
        """When the next sync to disk is due, on the monotonic clock, or None."""
        return self._synced + SYNC_INTERVAL_S if self._unsynced else None

    def sync_if_due(self) -> None:
        if self._unsynced and time.monotonic() > self._synced + SYNC_INTERVAL_S:
            self._sync()

    def end(self, status: RunStatus, message: str | None = None) -> None:
        """Record how the run ended. Its progress file is deleted first, so nobody who sees the end
        still finds the file."""
        self._log.end_progress()
        level = "ERROR" if status is RunStatus.FAILURE else "INFO"
        last = self.emit(_LAST_EVENT[status], level=level, message=message)
        self._finish(status, last.timestamp, message)
        self._sync()

    def end_anyhow(self, message: str) -> None:
        """Try to record that the run failed, and why, in a store that could not be written. A step
        whose end is not on record counts as canceled."""
        unwritten = {event.step for event in self._held}
        states = self._states.items()
        unfinished = [s for s, state in states if state is StepState.RUNNING or s in unwritten]
        self._states.update(dict.fromkeys(unfinished, StepState.CANCELED))
        self._held.clear()
        self._log.end_progress()
        try:
            for step_id in unfinished:
                self.emit(EventType.STEP_CANCELED, step_id)
            self.end(RunStatus.FAILURE, message)
        except StoreError:
            with suppress(StoreError):  # the summary may still fit where the events do not
                self._finish(RunStatus.FAILURE, now(), message)

    def close(self) -> None:
        self._log.close()

    def _finish(self, status: RunStatus, ended_at: datetime, message: str | None) -> None:
        for step_id, error in self._errors.items():
            message = failure_line(step_id, error.type, error.message)
            break
        self.record = msgspec.structs.replace(
            self.record,
            status=status,
            ended_at=ended_at,
            step_counts={state.value: n for state, n in Counter(self._states.values()).items()},
            failed_steps=tuple(sorted(self._errors)),
            failure=message or "",
        )
        self._log.finish(self.record)

    def _sync(self) -> None:
        if not self._store.ephemeral:
            sync_file_system(self._store.folder)
        self._synced = time.monotonic()
        self._unsynced = False

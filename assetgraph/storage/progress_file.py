"""The progress of a run's steps, for other processes that watch the run.

Progress is shown, not recorded: the file is deleted just before the run ends, and no record depends
on it. It holds `{step: {"done", "total", "unit", "at"}}`, with `at` in seconds since 1970.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import msgspec

from assetgraph.errors import StoreError
from assetgraph.storage.atomic_files import encoded, write_whole

NAME = "progress.json"
INTERVAL_S = 0.25


class ProgressFile:
    """The file `progress.json` of a run, which any thread may update.

    It is replaced at most every `INTERVAL_S`. A report that cannot be written is dropped: no step
    fails because of it.
    """

    def __init__(self, folder: str) -> None:
        self._path = f"{folder}/{NAME}"
        self._steps: dict[str, dict[str, Any]] = {}
        self._due = 0.0
        self._timer: threading.Timer | None = None
        self._closed = False
        self._lock = threading.Lock()

    def report(self, step: str, done: float, total: float | None, unit: str) -> None:
        """Show that a step has `done` of `total` units, now or within `INTERVAL_S`."""
        try:
            amounts = float(done), None if total is None else float(total)
        except (TypeError, ValueError):
            return
        entry = {"done": amounts[0], "total": amounts[1], "unit": str(unit), "at": time.time()}
        with self._lock:
            self._steps[step] = entry
            if self._closed or self._timer is not None:
                return
            wait = self._due - time.monotonic()
            if wait <= 0:
                self._write()
            else:
                self._timer = threading.Timer(wait, self._write_later)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """Delete the file; later reports are ignored."""
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
            if self._steps:
                _remove(self._path)

    def _write_later(self) -> None:
        with self._lock:
            self._timer = None
            if not self._closed:
                self._write()

    def _write(self) -> None:
        self._due = time.monotonic() + INTERVAL_S
        try:
            write_whole(self._path, encoded(self._steps))
        except StoreError:
            return  # if the disk fails, the run cannot be recorded either, and says why


def read_progress(folder: str) -> dict[str, Any]:
    """What the steps of the run in `folder` last reported; empty if there is nothing."""
    try:
        with open(f"{folder}/{NAME}", "rb") as file:
            return msgspec.json.decode(file.read(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError):
        return {}


def progress_stamp(folder: str) -> int:
    """A number that changes whenever the file does; 0 if there is none."""
    try:
        return os.stat(f"{folder}/{NAME}").st_mtime_ns
    except OSError:
        return 0


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return

"""How far the running steps of a run are, for whoever watches it from another process.

It is shown and forgotten: the file goes when the run ends, and nothing that is recorded depends on
it. It holds `{step: {"done", "total", "unit", "at"}}`, `at` in seconds since 1970.
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
    """Replaced at most every `INTERVAL_S`, from any thread. What cannot be written is left out:
    no step fails for it."""

    def __init__(self, folder: str) -> None:
        self._path = f"{folder}/{NAME}"
        self._steps: dict[str, dict[str, Any]] = {}
        self._due = 0.0
        self._timer: threading.Timer | None = None
        self._closed = False
        self._turn = threading.Lock()

    def report(self, step: str, done: float, total: float | None, unit: str) -> None:
        try:
            amounts = float(done), None if total is None else float(total)
        except (TypeError, ValueError):
            return
        entry = {"done": amounts[0], "total": amounts[1], "unit": str(unit), "at": time.time()}
        with self._turn:
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
        with self._turn:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
            if self._steps:
                _remove(self._path)

    def _write_later(self) -> None:
        with self._turn:
            self._timer = None
            if not self._closed:
                self._write()

    def _write(self) -> None:
        self._due = time.monotonic() + INTERVAL_S
        try:
            write_whole(self._path, encoded(self._steps))
        except StoreError:
            return  # the run's record will say so


def read_progress(folder: str) -> dict[str, Any]:
    """What the run in `folder` last said of its steps."""
    try:
        with open(f"{folder}/{NAME}", "rb") as file:
            return msgspec.json.decode(file.read(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError):
        return {}


def progress_stamp(folder: str) -> int:
    """Changes whenever the file does; 0 where there is none."""
    try:
        return os.stat(f"{folder}/{NAME}").st_mtime_ns
    except OSError:
        return 0


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return

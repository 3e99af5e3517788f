"""Reads that an asset's body does, and what then is recorded of them."""

from __future__ import annotations

import os
from glob import glob
from pathlib import Path
from typing import Any

import pytest

from assetgraph.records import ObservedRead, ReadKind
from assetgraph.run import step
from assetgraph.run.step_task import Channel, StepResult, StepTask
from assetgraph.storage.store import Store

_used: list[ObservedRead] = []
_seen: list[tuple[ReadKind, str]] = []


def read_file(name: str) -> str:
    _seen.append((ReadKind.FILE, name))
    return Path(name).read_text() if Path(name).exists() else ""


def read_variable(name: str) -> str:
    _seen.append((ReadKind.VARIABLE, name))
    return os.environ.get(name, "")


def list_folder(name: str) -> str:
    _seen.append((ReadKind.FOLDER, name))
    return " ".join(sorted(os.listdir(name))) if os.path.isdir(name) else ""


def list_pattern(pattern: str) -> str:
    _seen.append((ReadKind.PATTERN, pattern))
    return " ".join(sorted(glob(pattern)))


def used(kind: ReadKind, name: str) -> None:
    """Have every step use something that cannot be compared."""
    _used.append(ObservedRead(kind, name))


def observe(patch: pytest.MonkeyPatch) -> None:
    """Record what the functions above read."""
    compute = step.compute_step
    _used.clear()

    def compute_and_observe(
        task: StepTask, store: Store, channel: Channel, *more: Any
    ) -> StepResult:
        _seen.clear()
        result = compute(task, store, channel, *more)
        present, salt = store.present_reads(), store.reads.salt
        result.reads = tuple([present.look(kind, name, salt) for kind, name in _seen] + _used)
        return result

    patch.setattr(step, "compute_step", compute_and_observe)

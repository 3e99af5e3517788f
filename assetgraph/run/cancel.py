"""Canceling a run: how long its steps may take to end, and how another process asks for it."""

from __future__ import annotations

import os
import signal
from concurrent.futures import wait
from typing import TYPE_CHECKING

from assetgraph.errors import StoreError
from assetgraph.hints import command
from assetgraph.records import RunStatus, StepState
from assetgraph.run.step import committed, committed_step, made_so_far
from assetgraph.run.step_outcome import report_part
from assetgraph.run.step_task import StepResult

if TYPE_CHECKING:
    from assetgraph.run.channel import Attempt
    from assetgraph.storage.store import Store


GRACE_S = 5.0  # for running steps to end by themselves
COMMIT_S = 1.0  # for a step that is committing


def cancel_run(store: Store, run_id: str) -> None:
    """Ask the process of a run to end it, as Ctrl-C does. The run may take a moment to end.

    Raises `StoreError` for a run that has ended, or runs on another machine.
    """
    record = store.runs.read(run_id)
    if record.status is not RunStatus.STARTED or record.pid is None:
        raise StoreError(f"the run {run_id} is not in progress: it is {record.status.value}.")
    if record.host != os.uname().nodename:
        raise StoreError(
            f"the run {run_id} is on {record.host}, not on this machine.",
            hint=f"Run the same command there: {command('runs', 'cancel', run_id)}",
        )
    try:
        os.kill(record.pid, signal.SIGTERM if _ignores_interrupts(record.pid) else signal.SIGINT)
    except ProcessLookupError:
        pass  # it has just ended
    except PermissionError as error:
        raise StoreError(
            f"the run {run_id} belongs to another user, and so does its process {record.pid}."
        ) from error


def _ignores_interrupts(pid: int) -> bool:
    """Whether a process ignores SIGINT, as a shell's background jobs do. Known only on Linux."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            ignored = next(line for line in file if line.startswith("SigIgn:")).split()[1]
    except (OSError, StopIteration):
        return False
    return bool(int(ignored, 16) & 1 << (signal.SIGINT - 1))


def canceled_step(attempt: Attempt, store: Store) -> StepResult:
    """The result of an interrupted step: a success if it has committed all of its outputs. It says
    which of several it has committed."""
    if not attempt.channel.give_up() and attempt.future and not attempt.future.done():
        wait([attempt.future], timeout=COMMIT_S)
    made = committed(attempt.task, store)
    if made:
        return committed_step(attempt.task, made)
    canceled = StepResult(StepState.CANCELED, [], made_so_far(attempt.task, store))
    if canceled.outputs:
        report_part(attempt.task, canceled, "was canceled")
    return canceled

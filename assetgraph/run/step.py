"""One step, wherever it runs: lock the asset, have its value computed, commit. Picklable in, small
result out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from assetgraph.errors import AssetGraphError, StoreError
from assetgraph.keys import AssetKey, Target
from assetgraph.process.signals import let_through
from assetgraph.records import (
    Event,
    EventType,
    FailedAttempt,
    Materialization,
    StepState,
    now,
)
from assetgraph.run.compute import compute_step, failed_step, report_success
from assetgraph.run.task import Channel, StepResult, StepTask
from assetgraph.storage.retention import drop_old_values, has_folder

if TYPE_CHECKING:
    from assetgraph.storage.histories import TargetLock
    from assetgraph.storage.locks import Lock
    from assetgraph.storage.store import Store

Compute = Callable[[StepTask, "Store", Channel], StepResult]
Elsewhere = Callable[[Compute, StepTask, "Store", Channel], StepResult]


def run_step(
    task: StepTask, store: Store, channel: Channel, elsewhere: Elsewhere | None = None
) -> StepResult:
    """Run a step under its asset's lock, and commit what it made to the asset's history.

    `elsewhere` has `compute_step` called on another machine, and the step's time start there.
    Whatever the user's code raises is a result with state FAILURE; `KeyboardInterrupt` passes.
    """
    started = time.perf_counter()
    lock, guards = store.lock(Target(task.asset.key)), _read_guards(task, store)
    try:
        waits = not lock.acquire()
        if waits:
            channel.events([_waits(task, store)])
            with let_through():
                if not lock.wait(until=lambda: not channel.canceled()):
                    return StepResult(StepState.CANCELED, [])
        made = None if lock.found_empty() else _made_meanwhile(task, store)
        if made is not None:
            return StepResult(StepState.UNCHANGED, [], made)
        if waits:
            message = "its turn has come: nobody else materializes it now"
            channel.events([Event(EventType.LOG, now(), task.asset.key.text, message=message)])
        with let_through():
            for guard in guards:
                guard.wait(until=lambda: True)
            if elsewhere is not None:
                result = elsewhere(compute_step, task, store, channel)
            else:
                if task.timeout_s is not None:
                    channel.started()
                result = compute_step(task, store, channel)
        return _commit(task, store, channel, result, lock)
    except AssetGraphError as error:
        failed = failed_step(task, store, error, started)
        return _commit(task, store, channel, failed, lock) if lock.held else failed
    finally:
        for held in (*guards, lock):
            held.release()


def lost_step(task: StepTask, store: Store, error: BaseException) -> StepResult:
    """What became of a step whose worker is gone: it may have committed just before; otherwise
    `error` ended it."""
    made = committed(task, store)
    if made is not None:
        result = StepResult(StepState.SUCCESS, [], made)
        report_success(task.asset.key.text, result)
        return result
    result = failed_step(task, store, error)
    lock = store.lock(Target(task.asset.key))
    if lock.acquire():  # another run that has it already writes its own attempt
        try:
            _record_failure(task, result, lock.append)
        finally:
            lock.release()
    return result


def abandoned_step(task: StepTask, store: Store, error: BaseException) -> StepResult:
    """A step that is given up while its thread goes on, and still holds the asset's lock: it does
    not run again."""
    if task.asset.retry_policy is not None and isinstance(error, AssetGraphError):
        error.hint = "It is not tried again, since its thread still runs: use --executor processes."
    once = msgspec.structs.replace(task, asset=replace(task.asset, retry_policy=None))
    result = failed_step(once, store, error)
    _record_failure(task, result, partial(store.history.append, Target(task.asset.key)))
    return result


def committed(task: StepTask, store: Store) -> Materialization | None:
    """What this very step committed, if it did."""
    current, _ = store.history.current(Target(task.asset.key))
    return current if current is not None and current.run_id == task.run_id else None


def _commit(
    task: StepTask, store: Store, channel: Channel, result: StepResult, lock: TargetLock
) -> StepResult:
    """Append the attempt to the asset's history: from here on, it counts."""
    if not channel.may_commit() or result.state is StepState.CANCELED:
        return StepResult(StepState.CANCELED, [])
    made = result.materialization
    if made is not None:
        try:
            lock.append(made)
        except StoreError as error:
            result = failed_step(task, store, error)
        else:
            _drop_old_values(task, store, made)
            return result
    _record_failure(task, result, lock.append)
    return result


def _drop_old_values(task: StepTask, store: Store, made: Materialization) -> None:
    if has_folder(made.value):
        try:
            drop_old_values(store, Target(task.asset.key))
        except StoreError:
            pass  # the step is done; what could not be deleted is found by the next prune


def _record_failure(
    task: StepTask, result: StepResult, append: Callable[[FailedAttempt], None]
) -> None:
    if result.retry_in_s is not None:
        return
    assert result.error is not None
    attempt = FailedAttempt(
        run_id=task.run_id,
        timestamp=now(),
        error=f"{result.error.type}: {result.error.message}"[:500],
        code_version=task.code_version,
        config=dict(task.config),
        inputs={source.key: source.data_version for source in task.inputs},
        duration_s=result.events[-1].data.get("duration_s"),
    )
    try:
        append(attempt)
    except StoreError:
        pass  # the disk that failed the step takes no line about it either: the run's record has it


def _read_guards(task: StepTask, store: Store) -> list[Lock]:
    """Locks that keep the stored inputs from being pruned while the step may read them."""
    return [
        store.reading(Target(AssetKey.unchecked(source.key)), shared=True)
        for source in task.inputs
        if source.parameter is not None and has_folder(source.stored)
    ]


def _made_meanwhile(task: StepTask, store: Store) -> Materialization | None:
    """What another run recorded since this step was planned, if it is what this step would make."""
    current, failed = store.history.current(Target(task.asset.key))
    if current is None or failed is not None:
        return None
    if current.run_id in (task.known_run_id, task.run_id):
        return None
    same = (
        current.code_version == task.code_version
        and current.config == dict(task.config)
        and current.inputs == {source.key: source.data_version for source in task.inputs}
        and store.values.check(current.value) == "intact"
    )
    return current if same else None


def _waits(task: StepTask, store: Store) -> Event:
    """Says for whom the step waits. Raises `LockedError` where it must not wait."""
    key = task.asset.key.text
    if not task.wait:
        raise store.locked(Target(task.asset.key), hint="Leave out --no-wait to wait for it.")
    holder = store.holder(Target(task.asset.key), but=task.run_id)
    message = f"waiting for {store.holder_text(holder)}, which is materializing {key}"
    data = {"waits_for": holder}
    return Event(EventType.LOG, now(), key, "WARNING", message, data)

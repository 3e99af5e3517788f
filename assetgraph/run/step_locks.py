"""The locks of a step: those on what it materializes, for which it may have to wait, and those that
keep what it reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from assetgraph.keys import Target
from assetgraph.process.signals import let_through
from assetgraph.records import Event, EventType, now
from assetgraph.storage.retention import has_folder

if TYPE_CHECKING:
    from assetgraph.run.step_task import Channel, StepTask
    from assetgraph.storage.file_locks import Lock
    from assetgraph.storage.histories import TargetLock
    from assetgraph.storage.store import Store

Locks = Mapping[Target, "TargetLock"]


def target_locks(task: StepTask, store: Store) -> Locks:
    """The locks in one order for all steps, so two steps that share targets never deadlock."""
    if len(task.outputs) == 1:
        (target,) = task.outputs
        return {target: store.lock(target)}
    return store.locks(task.outputs)


def acquire(task: StepTask, store: Store, channel: Channel, locks: Locks) -> bool | None:
    """Take every lock, and return whether the step waited for another run; None if this run ended
    first.

    Raises `LockedError` if the step must not wait.
    """
    waited = False
    for lock in locks.values():
        if lock.acquire():
            continue
        waited = True
        channel.events([_waits(task, store, lock.target)])
        with let_through():
            if not lock.wait(until=lambda: not channel.canceled()):
                return None
    return waited


def _waits(task: StepTask, store: Store, target: Target) -> Event:
    """An event that says which run the step waits for. Raises `LockedError` if it must not wait."""
    if not task.wait:
        raise store.locked(target, hint="Leave out --no-wait to wait for it.")
    holder = store.holder(target, but=task.run_id)
    message = f"waiting for {store.holder_text(holder)}, which is materializing {target.text}"
    data = {"waits_for": holder}
    return Event(EventType.LOG, now(), task.step_id, "WARNING", message, data, task.named(target))


def read_guards(task: StepTask, store: Store) -> list[Lock]:
    """Locks that keep the stored inputs from being pruned while the step may read them."""
    read = [
        source.target
        for source in task.inputs
        if source.stored.path is not None and source.parameter is not None
        if has_folder(source.stored)
    ]
    return store.reading_all(read, shared=True) if read else []

"""One step, wherever it runs: lock its targets, compute their values, commit. It takes a picklable
task and returns a small result."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from functools import partial
from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.errors import (
    AssetGraphError,
    CheckFailedError,
    DamagedStoreError,
    StepTimeoutError,
    StoreError,
)
from assetgraph.keys import Target, checked_asset
from assetgraph.process.signals import let_through
from assetgraph.records import (
    Event,
    EventType,
    FailedAttempt,
    Materialization,
    StepState,
    now,
)
from assetgraph.run.step_compute import compute_step
from assetgraph.run.step_locks import Locks, acquire, read_guards, target_locks
from assetgraph.run.step_outcome import failed_step, part_of_step, report_success
from assetgraph.run.step_task import Channel, StepResult, StepTask
from assetgraph.storage.formats.format_registry import location_of
from assetgraph.storage.retention import drop_old_values, has_folder

if TYPE_CHECKING:
    from assetgraph.records import ErrorInfo, ObservedRead
    from assetgraph.storage.store import Store

# Members of enums: looking one up takes 0.2 µs in Python 3.11.
_CANCELED, _SUCCESS = StepState.CANCELED, StepState.SUCCESS
_GENERATOR = CO_GENERATOR | CO_ASYNC_GENERATOR
Append = Callable[[Target, Materialization | FailedAttempt], None]
Elsewhere = Callable[[StepTask, "Store"], StepResult]


def run_step(
    task: StepTask, store: Store, channel: Channel, elsewhere: Elsewhere | None = None
) -> StepResult:
    """Run a step under the locks of its targets, and commit each value to its asset's history.

    `elsewhere` runs `compute_step` on another machine, where the step's timeout then starts.
    Anything that the user's code raises becomes a result with state FAILURE, except
    `KeyboardInterrupt`, which is raised.
    """
    started = time.perf_counter()
    locks, guards = target_locks(task, store), read_guards(task, store)
    parts: set[Target] = set()
    try:
        waited = acquire(task, store, channel, locks)
        if waited is None:
            return StepResult(_CANCELED, [])
        made = _made_by_another_run(task, store, locks)
        if made is not None:
            return StepResult(StepState.UNCHANGED, [], made)
        if waited:
            message = "the wait is over: no other run is materializing it now"
            channel.events([Event(EventType.LOG, now(), task.step_id, message=message)])
        with let_through():
            for guard in guards:
                guard.wait(until=lambda: True)
            if elsewhere is not None:
                result = elsewhere(task, store)
            else:
                result = _compute_here(task, store, channel, locks, parts)
        return _commit(task, store, channel, result, locks, parts)
    except AssetGraphError as error:
        failed = failed_step(task, store, error, started)
        may_record = _may_record(locks, error)
        return _commit(task, store, channel, failed, locks) if may_record else failed
    finally:
        for guard in guards:
            guard.release()
        for lock in locks.values():
            lock.release()


def _compute_here(
    task: StepTask, store: Store, channel: Channel, locks: Locks, parts: set[Target]
) -> StepResult:
    if task.computation.timeout is not None:
        channel.started()
    commit = partial(_commit_part, store, channel, locks, parts)
    return compute_step(task, store, channel, commit)


def _may_record(locks: Locks, error: AssetGraphError) -> bool:
    """Whether a failure goes into the histories. A damaged one stays as it is."""
    return all(lock.held for lock in locks.values()) and not isinstance(error, DamagedStoreError)


def lost_step(task: StepTask, store: Store, error: BaseException) -> StepResult:
    """The result of a step whose worker died: a success if it committed, else a failure.

    A function that yields its outputs may have been at work when all were committed.
    """
    made = made_so_far(task, store)
    if len(made) == len(task.outputs) and not _commits_as_it_yields(task):
        return committed_step(task, made)
    before = StepResult(StepState.FAILURE, [], made)
    result = part_of_step(task, before, failed_step(task, store, error))
    locks = target_locks(task, store)
    try:
        if all(lock.acquire() for lock in locks.values()):  # another run may hold one
            _record_failure(task, store, result, _through(locks))
    finally:
        for lock in locks.values():
            lock.release()
    return result


def _commits_as_it_yields(task: StepTask) -> bool:
    """Whether all outputs of a step may be committed while its function goes on. The only one of
    an asset is not."""
    computation = task.computation
    several = computation.is_multi or computation.makes_several_partitions
    if not (several or computation.makes_checks) or computation.plain_function is None:
        return False
    return bool(computation.plain_function.__code__.co_flags & _GENERATOR)


def committed_step(task: StepTask, made: Mapping[Target, Materialization]) -> StepResult:
    """The success of a step that committed all of its outputs."""
    result = StepResult(StepState.SUCCESS, [], made)
    report_success(task, result)
    return result


def abandoned_step(task: StepTask, store: Store, error: BaseException) -> StepResult:
    """The result of a step whose thread keeps running and holding its locks. It is not retried."""
    computation = task.computation
    if computation.retry_policy is not None and isinstance(error, AssetGraphError):
        error.hint = (
            "Its thread is still running, so the step is not retried. Use --executor processes."
        )
    once = msgspec.structs.replace(task, computation=replace(computation, retry_policy=None))
    before = StepResult(StepState.FAILURE, [], made_so_far(task, store))
    result = part_of_step(task, before, failed_step(once, store, error))
    _record_failure(task, store, result, store.history.append)
    return result


def committed(task: StepTask, store: Store) -> dict[Target, Materialization]:
    """What this step committed if that is all of its outputs; else nothing."""
    made = made_so_far(task, store)
    return made if len(made) == len(task.outputs) else {}


def made_so_far(task: StepTask, store: Store) -> dict[Target, Materialization]:
    """The outputs that this step committed."""
    found = {target: store.history.known(target) for target in task.outputs}
    return {
        target: made
        for target, made in found.items()
        if made is not None and made.run_id == task.run_id
    }


def _commit(
    task: StepTask,
    store: Store,
    channel: Channel,
    result: StepResult,
    locks: Locks,
    parts: Set[Target] = frozenset(),
) -> StepResult:
    """Append the attempt to the history of each target: from here on, it counts. `parts` are those
    that are committed already."""
    if not channel.may_commit() or result.state is _CANCELED:
        return StepResult(_CANCELED, [])
    if result.outputs:
        try:
            _name_reads(store, result, parts)
            for target, materialization in result.outputs.items():
                if target not in parts:
                    locks[target].append(materialization)
        except StoreError as error:
            result = failed_step(task, store, error)
        else:
            for target, materialization in result.outputs.items():
                if has_folder(materialization.value):
                    _drop_old_values(store, target)
    if result.state is _SUCCESS:
        return result
    _record_failure(task, store, result, _through(locks))
    return result


def _commit_part(
    store: Store,
    channel: Channel,
    locks: Locks,
    parts: set[Target],
    target: Target,
    made: Materialization,
    reads: tuple[ObservedRead, ...],
) -> Materialization:
    """Commit one output as soon as the function yields it, and return its record.

    Raises `StepTimeoutError` if the step was abandoned.
    """
    if not channel.wanted():
        raise StepTimeoutError("nobody waits for it any longer.")
    if reads:
        made = msgspec.structs.replace(made, observed=store.reads.record(reads))
    locks[target].append(made)
    parts.add(target)
    return made


def _name_reads(store: Store, result: StepResult, parts: Set[Target]) -> None:
    """Record what the step read, and have its records name that. The records come after it, so
    that none names what is not there."""
    if result.reads:
        observed = store.reads.record(result.reads)
        result.outputs = {
            target: made if target in parts else msgspec.structs.replace(made, observed=observed)
            for target, made in result.outputs.items()
        }


def _through(locks: Locks) -> Append:
    """A function that appends to a target's history through the lock on that target."""
    return lambda target, attempt: locks[target].append(attempt)


def _drop_old_values(store: Store, target: Target) -> None:
    try:
        drop_old_values(store, target)
    except StoreError:
        pass  # the step is done, and the next prune deletes what is left


def _record_failure(task: StepTask, store: Store, result: StepResult, append: Append) -> None:
    """Record the failure in the history of each target that it is of, unless another run made that
    before this one could, or after its worker died."""
    if result.retry_in_s is not None:
        return
    assert result.error is not None
    observed = None
    if result.reads:
        with suppress(StoreError):  # a full disk, say: the run's record has the failure
            observed = store.reads.record(result.reads)
    others: set[Target] = set()
    with suppress(StoreError):
        others.update(target for target, made in _made_by_others(task, store) if made)
    versions = task.versions()
    for target in _failed_targets(task, store, result):
        if target in others:
            continue
        current = store.history.known(target)
        attempt = FailedAttempt(
            run_id=task.run_id,
            timestamp=now(),
            error=f"{result.error.type}: {result.error.message}"[:500],
            code_version=task.code_version,
            config=dict(task.config),
            duration_s=result.events[-1].data.get("duration_s"),
            partition=target.partition,
            absent=_absent(result.error, store),
            file_version=_file_version(current, store),
            observed=observed,
            resources=dict(task.taken.recorded),
            **task.made_from(target, versions),
        )
        with suppress(StoreError):
            append(target, attempt)


def _failed_targets(task: StepTask, store: Store, result: StepResult) -> Sequence[Target]:
    """The outputs that a failed step lacks, with all of its assets if it lacks none: it broke after
    it had given them. None if all that failed is a blocking check, whose evaluation is there."""
    assert result.error is not None
    found = [made.evaluation for made in result.outputs.values()]
    blocked = any(one is not None and one.blocks for one in found)
    if blocked and result.error.type == CheckFailedError.__name__:
        return ()
    made = made_so_far(task, store)
    lacking = [target for target in task.outputs if target not in made]
    assets = [target for target in task.outputs if checked_asset(target.key) is None]
    if any(target in lacking for target in assets):
        return lacking
    return [*assets, *(target for target in lacking if target not in assets)] or task.outputs


def _absent(error: ErrorInfo, store: Store) -> tuple[str, ...]:
    """The files that were not there, of those that the coordinator's machine lacks too."""
    root = store.project_root
    return tuple(path for path in error.absent if not os.path.exists(os.path.join(root, path)))


def _file_version(current: Materialization | None, store: Store) -> str | None:
    """The data version of the file that the asset returned before, as it is now."""
    if current is None or location_of(current.value) != "project":
        return None
    try:
        condition = store.values.check(current.value)
        if condition == "intact":
            return current.data_version
        return (store.values.data_version(current.value) if condition == "changed" else "") or ""
    except StoreError:
        return ""


def _made_by_another_run(
    task: StepTask, store: Store, locks: Locks
) -> dict[Target, Materialization] | None:
    """What other runs have recorded since the step was planned, or None if the step must run.

    The step need not run if they materialized just what it would.
    """
    for lock in locks.values():
        if lock.found_empty():
            return None
    found = {}
    for target, made in _made_by_others(task, store):
        if made is None:
            return None
        found[target] = made
    return found


def _made_by_others(
    task: StepTask, store: Store
) -> Iterator[tuple[Target, Materialization | None]]:
    """Each output with what another run has recorded of it since the step was planned, if that is
    just what the step would make."""
    for target, known_run_id in zip(task.outputs, task.known_run_ids, strict=True):
        current, failed = store.history.current(target)
        if (
            current is None
            or failed is not None
            or current.run_id in (known_run_id, task.run_id)
            or not _is_as_made(task, store, target, current, task.versions())
        ):
            yield target, None
        else:
            yield target, current


def _is_as_made(
    task: StepTask,
    store: Store,
    target: Target,
    current: Materialization,
    versions: Mapping[Target, str],
) -> bool:
    """Whether a step would make just the value that is there."""
    return (
        current.is_of_code(task.code_version)
        and current.config == dict(task.config)
        and current.resources == task.taken.recorded
        and _made_from_the_same(current, task.made_from(target, versions))
        and store.values.check_output(current, task.computation.spec(target.key)) == "intact"
        and _read_the_same(current, store)
    )


def _made_from_the_same(current: Materialization, made_from: Mapping[str, Any]) -> bool:
    """Whether a value was made from this upstream data: see `StepTask.made_from`."""
    read = made_from.get("partitions_read", {})
    if not (read or current.partitions_read):
        return bool(current.inputs == made_from["inputs"])
    from assetgraph.planning.what_was_read import same_data

    return current.inputs == made_from["inputs"] and same_data(current.partitions_read, read)


def _read_the_same(current: Materialization, store: Store) -> bool:
    """Whether everything that the step of a value read is as it was."""
    if current.observed is None:
        return True
    from assetgraph.storage.read_changes import ReadChanges

    def version_of(target: Target) -> str:
        made = store.history.known(target)
        return made.data_version if made is not None else ""

    return ReadChanges(store, version_of).of(current.observed) == ()

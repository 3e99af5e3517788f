"""What a re-execution runs, and the end of a run from outside its process."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from assetgraph.errors import AssetGraphError, StoreError
from assetgraph.hints import command
from assetgraph.keys import AssetKey
from assetgraph.planning.checked_config import checked_config
from assetgraph.planning.plan import make_plan
from assetgraph.records import Materialization, RunStatus, StepState
from assetgraph.run.launch import Launch
from assetgraph.storage.step_states import require_steps, run_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.planning.facts import State
    from assetgraph.planning.plan import Plan
    from assetgraph.records import RunRecord
    from assetgraph.storage.store import Store

_DONE = (StepState.SUCCESS, StepState.UNCHANGED)


def rerun_selection(store: Store, run: RunRecord) -> tuple[AssetKey, ...]:
    """What is left of a run: the steps that failed, were skipped or never ended, in it and in all
    re-executions since, of it or of its root, in the order of its plan. None is left of a run that
    succeeded.

    A step whose process died between its commit and the run's record of it counts as done.
    """
    runs = {run.run_id: run}
    waiting = [*store.runs.reruns(run.run_id), *_later_relatives(store, run)]
    while waiting:
        run_id = waiting.pop()
        if run_id not in runs:
            runs[run_id] = store.runs.read(run_id)
            waiting += store.runs.reruns(run_id)
    done = {
        step.step_id
        for one in runs.values()
        for step in run_steps(one, store.runs.events(one.run_id))
        if step.state in _DONE
    }
    keys = (AssetKey.unchecked(text) for text in run.assets)
    return tuple(key for key in keys if key.text not in done and not _made_by(store, key, {*runs}))


def rerun_plan(
    state: State,
    run: RunRecord,
    *,
    launched_by: str = "",
    from_failure: bool = False,
    steps: Sequence[str] = (),
) -> tuple[Plan, Launch]:
    """The steps of a run again, with its config and tags: all, with `steps` only those that it
    names, with `from_failure` only what is left of the run. The new run knows the run that it
    repeats, and the first of them all.

    Raises `AssetGraphError` where an asset is no longer defined, where nothing is left, where the
    run has no such step, or where it has not ended.
    """
    if run.status is RunStatus.STARTED:
        raise AssetGraphError(f"the run {run.run_id} is still under way.")
    require_steps(run, steps)
    texts = [text for text in run.assets if not steps or text in steps]
    keys = tuple(AssetKey.unchecked(text) for text in texts)
    if from_failure:
        keys = rerun_selection(state.store, run)
        if not keys:
            raise AssetGraphError(
                f"every step of the run {run.run_id} succeeded, in it or in a repetition of it.",
                hint=f"Repeat all of it with: {command('runs', 'rerun', run.run_id)}",
            )
    config = {state.graph.asset(k).key: run.config[k.text] for k in keys if k.text in run.config}
    checked_config(state.graph, config)
    plan = make_plan(
        state.graph, state, [state.graph.asset(key).key for key in keys], config=config
    )
    return plan, Launch(
        selection=run.selection,
        tags=run.tags,
        launched_by=launched_by,
        root_run_id=run.root_run_id or run.run_id,
        parent_run_id=run.run_id,
    )


def cancel_run(store: Store, run_id: str) -> None:
    """Have the process of a run end it as Ctrl-C does; it may take a moment.

    Raises `StoreError` for a run that is not under way, or not on this machine.
    """
    record = store.runs.read(run_id)
    if record.status is not RunStatus.STARTED or record.pid is None:
        raise StoreError(f"the run {run_id} is not under way: it is {record.status.value}.")
    if record.host != os.uname().nodename:
        raise StoreError(
            f"the run {run_id} is on {record.host}, not on this machine.",
            hint=f"Give the same command there: {command('runs', 'cancel', run_id)}",
        )
    try:
        os.kill(record.pid, signal.SIGTERM if _ignores_interrupts(record.pid) else signal.SIGINT)
    except ProcessLookupError:
        pass  # it has just ended
    except PermissionError as error:
        raise StoreError(
            f"the run {run_id} is another user's: process {record.pid} cannot be told to end."
        ) from error


def _later_relatives(store: Store, run: RunRecord) -> Sequence[str]:
    """The re-executions of the run's root that started after it."""
    family = store.runs.reruns(run.root_run_id) if run.root_run_id else []
    return family[family.index(run.run_id) + 1 :] if run.run_id in family else ()


def _made_by(store: Store, key: AssetKey, run_ids: set[str]) -> bool:
    return any(
        isinstance(attempt, Materialization) and attempt.run_id in run_ids
        for attempt in store.history.newest_first(key)
    )


def _ignores_interrupts(pid: int) -> bool:
    """What a shell started in the background ignores SIGINT; Linux says so."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            ignored = next(line for line in file if line.startswith("SigIgn:")).split()[1]
    except (OSError, StopIteration):
        return False
    return bool(int(ignored, 16) & 1 << (signal.SIGINT - 1))

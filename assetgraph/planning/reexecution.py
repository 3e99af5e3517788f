"""Re-executing a run: the request for it, and the steps that are left to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assetgraph.definitions.run_config import of_resources
from assetgraph.errors import AssetGraphError
from assetgraph.graph.walk import walk
from assetgraph.hints import command
from assetgraph.keys import recorded_target
from assetgraph.planning.request import RunRequest
from assetgraph.records import Materialization, RunStatus, StepState
from assetgraph.storage.step_states import require_steps, run_steps

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from assetgraph.records import RunRecord
    from assetgraph.storage.store import Store

_DONE = (StepState.SUCCESS, StepState.UNCHANGED)


def rerun_request(
    store: Store,
    run: RunRecord,
    *,
    from_failure: bool = False,
    steps: Sequence[str] = (),
    config: Mapping[str, Mapping[str, Any]] | None = None,
) -> RunRequest:
    """A request to run the steps of `run` again, with its config and tags.

    `steps` limits the request to those steps, `from_failure` to the steps that are left. The fields
    in `config` replace those of the run. Raises `AssetGraphError` if no step is left, if the run
    has no such step, if it has not ended, or if partitions of an asset had different config.
    """
    if run.status is RunStatus.STARTED:
        raise AssetGraphError(f"the run {run.run_id} is still in progress.")
    require_steps(run, steps)
    chosen = tuple(step_id for step_id in run.step_ids if not steps or step_id in steps)
    targets = tuple([text for step_id in chosen for text in run.targets_of(step_id)])
    if from_failure:
        left = _targets_left(store, run)
        chosen, targets = tuple(left), tuple([text for texts in left.values() for text in texts])
        if not chosen:
            raise AssetGraphError(
                f"every step of run {run.run_id} has succeeded, in it or in a re-execution.",
                hint=f"To repeat all of it: {command('runs', 'rerun', run.run_id)}",
            )
    return RunRequest(
        selection=run.selection,
        targets=targets,
        config=_config_of(run, chosen, config or {}),
        tags=run.tags,
        root_run_id=run.root_run_id or run.run_id,
        parent_run_id=run.run_id,
    )


def _config_of(
    run: RunRecord, chosen: Sequence[str], given: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """The config of each asset in the steps `chosen`, with the fields in `given` replaced."""
    found: dict[str, Mapping[str, Any]] = {}
    for step_id in chosen:
        name = recorded_target(run.targets_of(step_id)[0]).key.text
        config = {**run.config.get(step_id, {}), **given.get(name, {})}
        if found.setdefault(name, config) != config:
            one_step = command("runs", "rerun", run.run_id, "--step", step_id)
            raise AssetGraphError(
                f"partitions of {name!r} ran with different config in run {run.run_id}.",
                hint=f"Give all of them one with --config, or repeat one step: {one_step}",
            )
    for name, fields in of_resources(run.config).items():
        found[name] = {**fields, **given.get(name, {})}
    return {name: config for name, config in {**given, **found}.items() if config}


def steps_left(store: Store, run: RunRecord) -> tuple[str, ...]:
    """The ids of the steps of `run` that no run has completed: neither `run` nor a later
    re-execution of it or of its root. They are in the order of the plan.

    A step whose process died after its commit, but before the run recorded it, counts as done.
    """
    return tuple(_targets_left(store, run))


def _targets_left(store: Store, run: RunRecord) -> dict[str, list[str]]:
    """Those steps, each with what it has not committed."""
    run_ids = walk([run.run_id, *_later_relatives(store, run)], store.runs.reruns).keys()
    done = {
        step.step_id
        for one in (run, *map(store.runs.read, run_ids - {run.run_id}))
        for step in run_steps(one, store.runs.events(one.run_id))
        if step.state in _DONE
    }
    left = {
        step_id: [t for t in run.targets_of(step_id) if not _made_by(store, t, run_ids)]
        for step_id in run.step_ids
        if step_id not in done
    }
    return {step_id: texts for step_id, texts in left.items() if texts}


def _later_relatives(store: Store, run: RunRecord) -> Sequence[str]:
    """The re-executions of the run's root that started after the run."""
    family = store.runs.reruns(run.root_run_id) if run.root_run_id else []
    return family[family.index(run.run_id) + 1 :] if run.run_id in family else ()


def _made_by(store: Store, text: str, run_ids: Collection[str]) -> bool:
    target = recorded_target(text)
    if not store.history.is_there(target.key):
        target = target._replace(key=store.names.present_name(target.key))
    attempts = (one for one in store.history.readable(target) if one.run_id in run_ids)
    return isinstance(next(attempts, None), Materialization)  # the newest of them

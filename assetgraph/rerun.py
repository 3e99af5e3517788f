"""The plan that repeats a run, or goes on from where it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.errors import AssetGraphError
from assetgraph.keys import AssetKey
from assetgraph.plan import make_plan
from assetgraph.records import RunStatus, StepState
from assetgraph.runner import Launch, checked_config

if TYPE_CHECKING:
    from assetgraph.plan import Plan
    from assetgraph.queries import RunDetails
    from assetgraph.state import State

_NEEDS_NO_MORE = (StepState.SUCCESS, StepState.UNCHANGED)


def rerun(
    details: RunDetails, state: State, *, launched_by: str = "", from_failure: bool = False
) -> tuple[Plan, Launch]:
    """The steps of a run again, with its config and tags; with `from_failure` only those that did
    not succeed. The new run knows the run that it repeats, and the first of them all.

    Raises `AssetGraphError` where an asset is no longer defined, nothing failed, or the run has
    not ended.
    """
    run = details.record
    if run.status is RunStatus.STARTED:
        raise AssetGraphError(f"the run {run.run_id} is still under way.")
    texts = run.assets
    if from_failure:
        texts = tuple(s.key for s in details.steps if s.state not in _NEEDS_NO_MORE)
        if not texts:
            raise AssetGraphError(
                f"every step of the run {run.run_id} succeeded.",
                hint=f"Repeat all of it with: assetgraph runs rerun {run.run_id}",
            )
    keys = [state.graph.asset(AssetKey(text)).key for text in texts]
    config = {key: run.config[key.text] for key in keys if key.text in run.config}
    checked_config(state.graph, config)
    launch = Launch(
        selection=run.selection,
        tags=run.tags,
        launched_by=launched_by,
        root_run_id=run.root_run_id or run.run_id,
        parent_run_id=run.run_id,
    )
    return make_plan(state.graph, state, keys, config=config), launch

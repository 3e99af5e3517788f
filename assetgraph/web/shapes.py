"""JSON shapes that the page's answers and its live stream share. docs/page.md describes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from assetgraph.planning.reason_kinds import ReasonKind
from assetgraph.queries.asset_views import asset_json
from assetgraph.queries.run_views import run_json, step_json, with_counts
from assetgraph.records import AssetState, RunStatus

if TYPE_CHECKING:
    from assetgraph.keys import AssetKey
    from assetgraph.planning.reason_kinds import Reason
    from assetgraph.queries.asset_views import AssetView
    from assetgraph.queries.store_watcher import Changes, LiveRun
    from assetgraph.records import (
        ErrorInfo,
        FailedAttempt,
        Materialization,
        RunRecord,
        StepRecord,
    )
    from assetgraph.storage.store import Store

_LISTED_ASSETS = 20


def asset_row(view: AssetView) -> dict[str, Any]:
    """An asset in a list: the shape of `list --json`, with its last attempts."""
    return {
        **asset_json(view),
        "module": view.computation.module,
        "materialization": view.materialization and attempt_head(view.materialization),
        "failure": view.failure and attempt_head(view.failure),
        "warning": view.warning,
        "damage": view.damage,
    }


def main_reason(view: AssetView) -> str | None:
    """One sentence about why an asset is in its state: a failure first, of now or of before."""
    failed = (r for r in view.reasons if r.kind is ReasonKind.ATTEMPT_FAILED)
    shown: Reason | None = next(failed, None) or next(iter(view.reasons), view.past_failure)
    return shown.text if shown is not None else None


def attempt_head(attempt: Materialization | FailedAttempt) -> dict[str, Any]:
    """When an attempt was made, by which run, how long it took, and its error if it failed."""
    head: dict[str, Any] = {
        "run_id": attempt.run_id,
        "partition": attempt.partition,
        "timestamp": attempt.timestamp.isoformat(),
        "duration_s": attempt.duration_s,
    }
    error = getattr(attempt, "error", None)
    return head if error is None else {**head, "error": error}


def run_row(record: RunRecord, store: Store, live: LiveRun | None = None) -> dict[str, Any]:
    """A run in a list: its known step counts, and at most twenty of its assets."""
    counts = record.step_counts
    if live is not None:
        counts = live.step_counts
    elif record.status is RunStatus.INTERRUPTED:
        counts = with_counts(store, record).step_counts
    return {
        **run_json(record),
        "step_counts": dict(counts),
        "asset_count": len(record.assets),
        "assets": list(record.assets[:_LISTED_ASSETS]),
    }


def changes_json(
    changes: Changes,
    store: Store,
    live: Mapping[str, LiveRun],
    views: Mapping[AssetKey, AssetView],
    changed: Iterable[AssetKey],
) -> dict[str, Any]:
    """One message of the live stream: what changed in the store, and the `changed` assets.

    `live` are the runs that are in progress, `views` all assets as they are now.
    """
    rows = [asset_row(views[key]) for key in changed]
    message: dict[str, Any] = {
        "runs": [run_row(run, store, live.get(id_)) for id_, run in changes.runs.items()],
        "gone_runs": changes.gone,
        "steps": {
            run_id: [step_head(step) for step in steps.values()]
            for run_id, steps in changes.steps.items()
        },
        "events": {run_id: live[run_id].events for run_id in changes.steps if run_id in live},
        "progress": changes.progress,
        "assets": rows,
        "counts": counts_by_state(views.values()) if rows else None,
    }
    return {name: value for name, value in message.items() if value}


def step_head(step: StepRecord) -> dict[str, Any]:
    """A step without the frames and the trace of its error."""
    row = step_json(step)
    return {**row, "error": step.error and error_head(step.error)}


def error_head(error: ErrorInfo) -> dict[str, Any]:
    return {"type": error.type, "message": error.message, "hint": error.hint}


def counts_by_state(views: Iterable[AssetView]) -> dict[str, int]:
    """The number of assets in each state, zeros included."""
    counted = Counter(view.state for view in views)
    return {state.value: counted[state] for state in AssetState}

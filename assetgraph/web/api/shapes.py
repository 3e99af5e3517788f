"""What the page's addresses answer, as JSON-ready values. `docs/page.md` describes the shapes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from assetgraph.queries.asset_views import asset_json
from assetgraph.queries.run_views import run_json, step_json
from assetgraph.records import AssetState, RunStatus
from assetgraph.storage.step_states import run_steps

if TYPE_CHECKING:
    from assetgraph.keys import AssetKey
    from assetgraph.queries.asset_views import AssetView
    from assetgraph.queries.store_watcher import LiveRun, News
    from assetgraph.records import (
        ErrorInfo,
        FailedAttempt,
        Materialization,
        RunRecord,
        StepRecord,
    )
    from assetgraph.storage.store import Store
    from assetgraph.web.live.asset_table import Board
    from assetgraph.web.live.page_state import Site
    from assetgraph.web.live.workspace import LoadFailure

_LISTED_ASSETS = 20


def asset_row(view: AssetView) -> dict[str, Any]:
    """An asset in a list: what `list --json` says of it, and its last attempts."""
    return {
        **asset_json(view),
        "module": view.computation.module,
        "materialization": view.materialization and attempt_head(view.materialization),
        "failure": view.failure and attempt_head(view.failure),
    }


def attempt_head(attempt: Materialization | FailedAttempt) -> dict[str, Any]:
    head: dict[str, Any] = {
        "run_id": attempt.run_id,
        "timestamp": attempt.timestamp.isoformat(),
        "duration_s": attempt.duration_s,
    }
    error = getattr(attempt, "error", None)
    return head if error is None else {**head, "error": error}


def run_row(record: RunRecord, store: Store, live: LiveRun | None = None) -> dict[str, Any]:
    """A run in a list: its steps counted as far as they are known, its assets cut to a few."""
    counts = record.step_counts
    if live is not None:
        counts = live.step_counts
    elif not counts and record.status is RunStatus.INTERRUPTED:
        events = store.runs.events(record.run_id)
        counts = Counter(step.state.value for step in run_steps(record, events))
    return {
        **run_json(record),
        "step_counts": dict(counts),
        "asset_count": len(record.assets),
        "assets": list(record.assets[:_LISTED_ASSETS]),
    }


def news_json(
    news: News, site: Site, board: Board | None, changed: Iterable[AssetKey]
) -> dict[str, Any]:
    """One message of the live stream: what a look at the store found, and the assets of `board`
    that are another than before."""
    live = site.follower.live
    rows = [asset_row(board.views[key]) for key in changed] if board else []
    message: dict[str, Any] = {
        "runs": [run_row(run, site.store, live.get(id_)) for id_, run in news.runs.items()],
        "gone_runs": news.gone,
        "steps": {
            run_id: [step_head(step) for step in steps.values()]
            for run_id, steps in news.steps.items()
        },
        "events": {run_id: live[run_id].events for run_id in news.steps if run_id in live},
        "progress": news.progress,
        "assets": rows,
        "counts": counts_by_state(board) if board and rows else None,
    }
    return {name: value for name, value in message.items() if value}


def step_head(step: StepRecord) -> dict[str, Any]:
    """A step without the frames and the trace of its error."""
    row = step_json(step)
    return {**row, "error": step.error and error_head(step.error)}


def error_head(error: ErrorInfo) -> dict[str, Any]:
    return {"type": error.type, "message": error.message, "hint": error.hint}


def counts_by_state(board: Board) -> dict[str, int]:
    """How many assets are in each state, every state named."""
    counted = Counter(view.state for view in board.views.values())
    return {state.value: counted[state] for state in AssetState}


def definitions_json(site: Site) -> dict[str, Any]:
    """Where the definitions came from, when, and what was wrong with them."""
    workspace, project = site.workspace, site.project
    last, good = workspace.last, workspace.good
    return {
        "root": str(project.root),
        "modules": list(project.modules),
        "store": os.path.relpath(project.store, project.root),
        "loading": last is None,
        "loaded_at": good.at.isoformat() if good else None,
        "duration_s": good.duration_s if good else None,
        "assets": good.assets if good else 0,
        "tried_at": last.at.isoformat() if last else None,
        "failure": _failure_json(last.failure) if last and last.failure else None,
        "watching": site.watching,
        "changed_on_disk": site.changed_on_disk,
    }


def _failure_json(failure: LoadFailure) -> Mapping[str, Any]:
    return {
        "message": failure.message,
        "hint": failure.hint,
        "traceback": failure.traceback,
        "problems": [
            {"place": p.place, "message": p.message, "remedy": p.remedy, "key": p.key}
            for p in failure.problems
        ],
    }

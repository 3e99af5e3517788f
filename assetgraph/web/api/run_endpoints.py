"""Endpoints that answer about runs: the list, one run, one step."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

from assetgraph.errors import AssetGraphError
from assetgraph.keys import recorded_target
from assetgraph.planning.target_graph import TargetGraph
from assetgraph.queries.run_filter import RunFilter, status_named
from assetgraph.queries.run_outline import run_outline, step_outline
from assetgraph.queries.run_views import (
    failures,
    find_run,
    page_of_runs,
    run_json,
    step_json,
)
from assetgraph.queries.since import moment
from assetgraph.web.api.json_endpoint import NotFoundError, number
from assetgraph.web.api.log_endpoints import output_files
from assetgraph.web.shapes import run_row, step_head

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from starlette.datastructures import QueryParams
    from starlette.requests import Request

    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.keys import AssetKey
    from assetgraph.queries.run_views import RunDetails
    from assetgraph.records import RunRecord, StepRecord
    from assetgraph.web.live.page_state import PageState

_SCANNED = 5000
_SCANNED_FOR_FAMILY = 1000
_SHOWN_FAILURES = 20
_SHOWN_ALIKE = 100  # partitions that failed at the same place
_MOST_STEPS = 2000  # of a run, that are listed
_MOST_DEPS = 100  # of one step: they place it by its depth in the graph


def runs(page: PageState, request: Request) -> dict[str, Any]:
    """A page of runs, newest first: `?status=`, `?asset=`, `?tag=name=value`, `?text=`, `?since=`,
    `?until=`, `?before=`.

    `next` is the `before` of the next page. A page looks at a few thousand runs at most, so it may
    hold fewer than `?limit=` where few match.
    """
    query = request.query_params
    since, until = _moment(query, "since"), _moment(query, "until")
    found = page_of_runs(
        page.store,
        limit=number(request, "limit", 25, 200, least=1),
        before=min(filter(None, (query.get("before"), until)), default=None),
        since=since,
        takes=_filter(query).takes,
        most_scanned=_SCANNED,
    )
    live = page.watcher.live
    return {
        "runs": [run_row(record, page.store, live.get(record.run_id)) for record in found.runs],
        "damaged": list(found.damaged),
        "next": found.following,
    }


def run(page: PageState, request: Request) -> dict[str, Any]:
    """One run without its events; each failure shows the lines of the user's code. Of very many
    steps it has those that failed or run, and the first; `step_count` is their number."""
    details = run_outline(page.store, request.path_params["run_id"], _MOST_STEPS)
    record = details.record
    return {
        **run_json(record),
        "last_heard_at": details.last_heard_at and details.last_heard_at.isoformat(),
        "reruns": list(details.reruns),
        "family": _family(page, record),
        "host": record.host,
        "pid": record.pid,
        "event_count": details.event_count,
        "step_count": len(record.step_ids),
        "steps": _steps_json(page, details),
        "failures": _failures_json(failures(details.steps)),
        "outputs": output_files(page, record.run_id),
    }


def step(page: PageState, request: Request) -> dict[str, Any]:
    """One step of a run; its error has the full trace."""
    run_id, key = request.path_params["run_id"], request.path_params["key"]
    found = step_outline(page.store, run_id, key)
    if found is None:
        raise NotFoundError(f"the run {find_run(page.store, run_id).run_id} has no step {key!r}.")
    return step_json(found)


def _moment(query: QueryParams, name: str) -> str | None:
    """The beginning of the ids of runs at a time; runs go by their ids, which begin with when they
    started."""
    text = query.get(name)
    if not text:
        return None
    found = moment(text, datetime.now(UTC), named=name, end=name == "until").astimezone(UTC)
    return f"{found:%Y%m%d-%H%M%S}-{found.microsecond // 1000:03d}"


def _filter(query: QueryParams) -> RunFilter:
    return RunFilter(
        statuses=frozenset(status_named(word) for word in query.getlist("status") if word),
        assets=tuple(filter(None, query.getlist("asset"))),
        tags=tuple(filter(None, query.getlist("tag"))),
        text=query.get("text", ""),
    )


def _family(page: PageState, record: RunRecord) -> list[dict[str, Any]]:
    """The root run and its re-executions, oldest first, without those that were deleted."""
    root = record.root_run_id or record.run_id
    reruns = page.store.runs.reruns(root)
    if root != record.run_id and not reruns:  # the list was deleted with the root
        reruns = sorted({record.run_id, *_rerun_since(page, root)})
    found = []
    for run_id in (root, *reruns):
        try:
            member = page.store.runs.read(run_id)
        except AssetGraphError:
            continue
        found.append(
            {
                "run_id": run_id,
                "parent_run_id": member.parent_run_id,
                "status": member.status.value,
                "started_at": member.started_at.isoformat(),
                "duration_s": member.duration_s,
            }
        )
    return found


def _rerun_since(page: PageState, root: str) -> Iterator[str]:
    later = takewhile(lambda run_id: run_id > root, page.store.runs.ids())
    for run_id in islice(later, _SCANNED_FOR_FAMILY):
        try:
            if page.store.runs.read(run_id).root_run_id == root:
                yield run_id
        except AssetGraphError:
            continue


def _steps_json(page: PageState, details: RunDetails) -> list[dict[str, Any]]:
    """The steps, each with its upstream steps in this run.

    A run does not record the edges of its plan, so they come from the current definitions.
    """
    graph = page.graph
    targets = TargetGraph(graph, dynamic=page.store.dynamic_partitions)
    deps = upstream_steps(graph, details.steps, targets if graph.partitioned else None)
    live = page.watcher.live.get(details.record.run_id)
    progress = live.progress if live else {}
    return [
        {
            **step_head(step),
            "deps": deps[step.step_id],
            "progress": progress.get(step.step_id),
        }
        for step in details.steps
    ]


def upstream_steps(
    graph: AssetGraph, steps: Sequence[StepRecord], known: TargetGraph | None = None
) -> dict[str, list[str]]:
    """For each step, the steps that materialize what its targets are made from, up to a limit.

    `known` says that of the partitions that there are. Of others, it is the same partition of each
    upstream if there is one, else all of them.
    """
    makers: dict[AssetKey, dict[str | None, str]] = {}
    targets = {step.step_id: [recorded_target(text) for text in step.targets] for step in steps}
    for step_id, outputs in targets.items():
        for target in outputs:
            makers.setdefault(target.key, {})[target.partition] = step_id
    deps: dict[str, list[str]] = {}
    for step_id, outputs in targets.items():
        found: dict[str, None] = {}
        for target in outputs:
            if known is not None and target.key in graph and known.exists(target):
                above = known.upstream_or_none(target)
                made_by = (makers.get(one.key, {}).get(one.partition) for one in above)
                found.update(dict.fromkeys(step for step in made_by if step is not None))
                continue
            for parent in graph.parents(target.key) if target.key in graph else ():
                made = makers.get(parent, {})
                same = made.get(target.partition)
                found.update(dict.fromkeys(made.values() if same is None else (same,)))
        found.pop(step_id, None)
        deps[step_id] = list(islice(found, _MOST_DEPS))
    return deps


def _failures_json(failed: Iterable[StepRecord]) -> list[dict[str, Any]]:
    """The first failures. Those of several partitions of an asset at one place in the code are one,
    with the ids of the other steps in `alike`."""
    groups: dict[object, list[StepRecord]] = {}
    for step in failed:
        asset = step.step_id.partition("@")[0]
        groups.setdefault((asset, *_place(step)), []).append(step)
    return [
        {
            **_failure_json(first),
            "alike_count": len(others),
            "alike": [one.step_id for one in others[:_SHOWN_ALIKE]],
        }
        for first, *others in islice(groups.values(), _SHOWN_FAILURES)
    ]


def _place(step: StepRecord) -> tuple[object, ...]:
    """What tells the failure of a step from others of its asset."""
    error = step.error
    if error is None or not error.frames:
        return (step.step_id,)
    return error.type, error.frames[-1].file, error.frames[-1].line


def _failure_json(step: StepRecord) -> dict[str, Any]:
    row = step_json(step)
    names = {name: row[name] for name in ("key", "partition", "step", "targets", "attempt")}
    return {**names, **row["error"], "trace": None}

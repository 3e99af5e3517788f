"""Endpoints about the project as a whole: summary, overview, definitions."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

from assetgraph.errors import AssetGraphError
from assetgraph.queries.record_json import record_json
from assetgraph.queries.resource_views import resource_views
from assetgraph.records import RunStatus, now
from assetgraph.web.api.json_endpoint import number
from assetgraph.web.shapes import counts_by_state, run_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from assetgraph.web.live.page_state import PageState

_LONGEST_TIMELINE = 2000
_LATEST = 60
_SEARCHED_FOR_FAILURE = 200


def summary(page: PageState, _request: Request) -> dict[str, Any]:
    """What every page shows around its content."""
    table = page.table()
    with page.lock:
        live = dict(page.watcher.live)
    return {
        "project": page.project.root.name,
        "counts": counts_by_state(table.views.values()),
        "running": [run_row(run.record, page.store, run) for run in live.values()],
        "definitions": page.definitions_json(),
        "trouble": page.trouble,
        "damage": [{"key": key.text, "message": text} for key, text in table.damage.items()],
    }


def definitions(page: PageState, _request: Request) -> dict[str, Any]:
    """Where the definitions come from, and how the last load went."""
    return page.definitions_json()


def resources(page: PageState, _request: Request) -> list[dict[str, Any]]:
    """The resources of the definitions, without secrets, and which assets take them."""
    return [record_json(one) for one in resource_views(page.table().graph)]


def overview(page: PageState, request: Request) -> dict[str, Any]:
    """The runs of the last `?hours=`, without it the latest ones, and the last that failed."""
    until = now()
    hours = number(request, "hours", 0, 24 * 31, least=1)
    since = until - timedelta(hours=hours) if hours else None
    table = page.table()
    recent = list(_runs_since(page, since))
    return {
        "since": since and since.isoformat(),
        "until": until.isoformat(),
        "runs": recent,
        "last_failure": next((r for r in recent if r["status"] == RunStatus.FAILURE), None)
        or _last_failure(page),
        "counts": counts_by_state(table.views.values()),
        "ever": next(page.store.runs.ids(), None) is not None,
    }


def _runs_since(page: PageState, since: datetime | None) -> Iterator[dict[str, Any]]:
    first = f"{since:%Y%m%d-%H%M%S}" if since else ""
    recent = takewhile(lambda run_id: run_id >= first, page.store.runs.ids())
    for run_id in islice(recent, _LONGEST_TIMELINE if since else _LATEST):
        try:
            record = page.store.runs.read(run_id)
        except AssetGraphError:
            continue
        # After a clock was set back, an id may be later than its run.
        if since is None or record.started_at >= since:
            yield run_row(record, page.store, page.watcher.live.get(run_id))


def _last_failure(page: PageState) -> dict[str, Any] | None:
    for run_id in islice(page.store.runs.ids(), _SEARCHED_FOR_FAILURE):
        try:
            record = page.store.runs.read(run_id)
        except AssetGraphError:
            continue
        if record.status is RunStatus.FAILURE:
            return run_row(record, page.store)
    return None

"""The endpoint of the search that every page has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assetgraph.errors import AssetGraphError
from assetgraph.queries.find import find
from assetgraph.queries.run_filter import RunFilter
from assetgraph.queries.run_views import page_of_runs
from assetgraph.text import first_line
from assetgraph.web.api.json_endpoint import number
from assetgraph.web.shapes import run_row

if TYPE_CHECKING:
    from starlette.requests import Request

    from assetgraph.queries.asset_views import AssetView
    from assetgraph.queries.find import FoundColumn
    from assetgraph.web.live.page_state import PageState

_LONGEST = 200  # characters of the text
_SCANNED_RUNS = 500


def search(page: PageState, request: Request) -> dict[str, Any]:
    """The assets, groups, columns and runs that the words of `?text=` name, the best first: at most
    `?limit=` of each. `asset_count` and the like count all that match, except for runs, of which
    only the newest are looked at. Without a text, the newest runs.
    """
    text = request.query_params.get("text", "")
    if len(text) > _LONGEST:
        raise AssetGraphError(f"text must have at most {_LONGEST} characters, not {len(text)}.")
    limit = number(request, "limit", 8, 50, least=1)
    table = page.table()
    with page.lock:
        found = find(table.views.values(), text, limit)
    return {
        "assets": [_asset(view) for view in found.assets],
        "asset_count": found.asset_count,
        "groups": [{"name": name, "asset_count": count} for name, count in found.groups],
        "group_count": found.group_count,
        "columns": [_column(column) for column in found.columns],
        "column_count": found.column_count,
        "runs": _runs(page, text.strip(), limit),
    }


def _asset(view: AssetView) -> dict[str, Any]:
    asset = view.asset
    return {
        "key": asset.key.text,
        "group_name": asset.group_name,
        "description": first_line(asset.description or ""),
        "kinds": sorted(asset.kinds),
        "state": view.state.value,
        "partitions": view.up_to_date,
        "damage": view.damage,
        "last": view.materialization and view.materialization.run_id,
    }


def _column(column: FoundColumn) -> dict[str, Any]:
    return {"asset": column.view.asset.key.text, "column": column.name, "type": column.type}


def _runs(page: PageState, text: str, limit: int) -> list[dict[str, Any]]:
    found = page_of_runs(
        page.store, limit=limit, before=None,
        takes=RunFilter(text=text).takes, most_scanned=_SCANNED_RUNS,
    )  # fmt: skip
    live = page.watcher.live
    return [run_row(record, page.store, live.get(record.run_id)) for record in found.runs]

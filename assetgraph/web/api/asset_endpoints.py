"""Endpoints that answer about assets: the list, one asset, its history, a preview of its value."""

from __future__ import annotations

import inspect
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import FileResponse, Response

from assetgraph.code.importer import reading_of
from assetgraph.hints import command
from assetgraph.keys import AssetKey, Target, checked_asset
from assetgraph.queries.record_json import record_json
from assetgraph.queries.resource_views import resources_of
from assetgraph.queries.value_preview import image_file, preview
from assetgraph.records import Materialization
from assetgraph.storage.asset_names import AssetNames
from assetgraph.storage.column_changes import schema_changes
from assetgraph.text import did_you_mean, resembling
from assetgraph.web.api.config_form import config_fields
from assetgraph.web.api.json_endpoint import NotFoundError, number
from assetgraph.web.api.partition_endpoints import partition_in, selected
from assetgraph.web.shapes import asset_row, attempt_head

if TYPE_CHECKING:
    from starlette.requests import Request

    from assetgraph.queries.asset_views import AssetView
    from assetgraph.storage.histories import Attempt
    from assetgraph.web.live.asset_table import AssetTable
    from assetgraph.web.live.page_state import PageState

_PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_LONGEST_HISTORY = 500


def assets(page: PageState, request: Request) -> list[dict[str, Any]]:
    """All assets, or those of `?select=`, upstream before downstream."""
    table = page.table()
    return [
        asset_row(table.views[key])
        for key in selected(table, request.query_params.getlist("select"))
    ]


def asset(page: PageState, request: Request) -> dict[str, Any]:
    """Everything about one asset except its history, or about its `?partition=`."""
    table = page.table()
    view = _view(page, table, request)
    target = partition_in(table, request)
    if target is not None:
        with page.lock:
            view = table.partition_view(target)
    definition, made = view.asset, view.materialization
    return {
        **asset_row(view),
        "place": view.computation.place,
        "made_with": list(view.made_with),
        "source": _source(view),
        "code_version": made.code_version if made else None,
        "data_version": made.data_version if made else None,
        "value": made and value_json(made),
        "metadata": made.metadata if made else {},
        "schema_changes": []
        if view.partitions
        else _schema_changes(page, target or definition.key),
        "observed": _observed(page, table, definition.key, target),
        "partition": target and target.partition,
        "partitions_def": _partitions(page, table, definition.key),
        "definition_metadata": dict(definition.metadata),
        "config_fields": config_fields(view.computation),
        "resources": [
            record_json(one) for one in resources_of(table.graph, view.computation, definition)
        ],
        "config": made.config if made else {},
        "upstream": [_neighbour(table, key) for key in table.graph.parents(definition.key)],
        "downstream": [_neighbour(table, key) for key in table.graph.children(definition.key)],
    }


def history(page: PageState, request: Request) -> dict[str, Any]:
    """The materializations and failed attempts of an asset, or of its `?partition=`, newest
    first."""
    of = _target(request)
    skipped = number(request, "after", 0, 1_000_000)
    limit = number(request, "limit", 50, _LONGEST_HISTORY, least=1)
    attempts = list(
        islice(page.store.history.readable(_recorded(of)), skipped, skipped + limit + 1)
    )
    return {
        "attempts": [attempt_json(attempt) for attempt in attempts[:limit]],
        "next": skipped + limit if len(attempts) > limit else None,
    }


def value_preview(page: PageState, request: Request) -> dict[str, Any]:
    """The beginning of the current value of an asset, or of its `?partition=`."""
    made = _current(page, request)
    return {**preview(page.store, made.value), "run_id": made.run_id, "format": made.value.format}


def picture(request: Request) -> Response:
    """The file of a value that is a picture, served so that no script in it can run."""
    page: PageState = request.app.state.page_state
    found = image_file(page.store, _current(page, request).value)
    if found is None:
        raise NotFoundError("the value of this asset is not a picture.")
    headers = {"content-security-policy": _PICTURE_POLICY, "cache-control": "no-cache"}
    return FileResponse(found[0], media_type=found[1], headers=headers)


def attempt_json(attempt: Attempt) -> dict[str, Any]:
    row = {
        "type": "failure",
        **attempt_head(attempt),
        "config": attempt.config,
        "inputs": attempt.inputs,
        "code_version": attempt.code_version,
    }
    if isinstance(attempt, Materialization):
        row |= {
            "type": "materialization",
            "origin": attempt.origin,
            "data_version": attempt.data_version,
            "metadata": attempt.metadata,
            "tags": attempt.tags,
            "value": value_json(attempt),
        }
        if attempt.evaluation is not None:
            row["evaluation"] = msgspec.to_builtins(attempt.evaluation)
    return row


def value_json(made: Materialization) -> dict[str, Any]:
    value: dict[str, Any] = msgspec.to_builtins(made.value)
    return {name: value.get(name) for name in ("format", "type", "path", "size")}


def _view(page: PageState, table: AssetTable, request: Request) -> AssetView:
    key = AssetKey.unchecked(request.path_params["key"])
    if key not in table.views:
        raise _no_asset(page, table, key)
    return table.views[key]


def _no_asset(page: PageState, table: AssetTable, key: AssetKey) -> NotFoundError:
    """The error for a key that no asset has: it may have been renamed, or mistyped."""
    present = AssetNames(page.store.names.path).present_name(key)
    if present in table.views:
        return NotFoundError(
            f"the asset {key.text!r} was renamed to {present.text!r}.", assets=[present.text]
        )
    alike = resembling(key.text, (known.text for known in table.views))
    hint = did_you_mean(key.text, alike) or f"See them with: {command('list')}"
    return NotFoundError(f"there is no asset {key.text!r}.", hint=hint, assets=alike)


def _current(page: PageState, request: Request) -> Materialization:
    target = _target(request)
    current, _ = page.store.history.current(target)
    if current is None:
        raise NotFoundError(page.store.no_value(target).message)
    return current


def _target(request: Request) -> Target:
    text = request.path_params["key"]
    key = AssetKey.unchecked(text)
    if checked_asset(key) is None:
        key = AssetKey(text)
    return Target(key, request.query_params.get("partition"))


def _recorded(target: Target) -> AssetKey | Target:
    """Whose attempts there are: without a partition, those of all partitions."""
    return target.key if target.partition is None else target


def _schema_changes(page: PageState, of: AssetKey | Target) -> list[dict[str, str]]:
    """How the columns differ from those of the previous materialization."""
    past = page.store.history.readable(of)
    made = [attempt for attempt in islice(past, 20) if isinstance(attempt, Materialization)]
    return schema_changes(made[1].metadata, made[0].metadata) if len(made) > 1 else []


def _partitions(page: PageState, table: AssetTable, key: AssetKey) -> dict[str, Any] | None:
    with page.lock:
        shown = table.partitions_shown(key)
    return record_json(shown) if shown else None


def _observed(
    page: PageState, table: AssetTable, key: AssetKey, target: Target | None
) -> dict[str, Any]:
    """What the asset's step read without declaring it, and what to do about what cannot be
    compared."""
    with page.lock:
        observed = table.observed(key, target and target.partition)
    return {**record_json(observed), "remedies": observed.remedies}


def _neighbour(table: AssetTable, key: AssetKey) -> dict[str, Any]:
    view = table.views[key]
    return {"key": key.text, "state": view.state.value, "group_name": view.asset.group_name}


def _source(view: AssetView) -> str | None:
    """The source that the function was loaded from: its file may have changed since."""
    function = view.computation.plain_function
    if function is None:
        return None
    code = function.__code__
    reading = reading_of(code.co_filename, getattr(function, "__globals__", None))
    try:
        if reading is None:
            return inspect.getsource(function)
        lines = StringIO(reading.text).readlines()
        return "".join(inspect.getblock(lines[code.co_firstlineno - 1 :]))
    except (OSError, TypeError):
        return None

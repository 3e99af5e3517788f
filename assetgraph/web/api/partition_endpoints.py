"""Endpoints about the partitions of an asset: a page of them, and dynamic ones to add or remove."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assetgraph.errors import AssetGraphError, PartitionsError
from assetgraph.graph.selection import select
from assetgraph.keys import AssetKey, Target
from assetgraph.planning.target_graph import dynamic_names
from assetgraph.queries.target_views import target_json
from assetgraph.records import AssetState
from assetgraph.text import did_you_mean, some_of
from assetgraph.web.api.bodies import check_fields, typed
from assetgraph.web.api.json_endpoint import NotFoundError, number, one_of
from assetgraph.web.shapes import attempt_head

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from assetgraph.definitions.partitions.keys import PartitionKeys
    from assetgraph.queries.target_views import TargetView
    from assetgraph.web.live.asset_table import AssetTable
    from assetgraph.web.live.page_state import PageState

_MOST_ROWS = 500


def partitions(page: PageState, request: Request) -> dict[str, Any]:
    """A page of the partitions of an asset, newest last: `?state=`, `?text=` in the key,
    `?after=` and `?limit=`. `total` counts those that match."""
    key = AssetKey.unchecked(request.path_params["key"])
    state = one_of(request, "state", list(AssetState))
    text = request.query_params.get("text", "").casefold()
    skipped = number(request, "after", 0, 10_000_000)
    limit = number(request, "limit", 100, _MOST_ROWS, least=1)
    table = page.table()
    with page.lock:
        keys = require_partitions(table, key)
        runs = table.runs(key)
        found: Sequence[int] = range(len(keys))
        if state:
            found = list(runs.numbers(AssetState(state)))
        if text:
            found = _with_text(keys, found, text)
        shown = list(table.partitions(key, found[skipped : skipped + limit]))
    return {
        "partitions": [partition_row(view) for view in shown],
        "total": len(found),
        "next": skipped + limit if len(found) > skipped + limit else None,
    }


def partitioned(page: PageState, request: Request) -> dict[str, Any]:
    """Which of the assets of `?select=` have partitions: how many, the first and the last of the
    first such asset, and whether each has a default."""
    table = page.table()
    keys = [key for key in selected(table, request.query_params.getlist("select"))
            if key in table.graph.partitioned]  # fmt: skip
    default = page.project.partition
    with page.lock:
        found = [table.keys(key) or () for key in keys]
    first = next((one for one in found if one), ())
    return {
        "asset_count": len(keys),
        "count": sum(map(len, found)),
        "first": str(first[0]) if first else None,
        "last": str(first[-1]) if first else None,
        "has_default": all(
            default or getattr(table.graph.asset(key).partitions_def, "default", None)
            for key in keys
        ),
    }


def change(page: PageState, body: Any, request: Request) -> dict[str, Any]:
    """Add or remove dynamic partitions of a name: `{"add": [keys]}`, `{"remove": [keys]}`."""
    check_fields(body, "add", "remove")
    name = request.path_params["name"]
    names = dynamic_names(page.graph)
    if name not in names:
        raise PartitionsError(
            f"no asset has dynamic partitions called {name!r}.",
            hint=did_you_mean(name, names) or some_of("There are", names),
        )
    add, remove = typed(body, "add", list[str], []), typed(body, "remove", list[str], [])
    if not add and not remove:
        raise AssetGraphError('name keys: "add": [keys] or "remove": [keys].')
    kept = page.store.dynamic_partitions
    added = kept.add(name, add) if add else []
    removed = kept.delete(name, remove) if remove else []
    page.renew_partitions()
    return {"added": added, "removed": removed}


def partition_in(table: AssetTable, request: Request) -> Target | None:
    """The partition that `?partition=` names; None without one. Raises `NotFoundError`."""
    partition = request.query_params.get("partition")
    if partition is None:
        return None
    key = AssetKey.unchecked(request.path_params["key"])
    keys = require_partitions(table, key)
    try:
        keys.require(partition)
    except PartitionsError as error:
        raise NotFoundError(f"{key.text}: {error.message}", hint=error.hint) from None
    return Target(key, partition)


def selected(table: AssetTable, texts: list[str]) -> tuple[AssetKey, ...]:
    """The keys that any of the selections `texts` matches; all keys if there are none.

    Raises `SelectionError`.
    """
    wanted = [text for text in texts if text.strip()]
    if not wanted:
        return table.graph.order
    return select(wanted, table.graph, lambda key: table.views[key].state.value)


def require_partitions(table: AssetTable, key: AssetKey) -> PartitionKeys:
    if key not in table.views:
        raise NotFoundError(f"there is no asset {key.text!r}.")
    keys = table.keys(key)
    if keys is None:
        raise NotFoundError(f"{key.text!r} has no partitions.")
    return keys


def _with_text(keys: PartitionKeys, numbers: Sequence[int], text: str) -> list[int]:
    """Those of the numbers whose key has a text in it."""
    if len(numbers) == len(keys):  # all in turn: much quicker than one by one
        return [number for number, key in enumerate(keys) if text in key.casefold()]
    return [number for number in numbers if text in keys.key(number).casefold()]


def partition_row(view: TargetView) -> dict[str, Any]:
    return {
        **target_json(view),
        "duration_s": view.materialization.duration_s if view.materialization else None,
        "failure": view.failure and attempt_head(view.failure),
    }

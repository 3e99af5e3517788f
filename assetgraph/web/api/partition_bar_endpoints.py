"""Endpoints of the bar of an asset's partitions: its states in rows, and what is at a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assetgraph.errors import AssetGraphError
from assetgraph.keys import AssetKey
from assetgraph.queries.partition_axis import PartitionAxis
from assetgraph.queries.partition_runs import WORST_FIRST
from assetgraph.queries.partition_ticks import ticks
from assetgraph.queries.state_cells import StateRuns, cell_json, total
from assetgraph.web.api.json_endpoint import number
from assetgraph.web.api.partition_endpoints import partition_row, require_partitions

if TYPE_CHECKING:
    from starlette.requests import Request

    from assetgraph.records import AssetState
    from assetgraph.web.live.page_state import PageState

_MOST = 1_000_000_000  # partitions, which is more than there are
_WIDEST = 4000  # pixels
_MOST_ROWS = 60
_MOST_CELLS = 30_000  # in an answer
_TICK, _KEY_TICK = 72, 44  # pixels for each


def bar(page: PageState, request: Request) -> dict[str, Any]:
    """The states of the partitions of an asset from `?first=` until before `?end=` along their
    axis, in at most `?width=` cells, in as many as `?rows=` rows from `?row=` on."""
    width = number(request, "width", 1000, _WIDEST, least=100)
    key = AssetKey.unchecked(request.path_params["key"])
    table = page.table()
    with page.lock:
        axis = PartitionAxis(require_partitions(table, key))
        runs = table.runs(key)
    shown = _along(axis, request)
    rows = _rows(axis, request)
    most = min(width, _MOST_CELLS // max(1, len(rows)))
    return {
        "axis": axis.name,
        "is_time": axis.is_time,
        "count": len(axis.along),
        "first": shown.start,
        "end": shown.stop,
        "first_key": str(axis.along.key(shown.start)) if shown else None,
        "last_key": str(axis.along.key(shown[-1])) if shown else None,
        "row_names": axis.row_names,
        "row_count": axis.row_count,
        "row": rows.start,
        "rows": [_row(axis, runs, row, shown, most) for row in rows] if shown else [],
        "ticks": ticks(axis.along, shown, width // (_TICK if axis.is_time else _KEY_TICK)),
    }


def details(page: PageState, request: Request) -> dict[str, Any]:
    """What is known of the partitions from `?first=` until before `?end=` along the axis, in as
    many as `?rows=` rows from `?row=` on: of a single one all that the table has."""
    key = AssetKey.unchecked(request.path_params["key"])
    table = page.table()
    with page.lock:
        axis = PartitionAxis(require_partitions(table, key))
        along, rows = _along(axis, request), _rows(axis, request)
        if not along or not rows:
            raise AssetGraphError("there are no partitions there.")
        found = [table.runs(key).row(axis.numbers(row)).counts(along) for row in rows]
        one = len(along) == 1 == len(rows)
        number_of_it = axis.numbers(rows[0])[along[0]]
        view = next(table.partitions(key, [number_of_it])) if one else None
    return {
        "partitions": axis.texts(along, rows),
        "count": len(along) * len(rows),
        "counts": total(found, WORST_FIRST),
        "first_key": str(axis.along.key(along[0])),
        "last_key": str(axis.along.key(along[-1])),
        "one": view and partition_row(view),
    }


def _along(axis: PartitionAxis, request: Request) -> range:
    count = len(axis.along)
    first = min(number(request, "first", 0, _MOST), count)
    return range(first, min(number(request, "end", count, _MOST), count))


def _rows(axis: PartitionAxis, request: Request) -> range:
    first = min(number(request, "row", 0, _MOST), axis.row_count)
    return range(first, min(first + number(request, "rows", 1, _MOST_ROWS), axis.row_count))


def _row(
    axis: PartitionAxis, runs: StateRuns[AssetState], row: int, shown: range, most: int
) -> dict[str, Any]:
    cells = runs.row(axis.numbers(row)).cells(shown, most)
    return {"keys": axis.row_keys(row), "cells": [cell_json(one) for one in cells]}

"""Endpoints for what a run logged and printed: its events, and the output of its steps."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from assetgraph.queries.event_pages import EventFilter
from assetgraph.queries.run_views import find_run
from assetgraph.web.api.json_endpoint import NotFoundError, number

if TYPE_CHECKING:
    from starlette.requests import Request

    from assetgraph.web.live.page_state import PageState

_CHUNK = 65_536


def events(page: PageState, request: Request) -> dict[str, Any]:
    """A page of a run's events: `?text=`, `?level=` (the lowest), `?step=`, `?type=`, `?after=`."""
    record = find_run(page.store, request.path_params["run_id"])
    query = request.query_params
    wanted = EventFilter(*(query.get(name, "") for name in ("text", "level", "step", "type")))
    return page.event_pages.page(
        record.run_id,
        wanted,
        after=number(request, "after", 0, 1 << 40),
        limit=number(request, "limit", 200, 1000),
    )


def event(page: PageState, request: Request) -> dict[str, Any]:
    """One event of a run, whole."""
    record = find_run(page.store, request.path_params["run_id"])
    text = request.path_params["number"]
    place = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1
    found = page.event_pages.event(record.run_id, place)
    if found is None:
        raise NotFoundError(f"the run {record.run_id} has no event {text!r}.")
    return found


def outputs(page: PageState, request: Request) -> list[dict[str, Any]]:
    """The files that hold what the steps of a run printed, with their sizes."""
    return output_files(page, find_run(page.store, request.path_params["run_id"]).run_id)


def output(page: PageState, request: Request) -> dict[str, Any]:
    """A part of what a step printed: `?step=`, `?attempt=`, `?stream=` (out or err), `?offset=`.

    Offsets count bytes. Without one, the part is the end.
    """
    record = find_run(page.store, request.path_params["run_id"])
    query = request.query_params
    attempt = number(request, "attempt", 1, 10_000)
    wanted = query.get("step", ""), attempt, query.get("stream", "out")
    for key, found, stream, path in page.store.runs.outputs(record.run_id):
        if (key, found, stream) == wanted:
            limit = number(request, "limit", _CHUNK, _CHUNK)
            return _part(path, number(request, "offset", -1, 1 << 60), limit)
    return {"text": "", "offset": 0, "next": 0, "size": 0}


def output_files(page: PageState, run_id: str) -> list[dict[str, Any]]:
    """The files that hold what the steps of a run printed."""
    return [
        {"step": key, "attempt": attempt, "stream": stream, "size": _size(path)}
        for key, attempt, stream, path in page.store.runs.outputs(run_id)
    ]


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _part(path: str, offset: int, limit: int) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            begin = max(0, size - limit) if offset < 0 else min(offset, size)
            file.seek(begin)
            data = file.read(limit)
    except OSError as error:
        raise NotFoundError(f"the output cannot be read: {error.strerror}.") from None
    whole = _whole_characters(data, at_end=begin + len(data) == size)
    return {
        "text": whole.decode(errors="replace"),
        "offset": begin,
        "next": begin + len(whole),
        "size": size,
    }


def _whole_characters(data: bytes, *, at_end: bool) -> bytes:
    """`data` without a last character that is cut: the next part begins with it."""
    if at_end:
        return data
    for cut in range(1, 4):
        if len(data) > cut and data[-cut] >= 0xC0:
            return data[:-cut]
    return data

"""Endpoints for what a run logged and printed: its events, and the output of its steps."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from assetgraph.errors import AssetGraphError
from assetgraph.queries.event_pages import LEVELS, EventFilter
from assetgraph.queries.event_text import event_text
from assetgraph.queries.run_views import find_run
from assetgraph.records import EventType
from assetgraph.web.api.json_endpoint import NotFoundError, number, one_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from assetgraph.web.live.page_state import PageState

_CHUNK = 65_536


def events(page: PageState, request: Request) -> dict[str, Any]:
    """A page of a run's events: `?text=`, `?level=` (the lowest), `?step=`, `?type=`, `?after=`."""
    record = find_run(page.store, request.path_params["run_id"])
    return page.event_pages.page(
        record.run_id,
        _filter(request),
        after=number(request, "after", 0, 1 << 40),
        limit=number(request, "limit", 200, 1000, least=1),
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
    wanted = _printed(request)
    limit = number(request, "limit", _CHUNK, _CHUNK, least=1)
    offset = number(request, "offset", -1, 1 << 60)
    for *found, path in page.store.runs.outputs(record.run_id):
        if tuple(found) == wanted:
            return _part(path, offset, limit)
    return {"text": "", "offset": 0, "next": 0, "size": 0}


def log_text(request: Request) -> Response:
    """The events of a run as lines of text to download, with the filters of `events`."""
    page: PageState = request.app.state.page_state
    record = find_run(page.store, request.path_params["run_id"])
    return _download(_lines(page, record.run_id, _filter(request)), f"{record.run_id}.log")


def output_text(request: Request) -> Response:
    """Everything that a step printed, to download: `?step=`, `?attempt=`, `?stream=`."""
    page: PageState = request.app.state.page_state
    record = find_run(page.store, request.path_params["run_id"])
    step, attempt, stream = wanted = _printed(request)
    for *found, path in page.store.runs.outputs(record.run_id):
        if tuple(found) == wanted:
            name = f"{record.run_id}.{step.replace('/', '.')}.{attempt}.{stream}.txt"
            return _download(_bytes(path), name)
    raise NotFoundError(f"the run {record.run_id} has no such output.")


def _filter(request: Request) -> EventFilter:
    query = request.query_params
    return EventFilter(
        text=query.get("text", ""),
        level=one_of(request, "level", LEVELS),
        step=query.get("step", ""),
        type=one_of(request, "type", list(EventType)),
    )


def _printed(request: Request) -> tuple[str, int, str]:
    """The step, attempt and stream that a request names."""
    attempt = number(request, "attempt", 1, 10_000, least=1)
    stream = one_of(request, "stream", ("out", "err")) or "out"
    return request.query_params.get("step", ""), attempt, stream


def _lines(page: PageState, run_id: str, wanted: EventFilter) -> Iterator[str]:
    try:
        for event in page.store.runs.events(run_id):
            if wanted.takes(event):
                kind = event.level if event.type is EventType.LOG else event.type.value
                head = f"{event.timestamp.isoformat()} {kind} {event.step or '-'}"
                yield f"{head} {event_text(event)}\n"
    except AssetGraphError as error:  # the answer has begun
        yield f"{error}\n"


def _bytes(path: str) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while data := file.read(_CHUNK):
            yield data


def _download(parts: Iterator[str] | Iterator[bytes], name: str) -> Response:
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "cache-control": "no-store",
    }
    return StreamingResponse(parts, media_type="text/plain; charset=utf-8", headers=headers)


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

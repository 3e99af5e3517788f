"""Addresses that tell of runs: pages of them, one run, its events, what its steps printed."""

from __future__ import annotations

import os
from datetime import timedelta
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.errors import AssetGraphError, StoreError, UnknownRunError
from assetgraph.queries.event_pages import EventFilter
from assetgraph.queries.run_views import failures, find_run, run_details, run_json, step_json
from assetgraph.records import RunStatus, now
from assetgraph.web.api.endpoints import NotFoundError, number
from assetgraph.web.api.shapes import counts_by_state, run_row, step_head

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from assetgraph.keys import AssetKey
    from assetgraph.queries.run_views import RunDetails
    from assetgraph.records import RunRecord, StepRecord
    from assetgraph.web.live.page_state import Site

_SCANNED = 5000
_SCANNED_FOR_FAMILY = 1000
_SHOWN_FAILURES = 20
_CHUNK = 65_536
_LONGEST_TIMELINE = 2000


def runs(site: Site, request: Request) -> dict[str, Any]:
    """A page of runs, newest first: `?status=`, `?asset=`, `?tag=name=value`, `?text=`, `?before=`.

    `next` is what to give as `before` for the next page. Where few runs match, a page may end
    early: it looks at a few thousand at most.
    """
    limit = number(request, "limit", 25, 200)
    wanted = _RunFilter(request)
    found: list[dict[str, Any]] = []
    damaged: list[str] = []
    last = None
    for scanned, run_id in enumerate(
        site.store.runs.ids(before=request.query_params.get("before"))
    ):
        if len(found) == limit or scanned == _SCANNED:
            return {"runs": found, "damaged": damaged, "next": last}
        last = run_id
        try:
            record = site.store.runs.read(run_id)
        except UnknownRunError:
            continue
        except StoreError as error:
            damaged.append(str(error))
            continue
        if wanted.takes(record):
            found.append(run_row(record, site.store, site.follower.live.get(run_id)))
    return {"runs": found, "damaged": damaged, "next": None}


def overview(site: Site, request: Request) -> dict[str, Any]:
    """The runs of the last `?hours=`, and the last that failed."""
    until = now()
    since = until - timedelta(hours=number(request, "hours", 6, 24 * 31))
    board = site.board()
    recent = list(_runs_since(site, f"{since:%Y%m%d-%H%M%S}"))
    return {
        "since": since.isoformat(),
        "until": until.isoformat(),
        "runs": recent,
        "last_failure": next((r for r in recent if r["status"] == RunStatus.FAILURE), None)
        or _last_failure(site),
        "counts": counts_by_state(board),
        "ever": next(site.store.runs.ids(), None) is not None,
    }


def run(site: Site, request: Request) -> dict[str, Any]:
    """All of one run, but for its events; each failure with the user's lines."""
    details = run_details(site.store, request.path_params["run_id"])
    record = details.record
    return {
        **run_json(record),
        "last_heard_at": details.last_heard_at and details.last_heard_at.isoformat(),
        "reruns": list(details.reruns),
        "family": _family(site, record),
        "host": record.host,
        "pid": record.pid,
        "event_count": len(details.events),
        "steps": _steps_json(site, details),
        "failures": [_failure_json(step) for step in failures(details.steps)][:_SHOWN_FAILURES],
        "outputs": _outputs(site, record.run_id),
    }


def step(site: Site, request: Request) -> dict[str, Any]:
    """One step of a run, its error with the full trace."""
    details = run_details(site.store, request.path_params["run_id"])
    key = request.path_params["key"]
    for one in details.steps:
        if one.step_id == key:
            return step_json(one)
    raise NotFoundError(f"the run {details.record.run_id} has no step {key!r}.")


def events(site: Site, request: Request) -> dict[str, Any]:
    """A page of a run's events: `?text=`, `?level=` (the lowest), `?step=`, `?type=`, `?after=`."""
    record = find_run(site.store, request.path_params["run_id"])
    query = request.query_params
    wanted = EventFilter(*(query.get(name, "") for name in ("text", "level", "step", "type")))
    return site.event_pages.page(
        record.run_id,
        wanted,
        after=number(request, "after", 0, 1 << 40),
        limit=number(request, "limit", 200, 1000),
    )


def event(site: Site, request: Request) -> dict[str, Any]:
    record = find_run(site.store, request.path_params["run_id"])
    text = request.path_params["number"]
    place = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1
    found = site.event_pages.event(record.run_id, place)
    if found is None:
        raise NotFoundError(f"the run {record.run_id} has no event {text!r}.")
    return found


def outputs(site: Site, request: Request) -> list[dict[str, Any]]:
    """What there is to read of what the steps of a run printed."""
    return _outputs(site, find_run(site.store, request.path_params["run_id"]).run_id)


def output(site: Site, request: Request) -> dict[str, Any]:
    """A part of what a step printed: `?step=`, `?attempt=`, `?stream=` (out or err), `?offset=`;
    without an offset, the end. Offsets count bytes."""
    record = find_run(site.store, request.path_params["run_id"])
    query = request.query_params
    attempt = number(request, "attempt", 1, 10_000)
    wanted = query.get("step", ""), attempt, query.get("stream", "out")
    for key, found, stream, path in site.store.runs.outputs(record.run_id):
        if (key, found, stream) == wanted:
            limit = number(request, "limit", _CHUNK, _CHUNK)
            return _part(path, number(request, "offset", -1, 1 << 60), limit)
    return {"text": "", "offset": 0, "next": 0, "size": 0}


class _RunFilter:
    def __init__(self, request: Request) -> None:
        query = request.query_params
        self._statuses = {status.upper() for status in query.getlist("status") if status}
        self._asset = query.get("asset", "")
        self._tag, _, self._value = query.get("tag", "").partition("=")
        self._text = query.get("text", "").casefold()

    def takes(self, record: RunRecord) -> bool:
        if self._statuses and record.status.value not in self._statuses:
            return False
        if self._asset and self._asset not in record.assets:
            return False
        if self._tag and record.tags.get(self._tag, None) != (
            self._value or record.tags.get(self._tag, "")
        ):
            return False
        return not self._text or any(self._text in text.casefold() for text in _words(record))


def _words(record: RunRecord) -> Iterator[str]:
    yield record.run_id
    yield record.launched_by
    yield from record.assets
    yield from (f"{name}={value}" for name, value in record.tags.items())


def _runs_since(site: Site, first: str) -> Iterator[dict[str, Any]]:
    recent = takewhile(lambda run_id: run_id >= first, site.store.runs.ids())
    for _, run_id in zip(range(_LONGEST_TIMELINE), recent, strict=False):
        try:
            record = site.store.runs.read(run_id)
        except AssetGraphError:
            continue
        yield run_row(record, site.store, site.follower.live.get(run_id))


def _last_failure(site: Site) -> dict[str, Any] | None:
    for _, run_id in zip(range(200), site.store.runs.ids(), strict=False):
        try:
            record = site.store.runs.read(run_id)
        except AssetGraphError:
            continue
        if record.status is RunStatus.FAILURE:
            return run_row(record, site.store)
    return None


def _family(site: Site, record: RunRecord) -> list[dict[str, Any]]:
    """The run that all of them repeat, and its re-executions, oldest first; what is left of them
    where some were deleted."""
    root = record.root_run_id or record.run_id
    reruns = site.store.runs.reruns(root)
    if root != record.run_id and not reruns:  # the list went with the root
        reruns = sorted({record.run_id, *_rerun_since(site, root)})
    found = []
    for run_id in (root, *reruns):
        try:
            member = site.store.runs.read(run_id)
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


def _rerun_since(site: Site, root: str) -> Iterator[str]:
    later = takewhile(lambda run_id: run_id > root, site.store.runs.ids())
    for run_id in islice(later, _SCANNED_FOR_FAMILY):
        try:
            if site.store.runs.read(run_id).root_run_id == root:
                yield run_id
        except AssetGraphError:
            continue


def _steps_json(site: Site, details: RunDetails) -> list[dict[str, Any]]:
    """The steps with what they wait for in this run, as the present definitions have it."""
    keys = {step.step_id for step in details.steps}
    deps = {key.text: _deps(site, key, keys) for key in site.graph.order if key.text in keys}
    live = site.follower.live.get(details.record.run_id)
    progress = live.progress if live else {}
    return [
        {
            **step_head(step),
            "deps": deps.get(step.step_id, []),
            "progress": progress.get(step.step_id),
        }
        for step in details.steps
    ]


def _deps(site: Site, key: AssetKey, among: set[str]) -> list[str]:
    return [parent.text for parent in site.graph.parents(key) if parent.text in among]


def _failure_json(step: StepRecord) -> dict[str, Any]:
    assert step.error is not None
    error: dict[str, Any] = msgspec.to_builtins(step.error)
    return {"key": step.step_id, "attempt": step.attempt, **error, "trace": None}


def _outputs(site: Site, run_id: str) -> list[dict[str, Any]]:
    return [
        {"step": key, "attempt": attempt, "stream": stream, "size": _size(path)}
        for key, attempt, stream, path in site.store.runs.outputs(run_id)
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
        raise NotFoundError(f"the output is gone: {error.strerror}.") from None
    whole = _whole_characters(data, at_end=begin + len(data) == size)
    return {
        "text": whole.decode(errors="replace"),
        "offset": begin,
        "next": begin + len(whole),
        "size": size,
    }


def _whole_characters(data: bytes, *, at_end: bool) -> bytes:
    """`data` without the first bytes of a character that the next part goes on with."""
    if at_end:
        return data
    for cut in range(1, 4):
        if len(data) > cut and data[-cut] >= 0xC0:
            return data[:-cut]
    return data

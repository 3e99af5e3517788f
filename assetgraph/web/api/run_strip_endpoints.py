"""Endpoints of a run's partitions: asset by asset in strips, and what is at a place of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from assetgraph.queries.run_outline import step_outline
from assetgraph.queries.run_strips import partition_steps, strip
from assetgraph.queries.run_views import find_run
from assetgraph.queries.state_cells import cell_json
from assetgraph.records import RunRecord, RunStatus, StepState
from assetgraph.storage.step_states import step_states
from assetgraph.web.api.answer_cache import AnswerCache
from assetgraph.web.api.json_endpoint import NotFoundError, number
from assetgraph.web.shapes import step_head

if TYPE_CHECKING:
    from starlette.requests import Request

    from assetgraph.queries.store_watcher import LiveRun
    from assetgraph.web.live.page_state import PageState

_MOST_ASSETS = 100
_MOST = 1_000_000_000
_WIDEST = 4000  # pixels


class _Partitions(NamedTuple):
    """The partitions that a run makes: the numbers of their steps by asset, and the states of all
    steps."""

    record: RunRecord
    steps: Mapping[str, Sequence[int]]
    states: Sequence[StepState]


_ended: AnswerCache[_Partitions] = AnswerCache(4)


def strips(page: PageState, request: Request) -> dict[str, Any]:
    """The states of the partitions that a run makes, for each asset in the order of its plan, in at
    most `?width=` cells."""
    width = number(request, "width", 1000, _WIDEST, least=100)
    found = _partitions(page, request.path_params["run_id"])
    shown = list(found.steps.items())[:_MOST_ASSETS]
    return {
        "strips": [{"asset": asset, **_strip(found, steps, width)} for asset, steps in shown],
        "more_assets": len(found.steps) - len(shown),
    }


def place(page: PageState, request: Request) -> dict[str, Any]:
    """What is at a place of a strip, from `?first=` until before `?end=`: the ids of the first and
    the last step, the states, and of a single step all that is known."""
    found = _partitions(page, request.path_params["run_id"])
    asset = request.path_params["key"]
    steps = found.steps.get(asset, ())
    first = number(request, "first", 0, _MOST)
    numbers = steps[first : number(request, "end", len(steps), _MOST)]
    if not numbers:
        raise NotFoundError(f"the run makes no partitions of {asset!r} there.")
    ids = found.record.step_ids
    return {
        "count": len(numbers),
        "counts": Counter(found.states[one] for one in numbers),
        "first_step": ids[numbers[0]],
        "last_step": ids[numbers[-1]],
        "one": _one(page, found.record, ids[numbers[0]]) if len(set(numbers)) == 1 else None,
    }


def _strip(found: _Partitions, steps: Sequence[int], width: int) -> dict[str, Any]:
    states = strip(steps, found.states)
    cells = states.cells(range(len(steps)), width)
    return {
        "count": len(steps),
        "counts": states.counts(),
        "cells": [cell_json(one) for one in cells],
    }


def _one(page: PageState, record: RunRecord, step_id: str) -> dict[str, Any]:
    goes_on = record.status is RunStatus.STARTED  # what is live may lag behind an end
    live = page.watcher.live.get(record.run_id) if goes_on else None
    known = live.steps.get(step_id) if live else None
    found = known or step_outline(page.store, record.run_id, step_id)
    assert found is not None, "it is a step of the run"
    return step_head(found)


def _partitions(page: PageState, text: str) -> _Partitions:
    """The partitions of a run as they are now. Those of a run that has ended stay as they are."""
    record = find_run(page.store, text)
    if record.status is not RunStatus.STARTED:
        question = (page.store.folder, record.run_id, record.status)
        return _ended.of(question, lambda: _read(page, record))
    live = page.watcher.live.get(record.run_id)
    return _of_live(record, live) if live else _read(page, record)


def _of_live(record: RunRecord, live: LiveRun) -> _Partitions:
    steps = list(live.steps.values())  # at once: another thread may replace some
    return _Partitions(record, partition_steps(record), [step.state for step in steps])


def _read(page: PageState, record: RunRecord) -> _Partitions:
    states = step_states(record, page.store.runs.events(record.run_id))
    return _Partitions(record, partition_steps(record), states)

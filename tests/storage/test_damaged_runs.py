"""Runs whose files are cut, damaged or lost: shown as far as possible, with the damage named."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_assets import asset_named

import assetgraph as dg
from assetgraph.errors import DamagedStoreError
from assetgraph.queries.run_views import list_runs, run_details, run_details_json
from assetgraph.records import StepState


@pytest.fixture
def result(instance: dg.Instance) -> dg.RunResult:
    return dg.materialize([asset_named("a"), asset_named("b", "a")], instance=instance)


def events_file(result: dg.RunResult) -> Path:
    return Path(result.instance.store.runs.path(result.run_id), "events.jsonl")


def test_a_run_whose_log_is_cut_at_any_byte_is_shown_as_far_as_it_goes(
    result: dg.RunResult,
) -> None:
    file, store = events_file(result), result.instance.store
    whole = file.read_bytes()
    all_events = result.events
    seen = set()
    for size in range(len(whole) + 1):
        file.write_bytes(whole[:size])
        details = run_details(store, result.run_id)
        assert details.events == all_events[: whole[:size].count(b"\n")]
        seen.add(tuple(step.state for step in details.steps))
    assert (StepState.WAITING, StepState.WAITING) in seen
    assert (StepState.SUCCESS, StepState.SUCCESS) in seen


def test_a_run_without_a_log_is_shown_by_its_summary(result: dg.RunResult) -> None:
    events_file(result).unlink()
    details = run_details(result.instance.store, result.run_id)
    assert details.events == ()
    assert details.record.step_counts == {"success": 2}


@pytest.mark.parametrize("lines", [0, 1, 3, -1])
def test_a_run_that_ended_but_whose_log_does_not_say_so_carries_a_warning(
    result: dg.RunResult, lines: int
) -> None:
    file, store = events_file(result), result.instance.store
    assert run_details_json(run_details(store, result.run_id))["warnings"] == []
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:lines]))
    details = run_details(store, result.run_id)
    (warning,) = run_details_json(details)["warnings"]
    assert "log is lost" in warning
    assert details.record.warnings == (warning,)


def test_a_damaged_line_in_the_middle_of_a_log_is_named(result: dg.RunResult) -> None:
    file = events_file(result)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:2], b"\x00\x00garbage\n", *lines[3:]]))
    with pytest.raises(
        DamagedStoreError, match=f"line 3 of {file} is damaged.*move it .* mv {file}"
    ):
        run_details(result.instance.store, result.run_id)
    assert len(list_runs(result.instance.store).runs) == 1


def test_damage_in_an_assets_history_stops_a_run_before_it_starts(result: dg.RunResult) -> None:
    path = Path(result.instance.store.history.path(dg.AssetKey("a")))
    damaged = b"garbage\n"
    path.write_bytes(damaged)
    with pytest.raises(DamagedStoreError, match=f"line 1 of {path} is damaged"):
        dg.materialize([asset_named("a")], instance=dg.Instance(result.instance.store.folder))
    assert path.read_bytes() == damaged
    assert [run.run_id for run in list_runs(result.instance.store).runs] == [result.run_id]


def test_a_new_run_goes_on_after_a_cut_line_in_a_history(result: dg.RunResult) -> None:
    path = Path(result.instance.store.history.path(dg.AssetKey("a")))
    path.write_bytes(path.read_bytes()[:-5])
    again = dg.materialize([asset_named("a")], instance=dg.Instance(result.instance.store.folder))
    assert again.success
    assert [a.run_id for a in again.instance.store.history.newest_first(dg.AssetKey("a"))] == [
        again.run_id
    ]

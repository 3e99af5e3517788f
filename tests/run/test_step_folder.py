"""What one step does to its process does not affect the next step."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import assetgraph as dg
from assetgraph.queries.run_views import list_runs, run_details
from assetgraph.records import RunStatus


def test_a_step_that_changes_the_working_folder_changes_it_for_itself(folder: Path) -> None:
    @dg.asset
    def wanderer() -> None:
        os.chdir("/")

    @dg.asset(deps=[wanderer])
    def homebody() -> str:
        return os.getcwd()

    assert dg.materialize([wanderer, homebody]).value("homebody") == str(folder)
    assert Path.cwd() == folder


def test_a_contradicted_annotation_points_to_the_definition_of_the_asset() -> None:
    @dg.asset
    def fares() -> str:
        return 2  # type: ignore[return-value]

    result = dg.materialize([fares], raise_on_error=False)
    error = result.failures["fares"]
    assert error.type == "ValueTypeError"
    assert [Path(frame.file).name for frame in error.frames] == [Path(__file__).name]
    assert any("def fares" in line for line in error.frames[0].source)


def test_a_run_whose_process_died_says_how_many_of_its_steps_finished(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.asset
    def done() -> int:
        return 1

    @dg.asset
    def broken(done: int) -> int:
        raise ValueError

    run_id = dg.materialize([done, broken], instance=instance, raise_on_error=False).run_id
    path = Path(instance.store.runs.path(run_id)) / "run.json"
    text = path.read_text().replace('"FAILURE"', '"STARTED"')
    start = text.index(',"step_counts"')
    path.write_text(text[:start] + text[text.index("}", start) + 1 :])

    for record in (list_runs(instance.store).runs[0], run_details(instance.store, run_id).record):
        assert record.status is RunStatus.INTERRUPTED
        assert record.step_counts == {"success": 1, "failure": 1}
        assert record.failed_steps == ("broken",)

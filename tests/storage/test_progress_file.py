"""How far running steps are, for whoever watches a run from another process."""

from __future__ import annotations

from pathlib import Path

import pytest

import assetgraph as dg
from assetgraph.storage import progress_file as progress
from assetgraph.storage.progress_file import ProgressFile, read_progress


def test_the_first_report_is_there_at_once_and_the_last_one_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers = []

    class Timer:
        def __init__(self, _wait: float, act: object) -> None:
            self.act = act
            self.daemon = False
            timers.append(self)

        def start(self) -> None: ...

        def cancel(self) -> None: ...

    monkeypatch.setattr(progress.threading, "Timer", Timer)
    monkeypatch.setattr(progress.time, "monotonic", lambda: 100.0)
    file = ProgressFile(str(tmp_path))
    for done in range(1000):
        file.report("loads", done, 1000, "rows")
    assert read_progress(str(tmp_path))["loads"]["done"] == 0
    assert len(timers) == 1

    timers[0].act()
    last = read_progress(str(tmp_path))["loads"]
    assert (last["done"], last["total"], last["unit"]) == (999, 1000, "rows")
    file.close()
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_is_no_number_fails_no_step() -> None:
    @dg.asset
    def odd(context: dg.AssetExecutionContext) -> int:
        context.progress("half")  # type: ignore[arg-type]
        context.progress(float("nan"), float("inf"))
        return 1

    assert dg.materialize([odd]).success

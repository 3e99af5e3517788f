"""The end of a run in its process, while a step of it has not ended."""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
import threading
from types import ModuleType
from typing import Any

import pytest

from assetgraph.process.capture import captured

WATCH = "assetgraph.process.reads.watch"


class Slow:
    """Finds `watch`, and runs its code only once `go` is set."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        spec = importlib.machinery.PathFinder.find_spec(name, path) if name == WATCH else None
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def wait(module: ModuleType) -> None:
                self.begun.set()
                self.go.wait(30)
                execute(module)

            spec.loader.exec_module = wait  # type: ignore[method-assign]
        return spec


def test_a_run_that_ends_while_a_step_begins_to_be_observed_waits_for_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As when the disk is full, and the coordinator gives up while a thread imports the module."""
    importlib.import_module(WATCH)
    finder = Slow()
    monkeypatch.delitem(sys.modules, WATCH)
    monkeypatch.setattr(sys, "meta_path", [finder, *sys.meta_path])
    parent = importlib.import_module(WATCH.rpartition(".")[0])
    monkeypatch.setattr(parent, "watch", parent.watch)
    step = threading.Thread(target=importlib.import_module, args=[WATCH])
    with captured(streams=False):
        step.start()
        assert finder.begun.wait(30)
        threading.Timer(0.05, finder.go.set).start()
    step.join()
    assert finder.go.is_set()
    sys.modules.pop(WATCH)  # the one of before comes back

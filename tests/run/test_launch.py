"""From a request to a run: where steps run, and what a process of its own is told."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

import assetgraph as dg
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.request import RunRequest, plan_run
from assetgraph.project.settings import Project
from assetgraph.run import launch, launch_process
from assetgraph.run.executors.local import SerialExecutor
from assetgraph.run.launch_process import LaunchError, LaunchMessage


@pytest.mark.parametrize(
    ("settings", "asked", "made"),
    [
        ({}, {}, (None, None, None)),
        ({"executor": "threads", "jobs": 3}, {}, ("threads", 3, None)),
        ({"executor": "threads", "jobs": 3}, {"executor": "serial"}, ("serial", None, None)),
        ({"executor": "threads", "jobs": 3}, {"jobs": 2}, ("threads", 2, None)),
        ({"executor": "serial"}, {"jobs": 2}, (None, 2, None)),
        ({"executor": "dask", "dask_scheduler": "tcp://a"}, {}, ("dask", None, "tcp://a")),
        (
            {"executor": "dask", "dask_scheduler": "tcp://a"},
            {"dask_scheduler": "tcp://b"},
            ("dask", None, "tcp://b"),
        ),
        ({"dask_scheduler": "tcp://a"}, {"executor": "threads"}, ("threads", None, None)),
    ],
)
def test_steps_run_where_the_request_says_or_else_the_project(
    instance: dg.Instance,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    asked: dict[str, Any],
    made: tuple[Any, ...],
) -> None:
    found: list[tuple[Any, ...]] = []

    def make(name: str | None, jobs: int | None, **options: Any) -> SerialExecutor:
        found.append((name, jobs, options["scheduler"]))
        return SerialExecutor()

    monkeypatch.setattr(launch, "make", make)

    @dg.asset
    def trips() -> None: ...

    facts = StoreFacts(dg.Definitions([trips]).graph, instance.store)
    request = RunRequest(**asked)
    project = Project(Path.cwd(), ("pipeline",), Path(instance.store.folder), **settings)
    launch.launch(request, plan_run(request, facts), facts, project=project)
    assert found == [made]


def test_a_process_of_its_own_is_told_the_whole_request(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bytes] = []

    def start(_root: Path, message: bytes, _output: object) -> None:
        told.append(message)
        raise LaunchError("not in this test")

    monkeypatch.setattr(launch_process, "_start", start)
    request = RunRequest(
        selection=("trips+",),
        targets=("trips",),
        stale=True,
        config={"trips": {"month": "2023-04"}},
        tags={"why": "test"},
        executor="threads",
        jobs=3,
        dask_scheduler="tcp://a",
        wait=False,
        launched_by="page",
        run_id="20261122-160837-482-4f2a",
        root_run_id="20261122-160837-482-0001",
        parent_run_id="20261122-160837-482-0002",
    )
    project = Project(Path.cwd(), ("pipeline",), Path(instance.store.folder))
    with pytest.raises(LaunchError):
        launch_process.launch_process(request, project, instance.store)
    assert msgspec.json.decode(told[0], type=LaunchMessage).request == request


def test_a_process_of_its_own_does_not_get_the_interrupts_of_its_callers_terminal(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions: list[tuple[int, int]] = []
    popen = subprocess.Popen

    def start(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        process = popen([sys.executable, "-c", "input()"], **options)
        sessions.append((os.getsid(process.pid), os.getsid(0)))
        return process

    monkeypatch.setattr(subprocess, "Popen", start)
    project = Project(Path.cwd(), ("pipeline",), Path(instance.store.folder))
    request = RunRequest(run_id="20261122-160837-482-4f2a")
    with suppress(LaunchError):
        launch_process.launch_process(request, project, instance.store)
    ((own, callers),) = sessions
    assert own != callers

"""Where steps run: in this process, in worker processes, or on a Dask cluster."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from assetgraph.errors import AssetGraphError
from assetgraph.states import EXECUTORS
from assetgraph.text import did_you_mean, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assetgraph.run.executors.base import Computations, Loadable, StepExecutor

_NAME_CELLS = 200


def make(
    name: str | None = None,
    jobs: int | None = None,
    *,
    project: Loadable | None = None,
    computations: Computations | None = None,
    resources: Mapping[str, Any] | None = None,
    scheduler: str | None = None,
) -> StepExecutor:
    """The executor called `name`, for `jobs` steps at once.

    `name` defaults to processes for more than one job, otherwise to serial. `jobs` defaults to the
    number of cores, or of the cluster's threads. `computations` and `resources` are the ones that
    `project` loads: they go to workers by name, any others by value. `scheduler` is the address of
    a Dask scheduler; without it, a cluster starts on this machine.

    Raises `AssetGraphError` for an unknown name, or for options that the executor does not take.
    """
    if name is None:
        name = "processes" if jobs and jobs > 1 else "serial"
    _check(name, jobs, scheduler)
    if name == "serial":
        from assetgraph.run.executors.local import SerialExecutor

        return SerialExecutor()
    if name == "threads":
        from assetgraph.run.executors.local import ThreadExecutor

        return ThreadExecutor(jobs or _cores())
    loaded: Any = {"project": project, "computations": computations, "resources": resources}
    if name == "processes":
        from assetgraph.run.executors.process_executor import ProcessExecutor

        return ProcessExecutor(jobs or _cores(), **loaded)
    from assetgraph.run.executors.dask_executor import DaskExecutor

    return DaskExecutor(jobs, scheduler=scheduler, **loaded)


def _check(name: str, jobs: int | None, scheduler: str | None) -> None:
    if name not in EXECUTORS:
        hint = did_you_mean(name, EXECUTORS) or f"Choose one of: {', '.join(EXECUTORS)}."
        raise AssetGraphError(f"there is no executor {shorten(name, _NAME_CELLS)!r}.", hint=hint)
    if jobs is not None and jobs < 1:
        raise AssetGraphError(f"jobs must be at least 1, not {jobs}.")
    if scheduler is not None and name != "dask":
        raise AssetGraphError(
            f"the executor {name!r} does not use a scheduler.", hint="Add: --executor dask"
        )
    if name == "serial" and jobs and jobs > 1:
        raise AssetGraphError(
            f"the executor 'serial' runs one step at a time, not {jobs}.",
            hint="Choose threads or processes.",
        )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

"""Where steps run. An executor is what `concurrent.futures` says it is, with facts about it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from assetgraph.errors import AssetGraphError
from assetgraph.text import did_you_mean

if TYPE_CHECKING:
    from assetgraph.definitions.asset import Asset
    from assetgraph.keys import AssetKey
    from assetgraph.storage.store import Store

T = TypeVar("T")

NAMES = ("serial", "threads", "processes", "dask")


class StepExecutor(Protocol):
    """Runs `fn(task, store, channel)`.

    `slots` is how many steps run at once; with `shares_memory`, values are handed on. A future's
    `cancel()` ends a step that runs where it can, and otherwise says False. A future whose worker
    is gone raises `WorkerError`.
    """

    slots: int
    shares_memory: bool

    def submit(self, fn: Callable[..., T], /, *args: Any) -> Future[T]: ...

    def check(self, store: Store) -> None:
        """Raises `AssetGraphError` where the workers cannot use the store, before anything runs."""

    def interrupt(self) -> None:
        """Raise `KeyboardInterrupt` in the steps that run, where it can."""

    def shutdown(self) -> None:
        """End what still runs, where it can; again does nothing."""


class Loadable(Protocol):
    """What a worker loads the assets of a project from: see `assetgraph.project.settings`."""

    @property
    def root(self) -> Path: ...

    def load(self) -> Any: ...


def make(
    name: str | None = None,
    jobs: int | None = None,
    *,
    project: Loadable | None = None,
    assets: Mapping[AssetKey, Asset] | None = None,
    scheduler: str | None = None,
) -> StepExecutor:
    """The executor called `name`, for `jobs` steps at once.

    Without a name: processes for more than one job, else serial. Without jobs: as many as there
    are cores, or as the cluster has threads. `assets` are those that `project` loads: they go to
    workers by their keys, any other by value. `scheduler` is the address of a Dask scheduler; a
    cluster on this machine is made without it.

    Raises `AssetGraphError` for a name or a number that cannot be.
    """
    if jobs is not None and jobs < 1:
        raise AssetGraphError(f"{jobs} jobs at once cannot be.", hint="Give 1 or more.")
    if name is None:
        name = "processes" if jobs and jobs > 1 else "serial"
    if scheduler is not None and name != "dask":
        raise AssetGraphError(
            f"the executor {name!r} has no scheduler.", hint="Give: --executor dask"
        )
    if name == "serial":
        if jobs and jobs > 1:
            raise AssetGraphError(
                f"the executor 'serial' runs one step at a time, not {jobs}.",
                hint="Choose threads or processes.",
            )
        from assetgraph.run.executors.local import SerialExecutor

        return SerialExecutor()
    if name == "threads":
        from assetgraph.run.executors.local import ThreadExecutor

        return ThreadExecutor(jobs or _cores())
    if name == "processes":
        from assetgraph.run.executors.processes import ProcessExecutor

        return ProcessExecutor(jobs or _cores(), project=project, assets=assets or {})
    if name == "dask":
        from assetgraph.run.executors.on_dask import DaskExecutor

        return DaskExecutor(jobs, scheduler=scheduler, project=project, assets=assets or {})
    hint = did_you_mean(name, NAMES) or f"There are: {', '.join(NAMES)}."
    raise AssetGraphError(f"there is no executor {name!r}.", hint=hint)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

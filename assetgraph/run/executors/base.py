"""What the runner asks of an executor: see `StepExecutor`."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from assetgraph.definitions.computation import Computation
    from assetgraph.run.channel import StepChannel
    from assetgraph.run.task import StepResult, StepTask
    from assetgraph.storage.store import Store

Computations = Mapping[str, "Computation"]


class StepExecutor(Protocol):
    """Runs steps somewhere.

    `slots` is how many steps run at once. With `shares_memory`, values are passed on in memory.
    """

    slots: int
    shares_memory: bool

    def submit(self, task: StepTask, store: Store, channel: StepChannel) -> Future[StepResult]:
        """Run `run_step(task, store, channel)`.

        The future's `cancel()` kills a running step where it can, and returns False where it
        cannot. The future of a step whose worker is gone raises `WorkerError`.
        """

    def check(self, store: Store) -> None:
        """Raises `AssetGraphError` where the workers cannot use the store, before anything runs."""

    def interrupt(self) -> None:
        """Raise `KeyboardInterrupt` in the running steps, where that is possible."""

    def shutdown(self) -> None:
        """End what still runs, where that is possible. Calling it again does nothing."""


class Loadable(Protocol):
    """What a worker loads the computations of a project from: see `assetgraph.project`."""

    @property
    def root(self) -> Path: ...

    def load(self) -> Any: ...

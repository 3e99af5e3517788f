"""`StepExecutor`: the interface between the runner and an executor."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from assetgraph.definitions.computation import Computation
    from assetgraph.run.channel import StepChannel
    from assetgraph.run.step_task import StepResult, StepTask
    from assetgraph.storage.store import Store

Computations = Mapping[str, "Computation"]


class StepExecutor(Protocol):
    """Runs steps, in this process or elsewhere.

    At most `slots` steps run at once. With `shares_memory`, steps pass values on in memory.
    """

    slots: int
    shares_memory: bool

    def submit(self, task: StepTask, store: Store, channel: StepChannel) -> Future[StepResult]:
        """Run `run_step(task, store, channel)`.

        The future's `cancel()` kills a running step, or returns False if it cannot. The future of a
        step whose worker died raises `WorkerError`.
        """

    def check(self, store: Store) -> None:
        """Check, before anything runs, that the workers can use the store.

        Raises `AssetGraphError` if they cannot.
        """

    def interrupt(self) -> None:
        """Raise `KeyboardInterrupt` in the running steps, if possible."""

    def close_resources(self, run_id: str) -> list[str]:
        """Close the resources that the run's steps have opened, before `shutdown`. Returns a
        sentence for each that could not be closed. Called only for a run that has resources."""

    def shutdown(self) -> None:
        """End the running steps, if possible. A second call does nothing."""


class Loadable(Protocol):
    """A project whose computations a worker can load: see `assetgraph.project`."""

    @property
    def root(self) -> Path: ...

    def load(self) -> Any: ...


def close_here(run_id: str) -> list[str]:
    """Close what the run's steps have opened in this process."""
    from assetgraph.run.open_resources import close_resources  # few runs have resources

    return close_resources(run_id)

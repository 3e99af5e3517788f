"""The Dask cluster of a run: connecting to it, and closing what its workers have opened."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from assetgraph.errors import AssetGraphError
from assetgraph.run.executors.dask_worker import close_in_worker


def connect(scheduler: str | None, jobs: int | None) -> tuple[Any, Any]:
    package = distributed()
    if scheduler is None:
        cluster = package.LocalCluster(
            n_workers=jobs, threads_per_worker=1, dashboard_address="127.0.0.1:0"
        )
        return cluster, package.Client(cluster)
    try:
        return None, package.Client(scheduler, timeout=10)
    except (OSError, ValueError) as error:
        raise AssetGraphError(
            f"no Dask scheduler answers at {scheduler}: {error}.",
            hint="Start one with: dask scheduler",
        ) from error


def distributed() -> Any:
    """The package `distributed`, imported only when it is used. Raises `AssetGraphError`."""
    try:
        return import_module("distributed")
    except ImportError:
        raise AssetGraphError(
            "the executor 'dask' needs the package distributed.",
            hint="Install it with: pip install 'assetgraph[dask]'",
        ) from None


def close_everywhere(client: Any, run_id: str) -> list[str]:
    """Close what a run's steps have opened in the workers of a cluster."""
    try:
        answers = client.run(close_in_worker, run_id, on_error="return")
    except Exception as error:  # the scheduler is gone, and its workers with it
        return [f"the resources on the Dask cluster could not be closed: {error}"]
    return [
        f"{problem} (the Dask worker {worker})"
        for worker, found in answers.items()
        for problem in (found if isinstance(found, list) else [f"no answer: {found}"])
    ]

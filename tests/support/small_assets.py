"""Small assets and graphs that several test modules use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from assetgraph import Asset, asset
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.graph.definitions import Definitions
from assetgraph.keys import Target
from assetgraph.run.step_task import StepTask


def asset_named(name: str, *upstream: str, **options: object) -> Asset:
    """An asset that reads `upstream` and returns the list of their values."""
    names = ", ".join(upstream)
    made: dict[str, Callable[..., object]] = {}
    exec(f"def function({names}): return [{names}]", made)
    return asset(name=name, **options)(made["function"])  # type: ignore[call-overload]


def graph_of(*assets: Asset) -> AssetGraph:
    """The graph of the assets, valid or not."""
    return Definitions(assets).graph


def task_of(asset: Asset, **fields: Any) -> StepTask:
    """The task of a step that materializes `asset`, without inputs."""
    given = {
        "step_id": asset.name,
        "computation": asset,
        "outputs": (Target(asset.key),),
        "run_id": "20261122-160837-482-4f2a",
        "attempt": 1,
        "inputs": (),
        "config": {},
        "code_version": None,
        "known_run_ids": (None,),
    }
    return StepTask(**{**given, **fields})


class QuietChannel:
    """A channel that lets a step run and commit, and keeps nothing that it says."""

    def started(self) -> None: ...
    def events(self, events: Sequence[Any]) -> None: ...
    def output(self, stream: str, text: str) -> None: ...
    def progress(self, done: float, total: float | None, unit: str) -> None: ...
    def written(self, stream: str, data: bytes) -> None: ...
    def dropped(self, stream: str, count: int) -> None: ...

    def canceled(self) -> bool:
        return False

    def wanted(self) -> bool:
        return True

    def may_commit(self) -> bool:
        return True

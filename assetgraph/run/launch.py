"""`Launch`: what a run is told about itself, and what is recorded of that before it begins."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assetgraph import __version__
from assetgraph.definitions.config import build_config
from assetgraph.keys import Target
from assetgraph.planning.checked_config import checked_config
from assetgraph.records import RunRecord, RunStatus, now
from assetgraph.run.task import Limits
from assetgraph.storage.run_folders import new_run_id

if TYPE_CHECKING:
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.planning.plan import Plan, Step
    from assetgraph.storage.store import Store


@dataclass(frozen=True, slots=True)
class Launch:
    """What was asked for, by whom, and what run it repeats. Without `wait` a run fails at once
    where another holds an asset; with `echo` what steps print appears where it always did, too."""

    selection: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    launched_by: str = ""
    root_run_id: str | None = None
    parent_run_id: str | None = None
    wait: bool = True
    echo: bool = True
    limits: Limits = field(default_factory=Limits)
    pools: Mapping[str, int] = field(default_factory=dict)

    def check(self, graph: AssetGraph, store: Store, steps: Iterable[Step]) -> None:
        """Raises `ConfigError`, and without `wait` `LockedError`, for what may not start."""
        steps = tuple(steps)
        _check_config(graph, steps)
        if not self.wait:
            _check_locks(store, steps)

    def record(self, graph: AssetGraph, plan: Plan) -> RunRecord:
        """The record of a run of `plan` that starts now."""
        started_at = now()
        return RunRecord(
            run_id=new_run_id(started_at),
            status=RunStatus.STARTED,
            started_at=started_at,
            root_run_id=self.root_run_id,
            parent_run_id=self.parent_run_id,
            selection=tuple(self.selection),
            assets=tuple(step.key.text for step in plan.steps),
            tags=dict(self.tags),
            config={step.key.text: dict(step.config) for step in plan.steps if step.config},
            warnings=(*plan.warnings, *self._unlimited_pools(graph, plan)),
            launched_by=self.launched_by,
            pid=os.getpid(),
            host=os.uname().nodename,
            python_version=platform.python_version(),
            assetgraph_version=__version__,
        )

    def _unlimited_pools(self, graph: AssetGraph, plan: Plan) -> Iterator[str]:
        """Where a project limits pools, one that it does not name may be a slip of the pen."""
        if self.pools:
            pools = (graph.asset(step.key).pool for step in plan.steps)
            for pool in sorted({pool for pool in pools if pool} - self.pools.keys()):
                yield f"the pool {pool!r} has no limit: give it one under [tool.assetgraph.pools]."


def _check_config(graph: AssetGraph, steps: Sequence[Step]) -> None:
    checked_config(graph, {step.key: step.config for step in steps if step.config})
    for step in steps:
        kind = graph.asset(step.key).config_type
        if kind is not None and not step.config:
            build_config(kind, {}, step.key.text)  # a field without a default must be given


def _check_locks(store: Store, steps: Sequence[Step]) -> None:
    for step in steps:
        if store.is_running(Target(step.key)):
            raise store.locked(Target(step.key), hint="Leave out --no-wait to wait for it.")

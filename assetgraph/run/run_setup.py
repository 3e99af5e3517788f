"""`RunSetup`: the settings of a run, the checks before it starts, and its first record."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from assetgraph.planning.request import RunRequest, resource_config
from assetgraph.records import RunRecord, RunStatus, now
from assetgraph.run.step_task import NOTHING, Limits, Taken
from assetgraph.version import __version__

if TYPE_CHECKING:
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.plan import Plan
    from assetgraph.run.executors.base import StepExecutor
    from assetgraph.run.journal import Journal
    from assetgraph.storage.store import Store


class StepResources(Protocol):
    """The resources that the steps of a run take."""

    def of(self, computation: str, /) -> Taken:
        """What the steps of a computation take."""

    def close(self, executor: StepExecutor, journal: Journal, /) -> None:
        """Close what the steps have opened, and record what goes wrong."""

    def end(self, executor: StepExecutor, journal: Journal, /) -> None:
        """Close them, and shut down the executor."""


class _NoResources:
    def of(self, _: str) -> Taken:
        return NOTHING

    def close(self, _: StepExecutor, __: Journal) -> None:
        pass

    def end(self, executor: StepExecutor, _: Journal) -> None:
        executor.shutdown()


class RunSetup(msgspec.Struct, frozen=True):
    """A request, with the settings that apply to every run of the project.

    `pools` limits how many steps of a pool run at once. With `echo`, the steps' output is also
    written to the stdout and stderr of the program.
    """

    request: RunRequest = RunRequest()
    pools: Mapping[str, int] = {}
    limits: Limits = Limits()
    echo: bool = True

    def check(self, plan: Plan, facts: StoreFacts) -> StepResources:
        """Check that the run may start, and return the resources of its steps.

        Raises `ConfigError`, `DamagedStoreError` if damaged histories leave nothing to run, and
        `LockedError` for a request without `wait`.
        """
        _require_a_readable_history(plan, facts)
        for step in plan.steps:
            made = plan.computations[step.computation]
            if not step.config_given and (step.config or made.config_parameter):
                from assetgraph.planning.checked_config import check_config  # few assets take any

                check_config(made, step.config)
        if not self.request.wait:
            _check_locks(plan, facts.store)
        if not facts.graph.resources:
            return _NoResources()
        from assetgraph.run.run_resources import RunResources  # few projects have any

        return RunResources(plan, facts).check()

    def record(self, plan: Plan, facts: StoreFacts) -> RunRecord:
        """The record of a run of `plan` that starts now."""
        request, store, started_at = self.request, facts.store, now()
        steps = tuple([step.id for step in plan.steps])
        outputs = [target.key.text for step in plan.steps for target in step.outputs]
        assets = tuple([text for text in dict.fromkeys(outputs) if ":" not in text])  # no checks
        return RunRecord(
            run_id=request.run_id or store.runs.new_id(started_at),
            status=RunStatus.STARTED,
            started_at=started_at,
            root_run_id=request.root_run_id,
            parent_run_id=request.parent_run_id,
            selection=tuple(_asked(request)),
            assets=assets,
            steps=() if steps == assets else steps,
            outputs={
                step.id: tuple(target.text for target in step.outputs)
                for step in plan.steps
                if len(step.outputs) > 1 or step.id != step.outputs[0].text
            },
            tags={**_partition_tags(plan), **request.tags},
            config={step.id: dict(step.config) for step in plan.steps if step.config}
            | _recorded_resources(request, facts.graph),
            warnings=(*plan.warnings, *self._unlimited_pools(plan)),
            launched_by=request.launched_by,
            project="" if store.ephemeral else str(store.project_root),
            store="" if store.ephemeral else store.folder,
            pid=os.getpid(),
            host=os.uname().nodename,
            python_version=platform.python_version(),
            assetgraph_version=__version__,
        )

    def _unlimited_pools(self, plan: Plan) -> Iterator[str]:
        """Warnings about pools without a limit in a project that limits others: a pool's name may
        be misspelled."""
        if self.pools:
            pools = (made.pool for made in plan.computations.values())
            for pool in sorted({pool for pool in pools if pool} - self.pools.keys()):
                yield f"the pool {pool!r} has no limit: give it one under [tool.assetgraph.pools]."


def _recorded_resources(request: RunRequest, graph: AssetGraph) -> dict[str, dict[str, Any]]:
    given = resource_config(graph, request.config)
    if not given:
        return {}
    from assetgraph.planning.resource_config import recorded

    return recorded(given)


def _asked(request: RunRequest) -> Iterator[str]:
    """What was asked for, as it is typed."""
    yield from request.selection
    yield from (f"--partitions {text}" for text in request.partitions)
    yield from (f"--{state}" for state in request.only)
    yield from (f"--exclude {text}" for text in request.exclude)


def _partition_tags(plan: Plan) -> dict[str, str]:
    """The tags of a run of one partition, or of one range of an asset, by Dagster's names."""
    partitions = [target.partition for step in plan.steps for target in step.outputs]
    found = dict.fromkeys(one for one in partitions if one is not None)
    if len(found) == 1:
        (key,) = found
        tags = {"dagster/partition": str(key)}
        tags |= {f"dagster/partition/{name}": part for name, part in _dimensions(plan, key)}
        return tags
    if len(plan.steps) == 1 and found:
        first, *_, last = found
        return {
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": last,
        }
    return {}


def _dimensions(plan: Plan, key: str) -> Iterator[tuple[str, str]]:
    """The dimensions of a partition and its key in each, if it has several."""
    for made in plan.computations.values():
        definition = made.specs[0].partitions_def
        names = getattr(definition, "partitions_defs", None)
        if names is not None:
            yield from zip(names, key.split("|"), strict=True)
            return


def _require_a_readable_history(plan: Plan, facts: StoreFacts) -> None:
    """Raise `DamagedStoreError` if every step has a damaged history, or comes after one that has.

    Beside other steps, such a step runs, and fails.
    """
    blocked: set[str] = set()
    for step in plan.steps:
        damaged = any(facts.of(target).damage for target in step.outputs)
        if not damaged and blocked.isdisjoint(step.after):
            return
        blocked.add(step.id)
    for step in plan.steps:
        for target in step.outputs:
            facts.store.history.current(target)


def _check_locks(plan: Plan, store: Store) -> None:
    for step in plan.steps:
        for target in step.outputs:
            if store.is_running(target):
                raise store.locked(target, hint="Leave out --no-wait to wait for it.")

"""`launch`: the only way to start a run in this process, from a request and its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.definitions.resource_marks import is_configurable
from assetgraph.planning.request import resource_config
from assetgraph.run.executors import make
from assetgraph.run.run_setup import RunSetup
from assetgraph.run.runner import run_plan
from assetgraph.run.step_task import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.plan import Plan
    from assetgraph.planning.request import RunRequest
    from assetgraph.project.settings import Project
    from assetgraph.run.channel import Observer
    from assetgraph.run.executors.base import StepExecutor
    from assetgraph.run.outcome import RunOutcome

_NO_INDEX = "Commands read the whole history of partitions again each time: {}"


def launch(
    request: RunRequest,
    plan: Plan,
    facts: StoreFacts,
    *,
    project: Project | None = None,
    executor: StepExecutor | None = None,
    observer: Observer | None = None,
    echo: bool = True,
) -> RunOutcome:
    """Run `plan`, which `plan_run` made from `request`.

    Pools and limits come from `project`. The executor is `executor`, else the one that the request
    names, else the project's. Raises what `run_plan` and `executors.make` raise.
    """
    setup = RunSetup(request, echo=echo)
    if project is not None:
        limits = Limits(output_bytes=project.log_limit) if project.log_limit else Limits()
        setup = RunSetup(request, project.pools, limits, echo)
    where = executor or _executor(request, facts.graph, project)
    outcome = run_plan(plan, facts, executor=where, observer=observer, setup=setup)
    if facts.graph.partitioned:
        made = {output.key for step in plan.steps for output in step.outputs}
        problem = facts.keep_indexes(made)  # a later process need not read what this one wrote
        if problem:
            outcome = msgspec.structs.replace(outcome, note=_NO_INDEX.format(problem))
    return outcome


def _loadable(request: RunRequest, graph: AssetGraph) -> Mapping[str, Any]:
    """The resources that workers may load from the project: those that no config of the run
    changes. Others can be sent."""
    if not resource_config(graph, request.config):
        return graph.resources
    return {name: one for name, one in graph.resources.items() if not is_configurable(one)}


def _executor(request: RunRequest, graph: AssetGraph, project: Project | None) -> StepExecutor:
    """The executor that the request names, or the project's if that one fits the request."""
    if project is None:
        return make(request.executor, request.jobs, scheduler=request.dask_scheduler)
    name, jobs = request.executor, request.jobs
    if name is None and not (project.executor == "serial" and jobs and jobs > 1):
        name = project.executor
    if jobs is None and request.executor != "serial":
        jobs = project.jobs
    scheduler = request.dask_scheduler or (project.dask_scheduler if name == "dask" else None)
    return make(
        name,
        jobs,
        project=project,
        computations=graph.computations,
        resources=_loadable(request, graph),
        scheduler=scheduler,
    )

"""`RunResources`: the resources of one run, checked before any step."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.resource_marks import is_configurable, is_defined
from assetgraph.errors import ConfigError, StoreError
from assetgraph.graph.bound_resources import needed_resources
from assetgraph.planning.resource_records import resource_records
from assetgraph.process.secrets import hide
from assetgraph.process.signals import let_through
from assetgraph.records import EventType
from assetgraph.run.open_resources import resolved, secret_values
from assetgraph.run.step_task import NOTHING, Taken

if TYPE_CHECKING:
    from assetgraph.definitions.computation import AssetSpec, Computation
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.plan import Plan
    from assetgraph.run.executors.base import StepExecutor
    from assetgraph.run.journal import Journal


class RunResources:
    """The resources that the steps of `plan` take."""

    def __init__(self, plan: Plan, facts: StoreFacts) -> None:
        self._facts = facts
        self._graph = facts.graph
        self._resources: Mapping[str, Any] = facts.graph.resources
        self._taken = {name: self._found(made) for name, made in plan.computations.items()}
        self._any = any(taken.resources for taken in self._taken.values())

    def of(self, computation: str) -> Taken:
        """What the steps of a computation take."""
        return self._taken[computation]

    def check(self) -> RunResources:
        """Return these. Raises `ConfigError` if a variable is not set or does not fit its
        field."""
        checked: set[str] = set()
        for owner, taken in self._taken.items():
            for name in taken.resources.keys() - checked:
                checked.add(name)
                resource = taken.resources[name]
                if is_configurable(resource):
                    _check(name, resource, owner)
        return self

    def close(self, executor: StepExecutor, journal: Journal) -> None:
        """Close what the steps have opened, wherever they ran, and record what goes wrong. An
        interrupt ends the wait."""
        if not self._any:
            return
        try:
            with let_through():
                problems = executor.close_resources(journal.record.run_id)
        except KeyboardInterrupt:
            problems = ["the closing of resources was interrupted"]
        with suppress(StoreError):  # the run is about to say why it cannot write
            for problem in problems:
                journal.emit(EventType.LOG, level="WARNING", message=problem)

    def end(self, executor: StepExecutor, journal: Journal) -> None:
        """Close them, and shut down the executor."""
        self.close(executor, journal)
        executor.shutdown()

    def _found(self, computation: Computation) -> Taken:
        managers = frozenset(self._managers(computation))
        names = [n for n in needed_resources(computation) if n in self._resources]
        if not (names or managers):
            return NOTHING
        resources = {name: self._resources[name] for name in (*names, *managers)}
        self._add_inner(resources)
        recorded = resource_records(computation, self._resources, self._facts.store)
        return Taken(resources, managers, recorded)

    def _managers(self, computation: Computation) -> list[str]:
        """The names of the IO managers that have to be opened."""
        upstream = self._graph.inputs(computation.specs[0].key).values()
        specs: list[AssetSpec] = [*computation.specs, *map(self._graph.asset, upstream)]
        keys = [spec.io_manager_key for spec in specs if spec.io_manager is not None]
        return [key for key in keys if key is not None and is_defined(self._resources.get(key))]

    def _add_inner(self, resources: dict[str, Any]) -> None:
        """Add the resources of the run that are in fields of others, so that all share them."""
        names = {id(resource): name for name, resource in self._resources.items()}
        work = list(resources.values())
        while work:
            for value in _fields(work.pop()):
                if id(value) in names and names[id(value)] not in resources:
                    resources[names[id(value)]] = value
                work.append(value)


def _fields(resource: Any) -> list[Any]:
    if not is_configurable(resource):
        return []
    return [vars(resource).get(field) for field in type(resource).model_fields]


def _check(name: str, resource: Any, owner: str) -> None:
    hide(secret_values(resource))
    try:
        resolved(name, resource)
    except ConfigError as error:
        error.message = f"{error.message.rstrip('.')} (asset {owner!r} takes it)."
        raise
    for field in type(resource).model_fields:
        value = vars(resource).get(field)
        if _fields(value):
            _check(f"{name}.{field}", value, owner)

"""Warnings about environment variables that resources need and that are not set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.env_var import env_vars_in
from assetgraph.definitions.resource_marks import is_configurable
from assetgraph.errors import ConfigError, Problem
from assetgraph.graph.bound_resources import needed_resources

if TYPE_CHECKING:
    from assetgraph.graph.connected import Connected


def unset_variables(graph: Connected) -> Iterator[Problem]:
    """One warning for each variable of a resource that an asset takes, at the first such asset. It
    is an error only once a run needs it."""
    looked_at: set[str] = set()
    for computation in graph.computations.values():
        managers = [spec.io_manager_key for spec in computation.specs if spec.io_manager_key]
        for name in (*needed_resources(computation), *managers):
            if name in looked_at or name not in graph.resources:
                continue
            looked_at.add(name)
            for message, remedy in _unset(name, graph.resources[name]):
                key = computation.specs[0].key.text
                yield Problem(computation.file, computation.line, message, remedy, key)


def _unset(name: str, resource: Any) -> Iterator[tuple[str, str]]:
    if not is_configurable(resource):
        return
    for field in type(resource).model_fields:
        value = vars(resource).get(field)
        yield from _unset(f"{name}.{field}", value)
        for variable in env_vars_in(value):
            try:
                is_set = variable.get_value() is not None
            except ConfigError as error:
                yield f"the resource {name!r}: {error.message}", error.hint or ""
                continue
            if not is_set:
                yield unset_text(name, field, variable.env_var_name)


def unset_text(name: str, field: str, variable: str) -> tuple[str, str]:
    """What is wrong with a variable that is not set, and what to do."""
    return (
        f"the resource {name!r} needs the environment variable {variable} for its field "
        f"{field!r}, and it is not set.",
        f"Set it, as in: export {variable}=…, or write {variable}=… into the project's .env.",
    )

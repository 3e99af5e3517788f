"""Tables of resources by name, as a person gives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.annotations import described, of_which_type
from assetgraph.errors import InvalidDefinitionError

if TYPE_CHECKING:
    from assetgraph.definitions.computation import Computation
    from assetgraph.graph.asset_graph import AssetGraph


def graph_of(computations: Iterable[Computation], resources: Mapping[str, Any]) -> AssetGraph:
    """The graph of computations that take `resources`."""
    from assetgraph.graph.asset_graph import AssetGraph

    if not resources:
        return AssetGraph(computations)
    from assetgraph.graph.bound_resources import with_resources

    graph = AssetGraph(with_resources(computations, resources))
    graph.resources = resources
    return graph


def given_to(graph: AssetGraph, resources: Mapping[str, Any]) -> AssetGraph:
    """`graph` with `resources` beside, and in place of, its own."""
    joined = {**graph.resources, **checked_resources(resources)}
    twice = [other for _, _, other in graph.duplicates]
    return graph_of([*graph.computations.values(), *twice], joined)


def checked_resources(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Resources by name. Raises `TypeError` for anything else."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f"resources must be {{name: resource}}, not {described(given)}")
    for name in given:
        if not isinstance(name, str):
            raise TypeError(f"the name of a resource must be text, not {described(name)}")
    return dict(given)


def joined_resources(tables: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The resources of several definitions. Raises `InvalidDefinitionError` for two of one name."""
    joined: dict[str, Any] = {}
    for table in tables:
        for name, resource in table.items():
            if joined.setdefault(name, resource) is not resource:
                one, other = of_which_type(joined[name]), of_which_type(resource)
                raise InvalidDefinitionError(
                    f"two resources are called {name!r}: {one} and {other}.",
                    hint="Rename one, or define it once and import it.",
                )
    return joined

"""The edges between assets with partitions: which mapping each has, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_origin

from assetgraph.definitions.annotations import EMPTY, table_kind
from assetgraph.definitions.partitions.mappings import default_mapping, mapping_problem

if TYPE_CHECKING:
    from assetgraph.definitions.partitions.mapping import PartitionMapping
    from assetgraph.graph.connected import Connected
    from assetgraph.keys import AssetKey

Wrong = tuple[str, str]  # a message and a remedy


class Edge(NamedTuple):
    """An upstream of an asset, and the parameter that loads it: None for one in `deps`. `mapping`
    says which partitions of it are read; None if it has none. `is_several` says whether they may be
    several, or none."""

    parameter: str | None
    upstream: AssetKey
    mapping: PartitionMapping | None
    is_several: bool = False


def edges_of(graph: Connected, key: AssetKey) -> Iterator[Edge]:
    """The upstreams of an asset, those that a parameter loads first."""
    computation, spec = graph.computation(key), graph.asset(key)
    loaded = graph.inputs(key)
    for parameter, upstream in loaded.items():
        given = computation.partition_mappings.get(parameter)
        yield _edge(graph, key, parameter, upstream, given)
    others = [up for up in graph.parents(key) if up not in loaded.values()]
    if key in graph.self_readers and key not in loaded.values():
        others.append(key)
    for upstream in others:
        yield _edge(graph, key, None, upstream, spec.partition_mappings.get(upstream))


def _edge(
    graph: Connected,
    key: AssetKey,
    parameter: str | None,
    upstream: AssetKey,
    given: PartitionMapping | None,
) -> Edge:
    own, above = graph.asset(key).partitions_def, graph.asset(upstream).partitions_def
    if above is None:
        return Edge(parameter, upstream, None)
    mapping = given or default_mapping(own, above)
    return Edge(parameter, upstream, mapping, not mapping.always_one(own, above))


def of_one_partition(annotation: Any) -> Any:
    """The annotation for each partition, of a parameter that takes several: what stands behind the
    key in `dict[str, …]` or `Mapping[str, …]`, or all of it for one table of all partitions. None
    if it can take only one partition."""
    if annotation is EMPTY:
        return EMPTY
    origin = get_origin(annotation) or annotation
    if isinstance(origin, type) and issubclass(origin, Mapping):
        arguments = get_args(annotation)
        return arguments[1] if len(arguments) == 2 else EMPTY
    return annotation if table_kind(annotation) is not None else None


def edge_problems(graph: Connected, key: AssetKey) -> Iterator[Wrong]:
    """What is wrong with the mappings of an asset, and with parameters that take partitions."""
    own = graph.asset(key).partitions_def
    computation = graph.computation(key)
    annotations = {one.name: one.annotation for one in computation.inputs}
    given = {*computation.partition_mappings, *graph.asset(key).partition_mappings}
    for edge in edges_of(graph, key):
        if edge.mapping is None:
            if edge.parameter in given or (edge.parameter is None and edge.upstream in given):
                yield (
                    f"asset {key.text!r} has a partition mapping for {edge.upstream.text!r}, which "
                    "has no partitions.",
                    "Leave the mapping out.",
                )
            continue
        above = graph.asset(edge.upstream).partitions_def
        assert above is not None
        wrong = mapping_problem(edge.mapping, own, above)
        if wrong:
            yield (
                f"asset {key.text!r} cannot read {edge.upstream.text!r}: {wrong}.",
                "Give the mapping of partitions: ins={…: AssetIn(partition_mapping=…)}, or "
                "deps=[AssetDep(…, partition_mapping=…)].",
            )
        annotation = annotations.get(edge.parameter or "", EMPTY)
        if edge.is_several and of_one_partition(annotation) is None:
            yield (
                f"parameter {edge.parameter!r} of asset {key.text!r} may read several partitions "
                f"of {edge.upstream.text!r}.",
                "Annotate it with dict[str, …], which has the value of each partition, or with a "
                "table such as pa.Table, which has them all.",
            )

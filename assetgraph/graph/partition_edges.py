"""The edges between assets with partitions: which mapping each has, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from assetgraph.definitions.annotations import EMPTY
from assetgraph.definitions.gathered import gathered_as, gathering_hint
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
    # A call that may make several partitions gets theirs by key even where it makes only one.
    is_several = graph.computation(key).makes_several_partitions
    return Edge(parameter, upstream, mapping, is_several or not mapping.always_one(own, above))


def of_one_partition(annotation: Any) -> Any:
    """The annotation for each partition, of a parameter that takes several: what stands behind the
    key in `dict[str, …]` or `Mapping[str, …]`, or all of it for one table of all partitions. None
    if it can take only one partition."""
    found = gathered_as(annotation)
    if found is None:
        return None
    return found.item if found.is_mapping else annotation


def edge_problems(graph: Connected, key: AssetKey) -> Iterator[Wrong]:
    """What is wrong with the mappings of an asset, and with parameters that take partitions."""
    computation = graph.computation(key)
    annotations = {one.name: one.annotation for one in computation.inputs}
    given = {*computation.partition_mappings, *graph.asset(key).partition_mappings}
    for edge in edges_of(graph, key):
        has_column = edge.parameter in computation.partition_columns
        if edge.mapping is None:
            has_mapping = edge.parameter in given or (
                edge.parameter is None and edge.upstream in given
            )
            yield from _needless(edge, key, has_mapping=has_mapping, has_column=has_column)
            continue
        above = graph.asset(edge.upstream).partitions_def
        assert above is not None
        wrong = mapping_problem(edge.mapping, graph.asset(key).partitions_def, above)
        if wrong:
            yield (
                f"asset {key.text!r} cannot read {edge.upstream.text!r}: {wrong}.",
                "Give the mapping of partitions: ins={…: AssetIn(partition_mapping=…)}, or "
                "deps=[AssetDep(…, partition_mapping=…)].",
            )
        annotation = annotations.get(edge.parameter or "", EMPTY)
        yield from _annotation_problems(edge, key, annotation, has_column=has_column)


def _needless(edge: Edge, key: AssetKey, *, has_mapping: bool, has_column: bool) -> Iterator[Wrong]:
    """What is given for partitions of an upstream that has none."""
    if has_mapping:
        yield (
            f"asset {key.text!r} has a partition mapping for {edge.upstream.text!r}, which has no "
            "partitions.",
            "Leave the mapping out.",
        )
    if has_column:
        yield (
            f"parameter {edge.parameter!r} of asset {key.text!r} has a partition_column, but "
            f"{edge.upstream.text!r} has no partitions.",
            "Leave partition_column out.",
        )


def _annotation_problems(
    edge: Edge, key: AssetKey, annotation: Any, *, has_column: bool
) -> Iterator[Wrong]:
    found = gathered_as(annotation)
    if has_column and (found is None or found.is_mapping):
        yield (
            f"parameter {edge.parameter!r} of asset {key.text!r} has a partition_column, which "
            "only a table of several partitions can have.",
            "Annotate it as a table, such as pa.Table, or leave partition_column out.",
        )
    elif edge.is_several and found is None:
        yield (
            f"parameter {edge.parameter!r} of asset {key.text!r} may read several partitions of "
            f"{edge.upstream.text!r}.",
            gathering_hint(annotation),
        )

"""Which mapping there is when none is given, and what is wrong with one that is."""

from __future__ import annotations

from assetgraph.definitions.partitions.definition import PartitionsDefinition
from assetgraph.definitions.partitions.keys import PartitionKeys
from assetgraph.definitions.partitions.mapping import PartitionMapping
from assetgraph.definitions.partitions.multi import MultiPartitionsDefinition
from assetgraph.definitions.partitions.multi_mapping import MultiToSingleDimensionPartitionMapping
from assetgraph.definitions.partitions.simple_mappings import (
    AllPartitionMapping,
    IdentityPartitionMapping,
)
from assetgraph.definitions.partitions.time_mapping import TimeWindowPartitionMapping
from assetgraph.definitions.partitions.time_window import (
    TimeKeys,
    TimeWindowPartitionsDefinition,
)


def default_mapping(
    downstream: PartitionsDefinition | None, upstream: PartitionsDefinition
) -> PartitionMapping:
    """The mapping of an edge that has none of its own. It may have a `mapping_problem`."""
    if downstream is None:
        return AllPartitionMapping()
    if isinstance(downstream, TimeWindowPartitionsDefinition) and isinstance(
        upstream, TimeWindowPartitionsDefinition
    ):
        return TimeWindowPartitionMapping()
    several = [isinstance(one, MultiPartitionsDefinition) for one in (downstream, upstream)]
    if any(several) and not all(several):
        return MultiToSingleDimensionPartitionMapping()
    return IdentityPartitionMapping()


def mapping_problem(
    mapping: PartitionMapping,
    downstream: PartitionsDefinition | None,
    upstream: PartitionsDefinition,
) -> str | None:
    """What is wrong with a mapping between two definitions, whatever keys there are, or None."""
    if not isinstance(mapping, PartitionMapping):
        return f"{mapping!r} is no partition mapping"
    has_rule = {PartitionMapping.upstream_keys, PartitionMapping.upstream} - {
        type(mapping).upstream_keys,
        type(mapping).upstream,
    }
    if not has_rule:
        return f"{type(mapping).__name__} does not define upstream_keys"
    return mapping.problem(downstream, upstream)


def distance(
    mapping: PartitionMapping, downstream: PartitionKeys, upstream: PartitionKeys
) -> int | None:
    """How much larger the number of the only upstream partition is than that of its downstream
    partition, where that is known to be the same for all of them. Those at the ends may read
    none."""
    if type(mapping) is IdentityPartitionMapping and downstream.definition == upstream.definition:
        return 0
    if not isinstance(downstream, TimeKeys) or not isinstance(upstream, TimeKeys):
        return None
    below, above = downstream.definition, upstream.definition
    if below.calendar is not above.calendar or below.fmt != above.fmt:
        return None  # with another form, a key may be that of another window
    ahead: int = below.overlapping(0, 1, above)[0]
    if type(mapping) is IdentityPartitionMapping:
        return ahead
    if type(mapping) is TimeWindowPartitionMapping and mapping.start_offset == mapping.end_offset:
        return ahead + mapping.start_offset
    return None

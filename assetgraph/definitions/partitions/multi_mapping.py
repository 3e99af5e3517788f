"""Mappings of partitions with several dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from assetgraph.definitions.partitions.definition import PartitionsDefinition
from assetgraph.definitions.partitions.keys import PartitionKeys
from assetgraph.definitions.partitions.mapping import PartitionMapping, needs_partitions
from assetgraph.definitions.partitions.multi import MultiKeys, MultiPartitionsDefinition
from assetgraph.definitions.partitions.number_ranges import NONE, Numbers, common
from assetgraph.definitions.partitions.simple_mappings import IdentityPartitionMapping
from assetgraph.definitions.partitions.time_mapping import TimeWindowPartitionMapping
from assetgraph.definitions.partitions.time_window import TimeWindowPartitionsDefinition
from assetgraph.errors import PartitionsError
from assetgraph.text import listed

_SAME = IdentityPartitionMapping()
_OVERLAPPING = TimeWindowPartitionMapping()


class MultiToSingleDimensionPartitionMapping(PartitionMapping):
    """Between a definition with several dimensions and a definition that is one of these, in either
    direction. A key goes with all those that have it in that dimension.

    The dimension is the one with the same definition, or else, if both are of time, the only
    dimension of time, whose overlapping windows are taken. `partition_dimension_name` names it.
    """

    def __init__(self, partition_dimension_name: str | None = None) -> None:
        self.partition_dimension_name = partition_dimension_name

    def upstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        if isinstance(downstream, MultiKeys):
            name, mapping = self._dimension(downstream.definition, upstream.definition)
            own = downstream.split(number)[name]
            return mapping.upstream(own, downstream.dimensions[name], upstream)
        if downstream is None or not isinstance(upstream, MultiKeys):
            raise PartitionsError(f"{self._between()}.")
        name, mapping = self._dimension(upstream.definition, downstream.definition)
        return upstream.with_parts(
            {name: mapping.upstream(number, downstream, upstream.dimensions[name])}
        )

    def downstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        if isinstance(downstream, MultiKeys):
            name, mapping = self._dimension(downstream.definition, upstream.definition)
            part = mapping.downstream(number, downstream.dimensions[name], upstream)
            return downstream.with_parts({name: part})
        if downstream is None or not isinstance(upstream, MultiKeys):
            return NONE
        name, mapping = self._dimension(upstream.definition, downstream.definition)
        own = upstream.split(number)[name]
        return mapping.downstream(own, downstream, upstream.dimensions[name])

    def always_one(
        self, downstream: PartitionsDefinition | None, upstream: PartitionsDefinition
    ) -> bool:
        if not isinstance(downstream, MultiPartitionsDefinition):
            return False
        name, mapping = self._dimension(downstream, upstream)
        return mapping.always_one(downstream.partitions_defs[name], upstream)

    def problem(
        self, downstream: PartitionsDefinition | None, upstream: PartitionsDefinition
    ) -> str | None:
        if downstream is None:
            return needs_partitions(self)
        multi, single = downstream, upstream
        if isinstance(upstream, MultiPartitionsDefinition):
            multi, single = upstream, downstream
        if isinstance(single, MultiPartitionsDefinition):
            return self._between()
        try:
            self._dimension(multi, single)
        except PartitionsError as error:
            return error.message.removesuffix(".")
        return None

    def _between(self) -> str:
        return (
            f"{type(self).__name__} is between partitions of several dimensions and of a single one"
        )

    def _dimension(self, multi: object, single: object) -> tuple[str, PartitionMapping]:
        """The dimension that goes with the single definition, and how. Raises `PartitionsError`."""
        if not isinstance(multi, MultiPartitionsDefinition):
            raise PartitionsError(f"{self._between()}.")
        dimensions = multi.partitions_defs
        chosen = self.partition_dimension_name
        if chosen is not None and chosen not in dimensions:
            raise PartitionsError(f"there is no dimension {chosen!r} in {listed(dimensions)}.")
        names = [name for name in dimensions if chosen in (None, name)]
        same = [name for name in names if dimensions[name] == single]
        if len(same) == 1:
            return same[0], _SAME
        if len(same) > 1:
            raise PartitionsError(
                f"the dimensions {listed(same)} have the same definition: "
                f"{type(self).__name__}(partition_dimension_name=…) says which one goes with it."
            )
        of_time = [
            name for name in names if isinstance(dimensions[name], TimeWindowPartitionsDefinition)
        ]
        if len(of_time) == 1 and isinstance(single, TimeWindowPartitionsDefinition):
            return of_time[0], _OVERLAPPING
        raise PartitionsError(
            f"none of the dimensions {listed(names)} has the definition {single!r}, and not "
            "exactly one is of time as it is."
        )


class DimensionPartitionMapping(NamedTuple):
    """The downstream dimension that an upstream dimension is mapped to, and how."""

    dimension_name: str
    partition_mapping: PartitionMapping


class MultiPartitionMapping(PartitionMapping):
    """Each dimension by its own mapping: downstream dimensions by upstream dimension. An upstream
    dimension that is not named is read whole."""

    def __init__(
        self,
        downstream_mappings_by_upstream_dimension: Mapping[str, DimensionPartitionMapping],
    ) -> None:
        self.mappings = dict(downstream_mappings_by_upstream_dimension)
        for name, one in self.mappings.items():
            if not isinstance(one, DimensionPartitionMapping):
                raise PartitionsError(
                    f"the mapping of the dimension {name!r} is {one!r}.",
                    hint="Write DimensionPartitionMapping(dimension_name, partition_mapping).",
                )

    def upstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        if not isinstance(downstream, MultiKeys) or not isinstance(upstream, MultiKeys):
            raise PartitionsError(f"{type(self).__name__} is for several dimensions on both sides.")
        own, parts = downstream.split(number), {}
        for name, (below, mapping) in self.mappings.items():
            keys = downstream.dimensions[below], upstream.dimensions[name]
            parts[name] = mapping.upstream(own[below], *keys)
        return upstream.with_parts(parts)

    def downstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        if not isinstance(downstream, MultiKeys) or not isinstance(upstream, MultiKeys):
            return NONE
        own = upstream.split(number)
        parts: dict[str, Numbers] = {}
        for name, (below, mapping) in self.mappings.items():
            keys = downstream.dimensions[below], upstream.dimensions[name]
            found = mapping.downstream(own[name], *keys)
            parts[below] = common(parts[below], found) if below in parts else found
        return downstream.with_parts(parts)

    def always_one(
        self, downstream: PartitionsDefinition | None, upstream: PartitionsDefinition
    ) -> bool:
        return (
            isinstance(downstream, MultiPartitionsDefinition)
            and isinstance(upstream, MultiPartitionsDefinition)
            and all(
                name in self.mappings
                and self.mappings[name].partition_mapping.always_one(
                    downstream.partitions_defs[self.mappings[name].dimension_name], one
                )
                for name, one in upstream.partitions_defs.items()
            )
        )

    def problem(
        self, downstream: PartitionsDefinition | None, upstream: PartitionsDefinition
    ) -> str | None:
        if not isinstance(downstream, MultiPartitionsDefinition) or not isinstance(
            upstream, MultiPartitionsDefinition
        ):
            return f"{type(self).__name__} is for several dimensions on both sides"
        for name, (below, mapping) in self.mappings.items():
            for wanted, there in (
                (name, upstream.partitions_defs),
                (below, downstream.partitions_defs),
            ):
                if wanted not in there:
                    return f"there is no dimension {wanted!r} in {listed(there)}"
            found = mapping.problem(
                downstream.partitions_defs[below], upstream.partitions_defs[name]
            )
            if found:
                return f"in the dimension {name!r}, {found}"
        return None

    def content(self) -> Mapping[str, Any]:
        return {"downstream_mappings_by_upstream_dimension": self.mappings}

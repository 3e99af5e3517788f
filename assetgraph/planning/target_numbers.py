"""`TargetNumbers`: targets by asset and number, where there may be too many for an object each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from assetgraph.definitions.partitions.number_ranges import Numbers

if TYPE_CHECKING:
    from assetgraph.keys import AssetKey, Target
    from assetgraph.planning.target_graph import TargetGraph


class TargetNumbers:
    """Targets of `graph`: ranges of the numbers of each asset's partitions. An asset without
    partitions has the number 0."""

    def __init__(self, graph: TargetGraph, numbers: Mapping[AssetKey, Numbers]) -> None:
        self._graph = graph
        self.numbers = {key: ranges for key, ranges in numbers.items() if ranges}

    def only(self, numbers: Mapping[AssetKey, Numbers]) -> TargetNumbers:
        """Other targets of the same graph."""
        return TargetNumbers(self._graph, numbers)

    def __iter__(self) -> Iterator[Target]:
        for key, ranges in self.numbers.items():
            for part in ranges:
                yield from self._graph.numbered(key, part)

    def __len__(self) -> int:
        return sum(len(part) for ranges in self.numbers.values() for part in ranges)

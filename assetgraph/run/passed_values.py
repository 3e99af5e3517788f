"""`Handover`: values kept in memory from the step that made them to the last that reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.keys import AssetKey


class Handover:
    """For the steps `keys` of `graph`, which each read their inputs once."""

    def __init__(self, graph: AssetGraph, keys: Iterable[AssetKey]) -> None:
        self._graph = graph
        self._values: dict[AssetKey, Any] = {}
        self._read = {key: set(graph.inputs(key).values()) for key in keys}
        self._readers = Counter(chain.from_iterable(self._read.values()))

    def keep(self, key: AssetKey, value: Any) -> None:
        """Keep an immutable value, if a step is still to read it."""
        if self._readers[key]:
            self._values[key] = value

    def inputs(self, key: AssetKey) -> dict[str, Any]:
        """What is kept of what a step reads, by its parameters."""
        loaded = self._graph.inputs(key)
        return {name: self._values[up] for name, up in loaded.items() if up in self._values}

    def release(self, key: AssetKey) -> None:
        """The step `key` reads no more: a value leaves with its last reader."""
        for upstream in self._read.pop(key, ()):
            self._readers[upstream] -= 1
            if self._readers[upstream] == 0:
                self._values.pop(upstream, None)

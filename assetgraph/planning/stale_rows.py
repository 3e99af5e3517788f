"""`StaleRows`: what is not up to date among some targets and everything that they are made from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from functools import reduce
from typing import TYPE_CHECKING

from assetgraph.definitions.partitions.mappings import distance
from assetgraph.definitions.partitions.number_ranges import Numbers, common
from assetgraph.errors import PartitionsError
from assetgraph.planning import columns
from assetgraph.planning.asset_rows import CODES
from assetgraph.records import AssetState

if TYPE_CHECKING:
    from assetgraph.graph.partition_edges import Edge
    from assetgraph.keys import AssetKey, Target
    from assetgraph.planning.row_states import RowStates
    from assetgraph.planning.target_graph import TargetGraph
    from assetgraph.planning.target_numbers import TargetNumbers

_NEEDED = b"\1"


class StaleRows:
    """The targets that a run of `selected` needs because they are not up to date, in `rows`."""

    def __init__(self, graph: TargetGraph, rows: RowStates, selected: TargetNumbers) -> None:
        self._graph = graph
        self._needed: dict[AssetKey, bytes] = {}
        self._follow(selected)
        self.stale: dict[AssetKey, bytes] = {}  # 1 for each target that has to run
        for key in graph.graph.in_order(self._needed):
            if key not in graph.graph.externals:
                found = self._needed[key]
                if key not in graph.graph.checks.always:
                    found = columns.where(rows.of(key).stale(), found)
                if columns.any_set(found):
                    self.stale[key] = found

    def targets(self) -> Iterator[Target]:
        """The targets, upstream before downstream, and the partitions of an asset in order."""
        for key, column in self.stale.items():
            for numbers in columns.numbers_of(column, 1):
                yield from self._graph.numbered(key, numbers)

    def require_upstreams(self) -> None:
        """Raise `PartitionsError` if a target that has to run reads a partition that does not
        exist."""
        for key, column in self.stale.items():
            own = self._graph.keys(key)
            for edge in self._graph.edges(key):
                if edge.mapping is None:
                    continue
                above = self._graph.keys(edge.upstream)
                assert above is not None
                move = None if own is None else distance(edge.mapping, own, above)
                asked = column
                if move is not None:  # only at the ends may there be none
                    there = columns.moved(_NEEDED * len(above), move, len(column))
                    asked = columns.where_not(column, there)
                for numbers in columns.numbers_of(asked, 1):
                    for number in numbers:
                        self._graph.upstream(self._graph.target(key, number))

    def _follow(self, selected: TargetNumbers) -> None:
        """Find what the targets are made from, and the checks of all that."""
        graph = self._graph.graph
        for key, numbers in selected.numbers.items():
            for one in graph.whole_calls([key]):
                self._need(one, numbers)
        self._follow_upstream()
        if graph.checks:
            for key in tuple(self._needed):
                for check in graph.whole_calls(graph.checks.of(key)):
                    if self._count(check) == self._count(key):
                        self._need_where(check, self._needed[key])
                    else:
                        self._need(check, (range(self._count(check)),))
            self._follow_upstream()

    def _follow_upstream(self) -> None:
        """Find what is needed for what is needed, downstream before upstream."""
        graph = self._graph.graph
        for key in reversed(graph.node_order):
            row = graph.siblings.get(key)
            if row is not None and key is row[-1]:  # the first of its call here
                self._need_all(row)
            if key in self._needed:
                # What else a target reads, its earlier partitions read too.
                for edge in sorted(self._graph.edges(key), key=lambda one: one.upstream is not key):
                    self._follow_edge(key, edge)

    def _need_all(self, together: Sequence[AssetKey]) -> None:
        """Need of each asset of a call what is needed of any of them."""
        needed = [self._needed[key] for key in together if key in self._needed]
        if needed:
            column = reduce(columns.either, needed)
            for key in together:
                self._need_where(key, column)

    def _need(self, key: AssetKey, numbers: Numbers) -> None:
        count = self._count(key)
        if numbers == (range(count),):
            self._needed[key] = _NEEDED * count
            return
        column = bytearray(count)
        for part in numbers:
            column[part.start : part.stop] = _NEEDED * len(part)
        self._need_where(key, bytes(column))

    def _need_where(self, key: AssetKey, column: bytes) -> None:
        known = self._needed.get(key)
        found = column if known is None else columns.either(known, column)
        if columns.any_set(found):
            self._needed[key] = found

    def _follow_edge(self, key: AssetKey, edge: Edge) -> None:
        column, count = self._needed[key], self._count(edge.upstream)
        if self._needed.get(edge.upstream) == _NEEDED * count and edge.upstream is not key:
            return
        if edge.mapping is None:
            self._need(edge.upstream, (range(1),))
            return
        own, above = self._graph.keys(key), self._graph.keys(edge.upstream)
        assert above is not None
        move = None if own is None else distance(edge.mapping, own, above)
        if move is not None and edge.upstream is not key:
            self._need_where(edge.upstream, columns.moved(column, -move, count))
            return
        found = bytearray(column if edge.upstream is key else count)
        seen = found if edge.upstream is key else column
        for number in range(len(column) - 1, -1, -1):  # of its own, a partition reads earlier ones
            if seen[number]:
                with suppress(PartitionsError):  # the step says so
                    for part in edge.mapping.upstream(number, own, above):
                        found[part.start : part.stop] = _NEEDED * len(part)
        self._need_where(edge.upstream, bytes(found))

    def _count(self, key: AssetKey) -> int:
        keys = self._graph.keys(key)
        return 1 if keys is None else len(keys)


def in_states(rows: RowStates, chosen: TargetNumbers, states: Collection[str]) -> TargetNumbers:
    """Those of the targets that are in one of these states, by the names of states."""
    wanted = bytearray(256)
    for state in states:
        wanted[CODES[AssetState(state)]] = 1
    found: dict[AssetKey, Numbers] = {}
    for key, numbers in chosen.numbers.items():
        there = tuple(columns.numbers_of(rows.of(key).states.translate(bytes(wanted)), 1))
        found[key] = common(numbers, there)
    return chosen.only(found)

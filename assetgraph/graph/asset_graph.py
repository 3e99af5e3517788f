"""`AssetGraph`: assets connected into a DAG. The only module that knows networkx.

Importing networkx takes longer than a small run, so it waits until something asks for `digraph`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import cached_property
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, TypeVar, cast

from assetgraph.errors import AssetGraphError, DefinitionsError, PartitionsError, Problem
from assetgraph.graph.connections import Connections
from assetgraph.graph.graph_checks import GraphChecks
from assetgraph.graph.walk import cycle_through, walk
from assetgraph.hints import command
from assetgraph.keys import AssetKey, Target, checked_asset
from assetgraph.process.garbage_collector import paused_collector
from assetgraph.text import did_you_mean

if TYPE_CHECKING:
    from networkx import DiGraph

    from assetgraph.definitions.check_nodes import CheckNode
    from assetgraph.definitions.computation import AssetSpec, Computation


T = TypeVar("T")


class AssetGraph:
    """Assets and the edges between them. The order in which they were defined has no effect.

    A graph with problems can still be inspected, without its wrong edges: `validate` lists the
    problems, and `require_valid` raises them.
    """

    def __init__(self, computations: Iterable[Computation]) -> None:
        self.resources: Mapping[str, Any] = {}  # what its computations take, by name
        self._assets: _ByKey[AssetSpec] = _ByKey()
        self.nodes: Mapping[AssetKey, AssetSpec] = self._assets  # every asset and every check
        self.targets: Mapping[AssetKey, Target] = {}  # of each asset, without a partition
        self._makers: _ByKey[Computation] = _ByKey()
        self._inputs: _ByKey[dict[str, AssetKey]] = _ByKey()
        self._parents: _ByKey[tuple[AssetKey, ...]] = _ByKey()
        self.self_readers: Set[AssetKey] = set()  # whose partitions read others of their own
        self.checks = GraphChecks()  # the nodes that are checks, not assets
        self.duplicates: list[tuple[AssetKey, Computation, Computation]] = []
        with paused_collector():
            self._take(computations)
            self.targets = {key: Target(key) for key in self._assets}
            self._connect()

    @cached_property
    def assets(self) -> Mapping[AssetKey, AssetSpec]:
        """Every asset by its key, in the order of the keys."""
        if not self.checks:
            return self._assets
        return _ByKey((key, spec) for key, spec in self._assets.items() if key not in self.checks)

    @cached_property
    def computations(self) -> Mapping[str, Computation]:
        """Every computation by its name, in the order of its first key."""
        return {maker.name: maker for maker in self._makers.values()}

    @cached_property
    def externals(self) -> Set[AssetKey]:
        """The assets that something else makes: they are read, and never run."""
        return frozenset(key for key, maker in self._makers.items() if maker.is_external)

    @cached_property
    def partitioned(self) -> Set[AssetKey]:
        """The assets that have partitions."""
        return frozenset([k for k, spec in self._assets.items() if spec.partitions_def is not None])

    @cached_property
    def order(self) -> tuple[AssetKey, ...]:
        """Every key, upstream before downstream, by name where the graph leaves a choice.

        The assets of one call are next to each other, behind the upstreams of all of them. Keys on
        a cycle, or downstream of one, come last.
        """
        if not self.checks:
            return self.node_order
        return tuple(key for key in self.node_order if key not in self.checks)

    @cached_property
    def node_order(self) -> tuple[AssetKey, ...]:
        """`order` with the checks: each behind what it reads, and a blocking one before what reads
        its asset."""
        order = self._before_cycles
        if len(order) < len(self._assets):
            placed = set(order)
            order = (*order, *(key for key in self._assets if key not in placed))
        return order

    @cached_property
    def _before_cycles(self) -> tuple[AssetKey, ...]:
        """The order of the assets that are neither on a cycle nor downstream of one."""
        together = self.together
        followers = self.checks.followers(self._children, self._parents)
        rows = ((key, together.get(key, (key,))) for key in self._assets)
        calls = [row for key, row in rows if row[0] is key]  # by name
        rank = {key: number for number, keys in enumerate(calls) for key in keys}
        waits_for = [0] * len(calls)
        for row in followers.values():
            for key in row:
                waits_for[rank[key]] += 1
        ready = [number for number, count in enumerate(waits_for) if not count]  # a heap
        order: list[AssetKey] = []
        while ready:
            keys = calls[heappop(ready)]
            order += keys
            for key in keys:
                for child in followers[key]:
                    number = rank[child]
                    waits_for[number] -= 1
                    if not waits_for[number]:
                        heappush(ready, number)
        return tuple(order)

    @cached_property
    def siblings(self) -> Mapping[AssetKey, tuple[AssetKey, ...]]:
        """For each asset that no call materializes without others: all assets of that call, by
        name."""
        makers = self._makers
        return {key: row for key, row in self.together.items() if not makers[key].can_subset}

    @cached_property
    def together(self) -> Mapping[AssetKey, tuple[AssetKey, ...]]:
        """For each asset that one call may materialize with others: all assets of that call, by
        name."""
        found: dict[AssetKey, tuple[AssetKey, ...]] = {}
        for maker in {id(maker): maker for maker in self._makers.values()}.values():
            if len(maker.specs) > 1:
                own = [spec.key for spec in maker.specs if self._makers.get(spec.key) is maker]
                found.update(dict.fromkeys(own, tuple(sorted(own))))
        return found

    def mates(self, key: AssetKey) -> tuple[AssetKey, ...]:
        """What leads a walk from `key` to all that its call materializes: the first of these by
        name, and from that one all."""
        row = self.siblings.get(key, ())
        return row if not row or row[0] is key else row[:1]

    def whole_calls(self, keys: Iterable[AssetKey]) -> set[AssetKey]:
        """`keys`, and every asset that the same calls materialize."""
        found = set(keys)
        if self.siblings:
            for key in tuple(found):
                found.update(self.siblings.get(key, ()))
        return found

    @cached_property
    def positions(self) -> Mapping[AssetKey, int]:
        """The position of each key in `node_order`."""
        return {key: position for position, key in enumerate(self.node_order)}

    @cached_property
    def digraph(self) -> DiGraph[AssetKey]:
        """The assets and their edges for networkx: a node for each key, an edge from each upstream
        to each of its readers. Changing it does not change the graph."""
        from networkx import DiGraph

        found: DiGraph[AssetKey] = DiGraph()
        found.add_nodes_from(self.assets)
        found.add_edges_from(self.edges)
        return found

    @property
    def edges(self) -> Iterator[tuple[AssetKey, AssetKey]]:
        """(upstream, downstream) pairs, in order."""
        for key in self.order:
            for child in self.children(key):
                yield key, child

    @property
    def asset_order(self) -> Sequence[AssetKey]:
        """`order`, as selections ask for it."""
        return self.order

    def named(self, key: AssetKey, partition: str | None) -> Iterable[AssetKey]:
        """The key itself. Raises `PartitionsError` for a partition: these are whole assets."""
        if partition is None:
            return (key,)
        raise PartitionsError(
            f"the partition {partition!r} cannot be selected here.", hint="Name only assets."
        )

    def select(self, *texts: str) -> tuple[AssetKey, ...]:
        """The assets that any of these texts of the selection language selects, in order. Raises
        `SelectionError`."""
        from assetgraph.graph.selection import select

        return select(texts, self)

    def asset(self, key: AssetKey) -> AssetSpec:
        """The spec of an asset. Raises `AssetGraphError`, which suggests similar keys."""
        return self._assets[key]

    def made_by(self, function: str) -> tuple[AssetKey, ...]:
        """The assets that the function of several with this name makes; none if there is none, or
        an asset of this name."""
        maker = self.computations.get(function)
        if maker is None or not maker.is_multi or AssetKey.unchecked(function) in self:
            return ()
        return tuple([spec.key for spec in maker.specs if spec.key not in self.checks])

    def computation(self, key: AssetKey) -> Computation:
        """The computation that materializes an asset. Raises `AssetGraphError`."""
        return self._makers[key]

    def inputs(self, key: AssetKey) -> Mapping[str, AssetKey]:
        """The upstream that each parameter of an asset's computation loads."""
        return self._inputs[key]

    def parents(self, key: AssetKey) -> tuple[AssetKey, ...]:
        """The assets that `key` loads or lists in `deps`, by name."""
        return self._parents[key]

    @cached_property
    def upstream_targets(self) -> Mapping[AssetKey, tuple[Target, ...]]:
        """The targets of each asset's parents."""
        targets = self.targets
        return {
            key: tuple([targets[parent] for parent in row]) for key, row in self._parents.items()
        }

    def children(self, key: AssetKey) -> tuple[AssetKey, ...]:
        """The assets whose parents include `key`, by name."""
        return self._children[key]

    def checks_of(self, key: AssetKey) -> tuple[AssetKey, ...]:
        """The checks of an asset, by name."""
        return self.checks.of(key)

    def upstream(self, key: AssetKey, depth: int | None = None) -> tuple[AssetKey, ...]:
        """Every asset that `key` reads, directly or not, nearest first, within `depth` levels."""
        return tuple(walk([key], self.parents, depth))[1:]

    def downstream(self, key: AssetKey, depth: int | None = None) -> tuple[AssetKey, ...]:
        """Every asset that reads `key`, directly or not, nearest first, within `depth` levels."""
        return tuple(walk([key], self.children, depth))[1:]

    def in_order(self, keys: Iterable[AssetKey]) -> list[AssetKey]:
        return sorted(keys, key=self.positions.__getitem__)

    def roots(self) -> tuple[AssetKey, ...]:
        """The assets without an upstream."""
        return tuple(key for key in self.order if not self._parents[key])

    def leaves(self) -> tuple[AssetKey, ...]:
        """The assets without a downstream."""
        return tuple(key for key in self.order if not self._children[key])

    @cached_property
    def levels(self) -> tuple[tuple[AssetKey, ...], ...]:
        """The keys by the length of the longest path to them, roots first."""
        level: dict[AssetKey, int] = {}
        for key in self.order:
            level[key] = 1 + max((level.get(p, 0) for p in self._parents[key]), default=-1)
        rows: list[list[AssetKey]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
        for key in self.order:
            rows[level[key]].append(key)
        return tuple(tuple(row) for row in rows)

    def components(self) -> tuple[tuple[AssetKey, ...], ...]:
        """The connected parts of the graph, each in order, sorted by their first asset."""
        from networkx import weakly_connected_components

        parts = map(self.in_order, weakly_connected_components(self.digraph))
        return tuple(sorted(map(tuple, parts), key=lambda part: self.positions[part[0]]))

    def cycles(self) -> Iterator[list[AssetKey]]:
        """One cycle for each strongly connected part of the graph: a shortest path from the part's
        first key by name back to that key."""
        if len(self._before_cycles) == len(self._assets):
            return
        from networkx import strongly_connected_components

        for part in strongly_connected_components(self.digraph):
            start = min(part)
            if len(part) > 1 or start in self._children[start]:
                yield cycle_through(start, part, self._children)

    def validate(self) -> tuple[Problem, ...]:
        """Every problem of the definitions, sorted by file and line."""
        return self._problems

    def warnings(self) -> tuple[Problem, ...]:
        """What is allowed but may be a mistake, sorted by file and line."""
        from assetgraph.graph.validation import graph_warnings

        return tuple(sorted(graph_warnings(self)))

    def require_valid(self) -> AssetGraph:
        """Return this graph. Raises `DefinitionsError` with all problems if it has any."""
        if self._problems:
            raise DefinitionsError(self._problems)
        return self

    def __contains__(self, key: object) -> bool:
        return key in self._assets

    def __len__(self) -> int:
        return len(self._assets) - len(self.checks)

    def __repr__(self) -> str:
        return f"<AssetGraph of {len(self)} assets, {sum(map(len, self._children.values()))} edges>"

    def _repr_svg_(self) -> str:
        """The picture that a notebook shows."""
        from assetgraph.pictures.picture_card import Card
        from assetgraph.pictures.svg import graph_svg

        cards = [
            Card(asset.key.text, asset.group_name, asset.description)
            for asset in map(self.asset, self.order)
        ]
        return graph_svg(cards, [(a.text, b.text) for a, b in self.edges])

    @cached_property
    def _problems(self) -> tuple[Problem, ...]:
        from assetgraph.graph.validation import graph_problems

        with paused_collector():
            return tuple(sorted({*self._connections.problems, *graph_problems(self)}))

    def _take(self, computations: Iterable[Computation]) -> None:
        """Take each key's computation: the first by file and line if several have the key."""
        found: dict[AssetKey, list[Computation]] = {}
        for computation in computations:
            for spec in computation.specs:
                known = found.setdefault(spec.key, [computation])
                if known[-1] is not computation:
                    known.append(computation)
        for key in sorted(found, key=_parts):
            makers = found[key]
            if len(makers) > 1:
                makers = sorted(dict.fromkeys(makers), key=lambda made: (made.file, made.line))
                self.duplicates += [(key, makers[0], other) for other in makers[1:]]
            self._makers[key] = makers[0]
            self._assets[key] = spec = makers[0].spec(key)
            if checked_asset(key) is not None:
                self.checks[key] = cast("CheckNode", spec)

    def _connect(self) -> None:
        self._connections = Connections(self.assets)
        readers: dict[AssetKey, list[AssetKey]] = {key: [] for key in self._assets}
        by_name = {key: number for number, key in enumerate(self._assets)}.__getitem__
        inputs_of: dict[Computation, dict[str, AssetKey]] = {}
        for key, computation in self._makers.items():
            inputs = inputs_of.get(computation)
            if inputs is None:
                inputs = inputs_of[computation] = self._connections.inputs(computation)
            self._inputs[key] = inputs
            parents = set(inputs.values())
            spec = self._assets[key]
            if spec.deps:
                parents.update(self._connections.deps(computation, spec))
            if key in parents and _may_read_itself(computation, spec, inputs):
                parents.remove(key)
                self.self_readers = {*self.self_readers, key}
            row = tuple(parents) if len(parents) < 2 else tuple(sorted(parents, key=by_name))
            self._parents[key] = row
            if key in self.checks:
                continue
            for upstream in row:  # so each asset's readers are by name
                readers[upstream].append(key)
        self._children = _ByKey((key, tuple(row)) for key, row in readers.items())


class _ByKey(dict[AssetKey, T]):
    """A value for every asset. A key without one is an error that suggests similar keys."""

    def __missing__(self, key: object) -> T:
        text = str(key)
        hint = did_you_mean(text, (known.text for known in self))
        if any(known.text == text for known in self):
            hint = f"Name it by its key: AssetKey({text!r})."
        raise AssetGraphError(
            f"there is no asset {text!r}.", hint=hint or f"See them with: {command('list')}"
        )


def _may_read_itself(
    computation: Computation, spec: AssetSpec, inputs: Mapping[str, AssetKey]
) -> bool:
    """Whether an asset says by a mapping which other partitions of its own a partition reads."""
    loaded = [name for name, key in inputs.items() if key is spec.key]
    given = [computation.partition_mappings.get(name) for name in loaded]
    if spec.key in spec.deps:
        given.append(spec.partition_mappings.get(spec.key))
    return spec.partitions_def is not None and all(mapping is not None for mapping in given)


def _parts(key: AssetKey) -> tuple[str, ...]:
    return key.parts

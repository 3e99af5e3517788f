"""`TargetGraph`: the targets of a graph as of a moment, and what each of them is made from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from functools import cached_property
from typing import TYPE_CHECKING

from assetgraph.errors import PartitionsError
from assetgraph.graph.walk import walk
from assetgraph.keys import RANGE, AssetKey, Target
from assetgraph.records import now

if TYPE_CHECKING:
    from datetime import datetime

    from assetgraph.definitions.partitions.definition import (
        DynamicPartitionsStore,
        PartitionsDefinition,
    )
    from assetgraph.definitions.partitions.keys import PartitionKeys
    from assetgraph.definitions.partitions.number_ranges import Numbers
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.graph.partition_edges import Edge
    from assetgraph.planning.numbered_keys import NumberedKeys

MOST_PARTITIONS = 500_000  # of one asset, that are looked at together
_FEW = 32  # upstreams of a target that are remembered: a window that slides would fill the memory


class TargetGraph:
    """The targets of `graph` at the moment `at`, which is now unless given. `dynamic` holds the
    partitions that are kept in a store.

    For an asset without partitions, there is one target. One that the definition of its asset does
    not have is made from nothing.
    """

    def __init__(
        self,
        graph: AssetGraph,
        at: datetime | None = None,
        dynamic: DynamicPartitionsStore | None = None,
    ) -> None:
        self.graph = graph
        self._partitioned = graph.partitioned
        self._at = at
        self._dynamic = dynamic
        self._numbered: dict[AssetKey, NumberedKeys] = {}
        self._edges: dict[AssetKey, tuple[Edge, ...]] = {}
        self._upstream: dict[Target, tuple[Target, ...]] = {}
        self._gathered: dict[AssetKey, frozenset[str]] = {}
        self._touched: dict[AssetKey, bool] = {}

    @cached_property
    def at(self) -> datetime:
        """The moment as of which there are partitions."""
        return self._at or now()

    def is_partitioned(self, key: AssetKey) -> bool:
        return key in self._partitioned

    def keys(self, key: AssetKey) -> PartitionKeys | None:
        """The keys of the partitions that an asset has; None for an asset without partitions.

        Raises `PartitionsError`.
        """
        return self._numbers(key).keys if key in self._partitioned else None

    def numbering(self, key: AssetKey) -> NumberedKeys:
        """The numbers of the partitions of an asset."""
        return self._numbers(key)

    def exists(self, target: Target) -> bool:
        """Whether the definitions have this target."""
        if target.key not in self._partitioned:
            return target.partition is None
        return target.partition is not None and self.number(target) is not None

    def number(self, target: Target) -> int | None:
        """The number of a partition among those of its asset, or None if there is no such one."""
        if target.partition is None or target.key not in self._partitioned:
            return None
        return self._numbers(target.key).number(target.partition)

    def targets(self, key: AssetKey) -> Sequence[Target]:
        """Every target of an asset, in order.

        Raises `PartitionsError` if there are too many to look at together.
        """
        if key not in self._partitioned:
            return (self.graph.targets[key],)
        self.every_number(key)
        return [Target(key, partition) for partition in self._numbers(key).every()]

    def every_number(self, key: AssetKey) -> Numbers:
        """The numbers of all targets of an asset. Raises as `targets`."""
        if key not in self._partitioned:
            return (range(1),)
        count = len(self._numbers(key).keys)
        if self.is_too_many(key):
            raise PartitionsError(
                f"{key.text!r} has {too_many_text(count)}.",
                hint=f"Name fewer, as in {key.text}@FIRST{RANGE}LAST.",
            )
        return (range(count),) if count else ()

    def is_too_many(self, key: AssetKey) -> bool:
        """Whether an asset has more partitions than are looked at together."""
        return key in self._partitioned and len(self._numbers(key).keys) > MOST_PARTITIONS

    def looks_at_each(self, keys: Iterable[AssetKey]) -> bool:
        """Whether every target of these assets, and of everything upstream, can be looked at."""
        above = walk(keys, lambda key: (*self.graph.parents(key), *self.graph.mates(key)))
        return not any(self.is_too_many(key) for key in above)

    def target(self, key: AssetKey, number: int) -> Target:
        """The target of an asset with this number: 0 for an asset without partitions."""
        if key not in self._partitioned:
            return self.graph.targets[key]
        return Target(key, self._numbers(key).key(number))

    def numbered(self, key: AssetKey, numbers: range) -> list[Target]:
        """The targets of an asset that have these numbers."""
        if key not in self._partitioned:
            return [self.graph.targets[key]] if numbers else []
        return [Target(key, partition) for partition in self._numbers(key).range(numbers)]

    def of(self, keys: Iterable[AssetKey]) -> list[Target]:
        """Every target of these assets."""
        return [target for key in keys for target in self.targets(key)]

    def edges(self, key: AssetKey) -> tuple[Edge, ...]:
        """The upstreams of an asset, those that a parameter loads first."""
        found = self._edges.get(key)
        if found is None:
            from assetgraph.graph.partition_edges import edges_of

            found = self._edges[key] = tuple(edges_of(self.graph, key))
        return found

    def upstream(self, target: Target) -> tuple[Target, ...]:
        """The targets that `target` is made from.

        Raises `PartitionsError` if a mapping gives a partition that the upstream does not have.
        """
        key = target.key
        if not self._partitioned or not self._reads_partitions(key):
            return self.graph.upstream_targets[key]
        found = self._upstream.get(target)
        if found is None:
            edges = [self._mapped(target, edge) for edge in self.edges(key)]
            found = tuple(dict.fromkeys(one for targets in edges for one in targets))
            if len(found) <= _FEW:
                self._upstream[target] = found
        return found

    def inputs(self, target: Target) -> dict[str, tuple[Target, ...]]:
        """The targets that each parameter of the computation of `target` loads."""
        if not self._partitioned or not self._reads_partitions(target.key):
            targets = self.graph.targets
            return {name: (targets[key],) for name, key in self.graph.inputs(target.key).items()}
        return {
            edge.parameter: self._mapped(target, edge)
            for edge in self.edges(target.key)
            if edge.parameter is not None
        }

    def gathered(self, key: AssetKey) -> frozenset[str]:
        """The parameters that take several partitions, or may."""
        if not self._partitioned:
            return frozenset()
        found = self._gathered.get(key)
        if found is None:
            edges = self.edges(key)
            several = [edge.parameter for edge in edges if edge.parameter and edge.is_several]
            found = self._gathered[key] = frozenset(several)
        return found

    def downstream(self, target: Target) -> tuple[Target, ...]:
        """The targets that are made from `target`."""
        found: dict[Target, None] = {}
        readers: Iterable[AssetKey] = self.graph.children(target.key)
        if target.key in self.graph.self_readers:
            readers = (*readers, target.key)
        for key in readers:
            for edge in self.edges(key):
                if edge.upstream is target.key:
                    found.update(dict.fromkeys(self._reading(target, key, edge)))
        return tuple(found)

    def with_upstreams(self, targets: Iterable[Target]) -> list[Target]:
        """`targets`, what their calls also materialize, and everything that all of these are made
        from, directly or not, upstream first."""
        neighbours = self._neighbours if self.graph.siblings else self.upstream_or_none
        return self.in_order(walk(targets, neighbours))

    def upstream_or_none(self, target: Target) -> tuple[Target, ...]:
        """The targets that `target` is made from; none where a mapping is wrong."""
        try:
            return self.upstream(target)
        except PartitionsError:
            return ()

    def in_order(self, targets: Iterable[Target]) -> list[Target]:
        """`targets`, upstream before downstream, and the partitions of an asset in their order."""
        positions = self.graph.positions
        if not self._partitioned:
            if isinstance(targets, Set | dict) and len(targets) == len(positions):  # that is all
                return list(map(self.graph.targets.__getitem__, positions))
            return sorted(targets, key=lambda target: positions[target.key])
        return sorted(targets, key=self._place)

    def range_texts(self, targets: Iterable[Target]) -> list[str]:
        """These targets, which must be in order, as text: contiguous partitions of an asset as one
        range, as in `trips@2023-01..2023-03`."""
        ranges: list[list[Target]] = []
        before: tuple[AssetKey, int | None] | None = None
        for target in targets:
            number = self.number(target)
            if number is not None and before == (target.key, number - 1):
                ranges[-1][1:] = [target]
            else:
                ranges.append([target])
            before = target.key, number
        return [RANGE.join([r[0].text, *(str(last.partition) for last in r[1:])]) for r in ranges]

    def siblings(self, target: Target) -> list[Target]:
        """All targets that a call for `target` materializes, if they are several; else none."""
        together = self.graph.siblings.get(target.key, ())
        return [Target(key, target.partition) for key in together]

    def whole_calls(self, targets: Iterable[Target]) -> set[Target]:
        """`targets`, and every target that the same calls materialize."""
        return set(walk(targets, self.mates)) if self.graph.siblings else set(targets)

    def mates(self, target: Target) -> list[Target]:
        """What leads a walk from `target` to all that its call materializes: as for assets."""
        return [Target(key, target.partition) for key in self.graph.mates(target.key)]

    def _neighbours(self, target: Target) -> list[Target]:
        return [*self.upstream_or_none(target), *self.mates(target)]

    def _place(self, target: Target) -> tuple[int, int, str]:
        number = self.number(target)
        return (
            self.graph.positions[target.key],
            -1 if number is None else number,
            target.partition or "",
        )

    def _reads_partitions(self, key: AssetKey) -> bool:
        found = self._touched.get(key)
        if found is None:
            keys = (key, *self.graph.parents(key))
            found = self._touched[key] = not self._partitioned.isdisjoint(keys)
        return found

    def _mapped(self, target: Target, edge: Edge) -> tuple[Target, ...]:
        upstream, mapping = edge.upstream, edge.mapping
        if mapping is None:
            return (self.graph.targets[upstream],)
        number = self.number(target) if target.key in self._partitioned else 0
        if number is None:
            return ()
        above = self._numbers(upstream)
        try:
            ranges = mapping.upstream(number, self.keys(target.key), above.keys)
        except PartitionsError as error:
            error.about(f"{target.text} reads {upstream.text}")
            raise
        count = sum(map(len, ranges))
        if count > MOST_PARTITIONS:
            raise PartitionsError(
                f"{target.text} reads {too_many_text(count)}, of {upstream.text}.",
                hint="Map it to fewer, with a partition_mapping.",
            )
        _check_numbers(target, edge, ranges, len(above.keys))
        if upstream is target.key and any(numbers.stop > number for numbers in ranges):
            raise PartitionsError(
                f"the partition {target.text!r} reads itself or a later one.",
                hint="Let it read only earlier partitions, as with an end_offset of -1.",
            )
        if len(ranges) == 1 and len(ranges[0]) == 1:
            return (Target(upstream, above.key(ranges[0][0])),)
        return tuple([one for numbers in ranges for one in self.numbered(upstream, numbers)])

    def _reading(self, target: Target, reader: AssetKey, edge: Edge) -> Iterable[Target]:
        """The targets of `reader` that are made from `target` through `edge`."""
        if edge.mapping is None:
            return self.targets(reader)
        number = self.number(target)
        if number is None:
            return ()
        above = self._numbers(edge.upstream).keys
        ranges = edge.mapping.downstream(number, self.keys(reader), above)
        if reader not in self._partitioned:
            return [self.graph.targets[reader]] if ranges else ()
        key_of = self._numbers(reader).key
        return [Target(reader, key_of(one)) for numbers in ranges for one in numbers]

    def _numbers(self, key: AssetKey) -> NumberedKeys:
        found = self._numbered.get(key)
        if found is None:
            definition = self.graph.asset(key).partitions_def
            assert definition is not None
            shared = (k for k in self._numbered if self.graph.asset(k).partitions_def == definition)
            same = next(shared, None)
            if same is not None:
                found = self._numbered[same]
            else:
                from assetgraph.planning.numbered_keys import NumberedKeys

                found = NumberedKeys(definition.keys(self.at, self._dynamic), MOST_PARTITIONS)
            self._numbered[key] = found
        return found


def too_many_text(count: int) -> str:
    """How many partitions there are, where they are too many."""
    return f"{count:,} partitions, and at most {MOST_PARTITIONS:,} are looked at together"


def dynamic_names(graph: AssetGraph, keys: Iterable[AssetKey] | None = None) -> set[str]:
    """The names of the dynamic partitions that assets of the graph have, or those of `keys`."""
    found: set[str] = set()
    for key in graph.partitioned if keys is None else keys:
        definition = graph.asset(key).partitions_def
        assert definition is not None
        found |= names_in(definition)
    return found


def _check_numbers(target: Target, edge: Edge, ranges: Numbers, count: int) -> None:
    """Raise `PartitionsError` for what a person's own mapping must not give: numbers of partitions
    that there are not, which might be taken for others, or several where it promises one."""
    outside = [one for one in ranges if one.start < 0 or one.stop > count]
    too_many = not edge.is_several and sum(map(len, ranges)) > 1
    if not outside and not too_many:
        return
    about = f"{target.text} reads {edge.upstream.text}: {type(edge.mapping).__name__}"
    if outside:
        raise PartitionsError(
            f"{about}.upstream gave {outside[0]}, and the partitions are {range(count)}."
        )
    raise PartitionsError(
        f"{about} gave {sum(map(len, ranges))} partitions, but its always_one says that it never "
        "gives several.",
        hint="Let always_one return False, which is the default.",
    )


def names_in(definition: PartitionsDefinition) -> set[str]:
    """The names under which a store keeps keys of a definition."""
    from assetgraph.definitions.partitions.listed import DynamicPartitionsDefinition
    from assetgraph.definitions.partitions.multi import MultiPartitionsDefinition

    inside = [definition]
    if isinstance(definition, MultiPartitionsDefinition):
        inside = list(definition.partitions_defs.values())
    return {one.name for one in inside if isinstance(one, DynamicPartitionsDefinition)}

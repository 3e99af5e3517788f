"""Mappings by key: the same one, all, the last, a few, and a table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from assetgraph.definitions.partitions.definition import PartitionsDefinition
from assetgraph.definitions.partitions.keys import PartitionKeys
from assetgraph.definitions.partitions.listed import StaticPartitionsDefinition
from assetgraph.definitions.partitions.mapping import (
    PartitionMapping,
    everything,
    needs_partitions,
)
from assetgraph.definitions.partitions.multi import MultiKeys, MultiPartitionsDefinition
from assetgraph.definitions.partitions.number_ranges import NONE, Numbers, in_ranges
from assetgraph.definitions.partitions.time_window import (
    TimeKeys,
    TimeWindowPartitionsDefinition,
)
from assetgraph.errors import PartitionsError
from assetgraph.text import did_you_mean


class IdentityPartitionMapping(PartitionMapping):
    """The partition with the same key."""

    def upstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        if downstream is None:
            raise PartitionsError(f"{needs_partitions(self)}.")
        found = _same(number, downstream, upstream)
        if found is not None:
            return in_ranges([found])
        try:
            return in_ranges([upstream.require(downstream.key(number))])
        except PartitionsError as error:
            error.about("upstream")
            raise

    def downstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        found = None if downstream is None else _same(number, upstream, downstream)
        return NONE if found is None else in_ranges([found])

    def always_one(
        self, downstream: PartitionsDefinition | None, upstream: PartitionsDefinition
    ) -> bool:
        return True

    def problem(
        self, downstream: PartitionsDefinition | None, upstream: PartitionsDefinition
    ) -> str | None:
        if downstream is None:
            return needs_partitions(self)
        if downstream.kind != upstream.kind:
            return (
                f"{type(self).__name__} is for two definitions of the same kind, and these are "
                f"{downstream.kind} and {upstream.kind}"
            )
        if (
            isinstance(downstream, MultiPartitionsDefinition)
            and isinstance(upstream, MultiPartitionsDefinition)
            and _dimensions(downstream) != _dimensions(upstream)
        ):
            return f"{type(self).__name__} is for the same dimensions, and these have others"
        return None


class AllPartitionMapping(PartitionMapping):
    """Every partition of the upstream asset."""

    def upstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        return everything(upstream)

    def downstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        return everything(downstream)


class LastPartitionMapping(PartitionMapping):
    """The last partition of the upstream asset."""

    def upstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        return in_ranges([len(upstream) - 1]) if len(upstream) else NONE

    def downstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        return everything(downstream) if number == len(upstream) - 1 else NONE

    def always_one(
        self, downstream: PartitionsDefinition | None, upstream: PartitionsDefinition
    ) -> bool:
        return True


class SpecificPartitionsPartitionMapping(PartitionMapping):
    """The same few partitions for every downstream partition."""

    def __init__(self, partition_keys: Sequence[str]) -> None:
        if isinstance(partition_keys, str):
            raise PartitionsError(
                f"{type(self).__name__} was given the text {partition_keys!r}.",
                hint=f"Give it a list: [{partition_keys!r}].",
            )
        self.partition_keys = tuple(partition_keys)

    def upstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        return in_ranges(map(upstream.require, self.partition_keys))

    def downstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        return everything(downstream) if upstream.key(number) in self.partition_keys else NONE

    def always_one(
        self, downstream: PartitionsDefinition | None, upstream: PartitionsDefinition
    ) -> bool:
        return len(set(self.partition_keys)) == 1

    def problem(
        self, downstream: PartitionsDefinition | None, upstream: PartitionsDefinition
    ) -> str | None:
        return _unknown(self, self.partition_keys, upstream)

    def content(self) -> Mapping[str, Any]:
        return {"partition_keys": list(self.partition_keys)}


class StaticPartitionMapping(PartitionMapping):
    """A table: the downstream key, or the several, that each upstream key goes into. A downstream
    partition that is not in it is made from none."""

    def __init__(
        self,
        downstream_partition_keys_by_upstream_partition_key: Mapping[str, str | Collection[str]],
    ) -> None:
        given = downstream_partition_keys_by_upstream_partition_key
        self._below = {up: (d,) if isinstance(d, str) else tuple(d) for up, d in given.items()}
        self._above: dict[str, list[str]] = {}
        for up, below in self._below.items():
            for down in dict.fromkeys(below):
                self._above.setdefault(down, []).append(up)

    def upstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        if downstream is None:
            raise PartitionsError(f"{needs_partitions(self)}.")
        return in_ranges(map(upstream.require, self._above.get(downstream.key(number), ())))

    def downstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        if downstream is None:
            return NONE
        return in_ranges(map(downstream.require, self._below.get(upstream.key(number), ())))

    def always_one(
        self, downstream: PartitionsDefinition | None, upstream: PartitionsDefinition
    ) -> bool:
        return isinstance(downstream, StaticPartitionsDefinition) and all(
            len(self._above.get(key, ())) == 1 for key in downstream.get_partition_keys()
        )

    def problem(
        self, downstream: PartitionsDefinition | None, upstream: PartitionsDefinition
    ) -> str | None:
        if downstream is None:
            return needs_partitions(self)
        return _unknown(self, self._below, upstream) or _unknown(self, self._above, downstream)

    def content(self) -> Mapping[str, Any]:
        below = {up: sorted(set(down)) for up, down in sorted(self._below.items())}
        return {"downstream_partition_keys_by_upstream_partition_key": below}


def _same(number: int, here: PartitionKeys, there: PartitionKeys) -> int | None:
    """The number of the same key among other keys, without making its text where that can be."""
    if isinstance(here, TimeKeys) and isinstance(there, TimeKeys):
        own, other = here.definition, there.definition
        if own.calendar is other.calendar and own.fmt == other.fmt:
            found = own.overlapping(number, number + 1, other)[0]
            return found if 0 <= found < len(there) else None
    if isinstance(here, MultiKeys) and isinstance(there, MultiKeys):
        if list(here.dimensions) != list(there.dimensions):
            return there.number(here.key(number))
        numbers = {
            name: _same(one, here.dimensions[name], there.dimensions[name])
            for name, one in here.split(number).items()
        }
        known = {name: one for name, one in numbers.items() if one is not None}
        return there.join(known) if len(known) == len(numbers) else None
    return there.number(here.key(number))


def _dimensions(definition: MultiPartitionsDefinition) -> list[tuple[str, str]]:
    return [(name, one.kind) for name, one in definition.partitions_defs.items()]


def _unknown(
    mapping: PartitionMapping, keys: Iterable[str], definition: PartitionsDefinition
) -> str | None:
    """What is wrong if a key cannot be of a definition, whatever the clock and the store say."""
    for key in keys:
        meant = None
        if isinstance(definition, StaticPartitionsDefinition):
            if definition.has_partition_key(key):
                continue
            meant = did_you_mean(str(key), definition.get_partition_keys())
        elif not isinstance(definition, TimeWindowPartitionsDefinition) or (
            isinstance(key, str) and definition.number(key) is not None
        ):
            continue
        problem = (
            f"{type(mapping).__name__} names the partition {key!r}, which {definition!r} lacks"
        )
        return f"{problem}. {meant}" if meant else problem
    return None

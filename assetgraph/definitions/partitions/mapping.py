"""`PartitionMapping`: which partitions of an upstream asset a partition is made from.

A mapping is pure. Partitions are given by their numbers among the keys of their definition, as
ranges in order. An asset without partitions has one downstream number, 0, and no keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from assetgraph.definitions.partitions.definition import PartitionsDefinition
from assetgraph.definitions.partitions.keys import PartitionKeys
from assetgraph.definitions.partitions.number_ranges import NONE, Numbers, in_ranges
from assetgraph.errors import PartitionsError


class PartitionMapping:
    """Which partitions of an upstream asset each partition of a downstream asset is made from.

    A mapping of your own defines `upstream_keys`. Its inverse is derived from that.
    """

    def upstream_keys(
        self, key: str | None, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Iterable[str]:
        """The upstream keys of the downstream partition `key`.

        `key` and `downstream` are None for an asset without partitions. The result must depend on
        nothing else. `assetgraph.testing.check_partition_mapping` tests a mapping of your own.
        """
        number = 0 if key is None or downstream is None else downstream.require(key)
        numbers = self.upstream(number, downstream, upstream)
        return [key for part in numbers for key in upstream.keys_of(part)]

    def upstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        """The numbers of the upstream partitions of the downstream partition `number`.

        Raises `PartitionsError` if one of them does not exist.
        """
        if type(self).upstream_keys is PartitionMapping.upstream_keys:
            raise PartitionsError(
                f"{type(self).__name__} does not say which partitions are read.",
                hint="Define its method upstream_keys(self, key, downstream, upstream).",
            )
        key = None if downstream is None else downstream.key(number)
        call = f"{type(self).__name__}.upstream_keys"
        what = "without a partition" if key is None else f"for the partition {key!r}"
        try:
            given = self.upstream_keys(key, downstream, upstream)
            keys = None if isinstance(given, str) else list(given)
        except Exception as error:
            raise PartitionsError(
                f"{call} fails {what}: {type(error).__name__}: {error}"
            ) from error
        if keys is None or not all(isinstance(one, str) for one in keys):
            raise PartitionsError(f"{call} gave {given!r} {what}.", hint="Return a list of keys.")
        try:
            return in_ranges(map(upstream.require, keys))
        except PartitionsError as error:
            error.about(f"{call} {what}")
            raise

    def downstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        """The numbers of the downstream partitions that the upstream partition `number` goes
        into."""
        # The whole inverse is made at once, and kept with the keys that it is of.
        known = vars(upstream).setdefault("_inverses", {})
        if (id(self), id(downstream)) not in known:
            inverse: dict[int, list[int]] = {}
            for one in range(1 if downstream is None else len(downstream)):
                for part in self.upstream(one, downstream, upstream):
                    for read in part:
                        inverse.setdefault(read, []).append(one)
            ranges = {read: in_ranges(by) for read, by in inverse.items()}
            known[id(self), id(downstream)] = self, downstream, ranges
        found: dict[int, Numbers] = known[id(self), id(downstream)][2]
        return found.get(number, NONE)

    def always_one(
        self, downstream: PartitionsDefinition | None, upstream: PartitionsDefinition
    ) -> bool:
        """Whether no partition is ever made from several. One at the edge may be made from none."""
        return False

    def problem(
        self, downstream: PartitionsDefinition | None, upstream: PartitionsDefinition
    ) -> str | None:
        """What is wrong with the mapping between two definitions, whatever keys there are."""
        return None

    def content(self) -> Mapping[str, Any]:
        """What makes this mapping another than others of its type."""
        names = getattr(self, "__dataclass_fields__", vars(self))
        return {name: getattr(self, name) for name in names}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PartitionMapping):
            return NotImplemented
        return type(self) is type(other) and self.content() == other.content()

    def __hash__(self) -> int:
        return hash((type(self), str(self.content())))

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in self.content().items())
        return f"{type(self).__name__}({options})"


def everything(keys: PartitionKeys | None) -> Numbers:
    """The numbers of all partitions; 0 for an asset without partitions."""
    count = 1 if keys is None else len(keys)
    return (range(count),) if count else NONE


def needs_partitions(mapping: PartitionMapping) -> str:
    return f"{type(mapping).__name__} is for assets that have partitions, and this one has none"

"""`TimeWindowPartitionMapping`: the upstream windows that overlap the downstream window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assetgraph.definitions.partitions.definition import PartitionsDefinition
from assetgraph.definitions.partitions.keys import PartitionKeys
from assetgraph.definitions.partitions.mapping import PartitionMapping, needs_partitions
from assetgraph.definitions.partitions.number_ranges import NONE, Numbers, joined
from assetgraph.definitions.partitions.time_window import (
    TimeKeys,
    TimeWindowPartitionsDefinition,
)
from assetgraph.errors import PartitionsError
from assetgraph.keys import RANGE


class TimeWindowPartitionMapping(PartitionMapping):
    """The upstream windows that overlap the downstream one.

    `start_offset` and `end_offset` move the start and the end of the downstream window by that many
    downstream windows: with -1 and -1 it is the one before, with -1 and 0 that one too.

    An upstream window that does not exist is an error. It is left out if only a negative start
    offset leads to it, and it is before the first one, as at the beginning of a self-dependency; or
    only a positive end offset, and it is after the last one; or with
    `allow_nonexistent_upstream_partitions`.
    """

    def __init__(
        self,
        start_offset: int = 0,
        end_offset: int = 0,
        allow_nonexistent_upstream_partitions: bool = False,
    ) -> None:
        for name, offset in (("start_offset", start_offset), ("end_offset", end_offset)):
            if type(offset) is not int:
                raise PartitionsError(f"{name} is {offset!r}.", hint="Write a whole number.")
        if start_offset > end_offset:
            raise PartitionsError(
                f"the start offset {start_offset} is after the end offset {end_offset}.",
                hint=f"To read one other window, write both: start_offset={start_offset}, "
                f"end_offset={start_offset}.",
            )
        self.start_offset, self.end_offset = start_offset, end_offset
        self.allow_nonexistent_upstream_partitions = allow_nonexistent_upstream_partitions

    def upstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        below, above = self._both(downstream, upstream)
        own = below.overlapping(number, number + 1, above)
        read = own
        if self.start_offset or self.end_offset:
            first, end = number + self.start_offset, number + 1 + self.end_offset
            read = below.overlapping(first, end, above)
        missing = joined(
            [
                range(max(read.start, own.start), min(read.stop, 0)),
                range(max(read.start, len(upstream)), min(read.stop, own.stop)),
            ]
        )
        if missing and not self.allow_nonexistent_upstream_partitions:
            assert downstream is not None
            names = ", ".join(
                above.key(part[0])
                if len(part) == 1
                else f"{above.key(part[0])}{RANGE}{above.key(part[-1])}"
                for part in missing
            )
            raise PartitionsError(
                f"the partition {downstream.key(number)!r} reads upstream partitions that do not "
                f"exist: {names}.",
                hint="To leave them out, map with "
                f"{type(self).__name__}(allow_nonexistent_upstream_partitions=True).",
            )
        return joined([range(max(read.start, 0), min(read.stop, len(upstream)))])

    def downstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        if downstream is None:
            return NONE
        below, above = self._both(downstream, upstream)
        read_by = above.overlapping(number, number + 1, below)
        low, high = read_by.start - self.end_offset, read_by.stop - self.start_offset
        return joined([range(max(low, 0), min(high, len(downstream)))])

    def always_one(
        self, downstream: PartitionsDefinition | None, upstream: PartitionsDefinition
    ) -> bool:
        return (
            self.start_offset == self.end_offset
            and isinstance(downstream, TimeWindowPartitionsDefinition)
            and isinstance(upstream, TimeWindowPartitionsDefinition)
            and downstream.calendar.splits(upstream.calendar)
        )

    def problem(
        self, downstream: PartitionsDefinition | None, upstream: PartitionsDefinition
    ) -> str | None:
        if downstream is None:
            return needs_partitions(self)
        for one in (downstream, upstream):
            if not isinstance(one, TimeWindowPartitionsDefinition):
                return f"{type(self).__name__} is for partitions of time, and {one!r} is none"
        return None

    def content(self) -> Mapping[str, Any]:
        return {
            "start_offset": self.start_offset,
            "end_offset": self.end_offset,
            "allow_nonexistent_upstream_partitions": self.allow_nonexistent_upstream_partitions,
        }

    def _both(
        self, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> tuple[TimeWindowPartitionsDefinition, TimeWindowPartitionsDefinition]:
        if not isinstance(downstream, TimeKeys) or not isinstance(upstream, TimeKeys):
            raise PartitionsError(f"{type(self).__name__} is for partitions of time.")
        return downstream.definition, upstream.definition

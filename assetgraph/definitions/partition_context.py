"""The keys and the window of time that a context gives of its partitions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from assetgraph.definitions.partitions.definition import PartitionsDefinition
from assetgraph.definitions.partitions.keys import (
    BETWEEN_DIMENSIONS,
    MultiPartitionKey,
    PartitionKeyRange,
)
from assetgraph.errors import PartitionsError

if TYPE_CHECKING:
    from assetgraph.definitions.partitions.time_window import TimeWindow


def keys_of(partitions: Iterable[str], definition: PartitionsDefinition | None) -> tuple[str, ...]:
    """The keys as contexts give them: with their dimensions, if the definition has several."""
    names = getattr(definition, "partitions_defs", None)
    if names is None:
        return tuple(partitions)
    return tuple(
        MultiPartitionKey(dict(zip(names, one.split(BETWEEN_DIMENSIONS), strict=True)))
        for one in partitions
    )


def range_of(keys: tuple[str, ...], asked: str) -> PartitionKeyRange:
    """The first and the last of `keys`, which a property or method `asked` for."""
    if not keys:
        raise not_partitioned(asked)
    return PartitionKeyRange(keys[0], keys[-1])


def window_of(
    partitions: tuple[str, ...], definition: PartitionsDefinition | None, asked: str
) -> TimeWindow:
    """The time of all partitions together, which a property or method `asked` for."""
    if not partitions or definition is None:
        raise not_partitioned(asked)
    find: Callable[[str], TimeWindow] | None
    find = getattr(definition, "time_window_for_partition_key", None)
    if find is None:
        raise PartitionsError(
            f"context.{asked} needs windows of time, and the partitions are not.",
            hint="Use context.partition_key.",
        )
    if not hasattr(definition, "partitions_defs"):
        partitions = (partitions[0], partitions[-1])  # windows are in their order
    from assetgraph.definitions.partitions.time_window import TimeWindow

    windows = list(map(find, partitions))
    start, end = min(one.start for one in windows), max(one.end for one in windows)
    return TimeWindow(start, end)


def not_partitioned(asked: str) -> PartitionsError:
    return PartitionsError(
        f"context.{asked} needs a partition, and there is none here.",
        hint="Give the asset a partitions_def, or ask context.has_partition_key first.",
    )


def several(keys: tuple[str, ...]) -> PartitionsError:
    return PartitionsError(
        f"context.partition_key is of one partition, and there are {len(keys)}: "
        f"{keys[0]}..{keys[-1]}.",
        hint="Use context.partition_keys, context.partition_key_range or "
        "context.partition_time_window.",
    )

"""Where the partitions of an asset are drawn: one dimension along an axis, the others as rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from assetgraph.definitions.partitions.keys import BETWEEN_DIMENSIONS
from assetgraph.definitions.partitions.multi import MultiKeys
from assetgraph.definitions.partitions.time_window import TimeKeys
from assetgraph.keys import RANGE

if TYPE_CHECKING:
    from assetgraph.definitions.partitions.keys import PartitionKeys


class PartitionAxis:
    """The keys of an asset's partitions, as a person looks at them.

    `along` are those of the dimension along the axis: the only one of time, or else the longest.
    There is a row for each combination of the keys of the others, called `row_names`; of a
    definition with one dimension, all partitions are one row.
    """

    def __init__(self, keys: PartitionKeys) -> None:
        self.name: str | None = None
        self.along = keys
        self._others: Mapping[str, PartitionKeys] = {}
        self._step = 1
        self._dimensions: Mapping[str, PartitionKeys] = {}
        if isinstance(keys, MultiKeys):
            self._dimensions = keys.dimensions
            self.name = _axis_of(keys)
            self.along = keys.dimensions[self.name]
            self._others = {n: one for n, one in keys.dimensions.items() if n != self.name}
            names = list(keys.dimensions)
            after = names[names.index(self.name) + 1 :]
            self._step = math.prod(len(keys.dimensions[name]) for name in after)

    @property
    def is_time(self) -> bool:
        return isinstance(self.along, TimeKeys)

    @property
    def row_names(self) -> tuple[str, ...]:
        return tuple(self._others)

    @property
    def row_count(self) -> int:
        return math.prod(map(len, self._others.values()))

    def row_keys(self, row: int) -> tuple[str, ...]:
        """The keys of the other dimensions in a row."""
        found = []
        for keys in reversed(list(self._others.values())):
            row, number = divmod(row, len(keys))
            found.append(str(keys.key(number)))
        return tuple(reversed(found))

    def numbers(self, row: int) -> range:
        """The numbers of the partitions in a row, along the axis."""
        count, step = len(self.along), self._step
        outer, inner = divmod(row, step)
        first = outer * step * count + inner
        return range(first, first + step * count, step)

    def texts(self, along: range, rows: range) -> list[str]:
        """What a person types for these partitions: keys and ranges, as `--partitions` takes."""
        ends = _span(self.along, along)
        if not self._others:
            return [ends]
        if len(self._others) == 1:
            (other,) = self._others.values()
            return [self._text(ends, [_span(other, rows)])]
        return [self._text(ends, self.row_keys(row)) for row in rows]

    def _text(self, along: str, others: Sequence[str]) -> str:
        parts: Iterator[str] = iter(others)
        named = (along if name == self.name else next(parts) for name in self._dimensions)
        return BETWEEN_DIMENSIONS.join(named)


def _axis_of(keys: MultiKeys) -> str:
    """The name of the dimension along the axis."""
    time = keys.definition.time_dimension
    if time is not None:
        return time
    lengths = {name: len(one) for name, one in keys.dimensions.items()}
    return max(
        lengths, key=lambda name: (isinstance(keys.dimensions[name], TimeKeys), lengths[name])
    )


def _span(keys: PartitionKeys, numbers: range) -> str:
    """Keys that follow each other: one, or the first and the last."""
    first = str(keys.key(numbers[0]))
    return first if len(numbers) == 1 else f"{first}{RANGE}{keys.key(numbers[-1])}"

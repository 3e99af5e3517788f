"""`NumberedKeys`: the keys of a definition with their numbers, as plain texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assetgraph.definitions.partitions.keys import PartitionKeys

_LISTED_COST = 10  # looking up one key takes about as long as listing this many
_UNKNOWN = -1


class NumberedKeys:
    """The keys of a definition, as plain texts. If very many are asked for one by one, they are all
    listed once, but never more than `most`."""

    def __init__(self, keys: PartitionKeys, most: int) -> None:
        self.keys = keys
        self._most = most
        self._asked = 0
        self._every: list[str] | None = None
        self._numbers: dict[str, int | None] = {}  # of the keys that were asked for, or of all

    def every(self) -> list[str]:
        if self._every is None:
            self._every = list(map(str, self.keys))  # a MultiPartitionKey is no plain text
            self._numbers = {one: number for number, one in enumerate(self._every)}
        return self._every

    def expect(self, count: int) -> None:
        """Prepare for so many look-ups, unless those keys are known already."""
        if self._every is None and len(self._numbers) < count:
            self._count(count)

    def range(self, numbers: range) -> list[str]:
        """The keys with these numbers, which follow each other."""
        if self._every is None:
            self._count(len(numbers) // _LISTED_COST + 1)
        if self._every is not None:
            return self._every[numbers.start : numbers.stop]
        found = list(map(str, self.keys.keys_of(numbers)))
        self._numbers.update(zip(found, numbers, strict=True))
        return found

    def key(self, number: int) -> str:
        if self._every is None:
            self._count()
        if self._every is not None:
            return self._every[number]
        found = str(self.keys.key(number))
        self._numbers[found] = number
        return found

    def number(self, key: str) -> int | None:
        found = self._numbers.get(key, _UNKNOWN)
        if found != _UNKNOWN or self._every is not None:
            return None if found == _UNKNOWN else found
        self._count()
        if self._every is None:
            self._numbers[key] = self.keys.number(key)
        return self._numbers.get(key)

    def _count(self, asked: int = 1) -> None:
        """Count look-ups, and list all keys once that would have been quicker."""
        self._asked += asked
        if len(self.keys) <= self._most and self._asked * _LISTED_COST > len(self.keys):
            self.every()

"""`MultiPartitionsDefinition`: a partition for each combination of keys of several dimensions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import product
from typing import Any

from assetgraph.definitions.partitions.definition import (
    DynamicPartitionsStore,
    PartitionsDefinition,
)
from assetgraph.definitions.partitions.keys import (
    BETWEEN_DIMENSIONS,
    MultiPartitionKey,
    PartitionKeys,
)
from assetgraph.definitions.partitions.listed import StaticPartitionsDefinition
from assetgraph.definitions.partitions.number_ranges import Numbers, combined
from assetgraph.definitions.partitions.time_window import (
    TimeWindow,
    TimeWindowPartitionsDefinition,
)
from assetgraph.errors import PartitionsError
from assetgraph.keys import EVERY, RANGE
from assetgraph.text import listed


class MultiPartitionsDefinition(PartitionsDefinition):
    """A partition for each combination of the keys of two or more named dimensions.

    The dimensions are in the order of their names; the last one changes fastest. The default
    combines those of the dimensions, unless one is given. Raises `PartitionsError`.
    """

    def __init__(
        self, partitions_defs: Mapping[str, PartitionsDefinition], *, default: str | None = None
    ) -> None:
        if len(partitions_defs) < 2:
            raise PartitionsError(
                "MultiPartitionsDefinition needs two or more dimensions.",
                hint="For one dimension, use its definition itself.",
            )
        for name, definition in partitions_defs.items():
            _check_dimension(name, definition)
        self.partitions_defs = {name: partitions_defs[name] for name in sorted(partitions_defs)}
        self.default = self._checked_default(default)
        if default is None:
            defaults = {name: one.default for name, one in self.partitions_defs.items()}
            known = {name: key for name, key in defaults.items() if key is not None}
            self.default = MultiPartitionKey(known) if len(known) == len(defaults) else None

    def keys(
        self, now: datetime | None = None, dynamic: DynamicPartitionsStore | None = None
    ) -> MultiKeys:
        found = {name: one.keys(now, dynamic) for name, one in self.partitions_defs.items()}
        return MultiKeys(self, found)

    def content(self) -> Mapping[str, Any]:
        return {
            name: {"kind": one.kind, **one.content()} for name, one in self.partitions_defs.items()
        }

    def resolve(self, text: str) -> MultiPartitionKey:
        parts = _parts(text, self.partitions_defs)
        return MultiPartitionKey(
            {name: self.partitions_defs[name].resolve(part) for name, part in parts.items()}
        )

    @property
    def time_dimension(self) -> str | None:
        """The name of the only dimension of time, or None if there is none, or several."""
        names = [
            name
            for name, one in self.partitions_defs.items()
            if isinstance(one, TimeWindowPartitionsDefinition)
        ]
        return names[0] if len(names) == 1 else None

    def time_window_for_partition_key(self, partition_key: str) -> TimeWindow:
        """The window of the time dimension of a key, whether it is over or not.

        Raises `PartitionsError` if there is not exactly one dimension of time.
        """
        name = self.time_dimension
        if name is None:
            raise PartitionsError(
                f"of the dimensions {listed(self.partitions_defs)}, not exactly one is of time.",
                hint="Take the window of a dimension's own definition.",
            )
        dimension = self.partitions_defs[name]
        assert isinstance(dimension, TimeWindowPartitionsDefinition)
        part = _parts(partition_key, self.partitions_defs)[name]
        return dimension.time_window_for_partition_key(part)


class MultiKeys(PartitionKeys):
    """The combinations of the keys of several dimensions."""

    def __init__(
        self, definition: MultiPartitionsDefinition, dimensions: Mapping[str, PartitionKeys]
    ) -> None:
        self.definition: MultiPartitionsDefinition = definition
        self.dimensions = dimensions

    def __len__(self) -> int:
        return math.prod(map(len, self.dimensions.values()))

    def __iter__(self) -> Iterator[str]:
        for parts in product(*self.dimensions.values()):
            yield MultiPartitionKey(dict(zip(self.dimensions, parts, strict=True)))

    def key(self, number: int) -> MultiPartitionKey:
        numbers = self.split(number)
        return MultiPartitionKey(
            {name: keys.key(numbers[name]) for name, keys in self.dimensions.items()}
        )

    def number(self, key: str) -> int | None:
        parts = key.split(BETWEEN_DIMENSIONS)
        if len(parts) != len(self.dimensions):
            return None
        numbers = {
            name: keys.number(part)
            for part, (name, keys) in zip(parts, self.dimensions.items(), strict=True)
        }
        known = {name: number for name, number in numbers.items() if number is not None}
        return self.join(known) if len(known) == len(parts) else None

    def numbering(self, count: int) -> str:
        """The keys of the first dimension may become more, and those of no other."""
        (first, keys), *others = self.dimensions.items()
        inside = math.prod(len(other) for _, other in others)
        found = {first: keys.numbering(-(-count // inside) if inside else 0)}
        found |= {name: f"{len(other)} {other.numbering(len(other))}" for name, other in others}
        return str(found)

    def split(self, number: int) -> dict[str, int]:
        """The numbers of a partition's keys in its dimensions."""
        found = {}
        for name, keys in reversed(list(self.dimensions.items())):
            number, found[name] = divmod(number, len(keys))
        return found

    def join(self, numbers: Mapping[str, int]) -> int:
        """The number of the partition with these numbers of keys in its dimensions."""
        found = 0
        for name, keys in self.dimensions.items():
            found = found * len(keys) + numbers[name]
        return found

    def with_parts(self, parts: Mapping[str, Numbers]) -> Numbers:
        """The numbers of the partitions whose keys in some dimensions are among `parts`."""
        sizes = {name: len(keys) for name, keys in self.dimensions.items()}
        all_parts = [parts.get(name, (range(size),)) for name, size in sizes.items()]
        return combined(list(sizes.values()), all_parts)

    def find(self, text: str) -> int:
        number = self.number(text)
        if number is not None:
            return number
        parts = _parts(text, self.dimensions)
        return self.join({name: self._found(name, part) for name, part in parts.items()})

    def require(self, key: str) -> int:
        number = self.number(key)
        if number is not None:
            return number
        parts = _parts(key, self.dimensions)
        return self.join(
            {name: self._found(name, part, exact=True) for name, part in parts.items()}
        )

    def among(self, text: str) -> Numbers:
        """A part of a key may be `*` too, or a range that has both ends: `2023-01..2023-03|US`."""
        parts = text.split(BETWEEN_DIMENSIONS)
        if len(parts) != len(self.dimensions) or not _has_several(parts):
            return super().among(text)
        chosen = {}
        for name, part in zip(self.dimensions, parts, strict=True):
            with _in_dimension(name):
                chosen[name] = self.dimensions[name].among(part)
        return self.with_parts(chosen)

    def _found(self, name: str, part: str, *, exact: bool = False) -> int:
        keys = self.dimensions[name]
        with _in_dimension(name):
            return keys.require(part) if exact else keys.find(part)


@contextmanager
def _in_dimension(name: str) -> Iterator[None]:
    """Lets errors say which dimension they are about."""
    try:
        yield
    except PartitionsError as error:
        raise PartitionsError(
            f"in the dimension {name!r}, {error.message}", hint=error.hint
        ) from None


def _has_several(parts: Sequence[str]) -> bool:
    """Whether a text in parts is about each dimension, and one of them is `*` or a range. A range
    that has no first or no last key is one of whole keys."""
    if parts[0].startswith(RANGE) or parts[-1].endswith(RANGE):
        return False
    return any(part == EVERY or RANGE in part for part in parts)


def _parts(text: str, names: Mapping[str, object]) -> dict[str, str]:
    """The parts of a key by dimension. Raises `PartitionsError`."""
    parts = text.split(BETWEEN_DIMENSIONS)
    if len(parts) != len(names):
        form = BETWEEN_DIMENSIONS.join(f"<{name}>" for name in names)
        raise PartitionsError(
            f"{text!r} is not a key of the dimensions {listed(names)}.",
            hint=f'Write it as "{form}".',
        )
    return dict(zip(names, parts, strict=True))


def _check_dimension(name: object, definition: object) -> None:
    if not isinstance(name, str) or not name:
        raise PartitionsError(f"{name!r} is not the name of a dimension.", hint="Write text.")
    if not isinstance(definition, PartitionsDefinition):
        raise PartitionsError(
            f"the dimension {name!r} is {definition!r}, which is no definition of partitions.",
            hint='Write it as in {"day": DailyPartitionsDefinition("2023-01-01")}.',
        )
    if isinstance(definition, MultiPartitionsDefinition):
        raise PartitionsError(
            f"the dimension {name!r} has several dimensions itself.",
            hint="Give its dimensions to the outer definition.",
        )
    if isinstance(definition, StaticPartitionsDefinition):
        wrong = next(
            (key for key in definition.get_partition_keys() if BETWEEN_DIMENSIONS in key), ""
        )
        if wrong:
            raise PartitionsError(
                f"the key {wrong!r} of the dimension {name!r} has a '|', "
                "which stands between the dimensions.",
                hint="Write another character.",
            )

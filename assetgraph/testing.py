"""Checks for the tests of a project."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from assetgraph.definitions.partitions.mappings import mapping_problem
from assetgraph.definitions.partitions.number_ranges import NONE, Numbers, in_ranges
from assetgraph.errors import PartitionsError

if TYPE_CHECKING:
    from datetime import datetime

    from assetgraph.definitions.partitions.definition import (
        DynamicPartitionsStore,
        PartitionsDefinition,
    )
    from assetgraph.definitions.partitions.keys import PartitionKeys
    from assetgraph.definitions.partitions.mapping import PartitionMapping

_SHOWN = 5  # keys in a message


def check_partition_mapping(
    mapping: PartitionMapping,
    *,
    downstream: PartitionsDefinition | None,
    upstream: PartitionsDefinition,
    now: datetime | None = None,
    dynamic: DynamicPartitionsStore | None = None,
) -> None:
    """Check a mapping on all partitions that two definitions have at `now`.

    The mapping must give the same answer each time, keys that exist, and an inverse that agrees.
    `downstream` is None for an asset without partitions; `dynamic` holds dynamic partitions.
    Raises `AssertionError` with a sentence that names the partition.
    """
    name = type(mapping).__name__
    problem = mapping_problem(mapping, downstream, upstream)
    if problem:
        raise AssertionError(f"{name} does not fit these definitions: {problem}")
    below = None if downstream is None else downstream.keys(now, dynamic)
    above = upstream.keys(now, dynamic)
    read = _reads(mapping, below, above)
    _check_again(mapping, below, above, read)
    _check_keys(mapping, below, above, read)
    _check_inverse(mapping, below, above, read)


def _reads(
    mapping: PartitionMapping, below: PartitionKeys | None, above: PartitionKeys
) -> list[Numbers]:
    """The numbers of the upstream partitions of each downstream partition."""
    found = []
    for number in range(1 if below is None else len(below)):
        try:
            found.append(mapping.upstream(number, below, above))
        except PartitionsError as error:
            raise AssertionError(
                f"{_upstream_of(mapping, below, number)} fails: {error}"
            ) from error
        outside = [one for one in _each(found[-1]) if not 0 <= one < len(above)]
        if outside or found[-1] != in_ranges(_each(found[-1])):
            raise AssertionError(
                f"{_upstream_of(mapping, below, number)} gives {found[-1]}, which are not ranges "
                f"in order of the numbers of {len(above)} partitions"
            )
    return found


def _check_again(
    mapping: PartitionMapping,
    below: PartitionKeys | None,
    above: PartitionKeys,
    read: list[Numbers],
) -> None:
    for number in reversed(range(len(read))):  # the order of the questions must not matter
        again = mapping.upstream(number, below, above)
        if again != read[number]:
            raise AssertionError(
                f"{_upstream_of(mapping, below, number)} gives {_keys(above, read[number])} the "
                f"first time and {_keys(above, again)} the second time: it must depend on nothing "
                "but what it is given"
            )


def _check_keys(
    mapping: PartitionMapping,
    below: PartitionKeys | None,
    above: PartitionKeys,
    read: list[Numbers],
) -> None:
    for number, numbers in enumerate(read):
        key = None if below is None else below.key(number)
        given = in_ranges(map(above.require, mapping.upstream_keys(key, below, above)))
        if given != numbers:
            raise AssertionError(
                f"upstream_keys of {type(mapping).__name__} gives {_keys(above, given)} for the "
                f"partition {key!r}, and upstream gives {_keys(above, numbers)}"
            )


def _check_inverse(
    mapping: PartitionMapping,
    below: PartitionKeys | None,
    above: PartitionKeys,
    read: list[Numbers],
) -> None:
    inverse: dict[int, list[int]] = {}
    for number, numbers in enumerate(read):
        for one in _each(numbers):
            inverse.setdefault(one, []).append(number)
    for one in range(len(above)):
        expected = in_ranges(inverse.get(one, []))
        given = mapping.downstream(one, below, above)
        if given != expected:
            raise AssertionError(
                f"{type(mapping).__name__}.downstream says that the upstream partition "
                f"{above.key(one)!r} goes into {_keys(below, given)}, but by upstream it goes into "
                f"{_keys(below, expected)}"
            )


def _upstream_of(mapping: PartitionMapping, below: PartitionKeys | None, number: int) -> str:
    partition = "" if below is None else f" of the partition {below.key(number)!r}"
    return f"{type(mapping).__name__}: the upstream{partition}"


def _keys(keys: PartitionKeys | None, numbers: Numbers) -> str:
    """A few of the keys with these numbers, for a message."""
    if numbers == NONE:
        return "nothing"
    if keys is None:
        return "the asset"
    shown = [
        repr(keys.key(number)) if 0 <= number < len(keys) else f"number {number}"
        for number in list(_each(numbers))[: _SHOWN + 1]
    ]
    return ", ".join([*shown[:_SHOWN], "…"] if len(shown) > _SHOWN else shown)


def _each(numbers: Numbers) -> Iterator[int]:
    return (number for part in numbers for number in part)

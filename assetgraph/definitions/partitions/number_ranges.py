"""Numbers of partitions, as ranges in order that do not touch each other: a year of days is one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

Numbers = tuple[range, ...]
NONE: Numbers = ()


def in_ranges(numbers: Iterable[int]) -> Numbers:
    """Numbers in any order, each perhaps several times."""
    return joined(range(number, number + 1) for number in numbers)


def joined(parts: Iterable[range]) -> Numbers:
    """Ranges in any order, which may overlap or be empty."""
    found: list[range] = []
    for part in sorted(filter(None, parts), key=lambda part: part.start):
        if found and part.start <= found[-1].stop:
            found[-1] = range(found[-1].start, max(found[-1].stop, part.stop))
        else:
            found.append(part)
    return tuple(found)


def has(numbers: Numbers, number: int) -> bool:
    """Whether a number is in one of the ranges."""
    place = bisect_right(numbers, number, key=lambda part: part.start)
    return place > 0 and number < numbers[place - 1].stop


def common(one: Numbers, other: Numbers) -> Numbers:
    """The numbers that are in both."""
    found: list[range] = []
    here, there = iter(one), iter(other)
    first, second = next(here, None), next(there, None)
    while first is not None and second is not None:
        both = range(max(first.start, second.start), min(first.stop, second.stop))
        if both:
            found.append(both)
        if first.stop < second.stop:
            first = next(here, None)
        else:
            second = next(there, None)
    return joined(found)


def combined(sizes: Sequence[int], parts: Sequence[Numbers]) -> Numbers:
    """The numbers of the combinations of `parts`, one for each dimension, whose last changes
    fastest. A dimension has as many numbers as `sizes` says."""
    found: Numbers = (range(1),)
    for size, part in zip(sizes, parts, strict=True):
        if part == (range(size),):
            found = joined(range(one.start * size, one.stop * size) for one in found)
        else:
            found = joined(
                range(number * size + one.start, number * size + one.stop)
                for numbers in found
                for number in numbers
                for one in part
            )
    return found

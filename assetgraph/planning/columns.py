"""Operations on columns of bytes, one or several for each partition, a whole column at once.

Python compares, shifts and adds bytes and long integers at the speed of the memory. A loop over
partitions would take hundreds of times as long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MOST_LABELS = 254  # 255 is left to say something else
_PIECE = 1 << 16  # bytes that stay in the processor's cache; a multiple of every width


def differing(pieces: Iterable[bytes], other: bytes, width: int) -> bytes:
    """A byte for each entry of a column, which is 1 where it differs from another one. An entry has
    `width` bytes, a power of 2. The first column comes in pieces of whole entries. It is cut, or
    goes on with zeros, to the length of the other."""
    found: list[bytes] = []
    start, size = 0, len(other)
    for piece in pieces:
        for at in range(0, min(len(piece), size - start), _PIECE):
            here = piece[at : min(at + _PIECE, size - start)]
            found.append(_differing(here, other[start + at : start + at + len(here)], width))
        start = min(start + len(piece), size)
    for at in range(start, size, _PIECE):
        there = other[at : at + _PIECE]
        found.append(_differing(bytes(len(there)), there, width))
    return b"".join(found)


def _differing(one: bytes, other: bytes, width: int) -> bytes:
    if one == other:
        return bytes(len(one) // width)
    changed = int.from_bytes(one, "little") ^ int.from_bytes(other, "little")
    half = width // 2
    while half:
        changed |= changed >> (8 * half)
        half //= 2
    return changed.to_bytes(len(one), "little")[::width].translate(_NOT_ZERO)


def moved(column: bytes, distance: int, count: int, width: int = 1) -> bytes:
    """`count` entries, of which number *i* is the entry *i* + `distance` of the column; zeros where
    there is none."""
    size = len(column) // width
    first, end = min(max(distance, 0), size), max(0, min(distance + count, size))
    before = bytes(max(0, min(count, -distance)) * width)
    found = before + column[first * width : end * width]
    return found.ljust(count * width, b"\0")


def either(one: bytes, other: bytes) -> bytes:
    """The bits of two columns, joined."""
    if not any_set(one):
        return other
    if not any_set(other):
        return one
    joined = int.from_bytes(one, "little") | int.from_bytes(other, "little")
    return joined.to_bytes(len(one), "little")


def where(one: bytes, mask: bytes) -> bytes:
    """A column where the mask is 1, and 0 where that is 0."""
    if mask == b"\1" * len(mask):
        return one
    if not any_set(mask) or not any_set(one):
        return bytes(len(one))
    other = mask.translate(_WIDENED)
    common = int.from_bytes(one, "little") & int.from_bytes(other, "little")
    return common.to_bytes(len(one), "little")


def where_not(one: bytes, mask: bytes) -> bytes:
    """A column where the mask is 0, and 0 where that is not."""
    return where(one, mask.translate(INVERTED))


def told_apart(labels: bytes, column: bytes) -> bytes | None:
    """Labels that are equal where both the labels and the column are. They are 0 where both are 0,
    and else without gaps. None if there would be too many."""
    if not any_set(column):
        return labels
    found, count = bytes(len(labels)), 0
    counted = labels.translate(_ONE_MORE)  # 0 is a label too
    for value in values_in(column):
        here = where(counted, column.translate(_table({value: 1})))
        places = {}
        for label in values_in(here)[1:]:
            if value or label > 1:
                count += 1
                places[label] = count
        if count > MOST_LABELS:
            return None
        found = either(found, here.translate(_table(places)))
    return found


def values_in(column: bytes) -> list[int]:
    """The values in a column, 0 first whether it is there or not."""
    rest = column.translate(None, b"\0")
    found = [0]
    while rest:
        found.append(rest[0])
        rest = rest.translate(None, rest[:1])
    return sorted(found)


def any_set(column: bytes) -> bool:
    """Whether any byte of a column is not 0."""
    return column != bytes(len(column))  # counting takes a hundred times as long


def count_of(column: bytes, value: int) -> int:
    """How many bytes of a column have this value."""
    return len(column) - len(column.translate(None, bytes([value])))


def numbers_of(column: bytes, value: int) -> Iterator[range]:
    """The ranges of numbers at which a column has this value, in order."""
    if value not in column:  # looking for a byte takes a hundredth of the time
        return
    for found in re.finditer(re.escape(bytes([value])) + b"+", column, re.DOTALL):
        yield range(*found.span())


def _table(values: dict[int, int]) -> bytes:
    table = bytearray(256)
    for value, place in values.items():
        table[value] = place
    return bytes(table)


INVERTED = bytes([1]) + bytes(255)  # a table that makes 1 of 0, and 0 of all else
_NOT_ZERO = bytes([0]) + bytes([1]) * 255
_WIDENED = bytes([0]) + bytes([255]) * 255
_ONE_MORE = bytes([*range(1, 256), 0])

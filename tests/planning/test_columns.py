"""Operations on whole columns give what a loop over their entries gives."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetgraph.planning import columns

PAIRS = st.lists(st.tuples(st.integers(0, 254), st.integers(0, 7)), max_size=60)


@given(PAIRS)
def test_labels_are_told_apart_where_either_differs(pairs: list[tuple[int, int]]) -> None:
    found = columns.told_apart(bytes(one for one, _ in pairs), bytes(two for _, two in pairs))
    assert found is not None
    assert len(set(zip(found, pairs, strict=True))) == len(set(pairs))
    if any(two for _, two in pairs):
        assert set(found) - {0} == set(range(1, len({*pairs, (0, 0)})))
    assert all((label == 0) == (pair == (0, 0)) for label, pair in zip(found, pairs, strict=True))


def test_there_are_never_more_labels_than_a_byte_holds() -> None:
    pairs = list(product(range(100), range(3)))
    labels, column = (bytes(part) for part in zip(*pairs, strict=True))
    assert columns.told_apart(labels, column) is None


ENTRIES = st.lists(st.sampled_from([bytes(16), b"a" * 16, bytes(15) + b"b"]), max_size=9)


@given(ENTRIES, ENTRIES, st.sets(st.integers(0, 9)), st.sampled_from([16, 32, 1 << 16]))
def test_columns_are_compared_entry_by_entry_however_they_are_cut(
    entries: list[bytes], others: list[bytes], cuts: set[int], at_once: int
) -> None:
    bounds = [0, *sorted(cuts), 9]
    pieces = [b"".join(entries[start:end]) for start, end in pairwise(bounds)]
    as_long = [*entries, *[bytes(16)] * 9]
    expected = bytes(here != there for here, there in zip(as_long, others, strict=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "_PIECE", at_once)
        assert columns.differing(pieces, b"".join(others), 16) == expected


@given(st.binary(max_size=64), st.integers(-5, 5), st.integers(0, 6))
def test_columns_are_moved_entry_by_entry(one: bytes, distance: int, count: int) -> None:
    size = len(one) // 16
    one = one[: size * 16]
    entries = [one[at * 16 : at * 16 + 16] for at in range(size)]
    read = [number + distance for number in range(count)]
    there = [entries[at] if 0 <= at < size else bytes(16) for at in read]
    assert columns.moved(one, distance, count, 16) == b"".join(there)

"""Operations on whole columns give what a loop over their entries gives."""

from __future__ import annotations

from itertools import product

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


@given(st.binary(max_size=64), st.binary(max_size=64), st.integers(-5, 5), st.integers(0, 6))
def test_columns_are_compared_and_moved_entry_by_entry(
    one: bytes, other: bytes, distance: int, count: int
) -> None:
    size = min(len(one), len(other)) // 16
    one, other = one[: size * 16], other[: size * 16]
    entries = [one[at * 16 : at * 16 + 16] for at in range(size)]
    others = [other[at * 16 : at * 16 + 16] for at in range(size)]
    expected = bytes(here != there for here, there in zip(entries, others, strict=True))
    assert columns.differing(one, other, 16) == expected
    read = [number + distance for number in range(count)]
    there = [entries[at] if 0 <= at < size else bytes(16) for at in read]
    assert columns.moved(one, distance, count, 16) == b"".join(there)

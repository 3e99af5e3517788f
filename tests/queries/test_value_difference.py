"""Where two values differ, in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetgraph.queries.value_difference import differences

NAN = float("nan")


@pytest.mark.parametrize(("before", "after", "said"), [
    (1, "1", ["it was int, and is str"]),
    (1, 2, ["1 before, 2 now"]),
    (1, True, ["it was int, and is bool"]),
    ({"a": 1, "b": 2}, {"a": 1, "c": 2}, ["the key 'b' is gone", "the key 'c' is new"]),
    ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, ["['a'][1]['b']: 2 before, 3 now"]),
    ([1, 2, 3], [1, 9], ["3 items before, 2 now", "[1]: 2 before, 9 now"]),
    ("one\ntwo\nthree", "one\n2\nthree", ["line 2: 'two' before, '2' now"]),
    ("one", "one\ntwo", ["1 lines before, 2 now"]),
    ("one\n", "one\r\n", ["the ends of lines differ"]),
    (b"abc", b"abd", ["byte 2: 0x63 before, 0x64 now"]),
    (b"abc", b"ab", ["3 bytes before, 2 bytes now"]),
    (np.array([1, 2]), np.array([1.0, 2.0]), ["its type was int64, and is float64"]),
    (np.array([1, 2]), np.array([[1, 2]]), ["its shape was (2,), and is (1, 2)"]),
    (np.array([[1, 2], [3, 4]]), np.array([[1, 2], [3, 5]]),
     ["1 of 4 elements differ, first at [1, 1]: np.int64(4) before, np.int64(5) now"]),
    (pa.table({"a": [1, 2], "b": ["x", "y"]}), pa.table({"a": [1, 3], "c": ["x", "y"]}),
     ["the column b is gone", "the column c is new",
      "the column a differs in 1 of 2 rows, first in row 1: 2 before, 3 now"]),
    (pa.table({"a": [1]}), pa.table({"a": [1.0]}), ["the column a was int64, and is double"]),
    (pa.table({"a": [1, 2]}), pa.table({"a": [1]}), ["2 rows before, 1 now"]),
    (pa.table({"a": [1], "b": [1]}), pa.table({"b": [1], "a": [1]}),
     ["the columns are in another order: b, a"]),
])  # fmt: skip
def test_a_difference_says_where_and_what(before: object, after: object, said: list[str]) -> None:
    assert differences(before, after) == [text.replace("2 bytes now", "2 now") for text in said]


@pytest.mark.parametrize("value", [
    NAN, [NAN], {"a": NAN}, np.array([1.0, NAN]), np.array(["a"]), np.array(3), b"", "", None,
    pa.table({"a": [1.0, NAN, None]}), (1, [2, {"a": (3,)}]),
])  # fmt: skip
def test_a_value_does_not_differ_from_itself(value: object) -> None:
    assert differences(value, value) == []


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(plain, plain)
def test_values_that_are_unequal_differ_somewhere(before: object, after: object) -> None:
    said = differences(before, after)

    assert differences(before, before) == []
    assert bool(said) or before == after or repr(before) == repr(after) or isinstance(before, str)
    if not said and isinstance(before, str) and isinstance(after, str):
        assert before == after


def test_files_and_folders_are_compared_by_their_content(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, text in ((old, "a\nb\n"), (new, "a\nc\n")):
        (folder / "sub").mkdir(parents=True)
        (folder / "sub/lines.txt").write_text(text)
        (folder / "same.txt").write_text("same")
    (old / "gone.txt").touch()
    (new / "raw.bin").write_bytes(b"\xff\x00")

    assert differences(old, new) == [
        "the file gone.txt is gone",
        "the file raw.bin is new",
        "sub/lines.txt: line 2: 'b' before, 'c' now",
    ]
    assert differences(old / "same.txt", new / "same.txt") == []
    assert differences(old, new / "same.txt") == ["one of them is a folder"]


def test_of_many_differences_only_the_first_are_said() -> None:
    assert len(differences(dict.fromkeys(range(100)), {})) == 10

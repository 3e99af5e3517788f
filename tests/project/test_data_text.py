"""The bounds within which config is read, whatever its format."""

from __future__ import annotations

import pytest

from assetgraph.project.data_text import MOST_DEPTH, MOST_YAML, DataError, decode

DEEP = MOST_DEPTH + 1


@pytest.mark.parametrize("kind", ["json", "toml", "yaml"])
@pytest.mark.parametrize("depth", [MOST_DEPTH - 2, DEEP, 5 * DEEP])
def test_data_may_nest_so_deep_and_no_deeper(kind: str, depth: int) -> None:
    nested = "[" * depth + "]" * depth
    text = {"json": f'{{"a": {nested}}}', "toml": f"a = {nested}", "yaml": f"a: {nested}"}[kind]
    if depth < MOST_DEPTH:
        assert "a" in decode(text.encode(), kind)
    else:
        with pytest.raises(DataError, match=f"nests more than {MOST_DEPTH} levels"):
            decode(text.encode(), kind)


def test_what_an_alias_stands_for_counts_with_its_depth() -> None:
    half = MOST_DEPTH * 2 // 3
    text = f"a: &a {'[' * half}{']' * half}\nb: {'[' * half}*a{']' * half}\n"
    with pytest.raises(DataError, match=f"line 2, .*nests more than {MOST_DEPTH} levels"):
        decode(text.encode(), "yaml")


def test_yaml_beyond_its_bounds_is_refused_with_the_place() -> None:
    number = "9" * 1001
    for text, message in (
        ("a: " + "x" * MOST_YAML, r"it has 100,003 bytes, and YAML may have 100,000: use JSON"),
        (f"a: 1\nb: {number}", r"line 2, column 4: a number has 1,001 digits"),
        ("a: &a [1]\nb: &b [*b]", r"line 2, column 8: \*b contains itself"),
        ("a: 1\na: 2", r"line 2, .*'a' stands twice in one mapping"),
        (
            "a: &a " + "x" * 60_000 + "\nb: [*a, *a]",
            r"its aliases stand for more than 100,000 bytes",
        ),
    ):
        with pytest.raises(DataError, match=message):
            decode(text.encode(), "yaml")
    assert decode(f"b: '{number}'".encode(), "yaml") == {"b": number}


def test_a_name_of_toml_has_no_more_parts_than_data_has_levels() -> None:
    with pytest.raises(DataError, match=f"line 2: a name has more than {MOST_DEPTH} parts"):
        decode(("x = 1\n" + ".".join("a" * DEEP) + " = 1").encode(), "toml")
    assert decode(b"x = '" + b"a." * DEEP + b"'", "toml") == {"x": "a." * DEEP}

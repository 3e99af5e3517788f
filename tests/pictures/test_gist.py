"""Descriptions in lists and pictures: the words of their Markdown, without its marks."""

from __future__ import annotations

import time

import pytest

from assetgraph.pictures.gist import gist


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        (
            "Trips of **all** taxis, see [the docs](https://x.y/z).",
            "Trips of all taxis, see the docs.",
        ),
        (
            "With `code`, *stress*, ~~old~~ and a ![map](a.png).",
            "With code, stress, old and a map.",
        ),
        ("**a *b* c**, **d** and *e*", "a b c, d and e"),
        ("__very bold__ and _light_", "very bold and light"),
        ("[**bold link**](https://a/b_(c)) end", "bold link end"),
        ('[zones](url "title")', "zones"),
        ("`a*b*c` and ``x`y``", "a*b*c and x`y"),
        ("# Heading **x**\n\nText", "Heading x"),
        ("> quote", "quote"),
        ("- item", "item"),
        (None, ""),
    ],
)
def test_the_gist_of_a_description_has_its_words_and_no_marks(
    markdown: str | None, words: str
) -> None:
    assert gist(markdown) == words


@pytest.mark.parametrize(
    "text",
    [
        "a * b * c",
        "**kwargs and *args",
        "calls __init__ and __repr__",
        "snake_case_name and _private",
        "2 - 1 > 0 # no",
        "-5 degrees",
        "*not closed",
        "[a reference] only",
        "https://a.b/c_d_e",
        "<b>x</b>",
    ],
)
def test_what_is_no_markdown_stays(text: str) -> None:
    assert gist(text) == text


@pytest.mark.parametrize("mark", ["*", "[", "`", "_", "**a ", "[](", "_a ", "~~", "![", "__a "])
def test_a_text_of_many_marks_takes_no_time(mark: str) -> None:
    started = time.process_time()
    gist(mark * 2000)
    assert time.process_time() - started < 0.5

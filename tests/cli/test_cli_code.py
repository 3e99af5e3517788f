"""`show` says what an asset's code version covers, and what it cannot follow."""

from __future__ import annotations

from assetgraph.cli.render.code_version_lines import code_lines
from assetgraph.code import Definition


def shown(*covers: Definition, version: str = "1a2b", width: int | None = None) -> list[str]:
    return [line.plain.rstrip() for line in code_lines(covers, version, width)]


def test_what_is_covered_comes_with_its_place_and_what_is_not_followed_with_its_line() -> None:
    assert shown(
        Definition("function", "clean", "pipe/helpers.py", 4, ("line 5: `eval` runs text",)),
        Definition("library", "pyarrow"),
    ) == [
        "  function  clean    pipe/helpers.py:4",
        "  library   pyarrow",
        "! not fully followed: clean in pipe/helpers.py, line 5: `eval` runs text",
    ]


def test_what_is_not_followed_is_broken_between_words() -> None:
    noted = Definition("function", "clean", "pipe/helpers.py", 4, ("line 5: `eval` runs text",))
    assert shown(noted, width=60)[1:] == [
        "! not fully followed: clean in pipe/helpers.py, line 5:",
        "  `eval` runs text",
    ]


def test_the_nearest_are_shown_and_the_rest_is_counted() -> None:
    lines = shown(*(Definition("value", f"N{i}", "a.py", i) for i in range(1, 31)))
    assert len(lines) == 13
    assert lines[-1] == "  … and 18 more (see --json)"


def test_an_asset_that_gives_its_own_version_says_so() -> None:
    assert shown(version="v2") == ["  set by the asset: v2"]

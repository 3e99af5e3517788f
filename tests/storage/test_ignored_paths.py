"""The patterns of `ignore_reads` match as those of a .gitignore."""

from __future__ import annotations

import pytest

from assetgraph.storage.ignored_paths import IgnoredPaths


@pytest.mark.parametrize(("pattern", "matching", "others"), [
    ("*.log", ["a.log", "in/b.log", "a.log/part"], ["a.logs", "log"]),
    ("cache", ["cache", "in/cache", "cache/a/b"], ["caches", "a-cache"]),
    ("cache/", ["cache/a", "in/cache/a"], ["caches/a"]),
    ("/cache", ["cache", "cache/a"], ["in/cache"]),
    ("./cache", ["cache", "cache/a"], ["in/cache"]),
    ("in/*.csv", ["in/a.csv", "in/a.csv/part"], ["in/a/b.csv", "x/in/a.csv", "a.csv"]),
    ("in/**", ["in/a", "in/a/b"], ["in", "x/in/a"]),
    ("**/out", ["out", "a/out", "a/b/out", "a/out/x"], ["about", "a/about"]),
    ("in/**/a.csv", ["in/a.csv", "in/x/a.csv", "in/x/y/a.csv"], ["in/xa.csv", "a.csv"]),
    ("a?.csv", ["ab.csv", "in/ac.csv"], ["a.csv", "a/.csv"]),
    ("[ab].csv", ["a.csv", "b.csv"], ["c.csv", "[ab].csv"]),
    ("[!ab].csv", ["c.csv", "in/d.csv"], ["a.csv", "b.csv"]),
    ("in[!x]a.csv", ["in-a.csv"], ["in/a.csv", "inxa.csv"]),
    ("a+(b).csv", ["a+(b).csv"], ["aab.csv"]),
    ("a\nb", ["a\nb", "a\nb/c"], ["ab"]),
    ("[\\]x", ["\\x"], ["x"]),
])  # fmt: skip
def test_a_pattern_matches_what_a_gitignore_would(
    pattern: str, matching: list[str], others: list[str]
) -> None:
    for ignored in (IgnoredPaths([pattern]), IgnoredPaths(["no such", pattern])):
        assert [path for path in matching if path not in ignored] == []
        assert [path for path in others if path in ignored] == []


def test_without_patterns_nothing_is_ignored() -> None:
    assert "" not in IgnoredPaths([])
    assert "a.csv" not in IgnoredPaths([])

"""The pages that say how to: each block of code runs, and prints what they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Answer, ProjectFolder
from played_pages import blocks, play

DOCS = Path(__file__).parents[1] / "docs"
PLAYED = ("tutorial", "partitions", "backfills", "coming-from-dagster")
FOLDERS = ("how-to", "concepts", "coming-from")
PAGES = [
    *PLAYED,
    *sorted(
        str(page.relative_to(DOCS).with_suffix(""))
        for name in FOLDERS
        for page in (DOCS / name).glob("*.md")
    ),
]


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_shows_is_so(
    name: str,
    project: Callable[..., ProjectFolder],
    assetgraph: Callable[..., Answer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = project({}).root
    monkeypatch.chdir(root)

    def command(*words: str) -> tuple[int, str]:
        answer = assetgraph(*words)
        return answer.code, answer.out + answer.err

    shown = {block.kind for block in blocks(DOCS / f"{name}.md")}
    assert bool(play(DOCS / f"{name}.md", root, command)) == bool(shown - {"mermaid"})


@pytest.mark.parametrize("name", PAGES)
def test_no_block_of_a_page_is_passed_over(name: str) -> None:
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    assert 2 * len(list(blocks(DOCS / f"{name}.md"))) == text.count("```")

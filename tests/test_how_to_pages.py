"""The pages about partitions and backfills: each block of code runs, and prints what they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Answer, ProjectFolder
from played_pages import blocks, play

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("name", ["partitions", "backfills", "coming-from-dagster"])
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

    assert play(DOCS / f"{name}.md", root, command)


def test_no_block_of_a_page_is_passed_over() -> None:
    page: Any
    for page in ("partitions", "backfills", "coming-from-dagster"):
        text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
        assert 2 * len(list(blocks(DOCS / f"{page}.md"))) == text.count("```")

"""What people ask is answered in their own words: the search finds only what has every word."""

from __future__ import annotations

import re
from pathlib import Path

from asked_questions import ASKED

DOCS = Path(__file__).parents[1] / "docs"


def test_the_words_of_each_question_are_in_one_section_of_a_page_that_answers_it() -> None:
    assert [
        one.typed for one in ASKED if not any(_has(page, one.typed) for page in one.pages)
    ] == []
    assert len(ASKED) >= 20


def _has(page: str, typed: str) -> bool:
    """Whether a section of `page` has words that begin with each of those that are typed."""
    words = [re.compile(rf"\b{re.escape(word)}", re.IGNORECASE) for word in typed.split()]
    sections = re.split(r"^#+ ", (DOCS / f"{page}.md").read_text(encoding="utf-8"), flags=re.M)
    return any(all(word.search(section) for word in words) for section in sections)

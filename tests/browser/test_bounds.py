"""Whatever an asset records, the browser draws it in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, expect

from browser.served import visit

if TYPE_CHECKING:
    from browser.served import Server

ONE = """
    import assetgraph as dg

    @dg.asset
    def one():
        return 1
"""
# Each pattern, repeated up to 99,000 characters, and each with a sign before and after.
PATTERNS = [
    "[", "]", "[]", "[a](", "[[a]", "[a](http://", "![", "*", "**", "* ", "*a", "**a", "_", "__", "_a",
    " _a", "`", "``", "`a", "```\n", "#", "# ", "#\n", "> ", ">", ">>", "- ", "-", "1. ", "1", "\n", "\r\n", " ",
    "\t", "<", "<a ", "http://", "https://a", "a", "a ", "\\", "|", "a\n", "- a\n", "# a\n", "a\n\n", "\x1b[", "\x1b[0;",
    "\x1b]", "\u202e", "\r", "\r\r\n", "\x07", "\x00", "(", "~", "*_", "**_", "[*", "`[", "é", "😀",
]  # fmt: skip
TIMED = """async ([patterns, length]) => {
  const {markdown} = await import('/static/x/markdown.js');
  const {firstLine, plainLine, plainText, terminalLines} = await import('/static/x/ansi.js');
  const slow = [];
  const best = (show, source) => Math.min(...[1, 2, 3].map(() => {
    const begun = performance.now();
    show(source);
    return performance.now() - begun;
  }));
  for (const pattern of patterns) {
    const text = pattern.repeat(Math.ceil(length / pattern.length)).slice(0, length);
    for (const source of [text, `# ${text}x`, `[${text}`, `- ${text}x`, `*${text}`, `x${text}x`]) {
      for (const show of [markdown, firstLine, plainLine, plainText, terminalLines]) {
        const begun = performance.now();
        show(source);
        const spent = performance.now() - begun;
        if (spent < 1500) continue;
        // Perhaps other work held it up: a quarter of the text takes a quarter of the time.
        const [whole, part] = [best(show, source), best(show, source.slice(0, length / 4))];
        if (whole > 1500 && whole > 8 * part) {
          slow.push([show.name, pattern, source.slice(0, 5), Math.round(whole), Math.round(part)]);
        }
      }
    }
  }
  return slow;
}"""
SHOWN = """async (source) => {
  const {markdown} = await import('/static/x/markdown.js');
  const element = markdown(source);
  return [...element.children].map((one) => [one.tagName, one.className, one.textContent]);
}"""


def test_text_of_any_signs_is_drawn_in_time_linear_to_its_length(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(look_at({"pipeline.py": ONE}).url)

    assert page.evaluate(TIMED, [PATTERNS, 99_000]) == []


MARKDOWN: list[tuple[str, list[list[str]]]] = [
    ("# A *b* ##", [["P", "markdown-heading", "A b"]]),
    ("#  a # b  #  ", [["P", "markdown-heading", "a # b"]]),
    ("#no", [["P", "", "#no"]]),
    ("# ", [["P", "", "# "]]),
    ("- a\n- **b**\n\nc\nd", [["UL", "", "ab"], ["P", "", "c\nd"]]),
    ("1. a\n2. b\n- c", [["OL", "", "ab"], ["UL", "", "c"]]),
    ("```\n# a\n```\nb", [["PRE", "code", "# a"], ["P", "", "b"]]),
    ("a\n```\nb", [["P", "", "a"], ["PRE", "code", "b"]]),
    ("see [the *docs*](https://a.b/c) or https://d.e", [["P", "", "see the *docs* or https://d.e"]]),
    ("[[a](https://b.c)]", [["P", "", "[a]"]]),
    ("\n\n\n", []),
    ("", []),
]  # fmt: skip


def test_markdown_is_drawn_as_it_reads(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(look_at({"pipeline.py": ONE}).url)

    for source, expected in MARKDOWN:
        assert page.evaluate(SHOWN, source) == expected, source


def test_metadata_that_is_wide_long_or_deep_leaves_the_page_usable(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    text = """
        import assetgraph as dg

        @dg.asset
        def much():
            deep = current = {}
            for _ in range(90):
                current["x"] = current = {}
            return dg.MaterializeResult(value=1, metadata={
                "brackets": dg.MetadataValue.md("[" * 99_000),
                "wide": dg.MetadataValue.table([{f"c{n}": n for n in range(5_000)}]),
                "json": {"x": ["y" * 100] * 9_000},
                "deep": deep,
            })
    """
    server = serve({"pipeline.py": text})
    server.terminal("materialize", "--all")
    page = open_page(f"{server.url}/assets/much")

    expect(page.locator(".metadata .markdown").first).to_contain_text("[[[")
    expect(page.get_by_text("The first 100 of 5000 columns.").first).to_be_visible()
    visit(page, f"{server.url}/lineage?selected=much")
    expect(page.locator(".panel .markdown")).to_contain_text("[[[")

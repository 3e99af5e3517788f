"""Names, log lines, metadata and errors are text, whatever they hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, expect

from browser.served import visit

if TYPE_CHECKING:
    from browser.served import Server

KOREAN = "%ED%83%9D%EC%8B%9C_%EC%9A%B4%ED%96%89.%EC%9A%94%EC%95%BD"
SCRIPT = "%3Cscript%3Ewindow.hit=1"
RUN = "materialize --all --tag <b>=<script>window.hit=1</script>"
HOSTILE = r"""
    import sys
    import assetgraph as dg

    EVIL = "<script>window.hit = 1</script><img src=x onerror='window.hit = 1'>"

    @dg.asset(
        name="택시_운행.요약", owners=["team:" + EVIL], kinds={EVIL},
        tags={"tier": EVIL}, description=EVIL + "\u202eevil\u202c",
        metadata={EVIL: EVIL},
    )
    def shown(context):
        context.log.warning(EVIL)
        context.log.info("\x1b[31mred\x1b[0m \x00 nul \u202e backwards")
        context.log.info("x" * 1_000_000)
        context.add_output_metadata({
            EVIL: EVIL,
            "link": dg.MetadataValue.url("javascript:window.hit=1"),
            "markdown": dg.MetadataValue.md(EVIL),
            "rows": dg.MetadataValue.table([{EVIL: EVIL}]),
            "json": {EVIL: [EVIL]},
            "long": "y" * 1_000_000,
        })
        print(EVIL)
        print("\x1b[31mred\x1b[0m and \x1b]0;title\x07 over\rwritten\x00")
        print("z" * 1_000_000)
        return EVIL

    @dg.asset(key_prefix="a.b")
    def broken():
        raise ValueError(EVIL + "\x1b[31m")
"""


def test_hostile_text_is_shown_and_never_obeyed(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = look_at({"pipeline.py": HOSTILE}, RUN)
    page = open_page(server.url)
    for address in (
        "/", "/assets", f"/assets/{KOREAN}",
        "/assets/a.b/broken", "/lineage", f"/lineage?selected={KOREAN}",
        "/runs", "/runs/latest", "/runs/latest?view=output", "/definitions",
        f"/runs/{SCRIPT}", f"/assets?q={SCRIPT}",
    ):  # fmt: skip
        visit(page, server.url + address)
        assert page.evaluate("window.hit") is None, address
        assert page.locator("main script, main img[src='x']").count() == 0, address
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 1280, address

    visit(page, f"{server.url}/runs/latest")
    expect(page.locator(".log")).to_contain_text("<script>window.hit = 1</script>")
    expect(page.locator(".failure-message")).to_contain_text("<script>")
    row = page.locator(".log-row", has_text="xxxx")
    row.click()
    message = page.get_by_role("group", name="Message")
    expect(message).to_contain_text("x" * 2001)
    assert len(message.inner_text()) < 20_000
    page.get_by_role("button", name="Show 66 kB more of 1.0 MB").click()
    expect(message).to_have_text(re.compile(r"[\s\S]{80000}"))
    expect(page.locator(".log-row", has_text="nul")).to_contain_text("red ␀ nul ⟨U+202E⟩ backwards")

    page.get_by_role("tab", name="stdout and stderr").click()
    expect(page.locator(".output-text")).to_contain_text("zzzz")


def test_output_is_shown_as_a_terminal_would(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    text = r"""
        import assetgraph as dg

        @dg.asset
        def colourful():
            print("\x1b[1;31mred\x1b[0m plain \x1b]0;title\x07end")
            print("10%\r100%")
            print("nul \x00")
    """
    server = serve({"pipeline.py": text})
    server.terminal("materialize", "--all")
    page = open_page(f"{server.url}/runs/latest?view=output")
    lines = page.locator(".out-line")

    expect(lines.nth(0)).to_have_text("red plain end")
    expect(page.locator(".ansi-red")).to_have_text("red")
    expect(lines.nth(1)).to_have_text("100%")
    expect(lines.nth(2)).to_have_text("nul ␀")


def test_metadata_that_cannot_be_shown_its_way_is_shown_as_recorded(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    text = """
        import assetgraph as dg

        @dg.asset
        def odd(context):
            context.add_output_metadata({
                "when": dg.MetadataValue.timestamp(9e15),
                "columns": {"type": "table", "value": 3},
                "rows": {"type": "table", "value": [None]},
                "text": "first\\r\\nsecond",
            })
    """
    server = serve({"pipeline.py": text})
    server.terminal("materialize", "--all")
    page = open_page(f"{server.url}/assets/odd")
    facts = page.locator(".metadata").first

    expect(facts).to_contain_text("9000000000000000")
    expect(facts).to_contain_text('"value": 3')
    expect(facts).to_contain_text("first\nsecond")


def test_markdown_is_read_in_part_and_the_rest_is_text(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    text = """
        import assetgraph as dg

        TEXT = '''# A *title*

        A **strong** word, `code <b>`, [a page](https://example.com/a) and
        [a script](javascript:window.hit=1), <img src=x onerror="window.hit=1">, file_name_here.

        - one
        - two

        3. three

        ```
        **as it is**
        ```
        '''.replace("\\n        ", "\\n")

        @dg.asset
        def told(context):
            context.add_output_metadata({"report": dg.MetadataValue.md(TEXT)})
    """
    server = serve({"pipeline.py": text})
    server.terminal("materialize", "--all")
    report = open_page(f"{server.url}/assets/told").locator(".markdown").first

    expect(report.get_by_role("heading")).to_have_text("A title")
    expect(report.locator("strong")).to_have_text("strong")
    expect(report.locator("p code")).to_have_text("code <b>")
    expect(report.get_by_role("link")).to_have_count(1)
    expect(report.get_by_role("link")).to_have_attribute("href", "https://example.com/a")
    expect(report.locator("ul li")).to_have_text(["one", "two"])
    expect(report.locator("ol")).to_have_attribute("start", "3")
    expect(report.locator("pre")).to_have_text("**as it is**")
    expect(report).to_contain_text("[a script](javascript:window.hit=1), <img src=x")
    expect(report).to_contain_text("file_name_here")


def test_a_link_to_a_script_is_no_link(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = look_at({"pipeline.py": HOSTILE}, RUN)
    page = open_page(f"{server.url}/assets/{KOREAN}")

    expect(page.locator(".metadata").first).to_contain_text("javascript:window.hit=1")
    assert page.locator("a[href^='javascript:']").count() == 0

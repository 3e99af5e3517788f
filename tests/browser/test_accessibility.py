"""Every page in both themes before axe-core, where that is installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page
from web_pages import PIPELINE

from browser.served import visit

if TYPE_CHECKING:
    from browser.served import Server


def axe() -> str:
    spec = find_spec("axe_playwright_python")
    if spec is None or spec.origin is None:
        pytest.skip("axe-core is not installed: pip install axe-playwright-python")
    return Path(spec.origin).with_name("axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(
    serve: Callable[..., Server], open_page: Callable[..., Page], theme: str
) -> None:
    script = axe()
    server = serve({"pipeline.py": PIPELINE, "break": ""})
    server.terminal("materialize", "--all", "--tag", "reason=test")
    page = open_page(server.url, color_scheme=theme, reduced_motion="reduce")
    found = []
    for address in (
        "/", "/assets", "/assets/trips_file", "/assets/city/fares", "/lineage",
        "/lineage?selected=trips", "/runs", "/runs/latest", "/runs/latest?view=output",
        "/definitions",
    ):  # fmt: skip
        visit(page, server.url + address)
        found += _violations(page, script, address)
    visit(page, f"{server.url}/assets/trips_file")
    page.get_by_role("button", name="Materialize").click()
    page.get_by_label("month").wait_for()
    found += _violations(page, script, "the launch dialog")
    assert not found, "\n".join(found)


def _violations(page: Page, script: str, where: str) -> list[str]:
    page.evaluate(script)
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{where}: {one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}"
        for one in result["violations"]
    ]

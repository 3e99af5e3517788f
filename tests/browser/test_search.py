"""The search of the documentation: the first page that it finds answers what was asked."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from asked_questions import ASKED
from playwright.sync_api import Browser, expect

ROOT = Path(__file__).parents[2]
MISSED = 1  # how many of the questions may have their answer on a later page


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the documentation, built and served."""
    zensical = shutil.which("zensical") or shutil.which(
        "zensical", path=Path(sys.executable).parent
    )
    if zensical is None:
        pytest.skip("no zensical is installed: pip install '.[docs]'")
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(ROOT / "zensical.toml", folder)
    shutil.copytree(ROOT / "docs", folder / "docs")
    subprocess.run([zensical, "build", "--strict"], cwd=folder, check=True, capture_output=True)
    handler = partial(_Quiet, directory=str(folder / "build" / "site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_the_first_page_that_the_search_finds_answers_the_question(
    browser: Browser, site: str
) -> None:
    page = browser.new_page()
    page.goto(site)
    page.keyboard.press("/")
    box = page.get_by_role("combobox")
    missed = []
    for asked in ASKED:
        box.fill(asked.typed)
        first = page.get_by_role("option").first
        expect(first).to_have_attribute("href", _marks(asked.typed))
        found = (first.get_attribute("href") or "").removeprefix(site).partition("/?")[0]
        if found not in asked.pages:
            missed.append((asked.typed, found))
    page.close()
    assert len(missed) <= MISSED, missed


def _marks(typed: str) -> re.Pattern[str]:
    """What is in the address of a result of this search, and of no other."""
    return re.compile(rf"h={re.escape(typed.replace(' ', '+'))}(#|$)")

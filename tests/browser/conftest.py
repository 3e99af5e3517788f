"""A real browser before a real server: every test here fails on an error in the browser's console,
on an uncaught exception, and on a request that leaves this machine."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from conftest import ProjectFolder  # noqa: E402
from playwright.sync_api import Browser, BrowserContext, Page, expect  # noqa: E402

from browser.served import Server, visit  # noqa: E402

PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # The shell is the same engine without the windows around it: half the processor time.
    names = ("chromium-headless-shell", "chromium", "chromium-browser")
    executable = next(filter(None, map(shutil.which, names)), None)
    if executable is None:
        pytest.skip("no Chromium is installed: apt-get install chromium-headless-shell")
    with playwright.sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        opened = driver.chromium.launch(executable_path=executable, args=arguments)
        yield opened
        opened.close()


@pytest.fixture
def serve(project: Callable[..., object]) -> Iterator[Callable[..., Server]]:
    """Serves a project of files: `serve({"pipeline.py": "…"}, "--watch")`."""
    servers: list[Server] = []

    def start(files: dict[str, str], *options: str, module: str = "pipeline") -> Server:
        servers.append(Server(project(files, module=module).root))  # type: ignore[attr-defined]
        return servers[-1].start(*options)

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="module")
def look_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Serves a project to tests that change nothing: `look_at({"pipeline.py": "…"}, "materialize x")`.

    The tests of a module that look at the same files after the same commands share the server.
    """
    servers: dict[object, Server] = {}

    def find(files: dict[str, str], *commands: str) -> Server:
        asked = (*files.items(), commands)
        if asked not in servers:
            folder = ProjectFolder(tmp_path_factory.mktemp("looked_at"))
            folder.write("pyproject.toml", '[tool.assetgraph]\nmodule = "pipeline"\n')
            for name, text in files.items():
                folder.write(name, text)
            servers[asked] = Server(folder.root).start()
            for command in commands:
                servers[asked].terminal(*command.split())
        return servers[asked]

    yield find
    for server in servers.values():
        server.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens tabs that are watched: `open_page(url, width=360, color_scheme="dark")`."""
    problems: list[str] = []
    contexts: list[BrowserContext] = []

    def open_tab(url: str, *, width: int = 1280, height: int = 800, **options: str) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: _check_local(request.url, problems))
        return visit(page, url)

    yield open_tab
    for context in contexts:
        context.close()
    assert [text for text in problems if "ERR_CONNECTION_REFUSED" not in text] == []


def _check_local(url: str, problems: list[str]) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("data", "blob") and parts.hostname not in ("127.0.0.1", "localhost"):
        problems.append(f"a request left this machine: {url}")

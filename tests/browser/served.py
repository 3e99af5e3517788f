"""The server that the browser's tests look at, as a person starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Page

REPOSITORY = Path(__file__).parents[2]


def visit(page: Page, url: str) -> Page:
    """Open an address and wait until it is drawn, with all that it reads after it opened."""
    page.goto(url)
    page.locator("body[data-ready]:not([data-loading])").wait_for()
    return page


class Server:
    """`assetgraph dev` as a person starts it, in a process of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self, *options: str, port: int = 0) -> Server:
        command = [sys.executable, "-m", "assetgraph", "dev", "--port", str(port), *options]
        self._process = subprocess.Popen(
            command,
            cwd=self.root,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout
        said = ""
        for line in self._process.stdout:
            said += line
            found = re.search(r"http://\S+", line)
            if found:
                self.url = found[0]
                return self
        raise AssertionError(f"the page did not start: {said}")

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        assert self._process
        self._process.send_signal(number)
        code = self._process.wait(timeout=60)
        assert self._process.stdout
        self._process.stdout.close()
        self._process = None
        return code

    def close(self) -> None:
        if self._process is not None:
            self.stop(signal.SIGKILL)

    def write(self, name: str, text: str) -> None:
        """Save a file of the project as an editor does: the server never reads half of it."""
        written = self.root / f"{name}.new"
        written.write_text(text, encoding="utf-8")
        written.replace(self.root / name)

    def terminal(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command in another terminal."""
        return subprocess.run(
            [sys.executable, "-m", "assetgraph", *arguments],
            cwd=self.root,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

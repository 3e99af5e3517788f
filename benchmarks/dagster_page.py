"""Dagster's page of the same graph, for `benchmarks/page.py` to compare with."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from socket import socket
from urllib.request import urlopen

from playwright.sync_api import Error, Page

GRAPH = "svg[class*=AssetGraphExplorer_svgContainer]"
GROUPS = 12
PATIENCE_S = 120
START_PATIENCE_S = 300


class DagsterPage:
    """A running `dagster dev` of `pipeline.py` in `folder`, which is also Dagster's home."""

    def __init__(self, executable: str, folder: Path) -> None:
        with socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._command = [executable, "dev", "-f", "pipeline.py", "-p", str(port)]
        self._folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.started_s = 0.0

    def __enter__(self) -> DagsterPage:
        begun = time.perf_counter()
        self._process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            env={
                **os.environ,
                "DAGSTER_HOME": str(self._folder),
                "DAGSTER_DISABLE_TELEMETRY": "1",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while not self._answers():
            if time.perf_counter() - begun > START_PATIENCE_S:
                self.__exit__()
                raise SystemExit(f"Dagster did not answer within {START_PATIENCE_S} s")
            time.sleep(0.05)
        self.started_s = time.perf_counter() - begun
        return self

    def __exit__(self, *exception: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=20)
            os.killpg(self._process.pid, signal.SIGKILL)

    def _answers(self) -> bool:
        with suppress(OSError), urlopen(f"{self.url}/server_info", timeout=5):
            return True
        return False

    def shown(self, page: Page) -> float | None:
        """The seconds from navigation until the graph is there with every group open, or None if
        that takes longer than `PATIENCE_S`. No card needs to be in sight."""
        every = "%2C".join(f"global%40global%3Agroup_{number}" for number in range(GROUPS))
        begun = time.perf_counter()
        page.goto(f"{self.url}/asset-groups?expanded={every}", wait_until="commit")
        with suppress(Error):
            page.locator(GRAPH).wait_for(timeout=PATIENCE_S * 1000)
            return time.perf_counter() - begun
        return None

    def memory_mb(self) -> tuple[float, int]:
        """The memory of all its processes together, and their number."""
        pages = []
        for status in Path("/proc").glob("[0-9]*/status"):
            with suppress(OSError):
                if os.getsid(int(status.parent.name)) == self._process.pid:
                    found = re.search(r"VmRSS:\s+(\d+)", status.read_text())
                    pages.append(int(found[1]) if found else 0)
        return sum(pages) / 1024, len(pages)

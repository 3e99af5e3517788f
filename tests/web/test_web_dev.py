"""`assetgraph dev`: where it listens, what it says, how it ends."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

pytest.importorskip("uvicorn", reason="the page needs the extra 'ui'")

from web_pages import PIPELINE, REPOSITORY

from assetgraph.web.api.body_timeout import BODY_S

if TYPE_CHECKING:
    from conftest import Answer, ProjectFolder

Dev = Callable[..., "Process"]


class Process:
    """The command in a process of its own; `said` is what it printed until it served."""

    def __init__(self, root: Path, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "assetgraph", "dev", *arguments],
            cwd=root,
            env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""
        self.url = ""
        assert self._process.stdout
        for line in self._process.stdout:
            self.said += line
            if found := re.search(r"http://\S+", line):
                self.url = found[0]
                return

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def end(self, number: signal.Signals) -> tuple[int, str, float]:
        """Its exit code, what it printed in the end, and how many seconds it took to end."""
        begun = time.monotonic()
        self._process.send_signal(number)
        rest, _ = self._process.communicate(timeout=60)
        return self._process.returncode, rest, time.monotonic() - begun

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


@pytest.fixture
def dev(project: Callable[..., ProjectFolder]) -> Iterator[Dev]:
    root = project({"pipeline.py": PIPELINE}).root
    started: list[Process] = []

    def start(*arguments: str) -> Process:
        started.append(Process(root, *arguments))
        return started[-1]

    yield start
    for process in started:
        process.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_says_its_address_and_ends_at_once_with_streams_open(
    dev: Dev, number: signal.Signals
) -> None:
    process = dev("--port", "0")
    assert "project is at http://127.0.0.1:" in process.said
    streams = [urlopen(f"{process.url}/api/stream", timeout=20) for _ in range(3)]
    assert all(stream.readline() for stream in streams)

    code, rest, seconds = process.end(number)

    assert code == 0
    assert "Traceback" not in rest
    assert seconds < BODY_S  # two seconds on a quiet machine
    for stream in streams:
        stream.close()


def test_it_ends_at_once_and_in_silence_while_requests_come_in_slowly(dev: Dev) -> None:
    process = dev("--port", "0")
    urlopen(f"{process.url}/api/summary", timeout=20).close()
    half = (
        b"POST /api/runs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        b"content-length: 100\r\n\r\n{"
    )
    clients = [socket.create_connection(("127.0.0.1", process.port)) for _ in range(60)]
    for client in clients:
        client.sendall(half)
    urlopen(
        f"{process.url}/api/summary", timeout=20
    ).close()  # the server has read all of them by now

    code, rest, seconds = process.end(signal.SIGINT)

    assert (code, rest) == (0, "")
    assert seconds < BODY_S  # it does not wait until the server gives up on a body
    for client in clients:
        client.close()


def test_it_ends_in_silence_though_a_client_reads_nothing(dev: Dev) -> None:
    process = dev("--port", "0")
    client = socket.create_connection(("127.0.0.1", process.port))
    client.settimeout(1)
    with pytest.raises(TimeoutError):  # the server stops reading while the client does
        client.sendall(b"GET /runs HTTP/1.1\r\nhost: localhost\r\n\r\n" * 1_000_000)

    code, rest, _ = process.end(signal.SIGINT)

    assert (code, rest) == (0, "")
    client.close()


def test_a_port_that_is_taken_is_said_and_the_next_is_used(dev: Dev) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        process = dev("--port", str(port))

    assert f"Port {port} is in use. Using " in process.said
    assert urlopen(process.url, timeout=20).status == 200


def test_beyond_this_machine_the_address_holds_a_token(dev: Dev) -> None:
    process = dev("--port", "0", "--host", "0.0.0.0")
    port = re.findall(r":(\d+)/", process.url)[0]
    token = process.url.partition("token=")[2]
    assert len(token) >= 24

    with pytest.raises(HTTPError) as refused:
        urlopen(f"http://127.0.0.1:{port}/api/summary", timeout=20)
    assert refused.value.code == 403
    refused.value.close()
    asked = Request(
        f"http://127.0.0.1:{port}/api/summary", headers={"authorization": f"Bearer {token}"}
    )
    assert urlopen(asked, timeout=20).status == 200


def test_it_serves_before_it_imports_what_only_answers_need() -> None:
    heavy = {"dask", "jinja2", "networkx", "pandas", "pyarrow", "rich", "yaml"}
    program = "import sys, assetgraph.web.http.server; print(*sys.modules)"
    said = subprocess.check_output([sys.executable, "-c", program], cwd=REPOSITORY, text=True)

    assert heavy & set(said.split()) == set()


def test_an_address_that_cannot_be_had_is_said(dev: Dev) -> None:
    process = dev("--host", "192.0.2.1")

    assert "cannot listen at 192.0.2.1" in process.said
    assert process.end(signal.SIGINT)[0] == 2


def test_without_the_extra_one_sentence_says_what_to_install(
    assetgraph: Callable[..., Answer],
    project: Callable[..., ProjectFolder],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(project({"pipeline.py": PIPELINE}).root)
    monkeypatch.delitem(sys.modules, "assetgraph.web.http.server", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)

    answer = assetgraph("dev")

    assert answer.code == 2
    assert answer.out == ""
    assert "pip install 'assetgraph[ui]'" in answer.err
    assert "Traceback" not in answer.err

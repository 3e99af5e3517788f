"""A client cannot hold connections for as long as it likes, nor keep others from being answered."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

pytest.importorskip("uvicorn", reason="the page needs the extra 'ui'")

from uvicorn import Config
from uvicorn.server import ServerState
from web_pages import PIPELINE, REPOSITORY

from assetgraph.web.http import connections
from assetgraph.web.http.connections import Connection

if TYPE_CHECKING:
    from conftest import ProjectFolder

LARGE = b"x" * (64 << 20)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers with a small body, with a large one, or never."""
    if scope["path"] == "/never":
        await asyncio.Event().wait()
    body = LARGE if scope["path"] == "/large" else b"inside"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body"})


@asynccontextmanager
async def listening() -> AsyncIterator[Callable[[bytes], Awaitable[Streams]]]:
    """Opens connections, and sends the given bytes on each."""
    config = Config(app, http=Connection, ws="none", lifespan="off", log_config=None)
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(config, state, {}), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    writers = []

    async def opened(data: bytes) -> Streams:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        writer.write(data)
        await writer.drain()
        return reader, writer

    yield opened
    for writer in writers:
        writer.close()
    for task in list(state.tasks):
        task.cancel()
    await asyncio.gather(*state.tasks, return_exceptions=True)
    server.close()


async def end_of(reader: asyncio.StreamReader) -> bytes:
    """What arrives until the server closes the connection."""
    found = b""
    try:
        while data := await asyncio.wait_for(reader.read(1 << 20), 20):
            found += data
    except ConnectionError:
        pass
    return found


REQUEST = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [b"", b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nhost: localhost\r\nx: "],
    ids=["nothing", "a letter", "a line", "most of it"],
)
def test_headers_that_do_not_arrive_end_the_connection(
    monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(connections, "HEADERS_S", 0.05)

    async def scene() -> None:
        async with listening() as opened:
            reader, _ = await opened(sent)
            assert await end_of(reader) == b""

    asyncio.run(scene())


def test_the_headers_of_a_second_request_must_arrive_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEADERS_S", 0.05)

    async def scene() -> None:
        async with listening() as opened:
            reader, writer = await opened(REQUEST)
            assert b"inside" in await reader.readuntil(b"inside")
            writer.write(REQUEST[:20])
            assert b"inside" not in await end_of(reader)

    asyncio.run(scene())


def test_a_request_that_arrived_may_be_answered_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEADERS_S", 0.01)

    async def scene() -> None:
        async with listening() as opened:
            reader, _ = await opened(REQUEST.replace(b"/ ", b"/never "))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(), 0.2)

    asyncio.run(scene())


def test_an_answer_that_nobody_reads_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "READING_S", 0.05)

    async def scene() -> None:
        async with listening() as opened:
            reader, writer = await opened(REQUEST.replace(b"/ ", b"/large "))
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            other, _ = await opened(b"")
            monkeypatch.setattr(connections, "HEADERS_S", 0.3)
            last, _ = await opened(b"")
            assert await end_of(last) == b""  # time passes
            writer.transport.resume_reading()  # type: ignore[attr-defined]
            assert len(await end_of(reader)) < len(LARGE)
            other.feed_eof()

    asyncio.run(scene())


def test_the_connection_that_waited_longest_makes_room_those_without_a_request_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "most_connections", lambda: 3)

    async def scene() -> None:
        async with listening() as opened:
            busy, _ = await opened(REQUEST.replace(b"/ ", b"/never "))
            first, _ = await opened(b"G")
            second, _ = await opened(b"G")
            for _ in range(2):
                reader, _ = await opened(REQUEST)
                assert await asyncio.wait_for(reader.readuntil(b"inside"), 20)
            assert await end_of(first) == b""
            assert await end_of(second) == b""
            assert not busy.at_eof()

    asyncio.run(scene())


@pytest.fixture
def port_under_a_limit(project: Callable[..., ProjectFolder]) -> Iterator[int]:
    """A server that may open 300 files."""
    root: Path = project({"pipeline.py": PIPELINE}).root
    command = f"ulimit -n 300; exec {sys.executable} -m assetgraph dev --port 0"
    process = subprocess.Popen(
        ["sh", "-c", command],
        cwd=root,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    try:
        said = (re.search(r"http://[^:]+:(\d+)", line) for line in process.stdout)
        yield int(next(found[1] for found in said if found))
    finally:
        process.kill()
        process.communicate()


def test_honest_clients_are_answered_while_400_connections_are_half_open(
    port_under_a_limit: int,
) -> None:
    url = f"http://127.0.0.1:{port_under_a_limit}/api/summary"
    urlopen(url, timeout=20).close()
    held = []
    for number in range(400):
        held.append(socket.create_connection(("127.0.0.1", port_under_a_limit), timeout=20))
        held[-1].sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n")
        if number % 40 == 39:
            with urlopen(url, timeout=20) as answer:
                assert answer.status == 200
    for one in held:
        one.close()

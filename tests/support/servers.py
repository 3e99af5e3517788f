"""A web server on loopback that serves files, and misbehaves as it is told."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What the server does with one request.

    `body` is the whole file: a request for a part of it gets 206, unless `ranges` is off.
    `cut` and `stall` are how many bytes of the answer are sent before the connection is closed
    (with `reset`, torn down), or falls silent; a negative `stall` keeps even the status line
    back. `length` is announced instead of the true one; None announces none.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    ranges: bool = True
    cut: int | None = None
    reset: bool = False
    stall: int | None = None
    length: int | None = -1


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]


class Server:
    """`with Server() as server:`, then `server.answers("/file", Answer(...), ...)`: each request
    for the path gets the next answer, and the last one ever after."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._answers: dict[str, list[Answer]] = {}
        self.closing = threading.Event()
        self._http = _HTTPServer(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._http.server_port}{path}"

    def answers(self, path: str, *answers: Answer) -> str:
        self._answers[path] = list(answers)
        return self.url(path)

    def next_answer(self, request: Request) -> Answer:
        self.requests.append(request)
        queue = self._answers.get(request.path, [Answer(status=404)])
        return queue.pop(0) if len(queue) > 1 else queue[0]


def refusing_url() -> str:
    """An address on loopback where nothing listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/file"


class _HTTPServer(ThreadingHTTPServer):
    owner: Server
    daemon_threads = True

    def shutdown_request(self, request: Any) -> None:
        """Close without the polite shutdown that would turn a reset into an end."""
        request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: _HTTPServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        owner = self.server.owner
        answer = owner.next_answer(Request(self.path, dict(self.headers)))
        status, body, headers = _rendered(answer, self.headers)
        if answer.stall is not None and answer.stall < 0:
            owner.closing.wait()
            return
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")  # or the client may ask again on what is closing
        self.end_headers()
        self.wfile.write(body[: answer.cut if answer.cut is not None else answer.stall])
        if answer.stall is not None:
            owner.closing.wait()
        if answer.reset:
            no_linger = struct.pack("ii", 1, 0)  # closing then sends RST, not FIN
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
        self.close_connection = True

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


def _rendered(answer: Answer, asked: Mapping[str, str]) -> tuple[int, bytes, dict[str, str]]:
    status, body, headers = answer.status, answer.body, dict(answer.headers)
    wanted = re.fullmatch(r"bytes=(\d+)-", asked.get("Range", ""))
    unchanged = asked.get("If-Range") in (None, headers.get("ETag"), headers.get("Last-Modified"))
    if wanted and answer.ranges and status == 200 and unchanged:
        first = int(wanted[1])
        if first >= len(body):
            return 416, b"", {"Content-Range": f"bytes */{len(body)}", "Content-Length": "0"}
        headers = {"Content-Range": f"bytes {first}-{len(body) - 1}/{len(body)}"} | headers
        status, body = 206, body[first:]
    if answer.length is not None:
        headers["Content-Length"] = str(len(body) if answer.length < 0 else answer.length)
    return status, body, headers

"""A web server on loopback that serves files and misbehaves on demand."""

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
    """The server's answer to one request.

    `body` is the complete file: a request for a part of it gets 206, unless `ranges` is off. The
    connection closes after `cut` bytes, or is reset with `reset`; it stalls after `stall` bytes, if
    negative even before the status line. `length` is announced instead of the true length; None
    announces none.
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
    """A server inside its `with` block.

        with Server() as server:
            url = server.answers("/file", Answer(...), Answer(...))

    Each request for the path gets the next answer; after the last one, that one again.
    """

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
    """A URL on loopback where nothing listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/file"


class _HTTPServer(ThreadingHTTPServer):
    owner: Server
    daemon_threads = True

    def shutdown_request(self, request: Any) -> None:
        """Close without a shutdown, which would turn a reset into a normal end."""
        request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors: tests let clients hang up."""


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
        self.send_header("Connection", "close")  # else the client may reuse a closing connection
        self.end_headers()
        self.wfile.write(body[: answer.cut if answer.cut is not None else answer.stall])
        if answer.stall is not None:
            owner.closing.wait()
        if answer.reset:
            no_linger = struct.pack("ii", 1, 0)  # makes closing send RST instead of FIN
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
        self.close_connection = True

    def log_message(self, *arguments: Any) -> None:
        """Log nothing."""


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

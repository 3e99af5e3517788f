"""The page's server: listens at a free port, and ends on SIGINT, SIGTERM or SIGHUP."""

from __future__ import annotations

import asyncio
import logging
import secrets
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import uvicorn

from assetgraph.errors import AssetGraphError
from assetgraph.web.http.connections import ACCEPTED_AT_ONCE, Connection
from assetgraph.web.http.routes import create_app
from assetgraph.web.live.page_state import PageState

if TYPE_CHECKING:
    from types import FrameType

    from assetgraph.project.settings import Project

_GRACE_S = 1
_TRIED_PORTS = 50
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the page is: `url` is what a browser opens, with the token if one is needed."""

    url: str
    port: int


def serve(
    project: Project,
    *,
    port: int = 3000,
    host: str = "127.0.0.1",
    watch: bool = False,
    ready: Callable[[Address], None] | None = None,
) -> None:
    """Serve the page until SIGINT, SIGTERM or SIGHUP. Calls `ready` once the server answers.

    Listens at the next free port if `port` is taken. If `host` makes it reachable from other
    machines, it answers only requests with the token.

    Raises `AssetGraphError` if it cannot listen.
    """
    local = host in _LOOPBACK
    token = None if local else secrets.token_urlsafe(24)
    page = PageState(project, watch=watch)
    sock = _listen(host, port)
    taken = sock.getsockname()[1]
    hosts = [] if local else _names_of(host)
    url = _url(host, taken) + (f"/?token={token}" if token else "")
    config = uvicorn.Config(
        create_app(page, hosts=hosts, token=token),
        http=Connection,
        backlog=ACCEPTED_AT_ONCE,
        log_level="warning",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=_GRACE_S,
        server_header=False,
        ws="none",
    )
    server = _Server(config, page, Address(url, taken), ready)
    with sock:
        try:
            server.run(sockets=[sock])
        except KeyboardInterrupt:
            pass  # uvicorn raises it again after a clean shutdown


class _Server(uvicorn.Server):
    """Ends the open streams on a signal, because uvicorn would wait for them."""

    def __init__(
        self,
        config: uvicorn.Config,
        page: PageState,
        address: Address,
        ready: Callable[[Address], None] | None,
    ) -> None:
        super().__init__(config)
        self._page = page
        self._address = address
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # as with `nohup`
        if not ignored and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGHUP, self.handle_exit)  # uvicorn has only the other two
        if self.started and self._ready:
            self._ready(self._address)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._page.close()
        logging.getLogger("uvicorn.error").addFilter(_is_bug)
        super().handle_exit(sig, frame)


def _is_bug(record: logging.LogRecord) -> bool:
    """Whether a log record is about a bug, not about a request that the shutdown cut off."""
    error = record.exc_info[1] if record.exc_info else None
    return error is not None and not isinstance(error, asyncio.CancelledError)


def _listen(host: str, port: int) -> socket.socket:
    """A socket at `port`, or at the next free port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    last = min(port + _TRIED_PORTS, 65_536) if port else 1
    for candidate in range(port, last):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, candidate))
            sock.listen(ACCEPTED_AT_ONCE)
        except OSError as error:
            sock.close()
            problem: Any = error
        else:
            return sock
    raise AssetGraphError(
        f"cannot listen at {host}, port {port}: {problem.strerror}.", hint="Choose another --port."
    )


def _names_of(host: str) -> list[str]:
    """The host names by which requests may reach a server bound to `host`."""
    if host not in ("0.0.0.0", "::"):
        return [f"[{host}]" if ":" in host else host]
    own = socket.gethostname()
    addresses = {str(info[4][0]) for info in _addresses(own)}
    return [own, *(f"[{a}]" if ":" in a else a for a in addresses)]


def _addresses(name: str) -> list[Any]:
    try:
        return list(socket.getaddrinfo(name, None))
    except OSError:
        return []


def _url(host: str, port: int) -> str:
    shown = socket.gethostname() if host in ("0.0.0.0", "::") else host
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"

"""`Connection`: HTTP over one connection, which a client cannot hold for as long as it likes.

Every connection takes a file descriptor, and the store needs some too. So a request must arrive
within a while, an answer must be read, and the connection that has waited longest makes room.
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEADERS_S = 10.0
READING_S = 30.0
MOST_CONNECTIONS = 256
ACCEPTED_AT_ONCE = 32


def most_connections() -> int:
    """How many connections are kept: half of the descriptors are for files."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(ACCEPTED_AT_ONCE, min(MOST_CONNECTIONS, allowed // 2))


class Connection(H11Protocol):
    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._most = most_connections()
        self._since = self.loop.time()  # of the last request, or of the connection
        self._headers_due: asyncio.TimerHandle | None = None
        self._reading_due: asyncio.TimerHandle | None = None

    @property
    def _answers(self) -> bool:
        """Whether a request has arrived and its answer is not complete."""
        return self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_headers()
        if len(self.connections) > self._most:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._answers:
            self._since = self.loop.time()
            self._headers_due = _canceled(self._headers_due)
        elif self._headers_due is None:
            self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._headers_due = _canceled(self._headers_due)
        self._reading_due = _canceled(self._reading_due)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reading_due = self.loop.call_later(READING_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._reading_due = _canceled(self._reading_due)

    def _expect_headers(self) -> None:
        self._headers_due = self.loop.call_later(HEADERS_S, self._give_up)

    def _give_up(self) -> None:
        self._headers_due = None
        if not self._answers:
            self.transport.abort()

    def _make_room(self) -> None:
        """Close the connection that has waited longest, those without a request first."""
        others = [one for one in self.connections if isinstance(one, Connection)]
        others.remove(self)
        oldest = min(others, key=lambda one: (one._answers, one._since))
        self.connections.discard(oldest)
        oldest.transport.abort()


def _canceled(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """No timer, after `timer` was canceled."""
    if timer is not None:
        timer.cancel()
    return None

"""`BodyTimeout`: how long the server waits for the body of a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

BODY_S = 20.0


class BodyTimeout:
    """One for all requests, so that the end of the server ends all waiting."""

    def __init__(self, seconds: float = BODY_S) -> None:
        self._seconds = seconds
        self._waiting: set[asyncio.Timeout] = set()

    @asynccontextmanager
    async def limit(self) -> AsyncIterator[None]:
        """Raises `TimeoutError` inside the block after a while, or when the server ends."""
        async with asyncio.timeout(self._seconds) as timeout:
            self._waiting.add(timeout)
            try:
                yield
            finally:
                self._waiting.discard(timeout)

    def end(self) -> None:
        """End all waiting, now and from now on."""
        self._seconds = 0
        for timeout in self._waiting:
            if not timeout.expired():
                timeout.reschedule(0)

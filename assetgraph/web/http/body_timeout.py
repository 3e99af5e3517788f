"""`Patience`: how long what a client sends is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

BODY_S = 20.0


class Patience:
    """One for all requests, so that all waiting ends with the server."""

    def __init__(self, seconds: float = BODY_S) -> None:
        self._seconds = seconds
        self._waiting: set[asyncio.Timeout] = set()

    @asynccontextmanager
    async def limit(self) -> AsyncIterator[None]:
        """Raises `TimeoutError` within, after a while or when the server ends."""
        async with asyncio.timeout(self._seconds) as timeout:
            self._waiting.add(timeout)
            try:
                yield
            finally:
                self._waiting.discard(timeout)

    def end(self) -> None:
        """Give up whatever is waited for, and wait for nothing from now on."""
        self._seconds = 0
        for timeout in self._waiting:
            if not timeout.expired():
                timeout.reschedule(0)

"""`ChangeFeed`: the stream of changes that every open page follows.

All readers share one ring of messages, each at its own position. A reader whose position is no
longer in the ring, or is from before a restart, gets a `reset`: it must load everything again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from assetgraph.storage.atomic_files import encoded

HEARTBEAT_S = 15.0


class ChangeFeed:
    """A position is `<epoch>.<number>`: the epoch names this feed, the number counts messages."""

    def __init__(self, keep: int = 2000) -> None:
        self._epoch = secrets.token_hex(4)
        self._last = 0
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=keep)
        self._published = asyncio.Event()
        self._closed = False
        self.readers = 0

    @property
    def position(self) -> str:
        return f"{self._epoch}.{self._last}"

    def publish(self, message: dict[str, Any]) -> None:
        """Add a message and wake every reader. Only from the event loop's thread."""
        self._last += 1
        data = encoded(message)
        self._kept.append((self._last, self._frame("change", self._last, data)))
        self._wake()

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        self._wake()

    async def stream(self, position: str | None) -> AsyncIterator[bytes]:
        """Server-sent events from `position` on, with a heartbeat while nothing happens."""
        self.readers += 1
        try:
            async for frame in self._frames(position):
                yield frame
        finally:
            self.readers -= 1

    async def _frames(self, position: str | None) -> AsyncIterator[bytes]:
        place = self._place(position)
        if place is None:
            place = self._last
            yield self._frame("reset", place, b"{}")
        else:
            yield b": welcome\n\n"
        while not self._closed:
            published = self._published
            if self._kept and self._kept[0][0] > place + 1:
                place = self._last
                yield self._frame("reset", place, b"{}")
            frames = [frame for number, frame in self._kept if number > place]
            place = self._last
            if frames:
                yield b"".join(frames)
                continue
            try:
                await asyncio.wait_for(published.wait(), HEARTBEAT_S)
            except TimeoutError:
                yield b": still here\n\n"

    def _place(self, position: str | None) -> int | None:
        """The number in `position`, or None if the stream cannot continue from there."""
        if position is None:
            return self._last
        epoch, _, text = position.partition(".")
        try:
            number = int(text)
        except ValueError:
            return None
        if epoch != self._epoch or number > self._last:
            return None
        oldest = self._kept[0][0] if self._kept else self._last + 1
        return number if number + 1 >= oldest else None

    def _frame(self, kind: str, number: int, data: bytes) -> bytes:
        head = f"id: {self._epoch}.{number}\nevent: {kind}\ndata: "
        return head.encode() + data + b"\n\n"

    def _wake(self) -> None:
        published, self._published = self._published, asyncio.Event()
        published.set()

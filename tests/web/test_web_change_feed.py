"""The live stream: what a page hears, what it hears again, and when it must read anew."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from assetgraph.web.api.body_timeout import BodyTimeout
from assetgraph.web.live import change_feed as feed_module
from assetgraph.web.live.change_feed import ChangeFeed


async def frames(stream: AsyncIterator[bytes], count: int) -> list[tuple[str, str, object]]:
    """The next `count` messages: kind, position, data."""
    found: list[tuple[str, str, object]] = []
    async for chunk in stream:
        for frame in chunk.decode().split("\n\n"):
            if frame.startswith("id: "):
                position, kind, data = (line.partition(": ")[2] for line in frame.split("\n"))
                found.append((kind, position, json.loads(data)))
        if len(found) >= count:
            return found
    return found


def test_a_page_hears_what_changed_since_its_snapshot_and_then_what_changes() -> None:
    async def scenario() -> None:
        feed = ChangeFeed()
        feed.publish({"n": 1})
        position = feed.position
        feed.publish({"n": 2})
        stream = feed.stream(position)
        heard = await frames(stream, 1)
        feed.publish({"n": 3})
        heard += await frames(stream, 1)

        assert [(kind, data) for kind, _, data in heard] == [
            ("change", {"n": 2}),
            ("change", {"n": 3}),
        ]
        assert heard[-1][1] == feed.position

    asyncio.run(scenario())


def test_a_page_that_comes_back_goes_on_after_its_last_message() -> None:
    async def scenario() -> None:
        feed = ChangeFeed()
        feed.publish({"n": 1})
        [(_, last, _)] = await frames(feed.stream(f"{feed.position.split('.')[0]}.0"), 1)
        feed.publish({"n": 2})

        assert [d for _, _, d in await frames(feed.stream(last), 1)] == [{"n": 2}]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "position",
    [
        "0000.5",
        "nonsense",
        "",
        "x.y",
        "{epoch}.99",
        "{epoch}.-1",
        "{epoch}.²",
        "{epoch}." + "9" * 5000,
    ],
)
def test_a_position_of_another_life_of_the_server_means_reading_anew(position: str) -> None:
    async def scenario() -> None:
        feed = ChangeFeed()
        feed.publish({"n": 1})
        epoch = feed.position.split(".")[0]
        [(kind, at, _)] = await frames(feed.stream(position.format(epoch=epoch)), 1)

        assert (kind, at) == ("reset", feed.position)

    asyncio.run(scenario())


def test_a_page_that_reads_too_slowly_is_told_to_read_anew_and_memory_stays_bounded() -> None:
    async def scenario() -> None:
        feed = ChangeFeed(keep=3)
        stream = feed.stream(feed.position)
        assert (await anext(stream)).startswith(b":")
        for n in range(10):
            feed.publish({"n": n})
        [(kind, at, _)] = await frames(stream, 1)

        assert (kind, at) == ("reset", feed.position)

        feed.publish({"n": "after"})
        assert [d for _, _, d in await frames(stream, 1)] == [{"n": "after"}]

    asyncio.run(scenario())


def test_a_quiet_stream_gives_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        feed = ChangeFeed()
        stream = feed.stream(feed.position)

        assert await anext(stream) == b": welcome\n\n"
        assert await anext(stream) == b": still here\n\n"

    monkeypatch.setattr(feed_module, "HEARTBEAT_S", 0.001)
    asyncio.run(scenario())


def test_closing_the_feed_ends_every_stream_and_counts_readers() -> None:
    async def scenario() -> None:
        feed = ChangeFeed()
        streams = [feed.stream(feed.position) for _ in range(3)]
        for stream in streams:
            await anext(stream)
        assert feed.readers == 3

        feed.close()

        for stream in streams:
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
        assert feed.readers == 0

    asyncio.run(scenario())


def test_what_a_client_sends_is_waited_for_until_the_server_ends() -> None:
    async def scenario() -> None:
        body_timeout = BodyTimeout()
        waiting = asyncio.create_task(wait_with(body_timeout))
        await asyncio.sleep(0)
        body_timeout.end()
        for task in (waiting, asyncio.create_task(wait_with(body_timeout))):
            with pytest.raises(TimeoutError):
                await task

    asyncio.run(scenario())


def test_what_a_client_sends_is_not_waited_for_for_ever() -> None:
    with pytest.raises(TimeoutError):
        asyncio.run(wait_with(BodyTimeout(seconds=0.01)))


async def wait_with(body_timeout: BodyTimeout) -> None:
    async with body_timeout.limit():
        await asyncio.Event().wait()

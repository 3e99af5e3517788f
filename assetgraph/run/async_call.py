"""Awaits what an async function of an asset returned."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

_END = object()


def awaited(coroutine: Any) -> Any:
    """The result of an async asset, from a new event loop.

    If a loop is already running here, as in a notebook, the new one runs in a new thread.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(copy_context().run, asyncio.run, coroutine).result()


def awaited_each(generator: AsyncGenerator[Any, None]) -> Iterator[Any]:
    """What an async generator yields, one by one, from a new event loop, as in `awaited`."""
    runner, context = asyncio.Runner(), copy_context()
    with ThreadPoolExecutor(1) as thread:

        def call(function: Callable[..., Any], *given: Any) -> Any:
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                return function(*given)
            return thread.submit(context.run, function, *given).result()

        try:
            while (item := call(runner.run, _next_of(generator))) is not _END:
                yield item
        finally:
            call(runner.run, _closed(generator))
            call(runner.close)


async def _next_of(generator: AsyncGenerator[Any, None]) -> Any:
    return await anext(generator, _END)


async def _closed(generator: AsyncGenerator[Any, None]) -> None:
    await generator.aclose()

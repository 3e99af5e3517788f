"""Where steps run. An executor is what `concurrent.futures` says it is, with two facts about it:
how many steps it takes at once, and whether they share this process's memory."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class StepExecutor(Protocol):
    """`slots` is how many steps run at once; with `shares_memory`, values are handed on."""

    slots: int
    shares_memory: bool

    def submit(self, fn: Callable[..., T], /, *args: Any) -> Future[T]: ...

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None: ...


class SerialExecutor:
    """Runs each step in the caller's thread, so that a debugger and Ctrl-C work as always."""

    slots = 1
    shares_memory = True

    def submit(self, fn: Callable[..., T], /, *args: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        pass


class ThreadExecutor(ThreadPoolExecutor):
    """Runs steps in `slots` threads of this process."""

    shares_memory = True

    def __init__(self, slots: int) -> None:
        super().__init__(slots, thread_name_prefix="step")
        self.slots = slots

"""Steps in this process: in the caller's thread, or in threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar, cast

from assetgraph.process.signals import hold_again

if TYPE_CHECKING:
    from assetgraph.storage.store import Store

T = TypeVar("T")


class ThreadExecutor:
    """Runs steps in threads of this process, at most `slots` at once.

    A thread is made when no other is idle, so that a step that was given up, and still runs, takes
    no other's place. Nothing waits for it when the program ends.
    """

    shares_memory = True

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._work: SimpleQueue[Callable[[], Callable[[], None]] | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._count = 0

    def submit(self, fn: Callable[..., T], /, *args: Any) -> Future[T]:
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        self._work.put(partial(_run, future, fn, args))
        if not self._idle.acquire(blocking=False):
            self._count += 1
            name = f"step-{self._count}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()
        return future

    def check(self, store: Store) -> None:
        pass  # it is this process's own

    def interrupt(self) -> None:
        pass  # a thread cannot be interrupted

    def shutdown(self) -> None:
        for _ in range(self._count):
            self._work.put(None)
        self._count = 0

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            report = work()
            del work  # or it would keep the step's inputs in memory
            self._idle.release()
            report()


class SerialExecutor:
    """Runs each step in the caller's thread, so that a debugger and Ctrl-C work as always. Only a
    step with a timeout gets a thread of its own, to be given up when its time is over."""

    slots = 1
    shares_memory = True

    def __init__(self) -> None:
        self._threads = ThreadExecutor(1)
        self._folder: int | None = None

    def submit(self, fn: Callable[..., T], /, *args: Any) -> Future[T]:
        if self._folder is None:
            self._folder = os.open(".", getattr(os, "O_PATH", os.O_RDONLY))
        self._go_back()
        if args and getattr(args[0], "timeout_s", None) is not None:
            return self._threads.submit(fn, *args)
        try:
            return _Done(fn(*args))
        except Exception as error:
            return _Done(error=error)
        finally:
            hold_again()

    def check(self, store: Store) -> None:
        pass  # it is this process's own

    def interrupt(self) -> None:
        pass  # the interrupt came to the step itself

    def shutdown(self) -> None:
        self._threads.shutdown()
        if self._folder is not None:
            self._go_back()
            os.close(self._folder)
            self._folder = None

    def _go_back(self) -> None:
        """To the folder that the run began in: a step may have left it."""
        assert self._folder is not None
        os.fchdir(self._folder)


class _Done(Future[T]):
    """The outcome of what has run already: nobody waits for it, so it needs none of the locks
    whose making is most of what a `Future` costs."""

    def __init__(self, result: T | None = None, error: Exception | None = None) -> None:
        self._outcome = result
        self._error = error

    def result(self, timeout: float | None = None) -> T:  # noqa: ARG002
        if self._error is not None:
            raise self._error
        return cast("T", self._outcome)

    def exception(self, timeout: float | None = None) -> BaseException | None:  # noqa: ARG002
        return self._error

    def done(self) -> bool:
        return True

    def cancel(self) -> bool:
        return False

    def add_done_callback(self, fn: Callable[[Future[T]], object]) -> None:
        fn(self)


def _run(future: Future[T], fn: Callable[..., T], args: tuple[Any, ...]) -> Callable[[], None]:
    """What to do with the outcome, once the thread counts as idle again."""
    try:
        return partial(future.set_result, fn(*args))
    except BaseException as error:
        return partial(future.set_exception, error)

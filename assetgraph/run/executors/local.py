"""Executors in this process: in the caller's thread, or in a pool of threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING

from assetgraph.process.signals import hold_again
from assetgraph.run.executors.base import close_here as close_resources
from assetgraph.run.step import run_step
from assetgraph.run.step_task import StepResult

if TYPE_CHECKING:
    from assetgraph.run.channel import StepChannel
    from assetgraph.run.step_task import StepTask
    from assetgraph.storage.store import Store


class ThreadExecutor:
    """Runs steps in threads of this process, at most `slots` at once.

    A thread starts whenever none is idle, so an abandoned step that still runs does not take the
    place of another. A program that ends does not wait for its threads.
    """

    shares_memory = True

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._work: SimpleQueue[Callable[[], Callable[[], None]] | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._count = 0

    def submit(self, task: StepTask, store: Store, channel: StepChannel) -> Future[StepResult]:
        return self.call(partial(run_step, task, store, channel))

    def call(self, function: Callable[[], StepResult]) -> Future[StepResult]:
        """Run `function` in a thread."""
        future: Future[StepResult] = Future()
        future.set_running_or_notify_cancel()
        self._work.put(partial(_run, future, function))
        if not self._idle.acquire(blocking=False):
            self._count += 1
            name = f"step-{self._count}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()
        return future

    def check(self, store: Store) -> None:
        pass  # this process opened the store itself

    def interrupt(self) -> None:
        pass  # a thread cannot be interrupted

    def close_resources(self, run_id: str) -> list[str]:
        return close_resources(run_id)

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
    """Runs each step in the caller's thread, so a debugger and Ctrl-C work as usual.

    Only a step with a timeout gets its own thread, which can be abandoned.
    """

    slots = 1
    shares_memory = True

    def __init__(self) -> None:
        self._threads = ThreadExecutor(1)

    def submit(self, task: StepTask, store: Store, channel: StepChannel) -> Future[StepResult]:
        if task.computation.timeout is not None:
            return self._threads.submit(task, store, channel)
        try:
            return Ended(run_step(task, store, channel))
        except Exception as error:
            return Ended(error=error)
        finally:
            hold_again()

    def check(self, store: Store) -> None:
        pass  # this process opened the store itself

    def interrupt(self) -> None:
        pass  # the step itself receives the interrupt

    def close_resources(self, run_id: str) -> list[str]:
        return close_resources(run_id)

    def shutdown(self) -> None:
        self._threads.shutdown()


class Ended(Future[StepResult]):
    """The outcome of a step that has run when its executor returns.

    Nobody waits for it, so it does without the locks that make a `Future` expensive.
    """

    def __init__(self, result: StepResult | None = None, error: Exception | None = None) -> None:
        self._outcome = result
        self._error = error

    def result(self, timeout: float | None = None) -> StepResult:  # noqa: ARG002
        if self._outcome is None:
            assert self._error is not None
            raise self._error
        return self._outcome

    def exception(self, timeout: float | None = None) -> BaseException | None:  # noqa: ARG002
        return self._error

    def done(self) -> bool:
        return True

    def cancel(self) -> bool:
        return False

    def add_done_callback(self, fn: Callable[[Future[StepResult]], object]) -> None:
        fn(self)


def _run(future: Future[StepResult], function: Callable[[], StepResult]) -> Callable[[], None]:
    """Run `function`, and return a call that reports its outcome once the thread counts as idle."""
    try:
        return partial(future.set_result, function())
    except BaseException as error:
        return partial(future.set_exception, error)

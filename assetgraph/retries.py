"""`RetryPolicy` and `RetryRequested`: whether a step that failed runs again, and when."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum


class Backoff(Enum):
    """How the delay grows: by itself with each retry, or to double and one more each time."""

    LINEAR = "LINEAR"
    EXPONENTIAL = "EXPONENTIAL"


class Jitter(Enum):
    """How chance changes the delay: anything up to it, or up to one `delay` more or less."""

    FULL = "FULL"
    PLUS_MINUS = "PLUS_MINUS"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """A step that failed runs again, at most `max_retries` times, `delay` seconds later.

    @asset(retry_policy=RetryPolicy(max_retries=3, delay=1, backoff=Backoff.EXPONENTIAL))
    def trips(): ...

    Without `delay` it runs again at once; then neither `backoff` nor `jitter` may be given.
    """

    max_retries: int = 1
    delay: float | None = None
    backoff: Backoff | None = None
    jitter: Jitter | None = None

    def __post_init__(self) -> None:
        if self.max_retries < 0 or (self.delay is not None and self.delay < 0):
            raise ValueError("max_retries= and delay= of a RetryPolicy must not be negative")
        if self.delay is None and (self.backoff or self.jitter):
            raise ValueError("backoff= and jitter= of a RetryPolicy need delay=")

    def calculate_delay(self, attempt_num: int) -> float:
        """Seconds until the retry that follows attempt `attempt_num`, counted from 1."""
        base = self.delay or 0.0
        delay = base
        if self.backoff is Backoff.LINEAR:
            delay = base * attempt_num
        elif self.backoff is Backoff.EXPONENTIAL:
            delay = base * (2**attempt_num - 1)
        if self.jitter is Jitter.FULL:
            delay *= random.random()
        elif self.jitter is Jitter.PLUS_MINUS:
            delay += base * random.uniform(-1, 1)
        return max(0.0, delay)


class RetryRequested(Exception):  # noqa: N818 - Dagster's name
    """Raised by an asset that wants to run again: at most `max_retries` times, `seconds_to_wait`
    later."""

    def __init__(self, max_retries: int | None = 1, seconds_to_wait: float | None = None) -> None:
        super().__init__("the asset asked to be run again")
        self.max_retries = 1 if max_retries is None else max_retries
        self.seconds_to_wait = seconds_to_wait

    def __reduce__(self) -> tuple[type[RetryRequested], tuple[int, float | None]]:
        return RetryRequested, (self.max_retries, self.seconds_to_wait)


def retry_delay(error: BaseException, policy: RetryPolicy | None, attempt: int) -> float | None:
    """Seconds until the step runs again after attempt `attempt` raised `error`; None for never."""
    if isinstance(error, RetryRequested):
        return (error.seconds_to_wait or 0.0) if attempt <= error.max_retries else None
    if policy is None or attempt > policy.max_retries:
        return None
    return policy.calculate_delay(attempt)

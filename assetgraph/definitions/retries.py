"""`RetryPolicy` and `RetryRequested`: whether a step that failed runs again, and when."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum
from typing import Any

LONGEST_S = 30 * 86_400.0  # a delay or a timeout; beyond it a number is a slip


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

    Without `delay` it runs again at once; then neither `backoff` nor `jitter` may be given. No
    delay grows beyond thirty days.
    """

    max_retries: int = 1
    delay: float | None = None
    backoff: Backoff | None = None
    jitter: Jitter | None = None

    def __post_init__(self) -> None:
        _check(self, "delay")
        if self.delay is None and (self.backoff or self.jitter):
            raise ValueError("backoff= and jitter= of a RetryPolicy need delay=")

    def calculate_delay(self, attempt_num: int) -> float:
        """Seconds until the retry that follows attempt `attempt_num`, counted from 1."""
        base = self.delay or 0.0
        delay = base
        if self.backoff is Backoff.LINEAR:
            delay = base * attempt_num
        elif self.backoff is Backoff.EXPONENTIAL:
            delay = base * (2.0 ** min(attempt_num, 1000) - 1)
        if self.jitter is Jitter.FULL:
            delay *= random.random()
        elif self.jitter is Jitter.PLUS_MINUS:
            delay += base * random.uniform(-1, 1)
        return min(delay, LONGEST_S)


class RetryRequested(Exception):  # noqa: N818 - Dagster's name
    """Raised by an asset that wants to run again: at most `max_retries` times, `seconds_to_wait`
    later."""

    def __init__(self, max_retries: int | None = 1, seconds_to_wait: float | None = None) -> None:
        super().__init__("the asset asked to be run again")
        self.max_retries = 1 if max_retries is None else max_retries
        self.seconds_to_wait = seconds_to_wait
        _check(self, "seconds_to_wait")

    def __reduce__(self) -> tuple[type[RetryRequested], tuple[int, float | None]]:
        return RetryRequested, (self.max_retries, self.seconds_to_wait)


def is_seconds(given: Any) -> bool:
    """Whether it is a number of seconds that a program can wait."""
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    return is_number and 0 <= given <= LONGEST_S


def retry_delay(error: BaseException, policy: RetryPolicy | None, attempt: int) -> float | None:
    """Seconds until the step runs again after attempt `attempt` raised `error`; None for never."""
    if isinstance(error, RetryRequested):
        return (error.seconds_to_wait or 0.0) if attempt <= error.max_retries else None
    if policy is None or attempt > policy.max_retries:
        return None
    return policy.calculate_delay(attempt)


def _check(given: RetryPolicy | RetryRequested, seconds: str) -> None:
    """Raises `ValueError` for a count or seconds that cannot be."""
    owner, count, wait = type(given).__name__, given.max_retries, getattr(given, seconds)
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise ValueError(f"max_retries= of a {owner} takes a whole number from 0, not {count!r}")
    if wait is not None and not is_seconds(wait):
        raise ValueError(
            f"{seconds}= of a {owner} takes seconds, from 0 to {LONGEST_S:.0f}, not {wait!r}"
        )

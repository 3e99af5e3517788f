"""`RetryPolicy` and `RetryRequested`: whether a failed step runs again, and when."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum
from typing import Any

from assetgraph.errors import CheckFailedError
from assetgraph.text import listed

LONGEST_S = 30 * 86_400.0  # of a delay or a timeout; a longer one is a mistake


class Backoff(Enum):
    """How the delay of a `RetryPolicy` grows with each retry.

    LINEAR: 1, 2, 3, … times `delay`. EXPONENTIAL: 1, 3, 7, … times `delay`.
    """

    LINEAR = "LINEAR"
    EXPONENTIAL = "EXPONENTIAL"


class Jitter(Enum):
    """How chance changes the delays of a `RetryPolicy`.

    FULL picks any delay from 0 to the full one. PLUS_MINUS adds or subtracts up to one `delay`.
    Either way, steps that fail together do not all run again at the same time.
    """

    FULL = "FULL"
    PLUS_MINUS = "PLUS_MINUS"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Runs a failed step again, up to `max_retries` times, each time after `delay` seconds.

        @asset(retry_policy=RetryPolicy(max_retries=3, delay=1, backoff=Backoff.EXPONENTIAL))
        def trips(): ...

    Without `delay`, the step runs again at once. `backoff` makes each delay longer than the one
    before, up to 30 days, and `jitter` adds chance; both need `delay`.

    Raises `ValueError` for a wrong number of retries or seconds.
    """

    max_retries: int = 1
    delay: float | None = None
    backoff: Backoff | None = None
    jitter: Jitter | None = None

    def __post_init__(self) -> None:
        _check(self, "delay")
        for name, given, kind in (
            ("backoff", self.backoff, Backoff),
            ("jitter", self.jitter, Jitter),
        ):
            if not (given is None or isinstance(given, kind)):
                known = listed([str(one) for one in kind], "or")
                raise ValueError(f"{name}= of RetryPolicy is {known}, not {given!r}")
        if self.delay is None and (self.backoff or self.jitter):
            raise ValueError("backoff= and jitter= of RetryPolicy need delay=")

    def calculate_delay(self, attempt_num: int) -> float:
        """Seconds between attempt `attempt_num`, counted from 1, and its retry."""
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
    """Raise this in an asset to run its step again.

        raise RetryRequested(max_retries=3, seconds_to_wait=10) from error

    The step runs again up to `max_retries` times, each time after `seconds_to_wait`, by default at
    once; then it fails. Raises `ValueError` for a wrong number of retries or seconds.
    """

    def __init__(self, max_retries: int | None = 1, seconds_to_wait: float | None = None) -> None:
        super().__init__("the asset asked to run again")
        self.max_retries = 1 if max_retries is None else max_retries
        self.seconds_to_wait = seconds_to_wait
        _check(self, "seconds_to_wait")

    def __reduce__(self) -> tuple[type[RetryRequested], tuple[int, float | None]]:
        return RetryRequested, (self.max_retries, self.seconds_to_wait)


def is_seconds(given: Any) -> bool:
    """Whether `given` is a number of seconds from 0 to `LONGEST_S`."""
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    return is_number and 0 <= given <= LONGEST_S


def retry_delay(error: BaseException, policy: RetryPolicy | None, attempt: int) -> float | None:
    """Seconds until a step runs again whose attempt `attempt`, counted from 1, raised `error`.

    None if it does not run again.
    """
    if isinstance(error, RetryRequested):
        return (error.seconds_to_wait or 0.0) if attempt <= error.max_retries else None
    if policy is None or attempt > policy.max_retries or isinstance(error, CheckFailedError):
        return None
    return policy.calculate_delay(attempt)


def retry_text(error: BaseException, policy: RetryPolicy | None, attempt: int, in_s: float) -> str:
    """Which retry comes after attempt `attempt`, and when: retry 1 of 3 in 0.2 s."""
    if isinstance(error, RetryRequested):
        most = error.max_retries
    else:
        most = policy.max_retries if policy is not None else attempt
    when = f"in {in_s:.3f}".rstrip("0").rstrip(".") + " s" if in_s >= 0.001 else "at once"
    return f"retry {attempt} of {most} {when}"


def _check(given: RetryPolicy | RetryRequested, seconds: str) -> None:
    """Raise `ValueError` for a wrong `max_retries`, or wrong seconds in the field `seconds`."""
    owner, count, wait = type(given).__name__, given.max_retries, getattr(given, seconds)
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise ValueError(
            f"max_retries= of {owner} must be a whole number, 0 or more, not {count!r}"
        )
    if wait is not None and not is_seconds(wait):
        raise ValueError(
            f"{seconds}= of {owner} takes seconds, from 0 to {LONGEST_S:.0f}, not {wait!r}"
        )

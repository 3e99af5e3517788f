"""Assets that fail, are tried again, are killed or canceled, when the command asks for it."""

import os
import signal

import assetgraph as dg

from .helpers import SURCHARGE, asked, total


@dg.asset(group_name="endings", retry_policy=dg.RetryPolicy(max_retries=2, delay=0))
def shaky(context: dg.AssetExecutionContext, trips) -> int:
    """Fails at its first try."""
    print(f"try {context.retry_number}")
    if context.retry_number == 0 and not asked("STEADY"):
        raise RuntimeError("not yet")
    return len(trips)


@dg.asset(group_name="endings", pool="api", timeout=60)
def broken(trips, shaky: int) -> float:
    """Fails unless it is asked to work."""
    if not asked("WORKING"):
        raise ValueError(f"no fares of {len(trips)} trips")
    return total(trip["fare"] for trip in trips) + shaky


@dg.asset(group_name="endings")
def below_broken(broken: float) -> float:
    return broken * 2


@dg.asset(group_name="endings")
def killed(trips) -> int:
    """Its process is killed unless it is asked to survive."""
    print("about to be killed", flush=True)
    if not asked("SURVIVE"):
        os.kill(os.getpid(), signal.SIGKILL)
    return len(trips)


@dg.asset(group_name="endings")
def below_killed(killed: int) -> int:
    return killed + 1


@dg.asset(group_name="endings")
def killed_once(trips) -> int:
    """Its process is killed when that is asked for."""
    if asked("KILL"):
        os.kill(os.getpid(), signal.SIGKILL)
    return len(trips) * 10


@dg.asset(group_name="endings")
def canceled_once(killed_once: int) -> int:
    """Its run is canceled when that is asked for."""
    if asked("CANCEL"):
        os.kill(os.getpid(), signal.SIGINT)
        signal.pause()
    return killed_once + 1


@dg.asset(group_name="endings")
def below_canceled(canceled_once: int) -> int:
    return canceled_once + 1


@dg.asset(group_name="endings")
def surcharges(trips) -> list[float]:
    """Out of date at the end: `SURCHARGE` has changed since."""
    return [trip["fare"] + SURCHARGE for trip in trips]


@dg.asset(group_name="endings")
def sum_of_surcharges(surcharges: list[float]) -> float:
    return total(surcharges)

"""Code and values that name assetgraph's own classes."""

import assetgraph as dg

from .helpers import JsonFiles, MonthConfig

LINK = dg.MetadataValue.url("https://example.org/trips")
ROUTE = dg.AssetKey(["größe", "маршрут"])
POLICY = dg.RetryPolicy(max_retries=3, delay=0.5, backoff=dg.Backoff.EXPONENTIAL)
DEFAULTS = MonthConfig()
MANAGER = JsonFiles()
KINDS = {"managers": (dg.IOManager, JsonFiles), "errors": [dg.AssetGraphError, dg.RetryRequested]}


class TooFew(dg.AssetGraphError):
    """An error of the project, which is one of assetgraph's."""


def policy_of(policy=POLICY, *, jitter: dg.Jitter = dg.Jitter.FULL):
    return policy if jitter else None


@dg.asset(group_name="own_names")
def constants() -> dg.MaterializeResult:
    """Reaches constants of assetgraph's classes, by name and as a default."""
    try:
        if policy_of() is None:
            raise TooFew("no policy")
    except dg.AssetGraphError:
        raise dg.RetryRequested(max_retries=1) from None
    count = len(KINDS["managers"]) + isinstance(MANAGER, dg.IOManager)
    return dg.MaterializeResult(
        value=[ROUTE.text, DEFAULTS.month, count], metadata={"link": LINK}
    )


@dg.asset(group_name="own_names")
def pickled_names() -> tuple:
    """A pickle that names assetgraph's classes."""
    return ROUTE, POLICY, LINK, DEFAULTS, dg.Backoff.LINEAR


@dg.asset(group_name="own_names")
def reads_pickled_names(pickled_names: tuple) -> str:
    return pickled_names[0].text

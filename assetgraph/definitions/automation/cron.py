"""The lines of cron at which a schedule is due."""

from __future__ import annotations

from collections.abc import Sequence

from assetgraph.definitions.partitions.calendar import calendar_of
from assetgraph.definitions.partitions.time_window import cron_line, zone_of
from assetgraph.errors import InvalidDefinitionError


def checked_cron(owner: str, given: object, timezone: object) -> str | list[str]:
    """A line of cron, or several, as given. Raises `InvalidDefinitionError` for one that is wrong
    or names no day that there is, and for a wrong time zone."""
    if timezone is not None and not isinstance(timezone, str):
        raise InvalidDefinitionError(
            f"{owner}: the time zone is {timezone!r}.", hint='Write it as in "America/New_York".'
        )
    lines = [given] if isinstance(given, str) else given
    if not isinstance(lines, Sequence) or not lines:
        raise InvalidDefinitionError(
            f"{owner}: cron_schedule is {given!r}.", hint='Write it as in "0 9 * * 1".'
        )
    try:
        zone = zone_of(timezone or "UTC")
        for line in lines:
            if not isinstance(line, str):
                raise InvalidDefinitionError(
                    f"{line!r} is not a line of cron.", hint='Write it as in "0 9 * * 1".'
                )
            calendar_of(cron_line(line), zone)
    except InvalidDefinitionError as error:
        error.about(owner)
        raise
    return given if isinstance(given, str) else list(lines)


def lines_of(cron_schedule: str | Sequence[str]) -> list[str]:
    """The lines of a schedule in five fields each, as crontab takes them."""
    given = [cron_schedule] if isinstance(cron_schedule, str) else cron_schedule
    return [cron_line(line) for line in given]

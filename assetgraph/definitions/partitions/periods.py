"""Definitions with a partition for each hour, day, week and month."""

from __future__ import annotations

from datetime import datetime

from assetgraph.definitions.partitions.time_window import TimeWindowPartitionsDefinition
from assetgraph.errors import PartitionsError

DAY_FORMAT = "%Y-%m-%d"
HOUR_FORMAT = "%Y-%m-%d-%H:%M"


class HourlyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """A partition for each hour. The keys have the form `2023-01-31-15:00`."""

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        *,
        default: str | None = None,
    ) -> None:
        super().__init__(
            start_date,
            cron_schedule=_line(minute_offset),
            fmt=fmt or HOUR_FORMAT,
            timezone=timezone,
            end=end_date,
            end_offset=end_offset,
            default=default,
        )


class DailyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """A partition for each day. The keys have the form `2023-01-31`."""

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        hour_offset: int = 0,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        *,
        default: str | None = None,
    ) -> None:
        super().__init__(
            start_date,
            cron_schedule=_line(minute_offset, hour_offset),
            fmt=fmt or DAY_FORMAT,
            timezone=timezone,
            end=end_date,
            end_offset=end_offset,
            default=default,
        )


class WeeklyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """A partition for each week, from Sunday on, or `day_offset` days later."""

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        hour_offset: int = 0,
        day_offset: int = 0,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        *,
        default: str | None = None,
    ) -> None:
        super().__init__(
            start_date,
            cron_schedule=_line(minute_offset, hour_offset, weekday=day_offset),
            fmt=fmt or DAY_FORMAT,
            timezone=timezone,
            end=end_date,
            end_offset=end_offset,
            default=default,
        )


class MonthlyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """A partition for each month, from its first day on, or its day `day_offset`. A month without
    that day has no window of its own: the one before it goes on."""

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        hour_offset: int = 0,
        day_offset: int = 1,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        *,
        default: str | None = None,
    ) -> None:
        super().__init__(
            start_date,
            cron_schedule=_line(minute_offset, hour_offset, day=day_offset),
            fmt=fmt or DAY_FORMAT,
            timezone=timezone,
            end=end_date,
            end_offset=end_offset,
            default=default,
        )


def _line(
    minute: int, hour: int | None = None, *, day: int | None = None, weekday: int | None = None
) -> str:
    """The cron line of these offsets. Raises `PartitionsError` for one that is outside."""
    offsets = [
        ("minute_offset", minute, 0, 59),
        ("hour_offset", hour, 0, 23),
        ("day_offset", day, 1, 31),
        ("day_offset", weekday, 0, 6),
    ]
    for name, value, low, high in offsets:
        if value is not None and (type(value) is not int or not low <= value <= high):
            raise PartitionsError(
                f"{name} is {value!r}.", hint=f"Write a number from {low} to {high}."
            )
    fields = ["*" if value is None else str(value) for _, value, _, _ in offsets]
    return f"{fields[0]} {fields[1]} {fields[2]} * {fields[3]}"

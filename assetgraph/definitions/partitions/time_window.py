"""Definitions with a partition for each window of time between two moments of a cron line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from functools import cache, cached_property
from itertools import islice
from typing import Any, NamedTuple

from assetgraph.definitions.partitions.calendar import FIRST_YEAR, LAST_YEAR, calendar_of
from assetgraph.definitions.partitions.clock_changes import first_moment
from assetgraph.definitions.partitions.definition import (
    DynamicPartitionsStore,
    PartitionsDefinition,
)
from assetgraph.definitions.partitions.key_form import checked_form
from assetgraph.definitions.partitions.keys import PartitionKeys
from assetgraph.errors import PartitionsError
from assetgraph.keys import RANGE
from assetgraph.text import did_you_mean, shorten

_NAMED_LINES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_AROUND = 50  # windows near a wrong key among which the one that is meant may be


class TimeWindow(NamedTuple):
    """The time from `start`, which is included, to `end`, which is not."""

    start: datetime
    end: datetime


class TimeWindowPartitionsDefinition(PartitionsDefinition):
    """A partition for each window between two moments of the line `cron_schedule`.

    The first window begins at the first moment at or after `start`, the last one ends at `end` or
    before it. A window is a partition when it is over; `end_offset` adds windows that are not, or
    takes some away. The key is the time at which the line begins the window, in the form of `fmt`,
    in `timezone`. `start` and `end` are in that form too, if they are text.

    A time that comes twice at the end of summer time has its offset in the second key, as in
    `2023-11-05-01:00-0800`.

    Raises `PartitionsError`.
    """

    def __init__(
        self,
        start: datetime | str,
        *,
        cron_schedule: str,
        fmt: str,
        timezone: str | None = None,
        end: datetime | str | None = None,
        end_offset: int = 0,
        default: str | None = None,
    ) -> None:
        self.timezone = "UTC" if timezone is None else timezone
        for option, value, example in (
            ("cron_schedule", cron_schedule, "0 9 * * 1"),
            ("fmt", fmt, "%Y-%m-%d"),
            ("timezone", self.timezone, "America/New_York"),
        ):
            if not isinstance(value, str):
                raise PartitionsError(f"{option} is {value!r}.", hint=f'Write it as "{example}".')
        if not isinstance(end_offset, int) or isinstance(end_offset, bool):
            raise PartitionsError(f"end_offset is {end_offset!r}.", hint="Write a whole number.")
        cron_schedule = cron_line(cron_schedule)
        self.cron_schedule, self.fmt, self.end_offset = cron_schedule, fmt, end_offset
        self.zone = zone_of(self.timezone)
        self.calendar = calendar_of(cron_schedule, self.zone)
        self._form = checked_form(fmt, cron_schedule, self.calendar)
        self.start = self._moment(start, "start")
        self.end = None if end is None else self._moment(end, "end")
        self.default = self._checked_default(default)

    def keys(
        self, now: datetime | None = None, dynamic: DynamicPartitionsStore | None = None
    ) -> TimeKeys:
        if now is None:
            now = datetime.now(UTC)
        elif now.tzinfo is None:
            now = now.replace(tzinfo=self.zone)
        count = self._until(now) - 1 + self.end_offset
        if self.end is not None:
            count = min(count, self._until(self.end) - 1)
        return TimeKeys(self, max(0, count))

    def content(self) -> Mapping[str, Any]:
        return {
            "start": self._shown(self.start),
            "cron_schedule": self.cron_schedule,
            "fmt": self.fmt,
            "timezone": self.timezone,
            "end": None if self.end is None else self._shown(self.end),
            "end_offset": self.end_offset,
        }

    @property
    def kind(self) -> str:
        return TimeWindowPartitionsDefinition.__name__

    def resolve(self, text: str) -> str:
        number = self.find(text)
        if self.end is not None and number >= self._until(self.end) - 1:
            raise PartitionsError(f"{text!r} is after the end of the partitions.")
        return self.key(number)

    def time_window_for_partition_key(self, partition_key: str) -> TimeWindow:
        """The window of a key, whether it is over or not. Raises `PartitionsError`."""
        number = self.number(partition_key)
        if number is None:
            raise self._no_window(partition_key)
        return self.window(number)

    def window(self, number: int) -> TimeWindow:
        """The window with a number, which is below 0 before `start`."""
        moments = self.calendar.since(number + self._first)
        return TimeWindow(self._local(next(moments)), self._local(next(moments)))

    def key(self, number: int) -> str:
        """The key of the window with a number."""
        return self._key(self.calendar.at(number + self._first))

    def keys_of(self, numbers: range) -> Iterator[str]:
        """The keys of the windows with these numbers, which follow each other."""
        if not numbers:
            return iter(())
        return map(self._key, islice(self.calendar.since(numbers[0] + self._first), len(numbers)))

    def number(self, key: str) -> int | None:
        """The number of the window with a key, or None; windows that are not over count too."""
        number = self._first_from(self._form.time(key, self.zone), key)
        return number if number is not None and self.key(number) == key else None

    def find(self, text: str) -> int:
        """The number of the window with a key, or of the only one whose key begins with `text`, up
        to a whole field: `2023-03` for `2023-03-01`. Raises `PartitionsError`."""
        number = self.number(text)
        if number is not None:
            return number
        found = self.beginning_with(text)
        if len(found) == 1:
            return found[0]
        if found:
            raise PartitionsError(
                f"{text!r} is the beginning of several keys.",
                hint=f"Write one of {self.key(found[0])}{RANGE}{self.key(found[-1])}.",
            )
        raise self._no_window(text)

    def beginning_with(self, text: str) -> range:
        """The numbers of the windows whose keys begin with `text`, up to a whole field."""
        first = self._first_from(self._form.beginning(text, self.zone), text)
        if first is None:
            return range(0)
        low, high = first, first + 1
        while self._begins(high, text):
            low, high = high, high + 2 * (high - first)
        while high - low > 1:
            middle = (low + high) // 2
            if self._begins(middle, text):
                low = middle
            else:
                high = middle
        return range(first, high)

    def overlapping(self, first: int, end: int, other: TimeWindowPartitionsDefinition) -> range:
        """The numbers of the windows of another definition that overlap those from `first` until
        before `end`; those before its `start` are below 0."""
        if self.calendar is other.calendar:
            ahead = self._first - other._first
            return range(first + ahead, end + ahead)
        start, stop = self.calendar.at(first + self._first), self.calendar.at(end + self._first)
        return other.numbers_between(start, stop)

    def numbers_between(self, start: float, end: float) -> range:
        """The numbers of the windows that overlap the time between two moments; those before
        `start` are below 0."""
        return range(
            self.calendar.until(start) - self._first - 1, self.calendar.before(end) - self._first
        )

    def meant(self, text: str) -> Sequence[str]:
        """Keys near the one that is meant by a wrong text, if that can be told."""
        for end in range(len(text), 0, -1):
            time = self._form.time(text[:end], self.zone) or self._form.beginning(
                text[:end], self.zone
            )
            if time is not None and FIRST_YEAR <= time.year <= LAST_YEAR:
                number = max(0, self._until(time) - 1)
                near: list[str] = []
                with suppress(PartitionsError):  # at the end of the calendar
                    near.extend(self.keys_of(range(number, number + _AROUND)))
                return near
        return []

    @cached_property
    def _first(self) -> int:
        """The calendar's number of the first window."""
        return self.calendar.before(self.start.timestamp())

    def _until(self, moment: datetime) -> int:
        """The number of the first window after a moment."""
        return self.calendar.until(moment.timestamp()) - self._first

    def _first_from(self, time: datetime | None, text: str) -> int | None:
        """The number of the first window from a time on, if its key begins with `text`."""
        if time is None:
            return None
        try:
            moment = time.timestamp()
            if time.replace(fold=1).timestamp() < moment:  # the clocks skip that time
                moment = first_moment(self.zone, time)
            number = max(0, self.calendar.before(moment) - self._first)
        except (PartitionsError, OverflowError, ValueError):
            return None
        # The clocks may have come to that time by skipping that of another window.
        return next((n for n in (number, number + 1) if self._begins(n, text)), None)

    def _begins(self, number: int, text: str) -> bool:
        try:
            return self.key(number).startswith(text)
        except PartitionsError:
            return False

    def _key(self, moment: int) -> str:
        return self._form.text(self.calendar.named(moment))

    def _local(self, moment: int) -> datetime:
        return datetime.fromtimestamp(moment, self.zone)

    def _moment(self, given: datetime | str, what: str) -> datetime:
        """A start or an end as a time in the zone."""
        if isinstance(given, datetime):
            time = given if given.tzinfo else given.replace(tzinfo=self.zone)
        else:
            found = self._form.time(given, self.zone) if isinstance(given, str) else None
            if found is None:
                raise PartitionsError(
                    f"the {what} {given!r} of a partitions definition is not in the form "
                    f"{self.fmt}.",
                    hint=self._form.example,
                )
            time = found
        if not FIRST_YEAR <= time.year <= LAST_YEAR:
            raise PartitionsError(
                f"the {what} of a partitions definition is in the year {time.year}.",
                hint=f"It can be from {FIRST_YEAR} to {LAST_YEAR}.",
            )
        return time.astimezone(self.zone)

    def _shown(self, time: datetime) -> str:
        """A time in the form of the keys if that says all of it."""
        text = self._form.text(time)
        return text if self._form.time(text, self.zone) == time else time.isoformat()

    def _no_window(self, text: str) -> PartitionsError:
        meant = did_you_mean(text, self.meant(text))
        return PartitionsError(
            f"{shorten(text, 60)!r} is not the key of a window.",
            hint=f"{self._form.example} {meant or ''}".strip(),
        )


class TimeKeys(PartitionKeys):
    """The keys of the first windows of a definition."""

    def __init__(self, definition: TimeWindowPartitionsDefinition, count: int) -> None:
        self.definition: TimeWindowPartitionsDefinition = definition
        self._count = count

    def __len__(self) -> int:
        return self._count

    def key(self, number: int) -> str:
        return self.definition.key(number)

    def keys_of(self, numbers: range) -> Iterator[str]:
        if numbers.step != 1:
            return map(self.key, numbers)
        return self.definition.keys_of(numbers)

    def number(self, key: str) -> int | None:
        number = self.definition.number(key)
        return number if number is not None and number < self._count else None

    def numbering(self, count: int) -> str:
        """As the start and the calendar say: the end only cuts keys off. The last key tells whether
        the clock changes are others by now."""
        last = self.definition.key(count - 1) if count else ""
        content = self.definition.content()
        named = {name: content[name] for name in ("start", "cron_schedule", "fmt", "timezone")}
        return f"{named} {last}"

    def find(self, text: str) -> int:
        found = self.definition.beginning_with(text)
        if self.number(text) is not None or not found:
            return self.require(text)
        if len(found) == 1:
            return self.require(self.key(found[0]))
        there = range(found[0], min(found[-1] + 1, len(self)))
        if not there:
            return self.require(text)
        first, last = self.key(there[0]), self.key(there[-1])
        every = f", or {first}{RANGE}{last} for all that there are" if len(there) > 1 else ""
        raise PartitionsError(
            f"{text!r} is the beginning of several keys.", hint=f"Write a whole key{every}."
        )

    def _end(self, text: str, *, at: int) -> int:
        """At the ends of a range, a shorter key means the first window, or the last, whose key
        begins with it."""
        found = self.definition.beginning_with(text)
        there = range(found.start, min(found.stop, self._count))
        return there[at] if there and self.number(text) is None else self.find(text)

    def _missing(self, key: str) -> str:
        number = self.definition.number(key)
        if number is None or self.definition.end is not None:
            return super()._missing(key)
        end = self.definition.window(number).end
        return f"there is no partition {key!r} yet: its window ends at {end:%Y-%m-%d %H:%M %Z}."

    def _meant(self, key: str) -> Sequence[str]:
        if self.definition.number(key) is not None:
            return ()  # it is no mistake: its window is not over
        near = self.definition.meant(key)
        return [one for one in near if one in self] or super()._meant(key)


@cache
def cron_line(text: str) -> str:
    """A line of cron with one blank between its fields, also for a name such as `@daily`."""
    line = " ".join(text.split())
    return _NAMED_LINES.get(line.lower(), line)


def zone_of(name: str) -> tzinfo:
    """The time zone of a name. Raises `PartitionsError`, which suggests similar names."""
    if name == "UTC":
        return UTC  # needs no table of time zones, and is quick
    from zoneinfo import ZoneInfo, available_timezones

    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        known = available_timezones()
        meant = did_you_mean(name, known)
        hint = meant or 'Write it as in "America/New_York".'
        if not known:
            hint = "This machine has no time zones: pip install tzdata."
        raise PartitionsError(f"there is no time zone {name!r}.", hint=hint) from None

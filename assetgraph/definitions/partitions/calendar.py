"""`Calendar`: the moments that a cron line names in a time zone, each with its number.

The moments are counted and found by arithmetic, never listed: a definition may have ten million
of them. Moments are in seconds since 1970, and a local day is its ordinal, as in `date.toordinal`.
"""

from __future__ import annotations

import calendar
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from itertools import accumulate, islice
from threading import Lock
from typing import TYPE_CHECKING

from assetgraph.definitions.partitions.clock_changes import (
    DAY_S,
    EPOCH_DAY,
    LocalDay,
    changed_days,
)
from assetgraph.errors import PartitionsError

if TYPE_CHECKING:
    from cronsim import CronSim

FIRST_YEAR, LAST_YEAR = 1000, 2999
_CYCLE = range(2000, 2040)  # in these, months of each length begin on every weekday
_CHANGES = range(1970, 2040)  # in these, the clocks of every zone change in all its ways


class Calendar:
    """The moments of a cron line in a zone. They are numbered in order, from the first of 2020 on.

    A time that the change to summer time skips stands for the moment of the change. A time that
    comes twice when summer time ends stands for the first of the two. A line for every hour is
    another thing: it names each hour that passes.

    Raises `PartitionsError` for a line that is not one of five fields, or that names no moment.
    """

    def __init__(self, cron: str, zone: tzinfo) -> None:
        self._args = cron, zone
        self.zone = zone
        self._cron = _parsed(cron)
        self.hours, self.minutes = sorted(self._cron.hours), sorted(self._cron.minutes)
        self._times = [hour * 3600 + minute * 60 for hour in self.hours for minute in self.minutes]
        self._months: dict[tuple[int, int], tuple[int, ...]] = {}
        self._years: dict[int, tuple[list[int], list[int]]] = {}
        self._changed: dict[int, dict[int, int]] = {}
        self._first_year = 2020  # a number near most definitions, so that few years are counted
        self._before_years = [0]  # the ticks before each year, from the first year on
        self._lock = Lock()
        if not any(self._days_of(year, month) for year in _CYCLE for month in self._cron.months):
            raise PartitionsError(f"the cron line {cron!r} names no day that there is.")

    def __reduce__(self) -> tuple[Callable[[str, tzinfo], Calendar], tuple[str, tzinfo]]:
        return calendar_of, self._args

    def at(self, number: int) -> int:
        """The moment with a number. Raises `PartitionsError` outside the calendar."""
        return next(self.since(number))

    def since(self, number: int) -> Iterator[int]:
        """The moment with a number, and all after it."""
        year = self._year_of(number)
        days, counts = self._year(year)
        rest = number - self._before_year(year)
        place = bisect_right(counts, rest) - 1
        skipped = rest - counts[place]
        while True:
            for begin, times in self._of_days(year, days, place):
                for time in islice(times, skipped, None):
                    yield begin + time
                skipped = 0
            place, year = 0, year + 1
            days = self._year(year)[0]

    def before(self, moment: float) -> int:
        """The number of the first tick at or after a moment."""
        return self._number(moment, bisect_left)

    def until(self, moment: float) -> int:
        """The number of the first tick after a moment."""
        return self._number(moment, bisect_right)

    def named(self, moment: int) -> datetime:
        """The local time that the line names for a tick: the clock's, unless it was skipped."""
        local = datetime.fromtimestamp(moment, self.zone)
        day = local.toordinal()
        if day not in changed_days(self.zone, local.year):
            return local
        skipped = self._changed_day(day).get(moment)
        if skipped is None:
            return local
        named = datetime(1970, 1, 1) + timedelta(seconds=skipped)
        return named.replace(tzinfo=self.zone, fold=local.fold)

    @property
    def times_a_day(self) -> int:
        return len(self._times)

    @property
    def months_a_year(self) -> int:
        return len(self._cron.months)

    def most_days_a_month(self) -> int:
        """The largest number of days that the line names in one month."""
        return max(
            len(self._days_of(year, month)) for year in _CYCLE for month in self._cron.months
        )

    def splits(self, other: Calendar) -> bool:
        """Whether each moment of another calendar is one of this too: no window of this one
        overlaps two of the other."""
        return self is other or _splits(self, other)

    def _has_all_of(self, other: Calendar) -> bool:
        days = (
            set(other._days_of(year, month)) <= set(self._days_of(year, month))
            for year in _CYCLE
            for month in other._cron.months
        )
        changes = (
            other._changed_day(day).keys() <= self._changed_day(day).keys()
            for year in _CHANGES
            for day in changed_days(self.zone, year)
        )
        return set(other._times) <= set(self._times) and all(days) and all(changes)

    def _of_days(
        self, year: int, days: Sequence[int], place: int
    ) -> Iterator[tuple[int, Sequence[int]]]:
        """The ticks of each day from a place in the table of its year on: see `_of_day`."""
        if changed_days(self.zone, year) or place >= len(days):
            return map(self._of_day, islice(days, place, None))
        start = self._of_day(days[0])[0] - days[0] * DAY_S  # the same all year
        return ((start + day * DAY_S, self._times) for day in islice(days, place, None))

    def _of_day(self, day: int) -> tuple[int, Sequence[int]]:
        """The ticks of a local day that is in the table of its year, as a moment and how many
        seconds each is after it."""
        if day in changed_days(self.zone, date.fromordinal(day).year):
            return 0, list(self._changed_day(day))
        noon = datetime.fromordinal(day).replace(hour=12, tzinfo=self.zone)
        return int(noon.timestamp()) - DAY_S // 2, self._times

    def _changed_day(self, day: int) -> dict[int, int]:
        """The ticks of a day on which the clocks change, in order, each with the local time that
        the line names, in seconds since 1970. Empty for another day."""
        if day not in changed_days(self.zone, date.fromordinal(day).year):
            return {}
        if day not in self._changed:
            found: dict[int, int] = {}
            here = LocalDay(self.zone, day)
            for one in (day - 1, day):  # the clocks may go back past midnight, or skip it
                for time in self._times if self._matches(one) else ():
                    local = (one - EPOCH_DAY) * DAY_S + time
                    for moment in here.moments(local, every=len(self.hours) == 24):
                        # A time that the clocks show goes before one that they skip.
                        if moment not in found or not here.is_skipped(local):
                            found[moment] = local
            self._changed[day] = dict(sorted(found.items()))
        return self._changed[day]

    def _number(self, moment: float, bisect: Callable[[Sequence[int], float], int]) -> int:
        day = datetime.fromtimestamp(moment, self.zone).toordinal()
        if day in changed_days(self.zone, date.fromordinal(day).year):
            day += LocalDay(self.zone, day).end <= moment  # the clocks went back past midnight
        year = date.fromordinal(day).year
        days, counts = self._year(year)
        place = bisect_left(days, day)
        number = self._before_year(year) + counts[place]
        if place == len(days) or days[place] != day:
            return number
        begin, times = self._of_day(day)
        return number + bisect(times, moment - begin)

    def _year_of(self, number: int) -> int:
        """The year of the tick with a number."""
        while number < self._before_years[0]:
            self._before_year(self._first_year - 1)
        while number >= self._before_years[-1]:
            self._before_year(self._first_year + len(self._before_years))
        with self._lock:
            return self._first_year + bisect_right(self._before_years, number) - 1

    def _before_year(self, year: int) -> int:
        """The number of the first tick of a year or after it."""
        if not FIRST_YEAR - 2 <= year <= LAST_YEAR + 1:
            raise _outside()
        with self._lock:
            while year < self._first_year:
                total = self._year(self._first_year - 1)[1][-1]
                self._before_years.insert(0, self._before_years[0] - total)
                self._first_year -= 1
            while year >= (end := self._first_year + len(self._before_years)):
                self._before_years.append(self._before_years[-1] + self._year(end - 1)[1][-1])
            return self._before_years[year - self._first_year]

    def _year(self, year: int) -> tuple[list[int], list[int]]:
        """The local days of a year that have ticks, and how many of the year's ticks come before
        each; the last number is that of all."""
        if year not in self._years:
            if not FIRST_YEAR - 2 <= year <= LAST_YEAR + 1:
                raise _outside()
            changed = changed_days(self.zone, year)
            found = set(changed)
            for month in self._cron.months:
                before = date(year, month, 1).toordinal() - 1
                found.update([before + day for day in self._days_of(year, month)])
            days = sorted(found)
            counts = [len(self._times)] * len(days)
            for day in changed:
                counts[bisect_left(days, day)] = len(self._changed_day(day))
            self._years[year] = days, list(accumulate(counts, initial=0))
        return self._years[year]

    def _matches(self, day: int) -> bool:
        found = date.fromordinal(day)
        return found.day in self._days_of(found.year, found.month)

    def _days_of(self, year: int, month: int) -> tuple[int, ...]:
        """The days of a month that the line names."""
        if month not in self._cron.months:
            return ()
        _, length = kind = calendar.monthrange(year, month)
        if kind not in self._months:
            self._months[kind] = tuple(
                day for day in range(1, length + 1) if self._cron.match_day(date(year, month, day))
            )
        return self._months[kind]


@cache
def calendar_of(cron: str, zone: tzinfo) -> Calendar:
    """The calendar of a line in a zone, which all definitions with that line share."""
    return Calendar(cron, zone)


def _outside() -> PartitionsError:
    return PartitionsError(f"windows are from the year {FIRST_YEAR} to {LAST_YEAR}.")


@cache
def _splits(one: Calendar, other: Calendar) -> bool:
    return one.zone == other.zone and one._has_all_of(other)


def _parsed(cron: str) -> CronSim:
    from cronsim import CronSim, CronSimError

    if len(cron.split()) != 5:
        raise PartitionsError(
            f"{cron!r} is not a cron line of five fields.",
            hint='The fields are minute, hour, day of the month, month and weekday: "0 9 * * 1".',
        )
    try:
        return CronSim(cron, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise PartitionsError(f"the cron line {cron!r} is wrong: {error}.") from error

"""Where the ticks of an axis of partitions stand, and what they say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from assetgraph.definitions.partitions.time_window import TimeKeys

if TYPE_CHECKING:
    from assetgraph.definitions.partitions.keys import PartitionKeys
    from assetgraph.definitions.partitions.time_window import TimeWindowPartitionsDefinition

_MONTHS = (  # in every locale
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_LONGEST = 40  # characters of a label
_UNITS: tuple[tuple[str, int, float], ...] = (  # the name, how many, and about how many seconds
    *(("minute", count, count * 60.0) for count in (1, 2, 5, 10, 15, 30)),
    *(("hour", count, count * 3600.0) for count in (1, 2, 3, 6, 12)),
    *(("day", count, count * 86400.0) for count in (1, 2, 7, 14)),
    *(("month", count, count * 2629800.0) for count in (1, 2, 3, 6)),
    *(("year", count, count * 31557600.0) for count in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
)


class Tick(NamedTuple):
    """A tick at the beginning of a partition. `is_major` if a longer time begins there too;
    `whole` is the text of the first tick in view, which says what the others leave out."""

    number: int
    text: str
    is_major: bool
    whole: str


def ticks(keys: PartitionKeys, numbers: range, most: int) -> list[Tick]:
    """At most so many ticks for partitions that follow each other: at the beginnings of years,
    months, days or hours, where the partitions are of time; else at keys that are evenly apart."""
    if not numbers:
        return []
    if isinstance(keys, TimeKeys):
        return _of_time(keys.definition, numbers, most)
    every = -(-len(numbers) // most)
    first = -(-numbers.start // every) * every
    found = ((at, _shortened(str(keys.key(at)))) for at in range(first, numbers.stop, every))
    return [Tick(number, text, False, text) for number, text in found]


def _of_time(definition: TimeWindowPartitionsDefinition, numbers: range, most: int) -> list[Tick]:
    if len(numbers) <= most:
        return list(_at_each(definition, numbers))
    begin = definition.window(numbers.start).start
    end = definition.window(numbers[-1]).end
    pitch = (end - begin).total_seconds() / len(numbers)
    for unit, count, seconds in _UNITS:
        if seconds < pitch * 0.7 or (end - begin).total_seconds() / seconds > most * 2:
            continue  # finer than the partitions, or far too many
        found = list(_at_beginnings(definition, numbers, unit, count))
        if len(found) <= most:
            return found
    return list(_at_beginnings(definition, numbers, *_UNITS[-1][:2]))[:most]


def _at_each(definition: TimeWindowPartitionsDefinition, numbers: range) -> Iterator[Tick]:
    """A tick at every window, which says no more than tells them apart."""
    starts = [definition.window(number).start for number in numbers]
    units = ("year", "month", "day")
    unit = next((u for u in units if len({_begun(s, u, 1) for s in starts}) == len(starts)), "hour")
    before = None
    for number, start in zip(numbers, starts, strict=True):
        yield _tick(number, start, before, unit)
        before = start


def _at_beginnings(
    definition: TimeWindowPartitionsDefinition, numbers: range, unit: str, count: int
) -> Iterator[Tick]:
    """A tick at the first window of each of these times."""
    last, before = numbers.start - 1, None
    time = _begun(definition.window(numbers.start).start, unit, count)
    end = definition.window(numbers[-1]).start
    while time <= end:
        number = definition.numbers_between(time.timestamp(), time.timestamp()).stop
        if last < number < numbers.stop:
            start = definition.window(number).start
            yield _tick(number, start, before, unit)
            last, before = number, start
        time = _next(time, unit, count)


def _tick(number: int, start: datetime, before: datetime | None, unit: str) -> Tick:
    text, is_major = _said(start, before, unit)
    return Tick(number, text, is_major, _said(start, None, unit)[0])


def _said(time: datetime, before: datetime | None, unit: str) -> tuple[str, bool]:
    """What the tick of a window says, after the one of `before`, and whether a longer time began
    in between. The first tick says all that the others leave out."""
    year, month = str(time.year), _MONTHS[time.month - 1]
    day, clock = f"{time.day} {month}", f"{time:%H:%M}"
    new_year = before is None or before.year != time.year
    if unit == "year":
        return year, False
    if unit == "month":
        new = year if time.month == 1 else f"{month} {year}"
        return (new, True) if new_year else (month, False)
    if unit == "day":
        new_month = new_year or before is None or before.month != time.month
        return (f"{day} {year}" if new_year else day), new_month
    if before is not None and before.date() == time.date():
        return clock, False
    return (day if clock == "00:00" else f"{day}, {clock}"), True


def _begun(time: datetime, unit: str, count: int) -> datetime:
    """The last beginning of such a time at `time` or before it."""
    day = time.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if unit == "minute":
        return day.replace(hour=time.hour, minute=time.minute // count * count)
    if unit == "hour":
        return day.replace(hour=time.hour // count * count)
    if unit == "day":
        return day if count < 7 else day - timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(month=(time.month - 1) // count * count + 1, day=1)
    return day.replace(year=max(1, time.year // count * count), month=1, day=1)


def _next(time: datetime, unit: str, count: int) -> datetime:
    if unit in ("minute", "hour", "day"):
        return time + timedelta(**{f"{unit}s": count})
    months = time.month - 1 + (count if unit == "month" else 12 * count)
    return time.replace(year=time.year + months // 12, month=months % 12 + 1)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

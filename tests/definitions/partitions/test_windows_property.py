"""The windows of time partitions, compared with a calendar that steps through time itself.

A minute of UTC at a time, near changes of the clocks, and else a quarter of an hour: what the
clocks of the zone show then is compared with the fields of the cron line.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetgraph.definitions.partitions.time_window import TimeWindowPartitionsDefinition
from assetgraph.errors import PartitionsError

QUARTER = timedelta(minutes=15)
FMT = "%Y-%m-%d-%H:%M"
ZONES = [
    "UTC",
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",  # summer time began at midnight
    "America/St_Johns",  # summer time ended at 00:01, on the day before
    "America/Scoresbysund",  # summer time begins an hour before midnight
    "America/Havana",
    "Africa/Casablanca",  # four changes a year
    "Africa/Cairo",
    "Antarctica/Troll",  # two hours of summer time
    "Asia/Kathmandu",
    "Asia/Gaza",  # two changes within a week
    "Asia/Seoul",
    "Asia/Tehran",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Europe/Berlin",
    "Europe/London",
    "Pacific/Apia",  # skipped the 30th of December 2011
    "Pacific/Chatham",
    "Pacific/Kwajalein",  # skipped the 21st of August 1993
]
SPECIAL = [
    ("Pacific/Apia", datetime(2011, 9, 1)),
    ("Pacific/Kwajalein", datetime(1993, 3, 1)),
    ("America/St_Johns", datetime(2009, 3, 1)),
    ("America/Scoresbysund", datetime(2025, 1, 10)),
    ("America/Sao_Paulo", datetime(2017, 10, 1)),
    ("Africa/Casablanca", datetime(2012, 3, 1)),
    ("Asia/Gaza", datetime(2040, 8, 1)),
    ("Asia/Pyongyang", datetime(2015, 6, 1)),
    ("America/Caracas", datetime(2007, 10, 1)),
    ("Antarctica/Casey", datetime(2010, 1, 1)),
]


def numbers(field: str, low: int, high: int) -> set[int]:
    """The numbers that a field of a cron line names."""
    found: set[int] = set()
    for part in field.split(","):
        part, _, step = part.partition("/")
        first, _, last = part.partition("-")
        if part == "*":
            first, last = str(low), str(high)
        elif step and not last:
            last = str(high)
        found.update(range(int(first), int(last or first) + 1, int(step or 1)))
    return found


class Line:
    """A cron line, read in the plainest way."""

    def __init__(self, cron: str) -> None:
        minute, hour, day, month, weekday = cron.split()
        self.minutes, self.hours = numbers(minute, 0, 59), numbers(hour, 0, 23)
        self.days, self.months = numbers(day, 1, 31), numbers(month, 1, 12)
        self.weekdays = {number % 7 for number in numbers(weekday, 0, 6)}
        self.both = day.startswith("*") or weekday.startswith("*")
        self.every_hour = len(self.hours) == 24

    def names(self, local: datetime) -> bool:
        by_day, by_weekday = local.day in self.days, local.isoweekday() % 7 in self.weekdays
        day = by_day and by_weekday if self.both else by_day or by_weekday
        return (
            local.minute in self.minutes
            and local.hour in self.hours
            and local.month in self.months
            and day
        )


def moments(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """Every quarter of an hour, and every minute of those in which the clocks change."""
    moment = start
    while moment < end:
        yield moment
        after = moment + QUARTER
        if moment.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            yield from (moment + timedelta(minutes=minute) for minute in range(1, 15))
        moment = after


def ticks(cron: str, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    line, found, seen = Line(cron), [], set()
    last_moment = last = None
    for moment in moments(zone, start - timedelta(days=3), end):
        local = moment.astimezone(zone).replace(tzinfo=None)
        ticked = False
        if last is not None and last_moment is not None and not line.every_hour:
            skipped = last + (moment - last_moment)
            while skipped < local:
                ticked = ticked or line.names(skipped)
                skipped += timedelta(minutes=1)
        if line.names(local) and (line.every_hour or local not in seen):
            seen.add(local)
            ticked = True
        if ticked:
            found.append(moment)
        last_moment, last = moment, local
    return [moment for moment in found if moment >= start]


minute = st.sampled_from(["0", "15", "30", "45", "0", "0,30", "*/15"])
hour = st.one_of(
    st.integers(0, 23).map(str), st.sampled_from(["*", "*", "*/2", "1-4", "0,23", "2", "0,11", "3"])
)
day = st.one_of(st.just("*"), st.just("*"), st.sampled_from(["1", "15", "31", "29", "*/10", "1-7"]))
month = st.sampled_from(["*", "*", "*", "1,4,7,10", "3", "10-12"])
weekday = st.sampled_from(["*", "*", "*", "0", "1", "1-5", "6,0", "*/2"])
crons = st.tuples(minute, hour, day, month, weekday).map(" ".join)
places = st.one_of(
    st.sampled_from(SPECIAL),
    st.tuples(st.sampled_from(ZONES), st.datetimes(datetime(1972, 1, 1), datetime(2037, 1, 1))),
)


@settings(max_examples=40)
@given(crons, places, st.integers(40, 420), st.integers(-3, 3), st.data())
def test_the_windows_are_those_of_a_calendar_that_steps_through_time(
    cron: str, place: tuple[str, datetime], days: int, end_offset: int, data: st.DataObject
) -> None:
    name, day = place
    zone = ZoneInfo(name)
    start = day.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
    start += data.draw(st.integers(0, 95)) * QUARTER
    expected = ticks(cron, zone, start, start + timedelta(days=days))
    definition = TimeWindowPartitionsDefinition(
        start, cron_schedule=cron, fmt=FMT, timezone=name, end_offset=end_offset
    )
    starts = [definition.window(number).start.astimezone(UTC) for number in range(len(expected))]
    assert starts == expected
    for number in range(len(expected) - 1):
        assert definition.window(number).end.astimezone(UTC) == expected[number + 1]

    keys = [definition.key(number) for number in range(len(expected))]
    assert list(definition.keys_of(range(len(expected)))) == keys
    assert len(set(keys)) == len(keys)
    assert [definition.number(key) for key in keys] == list(range(len(keys)))

    now = start + data.draw(st.integers(0, days * 96)) * QUARTER
    over = sum(end <= now for end in expected[1:])
    nothing_yet = not expected or now < expected[0]
    if not nothing_yet:
        assert len(definition.keys(now)) == max(0, over + end_offset)
    there = len(definition.keys(now))
    if len(expected) > 3:
        end = expected[data.draw(st.integers(0, len(expected) - 1))]
        ended = TimeWindowPartitionsDefinition(
            start, cron_schedule=cron, fmt=FMT, timezone=name, end_offset=end_offset, end=end
        )
        assert len(ended.keys(now)) == min(there, sum(one <= end for one in expected[1:]))
        first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(expected) - 2)] * 2)))
        here, there = expected[first].timestamp(), expected[last + 1].timestamp()
        assert definition.numbers_between(here, there) == range(first, last + 1)
        assert definition.numbers_between(here + 1, here + 2) == range(first, first + 1)


@settings(max_examples=40)
@given(
    places,
    st.sampled_from(["0 0 * * *", "30 23 * * *", "15 2 * * *", "0 12 * * 1-5", "45 0 1 * *"]),
)
def test_a_form_without_the_hour_gives_each_day_its_own_key(
    place: tuple[str, datetime], cron: str
) -> None:
    name, start = place
    definition = TimeWindowPartitionsDefinition(
        start, cron_schedule=cron, fmt="%Y-%m-%d", timezone=name
    )
    keys = list(definition.keys_of(range(800)))
    assert len(set(keys)) == len(keys)
    assert [definition.number(key) for key in keys] == list(range(800))


@settings(max_examples=40)
@given(crons, places, st.sampled_from(["%Y-%m-%d-%H", "%Y%m%d", "%Y-%m", "%Y", "%Y-%j"]))
def test_a_form_is_refused_or_tells_all_windows_apart(
    cron: str, place: tuple[str, datetime], fmt: str
) -> None:
    name, start = place
    try:
        definition = TimeWindowPartitionsDefinition(
            start, cron_schedule=cron, fmt=fmt, timezone=name
        )
    except PartitionsError:
        definition = TimeWindowPartitionsDefinition(
            start, cron_schedule=cron, fmt=FMT, timezone=name
        )
        texts = [definition.window(n).start.strftime(fmt) for n in range(1500)]
        assert len(set(texts)) < len(texts)
        return
    keys = list(definition.keys_of(range(200)))
    assert [definition.number(key) for key in keys] == list(range(200))


@settings(max_examples=40)
@given(crons, places, st.integers(0, 100))
def test_a_shortened_key_means_the_windows_whose_keys_begin_so(
    cron: str, place: tuple[str, datetime], number: int
) -> None:
    name, start = place
    definition = TimeWindowPartitionsDefinition(start, cron_schedule=cron, fmt=FMT, timezone=name)
    keys = list(definition.keys_of(range(number, number + 150)))
    places = range(number, number + 150)
    whole = {"%Y": 4, "%Y-%m": 7, "%Y-%m-%d": 10, "%Y-%m-%d-%H": 13}
    for length in range(len(keys[75])):
        text = keys[75][:length]
        found = definition.beginning_with(text)
        if length not in whole.values():
            assert not found
            continue
        expected = [one for one, key in zip(places, keys, strict=True) if key.startswith(text)]
        assert [one for one in found if one in places] == expected
        if len(expected) == 1 and 0 < expected[0] - number < 149:
            assert definition.find(text) == expected[0]


@pytest.mark.parametrize(
    ("cron", "zone", "start", "keys"),
    [
        (
            "0 * * * *",
            "America/Los_Angeles",
            "2023-11-05-00:00",
            ["2023-11-05-00:00", "2023-11-05-01:00", "2023-11-05-01:00-0800", "2023-11-05-02:00"],
        ),
        (
            "0 * * * *",
            "America/Los_Angeles",
            "2023-03-12-01:00",
            ["2023-03-12-01:00", "2023-03-12-03:00"],
        ),
        (
            "30 2 * * *",
            "America/Los_Angeles",
            "2023-03-11-02:30",
            ["2023-03-11-02:30", "2023-03-12-02:30", "2023-03-13-02:30"],
        ),
        (
            "30 1 * * *",
            "America/Los_Angeles",
            "2023-11-04-01:30",
            ["2023-11-04-01:30", "2023-11-05-01:30", "2023-11-06-01:30"],
        ),
        (
            "0,30 1 * * *",  # the clocks skip from 00:01 to 01:01
            "America/St_Johns",
            "2009-03-07-01:30",
            ["2009-03-07-01:30", "2009-03-08-01:00", "2009-03-08-01:30", "2009-03-09-01:00"],
        ),
        (
            "15 0 * * *",  # the clocks skip the 30th
            "Pacific/Apia",
            "2011-12-29-00:15",
            ["2011-12-29-00:15", "2011-12-30-00:15", "2011-12-31-00:15"],
        ),
    ],
)
def test_keys_when_the_clocks_change(cron: str, zone: str, start: str, keys: list[str]) -> None:
    definition = TimeWindowPartitionsDefinition(start, cron_schedule=cron, fmt=FMT, timezone=zone)
    assert list(definition.keys_of(range(len(keys)))) == keys
    for number, key in enumerate(keys):
        assert definition.number(key) == number
        assert number in definition.beginning_with(key[:10])

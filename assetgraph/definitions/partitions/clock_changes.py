"""When the clocks of a time zone change, and which moments a local time then stands for.

Moments and local times are in seconds since 1970, and a local day is its ordinal.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

DAY_S = 86_400
EPOCH_DAY = date(1970, 1, 1).toordinal()
_STEP_S = 3 * DAY_S  # no zone of the world ever had two changes within it
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Change(NamedTuple):
    """The moment of a change, and how many seconds the clocks are ahead of UTC before and after."""

    moment: int
    before: int
    after: int

    @property
    def local_days(self) -> range:
        """The local days that the change is in, from the first to the last."""
        days = [
            (local // DAY_S) + EPOCH_DAY
            for local in (self.moment - 1 + self.before, self.moment + self.after)
        ]
        return range(min(days), max(days) + 1)


class LocalDay:
    """A local day on which the clocks change. In time it is from its first moment to the first
    moment of a later day: what a clock that goes back past midnight shows belongs to the later day,
    and a day that is skipped is empty."""

    def __init__(self, zone: tzinfo, day: int) -> None:
        midnight = (day - EPOCH_DAY) * DAY_S
        year = date.fromordinal(day).year
        self._changes = [
            one for one in _changes(zone, year) if abs(one.moment - midnight) < _STEP_S
        ]
        moments = [one.moment for one in self._changes]
        starts = [midnight - 2 * _STEP_S, *moments]
        ends = [*moments, midnight + 2 * _STEP_S]
        offsets = [self._changes[0].before, *(one.after for one in self._changes)]
        self._spans = list(zip(starts, ends, offsets, strict=True))
        self.start, self.end = self.first(midnight), self.first(midnight + DAY_S)

    def moments(self, local: int, *, every: bool) -> list[int]:
        """The moments of the day that a local time stands for: `every` one at which the clocks show
        it, or only the first, which is the moment of the change if they skip it."""
        shown = [
            local - offset for start, end, offset in self._spans if start <= local - offset < end
        ]
        if not every:
            shown = shown[:1] or [one.moment for one in self._changes if _skips(one, local)]
        return [moment for moment in shown if self.start <= moment < self.end]

    def is_skipped(self, local: int) -> bool:
        return any(_skips(one, local) for one in self._changes)

    def first(self, local: int) -> int:
        """The first moment at which the clocks show a local time or a later one."""
        return min(
            max(start, local - offset) for start, end, offset in self._spans if local - offset < end
        )


def first_moment(zone: tzinfo, time: datetime) -> int:
    """The first moment at which the clocks show a time of a day on which they change, or a later
    one."""
    return LocalDay(zone, time.toordinal()).first(int(time.replace(tzinfo=UTC).timestamp()))


@lru_cache(maxsize=1 << 14)
def changed_days(zone: tzinfo, year: int) -> frozenset[int]:
    """The local days of a year on which the clocks of a zone change."""
    days = {day for change in _changes(zone, year) for day in change.local_days}
    return frozenset(day for day in days if date.fromordinal(day).year == year)


@lru_cache(maxsize=1 << 14)
def _changes(zone: tzinfo, year: int) -> tuple[Change, ...]:
    """The changes of a zone's clocks from some days before a year until some days after it."""
    if zone is UTC:
        return ()
    first = (date(year, 1, 1).toordinal() - EPOCH_DAY) * DAY_S - 3 * _STEP_S
    moments = range(first, first + 384 * DAY_S, _STEP_S)
    offsets = [_offset_at(zone, moment) for moment in moments]
    return tuple(
        Change(_change_after(zone, moment), before, after)
        for moment, before, after in zip(moments, offsets, offsets[1:], strict=False)
        if before != after
    )


def _change_after(zone: tzinfo, low: int) -> int:
    """The first moment after `low` with another offset than at `low`."""
    before, high = _offset_at(zone, low), low + _STEP_S
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_at(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _skips(change: Change, local: int) -> bool:
    return change.moment + change.before <= local < change.moment + change.after


def _offset_at(zone: tzinfo, moment: int) -> int:
    """The seconds by which the clocks of a zone are ahead of UTC at a moment."""
    offset = (_EPOCH + timedelta(seconds=moment)).astimezone(zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())

"""`KeyForm`: the form of the keys of time partitions, such as `%Y-%m-%d`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import TYPE_CHECKING

from assetgraph.definitions.partitions.keys import partition_problem
from assetgraph.errors import PartitionsError

if TYPE_CHECKING:
    from assetgraph.definitions.partitions.calendar import Calendar

_FIELDS = ("year", "month", "day", "hour", "minute")
_DIRECTIVE = re.compile("%(.)")
_DAY = "%Y-%m-%d"
_LARGE_TO_SMALL = "YmdHMS"
_EXAMPLE = datetime(2001, 11, 23, 17, 43)
_EMPTY = datetime(1900, 1, 1)


class KeyForm:
    """A form of keys, as `strftime` takes it. Raises `PartitionsError` if it cannot be read back.

    Of a time that comes twice when summer time ends, the second has its offset at the end.
    """

    def __init__(self, fmt: str) -> None:
        self.fmt = fmt
        self.example = f'Write it as in "{datetime(2023, 1, 31, 15, tzinfo=UTC).strftime(fmt)}".'
        self._has_offset = "%z" in fmt
        problem = partition_problem(_EXAMPLE.strftime(fmt))
        if problem:
            raise PartitionsError(f"{problem}.", hint="Choose another fmt.")
        self._fields = self._read_back()

    def __reduce__(self) -> tuple[Callable[[str], KeyForm], tuple[str]]:
        return key_form, (self.fmt,)

    def text(self, time: datetime) -> str:
        # `isoformat` takes a tenth of the time, and there may be thousands of keys.
        text = time.date().isoformat() if self.fmt == _DAY else time.strftime(self.fmt)
        return f"{text}{time:%z}" if time.fold and not self._has_offset else text

    def time(self, text: str, zone: tzinfo) -> datetime | None:
        """The time that a text in this form means, or None if it is in another form."""
        for form in (self.fmt,) if self._has_offset else (self.fmt, f"{self.fmt}%z"):
            found = _read(text, form)
            if found is not None:
                return found if found.tzinfo else found.replace(tzinfo=zone)
        return None

    def beginning(self, text: str, zone: tzinfo) -> datetime | None:
        """The first time whose text may begin with `text`, which must be whole fields: a year, or a
        year and a month."""
        for form in self._beginnings():
            found = _read(text, form)
            if found is not None and found.strftime(form) == text:
                return found.replace(tzinfo=zone)
        return None

    def check(self, calendar: Calendar, cron: str) -> None:
        """Raise `PartitionsError` if the form cannot tell the ticks of a calendar apart."""
        once_a_day = calendar.times_a_day == 1
        once_a_month = once_a_day and calendar.most_days_a_month() == 1
        enough = {
            "minute": True,
            "hour": len(calendar.minutes) == 1,
            "day": once_a_day,
            "month": once_a_month,
            "year": once_a_month and calendar.months_a_year == 1,
        }
        if not enough[_FIELDS[self._fields - 1]]:
            raise PartitionsError(
                f"two windows of {cron!r} have the same key in the form {self.fmt}.",
                hint="Choose a fmt that has what tells them apart.",
            )

    def _read_back(self) -> int:
        """How many of the fields, from the year on, the form has."""
        example = _EXAMPLE.replace(tzinfo=UTC) if self._has_offset else _EXAMPLE
        text = example.strftime(self.fmt)
        read = _read(text, self.fmt)
        if read is not None and read.strftime(self.fmt) == text:
            kept = [getattr(read, name) == getattr(_EXAMPLE, name) for name in _FIELDS]
            count = [*kept, False].index(False)
            rest = [getattr(read, name) == getattr(_EMPTY, name) for name in _FIELDS[count:]]
            if count and all(rest):
                return count
        raise PartitionsError(
            f"the form {self.fmt!r} does not say when a window begins.",
            hint='Write a fmt as in "%Y-%m-%d", with the year first.',
        )

    def _beginnings(self) -> list[str]:
        """The form cut after each of its fields but the last; none if they are in another order."""
        found = list(_DIRECTIVE.finditer(self.fmt))
        places = [_LARGE_TO_SMALL.find(one[1]) for one in found]
        if -1 in places or places != sorted(set(places)):
            return []
        return [self.fmt[: one.end()] for one in found[:-1]]


@cache
def key_form(fmt: str) -> KeyForm:
    """The form that all definitions with that `fmt` share."""
    return KeyForm(fmt)


@cache
def checked_form(fmt: str, cron: str, calendar: Calendar) -> KeyForm:
    """The form, if it can tell the ticks of a calendar apart."""
    form = key_form(fmt)
    form.check(calendar, cron)
    return form


def _read(text: str, form: str) -> datetime | None:
    try:
        if form == _DAY and len(text) == 10 and text[4] == text[7] == "-":
            return datetime.fromisoformat(text)  # quicker
        return datetime.strptime(text, form)
    except (ValueError, re.error):  # a directive that comes twice is an error of the pattern
        return None

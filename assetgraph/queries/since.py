"""`moment`: the time that `--since` or a filter of the page names."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from assetgraph.errors import AssetGraphError

_AGO = re.compile(r"(\d{1,6}) ?(s|sec|m|min|h|d|w)\w*(?: ago)?")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, now: datetime, *, named: str = "--since", end: bool = False) -> datetime:
    """A time before `now`: `2h`, `3d`, `today`, `yesterday`, `14:30`, or a date with or without a
    time, in local time where it names no zone. With `end`, a day means its end. Raises
    `AssetGraphError`, which calls the text by the option that it was `named` with.
    """
    local = now.astimezone()
    words = text.strip().lower()
    ago = _AGO.fullmatch(words)
    try:
        if ago:
            return local - timedelta(**{_UNITS[ago[2][0]]: int(ago[1])})
        if words in ("today", "yesterday"):
            return _midnight(local.date() - timedelta(days=(words == "yesterday") - end))
        if re.fullmatch(r"\d?\d:\d\d(:\d\d)?", words):
            return datetime.combine(local.date(), time.fromisoformat(words.zfill(5))).astimezone()
        if re.fullmatch(r"\d{4}-\d\d-\d\d", words):
            return _midnight(date.fromisoformat(words) + timedelta(days=end))
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError):
        raise AssetGraphError(
            f"cannot read {named} {text!r}.",
            hint="Write 2h, 3d, today, 14:30, 2026-11-30 or '2026-11-30 14:30'.",
        ) from None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time()).astimezone()

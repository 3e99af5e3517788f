"""Durations, sizes and times as text for people."""

from __future__ import annotations

from datetime import datetime

UNKNOWN = "–"
_UNITS = ("kB", "MB", "GB", "TB")


def duration(seconds: float | None) -> str:
    """412µs, 3.2ms, 0.84s, 12.4s, 3m 04s, 1h 02m, 2d 03h."""
    if seconds is None:
        return UNKNOWN
    seconds = max(seconds, 0.0)
    if seconds < 0.0009995:
        return f"{seconds * 1e6:.0f}µs" if seconds else "0s"
    if seconds < 0.0995:
        return f"{seconds * 1e3:.{1 if seconds < 0.00995 else 0}f}ms"
    if seconds < 59.95:
        return f"{seconds:.{2 if seconds < 0.995 else 1}f}s"
    whole = round(seconds)
    for unit, size, smaller, part in (("d", 86400, "h", 3600), ("h", 3600, "m", 60)):
        if whole >= size:
            return f"{whole // size}{unit} {whole % size // part:02}{smaller}"
    return f"{whole // 60}m {whole % 60:02}s"


def rough_duration(seconds: float) -> str:
    """An estimate, in whole seconds from 1."""
    whole = max(round(seconds), 1)
    return f"{whole}s" if whole < 60 else duration(whole)


def size(count: float | None) -> str:
    """Bytes in powers of 1000: 812 B, 1.1 MB."""
    if count is None:
        return UNKNOWN
    if count < 1000:
        return f"{count:.0f} B"
    power = 1
    while count / 1000**power >= 999.5 and power < len(_UNITS):
        power += 1
    scaled = count / 1000**power
    return f"{scaled:.{1 if scaled < 99.95 else 0}f} {_UNITS[power - 1]}"


def local_time(time: datetime) -> str:
    return f"{time.astimezone():%Y-%m-%d %H:%M:%S}"


def short_time(time: datetime, now: datetime) -> str:
    """The time of day for today, the date and time for this year, the date alone before that."""
    local, today = time.astimezone(), now.astimezone()
    if local.date() == today.date():
        return f"{local:%H:%M:%S}"
    return f"{local:%b %d %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d}"


def clock(time: datetime) -> str:
    """The local time of day, to the millisecond."""
    return f"{time.astimezone():%H:%M:%S.%f}"[:-3]

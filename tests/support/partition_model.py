"""A model of partitions by brute force: keys and mappings as lists, nothing computed ahead.

`partition_history.py` keeps what each target was made from; the engine is compared with both.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any, NamedTuple

import assetgraph as dg

Part = str | None
Dynamic = Mapping[str, list[str]]


class Wrong(Exception):
    """A mapping leads to a partition that does not exist."""


class Window(NamedTuple):
    """A window of time, and its key."""

    start: date
    end: date
    key: str


@dataclass(frozen=True)
class Definition:
    """Partitions: none, unless a subclass says which."""

    def keys(self, dynamic: Dynamic) -> list[Part]:
        return [None]

    def made(self) -> Any:
        return None


@dataclass(frozen=True)
class Static(Definition):
    given: tuple[str, ...]

    def keys(self, dynamic: Dynamic) -> list[Part]:
        return list(self.given)

    def made(self) -> Any:
        return dg.StaticPartitionsDefinition(self.given)


@dataclass(frozen=True)
class OfTime(Definition):
    """Partitions of a "day", a "week" or a "month", from a day to a day."""

    unit: str
    start: date
    end: date

    def windows(self) -> list[Window]:
        return [w for w in _every(self.unit) if self.start <= w.start and w.end <= self.end]

    def keys(self, dynamic: Dynamic) -> list[Part]:
        return [window.key for window in self.windows()]

    def made(self) -> Any:
        kinds = {
            "day": dg.DailyPartitionsDefinition,
            "week": dg.WeeklyPartitionsDefinition,
            "month": dg.MonthlyPartitionsDefinition,
        }
        return kinds[self.unit](str(self.start), end_date=str(self.end))


@dataclass(frozen=True)
class InStore(Definition):
    name: str

    def keys(self, dynamic: Dynamic) -> list[Part]:
        return list(dynamic[self.name])

    def made(self) -> Any:
        return dg.DynamicPartitionsDefinition(name=self.name)


@dataclass(frozen=True)
class Multi(Definition):
    dimensions: tuple[tuple[str, Definition], ...]

    def keys(self, dynamic: Dynamic) -> list[Part]:
        each = [one.keys(dynamic) for _, one in sorted(self.dimensions)]
        return ["|".join(map(str, parts)) for parts in itertools.product(*each)]

    def part(self, name: str, key: Part) -> str:
        names = sorted(one for one, _ in self.dimensions)
        return str(key).split("|")[names.index(name)]

    def made(self) -> Any:
        return dg.MultiPartitionsDefinition({name: one.made() for name, one in self.dimensions})


@cache
def _every(unit: str) -> list[Window]:
    """Every window of a unit for a few months around those that are used."""
    if unit == "month":
        starts = [date(2022 + (n // 12), n % 12 + 1, 1) for n in range(8, 24)]
    else:
        step = 7 if unit == "week" else 1
        first = date(2022, 9, 4)  # a Sunday
        starts = [first + timedelta(days=step * n) for n in range(500 // step)]
    return [Window(a, b, str(a)) for a, b in itertools.pairwise(starts)]


@dataclass(frozen=True)
class Default:
    """No mapping is given."""

    def made(self) -> Any:
        return None

    def fits(self, own: Definition, above: Definition) -> bool:
        if isinstance(own, OfTime) and isinstance(above, OfTime):
            return True
        if isinstance(own, Multi) and isinstance(above, Multi):
            return Same().fits(own, above)
        if isinstance(own, Multi) or isinstance(above, Multi):
            return type(own) is Definition or OneDimension().fits(own, above)
        return Definition in (type(own), type(above)) or type(own) is type(above)

    def reads(self, key: Part, own: Definition, above: Definition, dynamic: Dynamic) -> list[Part]:
        if key is None:
            return above.keys(dynamic)
        chosen: Any = Same()
        if isinstance(own, OfTime) and isinstance(above, OfTime):
            chosen = Windows(0, 0, False)
        elif isinstance(own, Multi) is not isinstance(above, Multi):
            chosen = OneDimension()
        found: list[Part] = chosen.reads(key, own, above, dynamic)
        return found


@dataclass(frozen=True)
class All:
    def made(self) -> Any:
        return dg.AllPartitionMapping()

    def fits(self, own: Definition, above: Definition) -> bool:
        return True

    def reads(self, key: Part, own: Definition, above: Definition, dynamic: Dynamic) -> list[Part]:
        return above.keys(dynamic)


@dataclass(frozen=True)
class Last:
    def made(self) -> Any:
        return dg.LastPartitionMapping()

    def fits(self, own: Definition, above: Definition) -> bool:
        return True

    def reads(self, key: Part, own: Definition, above: Definition, dynamic: Dynamic) -> list[Part]:
        return above.keys(dynamic)[-1:]


@dataclass(frozen=True)
class Same:
    def made(self) -> Any:
        return dg.IdentityPartitionMapping()

    def fits(self, own: Definition, above: Definition) -> bool:
        if isinstance(own, OfTime) and isinstance(above, OfTime):
            return own.unit == above.unit
        if isinstance(own, Multi) and isinstance(above, Multi):
            kinds = [[(n, _kind(d)) for n, d in one.dimensions] for one in (own, above)]
            return kinds[0] == kinds[1]
        return type(own) is type(above) and type(own) is not Definition

    def reads(self, key: Part, own: Definition, above: Definition, dynamic: Dynamic) -> list[Part]:
        if key not in above.keys(dynamic):
            raise Wrong(key)
        return [key]


@dataclass(frozen=True)
class Some:
    """A few keys, for every partition."""

    given: tuple[str, ...]

    def made(self) -> Any:
        return dg.SpecificPartitionsPartitionMapping(self.given)

    def fits(self, own: Definition, above: Definition) -> bool:
        if isinstance(above, InStore):
            return all(one.startswith("d") for one in self.given)
        return isinstance(above, Static) and set(self.given) <= set(above.given)

    def reads(self, key: Part, own: Definition, above: Definition, dynamic: Dynamic) -> list[Part]:
        keys = above.keys(dynamic)
        if not set(self.given) <= set(keys):
            raise Wrong(self.given)
        return [one for one in keys if one in self.given]


@dataclass(frozen=True)
class Table:
    """Upstream keys, each with the downstream keys that it goes into."""

    given: tuple[tuple[str, tuple[str, ...]], ...]

    def made(self) -> Any:
        return dg.StaticPartitionMapping(dict(self.given))

    def fits(self, own: Definition, above: Definition) -> bool:
        ups = {up for up, _ in self.given}
        downs = {down for _, below in self.given for down in below}
        return (
            isinstance(own, Static)
            and isinstance(above, Static)
            and ups <= set(above.given)
            and downs <= set(own.given)
        )

    def reads(self, key: Part, own: Definition, above: Definition, dynamic: Dynamic) -> list[Part]:
        table = dict(self.given)
        return [one for one in above.keys(dynamic) if key in table.get(str(one), ())]


@dataclass(frozen=True)
class Windows:
    start: int
    end: int
    lenient: bool

    def made(self) -> Any:
        return dg.TimeWindowPartitionMapping(self.start, self.end, self.lenient)

    def fits(self, own: Definition, above: Definition) -> bool:
        return isinstance(own, OfTime) and isinstance(above, OfTime)

    def reads(self, key: Part, own: Definition, above: Definition, dynamic: Dynamic) -> list[Part]:
        assert isinstance(own, OfTime)
        assert isinstance(above, OfTime)
        mine = _every(own.unit)
        at = [window.key for window in mine].index(str(key))
        moved = mine[at + self.start].start, mine[at + self.end].end
        read = _overlapping(above.unit, *moved)
        unmoved = _overlapping(above.unit, mine[at].start, mine[at].end)
        there = [w for w in read if w.key in above.keys(dynamic)]
        for window in read:
            # Only an offset leads before the first window, or after the last.
            led_before = window.start < unmoved[0].start and window.start < above.start
            led_after = window.end > unmoved[-1].end and window.end > above.end
            if window not in there and not (self.lenient or led_before or led_after):
                raise Wrong(window)
        return [window.key for window in there]


def _overlapping(unit: str, start: date, end: date) -> list[Window]:
    return [w for w in _every(unit) if w.start < end and start < w.end]


@dataclass(frozen=True)
class OneDimension:
    """Between several dimensions and the definition of one of them."""

    def made(self) -> Any:
        return dg.MultiToSingleDimensionPartitionMapping()

    def fits(self, own: Definition, above: Definition) -> bool:
        if isinstance(own, Multi) is isinstance(above, Multi) or type(own) is Definition:
            return False
        return self._name(own, above) is not None

    def reads(self, key: Part, own: Definition, above: Definition, dynamic: Dynamic) -> list[Part]:
        name, inner = self._name(own, above) or ("", None)
        if isinstance(own, Multi):
            own_part = dict(own.dimensions)[name]
            found: list[Part] = inner.reads(own.part(name, key), own_part, above, dynamic)
            return found
        assert isinstance(above, Multi)
        read = inner.reads(key, own, dict(above.dimensions)[name], dynamic)
        return [one for one in above.keys(dynamic) if above.part(name, one) in read]

    def _name(self, own: Definition, above: Definition) -> tuple[str, Any] | None:
        multi, single = (own, above) if isinstance(own, Multi) else (above, own)
        assert isinstance(multi, Multi)
        same = [name for name, one in multi.dimensions if one == single]
        of_time = [name for name, one in multi.dimensions if isinstance(one, OfTime)]
        if same:
            return (same[0], Same()) if len(same) == 1 else None
        if len(of_time) == 1 and isinstance(single, OfTime):
            return of_time[0], Windows(0, 0, False)
        return None


@dataclass(frozen=True)
class Each:
    """Each upstream dimension that is named by a mapping of its own."""

    given: tuple[tuple[str, str, Any], ...]

    def made(self) -> Any:
        each = {up: dg.DimensionPartitionMapping(d, m.made()) for up, d, m in self.given}
        return dg.MultiPartitionMapping(each)

    def fits(self, own: Definition, above: Definition) -> bool:
        if not isinstance(own, Multi) or not isinstance(above, Multi):
            return False
        below, over = dict(own.dimensions), dict(above.dimensions)
        return all(
            up in over and down in below and m.made() and m.fits(below[down], over[up])
            for up, down, m in self.given
        )

    def reads(self, key: Part, own: Definition, above: Definition, dynamic: Dynamic) -> list[Part]:
        assert isinstance(own, Multi)
        assert isinstance(above, Multi)
        below, over = dict(own.dimensions), dict(above.dimensions)
        read = {
            up: m.reads(own.part(down, key), below[down], over[up], dynamic)
            for up, down, m in self.given
        }
        return [
            one
            for one in above.keys(dynamic)
            if all(above.part(up, one) in parts for up, parts in read.items())
        ]


def _chosen(salt: int, key: Part, one: Part) -> bool:
    return zlib.crc32(f"{salt} {key} {one}".encode()) % 3 == 0


class _OwnMapping(dg.PartitionMapping):
    def __init__(self, salt: int) -> None:
        self.salt = salt

    def upstream_keys(self, key: Any, downstream: Any, upstream: Any) -> list[str]:
        return [one for one in upstream if _chosen(self.salt, key, one)]


@dataclass(frozen=True)
class Own:
    """A mapping as a project may write one."""

    salt: int

    def made(self) -> Any:
        return _OwnMapping(self.salt)

    def fits(self, own: Definition, above: Definition) -> bool:
        return True

    def reads(self, key: Part, own: Definition, above: Definition, dynamic: Dynamic) -> list[Part]:
        return [one for one in above.keys(dynamic) if _chosen(self.salt, key, one)]


def _kind(definition: Definition) -> object:
    return definition.unit if isinstance(definition, OfTime) else type(definition)

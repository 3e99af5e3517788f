"""Trips added up by the zone and the day of their pick-up, in one pass over the batches."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa
    import pyarrow.dataset as ds

Key = TypeVar("Key")

BATCH_ROWS = 1 << 16
BATCHES_AHEAD = 4


@dataclass(frozen=True, slots=True)
class Totals:
    """How many trips, and their dollars, miles and passengers together. What a trip does not
    record adds nothing."""

    num_trips: int = 0
    total_amount: float = 0.0
    trip_distance: float = 0.0
    passenger_count: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(
            self.num_trips + other.num_trips,
            self.total_amount + other.total_amount,
            self.trip_distance + other.trip_distance,
            self.passenger_count + other.passenger_count,
        )


@dataclass(frozen=True, slots=True)
class DaysAndZones:
    """All trips, by zone and day; None for a trip that does not record one of them."""

    cells: Mapping[tuple[int | None, date | None], Totals]

    @property
    def total(self) -> Totals:
        return sum(self.cells.values(), Totals())

    def by_zone(self) -> dict[int | None, Totals]:
        return _added((zone, totals) for (zone, _), totals in self.cells.items())

    def by_week(self) -> dict[date, Totals]:
        """By the Monday that the week begins with, in order. Trips without a day are left out."""
        dated = ((day, totals) for (_, day), totals in self.cells.items() if day)
        weeks = _added((day - timedelta(days=day.weekday()), totals) for day, totals in dated)
        return dict(sorted(weeks.items()))

    def month(self) -> str | None:
        """The month that most trips begin in, such as "2023-03"; None where there are no trips."""
        months = self._by_month()
        return max(sorted(months), key=lambda month: months[month], default=None)

    def outside_month(self) -> int:
        """How many trips begin in another month than most, by meters that are wrong or because
        the month ended on the way to the customer."""
        months = self._by_month()
        return months.total() - max(months.values(), default=0)

    def without_day(self) -> int:
        return sum(totals.num_trips for (_, day), totals in self.cells.items() if day is None)

    def _by_month(self) -> Counter[str]:
        months: Counter[str] = Counter()
        for (_, day), totals in self.cells.items():
            if day:
                months[f"{day:%Y-%m}"] += totals.num_trips
        return months


def add_up(trips: ds.Dataset) -> DaysAndZones:
    """Read the trips once, in order, holding a few batches at a time."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = {
        "zone": pc.field("pickup_zone_id"),
        "day": pc.field("pickup_datetime").cast(pa.date32()),
        "num_trips": pc.scalar(1),
        "total_amount": pc.field("total_amount"),
        "trip_distance": pc.field("trip_distance"),
        "passenger_count": pc.field("passenger_count").cast(pa.int64()),
    }
    # Threads read ahead of the sums without a firm limit, and the sums take most of the time.
    batches = trips.to_batches(
        columns=columns, batch_size=BATCH_ROWS, batch_readahead=BATCHES_AHEAD, use_threads=False
    )
    sums: list[pa.Table] = []
    for batch in batches:
        sums = [_grouped(pa.concat_tables([*sums, pa.Table.from_batches([batch])]))]
    rows = (row for table in sums for row in zip(*table.to_pydict().values(), strict=True))
    return DaysAndZones({(zone, day): Totals(*measures) for zone, day, *measures in rows})


def _grouped(table: pa.Table) -> pa.Table:
    """One row for each zone and day. In one thread: the sum of decimals depends on their order."""
    import pyarrow.compute as pc

    nulls_add_nothing = pc.ScalarAggregateOptions(min_count=0)
    keys, measures = table.column_names[:2], table.column_names[2:]
    grouped = table.group_by(keys, use_threads=False).aggregate(
        [(name, "sum", nulls_add_nothing) for name in measures]
    )
    sums = grouped.select([*keys, *(f"{name}_sum" for name in measures)])
    return sums.rename_columns(table.column_names)


def _added(parts: Iterable[tuple[Key, Totals]]) -> dict[Key, Totals]:
    added: dict[Key, Totals] = {}
    for key, totals in parts:
        added[key] = added.get(key, Totals()) + totals
    return added

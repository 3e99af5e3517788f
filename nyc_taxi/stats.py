"""Adds up trips by zone and day of the pick-up, in one pass over the batches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa
    import pyarrow.dataset as ds

    import assetgraph as dg

Key = TypeVar("Key")

BATCH_ROWS = 1 << 16
BATCHES_AHEAD = 4


@dataclass(frozen=True, slots=True)
class Totals:
    """The number of trips and their total dollars, miles and passengers.

    A null in a trip counts as 0.
    """

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
    """The totals of all trips by (zone, day); either is None for trips that do not record it."""

    cells: Mapping[tuple[int | None, date | None], Totals]

    @property
    def total(self) -> Totals:
        return sum(self.cells.values(), Totals())

    def by_zone(self) -> dict[int | None, Totals]:
        return _added((zone, totals) for (zone, _), totals in self.cells.items())

    def outside(self, month: str) -> int:
        """The number of trips that begin in another month than `month`, such as "2023-03".

        Their meter is wrong, or the month ended on the way to the customer.
        """
        return sum(
            totals.num_trips
            for (_, day), totals in self.cells.items()
            if day and f"{day:%Y-%m}" != month
        )

    def without_day(self) -> int:
        return sum(totals.num_trips for (_, day), totals in self.cells.items() if day is None)


def together(months: Iterable[DaysAndZones]) -> DaysAndZones:
    """The trips of several months as one."""
    return DaysAndZones(_added(cell for month in months for cell in month.cells.items()))


def picked_up_within(trips: ds.Dataset, window: dg.TimeWindow) -> ds.Dataset:
    """The trips that begin in `window`, by the clocks of the city."""
    import pyarrow as pa
    import pyarrow.compute as pc

    start, end = (
        pa.scalar(moment.replace(tzinfo=None), pa.timestamp("us"))
        for moment in (window.start, window.end)
    )
    pickup = pc.field("pickup_datetime")
    return trips.filter((pickup >= start) & (pickup < end))


def add_up(trips: ds.Dataset) -> DaysAndZones:
    """Add up all trips, reading them once and in order, with a few batches in memory."""
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
    # No threads: they read ahead without a firm limit, and adding up takes most of the time.
    batches = trips.to_batches(
        columns=columns, batch_size=BATCH_ROWS, batch_readahead=BATCHES_AHEAD, use_threads=False
    )
    sums: list[pa.Table] = []
    for batch in batches:
        sums = [_grouped(pa.concat_tables([*sums, pa.Table.from_batches([batch])]))]
    rows = (row for table in sums for row in zip(*table.to_pydict().values(), strict=True))
    return DaysAndZones({(zone, day): Totals(*measures) for zone, day, *measures in rows})


def _grouped(table: pa.Table) -> pa.Table:
    """One row for each zone and day. In one thread: a sum of floats depends on their order."""
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

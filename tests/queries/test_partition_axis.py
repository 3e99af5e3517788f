"""Where partitions are drawn: the axis, the rows and the ticks."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

import assetgraph as dg
from assetgraph.queries.partition_axis import PartitionAxis
from assetgraph.queries.partition_ticks import ticks

DAYS = dg.DailyPartitionsDefinition("2023-01-01", end_date="2024-03-01")
FEW_DAYS = dg.DailyPartitionsDefinition("2023-01-01", end_date="2023-01-05")
PLACES = dg.StaticPartitionsDefinition(["Asia", "Europe", "Oceania"])
COLORS = dg.StaticPartitionsDefinition(["blue", "red"])
MARKET = dg.TimeWindowPartitionsDefinition(
    "2023-01-01-09:30",
    cron_schedule="30 9,16 * * 1-5",
    fmt="%Y-%m-%d-%H:%M",
    timezone="Europe/Berlin",
    end="2023-12-01-09:30",
)


@given(st.permutations(["a", "b", "c"]), st.data())
def test_each_partition_is_in_one_place_and_its_text_means_it(
    names: list[str], data: st.DataObject
) -> None:
    dimensions = dict(zip(names, (FEW_DAYS, PLACES, COLORS), strict=True))
    if data.draw(st.booleans()):
        del dimensions[names[2]]
    keys = dg.MultiPartitionsDefinition(dimensions).keys()
    axis = PartitionAxis(keys)
    assert (axis.name, axis.is_time) == (names[0], True)
    places = [number for row in range(axis.row_count) for number in axis.numbers(row)]
    assert sorted(places) == [*range(len(keys))]

    first_row = data.draw(st.integers(0, axis.row_count - 1))
    rows = range(first_row, data.draw(st.integers(first_row, axis.row_count - 1)) + 1)
    first = data.draw(st.integers(0, 3))
    along = range(first, data.draw(st.integers(first, 3)) + 1)
    expected = [axis.numbers(row)[one] for row in rows for one in along]
    for row in rows:
        parts = str(keys.key(axis.numbers(row)[first])).split("|")
        assert set(axis.row_keys(row)) < set(parts)
    named = [
        number for text in axis.texts(along, rows) for part in keys.among(text) for number in part
    ]
    assert sorted(named) == sorted(expected)


def test_the_axis_is_the_dimension_of_time_or_the_longest() -> None:
    two = dg.MultiPartitionsDefinition({"color": COLORS, "place": PLACES})
    assert PartitionAxis(two.keys()).name == "place"
    one = PartitionAxis(DAYS.keys())
    assert (one.row_count, one.row_names, one.numbers(0)) == (1, (), range(425))
    assert one.texts(range(2, 4), range(1)) == ["2023-01-03..2023-01-04"]


@given(st.sampled_from([DAYS, MARKET, PLACES]), st.integers(1, 20), st.data())
def test_ticks_are_few_in_order_and_inside(
    definition: dg.PartitionsDefinition, most: int, data: st.DataObject
) -> None:
    keys = definition.keys()
    first = data.draw(st.integers(0, len(keys) - 1))
    numbers = range(first, data.draw(st.integers(first, len(keys))))
    found = ticks(keys, numbers, most)
    assert len(found) <= most
    assert all(tick.number in numbers for tick in found)
    assert all(one.number < other.number for one, other in pairwise(found))


def test_a_tick_says_what_begins_there() -> None:
    def said(definition: dg.PartitionsDefinition, first: int, end: int, most: int) -> list[str]:
        return [tick.text for tick in ticks(definition.keys(), range(first, end), most)]

    assert said(DAYS, 0, 425, 6) == ["2023", "Apr", "Jul", "Oct", "2024"]
    assert said(DAYS, 40, 100, 3) == ["Mar 2023", "Apr"]
    assert said(DAYS, 363, 367, 4) == ["30 Dec 2023", "31 Dec", "1 Jan 2024", "2 Jan"]
    hours = dg.HourlyPartitionsDefinition("2023-05-05-22:00", end_date="2023-05-06-10:00")
    assert said(hours, 1, 5, 6) == ["5 May, 23:00", "6 May", "01:00", "02:00"]
    opened, closed = said(MARKET, 8, 11, 6), said(MARKET, 9, 12, 6)
    assert opened == ["6 Jan, 09:30", "16:30", "9 Jan, 09:30"]
    assert closed == ["6 Jan, 16:30", "9 Jan, 09:30", "16:30"]
    assert said(PLACES, 0, 3, 2) == ["Asia", "Oceania"]

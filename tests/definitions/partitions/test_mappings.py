"""Mappings as Dagster's users know them, what is cheap, and what is refused."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from assetgraph.definitions.partitions.definition import PartitionsDefinition
from assetgraph.definitions.partitions.keys import PartitionKeys
from assetgraph.definitions.partitions.listed import (
    DynamicPartitionsDefinition,
    StaticPartitionsDefinition,
)
from assetgraph.definitions.partitions.mapping import PartitionMapping
from assetgraph.definitions.partitions.mappings import default_mapping, mapping_problem
from assetgraph.definitions.partitions.multi import MultiPartitionsDefinition
from assetgraph.definitions.partitions.multi_mapping import (
    DimensionPartitionMapping,
    MultiPartitionMapping,
    MultiToSingleDimensionPartitionMapping,
)
from assetgraph.definitions.partitions.periods import (
    DailyPartitionsDefinition,
    HourlyPartitionsDefinition,
    MonthlyPartitionsDefinition,
    WeeklyPartitionsDefinition,
)
from assetgraph.definitions.partitions.simple_mappings import (
    AllPartitionMapping,
    IdentityPartitionMapping,
    LastPartitionMapping,
    SpecificPartitionsPartitionMapping,
    StaticPartitionMapping,
)
from assetgraph.definitions.partitions.time_mapping import TimeWindowPartitionMapping
from assetgraph.definitions.partitions.time_window import TimeWindowPartitionsDefinition
from assetgraph.errors import PartitionsError

NOW = datetime(2024, 3, 1, tzinfo=UTC)
HOURS = HourlyPartitionsDefinition("2023-12-31-00:00")
DAYS = DailyPartitionsDefinition("2024-01-01")
WEEKS = WeeklyPartitionsDefinition("2024-01-01")
MONTHS = MonthlyPartitionsDefinition("2024-01-01")
COLORS = StaticPartitionsDefinition(["red", "blue"])
SHAPES = StaticPartitionsDefinition(["square", "circle"])
BOTH = MultiPartitionsDefinition({"color": COLORS, "day": DAYS})


def read(
    mapping: PartitionMapping,
    key: str | None,
    downstream: PartitionsDefinition | None,
    upstream: PartitionsDefinition,
) -> list[str]:
    keys = None if downstream is None else downstream.keys(NOW)
    return list(mapping.upstream_keys(key, keys, upstream.keys(NOW)))


def test_time_windows_map_to_those_that_overlap() -> None:
    hours = read(default_mapping(DAYS, HOURS), "2024-01-02", DAYS, HOURS)
    assert hours == [f"2024-01-02-{hour:02}:00" for hour in range(24)]
    assert read(default_mapping(HOURS, DAYS), "2024-01-02-05:00", HOURS, DAYS) == ["2024-01-02"]
    week = read(default_mapping(WEEKS, DAYS), "2024-01-07", WEEKS, DAYS)
    assert week == [f"2024-01-{day:02}" for day in range(7, 14)]
    assert read(default_mapping(DAYS, DAYS), "2024-01-02", DAYS, DAYS) == ["2024-01-02"]


def test_offsets_move_the_window() -> None:
    lag = TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)
    assert read(lag, "2024-01-05", DAYS, DAYS) == ["2024-01-04"]
    three = TimeWindowPartitionMapping(start_offset=-2)
    assert read(three, "2024-01-05", DAYS, DAYS) == ["2024-01-03", "2024-01-04", "2024-01-05"]
    hours = read(TimeWindowPartitionMapping(-1, -1), "2024-01-05", DAYS, HOURS)
    assert (hours[0], hours[-1], len(hours)) == ("2024-01-04-00:00", "2024-01-04-23:00", 24)


def test_what_only_an_offset_leads_to_may_be_before_the_first_or_after_the_last() -> None:
    before = TimeWindowPartitionMapping(start_offset=-1)
    assert read(before, "2024-01-01", DAYS, DAYS) == ["2024-01-01"]
    assert read(TimeWindowPartitionMapping(-1, -1), "2024-01-01", DAYS, DAYS) == []
    after = TimeWindowPartitionMapping(end_offset=1)
    assert read(after, "2024-02-29", DAYS, DAYS) == ["2024-02-29"]


def test_an_upstream_window_that_does_not_exist_is_an_error_that_names_it() -> None:
    short = DailyPartitionsDefinition("2024-01-03", "2024-01-10")
    with pytest.raises(PartitionsError, match=r"'2024-01-01' reads .* do not exist: 2024-01-01"):
        read(TimeWindowPartitionMapping(), "2024-01-01", DAYS, short)
    with pytest.raises(PartitionsError, match=r"exist: 2024-01-01\.\.2024-01-02, 2024-01-10\.\."):
        read(TimeWindowPartitionMapping(), "2024-01-01", MONTHS, short)
    with pytest.raises(PartitionsError, match="exist: 2024-01-10"):
        read(TimeWindowPartitionMapping(-1, -1), "2024-01-11", DAYS, short)
    allowing = TimeWindowPartitionMapping(allow_nonexistent_upstream_partitions=True)
    assert read(allowing, "2024-01-01", DAYS, short) == []
    assert read(allowing, "2024-01-01", MONTHS, short) == [f"2024-01-0{n}" for n in range(3, 10)]


def test_an_identity_that_the_upstream_lacks_is_an_error_that_names_it() -> None:
    with pytest.raises(PartitionsError, match="upstream: there is no partition 'red'"):
        read(IdentityPartitionMapping(), "red", COLORS, SHAPES)


def test_windows_that_overlap_are_found_by_arithmetic() -> None:
    minutes = TimeWindowPartitionsDefinition(
        "2000-01-01-00:00", cron_schedule="* * * * *", fmt="%Y-%m-%d-%H:%M"
    )
    years = TimeWindowPartitionsDefinition("2000", cron_schedule="0 0 1 1 *", fmt="%Y")
    mapping = default_mapping(years, minutes)
    below, above = years.keys(NOW), minutes.keys(NOW)
    (year,) = mapping.upstream(10, below, above)
    assert len(year) == 365 * 24 * 60
    assert mapping.downstream(year[0], below, above) == (range(10, 11),)
    assert mapping.downstream(year[-1], below, above) == (range(10, 11),)
    assert mapping.downstream(year[-1] + 1, below, above) == (range(11, 12),)
    assert AllPartitionMapping().upstream(0, None, above) == (range(len(above)),)


def test_an_asset_without_partitions_reads_all_or_what_the_mapping_says() -> None:
    assert isinstance(default_mapping(None, COLORS), AllPartitionMapping)
    assert read(default_mapping(None, COLORS), None, None, COLORS) == ["red", "blue"]
    assert read(AllPartitionMapping(), None, None, COLORS) == ["red", "blue"]
    assert read(LastPartitionMapping(), None, None, COLORS) == ["blue"]
    assert read(SpecificPartitionsPartitionMapping(["red"]), None, None, COLORS) == ["red"]
    with pytest.raises(PartitionsError, match="no partition 'rad'"):
        read(SpecificPartitionsPartitionMapping(["rad"]), None, None, COLORS)


def test_a_table_gives_the_downstream_keys_of_each_upstream_key() -> None:
    above = StaticPartitionsDefinition(["p1", "p2", "p3"])
    below = StaticPartitionsDefinition(["d1", "d2", "d3"])
    mapping = StaticPartitionMapping({"p1": "d1", "p2": {"d2", "d3"}, "p3": ["d2"]})
    assert read(mapping, "d2", below, above) == ["p2", "p3"]
    assert mapping.downstream(1, below.keys(), above.keys()) == (range(1, 3),)
    wrong = [{"p1": "d1", "p9": "d2"}, {"p1": ["d1", "d9"]}]
    problems = [mapping_problem(StaticPartitionMapping(one), below, above) for one in wrong]
    for problem, key in zip(problems, ["p9", "d9"], strict=True):
        assert problem is not None
        assert f"names the partition '{key}'" in problem


def test_each_dimension_has_its_own_mapping() -> None:
    lag = TimeWindowPartitionMapping(-1, -1)
    mapping = MultiPartitionMapping(
        {
            "day": DimensionPartitionMapping("day", lag),
            "color": DimensionPartitionMapping("color", IdentityPartitionMapping()),
        }
    )
    assert read(mapping, "red|2024-01-05", BOTH, BOTH) == ["red|2024-01-04"]
    assert mapping.always_one(BOTH, BOTH)
    days_only = MultiPartitionMapping({"day": DimensionPartitionMapping("day", lag)})
    assert read(days_only, "red|2024-01-05", BOTH, BOTH) == ["red|2024-01-04", "blue|2024-01-04"]
    assert not days_only.always_one(BOTH, BOTH)


def test_a_definition_that_is_one_of_the_dimensions_maps_to_it() -> None:
    mapping = default_mapping(COLORS, BOTH)
    assert isinstance(mapping, MultiToSingleDimensionPartitionMapping)
    assert len(read(mapping, "blue", COLORS, BOTH)) == len(DAYS.keys(NOW))
    blue = mapping.upstream(1, COLORS.keys(), BOTH.keys(NOW))
    assert len(blue) == 1
    assert read(mapping, "blue|2024-01-02", BOTH, DAYS) == ["2024-01-02"]
    months = default_mapping(MONTHS, BOTH)
    assert mapping_problem(months, MONTHS, BOTH) is None
    assert len(read(months, "2024-01-01", MONTHS, BOTH)) == 62


@pytest.mark.parametrize(
    ("mapping", "downstream", "upstream", "one"),
    [
        (IdentityPartitionMapping(), COLORS, COLORS, True),
        (AllPartitionMapping(), None, COLORS, False),
        (LastPartitionMapping(), None, COLORS, True),
        (SpecificPartitionsPartitionMapping(["red"]), None, COLORS, True),
        (SpecificPartitionsPartitionMapping(["red", "blue"]), None, COLORS, False),
        (StaticPartitionMapping({"red": "square", "blue": "circle"}), SHAPES, COLORS, True),
        (StaticPartitionMapping({"red": "square", "blue": "square"}), SHAPES, COLORS, False),
        (TimeWindowPartitionMapping(), DAYS, DAYS, True),
        (TimeWindowPartitionMapping(), HOURS, DAYS, True),
        (TimeWindowPartitionMapping(), DAYS, WEEKS, True),
        (TimeWindowPartitionMapping(), DAYS, MONTHS, True),
        (TimeWindowPartitionMapping(), WEEKS, MONTHS, False),
        (TimeWindowPartitionMapping(), DAYS, HOURS, False),
        (TimeWindowPartitionMapping(-1, -1), DAYS, DAYS, True),
        (TimeWindowPartitionMapping(-1), DAYS, DAYS, False),
        (MultiToSingleDimensionPartitionMapping(), BOTH, DAYS, True),
        (MultiToSingleDimensionPartitionMapping(), BOTH, WEEKS, True),
        (MultiToSingleDimensionPartitionMapping(), DAYS, BOTH, False),
    ],
)
def test_whether_a_mapping_always_gives_one_partition(
    mapping: PartitionMapping,
    downstream: PartitionsDefinition | None,
    upstream: PartitionsDefinition,
    one: bool,
) -> None:
    assert mapping_problem(mapping, downstream, upstream) is None
    assert mapping.always_one(downstream, upstream) is one


def test_days_of_a_zone_split_its_months_but_not_those_of_another() -> None:
    berlin = [
        one("2024-01-01", timezone="Europe/Berlin")
        for one in (DailyPartitionsDefinition, MonthlyPartitionsDefinition)
    ]
    assert TimeWindowPartitionMapping().always_one(*berlin)
    assert not TimeWindowPartitionMapping().always_one(berlin[0], MONTHS)
    assert read(TimeWindowPartitionMapping(), "2024-02-01", berlin[1], DAYS)[0] == "2024-01-31"


DYNAMIC = DynamicPartitionsDefinition(name="x")


@pytest.mark.parametrize(
    ("mapping", "downstream", "upstream", "problem"),
    [
        (TimeWindowPartitionMapping(), COLORS, DAYS, "is for partitions of time, and Static"),
        (TimeWindowPartitionMapping(), DAYS, COLORS, "is for partitions of time"),
        (TimeWindowPartitionMapping(), None, DAYS, "this one has none"),
        (IdentityPartitionMapping(), None, DAYS, "this one has none"),
        (IdentityPartitionMapping(), COLORS, DAYS, "two definitions of the same kind"),
        (default_mapping(COLORS, DYNAMIC), COLORS, DYNAMIC, "two definitions of the same kind"),
        (
            default_mapping(BOTH, BOTH),
            BOTH,
            MultiPartitionsDefinition({"colour": COLORS, "day": DAYS}),
            "the same dimensions",
        ),
        (
            default_mapping(BOTH, BOTH),
            BOTH,
            MultiPartitionsDefinition({"color": COLORS, "day": SHAPES}),
            "the same dimensions",
        ),
        (StaticPartitionMapping({}), None, COLORS, "this one has none"),
        (SpecificPartitionsPartitionMapping(["rod"]), DAYS, COLORS, "Did you mean 'red'"),
        (SpecificPartitionsPartitionMapping(["2024-01"]), None, DAYS, "names the partition"),
        (MultiToSingleDimensionPartitionMapping(), None, BOTH, "this one has none"),
        (MultiToSingleDimensionPartitionMapping(), DAYS, WEEKS, "of several dimensions and of a"),
        (MultiToSingleDimensionPartitionMapping(), BOTH, BOTH, "of several dimensions and of a"),
        (default_mapping(SHAPES, BOTH), SHAPES, BOTH, "none of the dimensions color and day has"),
        (MultiToSingleDimensionPartitionMapping("x"), DAYS, BOTH, "there is no dimension 'x'"),
        (MultiPartitionMapping({}), DAYS, BOTH, "several dimensions on both sides"),
        (
            MultiPartitionMapping({"day": DimensionPartitionMapping("x", AllPartitionMapping())}),
            BOTH,
            BOTH,
            "there is no dimension 'x' in color and day",
        ),
        (
            MultiPartitionMapping(
                {"day": DimensionPartitionMapping("color", IdentityPartitionMapping())}
            ),
            BOTH,
            BOTH,
            "in the dimension 'day', IdentityPartitionMapping is for",
        ),
        (PartitionMapping(), DAYS, DAYS, "does not define upstream_keys"),
        ("identity", DAYS, DAYS, "'identity' is no partition mapping"),
    ],
)
def test_a_mapping_that_cannot_fit_is_a_problem_of_the_definitions(
    mapping: PartitionMapping,
    downstream: PartitionsDefinition | None,
    upstream: PartitionsDefinition,
    problem: str,
) -> None:
    assert problem in (mapping_problem(mapping, downstream, upstream) or "")


def test_offsets_that_leave_nothing_are_refused() -> None:
    with pytest.raises(PartitionsError, match="start_offset=1, end_offset=1"):
        TimeWindowPartitionMapping(start_offset=1)
    with pytest.raises(PartitionsError, match="start_offset is '1'"):
        TimeWindowPartitionMapping("1")  # type: ignore[arg-type]
    with pytest.raises(PartitionsError, match=r"Give it a list: \['red'\]"):
        SpecificPartitionsPartitionMapping("red")
    with pytest.raises(PartitionsError, match="Write DimensionPartitionMapping"):
        MultiPartitionMapping({"day": AllPartitionMapping()})  # type: ignore[dict-item]


class Own(PartitionMapping):
    def __init__(self, result: object) -> None:
        self.result = result

    def upstream_keys(
        self, key: str | None, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Iterable[str]:
        if isinstance(self.result, Exception):
            raise self.result
        return self.result  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Slotted(PartitionMapping):
    lag: int


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ("red", "gave 'red' for the partition 'square'. Return a list of keys."),
        (None, "'NoneType' object is not iterable"),
        ([5], "gave \\[5\\]"),
        (["rod"], "Own.upstream_keys for the partition 'square': there is no partition 'rod'"),
        (KeyError("x"), "Own.upstream_keys fails for the partition 'square': KeyError: 'x'"),
    ],
)
def test_a_mapping_of_ones_own_that_gives_nonsense_is_named(result: object, message: str) -> None:
    with pytest.raises(PartitionsError, match=message):
        Own(result).upstream(0, SHAPES.keys(), COLORS.keys())


def test_mappings_are_compared_by_content() -> None:
    pairs = [
        (TimeWindowPartitionMapping(-1, -1), TimeWindowPartitionMapping(-1, 0)),
        (SpecificPartitionsPartitionMapping(["a"]), SpecificPartitionsPartitionMapping(["b"])),
        (StaticPartitionMapping({"a": "b"}), StaticPartitionMapping({"a": ["b", "c"]})),
        (MultiToSingleDimensionPartitionMapping("a"), MultiToSingleDimensionPartitionMapping()),
        (Own(["a"]), Own(["b"])),
        (Slotted(1), Slotted(2)),
        (AllPartitionMapping(), LastPartitionMapping()),
    ]
    for one, other in pairs:
        copy = pickle.loads(pickle.dumps(one))
        assert (copy, hash(copy)) == (one, hash(one))
        assert one != other
        assert one.content() != other.content() or type(one) is not type(other)

"""Every mapping between small definitions, compared with what it means, and with its inverse."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product

from hypothesis import given, settings
from hypothesis import strategies as st

from assetgraph.definitions.partitions.definition import PartitionsDefinition
from assetgraph.definitions.partitions.keys import PartitionKeys
from assetgraph.definitions.partitions.listed import StaticPartitionsDefinition
from assetgraph.definitions.partitions.mapping import PartitionMapping
from assetgraph.definitions.partitions.mappings import default_mapping, mapping_problem
from assetgraph.definitions.partitions.multi import MultiPartitionsDefinition
from assetgraph.definitions.partitions.multi_mapping import (
    DimensionPartitionMapping,
    MultiPartitionMapping,
    MultiToSingleDimensionPartitionMapping,
)
from assetgraph.definitions.partitions.number_ranges import combined, common, has, in_ranges
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

FMT = "%Y-%m-%d-%H:%M"
CRONS = ["0 */6 * * *", "0 0 * * *", "30 9 * * *", "0 0 * * 0", "0 0 1,15 * *", "0 12 * * 1-5"]
Meaning = Callable[[str | None], Iterable[str] | None]


@st.composite
def times(draw: st.DrawFn) -> TimeWindowPartitionsDefinition:
    start = datetime(2023, 3, 1) + timedelta(hours=draw(st.integers(0, 40)) * 6)
    end = start + timedelta(days=draw(st.integers(1, 20)))
    return TimeWindowPartitionsDefinition(
        start,
        cron_schedule=draw(st.sampled_from(CRONS)),
        fmt=FMT,
        timezone=draw(st.sampled_from(["UTC", "America/New_York"])),
        end=draw(st.sampled_from([None, end])),
        end_offset=draw(st.integers(-1, 1)),
    )


statics = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=5, unique=True).map(
    StaticPartitionsDefinition
)
singles = st.one_of(times(), statics)


@st.composite
def multis(draw: st.DrawFn) -> MultiPartitionsDefinition:
    names = draw(st.lists(st.sampled_from("xyz"), min_size=2, max_size=3, unique=True))
    dimensions: dict[str, PartitionsDefinition] = {names[0]: draw(singles)}
    dimensions.update((name, draw(statics)) for name in names[1:])
    return MultiPartitionsDefinition(dimensions)


nows = st.integers(0, 20 * 24).map(
    lambda hours: datetime(2023, 3, 1, tzinfo=UTC) + timedelta(hours=hours)
)


def check(
    mapping: PartitionMapping,
    downstream: PartitionKeys | None,
    upstream: PartitionKeys,
    meaning: Meaning,
) -> None:
    """`meaning` gives the upstream keys of a downstream key, or None where it is an error."""
    count = 1 if downstream is None else len(downstream)
    read: dict[int, set[int]] = {}
    for number in range(count):
        key = None if downstream is None else downstream.key(number)
        meant = meaning(key)
        try:
            found = mapping.upstream(number, downstream, upstream)
        except PartitionsError:
            assert meant is None
            continue
        assert meant is not None
        for one, other in pairwise(found):
            assert one.stop < other.start
        assert all(found)
        read[number] = {one for part in found for one in part}
        assert {upstream.key(one) for one in read[number]} == set(meant)
        assert set(mapping.upstream_keys(key, downstream, upstream)) == set(meant)
        assert all(has(found, one) == (one in read[number]) for one in range(len(upstream)))
    for number in range(len(upstream)):
        below = mapping.downstream(number, downstream, upstream)
        assert below == in_ranges(one for part in below for one in part)
        inverse = {one for part in below for one in part}
        assert inverse <= set(range(count))
        assert inverse & read.keys() == {one for one, numbers in read.items() if number in numbers}


def time_meaning(
    mapping: TimeWindowPartitionMapping, downstream: PartitionKeys, upstream: PartitionKeys
) -> Meaning:
    """Which windows overlap, by looking at all around."""
    below, above = downstream.definition, upstream.definition
    assert isinstance(below, TimeWindowPartitionsDefinition)
    assert isinstance(above, TimeWindowPartitionsDefinition)
    windows = {n: above.window(n) for n in range(-200, len(upstream) + 200)}

    def overlap(start: datetime, end: datetime) -> set[int]:
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        return {
            number
            for number, one in windows.items()
            if one.start.astimezone(UTC) < end and one.end.astimezone(UTC) > start
        }

    def meaning(key: str | None) -> list[str] | None:
        number = downstream.require(str(key))
        own = overlap(*below.window(number))
        read = overlap(
            below.window(number + mapping.start_offset).start,
            below.window(number + mapping.end_offset).end,
        )
        missing = {one for one in read if not 0 <= one < len(upstream)}
        excused = {one for one in missing if one < 0 and one < min(own)}
        excused |= {one for one in missing if one >= len(upstream) and one > max(own)}
        if missing - excused and not mapping.allow_nonexistent_upstream_partitions:
            return None
        return [upstream.key(one) for one in read - missing]

    return meaning


@settings(max_examples=60)
@given(times(), times(), nows, st.integers(-3, 3), st.integers(0, 3), st.booleans())
def test_time_windows(
    below: TimeWindowPartitionsDefinition,
    above: TimeWindowPartitionsDefinition,
    now: datetime,
    start: int,
    more: int,
    allow: bool,
) -> None:
    for mapping in (
        TimeWindowPartitionMapping(start, start + more, allow),
        TimeWindowPartitionMapping(),
    ):
        for upstream in (above.keys(now), below.keys(now)):
            downstream = below.keys(now)
            check(mapping, downstream, upstream, time_meaning(mapping, downstream, upstream))
            assert mapping_problem(mapping, below, above) is None
        if mapping.always_one(below, above):
            assert all(len(below.overlapping(n, n + 1, above)) == 1 for n in range(60))
        elif mapping.start_offset == mapping.end_offset and below.zone == above.zone:
            assert any(len(below.overlapping(n, n + 1, above)) > 1 for n in range(60))


@given(st.one_of(st.none(), singles, multis()), st.one_of(singles, multis()), nows, st.data())
def test_mappings_by_key(
    below: PartitionsDefinition | None,
    above: PartitionsDefinition,
    now: datetime,
    data: st.DataObject,
) -> None:
    downstream = None if below is None else below.keys(now)
    upstream = above.keys(now)
    everything = list(upstream)
    check(AllPartitionMapping(), downstream, upstream, lambda key: everything)
    check(LastPartitionMapping(), downstream, upstream, lambda key: everything[-1:])
    few = data.draw(st.lists(st.sampled_from([*everything, "?"]), max_size=3, unique=True))
    check(
        SpecificPartitionsPartitionMapping(few),
        downstream,
        upstream,
        lambda key: None if "?" in few else few,
    )
    if downstream is not None:
        check(
            IdentityPartitionMapping(),
            downstream,
            upstream,
            lambda key: [str(key)] if key in everything else None,
        )
        check(IdentityPartitionMapping(), downstream, downstream, lambda key: [str(key)])


@given(statics, statics, st.data())
def test_a_table(
    below: StaticPartitionsDefinition, above: StaticPartitionsDefinition, data: st.DataObject
) -> None:
    downstream, upstream = below.keys(), above.keys()
    some = st.one_of(st.sampled_from(list(downstream)), st.sets(st.sampled_from(list(downstream))))
    table = data.draw(st.dictionaries(st.sampled_from(list(upstream)), some))
    mapping = StaticPartitionMapping(table)
    check(
        mapping,
        downstream,
        upstream,
        lambda key: [up for up, down in table.items() if key == down or key in set(down)],
    )
    assert mapping_problem(mapping, below, above) is None
    sizes = [len(mapping.upstream(n, downstream, upstream)) for n in range(len(downstream))]
    if mapping.always_one(below, above):
        assert set(sizes) == {1}


@given(multis(), nows, st.booleans(), st.data())
def test_several_dimensions_and_one_of_them(
    multi: MultiPartitionsDefinition, now: datetime, upward: bool, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(list(multi.partitions_defs)))
    single = multi.partitions_defs[name]
    same = [one for one, other in multi.partitions_defs.items() if other == single]
    chosen = data.draw(st.sampled_from([name] if len(same) > 1 else [None, name]))
    mapping = MultiToSingleDimensionPartitionMapping(chosen)
    one, several = single.keys(now), multi.keys(now)
    order = list(multi.partitions_defs)
    part = order.index(name)
    if upward:
        assert mapping_problem(mapping, single, multi) is None
        check(mapping, one, several, lambda key: [k for k in several if k.split("|")[part] == key])
        assert not mapping.always_one(single, multi)
    else:
        assert mapping_problem(mapping, multi, single) is None
        check(mapping, several, one, lambda key: [str(key).split("|")[part]])
        assert mapping.always_one(multi, single)
    if len(same) > 1:
        problem = mapping_problem(MultiToSingleDimensionPartitionMapping(), multi, single)
        assert problem is not None
        assert "have the same definition" in problem
    assert isinstance(default_mapping(single, multi), MultiToSingleDimensionPartitionMapping)


@given(multis(), multis(), nows, st.data())
def test_each_dimension_by_its_own_mapping(
    below: MultiPartitionsDefinition,
    above: MultiPartitionsDefinition,
    now: datetime,
    data: st.DataObject,
) -> None:
    downstream, upstream = below.keys(now), above.keys(now)
    mappings: dict[str, DimensionPartitionMapping] = {}
    meanings: dict[str, Meaning] = {}
    for name, keys in upstream.dimensions.items():
        other = data.draw(st.sampled_from(list(downstream.dimensions)))
        their = list(keys)
        kind = data.draw(st.sampled_from(["all", "last", "identity", "whole"]))
        if kind == "all":
            mappings[name] = DimensionPartitionMapping(other, AllPartitionMapping())
        elif kind == "last":
            mappings[name] = DimensionPartitionMapping(other, LastPartitionMapping())
        elif kind == "identity":
            mappings[name] = DimensionPartitionMapping(other, IdentityPartitionMapping())
        place = list(downstream.dimensions).index(other)

        def meaning(
            key: str | None, kind: str = kind, their: list[str] = their, place: int = place
        ) -> list[str] | None:
            own = str(key).split("|")[place]
            if kind == "identity":
                return [own] if own in their else None
            return their[-1:] if kind == "last" else their

        meanings[name] = meaning

    def whole(key: str | None) -> list[str] | None:
        parts = [meanings[name](key) for name in upstream.dimensions]
        known = [part for part in parts if part is not None]
        return ["|".join(one) for one in product(*known)] if len(known) == len(parts) else None

    check(MultiPartitionMapping(mappings), downstream, upstream, whole)


class Own(PartitionMapping):
    """What a person writes: keys by key, drawn once."""

    def __init__(self, table: dict[str | None, list[str]]) -> None:
        self.table = table

    def upstream_keys(
        self, key: str | None, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Iterable[str]:
        return iter(self.table[key])


@given(st.one_of(st.none(), singles, multis()), st.one_of(singles, multis()), nows, st.data())
def test_a_mapping_of_ones_own(
    below: PartitionsDefinition | None,
    above: PartitionsDefinition,
    now: datetime,
    data: st.DataObject,
) -> None:
    downstream = None if below is None else below.keys(now)
    upstream = above.keys(now)
    choice = st.lists(st.sampled_from(list(upstream)), max_size=4) if upstream else st.just([])
    table: dict[str | None, list[str]] = {}
    for key in [None] if downstream is None else downstream:
        table[key] = data.draw(choice)
    mapping = Own(table)
    assert mapping_problem(mapping, below, above) is None
    check(mapping, downstream, upstream, lambda key: table[key])


numbers = st.sets(st.integers(0, 12))


@given(numbers, numbers)
def test_ranges_of_numbers(one: set[int], other: set[int]) -> None:
    assert [n for part in in_ranges(one) for n in part] == sorted(one)
    assert common(in_ranges(one), in_ranges(other)) == in_ranges(one & other)


@given(st.lists(st.sets(st.integers(0, 4)), min_size=1, max_size=3))
def test_ranges_of_combinations(parts: list[set[int]]) -> None:
    expected = set()
    for combination in product(*parts):
        number = 0
        for one in combination:
            number = number * 5 + one
        expected.add(number)
    assert combined([5] * len(parts), [in_ranges(part) for part in parts]) == in_ranges(expected)

"""`check_partition_mapping`: what it lets pass, and what it says about a wrong mapping."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count

import pytest

from assetgraph.definitions.partitions.definition import PartitionsDefinition
from assetgraph.definitions.partitions.keys import PartitionKeys
from assetgraph.definitions.partitions.listed import (
    DynamicPartitionsDefinition,
    StaticPartitionsDefinition,
)
from assetgraph.definitions.partitions.mapping import PartitionMapping
from assetgraph.definitions.partitions.mappings import default_mapping
from assetgraph.definitions.partitions.multi import MultiPartitionsDefinition
from assetgraph.definitions.partitions.number_ranges import Numbers
from assetgraph.definitions.partitions.periods import (
    DailyPartitionsDefinition,
    HourlyPartitionsDefinition,
)
from assetgraph.definitions.partitions.simple_mappings import LastPartitionMapping
from assetgraph.definitions.partitions.time_mapping import TimeWindowPartitionMapping
from assetgraph.testing import check_partition_mapping

NOW = datetime(2024, 1, 8, tzinfo=UTC)
DAYS = DailyPartitionsDefinition("2024-01-01")
HOURS = HourlyPartitionsDefinition("2024-01-01-00:00")
LETTERS = StaticPartitionsDefinition(["a", "b", "c"])
BOTH = MultiPartitionsDefinition({"day": DAYS, "letter": LETTERS})


class Before(PartitionMapping):
    """The partition before, and its own."""

    def upstream_keys(
        self, key: str | None, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Iterable[str]:
        number = upstream.require(str(key))
        return upstream[max(0, number - 1) : number + 1]


class Unlike(PartitionMapping):
    """Another answer each time."""

    def __init__(self) -> None:
        self.numbers = count()

    def upstream_keys(
        self, key: str | None, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Iterable[str]:
        return [upstream[next(self.numbers) % len(upstream)]]


class Unknown(PartitionMapping):
    def upstream_keys(
        self, key: str | None, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Iterable[str]:
        return ["d"]


class Failing(PartitionMapping):
    def upstream_keys(
        self, key: str | None, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Iterable[str]:
        return [{"a": "a"}[str(key)]]


class WrongInverse(Before):
    def downstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        return (range(number, number + 1),)


class TwoAnswers(Before):
    def upstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        return (range(number, number + 1),)


class Outside(PartitionMapping):
    def upstream(
        self, number: int, downstream: PartitionKeys | None, upstream: PartitionKeys
    ) -> Numbers:
        return (range(number, number + 2),)


class Nothing(PartitionMapping):
    pass


@pytest.mark.parametrize(
    ("mapping", "downstream", "upstream"),
    [
        (Before(), LETTERS, LETTERS),
        (Before(), DAYS, DAYS),
        (default_mapping(DAYS, HOURS), DAYS, HOURS),
        (default_mapping(HOURS, DAYS), HOURS, DAYS),
        (TimeWindowPartitionMapping(-2), DAYS, DAYS),
        (default_mapping(None, LETTERS), None, LETTERS),
        (default_mapping(BOTH, DAYS), BOTH, DAYS),
        (default_mapping(LETTERS, BOTH), LETTERS, BOTH),
        (LastPartitionMapping(), None, DAYS),
    ],
)
def test_a_right_mapping_passes(
    mapping: PartitionMapping,
    downstream: PartitionsDefinition | None,
    upstream: PartitionsDefinition,
) -> None:
    check_partition_mapping(mapping, downstream=downstream, upstream=upstream, now=NOW)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (
            Unlike(),
            "Unlike: the upstream of the partition 'c' gives 'c' the first time and 'a' the second "
            "time: it must depend on nothing but what it is given",
        ),
        (
            Unknown(),
            "Unknown: the upstream of the partition 'a' fails: Unknown.upstream_keys for the "
            "partition 'a': there is no partition 'd'. There are 3 partitions, a..c.",
        ),
        (
            Failing(),
            "Failing: the upstream of the partition 'b' fails: Failing.upstream_keys fails for the "
            "partition 'b': KeyError: 'b'",
        ),
        (
            WrongInverse(),
            "WrongInverse.downstream says that the upstream partition 'a' goes into 'a', but by "
            "upstream it goes into 'a', 'b'",
        ),
        (
            TwoAnswers(),
            "upstream_keys of TwoAnswers gives 'a', 'b' for the partition 'b', and upstream gives "
            "'b'",
        ),
        (
            Outside(),
            "Outside: the upstream of the partition 'c' gives (range(2, 4),), which are not ranges "
            "in order of the numbers of 3 partitions",
        ),
        (
            Nothing(),
            "Nothing does not fit these definitions: Nothing does not define upstream_keys",
        ),
    ],
)
def test_a_wrong_mapping_is_told_in_a_sentence(mapping: PartitionMapping, message: str) -> None:
    with pytest.raises(AssertionError) as caught:
        check_partition_mapping(mapping, downstream=LETTERS, upstream=LETTERS)
    assert str(caught.value) == message


def test_windows_that_do_not_exist_upstream_are_told() -> None:
    late = DailyPartitionsDefinition("2024-01-03")
    with pytest.raises(AssertionError, match=r"'2024-01-01' fails: .* do not exist: 2024-01-01"):
        check_partition_mapping(
            default_mapping(DAYS, late), downstream=DAYS, upstream=late, now=NOW
        )


def test_dynamic_partitions_are_given() -> None:
    class Store:
        def get_dynamic_partitions(self, partitions_def_name: str) -> list[str]:
            return ["x", "y"]

    places = DynamicPartitionsDefinition(name="places")
    mapping = default_mapping(places, places)
    check_partition_mapping(mapping, downstream=places, upstream=places, dynamic=Store())

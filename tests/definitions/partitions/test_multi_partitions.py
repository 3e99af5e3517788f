"""Partitions of several dimensions."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetgraph.definitions.partitions.definition import PartitionsDefinition
from assetgraph.definitions.partitions.keys import MultiPartitionKey
from assetgraph.definitions.partitions.listed import (
    DynamicPartitionsDefinition,
    StaticPartitionsDefinition,
)
from assetgraph.definitions.partitions.multi import MultiPartitionsDefinition
from assetgraph.definitions.partitions.periods import (
    DailyPartitionsDefinition,
    MonthlyPartitionsDefinition,
)
from assetgraph.errors import PartitionsError

NOW = datetime(2021, 5, 7, tzinfo=UTC)
DAYS = DailyPartitionsDefinition("2021-05-05")
COLORS = StaticPartitionsDefinition(["red", "blue"])
BOTH = MultiPartitionsDefinition({"date": DAYS, "color": COLORS})


def test_the_dimensions_are_in_the_order_of_their_names() -> None:
    keys = BOTH.get_partition_keys(NOW)
    assert keys == ["red|2021-05-05", "red|2021-05-06", "blue|2021-05-05", "blue|2021-05-06"]
    assert isinstance(keys[0], MultiPartitionKey)
    assert keys[0].keys_by_dimension == {"color": "red", "date": "2021-05-05"}
    assert BOTH.keys(NOW)[-1] == "blue|2021-05-06"


def test_a_key_of_several_dimensions_is_its_text() -> None:
    key = MultiPartitionKey({"date": "2021-05-05", "color": "red"})
    assert key == "red|2021-05-05"
    copy = pickle.loads(pickle.dumps(key))
    assert (copy, copy.keys_by_dimension) == (key, key.keys_by_dimension)
    with pytest.raises(PartitionsError, match="stands between the dimensions"):
        MultiPartitionKey({"a": "x|y", "b": "z"})


@given(st.lists(st.integers(0, 4), min_size=2, max_size=4))
def test_any_number_of_dimensions_is_counted_as_their_product(sizes: list[int]) -> None:
    parts = {f"d{n}": [f"{n}-{one}" for one in range(size)] for n, size in enumerate(sizes)}
    definition = MultiPartitionsDefinition(
        {name: StaticPartitionsDefinition(keys) for name, keys in reversed(parts.items())}
    )
    keys = definition.keys()
    expected = ["|".join(one) for one in product(*parts.values())]
    assert list(keys) == expected == [keys.key(number) for number in range(len(keys))]
    assert [keys.number(key) for key in expected] == list(range(len(expected)))
    for number in range(len(keys)):
        assert keys.join(keys.split(number)) == number


def test_the_window_is_that_of_the_dimension_of_time() -> None:
    start, end = BOTH.time_window_for_partition_key("red|2021-05-05")
    assert (start.day, end.day) == (5, 6)
    two = MultiPartitionsDefinition({"a": COLORS, "b": COLORS})
    with pytest.raises(PartitionsError, match="dimensions a and b, not exactly one is of time"):
        two.time_window_for_partition_key("red|red")


def test_each_part_of_a_key_may_be_shortened() -> None:
    definition = MultiPartitionsDefinition(
        {"month": MonthlyPartitionsDefinition("2023-01-01"), "place": COLORS}
    )
    keys = definition.keys(datetime(2024, 1, 1, tzinfo=UTC))
    assert keys.key(keys.find("2023-03|blue")) == "2023-03-01|blue"
    assert keys.number("2023-03|blue") is None
    with pytest.raises(PartitionsError, match=r"in the dimension 'place', .* mean 'blue'"):
        keys.find("2023-03|blu")
    with pytest.raises(
        PartitionsError, match="in the dimension 'month', '2023' is the beginning of several"
    ):
        keys.find("2023|blue")
    with pytest.raises(PartitionsError, match="in the dimension 'month'"):
        keys.require("2023-03|blue")
    for text in ("2023-03", "2023-03|blue|x", "", "|", "한국"):
        with pytest.raises(PartitionsError):
            keys.find(text)
    with pytest.raises(PartitionsError, match=r'Write it as "<month>\|<place>"'):
        keys.find("blue")


def test_the_default_combines_those_of_the_dimensions() -> None:
    day = DailyPartitionsDefinition("2021-05-05", default="2021-05-06")
    color = StaticPartitionsDefinition(["red", "blue"], default="blue")
    assert MultiPartitionsDefinition({"d": day, "c": color}).default == "blue|2021-05-06"
    assert MultiPartitionsDefinition({"d": day, "c": COLORS}).default is None
    given = MultiPartitionsDefinition({"d": day, "c": COLORS}, default="red|2021-05-09")
    assert given.default == "red|2021-05-09"
    with pytest.raises(PartitionsError, match="default is wrong: there is no partition 'x'"):
        MultiPartitionsDefinition({"d": day, "c": COLORS}, default="x|2021-05-09")


@pytest.mark.parametrize(
    ("dimensions", "message"),
    [
        ({"a": COLORS}, "needs two or more"),
        ({}, "needs two or more"),
        ({"a": COLORS, "b": BOTH}, "'b' has several dimensions itself"),
        ({"a": COLORS, "b": ["x"]}, "'b' is .* no definition of partitions"),
        ({"a": COLORS, 5: COLORS}, "5 is not the name"),
        ({"a": COLORS, "b": StaticPartitionsDefinition(["x|y"])}, "the key 'x\\|y'"),
    ],
)
def test_wrong_dimensions_are_refused(
    dimensions: dict[str, PartitionsDefinition], message: str
) -> None:
    with pytest.raises(PartitionsError, match=message):
        MultiPartitionsDefinition(dimensions)


def test_ten_million_combinations_are_counted_and_found() -> None:
    day = DailyPartitionsDefinition("2000-01-01")
    many = StaticPartitionsDefinition([str(number) for number in range(1500)])
    keys = MultiPartitionsDefinition({"a": day, "b": many}).keys(datetime(2024, 1, 1, tzinfo=UTC))
    assert len(keys) == 8766 * 1500
    assert keys.number(keys[12_345_678]) == 12_345_678


def test_a_dimension_may_be_dynamic() -> None:
    class Store:
        def get_dynamic_partitions(self, partitions_def_name: str) -> list[str]:
            return ["x", "y"]

    definition = MultiPartitionsDefinition(
        {"a": DynamicPartitionsDefinition(name="a"), "b": COLORS}
    )
    assert definition.get_num_partitions(dynamic_partitions_store=Store()) == 4
    assert pickle.loads(pickle.dumps(definition)) == definition
    assert hash(definition) != hash(BOTH)


@given(st.data())
def test_a_text_may_choose_among_the_keys_of_each_dimension(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=3))
    parts = {f"d{n}": [f"{n}-{one}" for one in range(size)] for n, size in enumerate(sizes)}
    keys = MultiPartitionsDefinition(
        {name: StaticPartitionsDefinition(own) for name, own in parts.items()}
    ).keys()
    texts, chosen = [], []
    for own in parts.values():
        first = data.draw(st.integers(0, len(own) - 1))
        last = data.draw(st.integers(first, len(own) - 1))
        ends = [own[first]] if first == last else [own[first], own[last]]
        whole = len(ends) == 2 and len(own) == last - first + 1
        texts.append("*" if whole and data.draw(st.booleans()) else "..".join(ends))
        chosen.append(own[first : last + 1])
    found = [keys.key(number) for part in keys.among("|".join(texts)) for number in part]
    assert found == ["|".join(one) for one in product(*chosen)]


def test_a_range_of_whole_keys_stays_one() -> None:
    keys = BOTH.keys(NOW)
    assert keys.among("red|2021-05-06..blue|2021-05-05") == (range(1, 3),)
    assert keys.among("red|2021-05-06..") == (range(1, 4),)
    assert keys.among("..red|2021-05-06") == (range(2),)
    assert keys.among("*|2021-05-06") == (range(1, 2), range(3, 4))
    assert keys.among("*") == (range(4),)
    with pytest.raises(PartitionsError, match=r"in the dimension 'color', .*goes backwards"):
        keys.among("blue..red|2021-05-06")

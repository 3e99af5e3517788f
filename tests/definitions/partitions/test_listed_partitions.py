"""Partitions that are listed, in the code or in a store, and what may be a key."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

import pytest

from assetgraph.definitions.partitions.listed import (
    DynamicPartitionsDefinition,
    StaticPartitionsDefinition,
)
from assetgraph.errors import PartitionsError


class Store:
    def __init__(self, **keys: Sequence[str]) -> None:
        self.keys = keys

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        return self.keys.get(partitions_def_name, ())


COLORS = StaticPartitionsDefinition(["red", "blue", "green"])


def test_static_keys_keep_the_order_given() -> None:
    assert COLORS.get_partition_keys() == ["red", "blue", "green"]
    assert COLORS.get_num_partitions() == 3
    assert COLORS.has_partition_key("blue")
    assert (COLORS.get_first_partition_key(), COLORS.get_last_partition_key()) == ("red", "green")
    assert COLORS.keys().between("red", "blue") == range(2)


@pytest.mark.parametrize("key", ["a|b", "a,b", "a/b", "a b", "a.b", "한국", "@", "%2F", "k" * 200])
def test_a_key_may_have_any_printed_character(key: str) -> None:
    definition = StaticPartitionsDefinition(["x", key])
    assert definition.keys().number(key) == 1
    assert pickle.loads(pickle.dumps(definition)) == definition


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("a..b", "has '..', which stands between the ends of a range"),
        ("...", "has '..'"),
        ("a\nb", "has a line break or a control character"),
        ("a\x00b", "has a line break or a control character"),
        ("a\u2028b", "has a line break or a control character"),
        ("\udc80", "has a line break or a control character"),
        ("", "is empty"),
        (" a", "begins or ends with a space"),
        ("*", "stands for every partition"),
        ("x" * 300, "is longer than 200 bytes"),
        ("국" * 100, "is longer than 200 bytes"),
        (5, "is not text"),
    ],
)
def test_a_wrong_key_is_refused(key: str, message: str) -> None:
    with pytest.raises(PartitionsError, match=message):
        StaticPartitionsDefinition(["a", key])
    with pytest.raises(PartitionsError, match=message):
        DynamicPartitionsDefinition(name="x").build_add_request([key])


def test_a_key_that_comes_twice_is_refused() -> None:
    with pytest.raises(PartitionsError, match="'a' comes twice"):
        StaticPartitionsDefinition(["a", "b", "a"])


@pytest.mark.parametrize("keys", ["red", 5, None])
def test_keys_that_are_no_list_are_refused(keys: object) -> None:
    with pytest.raises(PartitionsError, match="Give it a list"):
        StaticPartitionsDefinition(keys)  # type: ignore[arg-type]


def test_an_unknown_key_is_answered_with_the_range_and_what_may_be_meant() -> None:
    with pytest.raises(PartitionsError) as caught:
        COLORS.keys().find("Blu")
    assert str(caught.value) == (
        "there is no partition 'Blu'. There are 3 partitions, red..green. Did you mean 'blue'?"
    )
    with pytest.raises(PartitionsError, match=r"There is 1 partition: red\."):
        StaticPartitionsDefinition(["red"]).keys().require("x")


def test_the_default_is_one_of_the_keys() -> None:
    assert StaticPartitionsDefinition(["a", "b"], default="b").default == "b"
    with pytest.raises(PartitionsError, match="default is wrong: there is no partition 'c'"):
        StaticPartitionsDefinition(["a", "b"], default="c")
    assert DynamicPartitionsDefinition(name="x", default="a").default == "a"
    with pytest.raises(PartitionsError, match="default is wrong"):
        DynamicPartitionsDefinition(name="x", default="a..b")


def test_static_definitions_are_compared_by_their_keys() -> None:
    same = StaticPartitionsDefinition(("red", "blue", "green"), default="red")
    assert same == COLORS
    assert hash(same) == hash(COLORS)
    assert StaticPartitionsDefinition(["blue", "red", "green"]) != COLORS
    assert DynamicPartitionsDefinition(name="a") == DynamicPartitionsDefinition(name="a")
    assert DynamicPartitionsDefinition(name="a") != DynamicPartitionsDefinition(name="b")


def test_dynamic_keys_are_those_of_the_store_in_its_order() -> None:
    definition = DynamicPartitionsDefinition(name="places")
    store = Store(places=["b", "a", "c"])
    assert definition.get_partition_keys(dynamic_partitions_store=store) == ["b", "a", "c"]
    assert definition.get_partition_keys(dynamic_partitions_store=Store()) == []
    with pytest.raises(PartitionsError, match="'places' are in a store"):
        definition.get_partition_keys()
    with pytest.raises(PartitionsError, match="There are no partitions yet"):
        definition.keys(dynamic=Store()).require("a")


def test_requests_to_add_and_delete_carry_the_name_and_the_keys() -> None:
    definition = DynamicPartitionsDefinition(name="places")
    add, delete = definition.build_add_request(["a"]), definition.build_delete_request(["b", "c"])
    assert (add.partitions_def_name, add.partition_keys) == ("places", ["a"])
    assert (delete.partitions_def_name, delete.partition_keys) == ("places", ["b", "c"])
    assert add != delete


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 300, "a..b", None])
def test_a_wrong_name_of_dynamic_partitions_is_refused(name: str) -> None:
    with pytest.raises(PartitionsError, match="name of a definition"):
        DynamicPartitionsDefinition(name=name)


def test_keys_are_a_sequence() -> None:
    keys = COLORS.keys()
    assert list(reversed(keys)) == ["green", "blue", "red"]
    assert keys[1:] == ["blue", "green"]
    assert keys[::-1] == ["green", "blue", "red"]
    assert keys.index("green") == 2
    assert "x" not in keys
    with pytest.raises(IndexError):
        keys[3]
    with pytest.raises(ValueError, match="not one of these"):
        keys.index("red", 1)

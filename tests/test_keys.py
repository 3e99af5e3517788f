"""Keys: which names are allowed, how they are written, and that each is one safe file name."""

from __future__ import annotations

import pickle
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetgraph import AssetKey
from assetgraph.errors import InvalidKeyError
from assetgraph.keys import (
    MAX_KEY_BYTES,
    Target,
    is_cut_name,
    partition_file_name,
    partition_of,
    step_file_name,
    step_of_file_name,
)

PARTS = st.text(
    st.characters(categories=["L", "Nd"], include_characters="_-."), min_size=1, max_size=20
).filter(lambda part: ("_" + part.replace("-", "_").replace(".", "_")).isidentifier())


def test_a_key_is_given_as_text_or_as_parts() -> None:
    assert AssetKey("manhattan/stats") == AssetKey(["manhattan", "stats"])
    assert AssetKey("manhattan/stats").parts == ("manhattan", "stats")
    assert AssetKey("manhattan/stats").path == ["manhattan", "stats"]
    assert AssetKey("manhattan/stats").name == "stats"
    assert str(AssetKey(["manhattan", "stats"])) == "manhattan/stats"
    assert repr(AssetKey("trips")) == "AssetKey('trips')"
    assert AssetKey.from_user_string("a/b").to_user_string() == "a/b"


def test_a_prefix_goes_before_all_parts() -> None:
    assert AssetKey("stats").with_prefix("nyc/manhattan") == AssetKey("nyc/manhattan/stats")
    assert AssetKey("stats").with_prefix(["nyc"]) == AssetKey("nyc/stats")


@pytest.mark.parametrize(
    "text",
    [
        "class",
        "택시_운행",
        "διαδρομές",
        "añejo",
        "हिन्दी",
        "a.b",
        "a-b",
        "-a",
        "2024",
        "a/b",
        "_",
        "a.",
        "ß",
    ],
)
def test_names_of_every_script_are_keys(text: str) -> None:
    assert AssetKey(text).text == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty part"),
        ("a//b", "empty part"),
        ("/a", "empty part"),
        ("a/", "empty part"),
        ("..", "starts with a dot"),
        (".", "starts with a dot"),
        ("a/../b", "starts with a dot"),
        (".hidden", "starts with a dot"),
        ("a b", "contains ' '"),
        ("a,b", "contains ','"),
        ("a\\b", r"contains '\\'"),
        ("a\x00b", "contains"),
        ("a\nb", "contains"),
        ("a=b", "contains '='"),
        ("a*", "contains"),
        ("a:b", "contains"),
        ("<lambda>", "contains '<'"),
        ("a\u200db", "contains"),
        ("\u202eabc", "contains"),
        ("\ud800", "contains"),
        ("🚕", "contains"),
    ],
)
def test_a_name_that_is_no_safe_file_name_says_why(text: str, why: str) -> None:
    with pytest.raises(InvalidKeyError, match=re.escape(why)):
        AssetKey(text)


def test_a_key_of_no_parts_is_refused() -> None:
    with pytest.raises(InvalidKeyError, match="at least one part"):
        AssetKey([])


def test_a_key_is_at_most_200_bytes_whatever_its_script() -> None:
    assert AssetKey("a" * MAX_KEY_BYTES)
    assert AssetKey("운" * 66)
    for long in ("a" * 300, "a" * (MAX_KEY_BYTES + 1), "운" * 67, "a/" * 100 + "ab"):
        with pytest.raises(InvalidKeyError, match="at most 200"):
            AssetKey(long)


def test_two_ways_to_write_one_accented_name_are_one_key() -> None:
    composed, decomposed = (unicodedata.normalize(form, "año_택시") for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert AssetKey(composed) == AssetKey(decomposed)
    assert AssetKey(decomposed).text == composed
    assert AssetKey.unchecked([decomposed]).text == composed


def test_a_key_does_not_change() -> None:
    key = AssetKey("trips")
    with pytest.raises(AttributeError, match="is immutable"):
        key.text = "other"
    with pytest.raises(AttributeError):
        key.other = 1  # type: ignore[attr-defined]


def test_a_key_equals_only_a_key() -> None:
    assert AssetKey("a") != "a"
    assert AssetKey("a/b") != AssetKey("a")
    assert len({AssetKey("a/b"), AssetKey(["a", "b"])}) == 1


def test_keys_sort_by_their_parts() -> None:
    texts = ["b", "a/c", "a", "a-b", "a/b"]
    assert [k.text for k in sorted(map(AssetKey, texts))] == ["a", "a/b", "a/c", "a-b", "b"]


@given(st.lists(PARTS, min_size=1, max_size=4), st.lists(PARTS, min_size=1, max_size=4))
def test_two_keys_never_share_a_file_name(one: list[str], two: list[str]) -> None:
    first, second = AssetKey.unchecked(one), AssetKey.unchecked(two)
    assert (first.file_name == second.file_name) == (first == second)
    assert "/" not in first.file_name


@given(st.lists(PARTS, min_size=1, max_size=3))
def test_a_key_survives_its_text_and_pickling(parts: list[str]) -> None:
    try:
        key = AssetKey(parts)
    except InvalidKeyError:
        return
    assert AssetKey(key.text) == key
    copy = pickle.loads(pickle.dumps(key))
    assert copy == key
    assert hash(copy) == hash(key)


def test_a_target_is_written_as_its_key_or_as_key_and_partition() -> None:
    key = AssetKey("manhattan/trips")
    assert Target(key).text == "manhattan/trips"
    assert Target(key, "2023-03").text == str(Target(key, "2023-03")) == "manhattan/trips@2023-03"


@given(st.one_of(st.none(), st.text()), st.one_of(st.none(), st.text()))
def test_two_targets_never_share_a_file_name(one: str | None, two: str | None) -> None:
    key = AssetKey("trips")
    first, second = Target(key, one), Target(key, two)
    try:
        names = first.file_name, second.file_name
    except UnicodeEncodeError:
        return  # half a character cannot be recorded either
    assert (names[0] == names[1]) == (first == second)
    assert "/" not in names[0]


LONG_PARTITIONS = st.one_of(
    st.text(max_size=400),
    st.integers(1, 400).map("x".__mul__),
    st.integers(1, 90).map("년".__mul__),
)


@given(st.sampled_from(["trips", "택" * 66, "a" * 200]), LONG_PARTITIONS, LONG_PARTITIONS)
def test_every_name_of_a_file_fits_a_file_system_and_belongs_to_one_target(
    text: str, one: str, two: str
) -> None:
    targets = Target(AssetKey(text), one), Target(AssetKey(text), two)
    try:
        names = [
            (target.file_name, partition_file_name(part), step_file_name(target.text))
            for target, part in zip(targets, (one, two), strict=True)
        ]
    except UnicodeEncodeError:
        return  # half a character cannot be recorded either
    for first, second, target in zip(*names, targets, strict=False):
        assert len(first.encode()) <= 255 - len(".1234567.out")
        assert (first == second) == (one == two), target
        assert "/" not in first


@given(LONG_PARTITIONS)
def test_a_name_that_fits_is_whole_and_can_be_read_back(partition: str) -> None:
    try:
        name = partition_file_name(partition)
    except UnicodeEncodeError:
        return
    if not is_cut_name(name):
        assert partition_of(name) == partition
    if len(partition.encode()) <= 80:  # each byte becomes three characters at most
        assert not is_cut_name(name)
    step = Target(AssetKey("a/b"), partition).text
    if not is_cut_name(step_file_name(step)):
        assert step_of_file_name(step_file_name(step)) == step

"""Time partitions as Dagster's users know them, and what is refused."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

import pytest

from assetgraph.definitions.partitions.keys import PartitionKeyRange
from assetgraph.definitions.partitions.periods import (
    DailyPartitionsDefinition,
    HourlyPartitionsDefinition,
    MonthlyPartitionsDefinition,
    WeeklyPartitionsDefinition,
)
from assetgraph.definitions.partitions.time_window import TimeWindowPartitionsDefinition
from assetgraph.errors import PartitionsError

LOS_ANGELES = "America/Los_Angeles"
MONTHS = MonthlyPartitionsDefinition("2023-01-01", "2023-04-01")
HOURS = HourlyPartitionsDefinition("2023-01-01-00:00")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_partition_exists_once_its_window_is_over() -> None:
    daily = DailyPartitionsDefinition("2021-05-05")
    assert daily.get_partition_keys(at("2021-05-07")) == ["2021-05-05", "2021-05-06"]
    assert daily.get_partition_keys(at("2021-05-07T23:59")) == ["2021-05-05", "2021-05-06"]
    assert daily.get_partition_keys(at("2021-05-05T12:00")) == []
    assert daily.get_num_partitions(at("2021-05-07")) == 2
    assert daily.get_first_partition_key(at("2021-05-07")) == "2021-05-05"
    assert daily.get_last_partition_key(at("2021-05-07")) == "2021-05-06"
    assert daily.get_last_partition_key(at("2021-05-05")) is None


def test_the_end_offset_moves_the_end_by_whole_partitions() -> None:
    more = DailyPartitionsDefinition("2021-05-05", end_offset=1)
    assert more.get_last_partition_key(at("2021-05-07T01:00")) == "2021-05-07"
    fewer = DailyPartitionsDefinition("2021-05-05", end_offset=-1)
    assert fewer.get_partition_keys(at("2021-05-08T01:00")) == ["2021-05-05", "2021-05-06"]


def test_the_end_offset_adds_nothing_after_the_end() -> None:
    ended = DailyPartitionsDefinition("2021-05-05", "2021-05-07", end_offset=5)
    assert ended.get_partition_keys(at("2030-01-01")) == ["2021-05-05", "2021-05-06"]


def test_the_offset_of_the_hour_moves_the_window_and_not_the_key() -> None:
    daily = DailyPartitionsDefinition("2021-05-05", minute_offset=15, hour_offset=9)
    start, end = daily.time_window_for_partition_key("2021-05-05")
    assert (start, end) == (at("2021-05-05T09:15"), at("2021-05-06T09:15"))
    assert daily.get_partition_keys(at("2021-05-07T09:00")) == ["2021-05-05"]


def test_a_start_inside_a_window_begins_with_the_next_whole_one() -> None:
    now = at("2021-07-01")
    assert MonthlyPartitionsDefinition("2021-05-05").get_partition_keys(now) == ["2021-06-01"]
    weekly = WeeklyPartitionsDefinition("2021-05-05")
    assert weekly.get_partition_keys(now)[:2] == ["2021-05-09", "2021-05-16"]
    assert not WeeklyPartitionsDefinition("2021-05-05").has_partition_key("2023-01-03")


def test_the_offset_of_the_day_moves_weeks_and_months() -> None:
    now = at("2021-07-20")
    weekly = WeeklyPartitionsDefinition("2021-05-05", day_offset=1)
    assert weekly.get_first_partition_key(now) == "2021-05-10"
    monthly = MonthlyPartitionsDefinition("2021-05-05", day_offset=15)
    assert monthly.get_partition_keys(now) == ["2021-05-15", "2021-06-15"]


def test_a_month_without_the_day_of_the_offset_is_part_of_the_one_before() -> None:
    monthly = MonthlyPartitionsDefinition("2023-01-01", day_offset=31)
    assert monthly.get_partition_keys(at("2023-06-01")) == ["2023-01-31", "2023-03-31"]


def test_the_keys_of_hours_have_the_minute() -> None:
    now = at("2021-05-05T04:00")
    hourly = HourlyPartitionsDefinition("2021-05-05-01:00")
    assert hourly.get_partition_keys(now) == [f"2021-05-05-0{hour}:00" for hour in (1, 2, 3)]
    later = HourlyPartitionsDefinition("2021-05-05-01:00", minute_offset=15)
    assert later.get_partition_keys(now) == ["2021-05-05-01:15", "2021-05-05-02:15"]


def test_the_zone_is_that_of_the_windows_and_of_now() -> None:
    daily = DailyPartitionsDefinition("2021-05-05", timezone=LOS_ANGELES)
    assert daily.get_partition_keys(at("2021-05-07T03:00")) == ["2021-05-05"]
    assert daily.get_partition_keys(datetime(2021, 5, 7, 3)) == ["2021-05-05", "2021-05-06"]
    start, end = daily.time_window_for_partition_key("2022-03-13")
    assert (start.isoformat(), end.isoformat()) == (
        "2022-03-13T00:00:00-08:00",
        "2022-03-14T00:00:00-07:00",
    )
    assert end.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=23)


def test_a_range_of_keys_has_both_ends() -> None:
    keys = MONTHS.get_partition_keys_in_range(PartitionKeyRange("2023-01-01", "2023-03-01"))
    assert keys == ["2023-01-01", "2023-02-01", "2023-03-01"]
    assert MONTHS.get_partition_keys_in_range(PartitionKeyRange("2023-03-01", "2023-01-01")) == []
    with pytest.raises(PartitionsError, match="no partition '2022-12-01'"):
        MONTHS.get_partition_keys_in_range(PartitionKeyRange("2022-12-01", "2023-01-01"))


def test_any_cron_line_and_any_form_will_do() -> None:
    twice = TimeWindowPartitionsDefinition(
        "2021-05-05-00:00", cron_schedule="0 0,11 * * *", fmt="%Y-%m-%d-%H:%M"
    )
    assert twice.get_partition_keys(at("2021-05-06")) == ["2021-05-05-00:00", "2021-05-05-11:00"]
    short = TimeWindowPartitionsDefinition("20210505", cron_schedule="0 0 * * *", fmt="%Y%m%d")
    assert short.get_partition_keys(at("2021-05-06")) == ["20210505"]
    offset = TimeWindowPartitionsDefinition(
        "2021-05-05T00+0000", cron_schedule="0 * * * *", fmt="%Y-%m-%dT%H%z", timezone=LOS_ANGELES
    )
    assert offset.key(0) == "2021-05-04T17-0700"
    assert offset.number("2021-05-04T17-0700") == 0


def test_a_time_with_a_zone_is_that_moment() -> None:
    start = datetime(2021, 5, 5, tzinfo=UTC)
    daily = DailyPartitionsDefinition(start, timezone=LOS_ANGELES)
    assert daily.key(0) == "2021-05-05"
    assert daily.content()["start"] == "2021-05-04T17:00:00-07:00"
    assert DailyPartitionsDefinition(datetime(2021, 5, 5)).content()["start"] == "2021-05-05"


def test_a_start_in_the_future_gives_no_partitions() -> None:
    for end_offset in (0, 1, 3):
        daily = DailyPartitionsDefinition("2030-01-05", end_offset=end_offset)
        assert daily.get_partition_keys(at("2029-12-01")) == []
    three = DailyPartitionsDefinition("2030-01-05", end_offset=3)
    assert three.get_partition_keys(at("2030-01-03T12:00")) == ["2030-01-05"]
    with pytest.raises(PartitionsError, match=r"no partition '2030-01-05' yet.*no partitions yet"):
        three.keys(at("2029-12-01")).require("2030-01-05")


def test_ten_million_partitions_are_counted_and_found() -> None:
    minutes = TimeWindowPartitionsDefinition(
        "2000-01-01-00:00",
        cron_schedule="* * * * *",
        fmt="%Y-%m-%d-%H:%M",
        timezone="Europe/Berlin",
    )
    keys = minutes.keys(at("2023-01-01"))
    assert len(keys) > 12_000_000
    assert keys.number(keys[10_000_000]) == 10_000_000
    assert keys[-1] == "2023-01-01-00:59"
    assert len(keys[5_000_000:5_000_003]) == 3
    with pytest.raises(PartitionsError, match=r"12,\d\d\d,\d\d\d partitions, 2000-01-01-00:00\.\."):
        keys.require("never")


def test_a_shortened_key_means_the_only_window_that_begins_so() -> None:
    keys = MONTHS.keys()
    assert keys.find("2023-03-01") == keys.find("2023-03") == 2
    assert keys.between("2023-01", "2023-03") == range(3)
    hours = HOURS.keys(at("2024-01-01"))
    assert hours.key(hours.find("2023-11-05-07")) == "2023-11-05-07:00"
    weekly = WeeklyPartitionsDefinition("2023-01-01").keys(at("2024-01-01"))
    assert weekly.key(weekly.find("2023-01-29")) == "2023-01-29"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "2023-11-05",
            r"several keys\. Write a whole key, or 2023-11-05-00:00\.\.2023-11-05-23:00 for",
        ),
        ("2023", r"or 2023-01-01-00:00\.\.2023-12-31-23:00 for all that there are\."),
        ("2023-1", "no partition '2023-1'"),
        ("2023-11-05-1", "no partition"),
        ("", "no partition"),
        ("2023-11-05-07:01", "no partition.*Did you mean '2023-11-05-07:00'"),
    ],
)
def test_a_shortened_key_of_several_windows_or_none_is_refused(text: str, message: str) -> None:
    with pytest.raises(PartitionsError, match=message):
        HOURS.keys(at("2024-01-01")).find(text)


@pytest.mark.parametrize("key", ["3010-01-01", "0950-01-01", "2999-12-30", "2999-12-30x"])
def test_a_key_near_the_end_of_the_calendar_or_beyond_it_is_just_not_there(key: str) -> None:
    months = MonthlyPartitionsDefinition("2023-01-01")
    with pytest.raises(PartitionsError, match=f"there is no partition '{key}'"):
        months.keys(at("2024-01-01")).require(key)
    with pytest.raises(PartitionsError, match=f"'{key}' is not the key of a window"):
        months.time_window_for_partition_key(key)


def test_windows_end_with_the_calendar() -> None:
    for end_offset in (10**6, 10**9):
        keys = DailyPartitionsDefinition("2023-01-01", end_offset=end_offset).keys(at("2024-01-01"))
        with pytest.raises(PartitionsError, match="windows are from the year 1000 to 2999"):
            keys.key(len(keys) - 1)
        assert "2999-12-31" in keys
        assert "3000-12-31" not in keys


def test_an_hour_that_comes_twice_is_not_shortened() -> None:
    hours = HourlyPartitionsDefinition("2023-11-01-00:00", timezone=LOS_ANGELES)
    with pytest.raises(PartitionsError, match="several keys"):
        hours.keys(at("2024-01-01")).find("2023-11-05-01")


def test_a_shortened_key_does_not_change_its_meaning_when_another_window_is_over() -> None:
    daily = DailyPartitionsDefinition("2023-01-01")
    with pytest.raises(PartitionsError, match=r"several keys\. Write a whole key\."):
        daily.keys(at("2023-01-02")).find("2023-01")
    with pytest.raises(PartitionsError, match=r"or 2023-01-01\.\.2023-01-09 for all"):
        daily.keys(at("2023-01-10")).find("2023-01")
    with pytest.raises(PartitionsError, match="there is no partition '2023-02'"):
        daily.keys(at("2023-01-10")).find("2023-02")


def test_a_key_whose_window_is_not_over_is_named_as_such() -> None:
    monthly = MonthlyPartitionsDefinition("2023-01-01")
    keys = monthly.keys(at("2023-03-15"))
    for text in ("2023-03-01", "2023-03"):
        with pytest.raises(
            PartitionsError, match=r"ends at 2023-04-01 00:00 UTC\. .*\.\.2023-02-01\.$"
        ):
            keys.find(text)


@pytest.mark.parametrize(
    ("key", "meant"),
    [("2023-02-02", "2023-02-01"), ("2023-2-01", "2023-02-01"), ("2023-0201", "2023-02-01")],
)
def test_a_wrong_key_is_answered_with_the_range_and_what_may_be_meant(key: str, meant: str) -> None:
    with pytest.raises(PartitionsError) as caught:
        MONTHS.keys().require(key)
    assert "There are 3 partitions, 2023-01-01..2023-03-01." in str(caught.value)
    assert f"'{meant}'" in str(caught.value)


def test_a_backward_range_is_refused() -> None:
    with pytest.raises(PartitionsError, match=r"Write 2023-01\.\.2023-03\."):
        MONTHS.keys().between("2023-03", "2023-01")


def test_the_default_is_the_key_that_a_text_means() -> None:
    assert MonthlyPartitionsDefinition("2023-01-01", default="2023-03").default == "2023-03-01"
    assert MONTHS.default is None
    with pytest.raises(PartitionsError, match="default is wrong: '2023-04' is after the end"):
        MonthlyPartitionsDefinition("2023-01-01", "2023-04-01", default="2023-04")
    with pytest.raises(PartitionsError, match="default is wrong: '2023-02-02'"):
        MonthlyPartitionsDefinition("2023-01-01", default="2023-02-02")


def test_definitions_are_compared_by_content() -> None:
    daily = DailyPartitionsDefinition("2023-01-01")
    same = [
        DailyPartitionsDefinition(datetime(2023, 1, 1), default="2023-01-05"),
        TimeWindowPartitionsDefinition("2023-01-01", cron_schedule="0 0 * * *", fmt="%Y-%m-%d"),
        TimeWindowPartitionsDefinition("2023-01-01", cron_schedule="@daily", fmt="%Y-%m-%d"),
        TimeWindowPartitionsDefinition("2023-01-01", cron_schedule=" 0  0 * * * ", fmt="%Y-%m-%d"),
        pickle.loads(pickle.dumps(daily)),
    ]
    for other in same:
        assert other == daily
        assert hash(other) == hash(daily)
    assert daily != DailyPartitionsDefinition("2023-01-02")
    assert daily != DailyPartitionsDefinition("2023-01-01", timezone=LOS_ANGELES)
    assert daily != DailyPartitionsDefinition("2023-01-01", hour_offset=1)


def test_a_definition_survives_pickling_after_use() -> None:
    hourly = HourlyPartitionsDefinition(
        "2023-01-01-00:00", timezone=LOS_ANGELES, default="2023-02-03-04"
    )
    count = len(hourly.keys(at("2024-01-01")))
    copy = pickle.loads(pickle.dumps(hourly))
    assert (copy, copy.default) == (hourly, "2023-02-03-04:00")
    assert len(copy.keys(at("2024-01-01"))) == count
    assert len(pickle.dumps(hourly)) < 1000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": "01.05.2023"}, "the start '01.05.2023' .* Write it as in \"2023-01-31\""),
        ({"start": 5}, "the start 5 "),
        ({"start": "0001-01-01"}, "in the year 1"),
        ({"end": "soon"}, "the end 'soon' "),
        ({"timezone": "America/Los_Angelos"}, "no time zone .* mean 'America/Los_Angeles'"),
        ({"timezone": "../zone"}, "no time zone"),
        ({"timezone": ""}, "no time zone"),
        ({"timezone": 5}, "timezone is 5"),
        ({"cron_schedule": "0 0 * *"}, "five fields"),
        ({"cron_schedule": "@reboot"}, "five fields"),
        ({"cron_schedule": ""}, "five fields"),
        ({"cron_schedule": "0 25 * * *"}, "'0 25 \\* \\* \\*' is wrong: Bad hour"),
        ({"cron_schedule": "0 0 30 2 *"}, "is wrong: Bad day-of-month"),
        ({"cron_schedule": "0 0 31 2 1#6"}, "is wrong"),
        ({"cron_schedule": ["0"]}, "cron_schedule is"),
        ({"fmt": "%H:%M"}, "does not say when a window begins"),
        ({"fmt": "%Y-W%W"}, "does not say when a window begins"),
        ({"fmt": "%Y-%I"}, "does not say when a window begins"),
        ({"fmt": "day"}, "does not say when a window begins"),
        ({"fmt": "%Y..%m"}, "'..', which stands between"),
        ({"fmt": "%Y-%m-%d\n"}, "begins or ends with a space"),
        ({"fmt": "%Y-%m", "start": "2023-01"}, "have the same key"),
        ({"fmt": 5}, "fmt is 5"),
        ({"end_offset": "1"}, "end_offset is '1'"),
        ({"default": "x"}, "default is wrong: 'x' is not the key of a window"),
        (
            {"default": "2023"},
            "default is wrong: '2023' is the beginning of several keys\\. Write one of 2023-01-01\\.\\.2023-12-31\\.",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_a_sentence(options: dict[str, object], message: str) -> None:
    given = {"start": "2023-01-01", "cron_schedule": "0 0 * * *", "fmt": "%Y-%m-%d", **options}
    start = given.pop("start")
    with pytest.raises(PartitionsError, match=message):
        TimeWindowPartitionsDefinition(start, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "make",
    [
        lambda: HourlyPartitionsDefinition("2023-01-01-00:00", minute_offset=60),
        lambda: DailyPartitionsDefinition("2023-01-01", hour_offset=24),
        lambda: WeeklyPartitionsDefinition("2023-01-01", day_offset=7),
        lambda: MonthlyPartitionsDefinition("2023-01-01", day_offset=0),
    ],
)
def test_an_offset_outside_its_field_is_refused(make: object) -> None:
    with pytest.raises(PartitionsError, match=r"_offset is \d+\. Write a number from"):
        make()  # type: ignore[operator]


@pytest.mark.parametrize("key", ["9999-12-31", "0001-01-01", "2023-02-30", "|", "..", "\n", "한국"])
def test_no_text_is_more_than_an_unknown_key(key: str) -> None:
    keys = DailyPartitionsDefinition("2023-01-01", timezone=LOS_ANGELES).keys(at("2024-01-01"))
    assert key not in keys
    for ask in (keys.require, keys.find):
        with pytest.raises(PartitionsError, match="there is no partition"):
            ask(key)

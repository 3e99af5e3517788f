"""Config: from text or plain values, typed, and checked before a run starts."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from uuid import uuid4

import msgspec
import pytest
from pydantic import Field, field_validator

from assetgraph import Asset, Config, Definitions, asset, materialize
from assetgraph.definitions.config_fields import declared_fields
from assetgraph.definitions.config_problems import config_problems
from assetgraph.definitions.config_values import build_config, config_json
from assetgraph.errors import ConfigError


class Mode(Enum):
    FULL = "full"


class Trips(Config):
    month: str = "2023-03"
    rows: int = 10
    share: float = 0.5
    strict: bool = False
    day: date | None = None
    columns: list[str] = []  # noqa: RUF012 - copied for each instance
    mode: Mode = Mode.FULL
    source: Literal["tlc", "sample"] = "tlc"


class Needed(Config):
    month: str


class Outer(Config):
    inner: Needed


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("month", "2023-04", "2023-04"),
        ("month", "5", "5"),
        ("month", "null", "null"),
        ("rows", "20", 20),
        ("share", "0.25", 0.25),
        ("strict", "true", True),
        ("day", "2023-01-31", date(2023, 1, 31)),
        ("columns", '["a", "b"]', ["a", "b"]),
        ("mode", "full", Mode.FULL),
        ("source", "sample", "sample"),
    ],
)
def test_text_becomes_what_the_field_is(field: str, text: str, value: object) -> None:
    assert getattr(build_config(Trips, {field: text}, "trips"), field) == value


def test_plain_values_are_taken_as_they_are() -> None:
    built = build_config(Trips, {"rows": 3, "columns": ["a"], "day": date(2023, 1, 1)}, "trips")
    assert (built.rows, built.columns, built.day) == (3, ["a"], date(2023, 1, 1))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mnth": "x"}, r"field 'mnth'\. Did you mean 'month'\? It takes: month, rows"),
        ({"rows": "many"}, "config of 'trips': rows: expected `int`"),
        ({"rows": 1.5}, "config of 'trips': rows: expected `int`"),
        ({"month": 5}, "config of 'trips': month: expected `str`, got an int: 5"),
        ({"columns": "[1]"}, r"config of 'trips': columns"),
        (
            {"source": "web"},
            "config of 'trips': source: expected 'tlc' or 'sample', got a str: 'web'",
        ),
        ({"day": "soon"}, "config of 'trips': day"),
    ],
)
def test_config_that_does_not_fit_names_the_asset_and_the_field(
    given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        build_config(Trips, given, "trips")


class Everything(Config):
    names: list[str] = ["a", "b"]  # noqa: RUF012
    nested: dict[str, list[int]] = {"a": [1]}  # noqa: RUF012
    days: set[int] = {1}  # noqa: RUF012
    empty: list[str] = []  # noqa: RUF012
    shared: ClassVar[list[str]] = ["c"]


def test_a_default_that_is_a_list_set_or_dict_is_copied_for_each_config() -> None:
    first, second = Everything(), Everything()
    first.names.append("x")
    first.nested["a"].append(2)
    first.days.add(2)
    assert (second.names, second.nested, second.days) == (["a", "b"], {"a": [1]}, {1})
    assert Everything.shared == ["c"]
    assert build_config(Everything, {"names": '["z"]'}, "trips").names == ["z"]
    assert config_problems(Everything) == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"columns": "[fare]"},
            r"expected `list\[str\]`, got .*--config 'trips.columns=\[\"a\", \"b\"\]'",
        ),
        ({"columns": 5}, r"expected `list\[str\]`, got an int: 5.*--config trips.columns=a,b"),
        ({"day": "2024-13"}, r"day: expected a date such as 2024-03-31"),
    ],
)
def test_a_text_that_is_no_list_or_date_is_answered_with_an_example(
    given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        build_config(Trips, given, "trips")


def test_a_field_without_a_default_must_be_given() -> None:
    message = "'trips' needs a value for its config field 'month'."
    with pytest.raises(ConfigError, match=message) as caught:
        build_config(Needed, {}, "trips")
    assert caught.value.hint == "Set it with: --config trips.month=…"


def test_a_nested_field_without_a_default_is_named_with_its_path() -> None:
    with pytest.raises(ConfigError, match=r"config field 'inner\.month'") as caught:
        build_config(Outer, {"inner": {}}, "trips")
    assert caught.value.hint == "Set it with: --config trips.inner.month=…"


def test_config_does_not_change_and_takes_names_only() -> None:
    config = Trips()
    with pytest.raises(ValueError, match="frozen"):
        config.month = "2023-04"  # type: ignore[misc]
    with pytest.raises(TypeError):
        Trips("2023-04")  # type: ignore[misc]
    with pytest.raises(ValueError, match="mnth"):
        Trips(mnth="2023-04")  # type: ignore[call-arg]


def test_config_is_validated_when_it_is_made_and_equal_by_its_fields() -> None:
    with pytest.raises(ValueError, match=r"month\n.*valid string"):
        Trips(month=1)  # type: ignore[arg-type]
    assert Trips(rows=5) == Trips(rows=5) != Trips(rows=6)
    assert hash(Needed(month="x")) == hash(Needed(month="x"))


class Even(Config):
    number: int

    @field_validator("number")
    @classmethod
    def _is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError(f"{value} is odd")
        return value


def test_a_validator_of_pydantic_runs_for_python_and_for_the_config_of_a_run() -> None:
    @asset
    def a(config: Even) -> int:
        return config.number

    assert Even(number=2).number == 2
    with pytest.raises(ValueError, match="3 is odd"):
        Even(number=3)
    with pytest.raises(ConfigError, match="config of 'a': number: 3 is odd"):
        materialize([a], run_config={"a": {"number": "3"}})


def test_a_field_without_a_default_may_follow_one_with() -> None:
    class Ordered(Config):
        month: str = "2023-03"
        rows: int

    assert build_config(Ordered, {"rows": 5}, "trips") == Ordered(rows=5)


def test_recorded_config_has_every_field_in_the_types_of_json() -> None:
    recorded = config_json(Trips(day=date(2023, 1, 1)))
    assert recorded["day"] == "2023-01-01"
    assert recorded["mode"] == "full"
    assert recorded["rows"] == 10
    assert build_config(Trips, recorded, "trips") == Trips(day=date(2023, 1, 1))


def test_a_config_class_of_a_function_is_known_by_annotations_that_are_text() -> None:
    class Local(Config):
        rows: int = 2

    @asset
    def small(config: Local) -> int:
        return config.rows

    @asset
    def large(config: Local, small: int) -> dict[str, Local]:
        return {}

    assert small.config_type is large.config_type is Local
    assert [p.name for p in large.inputs] == ["small"]
    assert large.returns == dict[str, Local]
    assert materialize([small], run_config={"small": {"rows": 5}}).value("small") == 5


def test_config_whose_class_is_not_found_says_what_to_do() -> None:
    namespace = {"asset": asset}
    exec(
        compile(
            "from __future__ import annotations\n"
            "@asset\ndef hidden(config: Hidden): ...\n"
            "@asset\ndef plain(config): ...\n"
            "@asset\ndef other(knobs: Hidden, table: pa.Table): ...\n",
            "pipeline.py",
            "exec",
        ),
        namespace,
    )
    made = [value for value in namespace.values() if isinstance(value, Asset)]
    hidden, plain, other, table = [str(one) for one in Definitions(made).graph.validate()]
    assert hidden == (
        "pipeline.py:2: parameter 'config' of asset 'hidden' is annotated `Hidden`, a name "
        "that its module does not define. Define or import the Config class at module level, "
        "and not only for type checking."
    )
    assert "If it takes config, annotate it with a subclass of Config, a pydantic" in plain
    assert "If `Hidden` is a Config class, define or import it at module level" in other
    assert "Config" not in table


class Server(Config):
    port: int = 80


def test_what_earlier_versions_took_and_nothing_calls_any_more_is_an_error() -> None:
    with pytest.raises(TypeError, match="model_post_init"):

        class Client(Config):
            def __post_init__(self) -> None: ...

    class Before(Config):
        n: int = msgspec.field(default=1)
        m: Annotated[int, msgspec.Meta(ge=1)] = 1

    first, second = config_problems(Before)
    assert "default of msgspec" in first[0]
    assert "msgspec.Meta" in second[0]


def test_a_default_that_differs_each_time_is_not_taken_for_a_lost_value() -> None:
    class Run(Config):
        rows: int
        id: str = Field(default_factory=lambda: uuid4().hex)

    @asset
    def a(config: Run) -> int:
        return config.rows

    assert materialize([a], run_config={"a": {"rows": "3"}}).value("a") == 3


def test_config_that_changes_each_time_it_is_built_is_refused() -> None:
    class Share(Config):
        percent: float

        @field_validator("percent")
        @classmethod
        def _as_share(cls, value: float) -> float:
            return value / 100

    @asset
    def a(config: Share) -> float:
        return config.percent

    with pytest.raises(ConfigError, match=r"config of 'a'.*percent=0.05"):
        materialize([a], run_config={"a": {"percent": 5}})


def test_config_that_is_tidied_when_it_is_built_is_recorded_tidy() -> None:
    class Month(Config):
        month: str

        @field_validator("month")
        @classmethod
        def _tidy(cls, value: str) -> str:
            return value.strip()

    @asset
    def a(config: Month) -> str:
        return config.month

    result = materialize([a], run_config={"a": {"month": " 2023-03 "}})
    assert result.value("a") == "2023-03"


class Anything(Config):
    field: Any


class Number(Config):
    field: float


@asset
def anything(config: Anything) -> None: ...


@asset
def number(config: Number) -> None: ...


@pytest.mark.parametrize(
    ("made", "value"), [(anything, (1, 2)), (anything, date(2024, 1, 1)), (number, math.nan)]
)
def test_a_value_that_json_does_not_give_back_is_refused(made: Asset[Any], value: object) -> None:
    with pytest.raises(ConfigError, match="JSON cannot record field="):
        materialize([made], run_config={made.name: {"field": value}})


def test_a_mistyped_word_of_an_enum_or_literal_is_answered_with_the_one_that_is_meant() -> None:
    for field, text in {"mode": "ful", "source": "samples"}.items():
        with pytest.raises(ConfigError, match=r"Did you mean '(full|sample)'"):
            build_config(Trips, {field: text}, "trips")


class Wide(Config):
    folder: Path = Path("data/raw")
    folders: list[Path] = [Path("a")]  # noqa: RUF012 - copied for each instance
    mode: Mode = Mode.FULL
    day: date = date(2024, 1, 31)
    server: Server = Server()
    names: dict[int, str] = {}  # noqa: RUF012
    days: dict[date, int] = {}  # noqa: RUF012
    share: Decimal = Decimal("1.5")
    limit: int | None = None


def test_defaults_are_shown_as_a_person_types_them() -> None:
    shown = declared_fields(Wide)
    assert shown["folder"] == "pathlib.Path = 'data/raw'"
    assert shown["folders"] == "list[pathlib.Path] = ['a']"
    assert shown["mode"].endswith("Mode = 'full'")
    assert shown["day"] == "datetime.date = '2024-01-31'"
    assert shown["server"].endswith("Server = {'port': 80}")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"names": {"x": "a"}}, "a key of names: expected `int`, got a str: 'x'."),
        ({"names": {"1": "a", "x": "b"}}, "a key of names: expected `int`, got a str: 'x'."),
        ({"names": {1: 2}}, "names[1]: expected `str`, got an int: 2."),
        ({"days": {"x": 1}}, "a key of days: expected a date such as 2024-03-31, got a str: 'x'."),
        ({"server": {3: 4}}, "server[3]: expected `str`."),
        ({"server": {"prt": 3}}, "server: there is no field `prt`."),
        ({"share": "x"}, "share: expected a decimal number such as 1.5, got a str: 'x'."),
        ({"limit": "x"}, "limit: expected `int | None`, got a str: 'x'."),
    ],
)
def test_what_is_wrong_in_a_field_is_said_in_our_words(given: Any, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        build_config(Wide, given, "a")
    assert raised.value.message == f"config of 'a': {message}"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (5, "it is an int: 5"),
        ({1: {"n": 2}}, "1 is no asset key, but an int: 1"),
        ({"a": 5}, "'a' has an int: 5 instead of fields"),
        ({"a": None}, "'a' has None instead of fields"),
        ({"a": {1: 2}}, "'a' has a field 1, and fields are text"),
    ],
)
def test_config_of_another_shape_is_answered_with_the_right_one(given: Any, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        materialize([number], run_config=given)
    what = "run_config must be {asset key: {field: value}}"
    assert raised.value.message == f"{what}: {message}."


def test_config_that_nests_too_deep_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ConfigError, match="cannot be recorded: it nests too deep"):
        materialize([anything], run_config={"anything": {"field": deep}})

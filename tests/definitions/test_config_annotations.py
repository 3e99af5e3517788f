"""Every annotation of a config field is supported from everywhere, or refused by `check`."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import enum
import json
import typing as t
from collections import abc
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path, PurePath
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec
import pytest
from conftest import Answer, ProjectFolder
from pydantic import BaseModel, Field

from assetgraph import Asset, Config, Definitions, RunConfig, asset, materialize
from assetgraph.definitions.config_fields import declared_fields
from assetgraph.definitions.config_problems import config_problems
from assetgraph.definitions.config_values import build_config, config_json
from assetgraph.errors import ConfigError
from assetgraph.web.api.config_form import config_fields


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Inner(Config):
    n: int = 1


class Other(Config):
    m: int = 1


class TaggedA(Config):
    type: Literal["a"] = "a"  # what tells it from the other one
    n: int = 1


class TaggedB(Config):
    type: Literal["b"] = "b"
    m: int = 1


class Model(BaseModel):
    n: int = 1


@dataclasses.dataclass
class Data:
    x: int = 1


class Named(NamedTuple):
    x: int


class Plain:
    pass


UUID_TEXT = "a8098c1a-f86e-11da-bd1a-00112444be1e"
Whole = t.NewType("Whole", int)

# An annotation, the text that a command line gives, the same in JSON, and what the asset gets.
SUPPORTED: list[tuple[Any, str, Any, Any]] = [
    (int, "5", 5, 5),
    (float, "0.5", 0.5, 0.5),
    (float, "5", 5, 5.0),
    (str, "5", "5", "5"),
    (bool, "true", True, True),
    (bool, "0", False, False),
    (None, "null", None, None),
    (bytes, "hi", "hi", b"hi"),
    (dt.date, "2023-01-31", "2023-01-31", dt.date(2023, 1, 31)),
    (dt.datetime, "2023-01-31T10:00:00", "2023-01-31T10:00:00", dt.datetime(2023, 1, 31, 10)),
    (dt.time, "10:30:00", "10:30:00", dt.time(10, 30)),
    (dt.timedelta, "PT90S", "PT90S", dt.timedelta(seconds=90)),
    (Decimal, "0.10", "0.10", Decimal("0.10")),
    (UUID, UUID_TEXT, UUID_TEXT, UUID(UUID_TEXT)),
    (Path, "data/x.csv", "data/x.csv", Path("data/x.csv")),
    (PurePath, "x", "x", PurePath("x")),
    (Path | None, "x", "x", Path("x")),
    (Path | None, "null", None, Path("null")),  # text is a path first
    (list[Path], '["a", "b"]', ["a", "b"], [Path("a"), Path("b")]),
    (dict[str, Path], '{"k": "v"}', {"k": "v"}, {"k": Path("v")}),
    (tuple[Path, int], '["a", 1]', ["a", 1], (Path("a"), 1)),
    (Colour, "red", "red", Colour.RED),
    (Level, "2", 2, Level.HIGH),
    (Colour | None, "blue", "blue", Colour.BLUE),
    (Colour | int, "red", "red", Colour.RED),
    (Colour | int, "7", 7, 7),
    (Colour | Level, "red", "red", Colour.RED),
    (Literal["a", "b"], "a", "a", "a"),
    (Literal["a", 1], "1", 1, 1),
    (Literal["a", "b"] | None, "null", None, None),
    (Literal["a"] | int, "5", 5, 5),
    (int | None, "5", 5, 5),
    (int | None, "null", None, None),
    (int | float, "0.5", 0.5, 0.5),
    (dt.date | None, "2023-01-31", "2023-01-31", dt.date(2023, 1, 31)),
    (dt.date | int, "2023-01-31", "2023-01-31", dt.date(2023, 1, 31)),
    (Decimal | None, "1.5", "1.5", Decimal("1.5")),
    (list[int], "[1, 2]", [1, 2], [1, 2]),
    (list[int] | None, "[1]", [1], [1]),
    (list[int] | int, "[1]", [1], [1]),
    (list[dt.date], '["2023-01-31"]', ["2023-01-31"], [dt.date(2023, 1, 31)]),
    (list[Colour], '["red"]', ["red"], [Colour.RED]),
    (list[Inner], '[{"n": 2}]', [{"n": 2}], [Inner(n=2)]),
    (list[Inner | None], "[null, {}]", [None, {}], [None, Inner()]),
    (tuple[int, ...], "[1, 2]", [1, 2], (1, 2)),
    (tuple[int, str], '[1, "a"]', [1, "a"], (1, "a")),
    (set[str], '["a"]', ["a"], {"a"}),
    (frozenset[int], "[1]", [1], frozenset({1})),
    (abc.Sequence[int], "[1]", [1], [1]),
    (abc.Mapping[str, int], '{"a": 1}', {"a": 1}, {"a": 1}),
    (dict[str, int], '{"a": 1}', {"a": 1}, {"a": 1}),
    (dict[int, str], '{"1": "a"}', {"1": "a"}, {1: "a"}),
    (dict[str, list[int] | None], '{"a": [1]}', {"a": [1]}, {"a": [1]}),
    (dict[str, Inner], '{"a": {"n": 3}}', {"a": {"n": 3}}, {"a": Inner(n=3)}),
    (Inner, '{"n": 3}', {"n": 3}, Inner(n=3)),
    (Inner | None, '{"n": 3}', {"n": 3}, Inner(n=3)),
    (
        t.Annotated[TaggedA | TaggedB, Field(discriminator="type")],
        '{"type": "b", "m": 2}',
        {"type": "b", "m": 2},
        TaggedB(m=2),
    ),
    (Model, '{"n": 2}', {"n": 2}, Model(n=2)),
    (complex, "1+2j", "1+2j", 1 + 2j),
    (collections.deque[int], "[1,2]", [1, 2], collections.deque([1, 2])),
    (bool, "yes", "yes", True),
    (list[str], "x, y", ["x", "y"], ["x", "y"]),
    (list[int], "", [], []),
    (set[int], "2,1", [2, 1], {1, 2}),
    (tuple[str, int], "a,1", ["a", 1], ("a", 1)),
    (list[dt.date] | None, "2023-01-31", ["2023-01-31"], [dt.date(2023, 1, 31)]),
    (Literal["a"] | dt.date, "2023-01-31", "2023-01-31", dt.date(2023, 1, 31)),
    (Literal["a"] | dt.date, "a", "a", "a"),
    (Data, '{"x": 2}', {"x": 2}, Data(2)),
    (Named, "[2]", [2], Named(2)),
    (t.Annotated[int, Field(ge=1)], "5", 5, 5),
    (t.Annotated[str, "a note"], "x", "x", "x"),
    (Whole, "5", 5, 5),
    (Any, "x", "x", "x"),
    (list, "[1]", [1], [1]),
    (dict, '{"a": 1}', {"a": 1}, {"a": 1}),
    (int | str, "five", "five", "five"),
]

REFUSED: list[Any] = [
    dt.date | str, Decimal | str, Colour | str, UUID | str, dt.timedelta | str, bytes | str,
    dt.datetime | dt.date, dt.date | dt.time, Decimal | UUID, Path | str,
    Level | int, list[int] | set[int], tuple[int, int] | list[int],
    dict[str, int] | Inner, Inner | Other, Inner | Other | None, list[Inner | Other],
    list[dt.date | str], dict[str, Decimal | str], dt.date | str | None, Plain, Plain | None,
    list[Plain], range, object, type, type[int], slice, dt.tzinfo, abc.Iterable[int],
    abc.Iterator[int], abc.Callable[[], int], abc.Hashable, abc.Callable, "Undefined", "list[Undefined]", 5,
]  # fmt: skip


def config_of(annotation: Any, **more: Any) -> type[Config]:
    body = {"__annotations__": {"f": annotation}, "__module__": __name__, **more}
    return type(Config)("Settings", (Config,), body)


def asset_of(kind: type[Config]) -> Asset:
    def a(config): ...  # type: ignore[no-untyped-def]

    a.__annotations__["config"] = kind
    return asset(a)


def test_the_table_is_long_enough_to_mean_something() -> None:
    assert len(SUPPORTED) + len(REFUSED) > 100


@pytest.mark.parametrize(("annotation", "text", "plain", "expected"), SUPPORTED, ids=str)
def test_a_supported_field_takes_the_same_from_everywhere(
    annotation: Any, text: str, plain: Any, expected: Any
) -> None:
    kind = config_of(annotation)
    assert config_problems(kind) == ()
    assert Definitions([asset_of(kind)]).graph.validate() == ()
    from_text = build_config(kind, {"f": text}, "a").f  # type: ignore[attr-defined]
    assert (from_text, type(from_text)) == (expected, type(expected))
    if text == "null" and expected is not None:
        return
    from_file = build_config(kind, {"f": json.loads(json.dumps(plain))}, "a").f  # type: ignore[attr-defined]
    from_yaml = msgspec.yaml.decode(msgspec.yaml.encode({"f": plain}))
    from_python = kind(f=expected)
    recorded = json.loads(json.dumps(config_json(from_python)))
    assert from_file == build_config(kind, from_yaml, "a").f == expected  # type: ignore[attr-defined]
    assert build_config(kind, recorded, "a") == from_python


@pytest.mark.parametrize(("annotation", "text", "plain", "expected"), SUPPORTED, ids=str)
def test_a_supported_field_arrives_in_a_run_and_has_an_input_on_the_page(
    annotation: Any, text: str, plain: Any, expected: Any
) -> None:
    got: list[Any] = []

    def a(config):
        got.append(config.f)  # type: ignore[no-untyped-def]

    a.__annotations__["config"] = kind = config_of(annotation)
    taking = asset(a)
    for given in ({"f": text}, {"f": plain}, kind(f=expected)):
        if text != "null":
            assert materialize([taking], RunConfig({"a": given})).success
            assert got.pop() == expected
    (field,) = config_fields(taking) or []
    json.dumps(field)
    if isinstance(expected, Path | Decimal | UUID | dt.time | dt.timedelta | bytes):
        assert field["kind"] == "text"
    assert declared_fields(kind).keys() == {"f"}


@pytest.mark.parametrize("annotation", REFUSED, ids=str)
def test_any_other_annotation_is_refused_by_check_with_what_to_write_instead(
    annotation: Any,
) -> None:
    kind = config_of(annotation)
    (problem,) = Definitions([asset_of(kind)]).graph.validate()
    assert problem.message.startswith("config of asset 'a': field 'f' of Settings")
    assert problem.line
    assert problem.file == __file__
    assert len(problem.remedy) > 10


class Deep(Config):
    day: dt.date | str = "x"


class Middle(Config):
    deep: list[Deep] = []  # noqa: RUF012


WRONG_DEFAULTS: list[tuple[Any, Any]] = [
    (int, "x"), (int, 0.5), (int, True), (str, None), (str, 5), (bool, 1), (Path, "x"),
    (dt.date, "2023-01-31"), (Colour, "red"), (Colour, "pink"), (Decimal, 1.5), (list[int], ()),
    (list[int], "x"), (set[int], [1]), (Literal["a"], "b"), (Inner, {}), (tuple[int, int], (1,)),
    (int | None, "x"), (str, print), (dict[str, int], {"a": "x"}), (list[int], None),
    (t.Annotated[int, Field(ge=1)], 0),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "default"), WRONG_DEFAULTS, ids=str)
def test_a_default_that_its_annotation_does_not_allow_is_refused_by_check(
    annotation: Any, default: Any
) -> None:
    kind = config_of(annotation, f=default)
    (problem,) = Definitions([asset_of(kind)]).graph.validate()
    assert "but its default is " in problem.message
    assert problem.remedy == "Change one of the two." or "| None = None" in problem.remedy


@pytest.mark.parametrize(
    ("annotation", "default"),
    [(int, 5), (float, 5), (int | None, None), (list[int], []), (list[int], [1]), (Path, Path("x")),
     (dt.date, dt.date(2023, 1, 1)), (abc.Sequence[int], ()), (Inner, Inner()), (Any, print),
     (dict[str, int], {}), (Decimal, Decimal(1)), (tuple[int, ...], (1,)), (set[int], {1})],
    ids=str,
)  # fmt: skip
def test_a_default_that_fits_is_fine_and_a_mutable_one_is_not_shared(
    annotation: Any, default: Any
) -> None:
    kind = config_of(annotation, f=default)
    assert config_problems(kind) == ()
    first, second = kind(), kind()
    if isinstance(default, list | dict):
        assert first.f is not second.f  # type: ignore[attr-defined]


def test_a_problem_inside_a_nested_class_is_named_with_that_class() -> None:
    kind = config_of(Middle | None, f=None)
    ((message, _),) = config_problems(kind)
    assert "field 'day' of " in message
    assert "Deep (" in message


@pytest.mark.parametrize(
    ("value", "annotation"), [(float("nan"), float), (float("inf"), float), (object(), Any)]
)
def test_what_json_cannot_record_is_refused_before_the_run(value: Any, annotation: Any) -> None:
    taking = asset_of(config_of(annotation))
    with pytest.raises(ConfigError, match=r"recorded|record"):
        materialize([taking], {"a": {"f": value}})


def test_no_command_finds_a_bug_in_a_wrong_annotation(
    project: Callable[..., ProjectFolder],
    assetgraph: Callable[..., Answer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = project(
        {
            "pipeline.py": """
                from __future__ import annotations
                from datetime import date
                from typing import TYPE_CHECKING
                from assetgraph import Config, asset
                if TYPE_CHECKING:
                    from somewhere import Model
                class C(Config):
                    day: date | str
                    count: int = "x"
                class D(Config):
                    model: Model
                @asset
                def a(config: C): return 1
                @asset
                def b(config: D): return 1
            """
        }
    )
    monkeypatch.chdir(made.root)
    for words in (["check"], ["list"], ["show", "a"], ["plan"], ["materialize", "a"],
                  ["materialize", "a", "--config", "a.day=x"]):  # fmt: skip
        answer = assetgraph(*words)
        said = answer.out + answer.err
        assert answer.code == 2
        assert "bug" not in said
        assert "pipeline.py:13: config of asset 'a': field 'day' of C (pipeline.py:8)" in said
        assert "pipeline.py:13: config of asset 'a': field 'count' of C (pipeline.py:8)" in said
        assert "field 'model' of D (pipeline.py:11) is annotated with 'Model', which" in said

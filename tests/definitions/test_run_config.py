"""The config of a run in every shape: by asset, as Dagster writes it, and of every type, which comes
back from the record as it was."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import pickle
import traceback
import typing
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import msgspec
import pydantic
import pytest
from conftest import Answer, ProjectFolder
from hypothesis import given
from hypothesis import strategies as st

import assetgraph as dg
from assetgraph.definitions.config_values import build_config
from assetgraph.errors import ConfigError
from assetgraph.planning.checked_config import checked_config


class Limit(dg.Config):
    rows: int = 3


@dg.asset(key_prefix="raw")
def trips(config: Limit) -> int:
    return config.rows


@pytest.mark.parametrize(
    "config",
    [
        {"raw/trips": {"rows": 5}},
        {"raw__trips": {"rows": 5}},
        {"ops": {"raw__trips": {"config": {"rows": 5}}}},
        {"ops": {"raw/trips": {"config": Limit(rows=5)}}},
        dg.RunConfig({"raw__trips": Limit(rows=5)}),
        dg.RunConfig(ops={"raw__trips": {"config": {"rows": 5}}}),
        dg.RunConfig(ops={"raw__trips": {"rows": 5}}),
    ],
)
def test_every_shape_of_run_config_means_the_same(config: Any) -> None:
    assert dg.materialize([trips], run_config=config).value("raw/trips") == 5


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"ops": {"raw__trips": {"config": {"rows": "x"}}}}, "config of 'raw/trips': rows: expect"),
        ({"ops": {"raw__trips": {"config": {"rws": 1}}}}, "no config field 'rws'. Did you mean"),
        ({"ops": {"trps": {"config": {"rows": 1}}}}, "trps"),
        ({"ops": {"raw__trips": {"rows": 1}}}, "under 'ops' is not that of assets"),
        ({"ops": {}, "loggers": {}}, "run_config has 'loggers' beside 'ops'"),
        ({"ops": {"raw__trips": {"config": 5}}}, "has an int: 5 instead of fields"),
    ],
)
def test_what_is_wrong_in_run_config_is_said_before_any_step(config: Any, message: str) -> None:
    with pytest.raises(dg.AssetGraphError, match=message):
        dg.materialize([trips], run_config=config)


class Mode(Enum):
    FULL = "full"
    FAST = "fast"


class Model(pydantic.BaseModel):
    rows: int = 3
    tags: list[str] = []

    @pydantic.field_validator("rows")
    @classmethod
    def _is_positive(cls, value: int) -> int:
        if value < 0:
            raise ValueError(f"{value} is negative")
        return value


@dataclasses.dataclass
class Data:
    day: dt.date
    folder: Path = Path("data")
    inner: Model | None = None
    marks: set[str] = dataclasses.field(default_factory=set)


@pydantic.dataclasses.dataclass(frozen=True)
class Strict:
    rows: int = 1


def with_config(kind: Any, got: list[Any] | None = None) -> dg.Asset:
    def settings(config):  # type: ignore[no-untyped-def]
        if got is not None:
            got.append(config)

    settings.__annotations__["config"] = kind
    return dg.asset(settings)


@pytest.mark.parametrize("tags", [{"team": 1}, {1: "team"}, "team=taxi"])
def test_tags_that_are_no_text_are_refused_before_anything_is_recorded(
    tags: Any, tmp_path: Path
) -> None:
    instance = dg.Instance(tmp_path / "store")
    with pytest.raises(TypeError, match="tag"):
        dg.materialize([trips], tags=tags, instance=instance)
    assert list(instance.store.runs.ids()) == []
    with pytest.raises(TypeError, match="tag"):
        dg.define_asset_job("job", tags=tags)


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        (Model, {"rows": "5", "tags": "a,b"}, Model(rows=5, tags=["a", "b"])),
        (Data, {"day": "2024-01-31", "inner": {"rows": 2}}, Data(dt.date(2024, 1, 31), inner=Model(rows=2))),
        (Data, {"day": "2024-01-31", "marks": "b,a"}, Data(dt.date(2024, 1, 31), marks={"a", "b"})),
        (Strict, {"rows": "5"}, Strict(rows=5)),
    ],
)  # fmt: skip
def test_a_model_or_a_dataclass_is_config_where_the_parameter_is_called_so(
    kind: Any, fields: dict[str, Any], expected: Any
) -> None:
    got: list[Any] = []
    made = with_config(kind, got)
    for config in (fields, expected):
        dg.materialize([made], dg.RunConfig({"settings": config}))
    assert got == [expected, expected]


def test_a_model_validates_itself_and_its_unknown_fields_are_an_error() -> None:
    made = with_config(Model)
    for fields, message in (
        ({"rows": -1}, "config of 'settings': rows: -1 is negative"),
        ({"rws": 1}, "no config field 'rws'"),
    ):
        with pytest.raises(ConfigError, match=message):
            dg.materialize([made], run_config={"settings": fields})
    nested = with_config(Data)
    unknown = {"settings": {"day": "2024-01-31", "inner": {"rws": 1}}}
    with pytest.raises(ConfigError, match="there is no field `rws`"):
        dg.materialize([nested], run_config=unknown)


def test_a_class_of_fields_under_another_name_is_an_input() -> None:
    @dg.asset
    def made() -> Model:
        return Model(rows=4)

    @dg.asset
    def read(made: Model) -> int:
        return made.rows

    assert dg.materialize([made, read]).value("read") == 4

    @dg.asset
    def lost(settings: Model) -> None: ...

    (problem,) = dg.Definitions([lost]).graph.validate()
    assert "If it takes config, call it `config`." in problem.remedy


def test_a_parameter_that_may_be_config_or_an_asset_is_a_problem() -> None:
    @dg.asset
    def config() -> Model:
        return Model()

    (problem,) = dg.Definitions([config, with_config(Model)]).graph.validate()
    assert "could be config, or the asset 'config'" in problem.message

    @dg.asset(ins={"config": "config"})
    def reads(config: Model) -> int:
        return config.rows

    assert dg.materialize([config, reads]).value("reads") == 3


TYPES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, st.integers()),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (bool, st.booleans()),
    (str, st.text(st.characters(exclude_categories=["Cs"]))),
    (Path, st.from_regex(r"[a-z]{1,5}(/[a-z]{1,5}){0,2}", fullmatch=True).map(Path)),
    (dt.date, st.dates()),
    (dt.datetime, st.datetimes()),
    (dt.time, st.times()),
    (Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    (Mode, st.sampled_from(Mode)),
    (Literal["a", 1], st.sampled_from(["a", 1])),
    (Limit, st.integers().map(lambda n: Limit(rows=n))),
]


@st.composite
def typed(draw: st.DrawFn, depth: int = 2) -> tuple[Any, Any]:
    """A type and a value of it."""
    kind = draw(st.integers(0, 5 if depth else 0))
    if kind == 0:
        annotation, values = draw(st.sampled_from(TYPES))
        return annotation, draw(values)
    annotation, value = draw(typed(depth - 1))
    if kind == 1:
        return annotation | None, draw(st.sampled_from([None, value]))
    if kind == 2:
        return list[annotation], [value] * draw(st.integers(0, 2))
    if kind == 3:
        return tuple[annotation, int], (value, draw(st.integers()))
    if kind == 4:
        return dict[str, annotation], {"k": value}
    keys = draw(st.lists(st.text("abc", max_size=3)))
    return set[str], set(keys)


@given(typed())
def test_config_of_any_type_comes_back_from_its_record_and_from_a_shell(
    drawn: tuple[Any, Any],
) -> None:
    annotation, value = drawn
    body = {"__annotations__": {"f": annotation}, "__module__": __name__}
    kind: Any = type(dg.Config)("Settings", (dg.Config,), body)
    made = with_config(kind)
    graph = dg.Definitions([made]).graph
    assert graph.validate() == ()
    recorded = checked_config(graph, {made.key: {"f": value}})[made.key]
    read = msgspec.json.decode(msgspec.json.encode(recorded))
    again = build_config(kind, read, "settings").f
    assert (again, type(again)) == (value, type(value))
    assert checked_config(graph, {made.key: read})[made.key] == recorded
    if not isinstance(value, str | Path | None):
        text = read["f"] if isinstance(read["f"], str) else json.dumps(read["f"])
        assert build_config(kind, {"f": text}, "settings").f == value


def test_config_goes_from_a_shell_into_the_record_and_to_a_rerun(
    project: Callable[..., ProjectFolder],
    assetgraph: Callable[..., Answer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = project(
        {
            "pipeline.py": """
                import datetime, pathlib
                import assetgraph as dg
                class C(dg.Config):
                    tags: list[str] = []
                    full: bool = False
                    p: pathlib.Path = pathlib.Path("x")
                    day: datetime.date | None = None
                @dg.asset
                def a(config: C) -> str:
                    return f"{config.tags} {config.full} {config.p} {config.day}"
            """
        }
    )
    monkeypatch.chdir(made.root)
    fields = ["a.tags=x,y", "a.full=yes", "a.p=/data/z", "a.day=2024-01-31"]
    options = [word for field in fields for word in ("--config", field)]
    assert assetgraph("materialize", "a", *options).code == 0
    shown = assetgraph("runs", "show", "latest", "--json").json
    recorded = {"tags": ["x", "y"], "full": True, "p": "/data/z", "day": "2024-01-31"}
    assert shown["config"] == {"a": recorded}
    assert assetgraph("runs", "rerun", "latest").code == 0
    assert "x,y" not in assetgraph("show", "a").out
    value = dg.load("a", project=made.root)
    assert value == "['x', 'y'] True /data/z 2024-01-31"
    wrong = assetgraph("materialize", "a", "--config", "a.day=20240131")
    assert (wrong.code, "day: expected" in wrong.err) == (2, True)


class Login(dg.Config):
    user: str = "me"
    password: str
    port: int = 1
    more: dict[str, str] = {}  # noqa: RUF012
    inner: Limit | None = None

    @pydantic.field_validator("password")
    @classmethod
    def _is_long(cls, value: str) -> str:
        if len(value) < 4:
            raise ValueError(f"{value} is short")
        return value


@dg.asset
def login(config: Login) -> str:
    rows = config.inner.rows if config.inner else 0
    return f"{config.user} {config.password[::-1]} {config.port} {rows} {config.more}"


def test_an_environment_variable_stands_for_a_value_and_is_recorded_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in {"PASS": "hunter2!", "PORT": "80", "ROWS": "4"}.items():
        monkeypatch.setenv(name, value)
    given_ = {
        "password": {"env": "PASS"},
        "port": {"env": "PORT"},
        "inner": {"rows": {"env": "ROWS"}},
        "more": {"env": "PASS"},
    }
    instance = dg.Instance(tmp_path / "store")
    result = dg.materialize([login], run_config={"login": given_}, instance=instance)
    assert result.value("login") == "me !2retnuh 80 4 {'env': 'PASS'}"
    assert result.materialization("login").config == given_
    for file in (tmp_path / "store").rglob("*"):
        assert file.is_dir() or b"hunter2!" not in file.read_bytes()


@pytest.mark.parametrize(
    ("field", "variable", "message"),
    [
        ("password", "GONE", "password is the environment variable GONE, which is not set"),
        ("port", "PASS", "port: the environment variable PASS has a value that does not fit `int`"),
        ("password", "SHORT", "password: the environment variable SHORT has a value that is refus"),
        ("usr", "PASS", "no config field 'usr'"),
    ],
)
def test_a_variable_that_does_not_fit_is_named_and_its_value_is_not(
    monkeypatch: pytest.MonkeyPatch, field: str, variable: str, message: str
) -> None:
    monkeypatch.setenv("PASS", "hunter2!")
    monkeypatch.setenv("SHORT", "q#7")
    monkeypatch.delenv("GONE", raising=False)
    fields = {"password": {"env": "PASS"}, field: {"env": variable}}
    with pytest.raises(dg.DagsterInvalidConfigError, match=message) as raised:
        dg.materialize([login], run_config={"login": fields})
    shown = "".join(traceback.format_exception(raised.value))
    assert "hunter2" not in shown
    assert "q#7" not in shown


def test_an_env_var_is_a_value_of_config_in_python_and_in_a_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = Login(password=dg.EnvVar("PASS"), port=dg.EnvVar.int("PORT"))
    monkeypatch.setenv("PASS", "hunter2!")
    monkeypatch.setenv("PORT", "80")
    assert "hunter2" not in repr(config)
    for given_ in (config, {"password": dg.EnvVar("PASS"), "port": dg.EnvVar.int("PORT")}):
        result = dg.materialize([login], dg.RunConfig({"login": given_}))
        assert result.value("login") == "me !2retnuh 80 0 {}"
        recorded = result.materialization("login").config
        assert (recorded["password"], recorded["port"]) == ({"env": "PASS"}, {"env": "PORT"})
    assert login(config) == login(config=config) == "me !2retnuh 80 0 {}"
    monkeypatch.delenv("PASS")
    with pytest.raises(dg.DagsterInvalidConfigError, match="PASS, which is not set"):
        dg.materialize([login], dg.RunConfig({"login": config}))


class Keys(dg.Config):
    key: str = dg.EnvVar("PASS")
    rows: int = dg.EnvVar.int("ROWS")


class Places(dg.Config):
    keys: Keys = Keys()
    more: list[typing.Annotated[Keys, "a note"]] = pydantic.Field(default_factory=list)
    words: list[str] = pydantic.Field(default_factory=list)
    named: dict[str, str] | None = None
    pair: tuple[int, str] = (1, "a")


@dg.asset
def places(config: Places) -> str:
    print("printed", config.keys.key)
    keys = [(one.key[::-1], one.rows) for one in (config.keys, *config.more)]
    return f"{keys} {[one[::-1] for one in config.words]} {config.named} {config.pair}"


def test_an_env_var_is_read_where_it_is_a_default_and_in_lists_and_dicts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in {"PASS": "hunter2!", "ROWS": "4", "NAME": "ann"}.items():
        monkeypatch.setenv(name, value)
    instance = dg.Instance(tmp_path / "store")
    in_python = Places(
        more=[Keys(key=dg.EnvVar("NAME"))],
        words=["b", dg.EnvVar("NAME")],
        named={"x": dg.EnvVar("NAME")},
        pair=(dg.EnvVar.int("ROWS"), "z"),
    )
    plain = {
        "keys": {"rows": 4},
        "more": [{"key": {"env": "NAME"}}],
        "words": ["b", {"env": "NAME"}],
        "named": {"x": {"env": "NAME"}},
        "pair": [{"env": "ROWS"}, "z"],
    }
    seen = "[('!2retnuh', 4), ('nna', 4)] ['b', 'nna'] {'x': 'ann'} (4, 'z')"
    for given_ in (in_python, plain):
        result = dg.materialize([places], {"places": given_}, instance=instance)
        assert result.value("places") == seen
    assert result.materialization("places").config["words"] == ["b", {"env": "NAME"}]
    assert dg.materialize([places], instance=instance).value("places").startswith("[('!2")
    assert places(in_python) == seen
    assert places().startswith("[('!2")
    for file in (tmp_path / "store").rglob("*"):
        assert file.is_dir() or b"hunter2!" not in file.read_bytes()
    monkeypatch.delenv("PASS")
    with pytest.raises(
        dg.DagsterInvalidConfigError, match=r"keys\.key is the environment variable P"
    ):
        dg.materialize([places])
    monkeypatch.delenv("NAME")
    monkeypatch.setenv("PASS", "p")
    with pytest.raises(dg.DagsterInvalidConfigError, match=r"words\[1\] is the environment variab"):
        dg.materialize([places], {"places": {"words": ["b", {"env": "NAME"}]}})


class Door(dg.Config):
    secret: dg.Secret[str] = dg.EnvVar("PASS")  # type: ignore[assignment]
    rows: int = 1


@dg.asset
def opened(config: Door) -> int:
    return len(str(config.secret))


def test_a_secret_field_may_have_a_variable_as_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASS", "hunter2!")
    result = dg.materialize([opened], {"opened": {"rows": 2}})
    assert result.value("opened") == 8
    assert result.materialization("opened").config == {"rows": 2}


class Tagged(dg.Config):
    rows: int = pydantic.Field(default=dg.EnvVar.int("ROWS"), ge=1)
    key: str | None = pydantic.Field(default=None, alias="the-key")

    @pydantic.field_validator("rows")
    @classmethod
    def one_more(cls, rows: int) -> int:
        return rows + 1


@dg.asset
def tagged(config: Tagged) -> str:
    return f"{config.rows} {config.key}"


def test_an_alias_names_a_field_and_a_validator_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROWS", "4")
    assert dg.materialize([tagged]).value("tagged") == "5 None"
    for name in ("the-key", "key"):
        config = {"tagged": {name: {"env": "ROWS"}}}
        assert dg.materialize([tagged], config).value("tagged") == "5 4"
    made = Tagged(rows=2)
    assert pickle.loads(pickle.dumps(made)) == made


def test_a_parameter_for_config_may_have_a_default() -> None:
    @dg.asset
    def own(config: Limit = Limit(rows=7)) -> int:  # noqa: B008
        return config.rows

    assert own() == 7

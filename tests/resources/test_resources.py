"""Resources: what a step takes, opened once a run and process, and closed whatever happens."""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from pydantic import PrivateAttr, ValidationError, field_validator

import assetgraph as dg
from assetgraph.errors import ConfigError, DefinitionsError, ResourceError
from assetgraph.run.executors import make
from assetgraph.states import EXECUTORS


class Diary(dg.ConfigurableResource):
    """Writes down, in a file that all processes share, what happens to it."""

    path: str
    name: str = "diary"
    fails: str = ""

    def note(self, what: str) -> None:
        with open(self.path, "a") as file:
            file.write(f"{self.name}:{what}:{os.getpid()}\n")

    def setup_for_execution(self, context: Any) -> None:
        if self.fails == "setup":
            raise ConnectionError("refused")
        self.note("setup")

    def teardown_after_execution(self, context: Any) -> None:
        self.note("teardown")
        if self.fails == "teardown":
            raise ConnectionError("already gone")


class Session(dg.ConfigurableResource):
    diary: Diary
    _number: int = PrivateAttr(default=0)

    @contextmanager
    def yield_for_execution(self, context: Any) -> Iterator[Session]:
        self.diary.note("in")
        self._number = 7
        try:
            yield self
        finally:
            self.diary.note("out")

    @property
    def number(self) -> int:
        return self._number


@dg.asset
def first(diary: Diary) -> str:
    diary.note("first")
    return diary.name


@dg.asset
def second(first: str, diary: Diary) -> str:
    diary.note("second")
    return first


@dg.asset
def broken(diary: Diary) -> None:
    diary.note("broken")
    raise RuntimeError("on purpose")


@dg.asset
def interrupted(diary: Diary) -> None:
    diary.note("interrupted")
    raise KeyboardInterrupt


@dg.asset
def plain() -> int:
    return 1


def told(path: Path) -> list[str]:
    """What the resources did, without the names and numbers of processes."""
    text = path.read_text() if path.exists() else ""
    return [line.split(":")[1] for line in text.splitlines()]


def processes(path: Path) -> set[str]:
    return {line.split(":")[2] for line in path.read_text().splitlines()}


def warnings_of(result: dg.RunResult) -> list[str]:
    return [event.message or "" for event in result.events if event.level == "WARNING"]


@pytest.fixture(params=EXECUTORS)
def executor(request: pytest.FixtureRequest) -> Any:
    if request.param == "dask":
        return make("dask", 1, scheduler=request.getfixturevalue("dask_scheduler"))
    return make(request.param, None if request.param == "serial" else 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "diary.txt"


def test_a_resource_opens_once_in_a_run_and_closes_at_its_end(path: Path, executor: Any) -> None:
    diary = Diary(path=str(path))
    dg.materialize([first, second, plain], resources={"diary": diary}, executor=executor)
    assert told(path) == ["setup", "first", "second", "teardown"]
    assert len(processes(path)) == 1
    assert (str(os.getpid()) in processes(path)) is executor.shares_memory


def test_a_resource_closes_after_a_failure(path: Path, executor: Any) -> None:
    result = dg.materialize(
        [broken],
        resources={"diary": Diary(path=str(path))},
        executor=executor,
        raise_on_error=False,
    )
    assert not result.success
    assert told(path) == ["setup", "broken", "teardown"]


@pytest.mark.parametrize("executor", ["serial", "threads", "processes"])
def test_a_resource_closes_after_an_interrupt(path: Path, executor: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        dg.materialize([interrupted], resources={"diary": Diary(path=str(path))}, executor=executor)
    assert told(path) == ["setup", "interrupted", "teardown"]


def test_a_resource_that_no_step_takes_is_not_opened(path: Path) -> None:
    dg.materialize([plain], resources={"diary": Diary(path=str(path))})
    assert told(path) == []


def test_a_resource_that_fails_to_open_fails_its_steps_alone(path: Path, executor: Any) -> None:
    result = dg.materialize(
        [first, second, plain],
        resources={"diary": Diary(path=str(path), fails="setup")},
        executor=executor,
        raise_on_error=False,
    )
    assert result.failures.keys() == {"first"}
    error = result.failures["first"]
    assert error.message.startswith("the resource 'diary' cannot be opened: ConnectionError: ref")
    assert [frame.function for frame in error.frames] == ["Diary.setup_for_execution"]
    assert result.value("plain") == 1
    assert told(path) == []


def test_what_fails_to_open_is_not_tried_again_by_the_next_step(path: Path) -> None:
    tries = []

    class Refusing(dg.ConfigurableResource):
        def setup_for_execution(self, context: Any) -> None:
            tries.append(1)
            raise ConnectionError("refused")

    @dg.asset
    def one(refusing: Refusing) -> None: ...
    @dg.asset
    def two(refusing: Refusing) -> None: ...
    @dg.asset(retry_policy=dg.RetryPolicy(max_retries=1))
    def with_retry(refusing: Refusing) -> None: ...

    failed = dg.materialize(
        [one, two], resources={"refusing": Refusing()}, raise_on_error=False
    ).failures
    assert failed.keys() == {"one", "two"}
    assert len(tries) == 1
    dg.materialize([with_retry], resources={"refusing": Refusing()}, raise_on_error=False)
    assert len(tries) == 3


def test_a_resource_that_fails_to_close_is_said(path: Path, executor: Any) -> None:
    result = dg.materialize(
        [first],
        resources={"diary": Diary(path=str(path), fails="teardown")},
        executor=executor,
    )
    assert result.success
    (warning,) = warnings_of(result)
    assert warning.startswith(
        "the resource 'diary' could not be closed: ConnectionError: already gone"
    )


def test_resources_in_fields_open_before_and_close_after(path: Path, executor: Any) -> None:
    @dg.asset
    def number(session: Session) -> int:
        return session.number

    session = Session(diary=Diary(path=str(path)))
    result = dg.materialize([number], resources={"session": session}, executor=executor)
    assert result.value("number") == 7
    assert told(path) == ["setup", "in", "out", "teardown"]


def test_a_resource_that_others_hold_too_opens_once(path: Path, executor: Any) -> None:
    diary = Diary(path=str(path))

    @dg.asset
    def number(session: Session, diary: Diary) -> int:
        diary.note("number")
        return session.number

    dg.materialize(
        [number], resources={"session": Session(diary=diary), "diary": diary}, executor=executor
    )
    assert told(path) == ["setup", "in", "number", "out", "teardown"]


def test_opening_that_hangs_is_bounded_by_the_timeout_of_the_step(tmp_path: Path) -> None:
    release = threading.Event()

    class Hanging(dg.ConfigurableResource):
        def setup_for_execution(self, context: Any) -> None:
            release.wait()

    @dg.asset(timeout=0.05)
    def early(hanging: Hanging) -> None: ...
    @dg.asset
    def late(hanging: Hanging) -> None: ...

    result = dg.materialize(
        [early, late],
        resources={"hanging": Hanging()},
        raise_on_error=False,
        executor="threads",
        jobs=1,
    )
    release.set()
    assert {name: error.type for name, error in result.failures.items()} == {
        "early": "StepTimeoutError",
        "late": "ResourceError",
    }


def test_parameters_take_resources_by_annotation_by_name_and_from_the_context() -> None:
    class Client(dg.ConfigurableResource):
        url: str

    @dg.asset
    def annotated(client: Client) -> str:
        return client.url

    @dg.asset
    def base(client: dg.ConfigurableResource) -> str:
        return client.url  # type: ignore[attr-defined, no-any-return]

    @dg.asset
    def marked(number: dg.ResourceParam[int]) -> int:
        return number

    @dg.asset
    def named(marked, number):
        return marked + number

    @dg.asset(required_resource_keys={"client"})
    def asked(context: dg.AssetExecutionContext) -> str:
        found: str = context.resources.client.url
        return found

    result = dg.materialize(
        [annotated, base, marked, named, asked],
        resources={"client": Client(url="here"), "number": 2},
    )
    assert [result.value(name) for name in ("annotated", "base", "named", "asked")] == [
        *("here", "here", 4, "here")
    ]
    graph = dg.Definitions([marked, named], resources={"number": 2}).graph
    assert list(graph.edges) == [(dg.AssetKey("marked"), dg.AssetKey("named"))]


def test_a_name_that_an_asset_has_too_is_the_assets() -> None:
    @dg.asset
    def both() -> str:
        return "asset"

    @dg.asset
    def reader(both):
        return both

    result = dg.materialize([both, reader], resources={"both": "resource"})
    assert result.value("reader") == "asset"


def test_any_object_will_do_in_a_test(path: Path) -> None:
    for fake in (Mock(), Mock(spec=["name", "note"])):
        fake.name = "fake"
        assert dg.materialize([first], resources={"diary": fake}).value("first") == "fake"
    mock = dg.ResourceDefinition.mock_resource()
    assert dg.materialize([broken], resources={"diary": mock}, raise_on_error=False).failures


def test_what_cannot_be_sent_to_another_process_is_named() -> None:
    @dg.asset
    def locked(lock): ...

    result = dg.materialize(
        [locked],
        resources={"lock": threading.Lock()},
        executor="processes",
        jobs=1,
        raise_on_error=False,
    )
    assert "its resource 'lock', a _thread.lock, cannot be sent to another process" in str(
        result.failures["locked"].message
    )


def test_missing_and_wrong_resources_are_found_before_any_step() -> None:
    @dg.asset(required_resource_keys={"client"}, io_manager_key="warehouse")
    def asked(context: dg.AssetExecutionContext) -> None: ...

    with pytest.raises(DefinitionsError) as caught:
        dg.materialize([first, asked], resources={"dairy": 1})
    text = str(caught.value)
    assert (
        "asset 'first' needs the resource 'diary' (a parameter), which nothing gives. Did you"
        in text
    )
    assert "asset 'asked' needs the resource 'client' (required_resource_keys=)" in text
    assert "asset 'asked' needs the resource 'warehouse' (io_manager_key=)" in text
    for wrong, said in ((Diary, "is the class Diary"), ("text", "must be"), (None, "not None")):
        with pytest.raises(DefinitionsError, match=said):
            dg.materialize([first], resources={"diary": wrong})

    class Other(dg.ConfigurableResource):
        pass

    with pytest.raises(DefinitionsError, match=r"must be .*Diary, not a .*Other"):
        dg.materialize([first], resources={"diary": Other()})
    with pytest.raises(TypeError, match="resources must be"):
        dg.Definitions([], resources=[Diary])  # type: ignore[arg-type]
    with pytest.raises(dg.AssetGraphError, match="two resources are called 'a': an int and a str"):
        dg.Definitions.merge(
            dg.Definitions(resources={"a": 1}), dg.Definitions(resources={"a": ""})
        )


def test_a_context_has_only_the_resources_that_its_asset_names() -> None:
    @dg.asset
    def curious(context: dg.AssetExecutionContext) -> None:
        context.resources.client.ask()

    with pytest.raises(ResourceError, match="'curious' does not ask for the resource 'client'"):
        dg.materialize([curious], resources={"client": 1})


def test_fields_are_checked_when_a_resource_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    class Port(dg.ConfigurableResource):
        number: int
        hosts: list[str] = []  # noqa: RUF012 - pydantic copies it

        @field_validator("number")
        @classmethod
        def positive(cls, value: int) -> int:
            if value < 1:
                raise ValueError("must be positive")
            return value

    assert Port(number=5).number == 5
    with pytest.raises(ValidationError):
        Port(number=5).number = 6  # type: ignore[misc]
    for wrong in ({"number": "x"}, {"number": 0}, {}, {"number": 1, "other": 2}):
        with pytest.raises(ValueError, match=r"number|other"):
            Port(**wrong)

    @dg.asset
    def total(port: Port) -> str:
        return f"{port.number} {port.hosts}"

    lazy = Port(number=dg.EnvVar.int("PORT"), hosts=[dg.EnvVar("HOST")])
    monkeypatch.setenv("HOST", "a")
    for value, said in ((None, "PORT for its field 'number'"), ("0", "positive"), ("x", "PORT is")):
        if value is not None:
            monkeypatch.setenv("PORT", value)
        with pytest.raises(ConfigError, match=said):
            dg.materialize([total], resources={"port": lazy})
    monkeypatch.setenv("PORT", "8")
    assert dg.materialize([total], resources={"port": lazy}).value("total") == "8 ['a']"


def test_an_environment_variable_is_read_by_a_run_and_not_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_WORD", "hunter2")
    word, number = dg.EnvVar("SECRET_WORD"), dg.EnvVar.int("SECRET_NUMBER")
    for read in (str, "{}".format, "{:>3}".format):
        for one in (word, number):
            with pytest.raises(RuntimeError, match="is read when a run needs it"):
                read(one)
    assert (word.get_value(), number.get_value(3)) == ("hunter2", 3)
    assert (repr(word), repr(number)) == ("EnvVar('SECRET_WORD')", "EnvVar.int('SECRET_NUMBER')")
    assert pickle.loads(pickle.dumps([word, number])) == [word, number]
    assert word == dg.EnvVar("SECRET_WORD")
    assert number != dg.EnvVar.int("OTHER")


@pytest.mark.parametrize(
    "given", ["resources = {}", "defs = dg.Definitions([answer], resources={})"]
)
def test_a_project_gives_its_resources_in_a_table_or_in_definitions(
    project: Callable[..., Any], assetgraph: Callable[..., Any], monkeypatch: Any, given: str
) -> None:
    code = """
import threading
import assetgraph as dg

class Client(dg.ConfigurableResource):
    url: str

class Unsendable:
    def __init__(self):
        self.lock = threading.Lock()

@dg.asset
def answer(client: Client, held) -> str:
    return client.url + type(held).__name__

"""
    table = '{"client": Client(url="here"), "held": Unsendable()}'
    made = project({"pipeline.py": code + given.replace("{}", table)})
    monkeypatch.chdir(made.root)
    for options in ((), ("--executor", "processes", "--jobs", "1")):
        assert assetgraph("materialize", "--all", *options).code == 0
        assert dg.load("answer") == "hereUnsendable"


def test_check_warns_of_a_variable_that_is_not_set(
    project: Callable[..., Any], assetgraph: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("URL_OF_SHOP", "PORT_OF_SHOP", "UNUSED_OF_SHOP", "TOKEN_OF_SHOP"):
        monkeypatch.setenv(name, "")  # so that what the .env sets is undone
        monkeypatch.delenv(name)
    monkeypatch.setenv("ASSETGRAPH_FROM_ENV_FILE", "")
    monkeypatch.setenv("PORT_OF_SHOP", "many")
    made = project(
        {
            "pipeline.py": """
                import assetgraph as dg

                class Inner(dg.ConfigurableResource):
                    token: str

                class Shop(dg.ConfigurableResource):
                    url: str
                    port: int
                    inner: Inner

                @dg.asset
                def orders(shop: Shop) -> None: ...

                @dg.asset
                def more(shop: Shop) -> None: ...

                resources = {
                    "shop": Shop(
                        url=dg.EnvVar("URL_OF_SHOP"),
                        port=dg.EnvVar.int("PORT_OF_SHOP"),
                        inner=Inner(token=dg.EnvVar("TOKEN_OF_SHOP")),
                    ),
                    "unused": Inner(token=dg.EnvVar("UNUSED_OF_SHOP")),
                }
            """
        }
    )
    monkeypatch.chdir(made.root)
    answer = assetgraph("check")
    assert answer.code == 0
    said = " ".join(answer.err.split())
    assert said.count("URL_OF_SHOP for its field 'url', and it is not set") == 1
    assert "'shop.inner' needs the environment variable TOKEN_OF_SHOP" in said
    assert "the environment variable PORT_OF_SHOP is not a whole number" in said
    assert "UNUSED_OF_SHOP" not in said
    made.write(".env", "URL_OF_SHOP=a\nTOKEN_OF_SHOP=b\n")
    monkeypatch.setenv("PORT_OF_SHOP", "8080")
    assert assetgraph("check").err == ""

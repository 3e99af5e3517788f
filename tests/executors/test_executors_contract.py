"""The contract of all executors: the same results, events, skips and logs."""

from __future__ import annotations

import logging
import os
import sys
import threading
import typing
import warnings
from pathlib import Path
from typing import Any

import click
import pytest
from plan_of_assets import plan_of

import assetgraph as dg
from assetgraph.keys import Target
from assetgraph.records import Event, EventType
from assetgraph.run.executors import make
from assetgraph.run.executors.base import StepExecutor
from assetgraph.states import EXECUTORS


@pytest.fixture(params=EXECUTORS)
def executor(request: pytest.FixtureRequest) -> StepExecutor:
    if request.param == "dask":
        return make("dask", scheduler=request.getfixturevalue("dask_scheduler"))
    return make(request.param, None if request.param == "serial" else 2)


@pytest.fixture
def instance(tmp_path: Path) -> dg.Instance:
    return dg.Instance(tmp_path / "store")


class Rate(dg.Config):
    percent: int = 10


@dg.asset
def fares() -> list[int]:
    return [100, 250]


@dg.asset
def tips(fares: list[int], config: Rate) -> list[float]:
    return [fare * config.percent / 100 for fare in fares]


@dg.asset
def total(context: dg.AssetExecutionContext, fares: list[int], tips: list[float]) -> float:
    context.add_output_metadata({"fares": len(fares)})
    context.log.info("adding %d fares", len(fares))
    return sum(fares) + sum(tips)


@dg.asset
def broken(fares: list[int]) -> int:
    return fares[0] // 0


@dg.asset
def below(broken: int) -> int:
    return broken


@dg.asset
def beside(fares: list[int]) -> int:
    return len(fares)


@dg.asset
def talker() -> None:
    print("printed by talker")
    print("complained by talker", file=sys.stderr)
    logging.getLogger("talk").warning("logged by talker")
    warnings.warn("warned by talker", UserWarning, stacklevel=1)


@dg.asset
def other_talker() -> None:
    print("printed by other_talker")


@dg.asset
def leaver() -> None:
    sys.exit(3)


class UnpicklableError(Exception):
    def __init__(self) -> None:
        super().__init__("it holds a lock")
        self.lock = threading.Lock()

    def __reduce__(self) -> str:
        raise TypeError("cannot pickle a lock")


@dg.asset
def raises_unpicklable() -> None:
    raise UnpicklableError


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@dg.asset
def raises_mute() -> None:
    raise MuteError


@dg.asset
async def awaited() -> int:
    return 5


@dg.asset
def mutable() -> list[int]:
    return [1]


@dg.asset
def mutates(mutable: list[int]) -> int:
    mutable.append(2)
    return len(mutable)


@dg.asset
def sees_no_mutation(mutable: list[int], mutates: int) -> int:
    return len(mutable)


def test_values_go_from_step_to_step(executor: StepExecutor, instance: dg.Instance) -> None:
    result = dg.materialize([fares, tips, total], instance=instance, executor=executor)
    assert result.value("total") == 385
    assert result.materialization("total").metadata == {"fares": 2}
    assert result.outcome.record.step_counts == {"success": 3}


def test_config_reaches_the_step(executor: StepExecutor, instance: dg.Instance) -> None:
    config = dg.RunConfig({"tips": Rate(percent=20)})
    result = dg.materialize([fares, tips], config, instance=instance, executor=executor)
    assert result.value("tips") == [20.0, 50.0]


def test_the_events_of_a_step_are_the_same_in_the_same_order(
    executor: StepExecutor, instance: dg.Instance
) -> None:
    result = dg.materialize([fares, tips, total], instance=instance, executor=executor)
    of_total = [e.type for e in result.events if e.step == "total"]
    assert of_total == [
        EventType.STEP_START,
        EventType.LOADED_INPUT,
        EventType.LOADED_INPUT,
        EventType.LOG,
        EventType.STEP_OUTPUT,
        EventType.ASSET_MATERIALIZATION,
        EventType.STEP_SUCCESS,
    ]
    assert [e.type for e in result.events if e.step is None] == [
        EventType.RUN_START,
        EventType.RUN_SUCCESS,
    ]


def test_a_failed_step_skips_only_its_descendants(
    executor: StepExecutor, instance: dg.Instance
) -> None:
    result = dg.materialize(
        [fares, broken, below, beside], instance=instance, executor=executor, raise_on_error=False
    )
    assert not result.success
    assert result.outcome.record.step_counts == {"success": 2, "failure": 1, "skipped": 1}
    failure = result.failures["broken"]
    assert (failure.type, failure.frames[-1].function) == ("ZeroDivisionError", "broken")
    assert "fares[0] // 0" in failure.frames[-1].source[2]
    skipped = [e for e in result.events if e.type is EventType.STEP_SKIPPED]
    assert [(e.step, e.data["upstream"]) for e in skipped] == [("below", "broken")]


def test_what_an_asset_raised_is_raised(executor: StepExecutor, instance: dg.Instance) -> None:
    with pytest.raises(ZeroDivisionError):
        dg.materialize([fares, broken], instance=instance, executor=executor)


def test_an_exception_that_cannot_be_sent_is_recorded_anyway(
    executor: StepExecutor, instance: dg.Instance
) -> None:
    result = dg.materialize(
        [raises_unpicklable, raises_mute, leaver],
        instance=instance,
        executor=executor,
        raise_on_error=False,
    )
    assert result.failures["raises_unpicklable"].message == "it holds a lock"
    assert result.failures["raises_mute"].message == "<its message cannot be read: RuntimeError>"
    assert result.failures["leaver"].message == "the asset called sys.exit(3)"


@pytest.mark.filterwarnings("always")
def test_the_output_of_a_step_is_recorded_under_that_step(
    executor: StepExecutor, instance: dg.Instance
) -> None:
    result = dg.materialize([talker, other_talker], instance=instance, executor=executor)
    assert printed(result) == {
        ("talker", "out"): "printed by talker\n",
        ("talker", "err"): "complained by talker\n",
        ("other_talker", "out"): "printed by other_talker\n",
    }
    logged = {e.message: e.level for e in result.events if e.type is EventType.LOG}
    assert logged == {
        "logged by talker": "WARNING",
        "UserWarning: warned by talker": "WARNING",
    }


def test_an_observer_is_called_while_things_happen(
    executor: StepExecutor, instance: dg.Instance
) -> None:
    heard: list[tuple[str, ...]] = []

    class Listener:
        def event(self, event: object) -> None:
            pass

        def output(self, step: str, stream: str, text: str) -> None:
            heard.append((step, stream, text.strip()))

        def progress(self, step: str, done: float, total: float | None, unit: str) -> None:
            heard.append((step, str(done), str(total), unit))

    @dg.asset
    def counts(context: dg.AssetExecutionContext) -> None:
        print("counting")
        context.progress(1, 2, "rows")

    run(instance, [counts], executor, Listener())
    assert ("counts", "1", "2", "rows") in heard
    assert any(step == "counts" and "counting" in text for step, _, text, *_ in heard)


def test_the_end_of_a_step_is_on_record_while_another_runs(instance: dg.Instance) -> None:
    heard = threading.Event()

    class Listener:
        def event(self, event: Event) -> None:
            if event.type is EventType.STEP_SUCCESS and event.step == "quick":
                heard.set()

        def output(self, step: str, stream: str, text: str) -> None: ...

        def progress(self, step: str, done: float, total: float | None, unit: str) -> None: ...

    @dg.asset
    def quick() -> None: ...

    @dg.asset
    def slow() -> list[str]:
        assert heard.wait(60)
        runs = instance.store.runs
        return [str(e.step) for e in runs.events(runs.find("latest")) if "SUCCESS" in e.type]

    run(instance, [quick, slow], make("threads", 2), Listener())
    made, _ = instance.store.history.current(Target(slow.key))
    assert made is not None
    assert instance.store.values.load(made.value) == ["quick"]


def test_an_async_asset_runs(executor: StepExecutor, instance: dg.Instance) -> None:
    assert dg.materialize([awaited], instance=instance, executor=executor).value("awaited") == 5


def test_no_step_sees_how_another_changed_a_value(
    executor: StepExecutor, instance: dg.Instance
) -> None:
    result = dg.materialize(
        [mutable, mutates, sees_no_mutation], instance=instance, executor=executor
    )
    assert (result.value("mutates"), result.value("sees_no_mutation")) == (2, 1)


def test_assets_defined_inside_a_function_run(
    executor: StepExecutor, instance: dg.Instance
) -> None:
    offset = 40

    @dg.asset
    def inner() -> int:
        return offset + 2

    assert dg.materialize([inner], instance=instance, executor=executor).value("inner") == 42


def test_a_run_leaves_its_executor_without_processes(
    executor: StepExecutor, instance: dg.Instance
) -> None:
    @dg.asset
    def pid() -> int:
        return os.getpid()

    ran_in = dg.materialize([pid], instance=instance, executor=executor).value("pid")
    if type(executor).__name__ == "ProcessExecutor":
        with pytest.raises(ProcessLookupError):
            os.kill(ran_in, 0)


@pytest.mark.parametrize(
    ("name", "jobs", "message"),
    [
        ("serial", 2, "one step at a time"),
        ("thread", None, "Did you mean 'threads'"),
        ("threads", 0, "jobs must be at least 1"),
    ],
)
def test_an_impossible_executor_is_an_error_that_names_the_possible_ones(
    name: str, jobs: int | None, message: str
) -> None:
    with pytest.raises(dg.AssetGraphError, match=message):
        make(name, jobs)


def test_more_than_one_job_means_processes() -> None:
    assert type(make(None, 2)).__name__ == "ProcessExecutor"
    assert type(make(None, 1)).__name__ == "SerialExecutor"


def printed(result: dg.RunResult) -> dict[tuple[str, str], str]:
    files = result.instance.store.runs.outputs(result.run_id)
    return {(key, stream): Path(path).read_text() for key, _, stream, path in files}


def run(instance, assets, executor, observer):
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.run.runner import run_plan

    graph = dg.Definitions(assets).graph
    state = StoreFacts(graph, instance.store)
    return run_plan(plan_of(state, graph.order), state, executor=executor, observer=observer)


def test_the_command_line_offers_every_executor() -> None:
    from assetgraph.cli.commands.materialize_and_plan import materialize_command

    (option,) = (p for p in materialize_command.params if p.name == "executor_name")
    assert isinstance(option.type, click.Choice)
    assert tuple(option.type.choices) == EXECUTORS


def test_classes_of_a_script_go_wherever_its_steps_go(
    executor: StepExecutor, instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    script: dict[str, Any] = {"__name__": "__main__"}
    monkeypatch.setattr(sys.modules["__main__"], "typing", typing, raising=False)
    exec(
        """
from __future__ import annotations
import dataclasses, pydantic, typing
import assetgraph as dg

class Rate(dg.Config):
    percent: int
    names: list[str] = []
    mode: typing.Literal["a", "b"] = "a"

    @pydantic.field_validator("percent")
    @classmethod
    def _is_a_share(cls, value):
        if value > 100:
            raise ValueError("too much")
        return value

    def twice(self):
        return self.percent * 2

class Steep(Rate):
    factor: float = 1.5

@dataclasses.dataclass
class Point:
    x: int

    def moved(self):
        return Point(self.x + 1)

@dg.asset
def start(config: Steep) -> Point:
    return Point(int(config.twice() * config.factor))

@dg.asset
def end(start):  # what it reads is of a class that it does not name
    return start.moved()

@dg.asset
def refused(config: Rate): ...
""",
        script,
    )
    monkeypatch.setattr(sys.modules["__main__"], "Point", script["Point"], raising=False)
    config = {"start": {"percent": 3}, "refused": {"percent": 5}}
    assets = [script[name] for name in ("start", "end", "refused")]
    result = dg.materialize(assets, config, instance=instance, executor=executor)
    assert result.value("end") == script["Point"](10)


def test_a_forgotten_fork_of_a_step_ends_with_the_function(
    executor: StepExecutor, instance: dg.Instance
) -> None:
    @dg.asset
    def forks() -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a fork in a process with threads
            child = os.fork()
        if child == 0:
            return 0
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    result = dg.materialize([forks], instance=instance, executor=executor)
    assert result.value("forks") == 0
    assert len(list(instance.store.history.newest_first(forks.key))) == 1
    assert [e.type for e in result.events].count(EventType.STEP_SUCCESS) == 1
    assert [e.type for e in result.events].count(EventType.RUN_SUCCESS) == 1

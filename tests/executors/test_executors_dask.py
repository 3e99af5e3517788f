"""Steps on a Dask cluster: a scheduler and two worker processes on this machine."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from plan_of_assets import plan_of

import assetgraph as dg
from assetgraph.code import importer
from assetgraph.errors import StoreError
from assetgraph.keys import Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.run.executors import dask_executor as on_dask
from assetgraph.run.executors import dask_worker, make
from assetgraph.run.executors.dask_executor import RESOURCES, DaskExecutor, _Step
from assetgraph.run.executors.transport import Sender
from assetgraph.run.outcome import RunOutcome
from assetgraph.run.run_setup import RunSetup
from assetgraph.run.runner import run_plan
from assetgraph.run.step_task import Limits
from assetgraph.storage.store import Store

distributed = pytest.importorskip("distributed", reason="Dask is not installed")
dask = pytest.importorskip("dask")


@pytest.fixture(scope="module")
def scheduler(object_store: str) -> Iterator[str]:
    """A scheduler whose workers can use the object store, one of them with a GPU."""
    with distributed.LocalCluster(
        n_workers=0, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    ) as cluster:
        cluster.scale(1)
        cluster.worker_spec[1] = {
            "cls": distributed.Nanny,
            "options": {"nthreads": 1, "resources": {"GPU": 1}},
        }
        cluster.scale(2)
        with distributed.Client(cluster) as client:
            client.wait_for_workers(2, timeout=30)
        yield cluster.scheduler_address


def run(store: Store, *assets: dg.Asset, scheduler: str, **options: object) -> RunOutcome:
    graph = dg.Definitions(assets).graph
    state = StoreFacts(graph, store)
    executor = make("dask", scheduler=scheduler, **options)  # type: ignore[arg-type]
    return run_plan(plan_of(state, graph.order), state, executor=executor)


def value(store: Store, key: str) -> object:
    current, _ = store.history.current(Target(dg.AssetKey(key)))
    assert current is not None
    return store.values.load(current.value)


def test_values_go_through_the_object_store(
    folder: Path, object_store: str, scheduler: str
) -> None:
    @dg.asset
    def trips() -> pa.Table:
        return pa.table({"fare": list(range(10_000))})

    @dg.asset
    def total(trips: pa.Table) -> int:
        return int(sum(trips["fare"].to_pylist()))

    store = Store(folder / "store", storage=f"{object_store}/{folder.name}")
    outcome = run(store, trips, total, scheduler=scheduler)
    assert not outcome.errors
    assert value(store, "total") == sum(range(10_000))
    assert not (folder / "store" / "values").exists()


def test_a_step_survives_the_loss_of_its_worker(folder: Path, dask_scheduler: str) -> None:
    os.mkfifo("pids")

    @dg.asset
    def slow() -> str:
        if os.path.exists("tried"):
            return "the second try"
        Path("tried").touch()
        Path("pids").write_text(f"{os.getpid()} ")
        threading.Event().wait()
        return "never"

    with distributed.Client(dask_scheduler) as client:
        client.run(os.chdir, str(folder))
    store = Store(folder / "store")
    thread = threading.Thread(target=run, args=(store, slow), kwargs={"scheduler": dask_scheduler})
    thread.start()
    os.kill(int(Path("pids").read_text()), signal.SIGKILL)
    thread.join(60)
    assert value(store, "slow") == "the second try"
    assert len(list(store.history.newest_first(slow.key))) == 1


def test_a_store_that_workers_cannot_reach_is_reported_before_anything_runs(
    folder: Path, dask_scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.asset
    def trips() -> int:
        return 1

    store = Store(folder / "store")
    monkeypatch.setattr(Store, "__reduce__", lambda _: (Store, ("/proc/nowhere",)))
    with pytest.raises(StoreError, match=r"the Dask worker tcp://.* cannot use this project"):
        run(store, trips, scheduler=dask_scheduler)
    assert list(store.runs.ids()) == []


def test_a_scheduler_that_does_not_answer_is_reported(folder: Path) -> None:
    with pytest.raises(dg.AssetGraphError, match="no Dask scheduler answers at nonsense"):
        make("dask", scheduler="nonsense://1")


def test_a_step_runs_where_its_resources_are(
    folder: Path, object_store: str, scheduler: str
) -> None:
    @dg.asset(op_tags={RESOURCES: {"GPU": 1}})
    def trained() -> bool:
        return "GPU" in distributed.get_worker().state.total_resources

    @dg.asset(op_tags={RESOURCES: {"TPU": 2}})
    def impossible() -> None: ...

    store = Store(folder / "store", storage=f"{object_store}/{folder.name}")
    outcome = run(store, trained, impossible, scheduler=scheduler)
    assert value(store, "trained") is True
    assert [error.message for error in outcome.errors.values()] == [
        "no Dask worker offers what it asks for: TPU=2."
    ]


def test_a_step_that_runs_too_long_is_abandoned(folder: Path, dask_scheduler: str) -> None:
    os.mkfifo("go")

    @dg.asset(timeout=0.1)
    def stuck() -> int:
        Path(folder, "go").read_text()
        return 1

    store = Store(folder / "store")
    outcome = run(store, stuck, scheduler=dask_scheduler)
    Path("go").write_text("on")
    assert outcome.record.failed_steps == ("stuck",)
    assert store.history.current(Target(stuck.key))[0] is None


def test_assets_of_a_project_are_sent_by_key(project, dask_scheduler: str) -> None:
    files = project(
        {
            "pipeline.py": """
                import assetgraph as dg

                RATE = 2

                @dg.asset
                def rate():
                    return RATE
                """
        }
    )
    for rate in (2, 3):  # the workers live on from run to run
        files.write("pipeline.py", (files.root / "pipeline.py").read_text().replace("2", str(rate)))
        found = files.find()
        importer.forget(found.root)
        graph = found.load().graph
        executor = make(
            "dask", scheduler=dask_scheduler, project=found, computations=graph.computations
        )
        state = StoreFacts(graph, found.open_store())
        run_plan(plan_of(state, graph.order), state, executor=executor)
        assert value(state.store, "rate") == rate


def test_a_step_that_nobody_waits_for_saves_nothing(folder: Path, dask_scheduler: str) -> None:
    os.mkfifo("running")
    os.mkfifo("go")

    @dg.asset
    def slow() -> str:
        Path(folder, "running").write_text("yes")
        Path(folder, "go").read_text()
        return "x" * 100_000

    store = Store(folder / "store")
    graph = dg.Definitions([slow]).graph
    state = StoreFacts(graph, store)
    executor = make("dask", scheduler=dask_scheduler)
    plan = plan_of(state, graph.order)
    raised: list[BaseException] = []

    def run_it() -> None:
        try:
            run_plan(plan, state, executor=executor)
        except KeyboardInterrupt as interrupt:
            raised.append(interrupt)

    thread = threading.Thread(target=run_it)
    thread.start()
    assert Path("running").read_text() == "yes"
    executor.interrupt()
    thread.join(30)
    assert len(raised) == 1
    with distributed.Client(dask_scheduler) as client:
        Path("go").write_text("on")
        assert set(client.run(_once_idle).values()) == {0}
    assert not list(folder.glob("store/values/slow/**/value.*"))
    assert store.history.current(Target(slow.key))[0] is None


async def _once_idle(dask_worker: Any) -> int:
    """Answer, in a worker, once its thread has left the step."""
    thread = dask_worker.executors["default"]
    return await asyncio.get_running_loop().run_in_executor(thread, int)


def test_a_cluster_without_workers_fails_the_step(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_dask, "_POLL_S", 0.05)
    monkeypatch.setattr(on_dask, "NO_WORKER_S", 0.1)
    os.mkfifo("running")

    @dg.asset
    def endless() -> None:
        Path(folder, "running").write_text("yes")
        threading.Event().wait()

    store = Store(folder / "store")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    ) as cluster:
        outcomes = []
        thread = threading.Thread(
            target=lambda: outcomes.append(run(store, endless, scheduler=cluster.scheduler_address))
        )
        thread.start()
        assert Path("running").read_text() == "yes"
        cluster.scale(0)
        thread.join(60)
    (error,) = outcomes[0].errors.values()
    assert error.message == "the Dask cluster no longer has any workers."


def test_steps_may_be_watched_at_any_rate(
    folder: Path, dask_scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_dask, "_POLL_S", 0.001)
    store = Store(folder / "store")
    outcome = run(store, *(number(i) for i in range(20)), scheduler=dask_scheduler)
    assert not outcome.errors
    assert value(store, "n19") == 19


def test_steps_that_are_ready_together_are_sent_together(
    folder: Path, dask_scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    submit = distributed.Client.map

    def counted(client: Any, fn: Any, greetings: Any, *work: Any, **options: Any) -> Any:
        sent.append(len(greetings))
        return submit(client, fn, greetings, *work, **options)

    monkeypatch.setattr(distributed.Client, "map", counted)
    monkeypatch.setattr(on_dask, "_SEND_PAUSE_S", 1.0)
    run(Store(folder / "store"), *(number(i) for i in range(10)), scheduler=dask_scheduler)
    assert sum(sent) == 10
    assert len(sent) < 5


def test_only_a_long_answer_is_fetched(
    folder: Path, dask_scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.asset
    def quiet() -> None:
        print("a line")

    @dg.asset
    def chatty() -> None:
        print("x" * 100_000)

    fetched: list[str] = []
    gather = distributed.Client.gather

    def noted(client: Any, futures: Any, **options: Any) -> Any:
        fetched.extend(future.key for future in futures)
        return gather(client, futures, **options)

    monkeypatch.setattr(distributed.Client, "gather", noted)
    store = Store(folder / "store")
    outcome = run(store, quiet, chatty, scheduler=dask_scheduler)
    assert fetched == [f"chatty-{outcome.record.run_id}-1"]
    outputs = store.runs.outputs(outcome.record.run_id)
    printed = {step: Path(path).read_text() for step, *_, path in outputs}
    assert printed == {"quiet": "a line\n", "chatty": "x" * 100_000 + "\n"}


def test_a_step_that_kills_its_workers_fails_with_a_hint(folder: Path) -> None:
    @dg.asset
    def deadly() -> None:
        os._exit(1)

    store = Store(folder / "store")
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0"
        ) as cluster,
    ):
        outcome = run(store, deadly, scheduler=cluster.scheduler_address)
    (error,) = outcome.errors.values()
    assert "the Dask workers that ran it died (1 in all, the last at tcp://" in error.message
    assert error.hint is not None
    assert "it may exit its process, or need more memory" in error.hint


def number(i: int) -> dg.Asset:
    @dg.asset(name=f"n{i}")
    def made() -> int:
        return i

    return made


def test_resources_without_amounts_are_an_error(folder: Path, dask_scheduler: str) -> None:
    @dg.asset(op_tags={RESOURCES: "GPU=1"})
    def trained() -> None: ...

    outcome = run(Store(folder / "store"), trained, scheduler=dask_scheduler)
    (error,) = outcome.errors.values()
    assert "must map resources to amounts, but is 'GPU=1'" in error.message


def test_output_beyond_the_limit_is_counted(folder: Path, dask_scheduler: str) -> None:
    @dg.asset
    def chatty() -> None:
        print("x" * 100)

    store = Store(folder / "store")
    graph = dg.Definitions([chatty]).graph
    state = StoreFacts(graph, store)
    outcome = run_plan(
        plan_of(state, graph.order),
        state,
        executor=make("dask", scheduler=dask_scheduler),
        setup=RunSetup(echo=False, limits=Limits(output_bytes=10)),
    )
    ((_, _, _, path),) = store.runs.outputs(outcome.record.run_id)
    assert Path(path).read_text() == "x" * 10 + "\n[91 more bytes were not kept]\n"


def _without_a_cluster(client: object) -> DaskExecutor:
    executor = object.__new__(DaskExecutor)
    executor._client = client
    executor._interrupted = False
    executor._greeting = b""
    executor._running = {}
    executor._answered = []
    return executor


def test_an_abandoned_step_is_waited_for_while_its_worker_runs_it() -> None:
    called: list[object] = []
    client = SimpleNamespace(loop=SimpleNamespace(add_callback=lambda *call: called.append(call)))
    executor = _without_a_cluster(client)
    step = _Step("a", b"", {}, SimpleNamespace(wanted=lambda: False), ran_at="tcp://one")
    executor._look_at(step, {"tcp://one": 1})
    assert len(called) == 1  # it is canceled there
    assert not step.answer.done()
    executor._look_at(step, {"tcp://other": 1})
    assert len(called) == 1
    assert "it was abandoned" in str(step.answer.exception(0))


def test_a_step_that_is_abandoned_before_it_is_sent_is_not_sent() -> None:
    sent: list[str] = []

    def note(*_: object, key: list[str], **__: object) -> list[object]:
        sent.extend(key)
        return [SimpleNamespace(add_done_callback=lambda _: None) for _ in key]

    executor = _without_a_cluster(SimpleNamespace(map=note))
    steps = [_Step(name, b"", {}, None) for name in ("wanted", "abandoned")]
    steps[1].given_up = True
    executor._send(steps)
    assert sent == ["wanted"]


def test_answered_tasks_are_released_with_the_next_steps_or_soon() -> None:
    told: list[str] = []
    soon: list[Any] = []

    def sent(*_: object, **__: object) -> list[object]:
        told.append("sent")
        return [SimpleNamespace(add_done_callback=lambda _: None)]

    loop = SimpleNamespace(call_later=lambda _, call: soon.append(call))
    executor = _without_a_cluster(SimpleNamespace(map=sent, loop=loop))
    for name in ("a", "b"):
        step = executor._running[name] = _Step(name, b"", {}, None)
        step.future = SimpleNamespace(release=lambda name=name: told.append(f"let go {name}"))
        executor._hear((0.0, (name, pickle.dumps(("answered", (b"made",))))))
        assert step.answer.result(0) == b"made"
    executor._send([_Step("c", b"", {}, None)])
    assert told == ["sent", "let go b", "let go a"]
    (later,) = soon
    later()
    assert len(told) == 3


def test_events_of_another_run_are_ignored() -> None:
    _without_a_cluster(None)._hear((0.0, ("another's", b"of no concern")))


def test_a_worker_that_is_lost_during_the_check_does_not_matter_while_others_remain(
    folder: Path,
) -> None:
    answers: dict[str, object] = {"tcp://gone": OSError("closed"), "tcp://here": None}
    executor = _without_a_cluster(SimpleNamespace(run=lambda *_, **__: answers))
    executor._sender = Sender(None, {})
    executor.check(Store(folder / "store"))
    del answers["tcp://here"]
    with pytest.raises(dg.AssetGraphError, match="the Dask cluster has no workers"):
        executor.check(Store(folder / "store"))
    answers["tcp://other"] = ModuleNotFoundError("No module named 'pipeline'")
    with pytest.raises(StoreError, match=r"tcp://other cannot use this project: No module named"):
        executor.check(Store(folder / "store"))


def test_a_step_that_nobody_waits_for_does_not_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = SimpleNamespace(limits=Limits())
    receiver = SimpleNamespace(unpack=lambda _: (task, "a"))
    monkeypatch.setattr(dask_worker, "compute_step", pytest.fail)
    monkeypatch.setattr(dask_worker, "_received", lambda _: (receiver, None))
    worker = SimpleNamespace(state=SimpleNamespace(tasks={}))
    monkeypatch.setattr(dask_worker, "_worker", lambda: worker)
    assert dask_worker.compute_here(b"", b"") == b""

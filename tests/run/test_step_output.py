"""What steps print, log and warn about is recorded, each under its own step."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import REPOSITORY, Answer, ProjectFolder
from plan_of_assets import plan_of

import assetgraph as dg
from assetgraph.planning.facts import StoreFacts
from assetgraph.process.capture import captured
from assetgraph.queries.run_views import step_logs
from assetgraph.records import Event, EventType
from assetgraph.run.executors import make
from assetgraph.run.step_task import Limits


def logs(result: dg.RunResult, step: str) -> list[tuple[str, str]]:
    return [
        (event.level, event.message or "")
        for event in result.events
        if event.type is EventType.LOG and event.step == step
    ]


def printed(result: dg.RunResult, step: str, stream: str = "out") -> str | None:
    for key, _, name, path in result.instance.store.runs.outputs(result.run_id):
        if (key, name) == (step, stream):
            return Path(path).read_text()
    return None


def test_prints_logs_and_warnings_land_under_their_step(
    instance: dg.Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    @dg.asset
    def says(context: dg.AssetExecutionContext) -> None:
        print("to out", end="")
        print("to err", file=sys.stderr)
        context.log.info("from %s", "the context")
        context.log.debug("quietly")
        logging.getLogger("library").warning("from a library")
        logging.warning("from the root")
        warnings.warn("old way", DeprecationWarning, stacklevel=1)

    @dg.asset
    def silent() -> None: ...

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        result = dg.materialize([says, silent], instance=instance)
    assert printed(result, "says") == "to out"
    assert printed(result, "says", "err") == "to err\n"
    assert logs(result, "says") == [
        ("INFO", "from the context"),
        ("DEBUG", "quietly"),
        ("WARNING", "from a library"),
        ("WARNING", "from the root"),
        ("WARNING", "DeprecationWarning: old way"),
    ]
    assert logs(result, "silent") == []
    assert printed(result, "silent") is None
    assert capsys.readouterr() == ("to out", "to err\n")


def test_info_logs_are_recorded_without_a_logging_configuration(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])

    @dg.asset
    def says() -> None:
        logging.getLogger("library").info("for information")

    assert logs(dg.materialize([says], instance=instance), "says") == [("INFO", "for information")]


def test_logs_are_in_order_among_the_events_of_the_step(instance: dg.Instance) -> None:
    @dg.asset
    def raw() -> int:
        return 1

    @dg.asset
    def fares(context, raw: int) -> int:
        context.log.info("hello")
        return raw

    result = dg.materialize([raw, fares], instance=instance)
    assert [e.type.value for e in result.events if e.step == "fares"] == [
        "STEP_START",
        "LOADED_INPUT",
        "LOG",
        "STEP_OUTPUT",
        "ASSET_MATERIALIZATION",
        "STEP_SUCCESS",
    ]


def test_a_log_call_that_does_not_fit_its_text_does_not_fail_the_step(
    instance: dg.Instance,
) -> None:
    @dg.asset
    def says(context) -> None:
        context.log.info("%d rows", "many")
        try:
            raise ValueError("inner")
        except ValueError:
            context.log.exception("went wrong")

    result = dg.materialize([says], instance=instance)
    (_, wrong), (level, trace) = logs(result, "says")
    assert "%d rows (its arguments do not fit" in wrong
    assert level == "ERROR"
    assert trace.startswith("went wrong\nTraceback")
    assert trace.endswith("ValueError: inner")


def test_text_with_undecodable_bytes_is_recorded(instance: dg.Instance) -> None:
    @dg.asset
    def says(context) -> None:
        print("name \udcff")
        context.log.info("name \udcff")
        context.add_output_metadata({"file": "name \udcff"})

    result = dg.materialize([says], instance=instance)
    assert printed(result, "says") == "name \\udcff\n"
    assert logs(result, "says") == [("INFO", "name \\udcff")]
    assert result.materialization("says").metadata == {"file": "name \\udcff"}


def test_the_output_of_a_thread_belongs_to_the_only_running_step(instance: dg.Instance) -> None:
    @dg.asset
    def says() -> None:
        thread = threading.Thread(target=lambda: print("from a thread"))
        thread.start()
        thread.join()

    assert printed(dg.materialize([says], instance=instance), "says") == "from a thread\n"


def test_the_output_of_a_thread_after_its_step_is_in_no_other_log(instance: dg.Instance) -> None:
    go, said = threading.Event(), threading.Event()

    def late() -> None:
        go.wait()
        print("late")
        logging.getLogger("late").warning("late")
        said.set()

    @dg.asset
    def first() -> None:
        threading.Thread(target=late).start()

    @dg.asset
    def second(first: None) -> None:
        go.set()
        said.wait(30)

    result = dg.materialize([first, second], instance=instance)
    assert list(instance.store.runs.outputs(result.run_id)) == []
    assert logs(result, "first") == logs(result, "second") == []


def test_a_thread_of_one_of_two_running_steps_is_known(instance: dg.Instance) -> None:
    both = threading.Barrier(2)

    def step(name: str) -> dg.Asset:
        @dg.asset(name=name)
        def says() -> None:
            both.wait(30)
            thread = threading.Thread(target=lambda: print(name))
            thread.start()
            thread.join()
            both.wait(30)

        return says

    executor = make("threads", 2)
    result = dg.materialize([step("a"), step("b")], instance=instance, executor=executor)
    assert (printed(result, "a"), printed(result, "b")) == ("a\n", "b\n")


def test_a_million_lines_are_cut_at_a_limit_and_the_rest_counted(instance: dg.Instance) -> None:
    @dg.asset
    def chatty(context) -> None:
        for _ in range(100):
            sys.stdout.write("a line of twenty-one\n" * 10_000)
        for number in range(25):
            context.log.info("record %d", number)

    graph = dg.Definitions([chatty]).graph
    from assetgraph.run.run_setup import RunSetup
    from assetgraph.run.runner import run_plan

    state = StoreFacts(graph, instance.store)
    limits = Limits(output_bytes=50_000, log_events=20)
    plan = plan_of(state, graph.order)
    outcome = run_plan(plan, state, setup=RunSetup(echo=False, limits=limits))
    assert outcome.record.step_counts == {"success": 1}
    ((_, _, _, path),) = instance.store.runs.outputs(outcome.record.run_id)
    text = Path(path).read_text()
    assert len(text) < 51_000
    assert text.startswith("a line of twenty-one\n")
    assert text.endswith(f"[{21 * 1_000_000 - 50_000} more bytes were not kept]\n")
    said = [e.message for e in instance.store.runs.events(outcome.record.run_id) if e.message]
    assert said.count("record 19") == 1
    assert "record 20" not in said
    assert "5 more log records were not kept" in " ".join(said)


def test_a_stream_on_disk_never_exceeds_the_limit_of_the_project(
    project: Callable[..., ProjectFolder],
    assetgraph: Callable[..., Answer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = project(
        {
            "pipeline.py": """
            import sys
            import assetgraph as dg

            @dg.asset
            def chatty() -> None:
                for _ in range(3):
                    print("out line.")
                    print("err line.", file=sys.stderr)
            """
        }
    )
    settings = made.root / "pyproject.toml"
    settings.write_text(settings.read_text() + "log_limit = 15\n")
    monkeypatch.chdir(made.root)
    assert assetgraph("materialize", "chatty").code == 0
    kept = {file.suffix: file.read_text() for file in made.root.glob(".assetgraph/runs/*/*/logs/*")}
    note = "\n[15 more bytes were not kept]\n"
    assert kept == {".out": f"out line.\nout l{note}", ".err": f"err line.\nerr l{note}"}
    assert "15 more bytes were not kept" in assetgraph("runs", "logs", "latest").out


def test_without_an_echo_a_run_prints_nothing_itself(
    instance: dg.Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = sys.stdout
    with captured(echo=False):
        print("outside of any step")
        assert sys.stdout is not stream
    assert sys.stdout is stream
    assert capsys.readouterr().out == "outside of any step\n"


@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_a_full_disk_under_the_streams_of_a_script_fails_no_step(
    folder: Path, executor: str
) -> None:
    (folder / "words.py").write_text(
        "import sys\n"
        "import assetgraph as dg\n"
        "@dg.asset\n"
        "def words():\n"
        "    print('hello', file=sys.stderr, flush=True)\n"
        "    sys.stderr.buffer.write(b' world')\n"
    )
    (folder / "script.py").write_text(
        "import assetgraph as dg\n"
        "from words import words\n"
        "if __name__ == '__main__':\n"
        "    instance = dg.Instance('store')\n"
        f"    dg.materialize([words], instance=instance, executor={executor!r})\n"
    )
    script = [sys.executable, str(folder / "script.py")]
    with open("/dev/full", "w") as full:
        env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        done = subprocess.run(script, cwd=folder, env=env, stderr=full, check=False, timeout=60)
    store = dg.Instance(folder / "store").store
    assert store.runs.read(store.runs.find("latest")).status == "SUCCESS"
    assert [log.text for log in step_logs(store, "latest")] == ["hello\n world"]
    assert done.returncode in (0, 120)  # Python's message for a stream that it cannot flush


def test_streams_logging_and_warnings_are_put_back(instance: dg.Instance) -> None:
    before = sys.stdout, sys.stderr, warnings.showwarning, logging.getLogger().level
    handlers = list(logging.getLogger().handlers)

    @dg.asset
    def fails() -> None:
        raise ValueError

    dg.materialize([fails], instance=instance, raise_on_error=False)
    after = sys.stdout, sys.stderr, warnings.showwarning, logging.getLogger().level
    assert after == before
    assert logging.getLogger().handlers == handlers


def test_two_runs_at_once_in_one_process_keep_their_output_apart(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run that started first ends first, and the other keeps printing."""
    started, ended = threading.Event(), threading.Event()
    results: dict[str, dg.RunResult] = {}

    def make(name: str, body: Callable[[], None]) -> dg.Asset:
        return dg.asset(name=name)(lambda: body())

    def first() -> None:
        assert started.wait(10)
        print("first")

    def second() -> None:
        started.set()
        assert ended.wait(10)
        print("second")

    def run(name: str, body: Callable[[], None]) -> None:
        results[name] = dg.materialize([make(name, body)], instance=dg.Instance(folder / name))

    one = threading.Thread(target=run, args=("first", first))
    two = threading.Thread(target=run, args=("second", second))
    one.start()
    two.start()
    one.join()
    ended.set()
    two.join()
    assert printed(results["first"], "first") == "first\n"
    assert printed(results["second"], "second") == "second\n"


def test_a_run_inside_a_step_records_its_own_output(instance: dg.Instance, folder: Path) -> None:
    inner_instance = dg.Instance(folder / "inner")
    inner_results = []

    @dg.asset
    def inner() -> None:
        print("inner")

    @dg.asset
    def outer() -> None:
        print("before")
        inner_results.append(dg.materialize([inner], instance=inner_instance))
        print("after")

    result = dg.materialize([outer], instance=instance)
    assert printed(inner_results[0], "inner") == "inner\n"
    assert (printed(result, "outer") or "").startswith("before\n")
    assert (printed(result, "outer") or "").endswith("after\n")


def test_a_stream_in_a_step_behaves_like_the_original(
    instance: dg.Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    @dg.asset
    def asks() -> None:
        assert sys.stdout.writable()
        assert sys.stdout.encoding
        assert sys.stdout.isatty() in (True, False)
        sys.stdout.writelines(["a\n", "b\n"])
        sys.stdout.flush()
        with pytest.raises(TypeError, match="must be str"):
            sys.stdout.write(b"bytes")  # type: ignore[arg-type]
        with pytest.raises(AttributeError):
            sys.stdout.nothing_of_this_name  # noqa: B018

    assert printed(dg.materialize([asks], instance=instance), "asks") == "a\nb\n"


@pytest.mark.parametrize("executor", [None, "threads", "processes"])
def test_bytes_that_a_step_writes_are_recorded_in_order(
    instance: dg.Instance, capfdbinary: pytest.CaptureFixture[bytes], executor: str | None
) -> None:
    @dg.asset
    def writes() -> None:
        print("first", flush=True)
        letter = "é".encode()
        assert sys.stdout.buffer.write(b"raw \xff " + letter[:1]) == 7
        sys.stdout.buffer.write(memoryview(letter[1:] + b"\n"))
        sys.stdout.buffer.flush()
        assert sys.stdout.buffer.writable()
        print("last")
        sys.stderr.buffer.write(b"wrong\n")

    result = dg.materialize([writes], instance=instance, executor=executor)
    assert printed(result, "writes") == "first\nraw \\xff é\nlast\n"
    assert printed(result, "writes", "err") == "wrong\n"
    sys.stdout.flush()
    if executor != "processes":  # its output comes as text
        assert capfdbinary.readouterr().out == b"first\nraw \xff \xc3\xa9\nlast\n"


def test_progress_reaches_the_observer(instance: dg.Instance) -> None:
    from assetgraph.run.runner import run_plan

    @dg.asset
    def downloads(context: dg.AssetExecutionContext) -> None:
        context.progress(5, 10, "B")
        context.progress(10)
        print("done")

    class Watcher:
        def __init__(self) -> None:
            self.seen: list[object] = []

        def event(self, event: Event) -> None:
            self.seen.append(event.type.value)

        def output(self, step: str, stream: str, text: str) -> None:
            self.seen.append((step, stream, text))

        def progress(self, step: str, done: float, total: float | None, unit: str) -> None:
            self.seen.append((step, done, total, unit))

    graph = dg.Definitions([downloads]).graph
    state, watcher = StoreFacts(graph, instance.store), Watcher()
    run_plan(plan_of(state, graph.order), state, observer=watcher)
    seen = watcher.seen
    assert seen[:2] == ["RUN_START", "STEP_START"]
    assert seen[2:4] == [("downloads", 5, 10, "B"), ("downloads", 10, None, "")]
    assert "".join(s[2] for s in seen if isinstance(s, tuple) and len(s) == 3) == "done\n"
    assert seen[-2:] == ["STEP_SUCCESS", "RUN_SUCCESS"]

"""Steps in worker processes: how they die, what is captured, and how they are sent."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import types
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from plan_of_assets import plan_of
from small_assets import QuietChannel, task_of

import assetgraph as dg
from assetgraph.keys import Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.queries.run_views import run_details
from assetgraph.records import EventType, RunStatus, StepState
from assetgraph.run.executors import make
from assetgraph.run.executors import process_executor as processes
from assetgraph.run.outcome import RunOutcome
from assetgraph.run.runner import run_plan
from assetgraph.run.step_task import StepResult
from assetgraph.storage.store import Store


def in_processes(instance: dg.Instance, *assets: dg.Asset, jobs: int = 1) -> dg.RunResult:
    return dg.materialize(
        assets, instance=instance, executor=make("processes", jobs), raise_on_error=False
    )


def printed(result: dg.RunResult, stream: str) -> str:
    files = result.instance.store.runs.outputs(result.run_id)
    return "".join(Path(path).read_text() for _, _, name, path in files if name == stream)


@pytest.mark.parametrize(
    ("end", "message"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "its process was killed by SIGKILL."),
        (lambda: os._exit(3), "its process ended with exit code 3, without a result."),
        (lambda: ctypes.string_at(0), "its process was killed by SIGSEGV."),
    ],
    ids=["SIGKILL", "exit", "segfault"],
)
def test_a_worker_that_dies_fails_its_own_step_only(
    end: Callable[[], None], message: str, instance: dg.Instance
) -> None:
    @dg.asset
    def dies() -> None:
        end()

    @dg.asset
    def below(dies: None) -> int:
        return 1

    @dg.asset
    def beside() -> int:
        return 2

    result = in_processes(instance, dies, below, beside, jobs=2)
    assert (result.failures["dies"].type, result.failures["dies"].message) == (
        "WorkerError",
        message,
    )
    assert result.outcome.record.step_counts == {"failure": 1, "skipped": 1, "success": 1}
    failed = instance.store.history.current(Target(dies.key))[1]
    assert failed is not None
    assert message in failed.error


def test_the_last_words_of_a_crash_are_kept(instance: dg.Instance) -> None:
    @dg.asset
    def crashes() -> None:
        print("about to crash")
        ctypes.string_at(0)

    result = in_processes(instance, crashes)
    assert printed(result, "out") == "about to crash\n"
    assert "Fatal Python error: Segmentation fault" in printed(result, "err")


def test_a_step_whose_worker_died_runs_again_as_its_policy_says(instance: dg.Instance) -> None:
    @dg.asset(retry_policy=dg.RetryPolicy(max_retries=1))
    def dies_once(context: dg.AssetExecutionContext) -> int:
        if context.retry_number == 0:
            os._exit(1)
        return context.retry_number

    result = in_processes(instance, dies_once)
    assert result.value("dies_once") == 1
    step = run_details(instance.store, result.run_id).steps[0]
    assert (step.state, step.attempt) == (StepState.SUCCESS, 2)


def test_a_step_that_committed_before_its_worker_died_is_a_success(instance: dg.Instance) -> None:
    @dg.asset
    def commits_and_dies() -> int:
        from assetgraph.run import step

        commit = step._commit

        def commit_and_die(*args: object) -> None:
            commit(*args)  # type: ignore[arg-type]
            os._exit(9)

        step._commit = commit_and_die  # type: ignore[assignment]
        return 7

    result = in_processes(instance, commits_and_dies)
    assert result.success
    assert result.value("commits_and_dies") == 7


def test_a_step_that_does_not_cooperate_is_killed_at_its_timeout(
    instance: dg.Instance,
) -> None:
    @dg.asset(timeout=0.2)
    def never_ends() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(1000)

    result = in_processes(instance, never_ends)
    failure = result.failures["never_ends"]
    assert failure.message == "it ran longer than its timeout of 0.2 s."
    assert not instance.store.is_running(Target(never_ends.key))


def test_a_worker_that_is_killed_just_as_its_step_ends_takes_no_other(folder: Path) -> None:
    executor = make("processes", 1)
    next_step: SimpleQueue[Future[StepResult]] = SimpleQueue()
    store = Store(folder / ".assetgraph")
    store.prepare()

    @dg.asset
    def prints() -> None:
        print("said")

    @dg.asset
    def another() -> None: ...

    class Ending(QuietChannel):
        def written(self, _stream: str, _data: bytes) -> None:
            """The step is done, and its process dead, before the executor knows of either."""
            assert future.worker._socket.poll(30)
            assert future.cancel()
            os.waitid(os.P_PID, future.worker._process.pid, os.WEXITED | os.WNOWAIT)

    try:
        future: Any = executor.submit(task_of(prints), store, Ending())
        future.add_done_callback(
            lambda _: next_step.put(executor.submit(task_of(another), store, QuietChannel()))
        )
        assert future.result(timeout=30).state is StepState.SUCCESS
        assert next_step.get(timeout=30).result(timeout=30).state is StepState.SUCCESS
    finally:
        executor.shutdown()


def test_what_c_libraries_and_subprocesses_write_is_captured(instance: dg.Instance) -> None:
    @dg.asset
    def writes() -> None:
        print("by print")
        os.write(1, b"by os.write\n")
        subprocess.run(["sh", "-c", "echo by a subprocess; echo and its error >&2"], check=True)

    @dg.asset
    def afterwards(writes: None) -> None:
        os.write(1, b"by the next step\n")

    result = in_processes(instance, writes, afterwards)
    texts = {
        (key, stream): Path(path).read_text()
        for key, _, stream, path in instance.store.runs.outputs(result.run_id)
    }
    assert texts == {
        ("writes", "out"): "by print\nby os.write\nby a subprocess\n",
        ("writes", "err"): "and its error\n",
        ("afterwards", "out"): "by the next step\n",
    }


def test_bytes_that_are_not_text_stay_readable(instance: dg.Instance) -> None:
    @dg.asset
    def writes() -> None:
        os.write(1, "half of 운".encode()[:-1])

    assert printed(in_processes(instance, writes), "out") == "half of \\xec\\x9a"


def test_a_worker_serves_many_steps(instance: dg.Instance) -> None:
    def named(name: str, *upstream: str) -> dg.Asset:
        made: dict[str, Callable[[], int]] = {}
        exec(f"import os\ndef {name}({', '.join(upstream)}): return os.getpid()", made)
        return dg.asset(made[name])

    result = in_processes(instance, named("a"), named("b", "a"), named("c", "b"))
    pids = {result.value(name) for name in "abc"}
    assert len(pids) == 1
    assert os.getpid() not in pids


def test_what_cannot_be_sent_fails_its_step_with_a_sentence(instance: dg.Instance) -> None:
    lock = threading.Lock()

    @dg.asset
    def holds() -> None:
        lock.acquire()

    failure = in_processes(instance, holds).failures["holds"]
    assert failure.message.startswith("it cannot be sent to another process: TypeError")


@pytest.mark.parametrize("state", ["busy", "stopped"])
def test_workers_and_what_they_started_die_with_the_coordinator(folder: Path, state: str) -> None:
    os.mkfifo(folder / "alive")
    script(
        folder,
        f"""
        import os, signal, subprocess, time
        import assetgraph as dg

        @dg.asset
        def endless():
            pipe = os.open("alive", os.O_WRONLY)
            os.set_inheritable(pipe, True)
            subprocess.Popen(["sleep", "1000"], close_fds=False)
            os.write(pipe, b"running")
            if {state == "stopped"}:
                os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(1000)

        if __name__ == "__main__":
            dg.materialize([endless], instance=dg.Instance("store"), executor="processes")
        """,
    )
    coordinator = subprocess.Popen([sys.executable, "script.py"], cwd=folder, env=environment())
    with open(folder / "alive", "rb") as alive:
        assert alive.read(7) == b"running"
        coordinator.kill()
        coordinator.wait()
        assert alive.read() == b""  # the pipe closes with the last process that has it
    store = Store(folder / "store")
    assert run_details(store, "latest").record.status is RunStatus.INTERRUPTED
    lock = store.lock(Target(dg.AssetKey("endless")))
    assert lock.wait(until=lambda: True)  # the kernel drops a dead process's descriptors in turn
    lock.release()


def test_every_worker_in_a_c_library_dies_with_the_coordinator(folder: Path) -> None:
    os.mkfifo(folder / "alive")
    script(
        folder,
        """
        import ctypes, os
        import assetgraph as dg
        from assetgraph.run.executors import make

        def endless():
            pipe = os.open("alive", os.O_WRONLY)
            os.write(pipe, b"x")
            ctypes.PyDLL(None).sleep(1000)  # it keeps the interpreter's lock

        if __name__ == "__main__":
            assets = [dg.asset(name=f"endless_{i}")(endless) for i in range(3)]
            dg.materialize(
                assets, instance=dg.Instance("store"), executor=make("processes", 3)
            )
        """,
    )
    coordinator = subprocess.Popen([sys.executable, "script.py"], cwd=folder, env=environment())
    with open(folder / "alive", "rb") as alive:
        assert alive.read(3) == b"xxx"
        coordinator.kill()
        coordinator.wait()
        assert alive.read() == b""  # the pipe closes with the last process that has it


def test_workers_that_started_do_the_work_of_those_that_could_not(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = processes._start_process
    started: list[int] = []

    def start_two(*fds: int) -> subprocess.Popen[bytes]:
        if len(started) == 2:
            raise OSError(errno.EMFILE, "Too many open files")
        started.append(1)
        return start(*fds)

    monkeypatch.setattr(processes, "_start_process", start_two)
    open_before = len(os.listdir("/dev/fd"))
    assets = [dg.asset(name=f"pid_{i}")(lambda: os.getpid()) for i in range(6)]
    result = in_processes(instance, *assets, jobs=4)
    assert len({result.value(f"pid_{i}") for i in range(6)}) <= 2
    assert len(os.listdir("/dev/fd")) <= open_before


def test_a_step_without_any_worker_fails_with_a_sentence(
    instance: dg.Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start_none(*fds: int) -> subprocess.Popen[bytes]:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(processes, "_start_process", start_none)

    @dg.asset
    def alone() -> None: ...

    failure = in_processes(instance, alone).failures["alone"]
    assert failure.message == "no worker process can be started: Too many open files."


def test_a_step_whose_worker_died_shows_no_line_of_the_engine(instance: dg.Instance) -> None:
    @dg.asset
    def dies() -> None:
        os._exit(3)

    failure = in_processes(instance, dies).failures["dies"]
    assert {frame.function for frame in failure.frames} == {dies.plain_function.__qualname__}
    assert "concurrent" not in "".join(frame.file for frame in failure.frames)


def test_an_exception_of_a_class_that_only_workers_know_is_recorded(
    instance: dg.Instance,
) -> None:
    @dg.asset
    def raises() -> None:
        module = types.ModuleType("only_in_the_worker")
        exec("class StrangeError(Exception): ...", vars(module))
        sys.modules["only_in_the_worker"] = module
        raise module.StrangeError("nobody knows me")

    @dg.asset
    def beside() -> int:
        return 1

    result = in_processes(instance, raises, beside)
    failure = result.failures["raises"]
    assert failure.message == "nobody knows me"
    assert failure.type == "only_in_the_worker.StrangeError"
    assert result.value("beside") == 1


def test_each_step_of_a_worker_starts_in_the_same_folder(instance: dg.Instance) -> None:
    @dg.asset
    def leaves() -> str:
        before = os.getcwd()
        os.chdir("/")
        return before

    @dg.asset
    def stays(leaves: str) -> str:
        return os.getcwd()

    result = in_processes(instance, leaves, stays)
    assert result.value("stays") == result.value("leaves") != "/"


@pytest.mark.parametrize(
    "end",
    [
        lambda: sys.stdout.close(),
        lambda: os.close(1),
        lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 1),
        lambda: setattr(sys, "stdout", None),
    ],
    ids=["close", "close the descriptor", "redirect", "remove"],
)
def test_what_a_step_does_to_its_streams_does_not_affect_the_next(
    end: Callable[[], None], instance: dg.Instance
) -> None:
    @dg.asset
    def ends() -> int:
        print("before")
        end()
        return os.getpid()

    @dg.asset
    def prints(ends: int) -> bool:
        print("after")
        subprocess.run(["echo", "child"], check=True)
        return os.getpid() == ends

    result = in_processes(instance, ends, prints)
    assert printed(result, "out") == "before\nafter\nchild\n"
    assert printed(result, "err") == ""
    assert result.value("prints"), "the worker died of it"


def _stay(path: str) -> None:
    with open(path, "w") as fifo:
        fifo.write("yes")
    time.sleep(1000)


class Slow:
    """An object that takes long to load in a worker, as a project's imports may."""

    def __reduce__(self) -> object:
        return _stay, ("loading",)


@pytest.mark.parametrize("moment", ["starting", "loading"])
def test_a_step_that_is_interrupted_before_it_begins_does_not_fail(
    folder: Path, moment: str
) -> None:
    os.mkfifo(folder / "loading")

    @dg.asset
    def anything() -> None: ...

    task = task_of(anything, config={} if moment == "starting" else {"slow": Slow()})
    executor = make("processes", 1)
    try:
        future = executor.submit(task, Store(folder / ".assetgraph"), QuietChannel())
        if moment == "loading":
            assert (folder / "loading").read_text() == "yes"
        executor.interrupt()
        assert isinstance(future.exception(timeout=30), KeyboardInterrupt)
    finally:
        executor.shutdown()


def test_a_thread_that_a_step_left_behind_does_not_log_into_another(instance: dg.Instance) -> None:
    os.mkfifo("go on")
    os.mkfifo("said")

    @dg.asset
    def leaves(context: dg.AssetExecutionContext) -> int:
        def speak() -> None:
            os.read(os.open("go on", os.O_RDWR), 1)
            context.log.info("late")
            os.write(os.open("said", os.O_RDWR), b"1")

        threading.Thread(target=speak, daemon=True).start()
        return os.getpid()

    @dg.asset
    def beside(leaves: int) -> int:
        said = os.open("said", os.O_RDWR)
        os.write(os.open("go on", os.O_RDWR), b"1")
        os.read(said, 1)
        return os.getpid()

    result = in_processes(instance, leaves, beside)
    assert result.value("beside") == result.value("leaves")
    assert [event for event in result.events if event.type is EventType.LOG] == []


class Provoking(QuietChannel):
    """A channel that makes a child of the step print again each time the child prints."""

    def __init__(self) -> None:
        os.mkfifo("ask")
        os.mkfifo("told")
        self.ask, self.told = os.open("ask", os.O_RDWR), os.open("told", os.O_RDWR)
        self.over = False

    def written(self, _stream: str, _data: bytes) -> None:
        if not self.over:
            os.write(self.ask, b"1")
            os.read(self.told, 1)


@dg.asset
def leaves_a_child_that_prints() -> int:
    ask, told = os.open("ask", os.O_RDWR), os.open("told", os.O_RDWR)
    if os.fork() == 0:
        while os.read(ask, 1) == b"1":
            os.write(1, b"y")
            os.write(told, b"1")
        os._exit(0)
    print("mine")
    return 1


def test_a_child_that_never_stops_printing_holds_up_no_step(folder: Path) -> None:
    channel = Provoking()
    store = Store(folder / ".assetgraph")
    store.prepare()
    executor = make("processes", 1)
    try:
        future = executor.submit(task_of(leaves_a_child_that_prints), store, channel)
        assert future.result(timeout=30).state is StepState.SUCCESS
    finally:
        channel.over = True
        os.write(channel.ask, b"0")
        os.write(channel.told, b"1")
        executor.shutdown()


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux tells of a death at once")
def test_the_death_of_a_worker_is_noticed_though_its_child_holds_its_socket(
    instance: dg.Instance,
) -> None:
    os.mkfifo("alive")

    @dg.asset
    def dies() -> None:
        apart, tell = os.pipe()
        if os.fork() == 0:
            os.setpgid(0, 0)  # or it would be killed with the worker
            alive = os.open("alive", os.O_RDWR)
            os.write(tell, b"1")
            os.read(alive, 1)  # with all descriptors of the worker
            os._exit(0)
        os.read(apart, 1)
        os._exit(3)

    failure = in_processes(instance, dies).failures["dies"]
    os.write(os.open("alive", os.O_WRONLY | os.O_NONBLOCK), b"1")
    assert failure.message == "its process ended with exit code 3, without a result."


@pytest.mark.parametrize("executor", ["serial", "threads", "processes"])
def test_an_interrupt_cancels_the_run_and_keeps_what_finished(folder: Path, executor: str) -> None:
    script(
        folder,
        f"""
        import os, time
        import assetgraph as dg
        from assetgraph.run import cancel
        from assetgraph.run.executors import make

        cancel.GRACE_S = 0.2

        @dg.asset
        def finished():
            return 1

        @dg.asset
        def endless(finished):
            try:
                open("running", "w").write("yes")
                while True:
                    time.sleep(0.05)
            finally:
                open("cleaned", "w").close()

        @dg.asset
        def never(endless):
            return 2

        if __name__ == "__main__":
            dg.materialize(
                [finished, endless, never],
                instance=dg.Instance("store"),
                executor=make("{executor}", None if "{executor}" == "serial" else 2),
            )
        """,
    )
    os.mkfifo(folder / "running")
    process = subprocess.Popen(
        [sys.executable, "script.py"], cwd=folder, env=environment(), stderr=subprocess.PIPE
    )
    assert (folder / "running").read_text() == "yes"
    process.send_signal(signal.SIGINT)
    assert b"KeyboardInterrupt" in process.communicate(timeout=30)[1]
    details = run_details(Store(folder / "store"), "latest")
    assert details.record.status is RunStatus.CANCELED
    assert {step.step_id: step.state.value for step in details.steps} == {
        "finished": "success",
        "endless": "canceled",
        "never": "waiting",
    }
    assert details.events[-1].type is EventType.RUN_CANCELED
    if executor != "threads":  # a thread cannot be interrupted
        assert (folder / "cleaned").exists()


def test_sigterm_cancels_the_run_of_a_program_that_asks_for_it(folder: Path) -> None:
    script(
        folder,
        """
        import os, sys, time
        import assetgraph as dg
        from assetgraph.process.signals import Terminated, raise_on_termination

        @dg.asset
        def endless():
            open("running", "w").write("yes")
            time.sleep(1000)

        if __name__ == "__main__":
            raise_on_termination()
            try:
                dg.materialize([endless], instance=dg.Instance("store"), executor="processes")
            except Terminated as terminated:
                sys.exit(terminated.exit_code)
        """,
    )
    os.mkfifo(folder / "running")
    process = subprocess.Popen([sys.executable, "script.py"], cwd=folder, env=environment())
    assert (folder / "running").read_text() == "yes"
    process.terminate()
    assert process.wait(timeout=30) == 143
    assert run_details(Store(folder / "store"), "latest").record.status is RunStatus.CANCELED


FILES = {
    "pipeline/__init__.py": "",
    "pipeline/rates.py": "RATE = 2\n",
    "pipeline/assets.py": """
        import os
        import assetgraph as dg
        from pipeline.rates import RATE

        def make(name):
            @dg.asset(name=name)
            def made():
                return [name, RATE, os.getcwd()]
            return made

        first, second = make("first"), make("second")
        """,
}


def test_assets_of_a_project_are_sent_by_key(project) -> None:
    files = project(FILES)
    outcome, store = run_project(files)
    assert not outcome.errors
    current, _ = store.history.current(Target(dg.AssetKey("second")))
    assert current is not None
    assert store.values.load(current.value) == ["second", 2, str(files.root)]


def test_a_file_that_changed_during_the_run_fails_the_step(project) -> None:
    files = project(FILES)
    outcome, _ = run_project(files, lambda: files.write("pipeline/rates.py", "RATE = 3\n"))
    messages = {error.message for error in outcome.errors.values()}
    assert messages == {"pipeline/rates.py changed during the run."}


def test_a_module_that_no_longer_imports_fails_the_step(project) -> None:
    files = project(FILES)
    outcome, _ = run_project(files, lambda: files.write("pipeline/rates.py", "RATE =\n"))
    assert len(outcome.errors) == 2
    for error in outcome.errors.values():
        assert "it cannot be loaded in another process" in error.message


def run_project(files, change: Callable[[], object] = lambda: None) -> tuple[RunOutcome, Store]:
    found = files.find()
    graph = found.load().graph
    change()
    state = StoreFacts(graph, found.open_store())
    executor = make("processes", 1, project=found, computations=graph.computations)
    outcome = run_plan(plan_of(state, graph.order), state, executor=executor)
    return outcome, state.store


def script(folder: Path, text: str) -> None:
    (folder / "script.py").write_text(textwrap.dedent(text))


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

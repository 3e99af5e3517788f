"""The contract of all executors for what a step does to its process: children, streams, logging,
environment. Steps run in fresh interpreters, as they do for a user."""

from __future__ import annotations

import json
import logging
import os
import select
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from conftest import REPOSITORY

import assetgraph as dg
from assetgraph.states import EXECUTORS

_RUN = """
import json, os, sys
import assetgraph as dg

def main(executor, scheduler, *assets):
    from assetgraph.run.executors import make

    if executor == "dask":
        where = make("dask", scheduler=scheduler)
    else:
        where = make(executor, None if executor == "serial" else 2)
    instance = dg.Instance(os.path.join(os.path.dirname(os.path.abspath(__file__)), "store"))
    result = dg.materialize(
        list(assets), instance=instance, executor=where, raise_on_error=False
    )
    logs = {}
    for step, attempt, stream, path in instance.store.runs.outputs(result.run_id):
        with open(path) as file:
            logs[f"{step}.{stream}"] = file.read()
    said = {}
    for event in result.events:
        if event.type == "LOG" and event.step:
            said.setdefault(event.step, []).append(f"{event.level} {event.message}")
    values = {}
    for asset in assets:
        if asset.name not in result.failures:
            values[asset.name] = result.value(asset.name)
    failures = {step: f"{e.type}: {e.message}" for step, e in result.failures.items()}
    facts = {"printed": logs, "logged": said, "failures": failures, "values": values}
    with open(os.environ["ANSWER"], "w") as file:
        json.dump(facts, file, default=repr)
"""


class Ran:
    """What a script's run left behind."""

    def __init__(self, facts: dict[str, Any], out: str, err: str) -> None:
        self.printed: dict[str, str] = facts["printed"]
        self.logged: dict[str, list[str]] = facts["logged"]
        self.failures: dict[str, str] = facts["failures"]
        self.values: dict[str, Any] = facts["values"]
        self.out, self.err = out, err


@pytest.fixture(params=EXECUTORS)
def executor(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The name of an executor, and the address of a scheduler for Dask."""
    dask = request.param == "dask"
    return request.param, request.getfixturevalue("dask_scheduler") if dask else ""


def ran(folder: Path, executor: tuple[str, str], script: str, assets: str, shell: str = "") -> Ran:
    """Run the assets of a script that is `__main__`. A `shell` script, if given, starts it."""
    file = folder / "script.py"
    ending = f'\nif __name__ == "__main__":\n    main(*sys.argv[1:], {assets})\n'
    file.write_text(_RUN + dedent(script) + ending)
    answer = folder / "answer.json"
    out, err = folder / "out", folder / "err"
    surroundings = {**os.environ, "PYTHONPATH": str(REPOSITORY), "ANSWER": str(answer)}
    surroundings.pop("PYTHONUNBUFFERED", None)  # with it, nothing holds back what is printed
    with out.open("w") as to_out, err.open("w") as to_err:  # a child may keep a pipe open
        done = subprocess.run(
            [*(("sh", "-c", shell, "sh") if shell else ()), sys.executable, str(file), *executor],
            cwd=folder,
            env=surroundings,
            stdout=to_out,
            stderr=to_err,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, err.read_text()
    return Ran(json.loads(answer.read_text()), out.read_text(), err.read_text())


def test_thirty_forked_pools_in_one_step_end(tmp_path: Path, executor: tuple[str, str]) -> None:
    script = """
    import multiprocessing

    def square(n):
        return n * n

    @dg.asset
    def pools() -> int:
        context = multiprocessing.get_context("fork")
        total = 0
        for _ in range(30):
            with context.Pool(2) as pool:
                total += sum(pool.map(square, [1, 2, 3]))
        return total
    """
    result = ran(tmp_path, executor, script, "pools")
    assert result.failures == {}
    assert result.values == {"pools": 30 * 14}
    assert "Terminated" not in result.err


def test_a_forked_child_has_the_handlers_and_exit_codes_of_a_plain_program(
    tmp_path: Path, executor: tuple[str, str]
) -> None:
    script = """
    import multiprocessing, signal, time
    from concurrent.futures import ProcessPoolExecutor

    def waits():
        time.sleep(1000)

    def leaves():
        sys.exit(7)

    def tells(queue):
        import logging, subprocess, threading
        queue.put([
            signal.getsignal(signal.SIGTERM) in (signal.SIG_DFL, None),
            signal.getsignal(signal.SIGINT) is signal.default_int_handler,
            type(sys.stdout).__module__,
            [type(h).__module__ for h in logging.getLogger().handlers],
            threading.Thread.start.__module__,
            subprocess.Popen.__init__.__module__,
            type(os.environ).__module__,
        ])

    def double(n):
        return 2 * n

    @dg.asset
    def children() -> list:
        context = multiprocessing.get_context("fork")
        codes = []
        for target in (waits, leaves):
            child = context.Process(target=target)
            child.start()
            if target is waits:
                child.terminate()
            child.join()
            codes.append(child.exitcode)
        queue = context.Queue()
        child = context.Process(target=tells, args=(queue,))
        child.start()
        told = queue.get()
        child.join()
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            doubled = list(pool.map(double, [1, 2]))
        return [codes, told, doubled]
    """
    result = ran(tmp_path, executor, script, "children")
    assert result.failures == {}
    codes, told, doubled = result.values["children"]
    assert codes == [-15, 7]
    assert doubled == [2, 4]
    default_term, default_int, *modules = told
    assert modules == ["_io", [], "threading", "subprocess", "os"]
    if executor[0] != "dask":  # its workers have handlers of their own
        assert default_term
        assert default_int


def test_all_that_a_step_and_its_children_print_is_in_its_log_in_order(
    tmp_path: Path, executor: tuple[str, str]
) -> None:
    script = """
    import logging, subprocess

    kept = sys.stdout
    log = logging.getLogger("quiet")
    log.propagate = False
    log.addHandler(logging.StreamHandler())

    @dg.asset
    def talks() -> None:
        print("one")
        subprocess.run(["sh", "-c", "echo two; echo wrong >&2"])
        print("three")
        subprocess.run(["echo", "four"], stdout=sys.stdout)
        if kept is not None:
            print("five", file=kept)
        child = os.fork()
        if child == 0:
            print("six", flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print("seven")
        log.warning("logged")
    """
    result = ran(tmp_path, executor, script, "talks")
    assert result.failures == {}
    words = ["one", "two", "three", "four", "five", "six", "seven"]
    assert result.printed["talks.out"].split() == words
    # What a script does when it starts, such as adding a handler, it does not do in a worker.
    logged = ["logged"] if executor[0] in ("serial", "threads") else []
    assert result.printed["talks.err"].split() == ["wrong", *logged]


def test_what_a_step_writes_to_descriptors_is_in_its_log(
    tmp_path: Path, executor: tuple[str, str]
) -> None:
    script = """
    import ctypes

    @dg.asset
    def writes() -> None:
        print("one")
        os.write(1, b"two\\n")
        os.system("echo three")
        print("four")
        ctypes.CDLL(None).puts(b"five")
        sys.__stdout__.buffer.write(b"six\\n")
        sys.__stdout__.buffer.flush()
        os.write(2, b"wrong\\n")
    """
    result = ran(tmp_path, executor, script, "writes")
    assert result.failures == {}
    assert result.printed["writes.out"].split() == ["one", "two", "three", "four", "five", "six"]
    assert result.printed["writes.err"] == "wrong\n"


def test_what_a_step_prints_from_c_as_it_imports_ctypes_is_in_its_own_log(tmp_path: Path) -> None:
    script = """
    @dg.asset
    def first() -> None:
        import ctypes

        ctypes.CDLL(None).puts(b"of the first")

    @dg.asset(deps=[first])
    def second() -> None:
        os.write(1, b"of the second\\n")
    """
    result = ran(tmp_path, ("serial", ""), script, "first, second")
    assert result.failures == {}
    assert result.printed == {"first.out": "of the first\n", "second.out": "of the second\n"}


def test_functions_of_a_script_are_values_and_go_to_pools_everywhere(
    tmp_path: Path, executor: tuple[str, str]
) -> None:
    script = """
    import multiprocessing
    import pickle
    from concurrent.futures import ProcessPoolExecutor
    from functools import partial

    FACTOR = 10
    calls = []

    def scaled(n, by=1):
        calls.append(n)
        return helper(n) * by

    def helper(n):
        return n * FACTOR

    class Transformer:
        def __init__(self, function):
            self.function = function

    @dg.asset
    def function() -> object:
        return scaled

    @dg.asset
    def half_applied() -> object:
        return partial(scaled, by=3)

    @dg.asset
    def transformer() -> object:
        return Transformer(scaled)

    @dg.asset
    def used(function, half_applied, transformer) -> list:
        return [function(1), half_applied(1), transformer.function(2), len(calls)]

    @dg.asset
    def pooled() -> list:
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            return list(pool.map(scaled, [1, 2]))

    @dg.asset
    def spawned() -> list:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return pool.map(scaled, [3])

    @dg.asset
    def functions_of_os() -> list:
        with multiprocessing.get_context("fork").Pool(1) as pool:
            return [*pool.map(os.system, ["exit 3"]), *map(pickle.dumps, [os.system, os.umask])]
    """
    assets = "function, half_applied, transformer, used, pooled, functions_of_os"
    on_dask = executor[0] == "dask"  # where `__main__` is Dask's own, which a new process imports
    result = ran(tmp_path, executor, script, assets if on_dask else f"{assets}, spawned")
    assert result.failures == {}
    assert result.values["used"] == [10, 30, 20, 3]
    assert result.values["pooled"] == [10, 20]
    assert result.values["functions_of_os"][0] == 3 << 8
    assert on_dask or result.values["spawned"] == [30]


def test_nothing_that_comes_back_from_a_step_runs_in_the_process_of_the_run(
    tmp_path: Path, executor: tuple[str, str]
) -> None:
    script = """
    run_in = os.getpid()

    class Ends:
        def __reduce__(self):
            return os._exit, (3,)

    class Text(str):
        def __reduce__(self):
            return os._exit, (3,)

    class Ending(Exception):
        def __reduce__(self):
            return os._exit, (3,)

    class Refusing(Exception):
        def __init__(self, needed, more):
            super().__init__("refused")
            self.more = more

        def __reduce__(self):
            raise TypeError("not me")

    @dg.asset
    def raises_ending() -> None:
        raise Ending("the end", Ends())

    @dg.asset
    def raises_refusing() -> None:
        raise Refusing(1, more=Ends())

    @dg.asset
    def raises_group() -> None:
        raise ExceptionGroup("several", [Ending("one"), ValueError(Ends())])

    @dg.asset
    def metadata() -> dg.MaterializeResult:
        return dg.MaterializeResult(value=1, metadata={"text": Text("x"), "count": 2**70})

    @dg.asset
    def logs(context: dg.AssetExecutionContext) -> int:
        context.log.info(Text("said"))
        print(Text("printed"))
        return 1
    """
    assets = "raises_ending, raises_refusing, raises_group, metadata, logs"
    result = ran(tmp_path, executor, script, assets)
    assert result.failures["raises_ending"].startswith("Ending: ('the end', <__main__.Ends")
    assert result.failures["raises_refusing"] == "Refusing: refused"
    assert result.failures["raises_group"] == "ExceptionGroup: several (2 sub-exceptions)"
    assert result.logged["logs"] == ["INFO said"]
    assert result.values["logs"] == 1
    assert result.values.get("metadata") == 1


def test_each_step_starts_with_the_logging_of_the_run(
    tmp_path: Path, executor: tuple[str, str]
) -> None:
    script = """
    import logging, logging.config

    logging.basicConfig(level=logging.INFO)
    existing = logging.getLogger("existing")

    @dg.asset
    def configures() -> None:
        logging.info("before")
        logging.config.dictConfig({"version": 1, "root": {"level": "ERROR", "handlers": []}})

    @dg.asset(deps=[configures])
    def forces() -> None:
        logging.getLogger("existing").info("after dictConfig")
        logging.basicConfig(force=True, level=logging.CRITICAL)

    @dg.asset(deps=[forces])
    def silences() -> None:
        logging.info("after basicConfig")
        logging.getLogger().setLevel("ERROR")
        logging.disable(logging.CRITICAL)
        logging.getLogger("existing").disabled = True
        logging.getLogger("existing").setLevel("ERROR")

    @dg.asset(deps=[silences])
    def disables() -> None:
        logging.info("after levels")
        logging.config.dictConfig({"version": 1})  # disables every logger that is there

    @dg.asset(deps=[disables])
    def mutes() -> None:
        logging.getLogger("existing").info("after disable")
        for handler in logging.getLogger().handlers:
            handler.setLevel("ERROR")

    @dg.asset(deps=[mutes])
    def filters() -> None:
        logging.info("after muted handlers")
        logging.getLogger().addFilter(lambda record: False)
        for handler in logging.getLogger().handlers:
            handler.addFilter(lambda record: False)

    @dg.asset(deps=[filters])
    def last() -> None:
        logging.info("after filters")
        logging.getLogger("existing").info("after all")
    """
    assets = "configures, forces, silences, disables, mutes, filters, last"
    result = ran(tmp_path, executor, script, assets)
    assert result.failures == {}
    said = {
        step: [line for line in lines if "changed while" not in line]
        for step, lines in result.logged.items()
    }
    assert said == {
        "configures": ["INFO before"],
        "forces": ["INFO after dictConfig"],
        "silences": ["INFO after basicConfig"],
        "disables": ["INFO after levels"],
        "mutes": ["INFO after disable"],
        "filters": ["INFO after muted handlers"],
        "last": ["INFO after filters", "INFO after all"],
    }
    assert result.printed == {}  # what `basicConfig` would print, the log has
    warned = [line for lines in result.logged.values() for line in lines if "logging" in line]
    assert bool(warned) == (executor[0] in ("threads", "dask"))


def test_a_logger_that_a_step_made_is_a_new_one_for_the_next_and_one_of_an_import_stays(
    tmp_path: Path, executor: tuple[str, str]
) -> None:
    (tmp_path / "sets_up.py").write_text(
        "import logging\n"
        "log = logging.getLogger('imported')\n"
        "log.propagate, log.level = False, logging.ERROR\n"
        "log.addHandler(logging.NullHandler())\n"
    )
    script = """
    import logging
    logging.getLogger("existing")
    HERE = os.path.dirname(os.path.abspath(__file__))
    NAMES = ("existing", "propagates", "level", "assigned", "handlers", "disabled", "filters", "all")

    @dg.asset
    def makes() -> None:
        logging.getLogger("existing").propagate = False
        logging.getLogger("propagates").propagate = False
        logging.getLogger("level").setLevel("ERROR")
        logging.getLogger("assigned").level = logging.ERROR
        logging.getLogger("handlers").handlers = [logging.NullHandler()]
        logging.getLogger("disabled").disabled = True
        logging.getLogger("filters").addFilter(lambda record: False)
        log = logging.getLogger("all")
        log.addHandler(logging.NullHandler())
        log.propagate = False
        log.setLevel("ERROR")
        sys.path.insert(0, HERE)
        import sets_up
        logging.getLogger("imported").setLevel("CRITICAL")

    @dg.asset(deps=[makes])
    def uses() -> list:
        found = []
        for name in NAMES:
            log = logging.getLogger(name)
            log.info(name)
            found.append([log.level, log.propagate, log.handlers, log.disabled, log.filters])
        log = logging.getLogger("imported")
        return [found, [log.level, log.propagate, len(log.handlers)]]
    """
    result = ran(tmp_path, executor, script, "makes, uses")
    assert result.failures == {}
    names = [
        "existing",
        "propagates",
        "level",
        "assigned",
        "handlers",
        "disabled",
        "filters",
        "all",
    ]
    said = [line for line in result.logged["uses"] if "changed while" not in line]
    assert said == [f"INFO {name}" for name in names]
    found, imported = result.values["uses"]
    assert found == [[0, True, [], False, []]] * len(names)
    if executor[0] in ("serial", "threads"):  # of the others, each step may have its own process
        assert imported == [40, False, 1]


def test_a_run_leaves_the_class_of_loggers_as_it_was() -> None:
    before = dict(vars(logging.Logger))

    @dg.asset
    def a() -> None:
        logging.getLogger("of a step").propagate = False

    dg.materialize([a])
    assert dict(vars(logging.Logger)) == before


def test_what_a_step_prints_goes_where_it_has_put_the_descriptor(
    tmp_path: Path, executor: tuple[str, str]
) -> None:
    script = """
    import subprocess

    def says(name: str) -> None:
        print(name, "by print")
        sys.stdout.buffer.write(f"{name} by bytes\\n".encode())
        sys.stdout.flush()
        os.write(1, f"{name} by number\\n".encode())
        subprocess.run(["echo", name, "by a child"])
        os.system(f"echo {name} by a shell")
        if os.fork() == 0:
            print(name, "by a fork", flush=True)
            os._exit(0)
        os.wait()

    @dg.asset
    def moves() -> str:
        says("before")
        kept = os.dup(1)
        file = os.open("moved.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1)
        says("moved")
        os.dup2(kept, 1)
        says("back")
        os.dup2(2, 1)
        says("err")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        says("nowhere")
        with open("moved.txt") as written:
            return written.read()

    @dg.asset(deps=[moves])
    def after() -> None:
        says("after")
    """
    ways = ("print", "bytes", "number", "a child", "a shell", "a fork")

    def said(*names: str) -> str:
        return "".join(f"{name} by {way}\n" for name in names for way in ways)

    script = script.replace("moved.txt", str(tmp_path / "moved.txt"))
    result = ran(tmp_path, executor, script, "moves, after")
    assert result.failures == {}
    assert result.printed["after.out"] == said("after")
    if executor[0] in ("serial", "processes"):
        assert result.values["moves"] == said("moved")
        assert result.printed["moves.out"] == said("before", "back")
        assert result.printed["moves.err"] == said("err")


def test_what_a_step_does_to_its_process_ends_with_it_but_for_what_an_import_has_set_up(
    tmp_path: Path, executor: tuple[str, str]
) -> None:
    (tmp_path / "library_of_steps.py").write_text(
        'import os\nos.environ["OF_LIBRARY"] = "kept"\nos.environ["BOTH"] = "library"\n'
    )
    script = """
    import signal, threading

    os.environ["OURS"] = "mine"
    HERE = os.path.dirname(os.path.abspath(__file__))

    @dg.asset
    def changes() -> None:
        os.environ["OURS"] = "another"
        os.environ["NEW"] = "new"
        os.environ.pop("HOME", None)
        os.chdir("/")
        sys.stdout = sys.stderr = open(os.devnull, "w")
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGALRM, lambda *_: None)
            signal.setitimer(signal.ITIMER_REAL, 1000)
            for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
        sys.path.insert(0, HERE)
        import library_of_steps

    @dg.asset(deps=[changes])
    def replaces() -> None:
        os.environ = {"NEW": "new"}

    @dg.asset(deps=[replaces])
    def finds() -> list:
        print("seen")
        return [
            os.environ.get("NEW"), "HOME" in os.environ, os.getcwd() == "/",
            signal.getsignal(signal.SIGALRM) == signal.SIG_DFL,
            signal.SIG_IGN in map(signal.getsignal, (signal.SIGUSR1, signal.SIGTERM, signal.SIGHUP)),
            os.environ.get("OF_LIBRARY"), os.environ.get("BOTH"),
            signal.getitimer(signal.ITIMER_REAL)[0],
        ]
    """
    result = ran(tmp_path, executor, script, "changes, replaces, finds")
    assert result.failures == {}
    new, home, moved, alarm, ignored, of_library, both, timer = result.values["finds"]
    assert (new, home, moved, alarm, ignored) == (None, True, False, True, False)
    assert timer == 0  # it would end the process of the run
    if executor[0] in ("serial", "threads"):
        assert (of_library, both) == ("kept", "library")
    assert result.printed["finds.out"] == "seen\n"
    warned = " ".join(result.logged.get("changes", []))
    for what in ("os.environ['NEW']", "os.environ['HOME']", "the working folder"):
        assert (what in warned) == (executor[0] in ("threads", "dask"))


def test_the_umask_and_the_filters_of_warnings_that_a_step_sets_end_with_it(
    tmp_path: Path, executor: tuple[str, str]
) -> None:
    (tmp_path / "library_of_filters.py").write_text(
        "import warnings\n"
        'warnings.filterwarnings("ignore", message="of the library")\n'
        'from warnings import simplefilter as filtering\nfiltering("ignore", BytesWarning)\n'
    )
    script = """
    import warnings
    from warnings import simplefilter

    HERE = os.path.dirname(os.path.abspath(__file__))
    os.umask(0o027)
    warnings.filterwarnings("ignore", message="of the program")

    @dg.asset
    def sets() -> None:
        os.umask(0o777)
        os.umask(0o000)
        warnings.simplefilter("error")
        sys.path.insert(0, HERE)
        import library_of_filters

    @dg.asset(deps=[sets])
    def replaces() -> None:
        warnings.warn("not an error here")
        simplefilter("error")
        warnings.filters = []

    @dg.asset(deps=[replaces])
    def resets() -> None:
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("error")
        warnings.resetwarnings()

    @dg.asset(deps=[resets])
    def finds() -> list:
        warnings.warn("no error here")
        mask = os.umask(0o022)
        os.umask(mask)
        texts = [one[1].pattern for one in warnings.filters if one[1] is not None]
        errors = [one for one in warnings.filters if one[0] == "error"]
        of_library = [one for one in warnings.filters if one[2] is BytesWarning and one[0] == "ignore"]
        return [mask, errors, "of the program" in texts, "of the library" in texts, len(of_library)]
    """
    result = ran(tmp_path, executor, script, "sets, replaces, resets, finds")
    assert result.failures == {}
    mask, errors, of_program, of_library, again = result.values["finds"]
    assert errors == []
    assert mask == 0o027 if executor[0] != "dask" else mask not in (0o000, 0o777)
    if executor[0] in ("serial", "threads"):  # a worker repeats neither
        assert (of_program, of_library, again) == (True, True, 1)
    for step, what in (
        ("sets", "the umask"),
        ("sets", "the filters of warnings"),
        ("resets", "the filters of warnings"),
    ):
        warned = " ".join(result.logged.get(step, []))
        assert (what in warned) == (executor[0] in ("threads", "dask"))


def test_a_step_that_closes_the_descriptors_closes_them_for_itself(
    tmp_path: Path, executor: tuple[str, str]
) -> None:
    script = """
    import subprocess

    @dg.asset
    def closes() -> int:
        print("before", flush=True)
        os.close(1)
        os.close(2)
        return 1

    @dg.asset(deps=[closes])
    def closes_streams() -> int:
        print("open", flush=True)
        sys.stdout.close()
        sys.__stdout__.close()
        return 2

    @dg.asset(deps=[closes_streams])
    def finds() -> int:
        print("printed", flush=True)
        subprocess.run(["echo", "child"])
        return 3
    """
    result = ran(tmp_path, executor, script, "closes, closes_streams, finds")
    assert result.failures == {}
    assert result.printed == {
        "closes.out": "before\n",
        "closes_streams.out": "open\n",
        "finds.out": "printed\nchild\n",
    }
    assert result.values == {"closes": 1, "closes_streams": 2, "finds": 3}


def test_a_standard_stream_that_a_step_closes_is_open_for_the_next(
    tmp_path: Path, executor: tuple[str, str]
) -> None:
    script = """
    import subprocess

    def write_everywhere():
        print("printed")
        sys.__stdout__.write("to the first stream\\n")
        sys.__stdout__.buffer.write(b"to its buffer\\n")
        sys.__stdout__.flush()
        subprocess.run(["echo", "by a child"], stdout=sys.stdout)
        print("wrong", file=sys.__stderr__)
        return [sys.stdout.closed, sys.__stdout__.closed, sys.__stderr__.closed]

    @dg.asset
    def closes() -> list:
        sys.stdout.close()
        sys.__stdout__.close()
        sys.__stderr__.close()
        return [True]

    @dg.asset(deps=[closes])
    def after_close() -> list:
        return write_everywhere()

    @dg.asset(deps=[after_close])
    def closes_buffers() -> list:
        sys.__stdout__.buffer.close()
        sys.__stderr__.buffer.close()
        return [True]

    @dg.asset(deps=[closes_buffers])
    def after_buffers() -> list:
        return write_everywhere()

    @dg.asset(deps=[after_buffers])
    def detaches() -> list:
        sys.__stdout__.detach()
        sys.__stderr__.detach()
        return [True]

    @dg.asset(deps=[detaches])
    def after_detach() -> list:
        return write_everywhere()
    """
    changing = "closes, closes_buffers, detaches"
    writing = ["after_close", "after_buffers", "after_detach"]
    result = ran(tmp_path, executor, script, f"{changing}, {', '.join(writing)}")
    assert result.failures == {}
    lines = ["printed", "to the first stream", "to its buffer", "by a child"]
    for step in writing:
        assert result.values[step] == [False, False, False]
        assert result.printed[f"{step}.out"].splitlines() == lines, step
        assert result.printed[f"{step}.err"] == "wrong\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_what_a_step_prints_is_in_its_log_when_the_program_has_no_standard_streams(
    tmp_path: Path, executor: tuple[str, str], closed: str
) -> None:
    script = """
    @dg.asset
    def prints() -> None:
        print("printed")
        print("wrong", file=sys.stderr)
    """
    result = ran(tmp_path, executor, script, "prints", f'exec "$@" {closed}')
    assert result.failures == {}
    assert result.printed == {"prints.out": "printed\n", "prints.err": "wrong\n"}


@pytest.mark.parametrize("name", ["serial", "threads"])
def test_a_child_that_outlives_its_step_and_the_run_lives_and_is_in_no_other_log(
    tmp_path: Path, name: str
) -> None:
    go, ended = tmp_path / "go", tmp_path / "ended"
    os.mkfifo(go)
    os.mkfifo(ended)
    script = """
    import subprocess

    @dg.asset
    def starts() -> None:
        print("started")
        command = "echo early; read line < go; echo late; echo late >&2; echo alive > ended"
        subprocess.Popen(["sh", "-c", command], start_new_session=True)

    @dg.asset(deps=[starts])
    def other() -> None:
        print("other")
    """
    result = ran(tmp_path, (name, ""), script, "starts, other")
    go.write_text("go\n")
    assert ended.read_text() == "alive\n"
    assert result.printed["other.out"] == "other\n"
    assert result.printed["starts.out"].startswith("started\n")


def _has_ended(process: int) -> bool:
    try:
        fd = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    ready = select.poll()
    ready.register(fd, select.POLLIN)
    ended = bool(ready.poll(20_000))
    os.close(fd)
    return ended


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux has pidfd_open")
@pytest.mark.parametrize("name", ["serial", "threads", "processes"])
def test_what_libraries_keep_running_between_steps_ends_with_the_program(
    tmp_path: Path, name: str
) -> None:
    """As the resource trackers of `multiprocessing` and joblib, whose pipes joblib makes
    inheritable, and as pools that a library ends at the exit of the interpreter."""
    script = """
    import atexit, multiprocessing, signal, subprocess, threading
    from multiprocessing import resource_tracker

    @dg.asset
    def tracker() -> int:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            assert pool.map(abs, [-1]) == [1]
        kept = resource_tracker._resource_tracker
        os.set_inheritable(kept._fd, True)
        return kept._pid

    @dg.asset(deps=[tracker])
    def daemon() -> int:
        child = multiprocessing.get_context("fork").Process(target=signal.pause, daemon=True)
        child.start()
        return child.pid

    @dg.asset(deps=[daemon])
    def executor() -> int:
        child = subprocess.Popen(["sleep", "1000"])
        threading._register_atexit(child.kill)
        return child.pid

    @dg.asset(deps=[executor])
    def program() -> int:
        child = subprocess.Popen(["sleep", "1000"])
        atexit.register(child.kill)
        return child.pid
    """
    result = ran(tmp_path, (name, ""), script, "tracker, daemon, executor, program")
    assert result.failures == {}
    assert {asset: _has_ended(pid) for asset, pid in result.values.items()} == dict.fromkeys(
        ["tracker", "daemon", "executor", "program"], True
    )


def test_a_thread_that_a_step_left_running_does_not_keep_a_worker_alive(tmp_path: Path) -> None:
    script = """
    import threading

    @dg.asset
    def leaves() -> int:
        threading.Thread(target=threading.Event().wait).start()
        return os.getpid()
    """
    result = ran(tmp_path, ("processes", ""), script, "leaves")
    assert result.failures == {}
    with pytest.raises(ProcessLookupError):
        os.kill(result.values["leaves"], 0)


def test_what_steps_print_through_descriptors_at_the_same_time_says_that_it_is_shared(
    tmp_path: Path,
) -> None:
    script = """
    import threading

    both = threading.Barrier(2)

    def writes(word):
        both.wait(30)
        os.system(f"echo {word} from a program")
        both.wait(30)
        if word == "one":
            os.write(1, b"from nobody\\n")
        both.wait(30)

    @dg.asset
    def one() -> None:
        writes("one")

    @dg.asset
    def two() -> None:
        writes("two")
    """
    result = ran(tmp_path, ("threads", ""), script, "one, two")
    assert result.printed == {
        "one.out": "one from a program\n",
        "two.out": "two from a program\n",
    }
    shared = "INFO stdout of the process, from this step or one that ran beside it: from nobody"
    assert result.logged == {"one": [shared], "two": [shared]}


@pytest.mark.parametrize("name", ["processes", "dask"])
def test_a_step_that_a_worker_cannot_load_fails_and_nothing_of_it_runs_elsewhere(
    tmp_path: Path, name: str, request: pytest.FixtureRequest
) -> None:
    script = """
    run_in = os.getpid()

    class Ending(Exception):
        def __reduce__(self):
            return os._exit, (3,)

    def refuse(run_in):
        raise Ending("not here")

    class Refuses:
        def __reduce__(self):
            return refuse, (run_in,)

    kept = Refuses()

    @dg.asset
    def needs() -> None:
        print(kept)

    @dg.asset
    def other() -> int:
        return 1
    """
    scheduler = request.getfixturevalue("dask_scheduler") if name == "dask" else ""
    result = ran(tmp_path, (name, scheduler), script, "needs, other")
    assert result.failures["needs"].startswith("WorkerError: it cannot be loaded in")
    assert "Ending: not here" in result.failures["needs"]
    assert result.values == {"other": 1}


@pytest.mark.parametrize("name", ["serial", "threads"])
def test_a_forked_child_holds_no_pipe_of_the_run_but_those_of_its_step(
    tmp_path: Path, name: str
) -> None:
    """One that lives on would keep a reader waiting, and write into what is no longer read."""
    script = """
    def pipes(numbers):
        links = [f"/proc/self/fd/{number}" for number in numbers]
        return [os.path.basename(link) for link in links if os.path.islink(link)
                and os.readlink(link).startswith("pipe:")]

    @dg.asset
    def forks() -> None:
        child = os.fork()
        if child == 0:
            with open("pipes", "w") as file:
                json.dump([pipes([1, 2]), pipes(range(3, 1000))], file)
            os.write(1, b"of the child\\n")
            os._exit(0)
        os.waitpid(child, 0)
    """
    result = ran(tmp_path, (name, ""), script, "forks")
    assert result.failures == {}
    assert json.loads((tmp_path / "pipes").read_text()) == [["1", "2"], []]
    assert result.printed["forks.out"] == "of the child\n"

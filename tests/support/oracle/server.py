"""Materializes small projects, each in a process of its own.

`python -m oracle.server NAME …` imports assetgraph and the libraries named, but never a project. For each request, a line of
JSON, it forks a child that loads the project in the named folder, as a new process would, and
writes what came out to `answer.json` there.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[3]
TIMEOUT_S = 120
MOST_CPU_S, MOST_BYTES = 3, 3 << 30  # an edit may make a loop endless
IMPORTED = ("assetgraph.run.launch", "assetgraph.planning.facts", "assetgraph.project.load")
NO_VARIABLES: Mapping[str, str] = MappingProxyType({})
FAILED, SKIPPED = "failed", "skipped"


class Answer(NamedTuple):
    """What came of a project: the assets that ran, each asset's value as text, and what `show` says
    cannot be followed. `error` is a text if the project could not be loaded."""

    ran: tuple[str, ...]
    values: dict[str, str]
    notes: tuple[str, ...]
    error: str


class Server:
    """A server with its own seed for hashes, so that no two servers order sets alike."""

    def __init__(self, seed: int, libraries: Iterable[str] = ()) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "oracle.server", *libraries],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ
            | {
                "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")]),
                "PYTHONHASHSEED": str(seed),
                "PYTHONDONTWRITEBYTECODE": "",
            },
        )

    def ask(
        self, folder: Path, variables: Mapping[str, str] = NO_VARIABLES, *, stale: bool = False
    ) -> Answer:
        """Materialize every asset of the project in a folder, or only the stale ones, with some
        environment variables."""
        return self.begin(folder, variables, stale=stale)()

    def begin(
        self, folder: Path, variables: Mapping[str, str] = NO_VARIABLES, *, stale: bool = False
    ) -> Callable[[], Answer]:
        """The same, without waiting: what this returns waits for the answer."""
        pipe = self._process
        assert pipe.stdin is not None
        pipe.stdin.write(json.dumps([str(folder), dict(variables), stale]) + "\n")
        pipe.stdin.flush()
        return lambda: self._answer(folder)

    def _answer(self, folder: Path) -> Answer:
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            raise RuntimeError("the server is gone")
        file = folder / "answer.json"
        if not file.exists():
            return Answer((), {}, (), "the process died")
        said = json.loads(file.read_text(encoding="utf-8"))
        file.unlink()
        return Answer(tuple(said["ran"]), said["values"], tuple(said["notes"]), said["error"])

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def serve() -> None:
    for name in (*IMPORTED, *sys.argv[1:]):
        import_module(name)
    for line in sys.stdin:
        folder, variables, stale = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.environ.update(variables)
            _child(Path(folder), stale)
        os.waitpid(pid, 0)
        print("done", flush=True)


def _child(folder: Path, stale: bool) -> None:
    signal.alarm(TIMEOUT_S)
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    said: dict[str, Any] = {"ran": [], "values": {}, "notes": [], "error": ""}
    try:
        said |= _materialized(folder, stale)
    except BaseException:
        said["error"] = traceback.format_exc()
    (folder / "answer.json").write_text(json.dumps(said), encoding="utf-8")
    os._exit(0)


def _materialized(folder: Path, stale: bool) -> dict[str, Any]:
    from assetgraph.keys import Target
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.request import RunRequest, plan_run
    from assetgraph.project.settings import find_project
    from assetgraph.run.launch import launch

    os.chdir(folder)
    project = find_project(folder)
    graph = project.load().graph
    store = project.open_store()
    facts = StoreFacts(graph, store)
    request = RunRequest(selection=("*",), stale=stale)
    plan = plan_run(request, facts)
    outcome = launch(request, plan, facts, project=project, echo=False) if plan.steps else None
    values, ran = {}, []
    for key in graph.order:
        current, failed = store.history.current(Target(key))
        values[key.text] = FAILED if failed else _text(store, current) if current else SKIPPED
        last = failed or current
        if outcome is not None and last is not None and last.run_id == outcome.record.run_id:
            ran.append(key.text)
    covers = [store.code.covers(graph.computation(key)) for key in graph.order]
    return {
        "ran": ran,
        "values": values,
        "notes": sorted({note for found in covers for one in found for note in one.notes}),
    }


def _text(store: Any, current: Any) -> str:
    """A value as text that does not depend on addresses in memory."""
    try:
        return json.dumps(
            store.values.load(current.value), default=lambda held: type(held).__name__
        )
    except Exception as error:
        return f"not loaded: {type(error).__name__}"


if __name__ == "__main__":
    serve()

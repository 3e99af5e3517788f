"""Launching a run in a separate process. Nothing that an asset does can harm the process that asked
for the run, and the run continues when that process ends.

    python -m assetgraph.run.launch_process

reads a `LaunchMessage` as JSON from standard input. Its output is for the process that started it.
An error that prevents the run comes last, after a zero byte, as a `Refusal` in JSON.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from assetgraph.errors import AssetGraphError, SelectionError
from assetgraph.planning.request import RunRequest
from assetgraph.records import now

if TYPE_CHECKING:
    from assetgraph.project.settings import Project
    from assetgraph.storage.store import Store

PATIENCE_S = 60.0
_LOOK_INTERVAL_S = 0.02
_SHOWN_OUTPUT = 8000
_STILL_LOADING = "The project is still loading after {:.0f} s. The run will start as {}."


class LaunchError(AssetGraphError):
    """The process ended before its run began. The message is its error, after what it printed."""


class LaunchMessage(msgspec.Struct, frozen=True):
    """The input of the process: a request, and where the project is."""

    request: RunRequest
    modules: tuple[str, ...]
    store: str


class Refusal(msgspec.Struct, frozen=True):
    """The error that prevented the run. `text` and `column` are those of a `SelectionError`."""

    message: str
    hint: str | None
    traceback: str
    text: str | None
    column: int | None


@dataclass(frozen=True, slots=True)
class Launched:
    """A process that was started: the id of its run, or a message if there was nothing to run.

    Both are None while the process is still loading the project.
    """

    run_id: str | None = None
    message: str | None = None


def launch_process(request: RunRequest, project: Project, store: Store) -> Launched:
    """Start a run of `request` in a new process, and wait until it is recorded, at most a minute.

    Raises `SelectionError` for a wrong selection, and `LaunchError` if the process ends without a
    run for another reason.
    """
    run_id = request.run_id or store.runs.new_id(now())
    request = msgspec.structs.replace(request, run_id=run_id)
    message = LaunchMessage(request, project.modules, str(project.store))
    deadline = time.monotonic() + PATIENCE_S
    with tempfile.TemporaryFile() as output:
        process = _start(project.root, msgspec.json.encode(message), output)
        threading.Thread(target=process.wait, daemon=True).start()
        while time.monotonic() < deadline:
            ended = process.poll() is not None
            if store.runs.exists(run_id):
                return Launched(run_id)
            if ended and process.returncode == 0:
                return Launched(message=_printed(output)[0])
            if ended:
                raise _launch_error(*_printed(output), process.returncode)
            time.sleep(_LOOK_INTERVAL_S)
    return Launched(message=_STILL_LOADING.format(PATIENCE_S, run_id))


def main() -> int:
    """Run the request that arrives on standard input, and return the exit code."""
    from assetgraph.process.signals import raise_on_termination
    from assetgraph.project.settings import find_project

    raise_on_termination()
    message = msgspec.json.decode(sys.stdin.buffer.read(), type=LaunchMessage)
    try:
        project = find_project(modules=message.modules, store=Path(message.store))
        return _run(message.request, project)
    except AssetGraphError as error:
        _refuse(error)
        return error.exit_code
    except KeyboardInterrupt as interrupt:
        return getattr(interrupt, "exit_code", 130)


def _run(request: RunRequest, project: Project) -> int:
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.request import facts_for, nothing_to_do, plan_run
    from assetgraph.run.launch import launch
    from assetgraph.run.observe import observe_first

    graph = project.load().graph.require_valid()
    facts = StoreFacts(graph, project.open_store())
    observe_first(request, facts)
    facts = facts_for(request, facts)
    plan = plan_run(request, facts)
    if not plan.steps:
        print(nothing_to_do(request, plan))
        return 0
    return 1 if launch(request, plan, facts, project=project, echo=False).errors else 0


def _start(root: Path, message: bytes, output: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "assetgraph.run.launch_process"],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the caller's terminal must not reach the run
        )
    except OSError as error:
        raise LaunchError(f"the run's process cannot be started: {error}.") from error
    assert process.stdin is not None
    try:
        with process.stdin:
            process.stdin.write(message)
    except BrokenPipeError:
        pass  # it has ended, and its output says why
    return process


def _refuse(error: AssetGraphError) -> None:
    refusal = Refusal(
        error.message,
        error.hint,
        getattr(error, "traceback", None) or "",
        getattr(error, "text", None),
        getattr(error, "column", None),
    )
    sys.stdout.flush()
    os.write(1, b"\0" + msgspec.json.encode(refusal))


def _printed(output: IO[bytes]) -> tuple[str, Refusal | None]:
    """What the process printed, and the error that prevented its run."""
    output.seek(0)
    data = output.read()
    text, _, last = data.rpartition(b"\0")
    try:
        refusal = msgspec.json.decode(last, type=Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError):
        text, refusal = data, None  # the process printed everything itself
    return text[-_SHOWN_OUTPUT:].decode(errors="replace").strip(), refusal


def _launch_error(printed: str, refusal: Refusal | None, exit_code: int) -> AssetGraphError:
    if refusal is None:
        return LaunchError(printed or f"the run's process ended with exit code {exit_code}.")
    if refusal.text is not None:
        return SelectionError(
            refusal.message, hint=refusal.hint, text=refusal.text, column=refusal.column
        )
    parts = (printed, refusal.message, refusal.traceback)
    return LaunchError("\n".join(filter(None, parts)), hint=refusal.hint)


if __name__ == "__main__":
    code = main()
    from assetgraph.process.current_step import running

    if running():
        from assetgraph.process.ending import end

        end(code)
    sys.exit(code)

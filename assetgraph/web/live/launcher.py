"""Runs that the page starts: each a process of its own, so that nothing that an asset does can take
the page down, and a run goes on when the page ends."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

import msgspec

from assetgraph.errors import AssetGraphError

if TYPE_CHECKING:
    from assetgraph.project.settings import Project
    from assetgraph.records import RunRecord
    from assetgraph.storage.store import Store

PATIENCE_S = 60.0
_LOOK_INTERVAL_S = 0.02
_NEWEST = 20
_SHOWN_OUTPUT = 8000


class LaunchError(AssetGraphError):
    """The process ended before it made a run; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the launch dialog asks for: a selection, or all that is stale of it."""

    selection: tuple[str, ...] = ()
    stale: bool = False
    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    executor: str | None = None
    jobs: int | None = None


@dataclass(frozen=True, slots=True)
class Launched:
    """A process that was started: the run that it made, or what it said where there was nothing to
    run, or neither where it is still loading the project."""

    run_id: str | None = None
    message: str | None = None


class Launcher:
    """Starts runs of `project`."""

    def __init__(self, project: Project, store: Store) -> None:
        self._project = project
        self._store = store

    def materialize(self, wanted: Wanted) -> Launched:
        """Start a run and wait until it is recorded, for a minute at most.

        Raises `LaunchError`.
        """
        with _config_file(wanted.config) as file:
            options = ["--stale"] if wanted.stale else []
            options += ["--config-file", file] if file else []
            options += [f"--tag={name}={value}" for name, value in wanted.tags.items()]
            options += ["--executor", wanted.executor] if wanted.executor else []
            options += [f"-j{wanted.jobs}"] if wanted.jobs is not None else []
            return self._run(["materialize", *options, *self._where(), "--", *wanted.selection])

    def rerun(self, run_id: str, *, from_failure: bool, steps: Sequence[str]) -> Launched:
        """Execute a run again: all its steps, what is left of it, or `steps`.

        Raises `LaunchError`.
        """
        options = ["--from-failure"] if from_failure else []
        options += [f"--step={step}" for step in steps]
        return self._run(["runs", "rerun", *options, *self._where(), run_id])

    def _where(self) -> list[str]:
        modules = [word for module in self._project.modules for word in ("-m", module)]
        return [*modules, "--store", str(self._project.store)]

    def _run(self, arguments: Sequence[str]) -> Launched:
        known, begun = self._newest(), time.monotonic()
        with tempfile.TemporaryFile() as output:
            process = self._process(arguments, output)
            threading.Thread(target=process.wait, daemon=True).start()
            while time.monotonic() < begun + PATIENCE_S:
                ended = process.poll() is not None
                run_id = self._run_of(process.pid, known)
                if run_id:
                    return Launched(run_id)
                if ended and process.returncode == 0:
                    return Launched(message=_said(output))
                if ended:
                    raise LaunchError(_said(output) or f"it ended with {process.returncode}.")
                time.sleep(_LOOK_INTERVAL_S)
        return Launched()

    def _process(self, arguments: Sequence[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "assetgraph", *arguments],
                cwd=self._project.root,
                env={**os.environ, "ASSETGRAPH_LAUNCHED_BY": "page"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the page's terminal is not for the run
            )
        except (OSError, ValueError) as error:  # too long for the system, or a NUL in it
            raise LaunchError(f"the run's process cannot be started: {error}.") from error

    def _newest(self) -> set[str]:
        return set(islice(self._store.runs.ids(), _NEWEST))

    def _run_of(self, pid: int, known: set[str]) -> str | None:
        """The run that the process `pid` recorded, which is not among those `known` before."""
        for run_id in self._newest() - known:
            record = self._read(run_id)
            if record and record.pid == pid:
                return run_id
        return None

    def _read(self, run_id: str) -> RunRecord | None:
        try:
            return self._store.runs.read(run_id)
        except AssetGraphError:
            return None


@contextmanager
def _config_file(config: Mapping[str, Any]) -> Iterator[str | None]:
    """A file with `config` for as long as the process may read it."""
    if not config:
        yield None
        return
    handle, path = tempfile.mkstemp(suffix=".json", prefix="assetgraph-config-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(config))
        yield path
    finally:
        os.unlink(path)


def _said(output: IO[bytes]) -> str:
    output.seek(0)
    return output.read()[-_SHOWN_OUTPUT:].decode(errors="replace").strip()

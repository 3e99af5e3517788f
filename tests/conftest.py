"""Shared fixtures: an empty registry for each test, stores in new folders, small projects."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from code_projects import remove_importer

from assetgraph import Instance, Registry
from assetgraph.cli.app import run
from assetgraph.code import importer
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.project.settings import Project, find_project
from assetgraph.storage.store import Store

REPOSITORY = Path(__file__).parents[1]

# Being slow is not an error: the machine may be busy.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

# Processes that a shell starts in the background ignore SIGINT, and so would their children.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def registry() -> Iterator[Registry]:
    """The registry of one test: its assets are registered only here."""
    with Registry() as fresh:
        yield fresh


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, made the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def instance(folder: Path) -> Instance:
    """An instance in `.assetgraph` of the current folder."""
    return Instance(folder / ".assetgraph")


@pytest.fixture
def store(instance: Instance) -> Store:
    return instance.store


@dataclass
class ProjectFolder:
    """A project on disk: `write` files, `load` it in this process, or run `python` in a new one."""

    root: Path

    def write(self, name: str, text: str) -> Path:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        importlib.invalidate_caches()
        return file

    def find(self) -> Project:
        return find_project(self.root)

    def load(self) -> AssetGraph:
        return self.find().load().graph

    def python(self, code: str, *, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run `code` in a fresh interpreter with the project's folder as the current one."""
        return subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., ProjectFolder]]:
    """Creates a project: `project({"pipeline.py": "…"}, module="pipeline")`.

    Undoes at the end what loading it changes in this process.
    """
    root = tmp_path / "project"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def make(files: dict[str, str], *, module: str | list[str] = "pipeline") -> ProjectFolder:
        made = ProjectFolder(root)
        named = repr(module).replace("'", '"')
        made.write("pyproject.toml", f"[tool.assetgraph]\nmodule = {named}\n")
        for name, text in files.items():
            made.write(name, text)
            top = name.partition("/")[0].removesuffix(".py")
            sys.modules.pop(top, None)  # another module of that name
        return made

    yield make
    remove_importer(root)
    importer.forget(root)
    for name in tuple(sys.modules):
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Makes UTC the local time zone."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@dataclass
class Answer:
    """The result of a command: its exit code, and its output on each stream."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def assetgraph(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Runs a command in the current folder: `assetgraph("runs", "list")`."""

    def run_command(*arguments: str) -> Answer:
        importer.forget(tmp_path)  # a new process would load it again, too
        capsys.readouterr()
        code = run(arguments)
        return Answer(code, *capsys.readouterr())

    return run_command


def in_new_process(folder: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    """Start a command in `folder`, in a process beside the test."""
    return subprocess.Popen(
        [sys.executable, "-m", "assetgraph", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    """The URL of a bucket on a local S3 server, with the environment set up for it."""
    import pyarrow.fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "any")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "any")
        pyarrow.fs.S3FileSystem(
            endpoint_override=f"{host}:{port}",
            scheme="http",
            region="us-east-1",
            allow_bucket_creation=True,
        ).create_dir("values")
        yield "s3://values"
    server.stop()


@pytest.fixture(scope="module")  # idle processes of Dask take a twentieth of a processor
def dask_scheduler() -> Iterator[str]:
    """The address of a Dask scheduler with two workers, each a process."""
    distributed = pytest.importorskip("distributed", reason="Dask is not installed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster.scheduler_address

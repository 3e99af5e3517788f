"""With `--json`, stdout is the JSON and nothing else, whatever the project's code prints."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from conftest import REPOSITORY, ProjectFolder

from assetgraph.cli.app import assetgraph as command_line

MODULE = """
import atexit, ctypes, os, subprocess, sys
import assetgraph as dg

def shout(where):
    print("printed", where)
    print("kept", where, file=sys.__stdout__)
    os.write(1, b"written\\n")
    subprocess.run(["sh", "-c", "echo child"])
    ctypes.CDLL(None).printf(b"no end of a line, ")

shout("at import")
atexit.register(shout, "at exit")

@dg.asset
def loud() -> int:
    shout("in a step")
    return 1
"""

# What each command needs besides --json. A command that is not here needs nothing.
ARGUMENTS: dict[str, list[str]] = {
    "init": ["new"],
    "scaffold asset": ["added.py"],
    "accept": ["loud"],
    "materialize": ["loud"],
    "show": ["loud"],
    "runs show": ["latest"],
    "runs logs": ["latest"],
    "runs rerun": ["latest"],
    "runs cancel": ["latest"],
    "runs delete": ["latest", "--yes"],
    "mv": ["loud", "loader"],
    "wipe": ["loud", "--yes"],
    "peek": ["loud"],
}


def commands(group: click.Group, path: str = "") -> Iterator[str]:
    """The commands that take --json, as one types them."""
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if isinstance(command, click.Group):
                yield from commands(command, f"{path}{name} ")
            elif command is not None and any(p.name == "as_json" for p in command.params):
                yield path + name


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "assetgraph", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def materialized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project after one run. Tests work in a copy of it."""
    made = ProjectFolder(tmp_path_factory.mktemp("materialized"))
    made.write("pyproject.toml", '[tool.assetgraph]\nmodule = "pipeline"\n')
    made.write("pipeline.py", MODULE)
    assert run(made.root, "materialize", "loud").returncode == 0
    return made.root


@pytest.mark.parametrize("command", list(commands(command_line)))
def test_stdout_of_json_is_json_alone(materialized: Path, tmp_path: Path, command: str) -> None:
    shutil.copytree(materialized, tmp_path, dirs_exist_ok=True)
    ended = run(tmp_path, *command.split(), *ARGUMENTS.get(command, []), "--json")
    if ended.returncode:
        assert ended.stdout == ""
    else:
        json.loads(ended.stdout)


@pytest.mark.parametrize("executor", ["serial", "threads", "processes"])
def test_a_run_that_prints_leaves_stdout_to_the_json(
    project: Callable[..., ProjectFolder], executor: str
) -> None:
    made = project({"pipeline.py": MODULE})
    ended = run(made.root, "materialize", "loud", "--json", "--executor", executor)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["status"] == "SUCCESS"
    assert "printed at import" in ended.stderr

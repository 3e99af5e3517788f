"""The command line where the process around it is not as usual: no folder, a broken locale."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import REPOSITORY, Answer, ProjectFolder

import assetgraph as dg
from assetgraph.errors import ProjectError

MakeProject = Callable[..., ProjectFolder]

GREAT = "from assetgraph import asset\n@asset\ndef größe(): print('größe →'); return 1\n"


@pytest.fixture
def gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder is one that was deleted."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()


@pytest.mark.parametrize(
    "words",
    ["list", "list --store x", "list -m ./m.py", "check --json", "init", "init new", "doctor",
     "scaffold asset x.py", "materialize a --config-file c.yaml", "runs list", "dev"],
)  # fmt: skip
def test_no_command_calls_a_deleted_working_folder_a_bug(
    gone: None, assetgraph: Callable[..., Answer], words: str
) -> None:
    answer = assetgraph(*shlex.split(words))
    assert (answer.code, answer.out) == (2, "")
    if "--config-file" not in words:
        assert answer.err == (
            "Error: the working folder does not exist any more.\nChange to one that does: cd ~\n"
        )


def test_python_names_a_deleted_working_folder_too(gone: None) -> None:
    @dg.asset
    def a() -> int:
        return 1

    for call in (lambda: dg.materialize([a]), lambda: dg.load("a"), lambda: dg.Instance("st")):
        with pytest.raises(ProjectError, match="the working folder does not exist any more"):
            call()


def in_surroundings(
    folder: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[bytes]:
    known = ("HOME", "LANG", "TERM", "COLUMNS", "PYTHONUTF8", "PYTHONIOENCODING")
    kept = {n: v for n, v in os.environ.items() if n not in known and not n.startswith("LC_")}
    return subprocess.run(
        [sys.executable, "-m", "assetgraph", *arguments],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(REPOSITORY), **variables},
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "xx_XX"},
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii:strict"},
        {"HOME": "/nonexistent", "TERM": "dumb", "COLUMNS": "0"},
    ],
    ids=str,
)
def test_a_key_of_any_script_works_in_odd_surroundings(
    project: MakeProject, variables: dict[str, str]
) -> None:
    made = project({"pipeline.py": GREAT})
    ran = in_surroundings(made.root, "materialize", "größe", **variables)
    assert ran.returncode == 0, ran.stderr
    assert b"bug" not in ran.stderr


def test_a_locale_that_cannot_name_the_files_of_a_key_is_refused_before_anything_runs(
    project: MakeProject,
) -> None:
    made = project({"pipeline.py": GREAT})
    ascii_only = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    for words in (["materialize", "größe"], ["list", "--store", "stü"]):
        ran = in_surroundings(made.root, *words, **ascii_only)
        assert ran.returncode == 2
        assert b"in this locale (ascii)" in ran.stderr
        assert b"export LC_ALL=C.UTF-8" in ran.stderr
    assert not (made.root / ".assetgraph").exists()

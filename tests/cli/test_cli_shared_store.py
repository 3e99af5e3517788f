"""Two projects that keep an asset of one key in one store say so."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from code_projects import remove_importer
from conftest import Answer, ProjectFolder

from assetgraph.code import importer

Command = Callable[..., Answer]
CODE = "import assetgraph as dg\n@dg.asset\ndef trips():\n    return {}\n"


@pytest.fixture(autouse=True)
def forgotten(tmp_path: Path) -> Iterator[None]:
    """Undoes at the end what loading projects in several folders changed."""
    yield
    for folder in tmp_path.iterdir():
        remove_importer(folder)
    importer.forget(tmp_path)


@pytest.fixture
def at(
    project: Callable[..., ProjectFolder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Path]:
    """Makes a folder of this name with a project the current one."""
    project({})  # undoes what importing changes

    def enter(name: str) -> Path:
        importer.forget(tmp_path)
        folder = tmp_path / name
        if not folder.exists():
            folder.mkdir()
            (folder / "pyproject.toml").write_text(
                f'[tool.assetgraph]\nmodule = "m"\nstore = "{tmp_path}/store"\n'
            )
            (folder / "m.py").write_text(CODE.format(len(name)))
        monkeypatch.chdir(folder)
        return folder

    return enter


def test_two_projects_that_share_a_store_and_a_key_are_told_of_each_other(
    at: Callable[[str], Path], assetgraph: Command
) -> None:
    here, there = at("here"), at("somewhere")
    at("here")
    first = assetgraph("materialize", "--all")
    assert "shares this store" not in first.err
    assert assetgraph("status", "--exit-code").code == 0

    at("somewhere")
    assert f"the project in {here} materialized it" in assetgraph("status").out
    for command in (["plan"], ["plan", "trips"], ["materialize", "--stale"]):
        answer = assetgraph(*command)
        assert f"the project in {here} shares this store" in " ".join(answer.err.split()), command
    assert (
        f"the project in {here}"
        in assetgraph("runs", "show", "latest", "--json").json["warnings"][0]
    )

    at("here")
    assert f"the project in {there} materialized it" in assetgraph("status").out
    shutil.rmtree(there)
    assert "the project in" not in assetgraph("status").out


def test_a_project_that_moved_or_was_copied_with_its_store_is_no_other_project(
    project: Callable[..., ProjectFolder],
    assetgraph: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = project({"pipeline.py": CODE.format(1)})
    monkeypatch.chdir(made.root)
    assert assetgraph("materialize", "--all").code == 0
    shutil.copytree(made.root, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    Path("pipeline.py").write_text(CODE.format(2))
    status = assetgraph("status")
    assert "! stale" in status.out
    assert "the project in" not in status.out

"""What a command suggests next: the commands work as they stand, and an empty project says how to
begin."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Answer, ProjectFolder

from assetgraph.storage.store import Store

Command = Callable[..., Answer]
MakeProject = Callable[..., ProjectFolder]

PIPELINE = """\
import assetgraph as dg

@dg.asset
def raw_trips():
    return [1, 2, 3]

@dg.asset
def daily_fares(raw_trips):
    return sum(raw_trips)

@dg.asset
def broken():
    raise ValueError("no")
"""


@pytest.fixture
def options(folder: Path, project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What says which project, outside of which the current folder lies."""
    made = project({"pipeline.py": PIPELINE})
    made.write("pyproject.toml", "")
    monkeypatch.chdir(made.root)
    for name in ("records", "elsewhere"):
        Store(folder / name).prepare()
    return ["-m", "pipeline", "--store", str(folder / "records")]


def suggested(answer: Answer) -> list[str]:
    """The commands that an answer names."""
    return re.findall(r"(?m)assetgraph [a-z]+ .*$", answer.out + answer.err)


@pytest.mark.parametrize(
    "words",
    [
        "runs list",
        "runs show latest",
        "runs delete nothing --yes",
        "show nothing",
        "accept raw_trips",
        "status",
    ],
)
def test_what_an_empty_store_suggests_is_on_the_project_that_was_given(
    options: list[str], assetgraph: Command, words: str
) -> None:
    (command,) = suggested(assetgraph(*words.split(), *options))
    assert command.endswith(" ".join(options))


def test_what_a_run_suggests_is_on_the_project_that_was_given(
    options: list[str], assetgraph: Command
) -> None:
    assert assetgraph("materialize", "raw_trips", *options).code == 0
    Path("pipeline.py").write_text(PIPELINE.replace("[1, 2, 3]", "[3, 2, 1]"))
    answers = [
        assetgraph("materialize", "daily_fares", "broken", *options),
        assetgraph("runs", "show", "latest", *options),
        assetgraph("plan", "daily_fares", *options),
    ]
    assert any("materialize --stale raw_trips" in line for line in suggested(answers[0]))
    assert any("runs rerun" in line for line in suggested(answers[1]))
    for answer in answers:
        assert all(line.endswith(" ".join(options)) for line in suggested(answer))
    elsewhere = str(Path(options[-1]).with_name("elsewhere"))
    assert suggested(assetgraph("runs", "list", "--store", elsewhere))[0].endswith("/elsewhere")


def test_what_is_suggested_without_options_has_none(
    options: list[str], assetgraph: Command
) -> None:
    assetgraph("status", *options)
    Path("pyproject.toml").write_text('[tool.assetgraph]\nmodule = "pipeline"\n')
    assert suggested(assetgraph("status")) == ["assetgraph materialize --stale"]


@pytest.mark.parametrize("words", ["list", "status", "lineage", "lineage --format mermaid"])
def test_a_project_without_assets_says_how_to_make_the_first(
    options: list[str], assetgraph: Command, words: str
) -> None:
    Path("pipeline.py").write_text("")
    answer = assetgraph(*words.split(), *options)
    assert answer.code == 0
    assert answer.err == (
        f"No assets yet. To add a first one: assetgraph scaffold asset NAME.py "
        f"{' '.join(options)}\n"
    )

"""The pages that say how to: each block of code runs, and prints what they say."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from conftest import Answer, ProjectFolder
from played_pages import blocks, play

from assetgraph.cli.app import assetgraph as command_line
from assetgraph.project.settings import SETTINGS

DOCS = Path(__file__).parents[1] / "docs"
PLAYED = ("index", "tutorial", "partitions", "backfills", "coming-from-dagster")
FOLDERS = ("how-to", "concepts", "coming-from")
PAGES = [
    *PLAYED,
    *sorted(
        str(page.relative_to(DOCS).with_suffix(""))
        for name in FOLDERS
        for page in (DOCS / name).glob("*.md")
    ),
]


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_shows_is_so(
    name: str,
    project: Callable[..., ProjectFolder],
    assetgraph: Callable[..., Answer],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    root = project({}).root
    monkeypatch.chdir(root)
    if "object" in name:
        assert request.getfixturevalue("object_store") == "s3://values"

    def command(*words: str) -> tuple[int, str]:
        answer = assetgraph(*words)
        return answer.code, answer.out + answer.err

    shown = {block.kind for block in blocks(DOCS / f"{name}.md")}
    assert bool(play(DOCS / f"{name}.md", root, command)) == bool(shown - {"mermaid"})


@pytest.mark.parametrize("name", PAGES)
def test_no_block_of_a_page_is_passed_over(name: str) -> None:
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    assert 2 * len(list(blocks(DOCS / f"{name}.md"))) == text.count("```")


@pytest.mark.parametrize("name", PAGES)
def test_every_command_in_a_sentence_or_a_file_of_a_page_is_one(name: str) -> None:
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    files = "".join(block.text for block in blocks(DOCS / f"{name}.md") if block.kind != "sh")
    said = re.findall(r"`assetgraph ([^`]+)`", text) + re.findall(
        r"(?:bin/|run: )assetgraph (.+)", files
    )
    for words in map(shlex.split, said):
        _require_options(command_line, words)


@pytest.mark.parametrize("name", PAGES)
def test_every_setting_in_a_page_is_one(name: str) -> None:
    for block in blocks(DOCS / f"{name}.md"):
        if block.kind == "toml":
            assert set(tomllib.loads(block.text)["tool"]["assetgraph"]) <= set(SETTINGS)


def _require_options(command: click.Command, words: list[str]) -> None:
    """Check that there is the command that `words` begin with, and that it has their options."""
    if isinstance(command, click.Group) and words:
        found = command.get_command(click.Context(command), words[0])
        assert found, f"there is no command {words[0]!r}"
        _require_options(found, words[1:])
        return
    options = {one for parameter in command.params for one in parameter.opts}
    assert {w.partition("=")[0] for w in words if w.startswith("-")} <= options, words

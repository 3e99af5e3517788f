"""Each edit that the page about versions shows does what the page says of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from code_projects import look, write

PAGE = Path(__file__).parents[2] / "docs" / "versions.md"
EDIT = re.compile(
    r"^(?P<code>.*?) *# (?P<old>.+?) → (?P<new>.+?)(?P<everywhere> everywhere)?: (?P<outcome>stale|up to date)$"
)
HEADER = "import assetgraph as dg\n"


class Example(NamedTuple):
    """An edit that the page shows: of one line of a file, or of each place where the text stands."""

    files: dict[str, str]
    file: str
    line: int
    said: dict[str, str]

    @property
    def outcome(self) -> str:
        return self.said["outcome"]

    def edited(self) -> dict[str, str]:
        old, new = self.said["old"], self.said["new"]
        text = self.files[self.file]
        if self.said["everywhere"]:
            return {**self.files, self.file: text.replace(old, new)}
        lines = text.splitlines(keepends=True)
        code, mark, said = lines[self.line].partition("  #")
        assert old in code, f"{old!r} does not stand in {code!r}"
        lines[self.line] = code.replace(old, new) + mark + said
        return {**self.files, self.file: "".join(lines)}


def examples() -> list[Example]:
    found: list[Example] = []
    modules: dict[str, str] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        named = re.match(r"# (\w+\.py)\n", block)
        if named:  # the module that the next block imports
            modules[named[1]] = block
            continue
        files = {**modules, "pipeline.py": HEADER + block}
        modules = {}
        found += [
            Example(files, file, number, said=edit.groupdict())
            for file, text in files.items()
            for number, line in enumerate(text.splitlines())
            if (edit := EDIT.match(line))
        ]
    return found


def test_the_page_shows_edits_of_both_kinds() -> None:
    outcomes = [example.outcome for example in examples()]
    assert outcomes.count("stale") >= 15
    assert outcomes.count("up to date") >= 8


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.said["old"])
def test_an_edit_does_what_the_page_says(example: Example, tmp_path: Path) -> None:
    write(tmp_path, example.files)
    before = look(tmp_path).versions
    assert before
    write(tmp_path, example.edited())
    changed = before != look(tmp_path).versions
    assert changed == (example.outcome == "stale")

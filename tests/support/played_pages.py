"""Plays a page of the documentation from top to bottom in an empty folder.

A block of Python whose first line names a file, as `# shop/orders.py`, is that file; any other block is a
program that runs in the folder. A block of TOML is the project's `pyproject.toml`. Each line of a
block of `sh` is a command. A block of `text` is what the last command printed, in its own lines; ids,
times and sizes may differ. A command that fails says so in a comment: `# exit code 2`.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NAMED = re.compile(r"# (\S+\.py)\n")
_EXIT_CODE = re.compile(r"# exit code (\d+)$")
_CHANGING = re.compile(
    r"\d{8}-\d{6}-\d{3}-[0-9a-f]{4}|\d\d:\d\d:\d\d|\d{4}-\d\d-\d\d \d\d:\d\d|\b[\d.]+ ?(?:ms|s|kB|B)\b"
)

Command = Callable[..., tuple[int, str]]  # of the words of a command: its exit code and its output


class Block(NamedTuple):
    kind: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    for kind, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
        yield Block(kind, text)


def play(page: Path, folder: Path, assetgraph: Command) -> int:
    """Play `page` in `folder`, and return how many commands and programs it has.

    `assetgraph` runs a command of assetgraph, and is given its words.
    """
    played, printed = 0, ""
    for block in blocks(page):
        named = _NAMED.match(block.text)
        if block.kind == "python" and named:
            _write(folder / named[1], block.text)
        elif block.kind == "toml":
            _write(folder / "pyproject.toml", block.text)
        elif block.kind == "text":
            _compare(block.text, printed)
        elif block.kind == "python":
            printed, played = _program(folder, block.text), played + 1
        else:
            assert block.kind == "sh", f"a block of {block.kind!r} is not played"
            for line in filter(None, block.text.splitlines()):
                printed, played = _command(folder, line, assetgraph), played + 1
    return played


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _command(folder: Path, line: str, assetgraph: Command) -> str:
    words = shlex.split(line, comments=True)
    expected = _EXIT_CODE.search(line)
    if words[0] == "assetgraph":
        code, printed = assetgraph(*words[1:])
    else:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
        code, printed = done.returncode, done.stdout + done.stderr
    assert code == (int(expected[1]) if expected else 0), f"{line}\n{printed}"
    return printed


def _program(folder: Path, text: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", text],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{REPOSITORY}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{text}\n{done.stderr}"
    return done.stdout + done.stderr


def _compare(said: str, printed: str) -> None:
    """Check that each line that the page shows was printed, in this order."""
    lines = iter(_normal(line) for line in printed.splitlines())
    for line in filter(str.strip, said.splitlines()):
        assert any(_normal(line) == one for one in lines), f"{line!r} is not in:\n{printed}"


def _normal(line: str) -> str:
    return " ".join(_CHANGING.sub("…", line).split())

"""Plays a page of the documentation from top to bottom in an empty folder.

- A block of Python whose first line names a file, as `# shop/orders.py`, is that file; any other
  block of Python is a program that runs in the folder.
- A block of TOML is the project's `pyproject.toml`. A block of CSV, YAML, JSON, INI, SQL or `bash` is
  the file that the paragraph before it names last, and a block of `diff` changes that file.
- Each line of a block of `sh` is a command. One that fails says so in a comment: `# exit code 2`.
  What makes an environment is not run, and `assetgraph dev` is asked for its assets, and ends.
- A block of `text` is what the last command printed, in its own lines; ids, times and sizes may
  differ.
- A block of `mermaid` is a picture.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE
from typing import NamedTuple

REPOSITORY = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NAMED = re.compile(r"# (\S+\.py)\n")
_FILE = re.compile(r"`(?:~/)?([\w./-]+\.\w+)`")
_EXIT_CODE = re.compile(r"# exit code (\d+)$")
_EXTRAS = re.compile(r"\[([\w,]+)\]")
_CHANGING = re.compile(
    r"\d{8}-\d{6}-\d{3}-[0-9a-f]{4}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\d\d:\d\d:\d\d"
    r"|\d{4}-\d\d-\d\d \d\d:\d\d|\b[\d.]+ ?(?:ms|µs|s|kB|B)\b(?: \(\d:\d\d:\d\d\))?"
)
_FILES = ("csv", "yaml", "json", "ini", "sql", "bash")
_SETS_UP = ("python3 -m venv ", "source ", "pip install ", "mkdir ", "cd ", "brew ", "apt ")

Command = Callable[..., tuple[int, str]]  # of the words of a command: its exit code and its output


class Block(NamedTuple):
    kind: str
    text: str
    file: str  # that the paragraph before names last


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        paragraph = text[: found.start()].rstrip().rpartition("\n\n")[2]
        yield Block(found[1], found[2], ["", *_FILE.findall(paragraph)][-1])


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
        elif block.kind in _FILES:
            _write(folder / block.file, block.text)
        elif block.kind == "diff":
            _change(folder / block.file, block.text)
        elif block.kind == "text":
            _compare(block.text, printed)
        elif block.kind == "python":
            printed, played = _program(folder, block.text), played + 1
        elif block.kind != "mermaid":
            assert block.kind == "sh", f"a block of {block.kind!r} is not played"
            for line in filter(None, block.text.splitlines()):
                printed, played = _command(folder, line, assetgraph), played + 1
    return played


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _change(file: Path, diff: str) -> None:
    """Replace the lines of `diff` with `-` by those with `+`; lines without either say where."""
    lines = [(line[:1] or " ", line[1:] + "\n") for line in diff.splitlines()]
    before = "".join(line for sign, line in lines if sign in " -")
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{before!r} is not once in {file.name}:\n{text}"
    _write(file, text.replace(before, "".join(line for sign, line in lines if sign in " +")))


def _command(folder: Path, line: str, assetgraph: Command) -> str:
    expected = _EXIT_CODE.search(line)
    words = shlex.split(line, comments=True)
    if line.startswith(_SETS_UP):
        return _set_up(line)
    if words[:2] == ["assetgraph", "dev"]:
        return _serve(folder, words[2:])
    if words[0] == "assetgraph" and not {"|", ">", "&&"} & set(words):
        code, printed = assetgraph(*words[1:])
    else:
        done = _in_shell(folder, line)
        code, printed = done.returncode, done.stdout + done.stderr
    assert code == (int(expected[1]) if expected else 0), f"{line}\n{printed}"
    return printed


def _in_shell(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Run `line` in a shell in which `python`, `pytest` and `assetgraph` are those of the test."""
    programs = folder.parent / "programs"
    for name, module in {
        "python": "",
        "pytest": "-m pytest",
        "assetgraph": "-m assetgraph",
    }.items():
        _write(programs / name, f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {module} "$@"\n')
        (programs / name).chmod(0o755)
    environment = _environment(folder)
    environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True
    )


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{REPOSITORY}"}


def _set_up(line: str) -> str:
    """Check that assetgraph has the extras that `line` installs."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = _EXTRAS.search(line)
    assert set(named[1].split(",") if named else ()) <= {*project["optional-dependencies"]}, line
    return ""


def _serve(folder: Path, options: list[str]) -> str:
    """Start the page as it is asked for, ask it for its assets, and end it."""
    command = [sys.executable, "-m", "assetgraph", "dev", "--port", "0"]
    command += [option for option in options if option != "--open"]
    with subprocess.Popen(
        command, cwd=folder, env=_environment(folder), stdout=PIPE, stderr=PIPE, text=True
    ) as server:
        assert server.stdout is not None
        said = server.stdout.readline()
        try:
            with urllib.request.urlopen(f"{said.split()[3]}/api/assets", timeout=60) as answer:
                assert answer.status == 200
        finally:
            server.send_signal(signal.SIGINT)
            _, trouble = server.communicate(timeout=60)
    assert "Traceback" not in trouble, trouble
    return said


def _program(folder: Path, text: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", text],
        cwd=folder,
        env=_environment(folder),
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

"""The output of a command: its answer on stdout, as text or JSON; notes and warnings on stderr.

A terminal gets colour and lines of its width, anything else plain lines."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, TextIO

from assetgraph.errors import AssetGraphError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import Console
    from rich.text import Text

    from assetgraph.cli.terminal.styled_text import Line

# The look of each style of a `Line`, in the colours of the terminal's own palette.
COLOURS = {
    "success": "green",
    "failure": "red",
    "error": "bold red",
    "warning": "yellow",
    "running": "blue",
    "external": "cyan",
    "muted": "dim",
    "heading": "bold",
    "name": "bold",
    "command": "cyan",
    "path": "cyan",
}


class ReaderGoneError(Exception):
    """The reader of the output has closed it, as `head` does when it has enough."""


class Output:
    """One output stream. `width` is in cells, or None where lines have no limit."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.is_terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self.width = _terminal_width() if self.is_terminal else None

    def write(self, lines: Iterable[Line]) -> None:
        """Print `lines`. Raises `ReaderGoneError`, and `AssetGraphError` for any other failure."""
        with _write_errors():
            for line in lines:
                if self.is_terminal:
                    self.console.print(as_rich(line), soft_wrap=True)
                else:
                    self.stream.write(line.plain.rstrip() + "\n")
            self.stream.flush()

    def write_text(self, text: str) -> None:
        """Print `text` unchanged: it must be clean. Raises like `write`."""
        with _write_errors():
            self.stream.write(text)
            self.stream.flush()

    @cached_property
    def console(self) -> Console:
        from rich.console import Console
        from rich.theme import Theme

        return Console(
            file=self.stream, theme=Theme(COLOURS), highlight=False, markup=False, emoji=False
        )


def _terminal_width() -> int:
    from shutil import get_terminal_size

    return get_terminal_size().columns


@contextmanager
def _write_errors() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGoneError from error
    except OSError as error:
        raise AssetGraphError(f"cannot write the output: {error.strerror}.") from error


# The stream of answers, while `sys.stdout` is not: see `keep_stdout_for_answers`.
_answers: TextIO | None = None


def stdout() -> Output:
    return Output(_answers or sys.stdout)


def keep_stdout_for_answers() -> Callable[[], None]:
    """Send to stderr what anything but an answer prints to stdout: code of the project, or a child.

    Returns a call that undoes it. If the process has a real stdout, that stays: what is printed at
    its end, such as by a C library, must not follow the answer.
    """
    global _answers
    from assetgraph.process.streams import is_plain

    if is_plain(sys.stdout):
        sys.stdout.flush()
        copy, encoding = os.dup(1), sys.stdout.encoding
        _answers = open(copy, "w", encoding=encoding, errors="backslashreplace")  # noqa: SIM115
        with suppress(OSError):
            os.dup2(2 if _is_open(2) else os.open(os.devnull, os.O_WRONLY), 1)
        return lambda: None
    _answers, sys.stdout = sys.stdout, sys.stderr
    return _share_stdout_again


def _share_stdout_again() -> None:
    global _answers
    if _answers is not None:
        _answers, sys.stdout = None, _answers


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def lose_output() -> None:
    """Have nothing more written to stdout, so that Python does not try at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for fd in {1, _answers.fileno() if _answers is not None and _answers is not sys.stdout else 1}:
        os.dup2(nowhere, fd)


def stderr() -> Output:
    return Output(sys.stderr)


def answer(
    as_json: bool, *, data: Callable[[], Any], lines: Callable[[int | None], Iterable[Line]]
) -> None:
    """Print `data()` as JSON, or `lines(width)`."""
    out = stdout()
    if as_json:
        from assetgraph.cli.terminal.json_text import json_text

        out.write_text(json_text(data()) + "\n")
    else:
        out.write(lines(out.width))


def say(lines: Iterable[Line]) -> None:
    """Print notes to stderr. They are not the answer, so a failure to write them, as on a full
    disk, is ignored."""
    with suppress(AssetGraphError):
        stderr().write(lines)


def warn(texts: Iterable[str]) -> None:
    """Print each text to stderr as a warning."""
    from assetgraph.cli.terminal.styled_text import Line

    err = stderr()
    marked = (Line(("! ", "warning"), (text, "warning")) for text in texts)
    say([part for line in marked for part in line.broken(err.width, indent=2)])


def as_rich(line: Line) -> Text:
    from rich.text import Text

    return Text.assemble(*line.spans)

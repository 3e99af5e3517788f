"""Where a command writes: in colour on a terminal, plain lines anywhere else."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, TextIO

from assetgraph.errors import AssetGraphError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console
    from rich.text import Text

    from assetgraph.cli.terminal.cells import Line

# What each style name of a `Line` looks like, in the colours of the reader's own palette.
COLOURS = {
    "success": "green",
    "failure": "red",
    "error": "bold red",
    "warning": "yellow",
    "running": "blue",
    "muted": "dim",
    "heading": "bold",
    "name": "bold",
    "command": "cyan",
    "path": "cyan",
}


class ReaderGoneError(Exception):
    """Nobody reads the output any more, as when `head` has seen enough."""


class Output:
    """`width` is in cells, and None where lines may be as long as they like."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.is_terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self.width = _terminal_width() if self.is_terminal else None

    def write(self, lines: Iterable[Line]) -> None:
        """Raises `ReaderGoneError`, and `AssetGraphError` where nothing more can be written."""
        with _write_errors():
            for line in lines:
                if self.is_terminal:
                    self.console.print(as_rich(line), soft_wrap=True)
                else:
                    self.stream.write(line.plain.rstrip() + "\n")
            self.stream.flush()

    def write_text(self, text: str) -> None:
        """Write clean `text` as it is, without colour. Raises as `write` does."""
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


def stdout() -> Output:
    return Output(sys.stdout)


def stderr() -> Output:
    return Output(sys.stderr)


def as_rich(line: Line) -> Text:
    from rich.text import Text

    return Text.assemble(*line.spans)

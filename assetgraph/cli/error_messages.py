"""The only place where an error becomes a message and an exit code."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from assetgraph.cli.terminal.cells import Line, clean, clean_lines, plural
from assetgraph.cli.terminal.output import ReaderGoneError, stderr
from assetgraph.errors import AssetGraphError, DefinitionsError, ProjectError, SelectionError
from assetgraph.process.signals import Terminated
from assetgraph.text import width as cell_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assetgraph.errors import Problem

WRONG_USE = 2
BUG = 70
CANCELED = 130
READER_GONE = 141  # what a shell says of a process that SIGPIPE ended


def report(error: BaseException) -> int:
    """Tell the person what `error` means; the exit code of the process."""
    if isinstance(error, ReaderGoneError):
        return _end_quietly()
    err = stderr()
    lines, code = _message(error, err.width)
    if os.environ.get("ASSETGRAPH_DEBUG") and not isinstance(error, click.ClickException):
        lines = [*_trace(error), Line(), *lines]
    with suppress(ReaderGoneError, AssetGraphError):  # the code says it then
        err.write(lines)
    return code


def _end_quietly() -> int:
    """Python must not try once more to write what it could not."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return READER_GONE


def _message(error: BaseException, width: int | None) -> tuple[list[Line], int]:
    match error:
        case Terminated():
            return [Line(("Terminated.", "warning"))], Terminated.exit_code
        case KeyboardInterrupt() | click.Abort() | EOFError():
            return [Line(("Canceled.", "warning"))], CANCELED
        case click.UsageError() if type(error).__name__ == "NoArgsIsHelpError":  # of click 8.2 on
            return [Line(text) for text in clean_lines(error.format_message())], WRONG_USE
        case click.NoSuchOption() if error.ctx and not error.ctx.parent:
            hint = f"See: {error.ctx.command_path} --help. A command's own options come after it."
            return _wrong(width, error.format_message(), hint), error.exit_code
        case click.UsageError():
            path = error.ctx.command_path if error.ctx else "assetgraph"
            return _wrong(width, error.format_message(), f"See: {path} --help"), error.exit_code
        case click.ClickException():
            return _wrong(width, error.format_message()), error.exit_code
        case DefinitionsError():
            return problem_lines(error.problems, width), error.exit_code
        case ProjectError():
            trace = clean_lines(error.traceback) if error.traceback else []
            shown = [Line("  ", text) for text in trace]
            return [*shown, *_wrong(width, error.message, error.hint)], error.exit_code
        case SelectionError() if error.text is not None and error.column is not None:
            pointed = _pointed(error.text, error.column)
            return _wrong(width, error.message, error.hint, pointed), error.exit_code
        case AssetGraphError():
            return _wrong(width, error.message, error.hint), error.exit_code
        case SystemExit():
            return [], error.code if isinstance(error.code, int) else 1
    return _bug(error, width), BUG


def problem_lines(problems: Sequence[Problem], width: int | None) -> list[Line]:
    """Each problem of the definitions: its place, what it is, what to do."""
    lines = []
    for problem in problems:
        lines.append(Line((problem.place, "path"), ": ", problem.message))
        if problem.remedy:
            lines.append(Line("  ", (problem.remedy, "muted")))
    lines = [part for line in lines for part in line.broken(width, indent=2)]
    count = plural(len(problems), "problem")
    return [*lines, Line(("Error: ", "error"), f"{count} in the definitions.")]


def warning_lines(problems: Sequence[Problem], width: int | None) -> list[Line]:
    """What may not be meant, likewise."""
    lines = []
    for problem in problems:
        lines.append(Line(("! ", "warning"), (problem.place, "path"), ": ", problem.message))
        lines.append(Line("  ", (problem.remedy, "muted")))
    return [part for line in lines for part in line.broken(width, indent=2)]


def _wrong(
    width: int | None, message: str, hint: str | None = None, between: Iterable[Line] = ()
) -> list[Line]:
    first, *rest = clean_lines(message)
    above = [Line(("Error: ", "error"), first), *map(Line, rest)]
    below = [Line(text) for text in clean_lines(hint)] if hint else []
    return [
        *(part for line in above for part in line.broken(width)),
        *between,
        *(part for line in below for part in line.broken(width)),
    ]


def _pointed(text: str, column: int) -> list[Line]:
    """`text` with a caret under the column `column`."""
    before = cell_width(clean(text[:column]))
    return [Line("  ", text), Line("  ", " " * before, ("^", "error"))]


def _bug(error: BaseException, width: int | None) -> list[Line]:
    return [
        *_wrong(width, f"{type(error).__name__}: {error}"),
        Line("This is a bug in assetgraph. Please report it to the project's issue tracker, with"),
        Line("what you ran and the whole trace, which ", ("assetgraph --debug …", "command"),
             " shows."),
    ]  # fmt: skip


def _trace(error: BaseException) -> list[Line]:
    from traceback import format_exception

    return [Line(text) for text in clean_lines("".join(format_exception(error)))]

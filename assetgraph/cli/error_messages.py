"""Errors as messages and exit codes; no other module turns one into the other."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from assetgraph.cli.exit_codes import BUG, CANCELED, READER_GONE, WRONG_USE
from assetgraph.cli.render.problem_lines import problem_lines
from assetgraph.cli.terminal.output import ReaderGoneError, lose_output, stderr
from assetgraph.cli.terminal.styled_text import Line, clean, clean_lines
from assetgraph.errors import (
    AssetGraphError,
    DefinitionsError,
    ObservationError,
    ProjectError,
    SelectionError,
)
from assetgraph.hints import UTF8_REMEDY
from assetgraph.process.signals import Terminated
from assetgraph.text import width as cell_width

if TYPE_CHECKING:
    from collections.abc import Iterable


_DAGSTERS = ("select", "selection", "asset", "assets")  # options of Dagster's own command line


def report(error: BaseException) -> int:
    """Print what `error` means, and return the exit code of the process."""
    if isinstance(error, ReaderGoneError):
        return _end_quietly()
    err = stderr()
    lines, code = _message(error, err.width)
    if os.environ.get("ASSETGRAPH_DEBUG") and not isinstance(error, click.ClickException):
        lines = [*_trace(error), Line(), *lines]
    with suppress(ReaderGoneError, AssetGraphError):  # the exit code still reports it
        err.write(lines)
    return code


def _end_quietly() -> int:
    lose_output()
    return READER_GONE


def _message(error: BaseException, width: int | None) -> tuple[list[Line], int]:
    match error:
        case KeyboardInterrupt() | click.Abort() if ended := _termination(error):
            return [Line(("Terminated.", "warning"))], ended.exit_code
        case KeyboardInterrupt() | click.Abort() | EOFError():
            return [Line(("Canceled.", "warning"))], CANCELED
        case click.UsageError() if type(error).__name__ == "NoArgsIsHelpError":  # of click 8.2 on
            return [Line(text) for text in clean_lines(error.format_message())], WRONG_USE
        case click.NoSuchOption() if error.ctx and not error.ctx.parent:
            hint = f"See: {error.ctx.command_path} --help. Options of a command go after its name."
            return _wrong(width, error.format_message(), hint), error.exit_code
        case click.NoSuchOption() if error.option_name.lstrip("-") in _DAGSTERS and _selects(error):
            assert error.ctx
            hint = f"Name assets without an option, as in: {error.ctx.command_path} trips"
            return _wrong(width, f"there is no option {error.option_name}.", hint), error.exit_code
        case click.UsageError():
            path = error.ctx.command_path if error.ctx else "assetgraph"
            message = _without_value(error) or error.format_message()
            return _wrong(width, message, f"See: {path} --help"), error.exit_code
        case click.ClickException():
            return _wrong(width, error.format_message()), error.exit_code
        case DefinitionsError():
            return problem_lines(error.problems, width), error.exit_code
        case ProjectError() | ObservationError():
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
    surroundings = _surroundings(error)
    if surroundings is not None:
        return _wrong(width, surroundings.message, surroundings.hint), surroundings.exit_code
    return _bug(error, width), BUG


def _surroundings(error: BaseException) -> AssetGraphError | None:
    """What is wrong around the process, if that caused `error`: no folder, an odd locale."""
    from assetgraph.project.settings import working_folder

    if isinstance(error, UnicodeEncodeError):
        encoding = sys.getfilesystemencoding()
        if error.encoding == encoding != "utf-8":
            return AssetGraphError(
                f"{error.object!r} cannot name a file in this locale ({encoding}).",
                hint=UTF8_REMEDY,
            )
    if isinstance(error, FileNotFoundError):
        try:
            working_folder()
        except ProjectError as gone:
            return gone
    return None


def _without_value(error: click.UsageError) -> str | None:
    """What to write after an option that has no value, if `error` is about one."""
    if not (isinstance(error, click.BadOptionUsage) and error.message.endswith("an argument.")):
        return None
    name, value = error.option_name, "VALUE"
    for option in error.ctx.command.params if error.ctx else ():
        if name in option.opts:
            choices = getattr(option.type, "choices", None)
            value = "|".join(choices) if choices else option.metavar or value
    return f"{name} needs a value: {name} {value}"


def _selects(error: click.UsageError) -> bool:
    """Whether the command of `error` takes a selection as its arguments."""
    return error.ctx is not None and any(p.name == "selection" for p in error.ctx.command.params)


def _termination(error: BaseException) -> Terminated | None:
    """The SIGTERM or SIGHUP that caused an interrupt. Click raises its own `Abort` in its place."""
    causes = (error, error.__context__)
    return next((cause for cause in causes if isinstance(cause, Terminated)), None)


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
        Line(
            "This is a bug in assetgraph. Please report it in the project's issue tracker, with the"
        ),
        Line("command and its full trace, which ", ("assetgraph --debug …", "command"), " shows."),
    ]


def _trace(error: BaseException) -> list[Line]:
    from traceback import format_exception

    return [Line(text) for text in clean_lines("".join(format_exception(error)))]

"""A failed step: its exception, the failing line of the user's code, and the frames."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

from assetgraph.cli.render.by_asset import together
from assetgraph.cli.terminal.styled_text import Line, clean, clean_lines, wrapped
from assetgraph.text import width as cell_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from assetgraph.cli.render.same_failures import SameFailures
    from assetgraph.records import ErrorInfo, Frame

Error = TypeVar("Error")
MESSAGE_LINES = 12
MESSAGE_CHARS = 600
CONTEXT_LINES = 2


def failure(
    step: str, error: ErrorInfo, width: int | None, *, trace: bool = False, frames: bool = True
) -> list[Line]:
    """The failure of one step. With `trace`, its full trace replaces the frames."""
    lines = [*_headline(step, error, width)]
    if not trace:
        lines += [
            Line("  ", text)
            for cause in error.causes
            for text in (_broken(cause, width - 2) if width else [cause])
        ]
    if error.frames:
        lines += [Line(), *_source(error.frames[-1], width)]
    if error.hint:
        lines += [Line(), *(Line("  ", text) for text in wrapped(error.hint, (width or 100) - 2))]
    if trace and error.trace:
        lines += [Line(), Line(("  Full trace", "heading"))]
        lines += [Line("    ", text) for text in clean_lines(error.trace)]
    elif frames and len(error.frames) > 1:
        lines += [Line(), Line(("  Frames, innermost last", "heading"))]
        lines += _frames(error.frames, width)
    return lines


def failures(
    found: SameFailures[Error],
    info: Callable[[Error], ErrorInfo],
    width: int | None,
    *,
    trace: bool = False,
    frames: bool = True,
) -> list[Line]:
    """Failures, each with the further steps that failed in the same way. `info` describes one."""
    lines = []
    for error, (step, *same) in zip(found.errors, found.steps, strict=True):
        lines += [Line(), *failure(step, info(error), width, trace=trace, frames=frames)]
        if same:
            lines += [Line(), *_named("  The same failure: ", same, width)]
    if found.others:
        lines += [Line(), *_named("✕ Also failed: ", found.others, width)]
    return lines


def _named(what: str, steps: Sequence[str], width: int | None) -> Iterator[Line]:
    yield Line((what, "failure"), ", ".join(together(steps))).cut(width)


def _headline(step: str, error: ErrorInfo, width: int | None) -> list[Line]:
    head = Line(("✕ ", "failure"), (step, "name"), " failed: ", (error.type, "error"))
    texts = clean_lines(error.message[:MESSAGE_CHARS]) if error.message else []
    if not texts:
        return [head]
    if width is None or head.width + 2 + cell_width(texts[0]) <= width:
        head, texts = Line(head, (": ", "error"), texts[0]), texts[1:]
    rest = [part for text in texts for part in (_broken(text, width - 2) if width else [text])]
    lines = [head, *(Line("  ", text) for text in rest[:MESSAGE_LINES])]
    if len(rest) > MESSAGE_LINES:
        more = len(rest) - MESSAGE_LINES
        lines.append(Line((f"  … {more} more lines of the message: runs show --trace", "muted")))
    elif len(error.message) > MESSAGE_CHARS:
        more = len(error.message) - MESSAGE_CHARS
        left = f"  … {more:,} more characters of the message: runs show --trace"
        lines.append(Line((left, "muted")))
    return lines


def _broken(text: str, width: int) -> list[str]:
    """`text` wrapped to `width` cells, with its indentation."""
    if cell_width(text) <= width:
        return [text]
    indent = text[: len(text) - len(text.lstrip())][: width // 2]
    return [indent + part for part in wrapped(text, max(width - len(indent), 10))]


def _source(frame: Frame, width: int | None) -> list[Line]:
    """The place of the failing line, then the line, marked, with the lines around it."""
    lines = [Line("  ", (f"{frame.file}:{frame.line}", "path"), ", in ", frame.function)]
    first = max(frame.source_start, frame.line - CONTEXT_LINES)
    last = frame.line + CONTEXT_LINES
    numbered = [
        (number, text.rstrip("\r\n").expandtabs(4))
        for number, text in enumerate(frame.source, frame.source_start)
        if first <= number <= last
    ]
    margin = _common_indent([text for _, text in numbered])
    digits = len(str(last))
    for number, text in numbered:
        failing = number == frame.line
        mark, style = ("❱", "failure") if failing else (" ", "muted")
        number_text = f"  {mark} {number:>{digits}} │ "
        code = (clean(text[margin:]), "name" if failing else "")
        line = Line((number_text, style), code)
        lines.append(line if failing else line.cut(width))
    return lines


def _frames(frames: Sequence[Frame], width: int | None) -> Iterator[Line]:
    """A line for each frame. A frame that repeats has one line and a count."""
    for frame, same in groupby(frames):
        yield _frame(frame).cut(width)
        count = sum(1 for _ in same)
        if count > 1:
            yield Line((f"    … {count} times", "muted"))


def _frame(frame: Frame) -> Line:
    start = frame.line - frame.source_start
    text = frame.source[start].strip() if 0 <= start < len(frame.source) else ""
    place = (f"{frame.file}:{frame.line}", "path")
    return Line("    ", place, f" in {frame.function}", (f"  {text}" if text else "", "muted"))


def _common_indent(texts: Sequence[str]) -> int:
    return min((len(text) - len(text.lstrip()) for text in texts if text.strip()), default=0)

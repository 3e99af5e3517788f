"""Problems and warnings of the definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.terminal.styled_text import Line, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.errors import Problem


def problem_lines(problems: Sequence[Problem], width: int | None) -> list[Line]:
    """Each problem with its place and its remedy, then their number."""
    lines = []
    for problem in problems:
        lines.append(Line((problem.place, "path"), ": ", problem.message))
        if problem.remedy:
            lines.append(Line("  ", (problem.remedy, "muted")))
    lines = [part for line in lines for part in line.broken(width, indent=2)]
    count = plural(len(problems), "problem")
    return [*lines, Line(("Error: ", "error"), f"{count} in the definitions.")]


def warning_lines(problems: Sequence[Problem], width: int | None) -> list[Line]:
    """Each warning with its place and its remedy."""
    lines = []
    for problem in problems:
        lines.append(Line(("! ", "warning"), (problem.place, "path"), ": ", problem.message))
        lines.append(Line("  ", (problem.remedy, "muted")))
    return [part for line in lines for part in line.broken(width, indent=2)]

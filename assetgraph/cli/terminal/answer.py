"""How a command answers: data on stdout, as JSON or for people; everything else on stderr."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from assetgraph.cli.terminal.output import stderr, stdout
from assetgraph.errors import AssetGraphError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from assetgraph.cli.terminal.cells import Line


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
    """Tell the person something that is not the answer: where it cannot be written, as in a log on
    a full disk, that changes nothing of what was done."""
    with suppress(AssetGraphError):
        stderr().write(lines)

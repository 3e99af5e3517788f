"""The commands that messages suggest: each works as it stands, where the person types it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_project_options: list[str] = []  # of this process


def command(*words: str) -> str:
    """`assetgraph WORDS…`, with the options that said which project the present command is on."""
    from shlex import join

    return join(["assetgraph", *words, *_project_options])


def suggest_with(options: Iterable[str]) -> None:
    """From now on, end every suggested command with `options`."""
    _project_options[:] = options

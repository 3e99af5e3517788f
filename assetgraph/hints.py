"""The commands that messages suggest, complete and ready to be typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# What to do where the locale's encoding cannot express a name.
UTF8_REMEDY = (
    "Set a UTF-8 locale, as in: export LC_ALL=C.UTF-8, and remove PYTHONUTF8=0 if it is set."
)

_project_options: list[str] = []


def command(*words: str) -> str:
    """The command `assetgraph WORDS…`, quoted for a shell.

    It ends with the options that selected the project of the current command.
    """
    from shlex import join

    return join(["assetgraph", *words, *_project_options])


def suggest_with(options: Iterable[str]) -> None:
    """End every command suggested from now on with `options`, such as `-m pipeline`."""
    _project_options[:] = options

"""Wording for people: lists of names, and guesses at what a mistyped name was meant to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def listed(names: Iterable[str], word: str = "and") -> str:
    """`a, b and c`."""
    *head, last = names
    return f"{', '.join(head)} {word} {last}" if head else last


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A question that names up to three of `known` that `name` may stand for, or None.

    The last part of a key counts as close to the key.
    """
    from difflib import get_close_matches

    names = sorted(known)
    same_end = [text for text in names if text.rpartition("/")[2] == name]
    folded = {text.casefold(): text for text in reversed(names)}
    close = [folded[text] for text in get_close_matches(name.casefold(), folded)]
    found = list(dict.fromkeys([*same_end, *close]))[:3]
    return f"Did you mean {listed([repr(text) for text in found], 'or')}?" if found else None

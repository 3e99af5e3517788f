"""Text for people: lists of names, suggestions for a mistyped name, places, shortening to a width.

Widths are in terminal columns: a Chinese, Japanese or Korean character takes two.
"""

from __future__ import annotations

import os
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNPRINTED = ("Cc", "Cs", "Zl", "Zp")
_NONCHARACTERS = frozenset("\ufffe\uffff")  # not allowed in XML
_BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_BETWEEN_WORDS = re.compile("[/_.-]")
_ALIKE = 0.8
_LONGEST_LINE = 1000
_LONGEST_FAILURE = 200
_MOST_NAMES = 8


def listed(names: Iterable[str], word: str = "and") -> str:
    """The names as a list in words: `a, b and c`. `names` must not be empty."""
    *head, last = names
    return f"{', '.join(head)} {word} {last}" if head else last


def some_of(what: str, names: Iterable[str]) -> str:
    """A hint with up to eight of the `names` that there are; "" without any."""
    known = sorted(names)
    shown = [*known[:_MOST_NAMES], "…"] if len(known) > _MOST_NAMES else known
    return f"{what}: {', '.join(shown)}." if shown else ""


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A question with up to three names from `known` that resemble `name`, or None."""
    found = resembling(name, known)
    return f"Did you mean {listed([repr(text) for text in found], 'or')}?" if found else None


def resembling(name: str, known: Iterable[str]) -> list[str]:
    """Up to three names from `known` that resemble `name`.

    The last part of a key, such as `stats` in `manhattan/stats`, resembles the whole key. So does
    any word in a name that resembles nothing as a whole: `grup` resembles `group_name`.
    """
    from difflib import get_close_matches

    names = sorted(known)
    same_end = [text for text in names if text.rpartition("/")[2] == name]
    folded = {text.casefold(): text for text in reversed(names)}
    close = [folded[text] for text in get_close_matches(name.casefold(), folded)]
    found = list(dict.fromkeys([*same_end, *close]))[:3]
    if not found:
        word = name.casefold()
        found = [text for text in names if get_close_matches(word, _words(text), 1, _ALIKE)][:3]
    return found


def _words(name: str) -> list[str]:
    return [word for word in _BETWEEN_WORDS.split(name.casefold()) if len(word) > 3]


def place_text(file: str, line: int) -> str:
    """A file and a line as `trips.py:12`, relative to the current folder if inside it."""
    try:
        return f"{file.removeprefix(os.getcwd() + os.sep)}:{line}"
    except FileNotFoundError:  # the current folder was deleted
        return f"{file}:{line}"


def first_line(text: str | None) -> str:
    """The first line of `text` that is not blank, as `printable` text; "" if there is none."""
    line = next((line for line in (text or "").splitlines() if not line.isspace() and line), "")
    return " ".join(printable(line[:_LONGEST_LINE]).split())


def failure_line(step: str, error: str, message: str) -> str:
    """A failed step in one line: its name, the type of the error, the message's first line."""
    return shorten(f"{step}: {error}: {first_line(message)}", _LONGEST_FAILURE)


def printable(text: str) -> str:
    """`text` with spaces for control characters and without marks that change its direction.

    A terminal, an SVG or XML file can then show text from anywhere.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if _is_printed(c) else " " for c in text if c not in _BIDI_CONTROLS)


def width(text: str) -> int:
    """The number of terminal columns that `text` takes."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def shorten(text: str, limit: int) -> str:
    """`text`, or its beginning with an ellipsis if it is wider than `limit` columns."""
    if width(text) <= limit:
        return text
    kept = ""
    room = limit - 1
    for character in text:
        room -= _columns(character)
        if room < 0:
            break
        kept += character
    return kept.rstrip() + "…" if limit > 0 else ""


def _is_printed(character: str) -> bool:
    return unicodedata.category(character) not in _UNPRINTED and character not in _NONCHARACTERS


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1

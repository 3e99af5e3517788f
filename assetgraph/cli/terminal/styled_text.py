"""Text for people: safe to print, measured in terminal cells, styled by meaning.

Every view is a list of `Line`s. A pipe gets their plain text; a terminal shows their styles as
colours.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from assetgraph.text import shorten
from assetgraph.text import width as cell_width

_COLOUR_SEQUENCE = re.compile("\x1b\\[[0-9;:]*m")
_UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"  # Persian, Hindi and family emoji need them; they are harmless
_LEAST_ROOM = 24
_FEW = 10
_WORD = re.compile(r"assetgraph \S.*|\S+")  # commands stay whole, to be copied


def clean(text: str) -> str:
    """`text` on one line, without anything that controls a terminal: colour sequences are dropped,
    other control characters and direction marks are escaped."""
    if text.isprintable():
        return text
    text = _COLOUR_SEQUENCE.sub("", text).replace("\t", "    ")
    return "".join(c if _is_safe(c) else c.encode("unicode_escape").decode() for c in text)


def clean_lines(text: str) -> list[str]:
    """The lines of `text`, each clean. Where a line was overwritten, as by a progress bar, only its
    last version is kept."""
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    return [clean(line.rstrip("\r").rpartition("\r")[2]) for line in lines]


class Line:
    """One line of output: pieces of clean text, each with a style of `output.COLOURS`.

    A piece is text, `(text, style)`, or another line.
    """

    __slots__ = ("spans",)

    def __init__(self, *pieces: str | tuple[str, str] | Line) -> None:
        self.spans: tuple[tuple[str, str], ...] = tuple(_spans(pieces))

    @property
    def plain(self) -> str:
        return "".join(text for text, _ in self.spans)

    @property
    def width(self) -> int:
        return sum(cell_width(text) for text, _ in self.spans)

    def cut(self, width: int | None) -> Line:
        """This line, cut to `width` cells; None means no limit."""
        if width is None or self.width <= width:
            return self
        return self._with_text(shorten(self.plain, width))

    def broken(self, width: int | None, indent: int = 0) -> list[Line]:
        """This line, wrapped between words to lines of at most `width` cells, all but the first
        indented. Longer words stay whole, and so does a command at the end."""
        if width is None or self.width <= width:
            return [self]
        pieces = _pieces(self.plain, width, indent)
        return [
            Line(" " * indent if start else "", self._with_text(self.plain[start:end], start))
            for start, end in pieces
        ]

    def fitted(self, width: int, *, right: bool = False) -> Line:
        """This line, cut or padded to exactly `width` cells."""
        line = self.cut(width)
        space = " " * (width - line.width)
        return Line(space, line) if right else Line(line, space)

    def _with_text(self, kept: str, first: int = 0) -> Line:
        """`kept`, a part of this line that starts at `first`, with its styles."""
        spans, start = [], -first
        for text, style in self.spans:
            end = start + len(text)
            spans.append((kept[max(start, 0) : max(end, 0)], style))
            start = end
        return Line(*spans)

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Line) and self.spans == other.spans

    def __hash__(self) -> int:
        return hash(self.spans)

    def __repr__(self) -> str:
        return f"Line({', '.join(map(repr, self.spans))})"


def wrapped(text: str, width: int) -> list[str]:
    """Paragraphs, wrapped between words to `width` cells."""
    return [line for paragraph in clean_lines(text) for line in _wrap(paragraph, width)]


def stacked(sentences: Iterable[str], room: int | None) -> list[str]:
    """The first few sentences below one another, wrapped to `room` cells; on one line if `room` is
    None."""
    sentences = first_few(sentences)
    if room is None:
        return ["; ".join(sentences)]
    room = max(room, _LEAST_ROOM)
    return [line for sentence in sentences for line in wrapped(sentence, room)] or [""]


def first_few(texts: Iterable[str]) -> list[str]:
    """The texts; if there are many, the first ones and how many more there are."""
    texts = list(texts)
    more = len(texts) - _FEW
    return texts if more <= 1 else [*texts[:_FEW], f"and {more:,} more"]


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def joined(lines: Iterable[Line], separator: str) -> Line:
    pieces: list[str | Line] = []
    for line in lines:
        pieces += [separator, line] if pieces else [line]
    return Line(*pieces)


def _spans(pieces: Iterable[str | tuple[str, str] | Line]) -> Iterator[tuple[str, str]]:
    for piece in pieces:
        if isinstance(piece, Line):
            yield from piece.spans
        else:
            text, style = (piece, "") if isinstance(piece, str) else piece
            if text:
                yield clean(text), style


def _is_safe(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) not in _UNSAFE


def _pieces(text: str, width: int, indent: int) -> Iterator[tuple[int, int]]:
    """The start and end of each piece of `text`, for `Line.broken`."""
    start = end = 0
    for word in _WORD.finditer(text):
        room = width - (indent if start else 0)
        if end > start and cell_width(text[start : word.end()]) > room:
            yield start, end
            start = word.start()
        end = word.end()
    yield start, end


def _wrap(paragraph: str, width: int) -> Iterator[str]:
    line = ""
    for word in paragraph.split():
        if line and cell_width(line) + 1 + cell_width(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line

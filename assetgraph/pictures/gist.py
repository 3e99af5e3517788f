"""`gist`: a description in Markdown as one line of plain words."""

from __future__ import annotations

import re

from assetgraph.text import first_line

_MARKS = re.compile(r"[*_`\[#>~-]")
_BLOCK = re.compile(r"^(#{1,6}|>|[-*+]) +(?=\S)")  # a heading, a quote, an item
# Names such as __init__ stay: they have no words between their marks.
_INLINE = (  # compiled by the first description that has marks
    r"(?<!`)(?P<ticks>`{1,2})(?!`)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)"
    r"|!?\[(?P<text>[^\]]*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?: +\"[^\"]*\")?\)"
    r"|(?<![\w*])\*\*(?=[^\s*])(?P<bold>(?:[^*]|\*(?!\*))*[^\s*]\*?)\*\*(?![\w*])"
    r"|(?<![\w_])__(?=[^\s_])(?P<strong>[^_]* [^_]*[^\s_])__(?![\w_])"
    r"|(?<![\w*])\*(?=[^\s*])(?P<stress>[^*]*[^\s*])\*(?![\w*])"
    r"|(?<![\w_])_(?=[^\s_])(?P<italic>[^_]*[^\s_])_(?![\w_])"
    r"|~~(?P<struck>[^~]+)~~"
)


def gist(markdown: str | None) -> str:
    """The first line of a description in plain words, without the marks of Markdown."""
    line = first_line(markdown)
    return re.sub(_INLINE, _words_of, _BLOCK.sub("", line)) if _MARKS.search(line) else line


def _words_of(marked: re.Match[str]) -> str:
    found = {name: words for name, words in marked.groupdict().items() if words is not None}
    if "code" in found:
        return found["code"].strip()
    return re.sub(_INLINE, _words_of, next(iter(found.values())))

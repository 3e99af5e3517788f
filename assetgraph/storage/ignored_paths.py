"""`IgnoredPaths`: the paths that the setting `ignore_reads` names, as a .gitignore does."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TOKENS = re.compile(r"/\*\*/|\*\*/|/\*\*|\*\*|\*|\?|\[!?[^\]]*\]|.", re.DOTALL)
_MEANS = {
    "/**/": "/(?:.*/)?",
    "**/": "(?:.*/)?",
    "/**": "/.*",
    "**": ".*",
    "*": "[^/]*",
    "?": "[^/]",
}


class IgnoredPaths:
    """Paths relative to the project's folder that match one of `patterns`.

    A pattern with a slash before its end is relative to that folder; any other matches a name at
    any depth. What is in a matching folder matches too.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        texts = [_expression(pattern) for pattern in patterns]
        self._match = re.compile("|".join(texts), re.DOTALL).fullmatch if texts else None

    def __contains__(self, path: str) -> bool:
        return self._match is not None and self._match(path) is not None


def _expression(pattern: str) -> str:
    inner = pattern.rstrip("/")
    start = "" if "/" in inner else "(?:.*/)?"
    inner = inner.removeprefix("./").removeprefix("/")
    parts = [_MEANS.get(token) or _literal(token) for token in _TOKENS.findall(inner)]
    return f"{start}{''.join(parts)}(?:/.*)?"


def _literal(token: str) -> str:
    if len(token) < 2:
        return re.escape(token)
    inside = token[1:-1].replace("\\", r"\\")
    return f"[^/{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"

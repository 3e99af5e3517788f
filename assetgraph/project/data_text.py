"""`decode`: JSON, YAML and TOML from files and requests, read within bounds.

A few hundred bytes can stand for gigabytes: an alias of YAML repeats what its anchor holds, and
nested brackets nest the reader. So size, depth and aliases are counted on the text, before a value
is made of it.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable
from itertools import accumulate, chain
from typing import Any

import msgspec

MOST_DEPTH = 100
MOST_YAML = 100_000  # bytes, also with every alias replaced by what it repeats
MOST_DIGITS = 1000
_NUMBER = re.compile(r"[-+]?[0-9][0-9a-fA-FxXo_:.+-]*")
_DASHES = re.compile(rf"(?:[-?] ){{{MOST_DEPTH + 1}}}")
_KEY_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_LONG_KEY = re.compile(
    rf"""(?<![\w"'.-]){_KEY_PART}(?:[ \t]*\.[ \t]*{_KEY_PART}){{{MOST_DEPTH}}}"""
)
_TOO_DEEP = f"it nests more than {MOST_DEPTH} levels"


class DataError(ValueError):
    """A text is not data of its format, or is too large, too deep or ambiguous. The message is a
    clause that starts with the place, if there is one."""


def decode(data: bytes, kind: str) -> Any:
    """The value that `data` holds as `kind`: json, yaml or toml.

    Raises `DataError`, and `ImportError` for YAML where PyYAML is missing.
    """
    data = data.removeprefix(BOM_UTF8)
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"line {line}: the byte {data[error.start]:#x} is not UTF-8") from None
    return _DECODERS[kind](data)


def _json(data: bytes) -> Any:
    try:
        value = msgspec.json.decode(data)
        _check_names(data)
    except RecursionError:
        raise DataError(_TOO_DEEP) from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(f"{_place(data, str(error))}{error}") from None
    return _checked(value)


def _check_names(data: bytes) -> None:
    """Raises `DataError` if an object has a name twice: msgspec takes the last and says nothing."""
    if data.count(b":") > 1:
        import json

        json.loads(data, object_pairs_hook=_without_repeats, parse_int=str, parse_float=str)


def _without_repeats(pairs: list[tuple[str, Any]]) -> None:
    names = set()
    for name, _ in pairs:
        if name in names:
            raise DataError(f"{name[:60]!r} stands twice in one object")
        names.add(name)


def _toml(data: bytes) -> Any:
    import tomllib

    text = data.decode()
    if text.count(".") >= MOST_DEPTH:  # tomllib takes minutes for a name of 20,000 parts
        for number, line in enumerate(text.split("\n"), 1):
            if _LONG_KEY.search(line) and not line.lstrip().startswith("#"):
                raise DataError(f"line {number}: a name has more than {MOST_DEPTH} parts")
    try:
        return _checked(tomllib.loads(text))
    except RecursionError:
        raise DataError(_TOO_DEEP) from None
    except ValueError as error:
        what, _, place = str(error).removesuffix(")").rpartition(" (at ")
        if place == "end of document":
            lines = data.rstrip().count(b"\n") + 1
            place = f"line {lines}"
        raise DataError(f"{place}: {what}" if what else str(error)) from None


def _yaml(data: bytes) -> Any:
    """YAML as the values that JSON can have: a date becomes text."""
    import yaml

    if len(data) > MOST_YAML:
        raise DataError(f"it has {len(data):,} bytes, and YAML may have {MOST_YAML:,}: use JSON")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is ten times as fast
    try:
        text = data.decode()
        if loader is yaml.SafeLoader and _looks_deep(text):
            raise DataError(_TOO_DEEP)
        _YamlSize().check(yaml.parse(text, Loader=loader))
        return msgspec.json.decode(msgspec.json.encode(yaml.load(text, Loader=loader)))
    except DataError:
        raise
    except yaml.MarkedYAMLError as error:
        raise DataError(f"{_mark(error.problem_mark)}{error.problem or error.context}") from None
    except Exception as error:  # PyYAML's constructors raise errors of any type
        raise DataError(str(error) or type(error).__name__) from None


def _looks_deep(text: str) -> bool:
    """Whether more brackets or dashes than may nest are open at once. Only the scanner in Python
    needs to know before it starts: it takes minutes for 50,000."""
    steps = {"[": 1, "{": 1, "]": -1, "}": -1}
    brackets = accumulate((steps.get(sign, 0) for sign in text), initial=0)
    return max(brackets) > MOST_DEPTH or _DASHES.search(text) is not None


class _YamlSize:
    """The size of a document with every alias replaced by what it repeats, and its depth."""

    def __init__(self) -> None:
        self._anchored: dict[str, tuple[int, int] | None] = {}  # size and height; None: still open
        self._open: list[_Node] = [_Node(None, False)]

    def check(self, events: Iterable[Any]) -> None:
        for event in events:
            match type(event).__name__:
                case "AliasEvent":
                    known = self._anchored.get(event.anchor, (0, 0))
                    if known is None:
                        raise DataError(f"{_mark(event.start_mark)}*{event.anchor} contains itself")
                    self._add(event, *known, None)
                case "ScalarEvent":
                    is_text = event.implicit[1]  # it is quoted, and has no tag
                    if (
                        len(event.value) > MOST_DIGITS
                        and not is_text
                        and _NUMBER.fullmatch(event.value)
                    ):
                        raise DataError(
                            f"{_mark(event.start_mark)}a number has {len(event.value):,} digits"
                            " (quote it, if it is text)"
                        )
                    self._note(event.anchor, (len(event.value) + 1, 0))
                    self._add(event, len(event.value) + 1, 0, event.value)
                case "MappingStartEvent" | "SequenceStartEvent":
                    self._note(event.anchor, None)
                    self._open.append(_Node(event.anchor, "Mapping" in type(event).__name__))
                case "MappingEndEvent" | "SequenceEndEvent":
                    done = self._open.pop()
                    self._note(done.anchor, (done.size, done.height))
                    self._add(event, done.size, done.height, None)

    def _note(self, anchor: str | None, found: tuple[int, int] | None) -> None:
        if anchor is not None:
            self._anchored[anchor] = found

    def _add(self, event: Any, size: int, height: int, name: str | None) -> None:
        around = self._open[-1]
        around.size += size
        around.height = max(around.height, height + 1)
        if len(self._open) + height > MOST_DEPTH:
            raise DataError(f"{_mark(event.start_mark)}{_TOO_DEEP}")
        if self._anchored and around.size > MOST_YAML:
            raise DataError(
                f"{_mark(event.start_mark)}its aliases stand for more than {MOST_YAML:,} bytes"
            )
        if around.repeats(name):
            raise DataError(f"{_mark(event.start_mark)}{name!r} stands twice in one mapping")


class _Node:
    """An open sequence or mapping: what it holds so far."""

    def __init__(self, anchor: str | None, is_mapping: bool) -> None:
        self.anchor = anchor
        self.size = 2
        self.height = 0
        self._names: set[str] | None = set() if is_mapping else None
        self._is_name = True

    def repeats(self, name: str | None) -> bool:
        """Whether the child that came is a name that this mapping has already."""
        if self._names is None:
            return False
        is_name, self._is_name = self._is_name, not self._is_name
        if not is_name or name is None or name == "<<":
            return False
        before = len(self._names)
        self._names.add(name)
        return len(self._names) == before


def _checked(value: Any) -> Any:
    """`value`, if it does not nest too deep for what works on it later."""
    level: list[Any] = [value]
    for _ in range(MOST_DEPTH + 1):
        level = list(chain.from_iterable(map(_inner, level)))
        if not level:
            return value
    raise DataError(_TOO_DEEP)


def _inner(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _place(data: bytes, error: str) -> str:
    """The line and column of a message of msgspec, which counts bytes: "… (byte 12)"."""
    found = re.search(r"\(byte (\d+)\)", error)
    if found is None and "truncated" not in error:
        return ""
    before = data[: int(found[1]) if found else len(data)].decode(errors="replace")
    line = before.count("\n") + 1
    return f"line {line}, column {len(before) - before.rfind(chr(10))}: "


def _mark(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""


_DECODERS: dict[str, Callable[[bytes], Any]] = {"json": _json, "toml": _toml, "yaml": _yaml}

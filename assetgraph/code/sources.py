"""The source that a function or a module ran from, with its summary. Each text is read and parsed
once.

Our importer keeps the text of every module that it imports. For other code (a script, a notebook's
cell, a module imported earlier) the text comes from `linecache`. A file may have changed since it
ran, so its text counts only if it compiles to the code that runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, MutableMapping
from hashlib import blake2b
from linecache import getlines
from os.path import exists
from types import CodeType
from typing import Any, NamedTuple

import msgspec

from assetgraph.code.importer import reading_of
from assetgraph.code.project_folder import ProjectFolder
from assetgraph.code.source_codes import Codes
from assetgraph.code.source_summary import Class, File, Function
from assetgraph.process.garbage_collector import paused_collector

# The version of the summaries in the cache. Change it with every change to what a summary holds;
# otherwise existing stores go on using summaries of the old form.
ALGORITHM = "8"
EMPTY = File()

NO_SOURCE = "its source is not available, so its compiled code counts"
CHANGED = "its file changed after it was imported, so the compiled code that runs counts"
BROKEN = "its source cannot be parsed, so its compiled code counts"


class Text(NamedTuple):
    """The summary of a file, with its functions by line and name, and its classes by qualified
    name. `codes` is all code that the text compiles to, where the code that runs must be compared
    with it."""

    file: File
    functions: dict[tuple[int, str], list[Function]]
    classes: dict[str, list[Class]]
    codes: Codes | None


class Found(msgspec.Struct, frozen=True):
    """The definitions of a function in its file; if there are none, `problem` says why."""

    functions: list[Function]
    problem: str | None


class Sources:
    """The texts of the project's modules. `cache` keeps their summaries by the hash of the text."""

    def __init__(self, folder: ProjectFolder, cache: MutableMapping[str, bytes]) -> None:
        self.folder = folder
        self._cache = cache
        self._texts: dict[tuple[str, str], Text | str] = {}
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(File).decode

    def text(self, filename: str, names: Mapping[str, Any]) -> Text | str:
        """The text of the module with the globals `names`, or a sentence that says why there is
        none."""
        reading = reading_of(filename, names)
        if reading is not None:
            key = (filename, reading.digest)
            return self._texts.get(key) or self._keep(key, reading.source)
        key = (filename, "")
        if key in self._texts:
            return self._texts[key]
        # All code of `exec` and of `python -c` shares the filename "<string>", and later Pythons
        # keep the text of `python -c` under it.
        source = "" if filename == "<string>" else "".join(getlines(filename, dict(names)))
        if not source:
            return NO_SOURCE
        return self._keep(key, source)

    def _keep(self, key: tuple[str, str], source: bytes | str) -> Text | str:
        filename, digest = key
        # A file can change after it ran; text that is not in a file (a notebook's cell) cannot.
        loose = isinstance(source, str) and exists(filename)
        try:
            with paused_collector():
                file, codes = self._read(filename, digest, source, loose)
        except (SyntaxError, ValueError):
            return BROKEN
        functions: dict[tuple[int, str], list[Function]] = defaultdict(list)
        for function in file.functions:
            functions[function.line, function.name].append(function)
        classes: dict[str, list[Class]] = defaultdict(list)
        for found in file.classes:
            classes[found.qualname].append(found)
        text = self._texts[key] = Text(file, functions, classes, codes)
        return text

    def _read(
        self, filename: str, digest: str, source: bytes | str, loose: bool
    ) -> tuple[File, Codes | None]:
        """The summary of a text and, if it is loose, all code that it compiles to."""
        if isinstance(source, str):
            encoded = source.encode("utf-8", "surrogatepass")
            digest = f"text-{blake2b(encoded, digest_size=16).hexdigest()}"
        key = f"source-{ALGORITHM}-{digest}"
        codes = Codes(source, filename) if loose else None
        file = self._cached(key)
        if file is None:
            # Not needed if the cache holds every summary.
            from assetgraph.code.source_pieces import summary_of_pieces

            file = summary_of_pieces(source, filename, codes)
            self._cache[key] = self._encode(file)
        return file, codes

    def _cached(self, key: str) -> File | None:
        data = self._cache.get(key)
        try:
            return None if data is None else self._decode(data)
        except msgspec.DecodeError:
            return None


def find(code: CodeType, text: Text | str) -> Found:
    """The definition of the function with this code in the text of its module. There are several
    if lambdas on one line cannot be told apart."""
    if isinstance(text, str):
        return Found([], text)
    if text.codes is not None and code not in text.codes:
        return Found([], CHANGED)
    found = text.functions.get((code.co_firstlineno, code.co_name))
    if found is None:
        return Found([], CHANGED)
    return Found(found if len(found) == 1 else _at_positions(code, found), None)


def _at_positions(code: CodeType, candidates: list[Function]) -> list[Function]:
    """The candidates that may be the source of `code`. Two lambdas on one line differ only in the
    columns of their instructions, which Python does not always keep."""
    places = [place for place in code.co_positions() if None not in place and place[3]]
    fitting = [
        (_size(found.span), found)
        for found in candidates
        if found.span and places and all(_within(place, found.span) for place in places)
    ]
    if fitting:
        return [min(fitting, key=lambda item: item[0])[1]]
    return [found for found in candidates if found.qualname == code.co_qualname] or candidates


def _within(place: tuple[Any, ...], span: tuple[int, int, int, int]) -> bool:
    line, end_line, column, end_column = place
    return (line, column) >= span[:2] and (end_line, end_column) <= span[2:]


def _size(span: tuple[int, int, int, int]) -> tuple[int, int]:
    return (span[2] - span[0], span[3] - span[1])

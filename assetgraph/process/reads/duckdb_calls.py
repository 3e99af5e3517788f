"""Tells the recorder which files DuckDB reads: those that it is given, and those that SQL names.

DuckDB looks for tables among the variables of whoever calls it. So a call is made in a frame that
has the variables of that caller.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial, wraps
from glob import glob, has_magic
from types import CodeType, ModuleType
from typing import Any

from assetgraph.process.reads.current import current_recorder
from assetgraph.process.reads.given_sources import paths_in, places, reads
from assetgraph.process.reads.originals import stands_for
from assetgraph.process.reads.recorder import Recorder, is_there, quiet

_SQL = ("sql", "query", "execute", "executemany", "from_query")
_FILES = ("read_csv", "read_parquet", "read_json", "from_parquet", "from_csv_auto")
_RELATION_WRITES = ("write_parquet", "write_csv", "to_parquet", "to_csv")
_TEXTS = re.compile(r"'((?:[^']|'')*)'|\"((?:[^\"]|\"\")*)\"")
_WRITES_TO = re.compile(r"\b(?:to|export\s+database)\s*$", re.IGNORECASE)
_ATTACHES = re.compile(
    r"\battach\s+(?:or\s+replace\s+)?(?:database\s+)?(?:if\s+not\s+exists\s+)?$", re.IGNORECASE
)
_CALL: CodeType = compile("__assetgraph_call__()", __file__, "eval")
_MOST_TEXT = 1 << 20


def watch_duckdb(module: ModuleType) -> Iterator[Callable[[], None]]:
    """Watch the functions of the module and the methods of its classes. Gives what undoes that."""
    kinds = [
        (module, (*_SQL, *_FILES, "connect")),
        (getattr(module, "DuckDBPyConnection", None), (*_SQL, *_FILES)),
        (getattr(module, "DuckDBPyRelation", None), _RELATION_WRITES),
    ]
    made: dict[int, Any] = {}  # some functions have two names
    for owner, names in kinds:
        for name in names:
            function = vars(owner).get(name) if owner is not None else None
            if function is None:
                continue
            with suppress(AttributeError, TypeError):
                if id(function) not in made:
                    telling = _telling(function, name, isinstance(owner, type))
                    made[id(function)] = stands_for(telling, function)
                telling = made[id(function)]
                for place, called in places(owner, name, function):
                    setattr(place, called, telling)
                    yield partial(setattr, place, called, function)


def _telling(function: Any, name: str, is_method: bool) -> Any:
    def call(*args: Any, **named: Any) -> Any:
        recorder = current_recorder()
        if recorder is not None:
            with suppress(Exception):  # it would reach the step, in place of what it does
                _tell(recorder, name, args[1:] if is_method else args, named)
        caller = sys._getframe(1)
        # A lambda would be one more frame between DuckDB and those variables.
        variables = {**caller.f_locals, "__assetgraph_call__": partial(function, *args, **named)}
        return eval(_CALL, caller.f_globals, variables)

    return wraps(function)(call)


def _tell(recorder: Recorder, name: str, args: tuple[Any, ...], named: dict[str, Any]) -> None:
    values = [*args, *(named[key] for key in named if key not in ("alias", "connection"))]
    if name in _RELATION_WRITES:
        for path in paths_in(values[:1]):
            recorder.writes(path)
    elif name == "connect":
        for path in paths_in(values[:1]):
            if not path.startswith(":"):
                recorder.opened(path, by_program=True)
    elif name in _SQL:
        for value in values:
            _tell_query(recorder, value)
    else:
        for path in paths_in(values[:1]):
            reads(recorder, path)


def _tell_query(recorder: Recorder, value: Any) -> None:
    """A query, with what its parameters are: text among them may be the path of a file."""
    if isinstance(value, str) and (" " in value.strip() or "\n" in value):
        for path, before in _paths_in_sql(value[:_MOST_TEXT]):
            if before is _WRITES_TO:
                recorder.writes(path)
            elif not _is_no_path(path):
                _reads_if_there(recorder, path, may_write=before is _ATTACHES)
    elif isinstance(value, dict):
        for one in value.values():
            _tell_query(recorder, one)
    else:
        for path in paths_in(value):
            _reads_if_there(recorder, path)


def _reads_if_there(recorder: Recorder, path: str, *, may_write: bool = False) -> None:
    if has_magic(path):
        with quiet():
            found = glob(path, recursive=True)
        if found:
            reads(recorder, path)
    elif is_there(path):
        recorder.opened(path, by_program=may_write)


def _paths_in_sql(text: str) -> Iterator[tuple[str, re.Pattern[str] | None]]:
    """The texts in quotes that may be paths, each with which of the patterns stands before it."""
    for found in _TEXTS.finditer(text):
        quoted = found[1].replace("''", "'") if found[1] is not None else found[2]
        if quoted and "://" not in quoted:
            patterns = (_WRITES_TO, _ATTACHES)
            yield quoted, next((p for p in patterns if p.search(text, 0, found.start())), None)


def _is_no_path(text: str) -> bool:
    return len(text) > 4096 or text.strip() != text or text in (".", "..", "/", "*", "%")

"""What a function that opens files itself was given: paths, lists of them, patterns and folders."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from glob import glob, has_magic
from typing import Any

from assetgraph.process.reads.recorder import Recorder, full_path, is_folder, is_there, quiet

_SOURCES = frozenset(
    {"source", "sources", "path", "where", "path_or_paths", "path_or_buf", "input_file"}
    | {"metadata_path", "file_pattern", "database", "path_or_buffer", "file_glob", "path_or_handle"}
)
_PLACES = frozenset(
    {"source", "file", "path", "where", "dest", "root_path", "base_dir", "sink", "target"}
    | {"output_file", "path_or_buf"}
)
_MOST = 10_000


def reads_all(recorder: Recorder, given: Mapping[str, Any]) -> None:
    """The files that the arguments of a function name are read."""
    for name, value in dict(given).items():
        if name in _SOURCES:
            for path in paths_in(value):
                reads(recorder, path)


def writes_all(recorder: Recorder, given: Mapping[str, Any]) -> None:
    """The files that the arguments of a function name are written."""
    for name, value in dict(given).items():
        if name in _PLACES:
            for path in paths_in(value):
                recorder.writes(path)


def reads(recorder: Recorder, path: str) -> None:
    """A file, the files in a folder or those of a pattern are read."""
    full = full_path(path)
    if full is None:
        return
    if has_magic(full) and not is_there(full):
        recorder.matches(full)
        with quiet():
            found = glob(full, recursive=True)
        for one in found[:_MOST]:
            recorder.opened(one)
    elif is_folder(full):
        recorder.lists(full)
        for folder, is_listed in _inside(full):
            (recorder.lists if is_listed else recorder.opened)(folder)
    else:
        recorder.opened(full)


def paths_in(value: Any) -> Iterator[str]:
    """The paths that an argument stands for. What is open already was reported by Python."""
    if isinstance(value, str | bytes | os.PathLike):
        text = os.fsdecode(value).removeprefix("file://")
        if text and "://" not in text and "\n" not in text:
            yield os.path.expanduser(text)
    elif isinstance(value, list | tuple | set):
        for one in value:
            yield from paths_in(one)


def places(owner: Any, name: str, function: Any) -> Iterator[tuple[Any, str]]:
    """Where a function is found, and by which name: a pickle looks in the module that defines it,
    for the name that the function has there."""
    yield owner, name
    home = sys.modules.get(getattr(function, "__module__", None) or "")
    for there in {name, getattr(function, "__qualname__", name)}:
        if (
            home is not None
            and (home, there) != (owner, name)
            and vars(home).get(there) is function
        ):
            yield home, there


def _inside(root: str) -> Iterator[tuple[str, bool]]:
    """Each folder, and each file, in a folder, without hidden ones."""
    count = 0
    with quiet():
        found = list(os.walk(root))
    for folder, _, files in found:
        if os.path.basename(folder).startswith("."):
            continue
        yield folder, True
        for name in files:
            count += 1
            if count <= _MOST and not name.startswith("."):
                yield os.path.join(folder, name), False

"""`Rules`: which paths count as read, and whose code reads them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from enum import Enum

_NEVER_CALLED = frozenset(
    {".git", ".hg", ".svn", "__pycache__", ".cache", ".venv", ".tox", ".nox"}
    | {".mypy_cache", ".pytest_cache", ".ruff_cache", ".ipynb_checkpoints"}
    | {"site-packages", "dist-packages", "__pypackages__", "node_modules"}
)
_MARKS = ("pyvenv.cfg", "conda-meta", "CACHEDIR.TAG")  # of environments and caches
_SYSTEM = ("/proc", "/sys", "/dev", "/etc", "/run", "/usr/lib", "/usr/share", "/System", "/Library")
_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_OBSERVING = os.path.join(_PACKAGE, "process") + os.sep
_CALLING = os.path.join(_PACKAGE, "run", "step_compute.py")
CALLS_THE_STEP = "_call"  # there
_OUR_LOADER = os.path.join(_PACKAGE, "code", "importer.py")
_IMPORTING = ("<frozen importlib._bootstrap_external>", "<frozen zipimport>", _OUR_LOADER)
_status = os.stat  # which is another function while steps run


class Place(Enum):
    """Where a path lies."""

    INSIDE = 1  # the project's folder
    OUTSIDE = 2
    TEMPORARY = 3
    NEVER = 4  # the store, installed code, caches, the system: nothing there counts


class Code(Enum):
    """Whose code a file holds."""

    PROJECT = 1
    LIBRARY = 2
    ENGINE = 3
    CALL = 4  # the engine, in one function of which it calls the step
    OBSERVING = 5  # what watches: not there, as far as reads go
    IMPORTING = 6
    LINES = 7  # what reads source for tracebacks


PROJECT, LIBRARY, ENGINE, CALL, OBSERVING, IMPORTING, LINES = Code  # faster than attributes
Keeper = tuple[str, int, str]  # the file, the first line and the full name of a function
INSIDE, OUTSIDE, TEMPORARY, NEVER = Place


class Rules:
    """The rules for the project in `root`. Nothing in the folders `never` counts.

    `is_project_file` says whether a source file is the project's. `digest_of_file` gives the digest
    of a file's content.
    """

    def __init__(
        self,
        root: str,
        never: Iterable[str],
        is_project_file: Callable[[str], bool],
        digest_of_file: Callable[[str], str],
    ) -> None:
        self.root = root
        self.roots = tuple(dict.fromkeys([root, os.path.realpath(root)]))
        self.digest_of_file = digest_of_file
        self._is_project_file = is_project_file
        prefixes = (sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.dirname(os.__file__))
        folders = {os.path.abspath(folder) for folder in (*never, *prefixes, _PACKAGE)}
        folders |= {os.path.realpath(folder) for folder in folders}
        self._never = folders.union(_SYSTEM) - {"/"}
        temporary = _temporary_folder()
        self._temporary = {temporary, os.path.realpath(temporary)}
        self._places: dict[str, Place] = {}
        self._codes: dict[str, Code] = {}

    def place(self, path: str) -> Place:
        """Where an absolute path lies. Looks at the disk once for each folder."""
        folder = path[: path.rfind("/")] or "/"
        known = self._places.get(folder)
        if known is None:
            known = self._places[folder] = self._find_out(folder)
        return known

    def place_of_folder(self, folder: str) -> Place:
        """Where what is in a folder lies."""
        return self.place(folder + "/x")

    def code(self, file: str) -> Code:
        """Whose code is in the source file of a frame."""
        known = self._codes.get(file)
        if known is None:
            known = self._codes[file] = self._whose(file)
        return known

    def name(self, path: str) -> str:
        """The path as it is recorded: relative to the project's folder if it is inside."""
        for root in self.roots:
            if path == root:
                return "."
            if path.startswith(root + "/"):
                return path[len(root) + 1 :]
        return path

    def _find_out(self, folder: str) -> Place:
        if folder in self.roots:
            return INSIDE
        if folder in self._never or os.path.basename(folder) in _NEVER_CALLED:
            return NEVER
        if any(_is_there(f"{folder}/{mark}") for mark in _MARKS):
            return NEVER
        parent = os.path.dirname(folder)
        if parent == folder:
            return OUTSIDE
        if folder in self._temporary and self.place(folder) is OUTSIDE:
            return TEMPORARY
        return self.place(folder)

    def _whose(self, file: str) -> Code:
        if file.startswith(_OBSERVING):
            return OBSERVING
        if file == _CALLING:
            return CALL
        if file in _IMPORTING:
            return IMPORTING
        if file.startswith(_PACKAGE + os.sep):
            return ENGINE
        if os.path.basename(file) == "linecache.py":
            return LINES
        if file.startswith("<frozen"):
            return LIBRARY
        # Text that `exec` or a notebook runs has a name in brackets: it is the project's.
        project = file.startswith("<") or self._is_project_file(file)
        return PROJECT if project else LIBRARY


def _temporary_folder() -> str:
    """What `tempfile.gettempdir` says, which few steps import, or would say."""
    loaded = sys.modules.get("tempfile")
    if loaded is not None and hasattr(loaded, "gettempdir"):
        return str(loaded.gettempdir())
    named = (os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    return next((os.path.abspath(one) for one in named if one and os.path.isdir(one)), "/tmp")


def _is_there(path: str) -> bool:
    try:
        _status(path)
    except OSError:
        return False
    return True

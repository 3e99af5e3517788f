"""`ProjectFolder`: which files belong to the project."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_INSTALLED_CODE = {"site-packages", "dist-packages", "__pypackages__", "node_modules"}
_ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta")
_OWN_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_STANDARD_LIBRARY = os.path.dirname(os.path.abspath(os.__file__))


class ProjectFolder:
    """The files under the folder `root`, except those of environments inside it and of assetgraph
    itself. With `root` None, all files that are not installed."""

    def __init__(self, root: Path | str | None) -> None:
        given = os.path.abspath(root) if root is not None else None
        self.root = given
        self.roots = tuple(dict.fromkeys([given, os.path.realpath(given)])) if given else ()
        self._files: dict[str, bool] = {}
        self._folders: dict[str, bool] = {}
        self._relative: dict[str, str] = {}
        self._prefixes = {
            os.path.abspath(prefix) for prefix in (sys.prefix, sys.base_prefix)
        } - set(self.roots)

    def contains(self, file: str) -> bool:
        """Whether `file` is source of the project. Checks the disk once for each folder."""
        known = self._files.get(file)
        if known is None:
            known = os.path.isabs(file) and self._holds(os.path.dirname(file))
            self._files[file] = known
        return known

    def relative(self, file: str) -> str:
        """The path of `file` relative to the folder, with `/`; `file` itself where it lies
        outside."""
        known = self._relative.get(file)
        if known is None:
            root = next((root for root in self.roots if file.startswith(root + os.sep)), None)
            known = file if root is None else file[len(root) + 1 :].replace(os.sep, "/")
            self._relative[file] = known
        return known

    def _holds(self, folder: str) -> bool:
        known = self._folders.get(folder)
        if known is None:
            known = self._folders[folder] = self._find_out(folder)
        return known

    def _find_out(self, folder: str) -> bool:
        if folder in self.roots:
            return True
        if folder in (_OWN_FOLDER, _STANDARD_LIBRARY) or folder in self._prefixes:
            return False
        if is_environment(folder):
            return False
        parent = os.path.dirname(folder)
        return self._holds(parent) if parent != folder else not self.roots


def is_environment(folder: str) -> bool:
    """Whether a folder holds installed code, such as a virtual environment."""
    return os.path.basename(folder) in _INSTALLED_CODE or any(
        os.path.exists(os.path.join(folder, mark)) for mark in _ENVIRONMENT_MARKS
    )

"""The project's modules, imported so that the text that is hashed is the text that ran.

Python trusts a `.pyc` by the size and the whole second of its source, so a quick edit of the same
size runs the old code. Here each import of a project's module reads its source once: the code that
runs is compiled from that reading (or comes from a `.pyc` whose hash of the source matches), and
the reading is kept for the fingerprint, even when the file is edited later.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import MAGIC_NUMBER, cache_from_source, decode_source, source_hash
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

_INSTALLED_CODE = {"site-packages", "dist-packages", "__pypackages__", "node_modules"}
_ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta")
_OWN_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_STANDARD_LIBRARY = os.path.dirname(os.path.abspath(os.__file__))
_HASH_CHECKED = (0b11).to_bytes(4, "little")


class Reading(NamedTuple):
    """The source of a module as it was when the module ran. `path` is relative to the project."""

    path: str
    source: bytes
    digest: str

    @property
    def text(self) -> str:
        return decode_source(self.source)


class ProjectFolder:
    """Which files are the project's: those under its folder, not in an environment inside it, and
    never assetgraph itself. Without a folder, whatever is not installed."""

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
        """Whether `file` is source of the project. Asks the disk once for a folder."""
        known = self._files.get(file)
        if known is None:
            known = os.path.isabs(file) and self._holds(os.path.dirname(file))
            self._files[file] = known
        return known

    def relative(self, file: str) -> str:
        """`file` relative to the project's folder, with `/`, where it lies inside it."""
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
        if os.path.basename(folder) in _INSTALLED_CODE:
            return False
        if any(os.path.exists(os.path.join(folder, mark)) for mark in _ENVIRONMENT_MARKS):
            return False
        parent = os.path.dirname(folder)
        return self._holds(parent) if parent != folder else not self.roots


class ProjectFinder:
    """A meta-path finder: whatever the finders after it find in the project gets our loader."""

    def __init__(self, folder: ProjectFolder) -> None:
        self.folder = folder

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        finders = iter(tuple(sys.meta_path))
        for finder in finders:
            if finder is self:
                break
        for finder in finders:
            find = getattr(finder, "find_spec", None)
            spec = find(fullname, path, target) if find else None
            if spec is not None:
                return self._with_our_loader(spec)
        return None

    def _with_our_loader(self, spec: ModuleSpec) -> ModuleSpec:
        # An exact type: a subclass (a debugger's, a type checker's) changes the code on purpose.
        if type(spec.loader) is SourceFileLoader and self.folder.contains(spec.loader.path):
            spec.loader = ProjectLoader(spec.name, spec.loader.path, self.folder)
        return spec


class ProjectLoader(SourceFileLoader):
    """Loads one module from one reading of its source.

    Only the methods that `SourceLoader` asks for bytes are replaced, so that errors and tracebacks
    stay as Python makes them.
    """

    def __init__(self, fullname: str, path: str, folder: ProjectFolder) -> None:
        super().__init__(fullname, path)
        self.folder = folder
        self.reading: Reading | None = None

    def get_data(self, path: str) -> bytes:
        if path == self.path:
            return self._read().source
        if path == _bytecode_path(self.path):
            return self._checked_bytecode(path)
        return super().get_data(path)

    def set_data(self, path: str, data: Any, **options: Any) -> None:
        """Write a `.pyc` that Python checks by the hash of its source, not by time and size."""
        if path == _bytecode_path(self.path):
            data = data[:4] + _HASH_CHECKED + source_hash(self._read().source) + data[16:]
        super().set_data(path, data, **options)

    def _read(self) -> Reading:
        if self.reading is None:
            source = super().get_data(self.path)
            digest = blake2b(source, digest_size=16).hexdigest()
            self.reading = Reading(self.folder.relative(self.path), source, digest)
        return self.reading

    def _checked_bytecode(self, path: str) -> bytes:
        # Python asks for this first when it is about to run the module: now the reading is final.
        reading = _readings[self.path] = self._read()
        data = super().get_data(path)
        expected = MAGIC_NUMBER + _HASH_CHECKED + source_hash(reading.source)
        if data[:16] != expected:
            raise OSError(f"{path} was not compiled from the present text")
        return data


_readings: dict[str, Reading] = {}
_finders: dict[str, ProjectFinder] = {}


def install(project_root: Path | str) -> ProjectFinder:
    """Import the modules under `project_root` by our loader from now on. Again does nothing."""
    folder = ProjectFolder(project_root)
    assert folder.root is not None
    finder = _finders.get(folder.root)
    if finder is None or finder not in sys.meta_path:
        finder = _finders[folder.root] = ProjectFinder(folder)
        sys.meta_path.insert(_place_before_path_finder(), finder)
    return finder


def uninstall(project_root: Path | str) -> None:
    """Undo `install`; what was imported stays."""
    finder = _finders.pop(os.path.abspath(project_root), None)
    if finder in sys.meta_path:
        sys.meta_path.remove(finder)


def forget(project_root: Path | str) -> tuple[str, ...]:
    """Drop the project's modules, so that the next import reads them anew. Returns their names.

    `__main__` stays: it cannot be imported again.
    """
    modules, readings = _loaded_from(project_root)
    for name in modules:
        del sys.modules[name]
    for file in readings:
        del _readings[file]
    importlib.invalidate_caches()
    return tuple(modules)


@contextmanager
def fresh_import(project_root: Path | str) -> Iterator[None]:
    """Within it, the project's modules are read anew. After an error those of before are back: what
    they defined goes on with the modules and the texts that it came from."""
    modules, readings = _loaded_from(project_root)
    forget(project_root)
    try:
        yield
    except BaseException:
        forget(project_root)
        sys.modules.update(modules)
        _readings.update(readings)
        raise


def _loaded_from(project_root: Path | str) -> tuple[dict[str, ModuleType], dict[str, Reading]]:
    """The project's modules by name, and their readings by file."""
    folder = ProjectFolder(project_root)
    modules = {
        name: module
        for name, module in tuple(sys.modules.items())
        if name != "__main__" and folder.contains(getattr(module, "__file__", None) or "")
    }
    readings = {file: known for file, known in tuple(_readings.items()) if folder.contains(file)}
    return modules, readings


def reading_of(file: str, names: Mapping[str, Any] | None = None) -> Reading | None:
    """The reading that `file` ran from, or None where our loader did not load it.

    With `names`, the globals of a module, it is the reading of that very module: a function that
    outlives a reload keeps its own text.
    """
    loader = getattr((names or {}).get("__spec__"), "loader", None)
    if isinstance(loader, ProjectLoader) and loader.path == file and loader.reading is not None:
        return loader.reading
    return _readings.get(file)


def source_of(file: str) -> str | None:
    """The text that `file` ran from, or None where our loader did not load it."""
    reading = _readings.get(file)
    return reading.text if reading else None


def is_as_read(file: str) -> bool:
    """Whether `file` holds the text that its module ran from."""
    reading = _readings.get(file)
    try:
        with open(file, "rb") as now:
            return reading is not None and now.read() == reading.source
    except OSError:
        return False


def source_hashes() -> dict[str, str]:
    """The hash of every source that was imported, by its path relative to the project."""
    return {reading.path: reading.digest for reading in tuple(_readings.values())}


def _bytecode_path(source_path: str) -> str | None:
    try:
        return cache_from_source(source_path)
    except NotImplementedError:
        return None


def _place_before_path_finder() -> int:
    """Built-in and frozen modules keep their precedence, and so do hooks that rewrite code."""
    if PathFinder in sys.meta_path:
        return sys.meta_path.index(PathFinder)
    return len(sys.meta_path)

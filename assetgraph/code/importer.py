"""Imports the project's modules in such a way that the text we hash is the text that ran.

Python trusts a `.pyc` if the size and the time of its source match, and the time counts in whole
seconds. After a quick edit of the same size it therefore runs the old code. Our loader reads the
source of each module once. The code that runs is compiled from that reading, or comes from a `.pyc`
that holds the hash of the same text, or from a cache of its own. The reading is kept for the code
version, even if the file is edited later.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import MAGIC_NUMBER, decode_source, source_hash
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from assetgraph.code.project_folder import ProjectFolder
from assetgraph.definitions.registry import module_variables

_HASH_CHECKED = (0b11).to_bytes(4, "little")
_HASH_KNOWN = (0b01).to_bytes(4, "little")  # Python need not compare it with the source once more


class Reading(NamedTuple):
    """The source of a module at the time it ran. `path` is relative to the project's folder."""

    path: str
    source: bytes
    digest: str

    @property
    def text(self) -> str:
        return decode_source(self.source)


class ProjectFinder:
    """A meta-path finder. It lets the finders after it find a module, and if the module belongs to
    the project, gives it our loader. `cache` keeps compiled code where Python does not, or by the
    time of its source."""

    def __init__(self, folder: ProjectFolder) -> None:
        self.folder = folder
        self.cache: MutableMapping[str, bytes] | None = None

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
            spec.loader = ProjectLoader(spec.name, spec.loader.path, spec.cached, self)
        return spec


class ProjectLoader(SourceFileLoader):
    """Loads one module from one reading of its source.

    It overrides only the methods that read and write bytes, so errors and tracebacks stay exactly
    as Python makes them.
    """

    def __init__(
        self, fullname: str, path: str, bytecode_path: str | None, finder: ProjectFinder
    ) -> None:
        super().__init__(fullname, path)
        self.bytecode_path = bytecode_path
        self.finder = finder
        self.reading: Reading | None = None

    def get_data(self, path: str) -> bytes:
        if path == self.path:
            return self._read().source
        if path == self.bytecode_path:
            return self._checked_bytecode(path)
        return super().get_data(path)

    def set_data(self, path: str, data: Any, **options: Any) -> None:
        """Write a `.pyc` that Python checks by the hash of its source, not by its time and size."""
        if path == self.bytecode_path:
            data = data[:4] + _HASH_CHECKED + source_hash(self._read().source) + data[16:]
        super().set_data(path, data, **options)

    def _read(self) -> Reading:
        if self.reading is None:
            _files[self.name] = self.path
            source = super().get_data(self.path)
            digest = blake2b(source, digest_size=16).hexdigest()
            self.reading = Reading(self.finder.folder.relative(self.path), source, digest)
        return self.reading

    def _checked_bytecode(self, path: str) -> bytes:
        # Python asks for the bytecode right before it runs the module, so this reading is final.
        reading = _readings[self.path] = self._read()
        hashed = source_hash(reading.source)
        if os.path.exists(path):
            data = super().get_data(path)
            if data[:16] == MAGIC_NUMBER + _HASH_CHECKED + hashed:
                return data[:4] + _HASH_KNOWN + data[8:]
        if self.finder.cache is not None:
            from assetgraph.code.compiled_code import bytecode_of

            found = bytecode_of(reading.source, reading.digest, self.path, self.finder.cache)
            if found is not None:
                return MAGIC_NUMBER + _HASH_KNOWN + hashed + found
        raise OSError(f"{path} was compiled from another text")


_readings: dict[str, Reading] = {}
_files: dict[str, str] = {}  # by the name of the module that our loader loaded from it
_finders: dict[str, ProjectFinder] = {}


def install(project_root: Path | str) -> ProjectFinder:
    """Import the modules under `project_root` with our loader from now on. A second call changes
    nothing."""
    folder = ProjectFolder(project_root)
    assert folder.root is not None
    finder = _finders.get(folder.root)
    if finder is None or finder not in sys.meta_path:
        finder = _finders[folder.root] = ProjectFinder(folder)
        sys.meta_path.insert(_place_before_path_finder(), finder)
    return finder


def forget(project_root: Path | str) -> tuple[str, ...]:
    """Remove the project's modules, so that the next import reads their files again. Returns
    their names.

    `__main__` stays, since it cannot be imported again.
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
    """Inside the block, importing a module of the project reads its file again.

    If the block raises, the modules from before it are restored with their texts, since the
    definitions from before are still in use.
    """
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
    """The project's imported modules by name, and their readings by file."""
    folder = ProjectFolder(project_root)
    modules = {
        name: module
        for name, module in tuple(sys.modules.items())
        if name != "__main__" and _is_from(folder, name, module_variables(module))
    }
    readings = {file: known for file, known in tuple(_readings.items()) if folder.contains(file)}
    return modules, readings


def _is_from(folder: ProjectFolder, name: str, variables: Mapping[str, Any]) -> bool:
    file = variables.get("__file__")
    # A folder without `__init__.py`. One that is also installed keeps its installed modules.
    paths = getattr(variables.get("__path__"), "_path", None)
    if not file and paths:
        return all(folder.contains(f"{path}/x.py") for path in paths)
    file = file or _files.get(name)  # an object that took a module's place has no file of its own
    return bool(file) and folder.contains(str(file))


def reading_of(file: str, names: Mapping[str, Any] | None = None) -> Reading | None:
    """The reading that `file` ran from, or None if our loader did not load it.

    `names` are the globals of a module. With them, the result is the reading of exactly that
    module: a function that outlives a reload keeps its own text.
    """
    loader = getattr((names or {}).get("__spec__"), "loader", None)
    if isinstance(loader, ProjectLoader) and loader.path == file and loader.reading is not None:
        return loader.reading
    return _readings.get(file)


def source_of(file: str) -> str | None:
    """The text that `file` ran from, or None if our loader did not load it."""
    reading = _readings.get(file)
    return reading.text if reading else None


def is_as_read(file: str) -> bool:
    """Whether `file` still holds the text that its module ran from."""
    reading = _readings.get(file)
    try:
        with open(file, "rb") as now:
            return reading is not None and now.read() == reading.source
    except OSError:
        return False


def source_hashes() -> dict[str, str]:
    """The hash of every imported source, by its path relative to the project's folder."""
    return {reading.path: reading.digest for reading in tuple(_readings.values())}


def _place_before_path_finder() -> int:
    """Right before the finder of files, so built-in and frozen modules, and hooks that rewrite
    code, keep their precedence."""
    if PathFinder in sys.meta_path:
        return sys.meta_path.index(PathFinder)
    return len(sys.meta_path)

"""`watch`: has this process watched while steps run.

What knows the functions of libraries is imported with the first of these libraries.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import assetgraph.process.reads.forks  # noqa: F401 - watches forks
from assetgraph.process.reads.audit_hook import add_hook
from assetgraph.process.reads.looks import stop_looks, watch_looks

# Those of which `process/reads/libraries.py` knows functions.
LIBRARIES = frozenset({"duckdb", "pandas", "polars", "pyarrow", "pydantic_settings"})
_watching = False


def watch() -> None:
    """Tell the recorders of steps what they read, from now on."""
    global _watching
    if _watching:
        return
    _watching = True
    add_hook()
    watch_looks()
    if not LIBRARIES.isdisjoint(sys.modules):
        for name in [one for one in sys.modules if _is_of_a_library(one)]:
            _watch_library(name, sys.modules[name])
    sys.meta_path.insert(0, _finder)


def stop_watching() -> None:
    """Leave the process as it was. The hook of Python stays, and does nothing."""
    global _watching
    if _watching:
        _watching = False
        stop_looks()
        with suppress(ValueError):
            sys.meta_path.remove(_finder)
        libraries = sys.modules.get(f"{__package__}.libraries")
        if libraries is not None:
            libraries.stop_libraries()


def _is_of_a_library(name: str) -> bool:
    return name.partition(".")[0] in LIBRARIES


def _watch_library(name: str, module: ModuleType | None) -> None:
    from assetgraph.process.reads.libraries import WATCHED, watch_module  # few projects have one

    if name in WATCHED and module is not None:
        watch_module(name, module)


class _Finder:
    """Has libraries watched as soon as they are imported."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if not _is_of_a_library(name):
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader)  # type: ignore[assignment]
                return spec
        return None


class _Loader:
    """Loads a module as its own loader does, which it then has, and watches it."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)  # type: ignore[no-any-return]

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        if _watching:
            _watch_library(module.__name__, module)


_finder: Any = _Finder()

"""`LoadedDefinitions`: the project's definitions as last loaded, and the last valid ones."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from assetgraph.code import importer
from assetgraph.errors import AssetGraphError, DefinitionsError, ProjectError
from assetgraph.records import now

if TYPE_CHECKING:
    from assetgraph.errors import Problem
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.project.settings import Project

_SKIPPED_FOLDERS = {"__pycache__", "node_modules", "site-packages"}
Stamps = frozenset[tuple[str, int, int]]  # path, size and time of each source file of a folder


@dataclass(frozen=True, slots=True)
class LoadFailure:
    """Why definitions did not load: a module's `traceback`, or the `problems` of the graph."""

    message: str
    hint: str | None = None
    traceback: str | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def details(self) -> str:
        """The traceback, or each problem with its place."""
        return self.traceback or "\n".join(str(problem) for problem in self.problems)

    def as_json(self) -> dict[str, Any]:
        return {
            "message": self.message,
            "hint": self.hint,
            "traceback": self.traceback,
            "problems": [
                {"place": p.place, "message": p.message, "remedy": p.remedy, "key": p.key}
                for p in self.problems
            ],
        }


@dataclass(frozen=True, slots=True)
class Load:
    """One attempt to load the definitions."""

    at: datetime
    duration_s: float
    assets: int
    failure: LoadFailure | None


class LoadedDefinitions:
    """Loads the definitions; `last` is the last attempt, `good` the last that succeeded."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._graph: AssetGraph | None = None
        self.last: Load | None = None
        self.good: Load | None = None
        self._read: dict[str, Stamps] = {}  # by folder, as it was at the last load

    @property
    def graph(self) -> AssetGraph:
        """The last valid graph, empty until there is one."""
        if self._graph is None:
            # The first answer does without the graph.
            from assetgraph.graph.asset_graph import AssetGraph

            self._graph = AssetGraph(())
        return self._graph

    @property
    def failure(self) -> LoadFailure | None:
        """Why the last attempt failed."""
        return self.last.failure if self.last else None

    def load(self) -> bool:
        """Load the code again. Returns whether it is valid; if not, the graph stays the same."""
        at, started = now(), time.perf_counter()
        failure, graph = None, None
        try:
            with importer.fresh_import(self.project.root):
                graph = self._read_modules(int(at.timestamp() * 1e9))
        except DefinitionsError as error:
            count = len(error.problems)
            word = "problem" if count == 1 else "problems"
            failure = LoadFailure(f"{count} {word} in the definitions.", problems=error.problems)
        except ProjectError as error:
            failure = LoadFailure(error.message, error.hint, error.traceback)
        except AssetGraphError as error:
            failure = LoadFailure(error.message, error.hint)
        spent = round(time.perf_counter() - started, 3)
        self.last = Load(at, spent, len(graph or ()), failure)
        if graph is not None:
            self.good, self._graph = self.last, graph
        return graph is not None

    def changed_on_disk(self) -> bool:
        """Whether a file of the project changed since the last load.

        A file that holds the text that was loaded has not changed, unless that load failed.
        """
        for folder in _imported_folders(self.project):
            # A folder that was unknown at the load: a late import brought it in.
            self._read.setdefault(folder, _sources_in(folder))
        for folder in self._read.keys() | _own_folders(self.project):
            known, found = self._read.get(folder, frozenset()), _sources_in(folder)
            if found != known:
                if self.failure is not None or not _same_texts(known, found):
                    return True
                self._read[folder] = found
        return False

    def as_json(self) -> dict[str, Any]:
        """Where the definitions come from, when they were loaded, and why that failed."""
        project, last, good = self.project, self.last, self.good
        return {
            "root": str(project.root),
            "modules": list(project.modules),
            "store": os.path.relpath(project.store, project.root),
            "loading": last is None,
            "loaded_at": good.at.isoformat() if good else None,
            "duration_s": good.duration_s if good else None,
            "assets": good.assets if good else 0,
            "tried_at": last.at.isoformat() if last else None,
            "failure": last.failure.as_json() if last and last.failure else None,
        }

    def _read_modules(self, begun_ns: int) -> AssetGraph:
        """The graph of the files as they are now. Watches those files from now on, even if they
        do not load."""
        try:
            return self.project.load().graph.require_valid()
        finally:
            folders = _own_folders(self.project) | _imported_folders(self.project)
            self._read = {folder: _sources_in(folder, begun_ns) for folder in folders}


def _own_folders(project: Project) -> set[str]:
    """The folders of the packages that hold assets, and the parents of the project's modules."""
    packages = {os.path.join(project.root, *name.split(".")) for name in project.modules}
    within = {place for package in packages for place in _folders_in(package)}
    return within | {os.path.dirname(package) for package in packages}


def _imported_folders(project: Project) -> set[str]:
    """The folders of all files of the project that were imported."""
    return {os.path.dirname(os.path.join(project.root, p)) for p in importer.source_hashes()}


def _folders_in(folder: str) -> Iterator[str]:
    for place, inner, _ in os.walk(folder):
        inner[:] = [n for n in inner if not n.startswith(".") and n not in _SKIPPED_FOLDERS]
        yield place


def _same_texts(known: Stamps, found: Stamps) -> bool:
    same_files = {path for path, *_ in known} == {path for path, *_ in found}
    return same_files and all(importer.is_as_read(path) for path, *_ in found - known)


def _sources_in(folder: str, begun_ns: int | None = None) -> Stamps:
    """The stamps of the source files of a folder.

    A file that was saved since `begun_ns`, while it was being read, gets a stamp that it can never
    have, so that the next look reads it again.
    """
    found = set()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".py") and entry.is_file():
                    stat = entry.stat()
                    late = begun_ns is not None and stat.st_mtime_ns >= begun_ns
                    found.add((entry.path, stat.st_size, -1 if late else stat.st_mtime_ns))
    except OSError:
        pass
    return frozenset(found)

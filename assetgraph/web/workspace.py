"""`Workspace`: the project's definitions as they were last loaded, and the last that were good."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from assetgraph import loading
from assetgraph.errors import AssetGraphError, DefinitionsError, ProjectError
from assetgraph.records import now

if TYPE_CHECKING:
    from assetgraph.graph import AssetGraph
    from assetgraph.problems import Problem
    from assetgraph.project import Project

_SKIPPED_FOLDERS = {"__pycache__", "node_modules", "site-packages"}
Stamps = frozenset[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class LoadFailure:
    """Why definitions did not load: a module's `traceback`, or what is wrong with the graph."""

    message: str
    hint: str | None = None
    traceback: str | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Load:
    """One reading of the definitions. `stamps` tell later whether a file was saved since."""

    at: datetime
    duration_s: float
    assets: int
    failure: LoadFailure | None
    stamps: Stamps = field(repr=False, default=frozenset())


class Workspace:
    """`last` and `good` are the last reading and the last good one."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._graph: AssetGraph | None = None
        self.last: Load | None = None
        self.good: Load | None = None

    @property
    def graph(self) -> AssetGraph:
        """The last good one, empty until there is one."""
        if self._graph is None:
            from assetgraph.graph import (
                AssetGraph,
            )  # with networkx, which the first answer needs not

            self._graph = AssetGraph(())
        return self._graph

    def load(self) -> bool:
        """Read the code again. Whether it was good; if not, the graph stays as it was."""
        at, started = now(), time.perf_counter()
        failure, graph = None, None
        try:
            loading.forget(self.project.root)
            graph = self.project.load().graph.require_valid()
        except DefinitionsError as error:
            count = len(error.problems)
            word = "problem" if count == 1 else "problems"
            failure = LoadFailure(f"{count} {word} in the definitions.", problems=error.problems)
        except ProjectError as error:
            failure = LoadFailure(error.message, error.hint, error.traceback)
        except AssetGraphError as error:
            failure = LoadFailure(error.message, error.hint)
        spent = round(time.perf_counter() - started, 3)
        self.last = Load(at, spent, len(graph or ()), failure, self._stamps_since(at))
        if graph is not None:
            self.good, self._graph = self.last, graph
        return graph is not None

    def changed_on_disk(self) -> bool:
        """Whether a file of the project was saved since the last reading."""
        return self.last is not None and self._stamps() != self.last.stamps

    def _stamps(self) -> Stamps:
        return frozenset(_stamps(str(self.project.root), self.project.modules))

    def _stamps_since(self, at: datetime) -> Stamps:
        """The stamps as they are; a file that was saved while it was being read gets one that it
        will never have, so that it is read again."""
        begun = int(at.timestamp() * 1e9)
        return frozenset((path, size, -1 if t >= begun else t) for path, size, t in self._stamps())


def _stamps(root: str, modules: tuple[str, ...]) -> Iterator[tuple[str, int, int]]:
    """Path, size and time of each source file in the packages that hold assets, and in the folders
    of whatever else of the project they imported."""
    packages = {os.path.join(root, *name.split(".")) for name in modules}
    folders = {place for package in packages for place in _folders_in(package)}
    folders |= {os.path.dirname(package) for package in packages}
    folders |= {os.path.dirname(os.path.join(root, path)) for path in loading.source_hashes()}
    for folder in folders:
        yield from _sources_in(folder)


def _folders_in(folder: str) -> Iterator[str]:
    for place, inner, _ in os.walk(folder):
        inner[:] = [n for n in inner if not n.startswith(".") and n not in _SKIPPED_FOLDERS]
        yield place


def _sources_in(folder: str) -> Iterator[tuple[str, int, int]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".py") and entry.is_file():
                    stat = entry.stat()
                    yield entry.path, stat.st_size, stat.st_mtime_ns
    except OSError:
        return

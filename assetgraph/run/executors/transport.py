"""Sending steps to other processes: the project's computations by name, any others by value."""

from __future__ import annotations

import io
import os
import pickle
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import FunctionType
from typing import TYPE_CHECKING, Any

from assetgraph.code.importer import forget, source_hashes
from assetgraph.definitions.annotations import of_which_type
from assetgraph.definitions.computation import AssetSpec, Computation
from assetgraph.errors import WorkerError
from assetgraph.keys import AssetKey
from assetgraph.run.executors.script import receive_script

if TYPE_CHECKING:
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.run.executors.base import Computations, Loadable
    from assetgraph.run.step_task import StepTask

_PLAIN = (str, bytes, int, float, bool, tuple, type(None))  # objects that others may be too
_ROOM = 16_000_000  # bytes, for all of a script that is sent before a step needs it


class Sender:
    """Packs steps for workers. `computations` and `resources` are the ones that workers can load
    from `project`."""

    def __init__(
        self,
        project: Loadable | None,
        computations: Computations,
        resources: Mapping[str, Any] | None = None,
    ) -> None:
        self._computations = computations if project is not None else {}
        named = resources.items() if resources and project is not None else ()
        self._resources = {id(one): name for name, one in named if type(one) not in _PLAIN}
        self._specs = {
            spec.key: spec for made in self._computations.values() for spec in made.specs
        }
        self._project = project

    def greeting(self) -> bytes:
        """What a worker needs first: the project, the hashes of its sources as loaded here, and
        what `__main__` defines."""
        return pickle.dumps((self._project, source_hashes(), _script_items(), _script_file()))

    def pack(self, task: StepTask, *extras: Any) -> bytes:
        """Pickle a task and what goes with it. Raises `WorkerError` if that fails."""
        work = (task, *extras)
        try:
            return self._by_value(work) if self._goes_by_value(task) else self._by_name(work)
        except Exception as error:
            self._require_resources(task)
            raise WorkerError(
                f"it cannot be sent to another process: {type(error).__name__}: {error}.",
                hint="Define it in a module of the project, or choose the executor threads.",
            ) from error

    def _require_resources(self, task: StepTask) -> None:
        """Raise `WorkerError` for a resource of the step that cannot be sent."""
        for name, resource in task.taken.resources.items():
            try:
                self._by_value(resource)
            except Exception as error:
                raise WorkerError(
                    f"its resource {name!r}, {of_which_type(resource)}, cannot be sent to another "
                    f"process: {type(error).__name__}: {error}.",
                    hint="Give it in a module of the project, where each process makes its own, or "
                    "choose the executor threads.",
                ) from error

    def _goes_by_value(self, task: StepTask) -> bool:
        makers = (source.maker for source in task.inputs if source.maker is not None)
        return self._name_of(task.computation) is None or any(
            self._name_of(maker) is None for maker in makers
        )

    def _name_of(self, item: Any) -> tuple[str, ...] | None:
        """The name in every process of a computation or spec of the project, otherwise None."""
        if isinstance(item, Computation):
            known = self._computations.get(item.name) is item
            return ("computation", item.name) if known else None
        if isinstance(item, AssetSpec):
            return ("spec", *item.key.parts) if self._specs.get(item.key) is item else None
        if self._resources and id(item) in self._resources:
            return ("resource", self._resources[id(item)])
        return None

    def _by_name(self, work: Any) -> bytes:
        class Pickler(pickle.Pickler):
            persistent_id = staticmethod(self._name_of)

        return _dumps(Pickler, work)

    def _by_value(self, work: Any) -> bytes:
        from assetgraph.run.executors.by_value import Pickler as ByValue

        class Pickler(ByValue):
            persistent_id = staticmethod(self._name_of)

        return _dumps(Pickler, work)


class Receiver:
    """Unpacks in a worker what a `Sender` packed. It loads the project when the first of its assets
    arrives."""

    def __init__(self, greeting: bytes) -> None:
        self._project: Loadable | None
        self._project, self._sources, *script = pickle.loads(greeting)
        self._loaded: AssetGraph | None = None
        if self._project is not None:
            os.chdir(self._project.root)
        receive_script(*script)

        class Unpickler(pickle.Unpickler):
            persistent_load = staticmethod(self._named)

        self._unpickler = Unpickler

    def unpack(self, data: bytes) -> Any:
        """The task and what goes with it. Raises `WorkerError` if the project differs from the
        sender's."""
        work = self._unpickler(io.BytesIO(data)).load()
        self._check_sources()
        return work

    def load_anew(self) -> None:
        """Load the project afresh, even if this process has imported it before."""
        if self._project is not None:
            forget(self._project.root)
            self._loaded = self._load()

    def _load(self) -> AssetGraph:
        assert self._project is not None
        graph: AssetGraph = self._project.load().graph
        return graph

    def _named(self, name: tuple[str, ...]) -> Any:
        if self._loaded is None:
            self._loaded = self._load()
        kind, *parts = name
        if kind == "spec":
            key = AssetKey.unchecked(parts)
            if key in self._loaded:
                return self._loaded.asset(key)
        elif kind == "resource":
            if parts[0] in self._loaded.resources:
                return self._loaded.resources[parts[0]]
        elif parts[0] in self._loaded.computations:
            return self._loaded.computations[parts[0]]
        raise WorkerError(
            f"the project's modules no longer define {'/'.join(parts)!r}: they changed during "
            "the run."
        )

    def _check_sources(self) -> None:
        here = source_hashes()
        changed = sorted(p for p, digest in self._sources.items() if here.get(p, digest) != digest)
        if changed:
            raise WorkerError(
                f"{', '.join(changed)} changed during the run.",
                hint="Materialize it again with --stale.",
            )


def _script_file() -> str | None:
    return getattr(sys.modules["__main__"], "__file__", None)


def _script_items() -> dict[str, bytes]:
    """What this process's `__main__` defines, pickled by value, by name. Items that cannot be
    pickled, or use a large value, go only with the steps that name them."""
    from assetgraph.run.executors.by_value import dumps

    items, room = {}, _ROOM
    for name, item in _items():
        with suppress(Exception):  # a step that needs it fails with its own message
            items[name] = dumps(item, room)
            room -= len(items[name])
    return items


def _items() -> Iterator[tuple[str, Any]]:
    for name, item in tuple(vars(sys.modules["__main__"]).items()):
        if not isinstance(item, type | FunctionType):
            continue
        if (item.__module__, item.__qualname__) == ("__main__", name):
            yield name, item


def _dumps(kind: Any, work: Any) -> bytes:
    buffer = io.BytesIO()
    kind(buffer, protocol=5).dump(work)
    return buffer.getvalue()

"""How a step travels to another process: an asset of the project by its key, any other by value."""

from __future__ import annotations

import io
import os
import pickle
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from assetgraph.code.importer import forget, source_hashes
from assetgraph.definitions.asset import Asset
from assetgraph.errors import WorkerError
from assetgraph.keys import AssetKey

if TYPE_CHECKING:
    from assetgraph.run.executors import Loadable


class Sender:
    """Packs what goes to workers. `assets` are those that `project` loads there too."""

    def __init__(self, project: Loadable | None, assets: Mapping[AssetKey, Asset]) -> None:
        self._assets = assets if project is not None else {}
        self._project = project

    def greeting(self) -> bytes:
        """What a worker needs first: the project, the hashes of the sources it has here, and the
        classes of `__main__`, since a stored value names its classes by their modules."""
        return pickle.dumps((self._project, source_hashes(), list(_classes_of_main())))

    def pack(self, work: Any) -> bytes:
        """Raises `WorkerError` for what does not pickle."""
        try:
            return self._by_value(work) if self._has_strangers(work) else self._by_key(work)
        except Exception as error:
            raise WorkerError(
                f"it cannot be sent to another process: {type(error).__name__}: {error}.",
                hint="Define it in a module of the project, or choose the executor threads.",
            ) from error

    def _has_strangers(self, work: Any) -> bool:
        return any(isinstance(item, Asset) and not self._knows(item) for item in _assets_of(work))

    def _knows(self, asset: Asset) -> bool:
        return self._assets.get(asset.key) is asset

    def _by_key(self, work: Any) -> bytes:
        class Pickler(pickle.Pickler):
            persistent_id = staticmethod(self._reference)

        return _dumps(Pickler, work)

    def _by_value(self, work: Any) -> bytes:
        from assetgraph.run.executors.by_value import Pickler as ByValue

        class Pickler(ByValue):
            persistent_id = staticmethod(self._reference)

        return _dumps(Pickler, work)

    def _reference(self, item: Any) -> tuple[str, ...] | None:
        return item.key.parts if isinstance(item, Asset) and self._knows(item) else None


class Receiver:
    """Unpacks in a worker what a `Sender` packed. The project is loaded when the first of its
    assets arrives."""

    def __init__(self, greeting: bytes) -> None:
        self._project: Loadable | None
        self._project, self._sources, classes = pickle.loads(greeting)
        self._loaded: Mapping[AssetKey, Asset] | None = None
        if self._project is not None:
            os.chdir(self._project.root)
        for data in classes:
            kind = pickle.loads(data)
            setattr(sys.modules["__main__"], kind.__name__, kind)

        class Unpickler(pickle.Unpickler):
            persistent_load = staticmethod(self._asset)

        self._unpickler = Unpickler

    def unpack(self, data: bytes) -> Any:
        """Raises `WorkerError` where the project is not what it is at the sender's."""
        work = self._unpickler(io.BytesIO(data)).load()
        self._check_sources()
        return work

    def load_anew(self) -> None:
        """Load the project, whatever this process has imported of it before."""
        if self._project is not None:
            forget(self._project.root)
            self._loaded = self._load()

    def _load(self) -> Mapping[AssetKey, Asset]:
        assert self._project is not None
        assets: Mapping[AssetKey, Asset] = self._project.load().graph.assets
        return assets

    def _asset(self, parts: tuple[str, ...]) -> Asset:
        key = AssetKey.unchecked(parts)
        if self._loaded is None:
            self._loaded = self._load()
        if key not in self._loaded:
            raise WorkerError(
                f"the project's modules no longer define {key.text!r}: they changed during the run."
            )
        return self._loaded[key]

    def _check_sources(self) -> None:
        here = source_hashes()
        changed = sorted(p for p, digest in self._sources.items() if here.get(p, digest) != digest)
        if changed:
            raise WorkerError(
                f"{', '.join(changed)} changed during the run.",
                hint="Run it again, with --stale.",
            )


def _classes_of_main() -> Iterator[bytes]:
    """Those that the program, or a notebook, defines in `__main__`: each whole, where it can be."""
    for name, item in tuple(vars(sys.modules["__main__"]).items()):
        if isinstance(item, type) and (item.__module__, item.__qualname__) == ("__main__", name):
            from assetgraph.run.executors.by_value import dumps

            try:
                yield dumps(item)
            except Exception:
                continue  # a step that needs it says so itself


def _dumps(kind: Any, work: Any) -> bytes:
    buffer = io.BytesIO()
    kind(buffer, protocol=5).dump(work)
    return buffer.getvalue()


def _assets_of(work: Any) -> list[Any]:
    """The assets among the arguments of a call: a step's own, and those that made its inputs."""
    found = []
    for item in work:
        if hasattr(item, "asset"):
            found += [item.asset, *(source.maker for source in item.inputs)]
    return found

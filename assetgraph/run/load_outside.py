"""Loading values outside of a run, where an IO manager that is a resource opens for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.definitions.resource_marks import is_defined

if TYPE_CHECKING:
    from assetgraph.definitions.computation import AssetSpec
    from assetgraph.records import Materialization
    from assetgraph.storage.store import Store

_log = logging.getLogger("assetgraph.resources")


def load_made(store: Store, spec: AssetSpec, made: Materialization, as_type: Any) -> object:
    """The value that `made` records of an asset: see `ValueStore.load_made`."""
    with with_open_manager(spec if made.value.by_io_manager else None) as maker:
        return store.values.load_made(spec.key, made, as_type, maker=maker)


@contextmanager
def with_open_manager(spec: AssetSpec | None) -> Iterator[AssetSpec | None]:
    """The spec with its IO manager open, until the block ends. Raises `ResourceError` for one that
    cannot be opened, and `ConfigError` for a variable that is not set."""
    if spec is None or spec.io_manager_key is None or not is_defined(spec.io_manager):
        yield spec
        return
    from assetgraph.run.open_resources import OpenResources

    class Opened(OpenResources):
        def log(self, _: Any) -> logging.Logger:
            return _log

    name, opened = spec.io_manager_key, Opened("")
    nobody: Any = None  # no step opens it, and nobody else waits
    try:
        manager = opened.get(name, {name: spec.io_manager}, nobody, nobody, again=False)
        yield msgspec.structs.replace(spec, io_manager=manager)
    finally:
        for problem in opened.close():
            _log.warning(problem)

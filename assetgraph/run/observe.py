"""What is known of assets that something else makes: observing them, and recording a report.

An observation calls the function of an `@observable_source_asset`. Either is a line in the asset's
history, as a materialization is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

from assetgraph.definitions.context import AssetExecutionContext
from assetgraph.definitions.external import observed
from assetgraph.definitions.metadata import metadata_json
from assetgraph.errors import AssetGraphError, ObservationError
from assetgraph.graph.walk import walk
from assetgraph.hints import command
from assetgraph.keys import AssetKey, Target
from assetgraph.planning.request import requested_keys
from assetgraph.records import Materialization, StoredValue, now

if TYPE_CHECKING:
    from assetgraph.definitions.external import ExternalAsset
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.request import RunRequest
    from assetgraph.process.reads.recorder import Recorder
    from assetgraph.storage.store import Store


class Observation(msgspec.Struct, frozen=True):
    """What was found of one asset, and its data version before, or "" if that was not known."""

    key: str
    data_version: str
    before: str
    metadata: dict[str, Any] = {}

    @property
    def is_new(self) -> bool:
        return self.data_version != self.before


def observables(graph: AssetGraph, keys: Iterable[AssetKey]) -> list[AssetKey]:
    """Those of `keys` that can be observed, in order."""
    external = [key for key in keys if key in graph.externals]
    return graph.in_order(key for key in external if _external(graph, key).observes)


def observe(facts: StoreFacts, keys: Iterable[AssetKey]) -> list[Observation]:
    """Observe assets, and record each. `facts` are those of after it.

    Raises `ObservationError` for the first that fails; the ones before it are recorded.
    """
    found = []
    for key in keys:
        target, started = Target(key), time.perf_counter()
        before = facts.of(target).data_version or ""
        result = _result(_external(facts.graph, key), facts.store)
        version = result.data_version.value
        metadata = metadata_json(result.metadata, key.text)
        spent = time.perf_counter() - started
        _record(facts.store, key, version, metadata, "observed", duration_s=spent)
        facts.forget(target)
        if facts.targets.is_partitioned(key):
            facts.forget_asset(key)
        found.append(Observation(key.text, version, before, metadata))
    return found


def observe_first(request: RunRequest, facts: StoreFacts) -> list[Observation]:
    """Observe what the assets of a request for what is stale depend on, before its plan is made.

    Raises `ObservationError`, and what `plan_run` raises for a wrong selection.
    """
    graph = facts.graph
    if not (request.stale and observables(graph, graph.externals)):
        return []
    reached = walk(requested_keys(request, facts), graph.parents)
    return observe(facts, observables(graph, reached))


def report(
    store: Store,
    key: AssetKey,
    *,
    data_version: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Materialization:
    """Record that something outside made an asset. Without a `data_version`, its data counts as
    new. Raises `StoreError`, `LockedError` and `MetadataError`."""
    version = data_version or store.runs.new_id(now())
    return _record(store, key, version, metadata_json(metadata or {}, key.text), "reported")


def require_reportable(graph: AssetGraph, key: AssetKey) -> None:
    """Raise `AssetGraphError` if the project itself makes an asset, or does not define it, or if
    the content of a file says which version it has."""
    if not graph.computation(key).is_external:
        raise AssetGraphError(
            f"the project makes {key.text!r} itself, so nothing outside can report it.",
            hint=f"To make it: {command('materialize', key.text)}",
        )
    source = _external(graph, key).source
    if source is not None:
        raise AssetGraphError(
            f"{key.text!r} is {source}, whose content says which version it has: there is nothing "
            "to report.",
            hint=f"To see what a change of it makes stale: {command('plan')}",
        )


def _external(graph: AssetGraph, key: AssetKey) -> ExternalAsset:
    return cast("ExternalAsset", graph.computation(key))


def _result(asset: ExternalAsset, store: Store) -> Any:
    given = {}
    if asset.context_parameter is not None:
        given[asset.context_parameter] = AssetExecutionContext(asset.key, "", _Terminal())
    try:
        returned = asset(**given)
    except Exception as error:
        from assetgraph.code.tracebacks import short_traceback

        raise ObservationError(
            f"the observation of {asset.key.text!r} failed: {type(error).__name__}: {error}",
            traceback=short_traceback(error, str(store.project_root)),
        ) from error
    return observed(asset, returned)


class _Terminal:
    """Takes what a function logs while it observes, and passes it on to the program's logging."""

    reads: Recorder | None = None

    def log(self, level: str, message: str, data: dict[str, Any]) -> None:  # noqa: ARG002
        logging.getLogger("assetgraph.observe").log(logging.getLevelName(level), message)

    def output(self, stream: str, text: str) -> None: ...

    def progress(self, done: float, total: float | None, unit: str) -> None: ...


def _record(
    store: Store,
    key: AssetKey,
    data_version: str,
    metadata: dict[str, Any],
    origin: Any,
    duration_s: float | None = None,
) -> Materialization:
    made = Materialization(
        run_id="",
        timestamp=now(),
        value=StoredValue("none"),
        data_version=data_version,
        metadata=metadata,
        duration_s=duration_s,
        origin=origin,
    )
    target = Target(key)
    store.prepare()
    lock = store.lock(target)
    if not lock.acquire():
        raise store.locked(target, hint="Another process reports or observes it. Try again.")
    try:
        lock.append(made)
    finally:
        lock.release()
    return made

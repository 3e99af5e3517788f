"""`with_upstreams_elsewhere`: upstreams that a script names and does not pass to `materialize`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.definitions.computation import AssetSpec
from assetgraph.errors import DefinitionsError, NoValueError
from assetgraph.keys import AssetKey, Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.storage.formats.format_registry import location_of
from assetgraph.text import did_you_mean

if TYPE_CHECKING:
    from assetgraph.definitions.asset import Asset
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.records import Materialization
    from assetgraph.storage.store import Store


def with_upstreams_elsewhere(graph: AssetGraph, store: Store | None) -> AssetGraph:
    """`graph`, and in it each upstream that nothing defines.

    It is either one that has a value in `store`, or one that only `deps=` names, which something
    else makes then. A name that is almost that of an asset stays a mistake.

    Raises `NoValueError` if the value of one in the store is gone.
    """
    if not any(problem.is_unknown_upstream for problem in graph.validate()):
        return graph
    from assetgraph.definitions.external import external_asset, stored_asset  # few graphs need it
    from assetgraph.graph.resource_tables import graph_of

    names: set[str] = set()
    loaded: set[AssetKey] = set()
    deps: set[AssetKey] = set()
    for computation in graph.computations.values():
        inputs = graph.inputs(computation.specs[0].key)
        for parameter in computation.inputs:
            if parameter.name in computation.ins:
                loaded.add(computation.ins[parameter.name])
            elif parameter.name not in inputs:
                names.add(parameter.name)
        deps.update(dep for spec in computation.specs for dep in spec.deps if dep not in graph)
    found: dict[AssetKey, Asset] = {}
    for key in map(AssetKey.unchecked, store.history.keys() if store else ()):
        wanted = key in loaded or key in deps or key.name in names
        if wanted and key not in graph and store and _is_stored(store, key):
            found[key] = stored_asset(key)
    known = [key.text for key in graph.assets]
    for key in deps - found.keys():
        if did_you_mean(key.text, known) is None:
            found[key] = external_asset(AssetSpec(key))
    if not found:
        return graph
    return graph_of([*graph.computations.values(), *found.values()], graph.resources)


def require_valid(graph: AssetGraph, *, has_store: bool) -> None:
    """Raise `DefinitionsError` for a graph that is not valid. Of an upstream that is missing, it
    says that it can come from a store."""
    try:
        graph.require_valid()
    except DefinitionsError as error:
        remedy = (
            "Add it to the assets, or read its value from the project's store with "
            "instance=Instance.get()."
            if not has_store
            else "Add it to the assets: the store of instance= has no value of it."
        )
        raise DefinitionsError(
            [
                one._replace(remedy=f"{one.remedy} {remedy}") if one.is_unknown_upstream else one
                for one in error.problems
            ]
        ) from None


def value_elsewhere(graph: AssetGraph, store: Store, key: AssetKey) -> Materialization:
    """What there is of the value of an external asset. Raises `NoValueError` if that is nothing."""
    made = StoreFacts(graph, store).of(Target(key)).current
    if made is None or location_of(made.value) == "nowhere":
        raise NoValueError(
            f"something else makes {key.text!r}, and its value is not here.",
            hint="Read it where it is, or give its AssetSpec an io_manager that loads it.",
        )
    return made


def _is_stored(store: Store, key: AssetKey) -> bool:
    made = store.history.current(Target(key))[0]
    if (
        made is not None
        and not made.value.by_io_manager
        and store.values.check(made.value) == "gone"
    ):
        raise NoValueError(
            f"the value of {key.text!r} in the store is gone.",
            hint="Pass the asset itself to materialize too.",
        )
    return made is not None

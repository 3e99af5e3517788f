"""The facts about what something else makes: an asset with a source, or one that is observed or
reported."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from assetgraph.errors import StoreError
from assetgraph.keys import Target
from assetgraph.planning.reasons import TargetFacts
from assetgraph.records import IO_MANAGED, Materialization, StoredValue, ValueCondition

if TYPE_CHECKING:
    from collections.abc import Callable

    from assetgraph.definitions.computation import Computation
    from assetgraph.definitions.external import ExternalAsset
    from assetgraph.storage.store import Store

    Condition = Callable[[Target, Computation, Materialization], tuple[ValueCondition, str | None]]


def external_facts(
    store: Store, target: Target, asset: ExternalAsset, condition: Condition
) -> TargetFacts:
    """The facts about what something else makes: its source as it is now, or what is on record
    of it. `condition` says what became of a value on record."""
    if asset.source is not None:
        try:
            found = store.values.look_at_source(asset.source)
        except StoreError as error:
            return _outside(StoredValue("source", path=asset.source), damage=error.message)
        there: ValueCondition = "intact" if found.data_version else "gone"
        return _outside(found.stored, found.data_version, found.changed_at, value=there)
    try:  # what is observed or reported is all of it, for each of its partitions too
        current, _ = store.history.current(Target(target.key))
    except StoreError as error:
        return _outside(StoredValue("none"), damage=error.message)
    if current is None:
        return _outside(StoredValue(IO_MANAGED if asset.io_manager else "none"))
    value, data_version = condition(target, asset, current)
    return TargetFacts(
        current, value=value, data_version=data_version, code_version=asset.code_version,
        external=True,
    )  # fmt: skip


def _outside(
    stored: StoredValue,
    data_version: str | None = "",
    changed_at: datetime | None = None,
    *,
    value: ValueCondition = "intact",
    damage: str | None = None,
) -> TargetFacts:
    """The facts about an external asset of which there is no record."""
    current = Materialization(
        run_id="",
        timestamp=changed_at or _NEVER,
        value=stored,
        data_version=data_version or "",
    )
    return TargetFacts(
        current, value=value, data_version=data_version, damage=damage, external=True
    )


_NEVER = datetime(1970, 1, 1, tzinfo=UTC)

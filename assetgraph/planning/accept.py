"""Accepting the current code of assets without running them, after a harmless change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from assetgraph.errors import NoValueError
from assetgraph.hints import command
from assetgraph.keys import Target
from assetgraph.records import now

if TYPE_CHECKING:
    from assetgraph.keys import AssetKey
    from assetgraph.planning.facts import StoreFacts


def accept(facts: StoreFacts, keys: Iterable[AssetKey]) -> tuple[AssetKey, ...]:
    """Record the current code of `keys` as the code that their values were made with.

    Returns the keys whose record changed. Raises `NoValueError` for an asset that was never
    materialized, before anything is recorded, and `LockedError` for an asset that is being
    materialized.
    """
    keys = tuple(keys)
    for key in keys:
        if facts.of(Target(key)).current is None:
            raise NoValueError(
                f"{key.text!r} was never materialized: there is nothing to accept.",
                hint=f"Materialize it with: {command('materialize', key.text)}",
            )
    return tuple(key for key in keys if _accept(facts, Target(key)))


def _accept(facts: StoreFacts, target: Target) -> bool:
    known = facts.of(target)
    assert known.current is not None
    computation = facts.graph.computation(target.key)
    same_code = known.current.code_version == known.code_version
    if (
        same_code
        and facts.class_digest(computation, known.current) == known.current.value.class_digest
    ):
        return False
    code_version = known.code_version
    lock = facts.store.lock(target)
    if not lock.acquire():
        raise facts.store.locked(target, hint="Accept it again once that run has ended.")
    try:
        current, _ = facts.store.history.current(target)  # a run may have replaced it since
        assert current is not None
        value = msgspec.structs.replace(
            current.value, class_digest=facts.class_digest(computation, current)
        )
        accepted = msgspec.structs.replace(
            current, value=value, code_version=code_version, accepted_at=now()
        )
        facts.record_code()
        lock.append(accepted)
    finally:
        lock.release()
    facts.take_over(target, accepted)
    return True

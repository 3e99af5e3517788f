"""Accepting the current code of assets, and what they read, without running them, after a harmless
change."""

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
    from assetgraph.records import Materialization


def accept(facts: StoreFacts, keys: Iterable[AssetKey]) -> tuple[AssetKey, ...]:
    """Record the current code of `keys` as the code that their values were made with, and what
    their steps read as it is now.

    The code before that counts too, and a failed attempt no longer does. Data of an upstream and
    config are not accepted: with other ones, the value would be another. Returns the keys whose
    record changed. Raises `NoValueError` for an asset that was never materialized, before anything
    is recorded, also if what its step read is not known any more, and `LockedError` for an asset
    that is being materialized.
    """
    keys = tuple(key for key in keys if key not in facts.graph.externals)
    for key in keys:
        known = facts.of(Target(key))
        if known.damage is not None:
            raise NoValueError(
                f"the history of {key.text!r} cannot be read: {known.damage}.",
                hint=f"Restore it from a copy, or run: {command('materialize', key.text)}",
            )
        if known.lost is not None:
            raise facts.store.no_value(key)
        if known.current is None:
            raise NoValueError(
                f"{key.text!r} was never materialized: there is nothing to accept.",
                hint=f"Materialize it with: {command('materialize', key.text)}",
            )
        if known.read_changes is None:
            raise NoValueError(
                f"what {key.text!r} read is not known any more: the store lost it.",
                hint=f"Materialize it with: {command('materialize', key.text)}",
            )
    return tuple(key for key in keys if _accept(facts, Target(key)))


def _accept(facts: StoreFacts, target: Target) -> bool:
    known = facts.of(target)
    assert known.current is not None
    computation = facts.graph.computation(target.key)
    class_digest = facts.class_digest(computation, known.current)
    if (
        known.current.is_of_code(known.code_version)
        and known.current.value.has_class_digest(class_digest)
        and known.failed is None
        and known.read_changes == ()
    ):
        return False
    code_version = known.code_version
    lock = facts.store.lock(target)
    if not lock.acquire():
        raise facts.store.locked(target, hint="Run accept again once that run has ended.")
    try:
        current, _ = facts.store.history.current(target)  # a run may have replaced it since
        assert current is not None
        accepted = _accepted(current, code_version, facts.class_digest(computation, current))
        observed = facts.reads.accepted(current.observed)
        accepted = msgspec.structs.replace(accepted, observed=observed)
        facts.record_code()
        lock.append(accepted)
    finally:
        lock.release()
    facts.take_over(target, accepted)
    return True


def _accepted(
    current: Materialization, code_version: str | None, class_digest: str | None
) -> Materialization:
    """The record of a value as made with this code too."""
    value = current.value
    digests = (*value.earlier_class_digests, value.class_digest)
    versions = (*current.earlier_code, current.code_version)
    return msgspec.structs.replace(
        current,
        value=msgspec.structs.replace(
            value,
            class_digest=class_digest,
            earlier_class_digests=tuple(d for d in digests if d not in (None, class_digest)),
        ),
        code_version=code_version,
        earlier_code=tuple(v for v in versions if v not in (None, code_version)),
        accepted_at=now(),
    )

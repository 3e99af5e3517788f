"""Accepting the current code of assets, and what they read, without running them, after a harmless
change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from assetgraph.errors import NoValueError
from assetgraph.hints import command
from assetgraph.keys import Target
from assetgraph.planning.reasons import resource_changes
from assetgraph.records import now

if TYPE_CHECKING:
    from assetgraph.keys import AssetKey
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.records import Materialization


def acceptable(facts: StoreFacts, keys: Iterable[AssetKey]) -> list[Target]:
    """The targets of these assets that have a value; an asset without any stands for itself, so
    that `accept` says so."""
    found: list[Target] = []
    for key in keys:
        targets = facts.targets.targets(key)
        made = [target for target in targets if facts.of(target).current is not None]
        found += made or [facts.graph.targets[key]]
    return found


def accept(facts: StoreFacts, targets: Iterable[Target]) -> tuple[Target, ...]:
    """Record the current code of `targets` as the code that their values were made with, and what
    their steps read, and the resources that they take, as those are now.

    The code before that counts too, and a failed attempt no longer does. Data of an upstream and
    config are not accepted: with other ones, the value would be another. Returns the targets whose
    record changed. Raises `NoValueError` for one that was never materialized, before anything is
    recorded, also if what its step read is not known any more, and `LockedError` for one that is
    being materialized.
    """
    targets = tuple(target for target in targets if target.key not in facts.graph.externals)
    for target in targets:
        known, name = facts.of(target), target.text
        if known.damage is not None:
            raise NoValueError(
                f"the history of {target.key.text!r} cannot be read: {known.damage}.",
                hint=f"Restore it from a copy, or run: {command('materialize', name)}",
            )
        if known.lost is not None:
            raise facts.store.no_value(target.key)
        if known.current is None:
            raise NoValueError(
                f"{name!r} was never materialized: there is nothing to accept.",
                hint=f"Materialize it with: {command('materialize', name)}",
            )
        if known.read_changes is None:
            raise NoValueError(
                f"what {name!r} read is not known any more: the store lost it.",
                hint=f"Materialize it with: {command('materialize', name)}",
            )
    return tuple(target for target in targets if _accept(facts, target))


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
        and not resource_changes(known)
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
        accepted = msgspec.structs.replace(
            accepted, observed=observed, resources={n: {**r} for n, r in known.resources.items()}
        )
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

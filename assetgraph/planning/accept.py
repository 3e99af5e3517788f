"""Record the present code of assets as current without running them, for a change known to be
harmless."""

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
    from assetgraph.planning.facts import State


def accept(state: State, keys: Iterable[AssetKey]) -> tuple[AssetKey, ...]:
    """Take the code of `keys` as the code that their values were made with; the keys for which
    that changed anything.

    Raises `NoValueError` for one that was never materialized, before anything is recorded, and
    `LockedError` for one that is being materialized.
    """
    keys = tuple(keys)
    for key in keys:
        if state.of(key).current is None:
            raise NoValueError(
                f"{key.text!r} was never materialized: there is nothing to accept.",
                hint=f"Make it with: {command('materialize', key.text)}",
            )
    return tuple(key for key in keys if _accept(state, key))


def _accept(state: State, key: AssetKey) -> bool:
    known = state.of(key)
    assert known.current is not None
    asset, same_code = state.graph.asset(key), known.current.code_version == known.code_version
    if same_code and state.meaning(asset, known.current) == known.current.value.meaning:
        return False
    code_version = known.code_version
    lock = state.store.lock(Target(key))
    if not lock.acquire():
        raise state.store.locked(Target(key), hint="Accept it again once that run has ended.")
    try:
        # A run may have materialized it since the first look.
        current, _ = state.store.history.current(Target(key))
        assert current is not None
        value = msgspec.structs.replace(current.value, meaning=state.meaning(asset, current))
        accepted = msgspec.structs.replace(
            current, value=value, code_version=code_version, accepted_at=now()
        )
        state.record_code()
        lock.append(accepted)
    finally:
        lock.release()
    state.take_over(key, accepted)
    return True

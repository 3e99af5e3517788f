"""What to say to a caller that needs a value that was never made."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from assetgraph.errors import NoValueError, StoreError
from assetgraph.hints import command

if TYPE_CHECKING:
    from assetgraph.keys import AssetKey, Target
    from assetgraph.storage.histories import AssetHistory
    from assetgraph.storage.value_store import ValueStore


def no_value(history: AssetHistory, values: ValueStore, target: Target) -> NoValueError:
    """The error for a caller that needs the value of a target without a materialization."""
    key, again = target.key, command("materialize", target.text)
    if any(values.kept_of([key])) and history.is_missing(key):
        return NoValueError(
            f"the history of {key.text!r} is missing, though it has values: {history.path(key)}.",
            hint=f"Restore it from a copy, or materialize the asset again: {again}",
        )
    made = _partitions_made(history, key) if target.partition is None else []
    if made:
        return NoValueError(
            f"{key.text!r} has partitions, and no value as a whole.",
            hint=f"Name one of them, such as {made[-1]!r}. To see them: "
            f"{command('partitions', 'list', key.text)}",
        )
    return NoValueError(
        f"{target.text!r} was never materialized.", hint=f"Materialize it with: {again}"
    )


def _partitions_made(history: AssetHistory, key: AssetKey) -> list[str]:
    """The partitions of an asset with a materialization."""
    with suppress(StoreError):  # a damaged history
        return [name for name, made in history.partitions(key).items() if name and made]
    return []

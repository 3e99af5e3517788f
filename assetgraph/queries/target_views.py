"""Single targets with their states, in the shape that the command line and the page share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.keys import Target
from assetgraph.queries.reason_json import reason_json
from assetgraph.records import AssetState

if TYPE_CHECKING:
    from datetime import datetime

    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.reason_kinds import Reason
    from assetgraph.records import FailedAttempt, Materialization


class TargetView(msgspec.Struct, frozen=True):
    """One target with its state, the reasons why it is not fresh, and its last attempts."""

    target: Target
    state: AssetState
    reasons: tuple[Reason, ...]
    materialization: Materialization | None
    failure: FailedAttempt | None

    @property
    def updated_at(self) -> datetime | None:
        return self.materialization.timestamp if self.materialization else None


def target_views(facts: StoreFacts, targets: Iterable[Target]) -> list[TargetView]:
    """Each target with its state, in the given order."""
    targets = list(targets)
    states = facts.target_states(targets)
    return [
        TargetView(
            target,
            states[target].state,
            states[target].reasons,
            facts.of(target).current,
            facts.of(target).failed,
        )
        for target in targets
    ]


def target_json(view: TargetView) -> dict[str, Any]:
    made = view.materialization
    return {
        "key": view.target.key.text,
        "partition": view.target.partition,
        "state": view.state.value,
        "reasons": [reason_json(reason) for reason in view.reasons],
        "run_id": made.run_id if made else None,
        "updated_at": made.timestamp if made else None,
        "data_version": made.data_version if made else None,
    }

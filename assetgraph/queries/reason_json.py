"""A reason not to be up to date, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assetgraph.planning.reason_kinds import ReasonKind

if TYPE_CHECKING:
    from assetgraph.planning.reason_kinds import Reason


def reason_json(reason: Reason) -> dict[str, Any]:
    facts = dict(reason.facts)
    if reason.kind is ReasonKind.PARTITIONS:
        facts["partitions"] = list(facts["partitions"])
    return {"kind": reason.kind.value, "text": reason.text, **facts}

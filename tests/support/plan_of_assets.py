"""The plan for whole assets, as tests ask for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from assetgraph.keys import AssetKey
from assetgraph.planning.facts import StoreFacts
from assetgraph.planning.plan import Plan, make_plan


def plan_of(facts: StoreFacts, keys: Iterable[AssetKey], **options: Any) -> Plan:
    """The plan for every target of these assets."""
    return make_plan(facts.targets, facts, facts.targets.of(keys), **options)

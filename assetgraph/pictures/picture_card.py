"""`Card`: one asset in a picture of a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assetgraph.records import AssetState


@dataclass(frozen=True, slots=True)
class Card:
    """One asset in a picture.

    `id` is the text of its key. `state` is None if unknown. `made` says that the asset was
    materialized before, even if its value is missing now. `failed_checks` is how many of its checks
    failed.
    """

    id: str
    group: str = "default"
    description: str | None = None
    state: AssetState | None = None
    link: str | None = None
    made: bool = False
    failed_checks: int = 0

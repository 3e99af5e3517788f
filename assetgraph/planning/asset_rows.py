"""`AssetRows`: the states of all partitions of an asset, and why each is not fresh, as columns."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import TYPE_CHECKING, NamedTuple, Protocol

from assetgraph.keys import AssetKey, Target
from assetgraph.planning import columns
from assetgraph.planning.reason_kinds import Reason
from assetgraph.planning.reasons import Facts, KnownReasons, TargetFacts, stale_state
from assetgraph.records import AssetState
from assetgraph.storage.partition_rows import VERSION_BYTES, version_bytes

if TYPE_CHECKING:
    from assetgraph.planning.target_graph import TargetGraph
    from assetgraph.storage.partition_rows import Rows
    from assetgraph.storage.row_file import RowFile

Reasons = tuple[Reason, ...]

STATES = (
    AssetState.FRESH,
    AssetState.STALE,
    AssetState.MISSING,
    AssetState.FAILED,
    AssetState.RUNNING,
    AssetState.EXTERNAL,
)
CODES = {state: code for code, state in enumerate(STATES)}


class RowFacts(Facts, Protocol):
    """What is known of whole assets, beside what is of each target."""

    @property
    def targets(self) -> TargetGraph: ...

    def rows(self, key: AssetKey) -> Rows | RowFile | None:
        """What is on record of each partition, by its number; None if a line cannot be read."""

    def distrust_rows(self, key: AssetKey) -> None:
        """Read `rows` anew: a column of them is damaged."""

    def identity(self, key: AssetKey) -> str:
        """What an asset is called in the records."""

    def is_running(self, target: Target) -> bool:
        """Whether an asset without partitions is being materialized."""

    def running_partitions(self, key: AssetKey) -> Set[str]:
        """The partitions of an asset that are being materialized."""


class AssetRows:
    """The states of the targets of an asset, by number: 0 for an asset without partitions.

    `states` has the place of each in `STATES`. `labels` says which of `reasons` there are for each,
    none where it is 0; for those that were looked at, `exact` has them. `above` has 0, or the state
    in which a target that is not up to date makes what reads it stale.
    """

    def __init__(self, count: int) -> None:
        self.labels = bytes(count)
        self.reasons: dict[int, Reasons] = {0: ()}
        self.exact: dict[int, Reasons] = {}
        self.states = bytes(count)
        self.above = bytes(count)
        self.versions: Versions = Versions(b"", b"")

    def reasons_of(self, number: int) -> Reasons:
        found = self.exact.get(number)
        return self.reasons[self.labels[number]] if found is None else found

    def stale(self) -> bytes:
        """1 for each target that is not up to date."""
        return self.above.translate(_STALE)

    def call_stale(self, numbers: Iterable[int]) -> None:
        """Let some targets be stale. In `states`, those that are running stay so."""
        states, above = bytearray(self.states), bytearray(self.above)
        for number in numbers:
            above[number] = CODES[AssetState.STALE]
            if states[number] != CODES[AssetState.RUNNING]:
                states[number] = above[number]
        self.states, self.above = bytes(states), bytes(above)


class KnownRows(KnownReasons, Protocol):
    """The states of assets that were computed."""

    def of(self, key: AssetKey) -> AssetRows: ...


class Versions(NamedTuple):
    """The data version of each target as 16 bytes, and a byte that is 1 where it has none. For what
    is the same for all of them, there is one entry."""

    data: bytes
    missing: bytes

    def of(self, count: int, move: int | None) -> Versions:
        """The versions that `count` targets read: number *i* reads number *i* + `move`. Of an asset
        without partitions, all read the same."""
        if move is None or len(self.missing) == 1:
            return Versions(self.data * count, self.missing * count)
        return Versions(
            columns.moved(self.data, move, count, VERSION_BYTES),
            columns.moved(self.missing, move, count),
        )


def above_of(known: TargetFacts, reasons: Reasons) -> int:
    """What `above` says of a target."""
    return CODES[AssetState(stale_state(known, reasons))] if reasons else 0


def one_version(version: str | None) -> Versions:
    """The version of a target, or of all targets of an asset."""
    return Versions(version_bytes(version or ""), bytes([version is None]))


_STALE = bytes([0]) + bytes([1]) * 255

"""The state of an asset with partitions: how many are in which state, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, overload

from assetgraph.definitions.partitions.number_ranges import Numbers, joined
from assetgraph.keys import RANGE
from assetgraph.planning import columns
from assetgraph.planning.asset_rows import CODES, STATES, AssetRows, KnownRows
from assetgraph.planning.reason_kinds import Reason, ReasonKind
from assetgraph.planning.reasons import AssetStates, Facts
from assetgraph.planning.target_graph import too_many_text
from assetgraph.records import AssetState

if TYPE_CHECKING:
    from assetgraph.definitions.partitions.keys import PartitionKeys
    from assetgraph.keys import AssetKey
    from assetgraph.planning.target_graph import TargetGraph

# The first that any partition has is the state of the asset.
_ORDER = (
    AssetState.RUNNING,
    AssetState.FAILED,
    AssetState.MISSING,
    AssetState.STALE,
    AssetState.FRESH,
    AssetState.EXTERNAL,
)


class PartitionGroup(NamedTuple):
    """The partitions of an asset that are in one state for the same reasons, which are said of the
    first one in `reasons`, and of all in `texts`. `numbers` are ranges, in order."""

    state: AssetState
    texts: tuple[str, ...]
    reasons: tuple[Reason, ...]
    numbers: Numbers

    @property
    def size(self) -> int:
        return sum(map(len, self.numbers))


def states_of(graph: TargetGraph, facts: Facts, key: AssetKey, states: KnownRows) -> AssetStates:
    """The state of an asset with partitions.

    The partitions that are in the same state for the same reasons are one reason together. An asset
    whose definition has no partition yet is fresh: there is nothing to do.
    """
    if graph.is_too_many(key):
        return _of_too_many(graph, facts, key)
    rows, keys = states.of(key), graph.keys(key)
    assert keys is not None
    shown = tuple([_reason(group, keys) for group in groups_of(rows)])
    counts = {state: columns.count_of(rows.states, code) for state, code in CODES.items()}
    first = next((state for state in _ORDER if counts[state]), AssetState.FRESH)
    return AssetStates(first, shown, {one: counts[one] for one in _ORDER if counts[one]})


def groups_of(rows: AssetRows) -> list[PartitionGroup]:
    """The partitions of an asset that are not up to date, in groups: first those whose state comes
    first in `_ORDER`, then those with the first partition."""
    found: dict[tuple[AssetState, tuple[str, ...]], Numbers] = {}
    others: dict[tuple[AssetState, tuple[str, ...]], list[range]] = {}
    first: dict[tuple[AssetState, tuple[str, ...]], tuple[Reason, ...]] = {}
    for numbers, reasons in _alike(rows):
        texts = tuple([one.of_many for one in reasons])
        kind = STATES[rows.states[numbers[0].start]], texts
        if kind not in found:
            found[kind], first[kind] = tuple(numbers), reasons
            continue
        if numbers[0].start < found[kind][0].start:
            first[kind] = reasons
        others.setdefault(kind, []).extend(numbers)
    for kind, numbers in others.items():
        found[kind] = joined([*found[kind], *numbers])
    groups = [PartitionGroup(*kind, first[kind], numbers) for kind, numbers in found.items()]
    return sorted(groups, key=lambda one: (_ORDER.index(one.state), one.numbers[0].start))


def _alike(rows: AssetRows) -> Iterator[tuple[list[range], tuple[Reason, ...]]]:
    """Ranges of partitions that surely have one state and the same reasons."""
    for label, reasons in rows.reasons.items():
        numbers = list(columns.numbers_of(rows.labels, label)) if reasons else ()
        if numbers:
            yield numbers, reasons
    for number, reasons in rows.exact.items():
        if reasons:
            yield [range(number, number + 1)], reasons


def _of_too_many(graph: TargetGraph, facts: Facts, key: AssetKey) -> AssetStates:
    """The state of an asset with too many partitions to look at each. Those with a value may be up
    to date, and count as stale as long as nobody has looked."""
    keys = graph.keys(key)
    assert keys is not None
    count = len(keys)
    made = facts.made_partitions(key)
    counts = {AssetState.MISSING: count - made, AssetState.STALE: made}
    found = {"text": too_many_text(count), "count": count, "made": made}
    return AssetStates(
        AssetState.MISSING if made < count else AssetState.STALE,
        (Reason(ReasonKind.TOO_MANY_PARTITIONS, found),),
        {state: number for state, number in counts.items() if number},
    )


def _reason(group: PartitionGroup, keys: PartitionKeys) -> Reason:
    """The reason that stands for the partitions of a group."""
    count = group.size
    found = {
        "state": group.state.value,
        "count": count,
        "of": len(keys),
        "partitions": RangeTexts(keys, group.numbers),
        "why": [one.text for one in group.reasons] if count == 1 else list(group.texts),
        "kinds": [one.kind.value for one in group.reasons],
    }
    return Reason(ReasonKind.PARTITIONS, found)


class RangeTexts(Sequence[str]):
    """Ranges of partitions as text, each made when it is asked for: there may be very many. They
    follow the text `before`."""

    def __init__(self, keys: PartitionKeys, numbers: Numbers, before: str = "") -> None:
        self._keys = keys
        self._before = before
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [self._text(numbers) for numbers in self._numbers[at]]
        return self._text(self._numbers[at])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))

    def _text(self, numbers: range) -> str:
        ends = dict.fromkeys([numbers[0], numbers[-1]])
        return self._before + RANGE.join([str(self._keys.key(number)) for number in ends])

"""`LabelledRows`: the states of the partitions of an asset, by columns.

Partitions whose columns are alike have the same reasons: those of the first one, which
`reasons_given` finds as it does for any target. Only a partition of which its row says nothing
certain is looked at by itself. So the rules stand in one place, `reasons.py`, and columns only say
which partitions they give the same for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from assetgraph.definitions.partitions.mappings import distance
from assetgraph.keys import AssetKey, Target, checked_asset, recorded_target
from assetgraph.planning import columns
from assetgraph.planning.asset_rows import (
    CODES,
    AssetRows,
    KnownRows,
    Reasons,
    RowFacts,
    Versions,
    above_of,
)
from assetgraph.planning.reasons import reasons_given, resource_changes, target_state
from assetgraph.storage.partition_rows import MADE, VERSION_BYTES, version_bytes

if TYPE_CHECKING:
    from assetgraph.graph.partition_edges import Edge
    from assetgraph.storage.partition_rows import Rows
    from assetgraph.storage.row_file import RowFile

_LOOKED_AT = 255  # a label


class _Read(NamedTuple):
    """An upstream of which each partition reads one target. `move` is how much larger the number of
    that is than the partition's own, and `recorded` the same as `Circumstances` have it. Both are
    None if the upstream has no partitions."""

    upstream: AssetKey
    name: str
    move: int | None
    recorded: int | None


class LabelledRows:
    """Computes the rows of an asset with partitions, of which `rows` are on record."""

    def __init__(
        self,
        states: KnownRows,
        facts: RowFacts,
        key: AssetKey,
        given: Mapping[str, Any] | None,
    ) -> None:
        keys = facts.targets.keys(key)
        assert keys is not None
        self._states = states
        self._graph = facts.targets
        self._facts = facts
        self._key = key
        self._keys = keys
        self._given = given
        self._count = len(keys)
        self._labels = self._looked_at = bytes(self._count)
        self._circumstances = bytes(self._count)
        self.found = AssetRows(self._count)

    def compute(self, rows: Rows | RowFile | None) -> None:
        """Fill in what is found."""
        if rows is None:
            self._look_at(_ALL * self._count)
            status = bytes(self._count)
        else:
            status = columns.moved(rows.column("status"), 0, self._count)
            self._label(rows, status)
        self.found.labels = columns.either(self._labels, self._looked_at.translate(_LABELS))
        states = self._explain_labels(rows)
        self.found.states = self.found.labels.translate(states)
        self.found.above = self.found.states.translate(_ABOVE)
        if self._graph.graph.children(self._key):  # else nobody asks for them
            data = rows.column("versions") if rows is not None else b""
            data = columns.moved(data, 0, self._count, VERSION_BYTES)
            self.found.versions = Versions(data, status.translate(_NOT_MADE))
        self._look()

    def _label(self, rows: Rows | RowFile, status: bytes) -> None:
        """Give the same label to partitions that are alike, and 0 to those that are fresh."""
        made, nothing = status.translate(_MADE), status.translate(_NOTHING)
        circumstances = columns.moved(rows.column("circumstances"), 0, self._count)
        self._circumstances = columns.where(circumstances, made)
        self._look_at(status.translate(_UNCERTAIN))
        self._look_at(self._running())
        reads = None if self._given is not None or self._is_own_check() else self._reads()
        if reads is None:
            self._look_at(made)
        else:
            self._look_at(self._at_the_ends(reads, made))
        self._tell_apart(nothing)
        if reads is not None and columns.any_set(made):
            self._tell_apart(self._circumstances.translate(self._outcomes(rows, reads)))
            for read in reads:
                self._tell_apart(columns.where(self._compared(rows, read), made))

    def _tell_apart(self, column: bytes) -> None:
        """Give other labels to partitions that a column tells apart. Where there would be too many
        labels, look at those for which it is not 0."""
        column = columns.where_not(column, self._looked_at)
        labels = columns.told_apart(self._labels, column)
        if labels is None:
            self._look_at(column.translate(_NOT_ZERO))
        else:
            self._labels = labels

    def _look_at(self, column: bytes) -> None:
        if columns.any_set(column):
            self._looked_at = columns.either(self._looked_at, column)
            self._labels = columns.where_not(self._labels, self._looked_at)

    def _is_own_check(self) -> bool:
        """Whether this is a check that the function of its asset makes: no column says which
        values it was found of."""
        made = self._graph.graph.computation(self._key)
        return made.makes_checks and checked_asset(self._key) is not None

    def _running(self) -> bytes:
        found = bytearray(self._count)
        for partition in self._facts.running_partitions(self._key):
            number = self._graph.number(Target(self._key, partition))
            if number is not None:
                found[number] = 1
        return bytes(found)

    def _reads(self) -> list[_Read] | None:
        """The upstreams, if each partition reads one target of each, which columns can find."""
        found: dict[AssetKey, _Read] = {}
        for edge in self._graph.edges(self._key):
            read = self._read(edge)
            if read is None or found.setdefault(edge.upstream, read) != read:
                return None
        return list(found.values())

    def _read(self, edge: Edge) -> _Read | None:
        name = self._facts.identity(edge.upstream)
        if edge.upstream is self._key:
            return None  # a row depends on those before it
        if edge.mapping is None:
            return _Read(edge.upstream, name, None, None)
        above = self._graph.keys(edge.upstream)
        assert above is not None
        if self._graph.is_too_many(edge.upstream):
            return None
        move = distance(edge.mapping, self._keys, above)
        if move is None:
            return None
        first, end = max(0, -move), min(self._count, len(above) - move)
        for number in (first, end - 1):
            own = self._keys.number(above.key(number + move)) if first < end else number
            if own is not None:
                return _Read(edge.upstream, name, move, own - number)
        return None

    def _at_the_ends(self, reads: Sequence[_Read], made: bytes) -> bytes:
        """The partitions that read one that does not exist."""
        found = bytes(self._count)
        for read in reads:
            if read.move is not None:
                there = _ALL * len(self._states.of(read.upstream).labels)
                there = columns.moved(there, read.move, self._count)
                found = columns.either(found, there.translate(columns.INVERTED))
        return columns.where(found, made)

    def _outcomes(self, rows: Rows | RowFile, reads: Sequence[_Read]) -> bytes:
        """A table that makes 0 of the circumstances in which a value is up to date."""
        expected = {read.name: read.recorded for read in reads}
        table = bytearray(range(256))
        for one in columns.values_in(self._circumstances)[1:]:
            known = rows.known[one - 1]
            if dict(known.upstreams) != expected:
                continue
            facts = self._facts.of(self._target(self._circumstances.find(one)))
            current = facts.current
            if current is None or (current.code_version, current.observed) != (
                known.code_version,
                known.observed,
            ):
                continue  # it was materialized meanwhile
            same = current.is_of_code(facts.code_version) and facts.read_changes == ()
            if same and not resource_changes(facts):
                table[one] = 0
        return bytes(table)

    def _compared(self, rows: Rows | RowFile, read: _Read) -> bytes:
        """1 where the data of an upstream is not what was read, and twice the state of that which
        is not up to date."""
        above = self._states.of(read.upstream)
        states = above.above * self._count if read.move is None else above.above
        states = columns.moved(states, read.move or 0, self._count)
        found = states.translate(_TWICE)
        if read.name not in rows.upstreams:
            return found
        versions = above.versions.of(self._count, read.move)
        read_then = rows.input_pieces(read.name)
        changed = columns.differing(read_then, versions.data, VERSION_BYTES)
        changed = columns.where_not(changed, versions.missing)
        return columns.either(found, changed)

    def _explain_labels(self, rows: Rows | RowFile | None) -> bytes:
        """Find the reasons of each label: those of the first partition that is still as its row
        says. Returns the states of labels."""
        states = bytearray(256)
        for label in columns.values_in(self._labels)[1:]:
            example = self._example(label, rows)
            if example is not None:
                reasons = self.found.reasons[label] = self._reasons(example)
                states[label] = CODES[target_state(self._facts.of(example), reasons)]
        return bytes(states)

    def _example(self, label: int, rows: Rows | RowFile | None) -> Target | None:
        while (number := self.found.labels.find(label)) >= 0:
            target = self._target(number)
            if rows is not None and self._is_as_before(target, number, rows):
                return target
            labels = bytearray(self.found.labels)
            labels[number] = _LOOKED_AT
            self.found.labels = bytes(labels)
        return None

    def _is_as_before(self, target: Target, number: int, rows: Rows | RowFile) -> bool:
        """Whether a partition is still as its row says: another process may have materialized it
        meanwhile, so that its reasons are not those of others whose rows are alike."""
        known = self._facts.of(target)
        current = known.current
        if known.running or known.failed is not None:
            return False
        if not self._circumstances[number]:
            return current is None
        then = rows.known[self._circumstances[number] - 1]
        if current is None or (current.code_version, current.observed) != (
            then.code_version,
            then.observed,
        ):
            return False
        read = {
            self._facts.identity(recorded_target(text).key): version_bytes(version)
            for text, version in current.inputs.items()
        }
        return read == {name: rows.input_of(name, number) for name, _ in then.upstreams}

    def _look(self) -> None:
        """Look at the partitions that rows say nothing certain of, in their order."""
        found = self.found
        numbers = [one for part in columns.numbers_of(found.labels, _LOOKED_AT) for one in part]
        if not numbers:
            return
        states, above = bytearray(found.states), bytearray(found.above)
        data, missing = bytearray(found.versions.data), bytearray(found.versions.missing)
        for number in numbers:
            target = self._target(number)
            known, reasons = self._facts.of(target), self._reasons(target)
            found.exact[number] = reasons
            states[number] = CODES[target_state(known, reasons)]
            above[number] = above_of(known, reasons)
            if missing:
                version = known.data_version
                missing[number] = version is None
                at = number * VERSION_BYTES
                data[at : at + VERSION_BYTES] = version_bytes(version or "")
        found.states, found.above = bytes(states), bytes(above)
        found.versions = Versions(bytes(data), bytes(missing))

    def _reasons(self, target: Target) -> Reasons:
        return reasons_given(self._states, self._graph, self._facts, target, self._given)

    def _target(self, number: int) -> Target:
        return self._graph.target(self._key, number)


def _table(values: Mapping[int, int], other: int = 0) -> bytes:
    return bytes([values.get(value, other) for value in range(256)])


_ALL = b"\1"
_MADE = _table({MADE: 1})
_NOTHING = _table({0: 1})
_NOT_MADE = _table({value: 0 for value in range(256) if value & MADE}, 1)
_UNCERTAIN = _table({0: 0, MADE: 0}, 1)
_NOT_ZERO = _table({0: 0}, 1)
_LABELS = _table({1: _LOOKED_AT})
_TWICE = _table({code: 2 * code for code in range(4)})
_ABOVE = _table({code: code for code in range(4)})
